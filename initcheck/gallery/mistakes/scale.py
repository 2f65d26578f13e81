"""Mistakes of the constant: a variance of the right form and the wrong size."""

from __future__ import annotations

import math

import numpy as np

from initcheck.gallery.sampling import (
    DEPTH,
    LINEAR,
    RELU,
    SCALE,
    Array,
    Rng,
    Shape,
    fan_in,
    fan_out,
    normal,
    uniform,
)
from initcheck.gallery.specimen import mistake

__all__ = [
    "cauchy", "cut_at_one_over_sqrt_fan", "gain_squared", "glorot_for_relu", "glorot_without_two",
    "laplace_scale_as_std", "lecun_for_relu", "loud_and_quiet_units", "rare_outliers", "selu_three_quarters",
    "sigmoid_gain_one", "sparse_uncorrected", "student_t", "truncated_uncorrected", "uniform_one_over_sqrt_fan",
]  # fmt: skip


@mistake(
    contract=LINEAR,
    fails=(*SCALE, *DEPTH),
    source="torch.nn.Linear.reset_parameters: kaiming_uniform_(a=sqrt(5))",
)
def uniform_one_over_sqrt_fan(shape: Shape, rng: Rng) -> Array:
    """A uniform on +-1/sqrt(fan_in) has variance 1/(3 fan_in): each layer loses two thirds."""
    return uniform(shape, rng, 1 / math.sqrt(fan_in(shape)))


@mistake(contract=LINEAR, fails=(*SCALE, *DEPTH), source="'normally distributed between -1/sqrt(d) and 1/sqrt(d)'")
def cut_at_one_over_sqrt_fan(shape: Shape, rng: Rng) -> Array:
    """N(0, 1/fan_in) cut at its own standard deviation keeps 0.291 of its variance."""
    w = rng.standard_normal(shape, dtype=np.float32)
    while (far := np.abs(w) > 1).any():
        w[far] = rng.standard_normal(int(far.sum()), dtype=np.float32)
    return w * np.float32(1 / math.sqrt(fan_in(shape)))


@mistake(contract=RELU, fails=("output-variance-near-one", *DEPTH), may_fail=("gradient-variance-near-one",))
def truncated_uncorrected(shape: Shape, rng: Rng) -> Array:
    """Cut at two sigma without dividing by 0.8796: 0.774 of the variance, 0.006 after twenty layers."""
    w = rng.standard_normal(shape, dtype=np.float32)
    while (far := np.abs(w) > 2).any():
        w[far] = rng.standard_normal(int(far.sum()), dtype=np.float32)
    return w * np.float32(math.sqrt(2 / fan_in(shape)))


@mistake(contract=LINEAR, fails=("every-unit-has-its-variance",), may_fail=DEPTH)
def loud_and_quiet_units(shape: Shape, rng: Rng) -> Array:
    """Every other unit has nine tenths of the energy that its neighbour lacks: right on average, and no unit is."""
    scale = np.where(np.arange(shape[0]) % 2, 0.1, 1.9)
    scale *= shape[0] / scale.sum()
    return normal(shape, rng, math.sqrt(1 / fan_in(shape))) * np.sqrt(scale, dtype=np.float32)[:, None]


@mistake(contract=RELU, fails=(*SCALE, *DEPTH), source="He et al. 2015, section 2.2: ReLU needs twice as much")
def lecun_for_relu(shape: Shape, rng: Rng) -> Array:
    """The gain of a linear layer before a ReLU that halves the second moment: half is lost in every layer."""
    return normal(shape, rng, math.sqrt(1 / fan_in(shape)))


@mistake(
    contract={**RELU, "fan": "fan_avg"},
    fails=(*SCALE, *DEPTH),
    source="Glorot & Bengio 2010 assume f'(0) = 1",
)
def glorot_for_relu(shape: Shape, rng: Rng) -> Array:
    """Glorot's law without ReLU's gain: right for tanh near zero, half of what ReLU needs."""
    return uniform(shape, rng, math.sqrt(6 / (fan_in(shape) + fan_out(shape))))


@mistake(contract={**LINEAR, "fan": "fan_avg"}, fails=(*SCALE, *DEPTH))
def glorot_without_two(shape: Shape, rng: Rng) -> Array:
    """1/(fan_in + fan_out): a sum of two fans is twice their mean, and the factor 2 is missing."""
    return normal(shape, rng, math.sqrt(1 / (fan_in(shape) + fan_out(shape))))


@mistake(contract=RELU, fails=(*SCALE, *DEPTH))
def gain_squared(shape: Shape, rng: Rng) -> Array:
    """The gain of a variance is used for a standard deviation: 2/sqrt(fan_in) has variance 4/fan_in."""
    return normal(shape, rng, 2 / math.sqrt(fan_in(shape)))


@mistake(
    contract={**LINEAR, "activation": "selu"},
    fails=(*SCALE, "signal-survives-depth"),
    may_fail=("gradient-survives-depth",),
    source="torch.nn.init.calculate_gain('selu') = 3/4",
)
def selu_three_quarters(shape: Shape, rng: Rng) -> Array:
    """SELU's own fixed point asks for gain 1; 3/4 gives 0.5625 of the variance."""
    return normal(shape, rng, 0.75 / math.sqrt(fan_in(shape)))


@mistake(
    contract={**LINEAR, "activation": "sigmoid"},
    fails=("output-variance-near-one",),
    source="torch.nn.init.calculate_gain('sigmoid') = 1",
)
def sigmoid_gain_one(shape: Shape, rng: Rng) -> Array:
    """The second moment behind a sigmoid is 0.293: unit variance needs the gain 1.846."""
    return normal(shape, rng, 1 / math.sqrt(fan_in(shape)))


@mistake(contract={**RELU, "widths": (64, 1024), "distribution": "sparse(0.25)"}, fails=(*SCALE, *DEPTH))
def sparse_uncorrected(shape: Shape, rng: Rng) -> Array:
    """Three quarters of He's weights are set to zero and nothing makes up for them."""
    return normal(shape, rng, math.sqrt(2 / fan_in(shape))) * (rng.random(shape, dtype=np.float32) < 0.25)


@mistake(contract=RELU, fails=(*SCALE, *DEPTH))
def laplace_scale_as_std(shape: Shape, rng: Rng) -> Array:
    """NumPy's ``scale`` of a Laplace law is not its standard deviation: the variance is twice its square."""
    return rng.laplace(0.0, math.sqrt(2 / fan_in(shape)), shape).astype(np.float32)


@mistake(contract=RELU, fails=(*SCALE, *DEPTH), may_fail=("variance-follows-one-law",))
def cauchy(shape: Shape, rng: Rng) -> Array:
    """A Cauchy law has no variance at all: a few weights are as large as all others together."""
    return (rng.standard_cauchy(shape) * math.sqrt(2 / fan_in(shape))).astype(np.float32)


@mistake(contract=RELU, fails=(*SCALE, *DEPTH), may_fail=("variance-follows-one-law",))
def student_t(shape: Shape, rng: Rng) -> Array:
    """Student's t with two degrees of freedom: its second moment grows with every number that is drawn."""
    return (rng.standard_t(2, shape) * math.sqrt(2 / fan_in(shape))).astype(np.float32)


@mistake(contract=RELU, fails=("output-variance-near-one", *DEPTH), may_fail=("gradient-variance-near-one",))
def rare_outliers(shape: Shape, rng: Rng) -> Array:
    """One weight in ten thousand is a hundred times too large and carries half of the variance."""
    w = normal(shape, rng, math.sqrt(2 / fan_in(shape)))
    return np.where(rng.random(shape, dtype=np.float32) < 1e-4, 100 * w, w)
