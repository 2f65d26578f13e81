"""Models in the styles of 2024 to 2026, written with their answers before they were judged: six sound, six not.

    python tests/long/models/recent_models.py [NAME ...]        one line a model: what fails, what is open, CPU seconds

``EXPECTED[name]`` is the claim that must fail, empty where none may. Prints 1 line a surprise and ends with 1 then.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

__all__ = ["EXPECTED", "MODELS"]

_BLOCKS, _WIDTH, _HEADS, _TOKENS = 6, 48, 4, 211
MODELS: dict[str, Callable[[], nn.Module]] = {}
EXPECTED: dict[str, str] = {}


def _model(expected: str = "") -> Callable[[Any], Any]:
    def noted(build: Any) -> Any:
        MODELS[build.__name__], EXPECTED[build.__name__] = build, expected
        return build

    return noted


def _line(given: int, made: int, std: float = 0.02) -> nn.Linear:
    line = nn.Linear(given, made, bias=False)
    nn.init.normal_(line.weight, std=std)
    return line


def _heads(x: Tensor) -> Tensor:
    return x.view(*x.shape[:2], _HEADS, -1).transpose(1, 2)


def _joined(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)


class Gated(nn.Module):
    """SwiGLU."""

    def __init__(self, std: float = 0.02, down: float = 0.02) -> None:
        super().__init__()
        self.gate, self.up, self.down = _line(_WIDTH, 128, std), _line(_WIDTH, 128, std), _line(128, _WIDTH, down)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(functional.silu(self.gate(x)) * self.up(x))


class Block(nn.Module):
    """A block before whose parts the stream is normalized."""

    def __init__(self, mix: nn.Module, feed: nn.Module) -> None:
        super().__init__()
        self.first, self.second = nn.RMSNorm(_WIDTH), nn.RMSNorm(_WIDTH)
        self.mix, self.feed = mix, feed

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mix(self.first(x))
        return x + self.feed(self.second(x))


class Decoder(nn.Module):
    """Blocks between an embedding and a head."""

    def __init__(self, blocks: list[nn.Module], *, head_std: float = 0.02) -> None:
        super().__init__()
        self.embed = nn.Embedding(_TOKENS, _WIDTH)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.layers, self.norm = nn.ModuleList(blocks), nn.RMSNorm(_WIDTH)
        self.lm_head = _line(_WIDTH, _TOKENS, head_std)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.lm_head(self.norm(x))


class Latent(nn.Module):
    """Multi-head latent attention: queries, keys and values through narrow ranks with norms between."""

    def __init__(self) -> None:
        super().__init__()
        self.q_a, self.q_norm, self.q_b = _line(_WIDTH, 24), nn.RMSNorm(24), _line(24, _WIDTH)
        self.kv_a, self.kv_norm, self.kv_b = _line(_WIDTH, 16), nn.RMSNorm(16), _line(16, 2 * _WIDTH)
        self.out = _line(_WIDTH, _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        q = self.q_b(self.q_norm(self.q_a(x)))
        k, v = self.kv_b(self.kv_norm(self.kv_a(x))).chunk(2, -1)
        return self.out(_joined(functional.scaled_dot_product_attention(*map(_heads, (q, k, v)), is_causal=True)))


@_model()
def latent_attention() -> nn.Module:
    return Decoder([Block(Latent(), Gated()) for _ in range(_BLOCKS)])


class Windowed(nn.Module):
    """Attention to the last few tokens and to a learned sink, whose logits start at zero."""

    def __init__(self, window: int, out: float = 0.02) -> None:
        super().__init__()
        self.q, self.kv = _line(_WIDTH, _WIDTH), _line(_WIDTH, _WIDTH)  # two heads of keys, two of values
        self.out = _line(_WIDTH, _WIDTH, out)
        self.sinks = nn.Parameter(torch.zeros(_HEADS))
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[1]
        k, v = (part.repeat_interleave(2, 1) for part in _heads(self.kv(x)).chunk(2, 1))
        scores = _heads(self.q(x)) @ k.transpose(-1, -2) / math.sqrt(k.shape[-1])
        away = torch.arange(n)[:, None] - torch.arange(n)
        scores = scores.masked_fill((away < 0) | (away >= self.window), -math.inf)
        sinks = self.sinks.view(1, -1, 1, 1).expand(len(x), -1, n, 1)
        return self.out(_joined(torch.cat([scores, sinks], -1).softmax(-1)[..., :-1] @ v))


@_model()
def window_with_sinks() -> nn.Module:
    return Decoder([Block(Windowed(4 if i % 2 else 64), Gated()) for i in range(_BLOCKS)])


class Decayed(nn.Module):
    """Linear attention that forgets: each channel's decay and each token shift by place, the output from zero."""

    def __init__(self, block: int) -> None:
        super().__init__()
        place, ratio = torch.arange(_WIDTH) / _WIDTH, block / (_BLOCKS - 1)
        self.shift = nn.Parameter(place ** (1 - ratio))
        self.decay = nn.Parameter(-6 + 5 * place ** (0.7 + 1.3 * ratio))
        self.r, self.k, self.v, self.out = (nn.Linear(_WIDTH, _WIDTH, bias=False) for _ in range(4))
        for line in (self.r, self.k, self.v):
            nn.init.orthogonal_(line.weight, 0.5)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        before = functional.pad(x, (0, 0, 1, -1))
        x = before + (x - before) * self.shift
        r, k, v, keep = self.r(x).sigmoid(), self.k(x), self.v(x), torch.exp(-torch.exp(self.decay))
        state, made = torch.zeros_like(x[:, 0]), []
        for t in range(x.shape[1]):
            state = keep * state + k[:, t] * v[:, t]
            made.append(state)
        return self.out(r * torch.stack(made, 1))


@_model()
def linear_attention_with_decay() -> nn.Module:
    return Decoder([Block(Decayed(i), Gated()) for i in range(_BLOCKS)])


class Modulated(nn.Module):
    """A block of a diffusion transformer: scales, shifts and gates from the condition, all zero at the start."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(_WIDTH, elementwise_affine=False)
        self.attention = nn.MultiheadAttention(_WIDTH, _HEADS, batch_first=True)
        self.up, self.down = nn.Linear(_WIDTH, 192), nn.Linear(192, _WIDTH)
        self.modulation = nn.Linear(_WIDTH, 6 * _WIDTH)
        for line in (self.up, self.down):
            nn.init.xavier_uniform_(line.weight)
            nn.init.zeros_(line.bias)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        a, b, c, d, e, f = self.modulation(functional.silu(condition))[:, None].chunk(6, -1)
        y = self.norm(x) * (1 + a) + b
        x = x + c * self.attention(y, y, y, need_weights=False)[0]
        return x + f * self.down(functional.gelu(self.up(self.norm(x) * (1 + d) + e)))


class DiffusionTransformer(nn.Module):
    """Patches of latents, a time and a class."""

    in_channels, sample_size = 4, 16

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.classes = nn.Conv2d(4, _WIDTH, 2, 2), nn.Embedding(11, _WIDTH)
        self.time = nn.Sequential(nn.Linear(32, _WIDTH), nn.SiLU(), nn.Linear(_WIDTH, _WIDTH))
        for weight in (self.classes.weight, self.time[0].weight, self.time[2].weight):
            nn.init.normal_(weight, std=0.02)
        nn.init.xavier_uniform_(self.patch.weight.view(_WIDTH, -1))
        place = torch.arange(64)[:, None] / 100 ** (torch.arange(_WIDTH // 2) / (_WIDTH // 2))
        self.register_buffer("positions", torch.cat([place.sin(), place.cos()], -1))
        self.blocks = nn.ModuleList(Modulated() for _ in range(_BLOCKS))
        self.final = nn.Linear(_WIDTH, 16)
        nn.init.zeros_(self.final.weight)
        nn.init.zeros_(self.final.bias)

    def forward(self, sample: Tensor, timestep: Tensor, y: Tensor) -> Tensor:
        waves = timestep[:, None] / 10_000 ** (torch.arange(16) / 16)
        condition = self.time(torch.cat([waves.sin(), waves.cos()], -1).to(sample)) + self.classes(y)
        x = self.patch(sample).flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            x = block(x, condition)
        return self.final(x)


@_model()
def diffusion_transformer() -> nn.Module:
    return DiffusionTransformer()


class Normalized(nn.Module):
    """A matrix whose vectors along the stream have length 1 from the start, as all of nGPT's have."""

    def __init__(self, given: int, made: int, along: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(functional.normalize(torch.randn(made, given) / math.sqrt(_WIDTH), dim=along))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight)


class Sphere(nn.Module):
    """A block that moves its state along the unit sphere by learned steps."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = (Normalized(_WIDTH, _WIDTH, 1) for _ in range(3))
        self.out, self.up, self.down = (Normalized(*n) for n in ((_WIDTH, _WIDTH, 0), (_WIDTH, 96, 1), (96, _WIDTH, 0)))
        self.step_a, self.step_m = (nn.Parameter(torch.full((_WIDTH,), 1 / math.sqrt(_WIDTH))) for _ in range(2))
        self.scale_qk = nn.Parameter(torch.full((_WIDTH // _HEADS,), 1 / math.sqrt(_WIDTH)))

    def forward(self, x: Tensor) -> Tensor:
        rate = 0.05 * math.sqrt(_WIDTH)  # a step of 0.05 at the start
        q, k = (
            functional.normalize(_heads(m(x)), dim=-1) * self.scale_qk * math.sqrt(_WIDTH) for m in (self.q, self.k)
        )
        mixed = functional.scaled_dot_product_attention(
            q, k, _heads(self.v(x)), is_causal=True, scale=math.sqrt(q.shape[-1])
        )
        x = functional.normalize(
            x + rate * self.step_a * (functional.normalize(self.out(_joined(mixed)), dim=-1) - x), dim=-1
        )
        made = functional.normalize(self.down(functional.silu(self.up(x) * math.sqrt(_WIDTH))), dim=-1)
        return functional.normalize(x + rate * self.step_m * (made - x), dim=-1)


class SphereDecoder(nn.Module):
    """Embeddings of length 1, and logits by learned scales."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(_TOKENS, _WIDTH, _weight=functional.normalize(torch.randn(_TOKENS, _WIDTH), dim=-1))
        self.layers, self.lm_head = nn.ModuleList(Sphere() for _ in range(_BLOCKS)), Normalized(_WIDTH, _TOKENS, 1)
        self.scale = nn.Parameter(torch.ones(_TOKENS))

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.lm_head(x) * self.scale


@_model()
def normalized_on_the_sphere() -> nn.Module:
    return SphereDecoder()


class Snake(nn.Module):
    """x + sin(a x)^2 / a."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + (self.alpha * x).sin() ** 2 / self.alpha


class Codec(nn.Module):
    """An audio codec: weight-normed convolutions, snakes and a residual quantizer with codes of its own."""

    def __init__(self) -> None:
        super().__init__()

        def conv(given: int, made: int, size: int, stride: int = 1) -> nn.Module:
            layer = nn.Conv1d(given, made, size, stride, size // 2)
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
            return weight_norm(layer)

        self.encode = nn.Sequential(conv(1, 16, 7), Snake(16), conv(16, 32, 5, 2), Snake(32), conv(32, 24, 3))
        self.codes = nn.ModuleList(nn.Embedding(64, 24) for _ in range(3))
        for table in self.codes:
            nn.init.uniform_(table.weight, -1 / 64, 1 / 64)
        self.decode = nn.Sequential(conv(24, 32, 7), Snake(32), conv(32, 16, 5), Snake(16), conv(16, 1, 7))

    def forward(self, wave: Tensor) -> Tensor:
        made = self.encode(wave).transpose(1, 2)
        left, coded = made, torch.zeros_like(made)
        for table in self.codes:
            nearest = table(torch.cdist(left, table.weight[None]).argmin(-1))
            coded, left = coded + nearest, left - nearest
        return self.decode((made + (coded - made).detach() + 0.25 * (coded - coded.detach())).transpose(1, 2)).tanh()


@_model()
def audio_codec() -> nn.Module:
    return Codec()


class Selective(nn.Module):
    """A selective state space: decays from A_log, the bias of the step by the inverse of softplus, kept by a flag."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.x_proj, self.out = (
            nn.Linear(_WIDTH, 2 * _WIDTH),
            nn.Linear(_WIDTH, 19),
            nn.Linear(_WIDTH, _WIDTH),
        )
        self.dt = nn.Linear(3, _WIDTH)
        step = torch.exp(torch.rand(_WIDTH) * math.log(100) + math.log(0.001))
        with torch.no_grad():
            self.dt.bias.copy_(step + torch.log(-torch.expm1(-step)))
        self.dt.bias._no_reinit = True  # type: ignore[attr-defined]
        self.A_log = nn.Parameter(torch.arange(1.0, 9).log().repeat(_WIDTH, 1))
        self.D = nn.Parameter(torch.ones(_WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        x, gate = self.into(x).chunk(2, -1)
        dt, b, c = self.x_proj(x).split([3, 8, 8], -1)
        dt = functional.softplus(self.dt(dt))
        state, made = torch.zeros(len(x), _WIDTH, 8), []
        for t in range(x.shape[1]):
            state = torch.exp(-dt[:, t, :, None] * self.A_log.exp()) * state
            state = state + (dt[:, t] * x[:, t])[..., None] * b[:, t, None]
            made.append((state * c[:, t, None]).sum(-1))
        return self.out((torch.stack(made, 1) + self.D * x) * functional.silu(gate))


@_model("nothing-special-is-lost")
def state_space_whose_steps_are_lost() -> nn.Module:
    """The recipe's ``apply`` zeroes every bias and asks no flag."""
    model = Decoder([Block(Selective(), Gated()) for _ in range(_BLOCKS)])

    def recipe(module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    return model.apply(recipe)


class Streams(nn.Module):
    """Hyper-connections: several copies of the stream, read and written by learned numbers."""

    def __init__(self, block: int, *, tied: bool) -> None:
        super().__init__()
        read = torch.zeros(4)
        read[block % 4] = 1.0
        self.read = nn.Parameter(torch.full((1, 4), 0.25) if tied else read[None])
        self.write, self.keep = (
            nn.Parameter(torch.ones(4, 1)),
            nn.Parameter(torch.ones(4, 4) / 4 if tied else torch.eye(4)),
        )
        self.block = Gated()
        self.norm = nn.RMSNorm(_WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        given = torch.einsum("on,bntd->btd", self.read, x)
        kept = torch.einsum("mn,bntd->bmtd", self.keep, x)
        return kept + self.write[:, 0, None, None] * self.block(self.norm(given))[:, None]


class HyperConnected(nn.Module):
    """A stack with four streams, summed at the end."""

    def __init__(self, *, tied: bool) -> None:
        super().__init__()
        self.embed, self.lm_head = nn.Embedding(_TOKENS, _WIDTH), _line(_WIDTH, _TOKENS)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.layers = nn.ModuleList(Streams(i, tied=tied) for i in range(_BLOCKS))
        self.norm = nn.RMSNorm(_WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)[:, None].repeat(1, 4, 1, 1)
        for layer in self.layers:
            x = layer(x)
        return self.lm_head(self.norm(x.sum(1)))


@_model("tensors-are-distinct")
def hyper_connections_all_alike() -> nn.Module:
    """Every stream is read, kept and written alike, so that four streams are one for ever."""
    return HyperConnected(tied=True)


class Routed(nn.Module):
    """Mixture of depths: the tokens that a router likes best go through the block."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Parameter(torch.empty(_WIDTH))
        self.block = Block(Windowed(64), Gated())

    def forward(self, x: Tensor) -> Tensor:
        score = x @ self.router
        chosen = score.topk(max(1, x.shape[1] // 2), 1).indices.sort(1).values
        place = chosen[..., None].expand(-1, -1, _WIDTH)
        through = self.block(x.gather(1, place)) - x.gather(1, place)
        return x.scatter_add(1, place, through * score.gather(1, chosen)[..., None].sigmoid())


@_model("every-tensor-is-written")
def mixture_of_depths_without_a_router() -> nn.Module:
    """The router's vector is made and never drawn."""
    return Decoder([Routed() if i % 2 else Block(Windowed(64), Gated()) for i in range(_BLOCKS)])


class Perceiver(nn.Module):
    """Latents ask an image's patches, and then one another."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, _WIDTH, 8, 8)
        self.positions = nn.Parameter(torch.randn(16, _WIDTH) * 0.02)
        self.latents = nn.Parameter(torch.zeros(12, _WIDTH))
        self.ask = nn.MultiheadAttention(_WIDTH, _HEADS, batch_first=True)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(_WIDTH, _HEADS, 96, 0.0, batch_first=True, norm_first=True)
            for _ in range(_BLOCKS)
        )
        self.head = nn.Linear(_WIDTH, 10)

    def forward(self, image: Tensor) -> Tensor:
        seen = self.patch(image).flatten(2).transpose(1, 2) + self.positions
        x = self.latents.expand(len(image), -1, -1)
        x = x + self.ask(x, seen, seen, need_weights=False)[0]
        for layer in self.layers:
            x = layer(x)
        return self.head(x.mean(1))


@_model("tensors-are-distinct")
def perceiver_of_one_latent() -> nn.Module:
    """Twelve latents start at zero: every one asks the same for ever."""
    return Perceiver()


@_model("siblings-share-one-law")
def last_block_not_scaled() -> nn.Module:
    """The loop that scales what writes to the stream by depth ends one block too early."""
    model = Decoder([Block(Windowed(64), Gated()) for _ in range(_BLOCKS)])
    for block in list(model.layers)[:-1]:
        for line in (block.mix.out, block.feed.down):
            nn.init.normal_(line.weight, std=0.02 / math.sqrt(2 * _BLOCKS))
    return model


@_model("residual-writers-share-one-scaling")
def gate_scaled_for_down() -> nn.Module:
    """The matrix that is scaled by depth is the gate's, where the one that writes to the stream was meant."""
    small = 0.02 / math.sqrt(2 * _BLOCKS)
    model = Decoder([Block(Windowed(64, small), Gated()) for _ in range(_BLOCKS)])
    for block in model.layers:
        nn.init.normal_(block.feed.gate.weight, std=small)
    return model


BATCHES = {"diffusion_transformer": "sample=2x4x16x16;timestep=int<1000:2;y=int<11:2"}
"""Given where a user would have to: three arguments of a class without a config."""


def main(names: list[str]) -> int:
    """Judge the named models, or all."""
    from initcheck.doors.check_model import check_model

    torch.set_num_threads(1)
    surprises = 0
    for name in names or MODELS:
        began = time.process_time()
        report = check_model(MODELS[name], BATCHES.get(name), name=name)
        failing = {r.claim: r.evidence.case for r in report if r.verdict.value == "FAILS" and r.evidence is not None}
        doubted = {r.claim: r.reason for r in report if r.verdict.value == "UNDECIDED"}
        asked = {EXPECTED[name]} - {""}
        right = asked <= set(failing) and not (set(failing) and not asked)
        surprises += not right
        print(f"{'as answered' if right else 'OTHERWISE'}  {name}: {time.process_time() - began:.1f} CPU s,"
              f" batch {report.contracts[name].get('batch') or 'none'}", flush=True)  # fmt: skip
        for word, said in (("FAILS", failing), ("UNDECIDED", doubted)):
            for claim, line in said.items():
                print(f"    {word:<10} {claim}: {str(line)[:200]}", flush=True)
    print(f"{surprises} surprises")
    return int(surprises > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
