"""Mistakes of the mean: weights, or single positions, that are not around zero."""

from __future__ import annotations

import math

import numpy as np

from initcheck.gallery.sampling import DEPTH, LINEAR, RELU, Array, Rng, Shape, fan_in, normal
from initcheck.gallery.specimen import mistake

__all__ = [
    "absolute_value", "checkerboard", "fixed_pattern_plus_noise", "identity_plus_noise", "offset",
    "one_sided_uniform", "rounded_down", "sorted_rows",
]  # fmt: skip


@mistake(contract=RELU, fails=("zero-mean", "output-variance-near-one", *DEPTH))
def one_sided_uniform(shape: Shape, rng: Rng) -> Array:
    """random() * bound instead of uniform(-bound, bound): the inputs push one way and add up."""
    return rng.random(shape, dtype=np.float32) * np.float32(math.sqrt(6 / fan_in(shape)))


@mistake(contract=RELU, fails=("zero-mean", "output-variance-near-one", *DEPTH))
def absolute_value(shape: Shape, rng: Rng) -> Array:
    """The second moment of He's weights, all of them made positive."""
    return np.asarray(np.abs(normal(shape, rng, math.sqrt(2 / fan_in(shape)))))


@mistake(contract=RELU, fails=("zero-mean", "output-variance-near-one", *DEPTH))
def offset(shape: Shape, rng: Rng) -> Array:
    """A tenth of a standard deviation is added: small for one weight, not for a sum of a thousand."""
    std = math.sqrt(2 / fan_in(shape))
    return normal(shape, rng, std) + np.float32(0.1 * std)


@mistake(contract=LINEAR, fails=("zero-mean",), may_fail=("units-differ",))
def rounded_down(shape: Shape, rng: Rng) -> Array:
    """Put on a grid by floor, not by rounding: the mean is half a step low, and narrow units tie."""
    step = np.float32(math.sqrt(1 / fan_in(shape)) / 16)
    return np.asarray(np.floor(normal(shape, rng, math.sqrt(1 / fan_in(shape))) / step) * step)


@mistake(
    contract=RELU,
    fails=("zero-mean", "entries-are-independent", *DEPTH),
    may_fail=("gradients-tell-units-apart",),
)
def sorted_rows(shape: Shape, rng: Rng) -> Array:
    """Each row is sorted: zero on average, far below in the first column, and all units nearly agree."""
    return np.sort(normal(shape, rng, math.sqrt(2 / fan_in(shape))), axis=1)


@mistake(contract=LINEAR, fails=("zero-mean", *DEPTH), may_fail=("entries-are-independent",))
def checkerboard(shape: Shape, rng: Rng) -> Array:
    """Signs alternate by position: zero on average, and no position is."""
    sign = 1 - 2 * (np.indices(shape).sum(axis=0) % 2)
    return np.asarray(np.abs(normal(shape, rng, math.sqrt(1 / fan_in(shape)))) * sign.astype(np.float32))


@mistake(contract=LINEAR, fails=("zero-mean",), may_fail=("entries-are-independent",))
def identity_plus_noise(shape: Shape, rng: Rng) -> Array:
    """Half of the output's variance comes from one fixed input: a position whose mean is not zero."""
    w = normal(shape, rng, math.sqrt(0.5 / fan_in(shape)))
    units = np.arange(shape[0])
    w[units, units % shape[1]] += np.float32(math.sqrt(0.5))
    return w


@mistake(contract=LINEAR, fails=("zero-mean",), may_fail=("entries-are-independent",))
def fixed_pattern_plus_noise(shape: Shape, rng: Rng) -> Array:
    """Half of the variance is a pattern of signs from a fixed seed, which all networks share."""
    signs = np.random.default_rng(0).integers(0, 2, shape).astype(np.float32) * 2 - 1
    std = math.sqrt(0.5 / fan_in(shape))
    return normal(shape, rng, std) + np.float32(std) * signs
