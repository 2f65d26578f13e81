"""Schemes that look wrong and are right, and five that look right, written with their answers before they were judged.

python tests/long/models/unusual_models.py [NAME ...]       as recent_models.py, whose registry and blocks it uses
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parent))

import recent_models
from recent_models import Block, Decoder, Gated, _heads, _joined, _line, _model

_BLOCKS, _WIDTH, _TOKENS = 6, 48, 211
_OTHERS = set(recent_models.MODELS)


class Plain(nn.Module):
    """Attention whose logits are multiplied by a number of its own."""

    def __init__(self, scale: float | None = None) -> None:
        super().__init__()
        self.q, self.k, self.v, self.out = (_line(_WIDTH, _WIDTH) for _ in range(4))
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (_heads(line(x)) for line in (self.q, self.k, self.v))
        return self.out(_joined(functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=self.scale)))


class Wide(Decoder):
    """muP at four times its base width: logits over 4, queries from zero, attention over d and not its root."""

    def __init__(self) -> None:
        super().__init__([Block(Plain(1 / 12), Gated()) for _ in range(_BLOCKS)])
        nn.init.normal_(self.embed.weight)
        for layer in self.layers:
            for line in (m for m in layer.modules() if isinstance(m, nn.Linear)):
                nn.init.normal_(line.weight, std=line.in_features**-0.5)
            nn.init.zeros_(layer.mix.q.weight)
        nn.init.zeros_(self.lm_head.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        return super().forward(tokens) / 4


@_model()
def mup_from_zero_queries_and_head() -> nn.Module:
    return Wide()


class PostNorm(nn.Module):
    """DeepNorm: the stream is multiplied by (2 N)^1/4 before a branch is added and the sum normalized."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.feed = Plain(), nn.Sequential(nn.Linear(_WIDTH, 192), nn.GELU(), nn.Linear(192, _WIDTH))
        self.first, self.second, self.alpha = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH), (2 * _BLOCKS) ** 0.25
        for line in (m for m in self.modules() if isinstance(m, nn.Linear)):
            small = line not in (self.mix.q, self.mix.k)
            nn.init.xavier_normal_(line.weight, gain=(8 * _BLOCKS) ** -0.25 if small else 1.0)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.alpha * x + self.mix(x))
        return self.second(self.alpha * x + self.feed(x))


@_model()
def deepnorm() -> nn.Module:
    return Decoder([PostNorm() for _ in range(_BLOCKS)])


class OnSphere(nn.Module):
    """nGPT: weights of length one, steps along the sphere by learned rates that start at 0.05."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.feed = Plain(math.sqrt(12.0)), Gated()
        self.rates = nn.ParameterList(nn.Parameter(torch.full((_WIDTH,), 0.05)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        for branch, rate in zip((self.mix, self.feed), self.rates, strict=True):
            x = functional.normalize(x + rate * (functional.normalize(branch(x), dim=-1) - x), dim=-1)
        return x


class Sphere(Decoder):
    """Every matrix is normalized along the axis of the stream once it is drawn; one may be left out."""

    def __init__(self, left_out: int | None = None) -> None:
        super().__init__([OnSphere() for _ in range(_BLOCKS)])
        self.norm, self.loud = nn.Identity(), nn.Parameter(torch.ones(_TOKENS))
        for i, layer in enumerate(self.layers):
            for line in (m for m in layer.modules() if isinstance(m, nn.Linear)):
                axis = 0 if line in (layer.mix.out, layer.feed.down) else 1
                if not (i == left_out and line is layer.feed.down):
                    line.weight.data = functional.normalize(line.weight.data, dim=axis)
        for table in (self.embed, self.lm_head):
            table.weight.data = functional.normalize(table.weight.data, dim=1)

    def forward(self, tokens: Tensor) -> Tensor:
        return super().forward(tokens) * self.loud


@_model()
def weights_on_a_sphere() -> nn.Module:
    return Sphere()


@_model("siblings-share-one-law")
def one_matrix_beside_the_sphere() -> nn.Module:
    """The loop that normalizes misses the last block's matrix back to the stream."""
    return Sphere(left_out=_BLOCKS - 1)


class Shared(nn.Module):
    """Two of four experts beside one that all tokens go through, by a gate of its own from zero."""

    def __init__(self) -> None:
        super().__init__()
        self.router, self.always, self.gate = _line(_WIDTH, 4), Gated(), nn.Linear(_WIDTH, 1)
        self.up, self.down = (nn.Parameter(torch.empty(4, *s)) for s in ((_WIDTH, 64), (64, _WIDTH)))
        for weight in (self.up, self.down):
            nn.init.normal_(weight, std=0.02)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)
        self.register_buffer("balance", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        scores = self.router(x).sigmoid()
        chosen = (scores + self.balance).topk(2, -1).indices
        share = scores * torch.zeros_like(scores).scatter(-1, chosen, 1.0)
        each = torch.einsum("btef,efd->bted", torch.einsum("btd,edf->btef", x, self.up).relu(), self.down)
        return (each * share[..., None]).sum(2) + self.gate(x).sigmoid() * self.always(x)


@_model()
def shared_expert_behind_a_zero_gate() -> nn.Module:
    return Decoder([Block(Plain(), Shared()) for _ in range(_BLOCKS)])


class StateSpace(nn.Module):
    """Mamba: every channel starts with the decays 1 to 8, and with a step between 0.001 and 0.1."""

    def __init__(self, first: int = 1) -> None:
        super().__init__()
        self.wide, self.steps, self.back = _line(_WIDTH, 2 * _WIDTH), _line(_WIDTH, _WIDTH), _line(_WIDTH, _WIDTH)
        self.local = nn.Conv1d(_WIDTH, _WIDTH, 4, groups=_WIDTH, padding=3)
        self.out = _line(_WIDTH, 16)
        self.A_log = nn.Parameter(torch.arange(first, first + 8).float().log().repeat(_WIDTH, 1))
        self.D = nn.Parameter(torch.ones(_WIDTH))
        step = torch.exp(torch.rand(_WIDTH) * math.log(100) + math.log(0.001))
        self.dt_bias = nn.Parameter(step + torch.log(-torch.expm1(-step)))
        self.dt_bias._no_reinit = True  # type: ignore[attr-defined]

    def forward(self, x: Tensor) -> Tensor:
        given, gate = self.wide(x).chunk(2, -1)
        given = functional.silu(self.local(given.transpose(1, 2))[..., : x.shape[1]].transpose(1, 2))
        step = functional.softplus(self.steps(given) + self.dt_bias)
        into, read = self.out(given).chunk(2, -1)
        state, made = given.new_zeros(len(x), _WIDTH, 8), []
        for t in range(x.shape[1]):
            decay = torch.exp(-step[:, t, :, None] * self.A_log.exp())
            state = decay * state + (step * given)[:, t, :, None] * into[:, t, None]
            made.append((state * read[:, t, None]).sum(-1))
        return self.back((torch.stack(made, 1) + self.D * given) * functional.silu(gate))


@_model()
def state_space_with_its_steps() -> nn.Module:
    return Decoder([Block(StateSpace(), Gated()) for _ in range(4)])


@_model("no-value-is-absurd")
def decays_from_the_log_of_zero() -> nn.Module:
    """arange(8) for arange(1, 9): the first decay of every channel is exp(log 0)."""
    return Decoder([Block(StateSpace(0), Gated()) for _ in range(4)])


@_model("nothing-special-is-lost")
def steps_drawn_over() -> nn.Module:
    """The general rule for vectors comes last, and zeroes the steps that their author marked."""
    model = Decoder([Block(StateSpace(), Gated()) for _ in range(4)])
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
    return model


class Enlarged(nn.Module):
    """A stem of convolutions, and pixels shuffled from channels that start as copies in fours (ICNR)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 24, 3, padding=1), nn.GELU(), nn.Conv2d(24, 24, 3, padding=1))
        self.spread, self.shuffle = nn.Conv2d(24, 48, 3, padding=1), nn.PixelShuffle(2)
        self.last = nn.Conv2d(12, 3, 3, padding=1)
        with torch.no_grad():
            one = nn.init.kaiming_normal_(torch.empty(12, 24, 3, 3))
            self.spread.weight.copy_(one.repeat_interleave(4, 0))
            self.spread.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.shuffle(self.spread(self.stem(x))).tanh())


@_model()
def pixels_shuffled_from_copies() -> nn.Module:
    return Enlarged()


class Bottleneck(nn.Module):
    """Three convolutions, each batch-normalized, beside the stream; a ReLU behind the sum."""

    def __init__(self) -> None:
        super().__init__()
        sizes = ((64, 16, 1), (16, 16, 3), (16, 64, 1))
        convs = [nn.Conv2d(i, o, k, padding=k // 2, bias=False) for i, o, k in sizes]
        for conv in convs:
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        norms = [nn.BatchNorm2d(o) for _, o, _ in sizes]
        self.branch = nn.Sequential(
            convs[0], norms[0], nn.ReLU(), convs[1], norms[1], nn.ReLU(), convs[2], norms[2]
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return (x + self.branch(x)).relu()


@_model()
def bottlenecks() -> nn.Module:
    """A gradient that grows by 5 to 9 over the second half, as a power of the depth: added once that was seen."""
    stem = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
    ends = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(stem, nn.Sequential(*(Bottleneck() for _ in range(12))), *ends)


class Multiplied(Decoder):
    """Its rule draws nothing: it multiplies what torch drew, each time that it is called."""

    def __init__(self) -> None:
        super().__init__([Block(Plain(), Gated()) for _ in range(_BLOCKS)])
        self.init_weights()

    def init_weights(self) -> None:
        for layer in self.layers:
            for line in (layer.mix.out, layer.feed.down):
                line.weight.data.mul_(1 / math.sqrt(2 * _BLOCKS))


@_model("rebuilds-the-same")
def multiplied_at_every_call() -> nn.Module:
    return Multiplied()


@_model("starts-at-chance")
def tied_to_a_table_of_ones() -> nn.Module:
    """The table has std 1, as where its rows are divided by sqrt(d) behind a tie; here nothing divides."""
    model = Decoder([Block(Plain(), Gated()) for _ in range(_BLOCKS)])
    nn.init.normal_(model.embed.weight)
    model.lm_head.weight = model.embed.weight
    return model


if __name__ == "__main__":
    sys.exit(recent_models.main(sys.argv[1:] or [name for name in recent_models.MODELS if name not in _OTHERS]))
