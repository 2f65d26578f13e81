"""PyTorch models as people write them in 2026, sound and broken; the answers were committed before the first run.

python tests/long/models/current_models.py [-v] [NAME ...]
"""

from __future__ import annotations

import copy
import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

sys.path.insert(0, str(Path(__file__).parent))

import itertools

from answers import (
    CHANCE,
    DECLARED,
    DISTINCT,
    GRADIENT,
    INPUT,
    LAW,
    LOST,
    REBUILD,
    SIGNAL,
    WRITERS,
    WRITTEN,
    Answers,
)

SAMPLE = Answers()
D, WORDS, DEPTH = 48, 173, 6


class RMSNorm(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.ones(d))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, x.shape[-1:]) * self.g


class Rope(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.register_buffer("inv_freq", 10000.0 ** (-torch.arange(0, d, 2) / d), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        angles = torch.arange(x.shape[-2])[:, None] * self.inv_freq
        a, b = x.chunk(2, -1)
        return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)


class GroupedAttention(nn.Module):
    """Four query heads, two of keys, one matrix for all three, a norm on queries and keys."""

    def __init__(self, d: int, heads: int = 4, groups: int = 2) -> None:
        super().__init__()
        self.heads, self.groups, self.dim = heads, groups, d // heads
        self.wqkv = nn.Linear(d, (heads + 2 * groups) * self.dim, bias=False)
        self.wo = nn.Linear(d, d, bias=False)
        self.q_norm, self.k_norm, self.rope = RMSNorm(self.dim), RMSNorm(self.dim), Rope(self.dim)

    def forward(self, x: Tensor) -> Tensor:
        b, t, _ = x.shape
        made = self.wqkv(x).view(b, t, -1, self.dim).transpose(1, 2)
        q, k, v = made.split([self.heads, self.groups, self.groups], 1)
        q, k = self.rope(self.q_norm(q)), self.rope(self.k_norm(k))
        k, v = (m.repeat_interleave(self.heads // self.groups, 1) for m in (k, v))
        return self.wo(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, -1))


class SwiGLU(nn.Module):
    def __init__(self, d: int, hidden: int) -> None:
        super().__init__()
        self.w1, self.w2, self.w3 = (
            nn.Linear(d, hidden, False), nn.Linear(hidden, d, False), nn.Linear(d, hidden, False)
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class SharedMoE(nn.Module):
    """One expert for all words and two of four routed ones."""

    def __init__(self, d: int, experts: nn.ModuleList | None = None) -> None:
        super().__init__()
        self.router = nn.Linear(d, 4, bias=False)
        self.shared = SwiGLU(d, 64)
        self.experts = nn.ModuleList(SwiGLU(d, 32) for _ in range(4)) if experts is None else experts

    def forward(self, x: Tensor) -> Tensor:
        weight, chosen = self.router(x).softmax(-1).topk(2, -1)
        weight = torch.zeros_like(self.router(x)).scatter(-1, chosen, weight / weight.sum(-1, keepdim=True))
        return self.shared(x) + sum(weight[..., i, None] * e(x) for i, e in enumerate(self.experts))


class Parallel(nn.Module):
    """Attention and feed read one norm and are added together."""

    def __init__(self, d: int, feed: nn.Module | None = None) -> None:
        super().__init__()
        self.norm, self.attn, self.ffn = RMSNorm(d), GroupedAttention(d), feed or SwiGLU(d, 128)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        return x + self.attn(y) + self.ffn(y)


class LM(nn.Module):
    def __init__(self, blocks: list[nn.Module], tie: bool = True) -> None:
        super().__init__()
        self.tok = nn.Embedding(WORDS, D)
        self.blocks = nn.ModuleList(blocks)
        self.norm, self.lm_head = RMSNorm(D), nn.Linear(D, WORDS, bias=False)
        if tie:
            self.lm_head.weight = self.tok.weight

    def forward(self, idx: Tensor) -> Tensor:
        x = self.tok(idx)
        for block in self.blocks:
            x = block(x)
        return self.lm_head(self.norm(x))


def _normal(m: nn.Module) -> None:
    if isinstance(m, (nn.Linear, nn.Embedding)):
        nn.init.normal_(m.weight, std=0.02)
        if getattr(m, "bias", None) is not None:
            nn.init.zeros_(m.bias)


def _scaled(model: nn.Module, *ends: str) -> nn.Module:
    for name, p in model.named_parameters():
        if name.endswith(ends):
            nn.init.normal_(p, std=0.02 / math.sqrt(2 * DEPTH))
    return model


@SAMPLE.sound()
def parallel_moe() -> nn.Module:
    model = LM([Parallel(D, SharedMoE(D)) for _ in range(DEPTH)]).apply(_normal)
    return _scaled(model, "wo.weight", "w2.weight")


@SAMPLE.broken(DISTINCT, r"experts\.[0-3].*experts\.[0-3]", verdict="UNDECIDED")
def experts_times_n() -> nn.Module:
    """[expert] * 4: one expert under four names. It may be meant (as in ALBERT), so it must be said, not failed."""
    blocks = [Parallel(D, SharedMoE(D, nn.ModuleList([SwiGLU(D, 32)] * 4))) for _ in range(DEPTH)]
    return _scaled(LM(blocks).apply(_normal), "wo.weight", "w2.weight")


@SAMPLE.broken(WRITERS, r"w2.*writes to the residual stream|wo.*scaled by depth", verdict="UNDECIDED")
def one_writer_forgotten() -> nn.Module:
    return _scaled(LM([Parallel(D) for _ in range(DEPTH)]).apply(_normal), "wo.weight")


class Base(nn.Module):
    """Initialises in its constructor, as a base class does: before its children have built what they add."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        self.apply(self._init_weights)

    def _init_weights(self, m: nn.Module) -> None:
        if isinstance(m, (nn.Linear, nn.Embedding)):
            m.weight.data.normal_(0.0, self.config.initializer_range)


@SAMPLE.broken(DECLARED, r"initializer_range")
class ApplyBeforeBlocks(Base):
    def __init__(self) -> None:
        super().__init__(SimpleNamespace(vocab_size=WORDS, hidden_size=D, initializer_range=0.02))
        self.tok = nn.Embedding(WORDS, D)
        self.blocks = nn.ModuleList(Parallel(D) for _ in range(DEPTH))
        self.norm, self.lm_head = RMSNorm(D), nn.Linear(D, WORDS, bias=False)

    def forward(self, idx: Tensor) -> Tensor:
        x = self.tok(idx)
        for block in self.blocks:
            x = block(x)
        return self.lm_head(self.norm(x))


class Order(LM):
    """The branch for what is scaled stands behind the branch that takes it."""

    def __init__(self) -> None:
        super().__init__([Parallel(D) for _ in range(DEPTH)])
        for block in self.blocks:
            block.attn.wo.RESIDUAL = block.ffn.w2.RESIDUAL = True
        self.apply(self._init_weights)

    def _init_weights(self, m: nn.Module) -> None:
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.normal_(m.weight, mean=0.0, std=0.02)
        elif isinstance(m, nn.Linear) and hasattr(m, "RESIDUAL"):
            nn.init.normal_(m.weight, mean=0.0, std=0.02 / math.sqrt(2 * DEPTH))


@SAMPLE.broken(DECLARED, r"never ran", verdict="UNDECIDED")
def dead_branch_by_isinstance_order() -> nn.Module:
    return Order()


@SAMPLE.broken(LAW, r"blocks\.3\.ffn\.w1")
def submodule_replaced_after_apply() -> nn.Module:
    """A wider feed was put into one block after the recipe ran; its first matrix keeps torch's law."""
    model = LM([Parallel(D) for _ in range(DEPTH)]).apply(_normal)
    model.blocks[3].ffn.w1 = nn.Linear(D, 128, bias=False)
    return model


class Encoder(nn.Module):
    def __init__(self, blocks: nn.Module) -> None:
        super().__init__()
        self.embed = nn.Linear(12, D)
        self.encoder, self.head = blocks, nn.Linear(D, 7)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(self.embed(x)).mean(1))


def _transformer(norm_first: bool) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(D, 4, 96, dropout=0.0, batch_first=True, norm_first=norm_first)
    return nn.TransformerEncoder(layer, DEPTH, enable_nested_tensor=False)


@SAMPLE.broken(DISTINCT, r"encoder\.layers\.0.*copies|encoder\.layers.*equal bit for bit", "2x10x12")
def transformer_encoder_as_it_comes() -> nn.Module:
    return Encoder(_transformer(True))


@SAMPLE.sound("2x10x12")
def transformer_encoder_drawn_anew() -> nn.Module:
    model = Encoder(_transformer(False))
    for p in model.parameters():
        if p.dim() > 1:
            nn.init.xavier_uniform_(p)
    return model


class Registers(nn.Module):
    """A ViT with a class token, four registers and LayerScale."""

    def __init__(self, registers: Tensor) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, D, 4, 4)
        self.cls_token, self.registers = nn.Parameter(torch.zeros(1, 1, D)), nn.Parameter(registers)
        self.pos = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 16, D), std=0.02))
        self.blocks = nn.ModuleList(ScaledBlock(D) for _ in range(DEPTH))
        self.norm, self.head = nn.LayerNorm(D), nn.Linear(D, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = self.patch(image).flatten(2).mT + self.pos
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), self.registers.expand(len(x), -1, -1), x], 1)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


class ScaledBlock(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(d), nn.MultiheadAttention(d, 4, batch_first=True)
        self.norm2, self.mlp = nn.LayerNorm(d), nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))
        self.gamma1, self.gamma2 = (nn.Parameter(torch.full((d,), 1e-2)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.gamma1 * self.attn(y, y, y, need_weights=False)[0]
        return x + self.gamma2 * self.mlp(self.norm2(x))


def _vit(m: nn.Module) -> None:
    if isinstance(m, nn.Linear):
        nn.init.trunc_normal_(m.weight, std=0.02)
        nn.init.zeros_(m.bias)


@SAMPLE.sound("2x3x16x16")
def vit_with_registers() -> nn.Module:
    return Registers(torch.randn(1, 4, D) * 0.02).apply(_vit)


@SAMPLE.broken(DISTINCT, r"registers.*(same for all its rows|constant)", "2x3x16x16")
def registers_all_zero() -> nn.Module:
    """Four registers of zeros: equal for ever, since nothing tells their places apart."""
    return Registers(torch.zeros(1, 4, D)).apply(_vit)


class ResBlock(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(4, c), nn.Conv2d(c, c, 3, padding=1)
        self.time, self.norm2 = nn.Linear(32, c), nn.GroupNorm(4, c)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)
        self.gate: nn.Parameter | float = 1.0

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        y = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(t))[..., None, None]
        return x + self.gate * self.conv2(F.silu(self.norm2(y)))


class UNet(nn.Module):
    """Noise of an image: two levels, skips, a time embedding, the last convolution zero."""

    def __init__(self) -> None:
        super().__init__()
        self.time_mlp = nn.Sequential(nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 32))
        self.stem, self.down = nn.Conv2d(3, 32, 3, padding=1), nn.Conv2d(32, 32, 3, 2, 1)
        self.down_blocks = nn.ModuleList(ResBlock(32) for _ in range(2))
        self.mid, self.up = ResBlock(32), nn.ConvTranspose2d(32, 32, 2, 2)
        self.merge, self.up_blocks = nn.Conv2d(64, 32, 1), nn.ModuleList(ResBlock(32) for _ in range(2))
        self.norm_out, self.conv_out = nn.GroupNorm(4, 32), nn.Conv2d(32, 3, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)

    def forward(self, x: Tensor, timesteps: Tensor) -> Tensor:
        angles = timesteps.float()[:, None] * 10000.0 ** (-torch.arange(16) / 16)
        t = self.time_mlp(torch.cat([angles.sin(), angles.cos()], -1))
        x = skip = self.down_blocks[0](self.stem(x), t)
        x = self.up(self.mid(self.down_blocks[1](self.down(x), t), t))
        x = self.up_blocks[0](self.merge(torch.cat([x, skip], 1)), t)
        return self.conv_out(F.silu(self.norm_out(self.up_blocks[1](x, t))))


@SAMPLE.sound("2x3x16x16;int<1000:2")
def diffusion_unet() -> nn.Module:
    return UNet()


@SAMPLE.broken(DISTINCT, r"conv2\.weight.*gradient is zero", "2x3x16x16;int<1000:2")
def gate_and_branch_both_zero() -> nn.Module:
    """The second convolution is zero, and so is the number it is multiplied by."""
    model = UNet()
    for m in model.modules():
        if isinstance(m, ResBlock):
            m.gate = nn.Parameter(torch.zeros(1))
    return model


class Highway(nn.Module):
    def __init__(self, d: int, bias: float) -> None:
        super().__init__()
        self.plain, self.gate = nn.Linear(d, d), nn.Linear(d, d)
        nn.init.zeros_(self.plain.bias)
        nn.init.constant_(self.gate.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        t = self.gate(x).sigmoid()
        return t * self.plain(x).relu() + (1 - t) * x


def _highway(bias: float) -> nn.Module:
    return nn.Sequential(nn.Linear(20, D), nn.Sequential(*(Highway(D, bias) for _ in range(20))), nn.Linear(D, 4))


@SAMPLE.sound("16x20")
def highway_that_carries() -> nn.Module:
    return _highway(-3.0)


@SAMPLE.broken(SIGNAL, r"multipl|gate", "16x20")
def highway_gate_of_wrong_sign() -> nn.Module:
    """+3 for -3: it transforms, and 20 layers of torch's default lose the signal."""
    return _highway(3.0)


class Policy(nn.Module):
    def __init__(self, gain: float) -> None:
        super().__init__()
        sizes = [11, 64, 64, 64, 64, 64]
        layers = [nn.Linear(i, o) for i, o in itertools.pairwise(sizes)]
        for layer in layers:
            nn.init.orthogonal_(layer.weight, gain)
            nn.init.zeros_(layer.bias)
        self.trunk = nn.Sequential(*(m for layer in layers for m in (layer, nn.Tanh())))
        self.mean, self.value = nn.Linear(64, 3), nn.Linear(64, 1)
        self.log_std = nn.Parameter(torch.zeros(3))
        nn.init.orthogonal_(self.mean.weight, 0.01)
        nn.init.orthogonal_(self.value.weight, 1.0)

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.trunk(obs)
        return self.mean(x), self.log_std.exp(), self.value(x)


@SAMPLE.sound("64x11")
def actor_critic() -> nn.Module:
    return Policy(math.sqrt(2))


@SAMPLE.broken(SIGNAL, r"0\.0001|multiplies", "64x11")
def gain_of_the_policy_head_everywhere() -> nn.Module:
    return Policy(0.01)


class Sine(nn.Module):
    def __init__(self, i: int, o: int, bound: float) -> None:
        super().__init__()
        self.linear = nn.Linear(i, o)
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(30.0 * self.linear(x))


def _siren(omega: float) -> nn.Module:
    first, last = Sine(2, 64, 1 / 2), nn.Linear(64, 3)
    nn.init.uniform_(last.weight, -math.sqrt(6 / 64) / 30, math.sqrt(6 / 64) / 30)
    return nn.Sequential(first, *(Sine(64, 64, math.sqrt(6 / 64) / omega) for _ in range(8)), last)


@SAMPLE.sound("256x2")
def siren() -> nn.Module:
    return _siren(30.0)


@SAMPLE.broken(GRADIENT, r"multiplies|30|sin", "256x2")
def siren_without_its_division() -> nn.Module:
    """The bound of hidden layers is not divided by 30: each multiplies the gradient by about 30^2 / 2 * 2."""
    return _siren(1.0)


class GCN(nn.Module):
    def __init__(self, reset: bool) -> None:
        super().__init__()
        sizes = [16, 32, 32, 5]
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(i, o)) for i, o in itertools.pairwise(sizes))
        self.biases = nn.ParameterList(nn.Parameter(torch.empty(o)) for o in sizes[1:])
        if reset:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        for w, b in zip(self.weights, self.biases, strict=True):
            nn.init.xavier_uniform_(w)
            nn.init.zeros_(b)

    def forward(self, x: Tensor, adj: Tensor) -> Tensor:
        adj = adj.softmax(-1)
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = adj @ x @ w + b
            x = x.relu() if i < 2 else x
        return x


@SAMPLE.sound("12x16;12x12")
def graph_network() -> nn.Module:
    return GCN(True)


@SAMPLE.broken(WRITTEN, r"reset_parameters", "12x16;12x12")
def graph_network_never_reset() -> nn.Module:
    """torch.empty, and reset_parameters that nobody calls."""
    return GCN(False)


@SAMPLE.broken(WRITTEN, r"inv_freq")
def meta_device_and_a_lost_buffer() -> nn.Module:
    """to_empty, all parameters written again, and the table of the rotation is not."""
    with torch.device("meta"):
        model = LM([Parallel(D) for _ in range(4)])
    model.to_empty(device="cpu")
    model.lm_head.weight = model.tok.weight
    model.apply(_normal)
    for m in model.modules():
        if isinstance(m, RMSNorm):
            nn.init.ones_(m.g)
    return model


class GatedResidual(nn.Module):
    """GTrXL: a GRU stands where the sum was; its gate starts shut by a bias of 2."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.attn = nn.LayerNorm(D), GroupedAttention(D)
        self.z, self.r, self.h = nn.Linear(2 * D, D), nn.Linear(2 * D, D), nn.Linear(2 * D, D)
        nn.init.constant_(self.z.bias, -2.0)

    def forward(self, x: Tensor) -> Tensor:
        y = self.attn(self.norm(x)).relu()
        both = torch.cat([x, y], -1)
        z, r = self.z(both).sigmoid(), self.r(both).sigmoid()
        return (1 - z) * x + z * self.h(torch.cat([r * x, y], -1)).tanh()


@SAMPLE.broken(LOST, r"z\.bias.*-2.*lost", verdict="UNDECIDED")
def gate_bias_drawn_over_by_apply() -> nn.Module:
    return LM([GatedResidual() for _ in range(DEPTH)]).apply(_normal)


@SAMPLE.broken(DISTINCT, r"tok\.weight.*lm_head\.weight|lm_head\.weight.*tok\.weight")
def tied_by_data() -> nn.Module:
    """.data = .data: one memory, two parameters, and each of them has its own gradient and its own optimizer state."""
    model = LM([Parallel(D) for _ in range(DEPTH)], tie=False).apply(_normal)
    model.lm_head.weight.data = model.tok.weight.data
    return model


class Deep(nn.Module):
    def __init__(self, bias: float = 0.0, std: float | None = None, layers: int = 8, d: int = 64) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(d, d) for _ in range(layers))
        self.out = nn.Linear(d, 10)
        for layer in self.layers:
            if std is None:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            else:
                nn.init.normal_(layer.weight, std=std)
            nn.init.constant_(layer.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.out(x)


@SAMPLE.broken(SIGNAL, r"0\.0256|sqrt\(2/fan_in\)", "32x128")
def gpt2_std_in_48_plain_layers() -> nn.Module:
    return Deep(std=0.02, layers=48, d=128)


@SAMPLE.broken(INPUT, r"bias|ReLU|relu|layers\.\d", "32x64")
def dead_by_a_negative_bias() -> nn.Module:
    """A bias of -4 in every layer: nothing leaves the first one."""
    return Deep(bias=-4.0)


class ReZero(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn, self.ffn = GroupedAttention(D), SwiGLU(D, 96)
        self.a, self.b = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.a * self.attn(x)
        return x + self.b * self.ffn(x)


@SAMPLE.sound()
def rezero() -> nn.Module:
    return LM([ReZero() for _ in range(12)], tie=False)


class Equilibrium(nn.Module):
    """One layer, applied until its state rests."""

    def __init__(self) -> None:
        super().__init__()
        self.inject, self.cell, self.head = nn.Linear(10, 64), nn.Linear(64, 64, bias=False), nn.Linear(64, 3)
        nn.init.normal_(self.cell.weight, std=0.5 / 8)

    def forward(self, x: Tensor) -> Tensor:
        u, z = self.inject(x), x.new_zeros(len(x), 64)
        for _ in range(25):
            z = torch.tanh(self.cell(z) + u)
        return self.head(z)


@SAMPLE.sound("16x10")
def deep_equilibrium() -> nn.Module:
    return Equilibrium()


class Hyper(nn.Module):
    """A network that makes the weights of another one, layer by layer, from a code of each layer."""

    def __init__(self) -> None:
        super().__init__()
        self.codes = nn.Parameter(torch.randn(4, 8))
        self.make, self.start, self.end = nn.Linear(8, 32 * 32), nn.Linear(6, 32), nn.Linear(32, 2)
        nn.init.normal_(self.make.weight, std=math.sqrt(2 / 32 / 8))
        nn.init.zeros_(self.make.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.start(x)
        for w in self.make(self.codes).view(4, 32, 32):
            x = F.relu(x @ w)
        return self.end(x)


@SAMPLE.sound("16x6")
def hypernetwork() -> nn.Module:
    return Hyper()


class Transducer(nn.Module):
    """RNN-T: an encoder of frames, a predictor of words, a joint of both."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.embed = nn.LSTM(20, 32, 2, batch_first=True), nn.Embedding(30, 32, padding_idx=0)
        self.predictor, self.joint = nn.GRU(32, 32, batch_first=True), nn.Linear(64, 48)
        self.out = nn.Linear(48, 30)
        for name, p in [*self.encoder.named_parameters(), *self.predictor.named_parameters()]:
            if "weight_hh" in name:
                nn.init.orthogonal_(p)
            elif "bias_ih" in name and p.shape[0] == 128:
                with torch.no_grad():
                    p.zero_()[32:64].fill_(1.0)

    def forward(self, frames: Tensor, words: Tensor) -> Tensor:
        a, b = self.encoder(frames)[0], self.predictor(self.embed(words))[0]
        a, b = a[:, :, None].expand(-1, -1, b.shape[1], -1), b[:, None].expand(-1, a.shape[1], -1, -1)
        return self.out(self.joint(torch.cat([a, b], -1)).tanh())


@SAMPLE.sound("2x14x20;int<30:2x5")
def transducer() -> nn.Module:
    return Transducer()


class Coupling(nn.Module):
    def __init__(self, flip: bool) -> None:
        super().__init__()
        self.flip, self.net = flip, nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 8))
        nn.init.zeros_(self.net[2].weight)
        nn.init.zeros_(self.net[2].bias)

    def forward(self, x: Tensor) -> Tensor:
        a, b = x.chunk(2, -1)
        a, b = (b, a) if self.flip else (a, b)
        s, t = self.net(a).chunk(2, -1)
        return torch.cat([a, b * s.tanh().exp() + t], -1)


@SAMPLE.sound("64x8")
def normalizing_flow() -> nn.Module:
    return nn.Sequential(*(Coupling(i % 2 == 1) for i in range(6)))


class Lazy(nn.Module):
    def __init__(self, first: bool) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.LazyLinear(48), nn.ReLU(), nn.LazyLinear(48), nn.ReLU(), nn.LazyLinear(5))
        if first:
            self(torch.zeros(1, 24))
            self.apply(lambda m: nn.init.kaiming_normal_(m.weight) if isinstance(m, nn.Linear) else None)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@SAMPLE.sound("16x24")
def lazy_run_once() -> nn.Module:
    return Lazy(True)


@SAMPLE.sound("16x24")
def lazy_never_run() -> nn.Module:
    """Nothing can be said of what has no shape yet, and that is no failure."""
    return Lazy(False)


class Seeded(nn.Module):
    """Every block sets the seed of the config, "for reproducibility"."""

    def __init__(self, seed: int = 1337) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.up, self.down = nn.Linear(D, 96), nn.Linear(96, D)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(F.gelu(self.up(x)))


@SAMPLE.broken(DISTINCT, r"seed")
def seed_in_every_block() -> nn.Module:
    return LM([Seeded() for _ in range(5)])


class Towers(nn.Module):
    """A tower for queries, a tower for items, a learned temperature."""

    def __init__(self, one: nn.Module, two: nn.Module) -> None:
        super().__init__()
        self.query, self.item, self.scale = one, two, nn.Parameter(torch.tensor(2.66))

    def forward(self, q: Tensor, i: Tensor) -> Tensor:
        return self.scale.exp() * F.normalize(self.query(q), dim=-1) @ F.normalize(self.item(i), dim=-1).T


def _tower() -> nn.Module:
    return nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.LayerNorm(64), nn.Linear(64, 32))


@SAMPLE.sound("16x24;16x24")
def two_towers() -> nn.Module:
    return Towers(_tower(), _tower())


@SAMPLE.sound("16x24;16x24")
def siamese() -> nn.Module:
    """One tower for both, which is meant."""
    one = _tower()
    return Towers(one, one)


@SAMPLE.broken(DISTINCT, r"query\.0\.weight.*item\.0\.weight|item\.0\.weight.*query\.0\.weight", "16x24;16x24")
def second_tower_is_a_copy() -> nn.Module:
    one = _tower()
    return Towers(one, copy.deepcopy(one))


@SAMPLE.broken(CHANCE, r"std 1|tok|tied|lm_head")
def default_embedding_tied_to_the_head() -> nn.Module:
    """nn.Embedding draws std 1, and the head is the same matrix."""
    return LM([Parallel(D) for _ in range(DEPTH)])


@SAMPLE.broken(REBUILD, r"generator|seed")
def own_generator_from_the_system() -> nn.Module:
    """A generator seeded by the operating system draws the head: no seed repeats it."""
    model = LM([Parallel(D) for _ in range(4)], tie=False).apply(_normal)
    g = torch.Generator()
    g.seed()
    nn.init.normal_(model.lm_head.weight, std=0.02, generator=g)
    return model


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(SAMPLE.run([n for n in sys.argv[1:] if n != "-v"], show="-v" in sys.argv))
