"""Layers with something between input and matrix: verdicts and measured second moments beside the true ones.

``python tests/long/layers/responses_beside_truth.py`` prints the table; with names of layers behind it, these rows.
The truth is simulated with the layer's own formula, here and by nothing of initcheck: fresh layers, fresh inputs, the
mean square of the pre-activation.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import torch
from torch import nn

import initcheck
from initcheck.contract.profile import PROFILES
from initcheck.draws.streams import SCREEN
from initcheck.layers.recognition import layer_initializer

CLAIM = "output-variance-near-one"
WIDTH, LAYERS, ROWS = 64, 400, 64


class Siren(nn.Module):
    """sin(omega W x) of W uniform on +-sqrt(6 / d) / omega; the input is such a sine."""

    omega, divided = 20.0, 1.0

    def __init__(self, in_features, out_features):
        super().__init__()
        bound = math.sqrt(6 / in_features) / self.omega**self.divided
        self.weight = nn.Parameter(torch.empty(out_features, in_features).uniform_(-bound, bound))

    def pre(self, x):
        return self.omega * nn.functional.linear(x, self.weight)

    def forward(self, x):
        return torch.sin(self.pre(x))


class SirenNotDivided(Siren):
    divided = 0.0


class SirenDividedTwice(Siren):
    divided = 2.0


class Phm(nn.Module):
    """W = sum of A_i x S_i, n Kronecker products: right where n var(A) var(S) d = 1."""

    n, of_own_fan = 2, False

    def __init__(self, in_features, out_features):
        super().__init__()
        n = self.n
        std = math.sqrt((n if self.of_own_fan else 1) / in_features)
        self.rule = nn.Parameter(torch.randn(n, n, n) / math.sqrt(n))
        self.block = nn.Parameter(torch.randn(n, out_features // n, in_features // n) * std)

    def pre(self, x):
        full = torch.einsum("iab,ico->acbo", self.rule, self.block)
        return nn.functional.linear(x, full.reshape(self.n * self.block.shape[1], -1))

    forward = pre


class PhmOfItsOwnFan(Phm):
    of_own_fan = True


class Kan(nn.Module):
    """Eight Gaussian bumps of every input, each with a coefficient: right where var(c) d sum E bump^2 = 1."""

    bumps, counts_bumps = 8, True

    def __init__(self, in_features, out_features):
        super().__init__()
        self.register_buffer("grid", torch.linspace(-2, 2, self.bumps))
        energy = float(self.basis(torch.randn(20_000, 1)).square().mean(0).sum()) if self.counts_bumps else 1.0
        self.weight = nn.Parameter(
            torch.randn(out_features, in_features * self.bumps) / math.sqrt(in_features * energy)
        )

    def basis(self, x):
        return torch.exp(-(((x[..., None] - self.grid) / 0.6) ** 2)).flatten(-2)

    def pre(self, x):
        return nn.functional.linear(self.basis(x), self.weight)

    forward = pre


class KanThatForgetsItsBumps(Kan):
    counts_bumps = False


class Equalised(nn.Module):
    """Weights of variance one, times sqrt(1 / d) at run time."""

    power = 0.5

    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.scale = in_features**-self.power

    def pre(self, x):
        return nn.functional.linear(x, self.weight * self.scale)

    forward = pre


class EqualisedTwice(Equalised):
    power = 1.0


class NotEqualised(Equalised):
    power = 0.0


RIGHT = (Siren, Phm, Kan, Equalised)
WRONG = (SirenNotDivided, SirenDividedTwice, PhmOfItsOwnFan, KanThatForgetsItsBumps, EqualisedTwice, NotEqualised)


@dataclass(frozen=True)
class Row:
    """One layer: the true second moment of its pre-activation, the measured one, and the verdict."""

    layer: str
    true: float
    measured: float
    verdict: str


def fed(cls: type) -> Callable[[torch.Tensor], torch.Tensor]:
    """What comes in: of SIREN a sine that has gone through many periods, of the others a normal number."""
    return (lambda z: torch.sin(30 * z)) if issubclass(cls, Siren) else (lambda z: z)


def true_second_moment(cls: type) -> float:
    torch.manual_seed(1)
    with torch.no_grad():
        squares = [
            cls(WIDTH, WIDTH).pre(fed(cls)(torch.randn(ROWS, WIDTH))).square().mean().item() for _ in range(LAYERS)
        ]
    return sum(squares) / len(squares)


def measured_second_moment(cls: type) -> float:
    initializer = layer_initializer(cls, cls.__name__, {})
    assert initializer is not None
    assert initializer.subject is not None
    subject = initializer.subject(initializer, PROFILES["quick"], 0)
    structure = subject.structure
    wholes = [w for w in structure.wholes if (w.size.inputs, w.size.outputs) == (WIDTH, WIDTH)]
    [asked] = wholes or [p for p in structure.parts if (p.size.inputs, p.size.outputs) == (WIDTH, WIDTH)]
    drawn = subject.draws.records(asked, "float32", SCREEN, 48)
    return float(subject.output_second_moment(asked).per_call(drawn).mean())


def rows(names: Collection[str] = ()) -> Iterator[Row]:
    for cls in (*RIGHT, *WRONG):
        if names and cls.__name__ not in names:
            continue
        report = initcheck.check(cls, claims=[CLAIM], profile="quick")
        [result] = [r for r in report.results if r.claim == CLAIM]
        yield Row(cls.__name__, true_second_moment(cls), measured_second_moment(cls), result.verdict.value)


def main() -> None:
    print(f"{'layer':<26}{'true E y^2':>12}{'measured':>12}  {CLAIM}")
    for row in rows(sys.argv[1:]):
        print(f"{row.layer:<26}{row.true:>12.4g}{row.measured:>12.4g}  {row.verdict}", flush=True)


if __name__ == "__main__":
    main()
