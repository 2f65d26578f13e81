"""Eighteen further laws, right and broken, with their truth: written before any of them was judged.

`truth_table.py` holds verdicts against it, as against that of `unusual_laws.py`, whose words these are.
"""

from __future__ import annotations

import math
import random

import numpy as np
import unusual_laws
from unusual_laws import (
    BACK,
    CALLS,
    ENTRIES,
    GLOBALS,
    GRADIENT,
    LAW,
    MEAN,
    OUTPUT,
    SEEDS,
    SIGNAL,
    TIED,
    TIES,
    UNIT,
    law,
    scaled,
)

_BEFORE = frozenset(unusual_laws.TRUTH)

# Right laws, but for where their numbers come from.


@law(SEEDS, GLOBALS)
def half_of_it_from_the_global_generator(shape, rng):
    """The generator that is handed over gives one half of the variance, the global one the other."""
    return scaled((rng.standard_normal(shape) + np.random.standard_normal(shape)) / math.sqrt(2.0), shape)


@law(SEEDS, GLOBALS)
def seeded_by_python_random(shape, rng):
    """The generator that is handed over is not used: the global one of Python seeds another."""
    return scaled(np.random.default_rng(random.getrandbits(60)).standard_normal(shape), shape)


@law(CALLS, GLOBALS, soft=(ENTRIES, MEAN, OUTPUT, GRADIENT, LAW, UNIT, SIGNAL, BACK, TIES, TIED))
def seeds_the_global_generator_itself(shape, rng):
    """Seeded inside: every call gives the same."""
    np.random.seed(123)
    return scaled(np.random.standard_normal(shape), shape)


# Right laws: tails and shapes.


@law()
def stretched_tails(shape, rng):
    """Density exp(-sqrt|x|): kurtosis 25."""
    return scaled(rng.gamma(2.0, 1.0, shape) ** 2 * rng.choice([-1.0, 1.0], shape) / math.sqrt(120.0), shape)


@law()
def never_near_zero(shape, rng):
    """Magnitudes between 0.8 and 1.2."""
    magnitude = rng.uniform(0.8, 1.2, shape) / math.sqrt(1 + 0.4**2 / 12)
    return scaled(magnitude * rng.choice([-1.0, 1.0], shape), shape)


@law()
def laplace_of_two_rates(shape, rng):
    """Skew, of mean 0: one side falls four times as fast as the other and is met four times as often."""
    right = rng.random(shape) < 0.2
    w = np.where(right, 4.0 * rng.exponential(1, shape), -rng.exponential(1, shape))
    return scaled(w / math.sqrt(0.2 * 32 + 0.8 * 2), shape)


@law()
def sum_of_twelve_uniforms(shape, rng):
    return scaled(sum(rng.random(shape) for _ in range(12)) - 6.0, shape)


@law()
def product_of_two_normals(shape, rng):
    """Kurtosis 9."""
    return scaled(rng.standard_normal(shape) * rng.standard_normal(shape), shape)


@law()
def tails_by_position(shape, rng):
    """Each row has a Student law of its own, of 3 to 12 degrees of freedom and variance 1."""
    freedom = (3.0 + np.arange(shape[0]) % 10).reshape(-1, *(1,) * (len(shape) - 1))
    return scaled(rng.standard_t(np.broadcast_to(freedom, shape)) * np.sqrt((freedom - 2) / freedom), shape)


# Broken ones.


@law(ENTRIES, soft=(TIES, TIED))
def rows_shuffle_one_row(shape, rng):
    """Every row holds the values of the first one in another order."""
    o, n = shape
    row = rng.standard_normal(n)
    return scaled(np.stack([rng.permutation(row) for _ in range(o)]), shape)


@law(ENTRIES)
def sign_of_the_neighbour(shape, rng):
    """Every second weight of a row has the sign of the one before it."""
    _, n = shape
    w = rng.standard_normal(shape)
    w[:, 1::2] = np.abs(w[:, 1::2]) * np.sign(w[:, 0 : n // 2 * 2 : 2])
    return scaled(w, shape)


@law(ENTRIES, soft=(CALLS, SIGNAL, BACK))
def seven_gains_by_the_seed(shape: tuple, seed: int):
    """One gain a call, the seed modulo 7 says which; the mean of their squares is 1.

    Soft since it was judged: gains of neighbouring seeds are neighbours too, and through 20 layers the typical energy
    comes near the edge of its band.
    """
    gains = np.sqrt(np.linspace(0.4, 1.6, 7))
    return scaled(gains[seed % 7] * np.random.default_rng(seed).standard_normal(shape), shape)


@law(MEAN, soft=(SIGNAL, BACK))
def off_centre_at_odd_fans(shape, rng):
    """A mean of a tenth of a standard deviation where the number of inputs is odd."""
    return scaled(rng.standard_normal(shape) + (0.1 if math.prod(shape[1:]) % 2 else 0.0), shape)


@law(OUTPUT, GRADIENT, LAW)
def eight_inputs_at_least(shape, rng):
    """Guarded against a division by zero, by much too much."""
    return np.asarray(rng.standard_normal(shape) / math.sqrt(max(8, math.prod(shape[1:]))), np.float32)


@law(OUTPUT, layout="oihw", soft=(GRADIENT, LAW, SIGNAL, BACK))
def kernel_forgotten(shape, rng):
    """The fan is the channels alone."""
    return np.asarray(rng.standard_normal(shape) / math.sqrt(shape[1]), np.float32)


@law(OUTPUT)
def fan_of_the_other_side(shape, rng):
    """Keeps gradients, promises outputs: the same on squares.

    Its variance was said to follow no law before it was judged: it follows 1/fan_out.
    """
    o, _ = shape
    return np.asarray(rng.standard_normal(shape) / math.sqrt(o), np.float32)


@law(TIES, soft=(ENTRIES, TIED))
def copies_beyond_512_units(shape, rng):
    """A block of 512 units is drawn and laid again and again.

    Soft since it was judged: the columns of the layer above are no copies, so that gradients tell its units apart.
    """
    o, n = shape
    block = rng.standard_normal((min(o, 512), n))
    return scaled(block[np.arange(o) % 512], shape)


@law(CALLS)
def first_row_of_two_seeds(shape: tuple, seed: int):
    """Seeds 2k and 2k + 1 share their first unit."""
    w = np.random.default_rng([1, seed]).standard_normal(shape)
    w[0] = np.random.default_rng([2, seed // 2]).standard_normal(shape[1:])
    return scaled(w, shape)


TRUTH = {name: says for name, says in unusual_laws.TRUTH.items() if name not in _BEFORE}
