"""Mistakes in what any initializer owes: a finite result of the right kind for every shape, its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.gallery.sampling import DEPTH, RELU, SCALE, Array, Rng, Shape, fan_in, normal
from initcheck.gallery.specimen import mistake

__all__ = [
    "aliased_buffer", "always_float64", "infinite_at_width_one", "raises_at_odd_sizes",
    "raises_at_width_one", "rare_infinity", "returns_nothing", "silences_numpy_errors",
    "transposed_shape", "views_of_one_buffer",
]  # fmt: skip

_BUFFERS: dict[Shape, Array] = {}
_SCRATCH = np.empty(0, dtype=np.float32)


@mistake(contract=RELU, fails=("accepts-every-shape",))
def raises_at_odd_sizes(shape: Shape, rng: Rng) -> Array:
    """Normals come in pairs, as from Box and Muller, and an odd number of weights has no last pair."""
    pairs = normal((math.prod(shape) // 2, 2), rng, math.sqrt(2 / fan_in(shape)))
    return pairs.reshape(shape)


@mistake(
    contract=RELU,
    fails=("accepts-every-shape",),
    may_fail=(*SCALE, "variance-follows-one-law"),
)
def raises_at_width_one(shape: Shape, rng: Rng) -> Array:
    """Divides by fan_in - 1, as for a sample variance: ZeroDivisionError at 1, twice the variance at 2."""
    return normal(shape, rng, math.sqrt(2 / (fan_in(shape) - 1)))


@mistake(
    contract=RELU,
    fails=("finite",),
    may_fail=(*SCALE, "variance-follows-one-law", "units-differ", "zero-mean"),
)
def infinite_at_width_one(shape: Shape, rng: Rng) -> Array:
    """Divides by fan_in - 1 in NumPy's arithmetic, which answers infinity where Python would raise."""
    with np.errstate(divide="ignore"):
        std = np.sqrt(2 / np.float64(fan_in(shape) - 1))
    return normal(shape, rng, float(std))


@mistake(
    contract=RELU,
    fails=("finite",),
    may_fail=(*SCALE, *DEPTH, "variance-follows-one-law", "zero-mean"),
    source="Box & Muller 1958, with random() in place of 1 - random()",
)
def rare_infinity(shape: Shape, rng: Rng) -> Array:
    """The logarithm is taken of a uniform that is exactly 0 once in 4096 times."""
    with np.errstate(divide="ignore"):
        radius = np.sqrt(-2 * np.log(rng.integers(0, 4096, shape) / 4096))
    angle = 2 * math.pi * rng.random(shape)
    return np.asarray(radius * np.cos(angle) * math.sqrt(2 / fan_in(shape)), dtype=np.float32)


@mistake(contract=RELU, fails=("returns-the-dtype-asked",))
def always_float64(shape: Shape, rng: Rng, dtype: npt.DTypeLike = np.float32) -> npt.NDArray[np.float64]:
    """Takes a dtype and forgets it, so that one float64 layer makes the whole network float64."""
    return rng.normal(0.0, math.sqrt(2 / fan_in(shape)), shape)


@mistake(contract=RELU, fails=("returns-the-shape-asked",))
def transposed_shape(shape: Shape, rng: Rng) -> Array:
    """Written for x @ W and called for W @ x: the result has the axes the wrong way round."""
    return normal(shape[::-1], rng, math.sqrt(2 / fan_in(shape)))


@mistake(contract=RELU, fails=("returns-the-shape-asked",), may_fail=("returns-the-dtype-asked",))
def returns_nothing(shape: Shape, rng: Rng) -> Any:
    """The return statement is missing."""
    normal(shape, rng, math.sqrt(2 / fan_in(shape)))


@mistake(contract=RELU, fails=("owns-its-memory",), may_fail=("calls-are-independent",))
def aliased_buffer(shape: Shape, rng: Rng) -> Array:
    """One buffer a shape is kept and refilled: two layers of equal shape end with the same weights."""
    if len(_BUFFERS) > 16:
        _BUFFERS.clear()
    buffer = _BUFFERS.setdefault(shape, np.empty(shape, dtype=np.float32))
    buffer[...] = normal(shape, rng, math.sqrt(2 / fan_in(shape)))
    return buffer


@mistake(contract=RELU, fails=("owns-its-memory",), may_fail=("calls-are-independent",))
def views_of_one_buffer(shape: Shape, rng: Rng) -> Array:
    """Every result is a view of one scratch buffer: the next layer overwrites the last one's beginning."""
    global _SCRATCH
    n = math.prod(shape)
    if _SCRATCH.size < n:
        _SCRATCH = np.empty(n, dtype=np.float32)
    _SCRATCH[:n] = normal((n,), rng, math.sqrt(2 / fan_in(shape)))
    return _SCRATCH[:n].reshape(shape)


@mistake(contract=RELU, fails=("leaves-global-generators-alone",))
def silences_numpy_errors(shape: Shape, rng: Rng) -> Array:
    """Switches NumPy's floating-point warnings off for the whole program, and so hides the next NaN."""
    np.seterr(all="ignore")
    return normal(shape, rng, math.sqrt(2 / fan_in(shape)))
