"""Mistakes of symmetry and dependence: units that start equal, and entries that tell of one another."""

from __future__ import annotations

import math

import numpy as np

from initcheck.gallery.sampling import DEPTH, LINEAR, RELU, SCALE, Array, Rng, Shape, fan_in, normal
from initcheck.gallery.specimen import mistake

__all__ = [
    "antisymmetric_units", "autocorrelated_rows", "constant", "dead_units", "duplicated_columns",
    "duplicated_rows", "every_row_equal", "low_rank", "one_scale_per_call", "one_scale_per_row", "ones",
    "symmetric", "zeros",
]  # fmt: skip

EQUAL_FOR_EVER = ("units-differ", "gradients-tell-units-apart", "calls-are-independent")


@mistake(
    contract=RELU,
    fails=EQUAL_FOR_EVER,
    may_fail=(*SCALE, "variance-follows-one-law", *DEPTH),
    source="'Pitfall: all zero initialization', cs231n course notes",
)
def zeros(shape: Shape, rng: Rng) -> Array:
    """All units compute the same and no gradient reaches any weight but the last bias."""
    return np.zeros(shape, dtype=np.float32)


@mistake(
    contract=RELU,
    fails=EQUAL_FOR_EVER,
    may_fail=("zero-mean", *SCALE, "variance-follows-one-law", *DEPTH),
)
def ones(shape: Shape, rng: Rng) -> Array:
    """All units get one gradient and stay one unit for ever; the signal grows with the width squared."""
    return np.ones(shape, dtype=np.float32)


@mistake(
    contract=RELU,
    fails=EQUAL_FOR_EVER,
    may_fail=("zero-mean", "output-variance-near-one", "variance-follows-one-law", *DEPTH),
)
def constant(shape: Shape, rng: Rng) -> Array:
    """The right size without randomness: sqrt(2/fan_in) everywhere keeps all units equal."""
    return np.full(shape, math.sqrt(2 / fan_in(shape)), dtype=np.float32)


@mistake(contract=RELU, fails=("units-differ",), may_fail=("entries-are-independent",))
def duplicated_rows(shape: Shape, rng: Rng) -> Array:
    """The lower half of the units is a copy of the upper half: half of the layer is spent on nothing."""
    half = normal((-(-shape[0] // 2), *shape[1:]), rng, math.sqrt(2 / fan_in(shape)))
    return np.concatenate([half, half])[: shape[0]]


@mistake(
    contract=RELU,
    fails=("units-differ", *DEPTH),
    may_fail=("entries-are-independent", "gradients-tell-units-apart"),
)
def every_row_equal(shape: Shape, rng: Rng) -> Array:
    """One random row is broadcast to all units: the layer is one unit, and dies whenever that unit does."""
    return np.tile(normal((1, *shape[1:]), rng, math.sqrt(2 / fan_in(shape))), (shape[0], 1))


@mistake(
    contract=RELU,
    fails=("units-differ",),
    may_fail=("entries-are-independent", "gradients-tell-units-apart"),
)
def dead_units(shape: Shape, rng: Rng) -> Array:
    """Every 32nd unit starts at zero, for which ReLU has no gradient."""
    w = normal(shape, rng, math.sqrt(2 / fan_in(shape)))
    w[31::32] = 0
    return w


@mistake(
    contract=RELU,
    fails=("entries-are-independent", "output-variance-near-one", "signal-survives-depth"),
    may_fail=("gradient-survives-depth", "gradients-tell-units-apart"),
)
def duplicated_columns(shape: Shape, rng: Rng) -> Array:
    """Inputs come in pairs of equal weight; the mean of what ReLU lets through then adds up, in pairs."""
    half = normal((shape[0], -(-shape[1] // 2)), rng, math.sqrt(2 / fan_in(shape)))
    return np.concatenate([half, half], axis=1)[:, : shape[1]]


@mistake(contract=RELU, fails=("entries-are-independent",))
def antisymmetric_units(shape: Shape, rng: Rng) -> Array:
    """Half of the units is minus the other half: different units, but half as many directions."""
    half = normal((-(-shape[0] // 2), *shape[1:]), rng, math.sqrt(2 / fan_in(shape)))
    return np.concatenate([half, -half])[: shape[0]]


@mistake(contract=LINEAR, fails=("entries-are-independent",))
def symmetric(shape: Shape, rng: Rng) -> Array:
    """The leading square equals its transpose: half of its numbers are repeats."""
    w = normal(shape, rng, math.sqrt(1 / fan_in(shape)))
    n = min(shape)
    w[:n, :n] = np.triu(w[:n, :n]) + np.triu(w[:n, :n], 1).T
    return w


@mistake(contract=LINEAR, fails=("entries-are-independent",))
def autocorrelated_rows(shape: Shape, rng: Rng) -> Array:
    """Each weight is 0.9 of its left neighbour plus noise: the right variance, a tenth of the information."""
    w = normal(shape, rng, math.sqrt(1 / fan_in(shape)))
    for column in range(1, shape[1]):
        w[:, column] = 0.9 * w[:, column - 1] + math.sqrt(1 - 0.9**2) * w[:, column]
    return w


@mistake(contract=LINEAR, fails=("entries-are-independent", *DEPTH))
def low_rank(shape: Shape, rng: Rng) -> Array:
    """A product of two thin matrices: right variance, but the signal is squeezed through two numbers."""
    left = normal((shape[0], 2), rng, math.sqrt(1 / 2))
    return left @ normal((2, shape[1]), rng, math.sqrt(1 / fan_in(shape)))


@mistake(contract=LINEAR, fails=("entries-are-independent",))
def one_scale_per_row(shape: Shape, rng: Rng) -> Array:
    """Every unit has a random scale of its own: right on average, yet some shout and others whisper."""
    scale = np.sqrt(rng.exponential(1.0, (shape[0], 1))).astype(np.float32)
    return normal(shape, rng, math.sqrt(1 / fan_in(shape))) * scale


@mistake(contract=LINEAR, fails=DEPTH, may_fail=("entries-are-independent",))
def one_scale_per_call(shape: Shape, rng: Rng) -> Array:
    """Every layer has a random scale: right on average, while the typical product of twenty is not."""
    scale = math.sqrt(rng.exponential(1.0))
    return normal(shape, rng, scale * math.sqrt(1 / fan_in(shape)))
