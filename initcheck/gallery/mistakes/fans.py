"""Mistakes of the fan: a variance that depends on the wrong width, or on the right one in the wrong way."""

from __future__ import annotations

import math

import numpy as np

from initcheck.gallery.sampling import (
    CONVOLUTION,
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
)
from initcheck.gallery.specimen import mistake

__all__ = [
    "counts_the_bias", "depthwise_counts_channels", "fan_floor_division", "fan_from_hwio",
    "fan_in_one_byte", "fan_padded_to_eight", "fixed_std", "missing_square_root", "one_odd_width_wrong",
    "one_over_fan", "orthogonal_undeclared", "receptive_field_forgotten", "spectral_norm",
    "square_root_twice", "swapped_fans", "tutorial_normal",
]  # fmt: skip


@mistake(contract=RELU, fails=(*SCALE, *DEPTH), source="the common tutorial's 0.01 * randn; cs231n course notes")
def tutorial_normal(shape: Shape, rng: Rng) -> Array:
    """N(0, 0.01^2) at every width breaks the symmetry and loses a factor of 78 per layer of 256 units."""
    return normal(shape, rng, 0.01)


@mistake(contract=LINEAR, fails=(*SCALE, *DEPTH))
def fixed_std(shape: Shape, rng: Rng) -> Array:
    """N(0, 1) at every width: the variance of a sum of d terms is d."""
    return normal(shape, rng, 1.0)


@mistake(contract=RELU, fails=(*SCALE, *DEPTH))
def missing_square_root(shape: Shape, rng: Rng) -> Array:
    """The variance 2/fan_in is passed as the standard deviation."""
    return normal(shape, rng, 2 / fan_in(shape))


@mistake(contract=LINEAR, fails=(*SCALE, *DEPTH))
def one_over_fan(shape: Shape, rng: Rng) -> Array:
    """Divides by d where sqrt(d) is meant: a mean of inputs, whose variance vanishes as 1/d."""
    return normal(shape, rng, 1 / fan_in(shape))


@mistake(contract=RELU, fails=(*SCALE, *DEPTH))
def square_root_twice(shape: Shape, rng: Rng) -> Array:
    """The root is taken of the standard deviation again: the variance is sqrt(2/fan_in)."""
    return normal(shape, rng, (2 / fan_in(shape)) ** 0.25)


@mistake(contract=RELU, fails=("output-variance-near-one",))
def swapped_fans(shape: Shape, rng: Rng) -> Array:
    """Reads the fan from the output axis: right on squares, wrong by in/out on every other layer."""
    return normal(shape, rng, math.sqrt(2 / shape[0]))


@mistake(contract=RELU, fails=SCALE, may_fail=("variance-follows-one-law",))
def counts_the_bias(shape: Shape, rng: Rng) -> Array:
    """Counts the bias as an input: nothing at width 1000, half of the variance at width 1."""
    return normal(shape, rng, math.sqrt(2 / (fan_in(shape) + 1)))


@mistake(contract=RELU, fails=(*SCALE, "variance-follows-one-law"))
def fan_floor_division(shape: Shape, rng: Rng) -> Array:
    """1/(fan_in // 2) for 2/fan_in: equal at even widths, 1.5 times at width 3."""
    return normal(shape, rng, math.sqrt(1 / max(fan_in(shape) // 2, 1)))


@mistake(contract=RELU, fails=(*SCALE, "variance-follows-one-law"))
def fan_padded_to_eight(shape: Shape, rng: Rng) -> Array:
    """Takes the fan of the buffer, padded to a multiple of eight: an eighth of the variance at width 1."""
    return normal(shape, rng, math.sqrt(2 / (-(-fan_in(shape) // 8) * 8)))


@mistake(contract=RELU, fails=(*SCALE, *DEPTH, "variance-follows-one-law"))
def fan_in_one_byte(shape: Shape, rng: Rng) -> Array:
    """Keeps the fan in eight bits: 256 wraps to 0, is mended to 1, and the weights are 16 times too large."""
    fan = int(np.asarray(fan_in(shape)).astype(np.uint8))
    return normal(shape, rng, math.sqrt(2 / max(fan, 1)))


@mistake(
    contract=RELU,
    fails=("output-variance-near-one",),
    may_fail=("gradient-variance-near-one", "variance-follows-one-law"),
)
def one_odd_width_wrong(shape: Shape, rng: Rng) -> Array:
    """A forgotten special case: at 127 inputs, and nowhere else, the standard deviation is doubled."""
    return normal(shape, rng, math.sqrt(2 / fan_in(shape)) * (2 if fan_in(shape) == 127 else 1))


@mistake(
    contract=LINEAR,
    fails=(*SCALE, *DEPTH),
    may_fail=("variance-follows-one-law", "entries-are-independent"),
    source="Miyato et al. 2018 (arXiv 1802.05957), used as an initialization",
)
def spectral_norm(shape: Shape, rng: Rng) -> Array:
    """Divided by the largest singular value, sqrt(in) + sqrt(out): a quarter of the variance on squares."""
    w = rng.standard_normal(shape, dtype=np.float32)
    v: Array = np.ones(shape[1], dtype=np.float32)
    for _ in range(20):
        u = w @ v
        v = np.asarray(w.T @ (u / np.linalg.norm(u)))
    return np.asarray(w / np.linalg.norm(v))


@mistake(
    contract={**LINEAR, "entries": "independent"},
    fails=("output-variance-near-one",),
    may_fail=("entries-are-independent", "variance-follows-one-law"),
    source="Saxe, McClelland & Ganguli 2014 (arXiv 1312.6120)",
)
def orthogonal_undeclared(shape: Shape, rng: Rng) -> Array:
    """An orthogonal matrix cannot promise independent entries, nor unit variance where out > in."""
    q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    q *= np.sign(np.diag(r))
    return np.ascontiguousarray(q if shape[0] >= shape[1] else q.T, dtype=np.float32)


@mistake(contract=CONVOLUTION, fails=("output-variance-near-one",), may_fail=("gradient-variance-near-one", *DEPTH))
def receptive_field_forgotten(shape: Shape, rng: Rng) -> Array:
    """Counts the input channels and forgets the kernel's positions: nine times the variance at 3 x 3."""
    return normal(shape, rng, math.sqrt(2 / shape[1]))


@mistake(contract=CONVOLUTION, fails=("output-variance-near-one",), may_fail=("gradient-variance-near-one", *DEPTH))
def fan_from_hwio(shape: Shape, rng: Rng) -> Array:
    """Takes all axes but the last for inputs, as in (kh, kw, in, out), of weights (out, in, kh, kw)."""
    return normal(shape, rng, math.sqrt(2 / math.prod(shape[:-1])))


@mistake(
    contract={**CONVOLUTION, "groups": "depthwise"},
    fails=("output-variance-near-one",),
    may_fail=("gradient-variance-near-one", *DEPTH),
)
def depthwise_counts_channels(shape: Shape, rng: Rng) -> Array:
    """Counts all channels of a depthwise convolution, of which a unit sees one."""
    return normal(shape, rng, math.sqrt(2 / fan_out(shape)))
