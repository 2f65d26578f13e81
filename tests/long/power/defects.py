"""A generator of broken initializers: a kind of defect, a size, and the law of the weights it is put into."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from laws_of_weights import LAWS, Law, Weights

from initcheck.contract.contract import Contract

Rng = np.random.Generator
Initializer = Callable[[tuple[int, ...], Rng], Any]
Make = Callable[[Law, Any], Initializer]

LINEAR = Contract(activation="linear", fan="fan_in", layout="out_in")
OIHW = Contract(activation="linear", fan="fan_in", layout="oihw")
ORTHOGONAL = Contract(
    activation="linear", fan="fan_max", layout="out_in", distribution="orthogonal", entries="dependent"
)
SOUND = "none"


@dataclass(frozen=True)
class Kind:
    """One way to be wrong.

    Attributes:
        says: the defect with a replacement field for its size, as ``initcheck explain`` prints it.
        make: of a law of variance 1 and a size makes the initializer.
        sizes: mildest first, where they have an order.
        laws: which laws it makes sense in; every one of independent weights where nothing is said.
        contract: what the broken initializer promises.
        ordered: whether a later size is a graver defect.
    """

    says: str
    make: Make
    sizes: tuple[Any, ...]
    laws: tuple[str, ...] = tuple(name for name in LAWS if name != "orthogonal")
    contract: Contract = LINEAR
    ordered: bool = True


@dataclass(frozen=True)
class Defect:
    """A kind of defect of one size in one law."""

    kind: str
    size: Any
    law: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.size}-{self.law}"

    @property
    def contract(self) -> Contract:
        return ORTHOGONAL if self.law == "orthogonal" else KINDS[self.kind].contract

    @property
    def initializer(self) -> Initializer:
        return KINDS[self.kind].make(LAWS[self.law], self.size)


def scaled(law: Law, shape: tuple[int, ...], rng: Rng) -> Weights:
    """Sound weights: second moment 1/fan_in, or 1 over the larger side of an orthogonal matrix."""
    fan = max(shape) if law is LAWS["orthogonal"] else math.prod(shape[1:])
    return law(rng, shape) / math.sqrt(fan)


def of(change: Callable[[Weights, Any, Rng], Weights]) -> Make:
    """Sound weights of a law, then changed."""

    def make(law: Law, size: Any) -> Initializer:
        def init(shape: tuple[int, ...], rng: Rng) -> Any:
            return change(scaled(law, shape, rng), size, rng).astype(np.float32)

        return init

    return make


def by_fan(fan: Callable[[tuple[int, ...], Any], float]) -> Make:
    """Weights of variance 1/fan, for a fan worked out wrongly."""

    def make(law: Law, size: Any) -> Initializer:
        def init(shape: tuple[int, ...], rng: Rng) -> Any:
            return (law(rng, shape) / math.sqrt(fan(shape, size))).astype(np.float32)

        return init

    return make


def unit(w: Weights) -> float:
    """One standard deviation of sound weights of this shape."""
    return 1 / math.sqrt(math.prod(w.shape[1:]))


def copied(w: Weights, share: Any, rng: Rng) -> Weights:
    units = len(w)
    copies = 1 if share == "one pair" else round(share * units)
    if units > 1:
        w[units - max(1, copies) :] = w[: max(1, copies)]
    return w


def opposite(w: Weights, share: float, rng: Rng) -> Weights:
    copies = round(share * len(w))
    if copies:
        w[len(w) - copies :] = -w[:copies]
    return w


def correlated(w: Weights, rho: float, rng: Rng) -> Weights:
    """An autoregression along every row: neighbours correlated by rho, the variance kept."""
    for column in range(1, w.shape[1]):
        w[:, column] = rho * w[:, column - 1] + math.sqrt(1 - rho * rho) * w[:, column]
    return w


def one_sign(w: Weights, share: float, rng: Rng) -> Weights:
    return np.where(rng.random(w.shape) < share, np.abs(w), w)


def sorted_rows(w: Weights, share: float, rng: Rng) -> Weights:
    rows = rng.random(len(w)) < share
    w[rows] = np.sort(w[rows], axis=1)
    return w


def outliers(w: Weights, rate: float, rng: Rng) -> Weights:
    """Outliers so large that the second moment doubles."""
    return w + (rng.random(w.shape) < rate) * rng.choice([-1.0, 1.0], w.shape) * unit(w) / math.sqrt(rate)


def low_rank(law: Law, share: float) -> Initializer:
    def init(shape: tuple[int, ...], rng: Rng) -> Any:
        rank = max(1, round(share * min(shape)))
        thin = law(rng, (shape[0], rank)) @ law(rng, (rank, shape[1]))
        return (thin / math.sqrt(rank * shape[1])).astype(np.float32)

    return init


def stale(law: Law, share: float) -> Initializer:
    """Give the last result of this shape again, with some probability."""
    kept: dict[tuple[int, ...], Any] = {}

    def init(shape: tuple[int, ...], rng: Rng) -> Any:
        if not (shape in kept and rng.random() < share):
            kept[shape] = scaled(law, shape, rng).astype(np.float32)
        return kept[shape].copy()

    return init


def few_seeds(law: Law, seeds: int) -> Initializer:
    def init(shape: tuple[int, ...], rng: Rng) -> Any:
        return scaled(law, shape, np.random.default_rng(int(rng.integers(seeds)))).astype(np.float32)

    return init


def dtype(law: Law, name: str) -> Initializer:
    def init(shape: tuple[int, ...], rng: Rng) -> Any:
        return scaled(law, shape, rng).astype(name)

    return init


def kernel(shape: tuple[int, ...]) -> int:
    return math.prod(shape[2:])


_FANS: dict[str, Callable[[tuple[int, ...]], float]] = {
    "fan_avg": lambda s: sum(s) / 2,
    "larger side": lambda s: max(s),
    "fan_out": lambda s: s[0],
    "all weights": lambda s: math.prod(s),
}
_KERNEL_FANS: dict[str, Callable[[tuple[int, ...]], float]] = {
    "fan_avg": lambda s: (s[0] + s[1]) / 2 * kernel(s),
    "fan_out": lambda s: s[0] * kernel(s),
    "channels alone": lambda s: s[1],
    "positions alone": kernel,
    "axes of hwio": lambda s: math.prod(s[:-1]),
}

_EVERY = tuple(LAWS)
_SCALES = ("normal", "rademacher", "t5")
_SMOOTH = ("normal", "uniform", "truncated", "t5", "laplace")

KINDS: dict[str, Kind] = {
    SOUND: Kind("no defect", of(lambda w, _, rng: w), (None,), _EVERY),
    "variance above": Kind(
        "a second moment {:.3g} times the ideal", of(lambda w, f, rng: w * math.sqrt(f)),
        (1.3, 1.4, 1.5, 2.0, 10.0, 100.0), _EVERY,
    ),
    "variance below": Kind(
        "a second moment of the ideal divided by {:.3g}", of(lambda w, f, rng: w / math.sqrt(f)),
        (1.3, 1.4, 1.5, 2.0, 10.0, 100.0), _EVERY,
    ),
    "mean": Kind(
        "a mean of {:.3g} standard deviations", of(lambda w, m, rng: w + m * unit(w)),
        (0.001, 0.01, 0.03, 0.1, 0.3, 1.0),
    ),
    "fan of a matrix": Kind(
        "a matrix with {} in the place of fan_in", by_fan(lambda s, name: _FANS[name](s)), tuple(_FANS), _SCALES,
        ordered=False,
    ),
    "fan of a kernel": Kind(
        "a kernel with {} in the place of fan_in", by_fan(lambda s, name: _KERNEL_FANS[name](s)),
        tuple(_KERNEL_FANS), _SCALES, OIHW, ordered=False,
    ),
    "copied units": Kind("{:.0%} of the units copies of others", of(copied), ("one pair", 0.1, 0.5)),
    "opposite units": Kind("{:.0%} of the units others with the sign changed", of(opposite), (0.02, 0.1, 0.5)),
    "correlation": Kind(
        "neighbours in a row correlated by {:.3g}", of(correlated), (0.02, 0.05, 0.1, 0.2, 0.5, 0.9, 1.0)
    ),
    "one sign": Kind("{:.0%} of the weights made positive", of(one_sign), (0.01, 0.1, 1.0)),
    "sorted": Kind("{:.0%} of the rows sorted", of(sorted_rows), (0.01, 0.1, 1.0), (*_SMOOTH, "sparse")),
    "low rank": Kind("a rank of {:.3g} times the smaller side", low_rank, (0.5, 0.25, 0.05, 0.001)),
    "stale calls": Kind("{:.0%} of the calls the last result again", stale, (0.01, 0.05, 0.2, 1.0), _EVERY),
    "few seeds": Kind("{:,} different results a shape", few_seeds, (65_536, 4_096, 256, 16, 2, 1), _EVERY),
    "outliers": Kind(
        "outliers at a rate of {:.0e} that double the second moment", of(outliers), (1e-6, 1e-5, 1e-4, 1e-3)
    ),
    "rounded down": Kind(
        "weights rounded down to steps of {:.3g} standard deviations",
        of(lambda w, step, rng: np.floor(w / (step * unit(w))) * step * unit(w)),
        (1 / 256, 1 / 64, 1 / 16, 1 / 4, 1.0), _SMOOTH,
    ),
    "dtype": Kind(
        "{} where float32 was asked for", dtype, ("float64", "float16"), ("normal", "rademacher"),
        ordered=False,
    ),
    "one width": Kind(
        "four times the second moment at fan_in {} alone",
        of(lambda w, width, rng: w * (2.0 if w.shape[1] == width else 1.0)), (100, 257, 255, 17, 3, 1), _SCALES,
        ordered=False,
    ),
    "odd widths": Kind(
        "a second moment {:.3g} times the ideal at odd fan_in",
        of(lambda w, f, rng: w * (math.sqrt(f) if w.shape[1] % 2 else 1.0)), (1.3, 1.5, 4.0), _SCALES,
    ),
}  # fmt: skip

# What a kind must be found by, whatever else finds it: the claim whose sentence it contradicts.
RIGHT_CLAIM = {
    "variance above": "output-variance-near-one",
    "variance below": "output-variance-near-one",
    "mean": "zero-mean",
    "fan of a matrix": "output-variance-near-one",
    "fan of a kernel": "output-variance-near-one",
    "copied units": "units-differ",
    "opposite units": "entries-are-independent",
    "correlation": "entries-are-independent",
    "one sign": "zero-mean",
    "sorted": "entries-are-independent",
    "low rank": "entries-are-independent",
    "stale calls": "calls-are-independent",
    "few seeds": "calls-are-independent",
    "outliers": "output-variance-near-one",
    "rounded down": "zero-mean",
    "dtype": "returns-the-dtype-asked",
    "one width": "output-variance-near-one",
    "odd widths": "output-variance-near-one",
}

# Measured in many runs: 60 that all find it show that 95 of 100 do, and 300 that 99 do, at confidence 95 %.
OFTEN = tuple(
    Defect(kind, size, "normal")
    for kind, size in (
        ("variance above", 1.5),
        ("variance below", 1.5),
        ("mean", 0.01),
        ("copied units", "one pair"),
        ("correlation", 0.05),
        ("outliers", 1e-4),
        ("rounded down", 1 / 64),
    )
)


def every() -> Iterator[Defect]:
    """All kinds, laws and sizes."""
    for kind, about in KINDS.items():
        for law in about.laws:
            for size in about.sizes:
                yield Defect(kind, size, law)
