"""What the gallery's initializers share: fans, float32 samples, and the contracts they are held to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Rng = np.random.Generator
Shape = tuple[int, ...]

LINEAR: dict[str, Any] = {"activation": "linear", "fan": "fan_in", "layout": "out_in"}
RELU: dict[str, Any] = {"activation": "relu", "fan": "fan_in", "layout": "out_in"}
CONVOLUTION: dict[str, Any] = {"activation": "relu", "fan": "fan_in", "layout": "oihw"}

SCALE = ("output-variance-near-one", "gradient-variance-near-one")
DEPTH = ("signal-survives-depth", "gradient-survives-depth")


def fan_in(shape: Shape) -> int:
    """Inputs of one unit, where the output axis comes first (``out_in``, ``oihw``).

    >>> fan_in((7, 5)), fan_in((32, 16, 3, 3))
    (5, 144)
    """
    return math.prod(shape[1:])


def fan_out(shape: Shape) -> int:
    """Outputs that one input reaches, where the output axis comes first.

    >>> fan_out((7, 5)), fan_out((32, 16, 3, 3))
    (7, 288)
    """
    return shape[0] * math.prod(shape[2:])


def normal(shape: Shape, rng: Rng, std: float) -> Array:
    """Sample N(0, std^2) in float32."""
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(std)


def uniform(shape: Shape, rng: Rng, bound: float) -> Array:
    """Sample uniformly on [-bound, bound), in float32: variance bound^2 / 3."""
    return (2 * rng.random(shape, dtype=np.float32) - 1) * np.float32(bound)
