"""Mistakes of the law: the scale that was promised, drawn from something else."""

from __future__ import annotations

import math

import numpy as np

from initcheck.gallery.sampling import DEPTH, LINEAR, RELU, Array, Rng, Shape, fan_in, normal, uniform
from initcheck.gallery.specimen import mistake

__all__ = ["signs_with_zeros", "truncation_that_never_cuts", "uniform_called_normal"]


@mistake(
    contract={"activation": "relu", "layout": "out_in", "std": 0.02, "distribution": "truncated_normal(2)"},
    fails=("follows-its-distribution",),
    may_fail=DEPTH,
    source="torch.nn.init.trunc_normal_, whose a = -2 and b = 2 are numbers, not standard deviations",
)
def truncation_that_never_cuts(shape: Shape, rng: Rng) -> Array:
    """Cut at +-2, which is 100 standard deviations of 0.02: one weight in 22 that should be cut is not."""
    return np.clip(normal(shape, rng, 0.02), -2, 2)


@mistake(contract={**LINEAR, "distribution": "normal"}, fails=("follows-its-distribution",))
def uniform_called_normal(shape: Shape, rng: Rng) -> Array:
    """The right variance from another law: no weight beyond 1.73 standard deviations, where a normal has 8 %."""
    return uniform(shape, rng, math.sqrt(3 / fan_in(shape)))


@mistake(contract={**RELU, "distribution": "rademacher"}, fails=("follows-its-distribution",))
def signs_with_zeros(shape: Shape, rng: Rng) -> Array:
    """np.sign of a rounded normal is zero now and then: a third magnitude beside the two signs that were promised."""
    draw = np.round(rng.standard_normal(shape) * 12)
    return (np.sign(draw) * math.sqrt(2 / fan_in(shape))).astype(np.float32)
