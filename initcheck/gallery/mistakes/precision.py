"""Mistakes of precision: right in float32, wrong in the dtype that the network is trained in."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from initcheck.gallery.sampling import RELU, Array, Rng, Shape, fan_in, normal
from initcheck.gallery.specimen import mistake

__all__ = ["half_precision_from_seven_bits", "half_precision_overflows"]

TWO_DTYPES = {**RELU, "dtypes": ("float32", "float16")}


@mistake(
    contract=TWO_DTYPES,
    fails=("survives-its-precision",),
    source="jax.random.uniform in bfloat16, whose 128 levels have a mean of -0.0125 standard deviations",
)
def half_precision_from_seven_bits(shape: Shape, rng: Rng, dtype: npt.DTypeLike = np.float32) -> Array:
    """A 16-bit uniform made of 7 random bits: its levels are rounded down, so all are half a step too low."""
    levels = 2**7 if np.dtype(dtype).itemsize == 2 else 2**24
    w = rng.integers(0, levels, shape) / (levels / 2) - 1
    return (w * math.sqrt(6 / fan_in(shape))).astype(dtype)


@mistake(contract=TWO_DTYPES, fails=("survives-its-precision",))
def half_precision_overflows(shape: Shape, rng: Rng, dtype: npt.DTypeLike = np.float32) -> Array:
    """A detour through e^12 leaves the range of float16, which ends at 65,504: infinities come back."""
    far = math.exp(12.0)
    with np.errstate(over="ignore"):
        return ((normal(shape, rng, 1.0) * far).astype(dtype) * (math.sqrt(2 / fan_in(shape)) / far)).astype(dtype)
