"""Five laws whose entries or calls are wrong together and right alone, and five sound ones, written before any run.

`truth_table.py` holds verdicts against it, as against that of `unusual_laws.py`, whose words these are.
"""

from __future__ import annotations

import math

import numpy as np
import unusual_laws
from unusual_laws import BACK, CALLS, ENTRIES, SIGNAL, UNIT, law, scaled

_BEFORE = frozenset(unusual_laws.TRUTH)

# Wrong together.


@law(ENTRIES)
def neighbouring_rows_at_right_angles(shape, rng):
    """Rows 2k and 2k + 1 are orthogonal, the second turned away from the first and as long as before."""
    o, n = shape
    w = rng.standard_normal(shape)
    if n > 1:
        a, b = w[0 : o // 2 * 2 : 2], w[1::2]
        away = b - (a * b).sum(axis=1, keepdims=True) / (a * a).sum(axis=1, keepdims=True) * a
        w[1::2] = away * np.linalg.norm(b, axis=1, keepdims=True) / np.linalg.norm(away, axis=1, keepdims=True)
    return scaled(w, shape)


@law(ENTRIES, soft=(SIGNAL, BACK))
def signs_of_rank_one(shape, rng):
    """A sign a row times a sign a column; independent magnitudes."""
    signs = rng.choice([-1.0, 1.0], (shape[0], 1)) * rng.choice([-1.0, 1.0], (1, shape[1]))
    return scaled(np.abs(rng.standard_normal(shape)) * signs, shape)


@law(ENTRIES)
def two_by_two_on_a_sphere(shape, rng):
    """Each block of two rows and two columns has the energy four, exactly."""
    o, n = (side // 2 * 2 for side in shape)
    w = rng.standard_normal(shape)
    blocks = w[:o, :n].reshape(o // 2, 2, n // 2, 2)
    w[:o, :n] = (blocks * 2 / np.sqrt(np.square(blocks).sum(axis=(1, 3), keepdims=True))).reshape(o, n)
    return scaled(w, shape)


@law(ENTRIES, soft=(UNIT,))
def largest_in_the_corner(shape, rng):
    """The weight of the largest magnitude changes places with the first one."""
    w = rng.standard_normal(shape)
    at = np.unravel_index(np.abs(w).argmax(), shape)
    w[0, 0], w[at] = w[at], w[0, 0]
    return scaled(w, shape)


@law(CALLS)
def magnitudes_of_two_seeds(shape: tuple, seed: int):
    """Seeds 2k and 2k + 1 share their magnitudes; signs are their own."""
    w = np.random.default_rng([3, seed // 2]).standard_normal(shape)
    return scaled(np.abs(w) * np.random.default_rng([4, seed]).choice([-1.0, 1.0], shape), shape)


# Sound.


@law()
def signs_and_normals_in_turn(shape, rng):
    """A checkerboard: signs on one colour, nearly, and normal weights on the other."""
    signs = rng.choice([-1.0, 1.0], shape) + 1e-3 * rng.standard_normal(shape)
    return scaled(np.where(np.indices(shape).sum(axis=0) % 2 == 0, signs, rng.standard_normal(shape)), shape)


@law()
def weibull_of_both_signs(shape, rng):
    """Shape 0.6: kurtosis 32."""
    w = rng.weibull(0.6, shape) * rng.choice([-1.0, 1.0], shape)
    return scaled(w / math.sqrt(math.gamma(1 + 2 / 0.6)), shape)


@law()
def neither_small_nor_large(shape, rng):
    """A normal whose magnitude lies between 0.3 and 3."""
    w = rng.standard_normal(shape)
    while (out := (np.abs(w) < 0.3) | (np.abs(w) > 3)).any():
        w[out] = rng.standard_normal(int(out.sum()))

    def density(x):
        return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

    mass = math.erf(3 / math.sqrt(2)) - math.erf(0.3 / math.sqrt(2))
    return scaled(w / math.sqrt(1 - 2 * (3 * density(3) - 0.3 * density(0.3)) / mass), shape)


@law()
def backwards_through_memory(shape, rng):
    """Filled column by column, from the last weight to the first."""
    return scaled(rng.standard_normal(shape[::-1]).T[::-1, ::-1], shape)


@law()
def skew_by_position(shape, rng):
    """Centred exponential weights, mirrored at positions that are fixed."""
    o, n = shape
    mirrored = (3 * np.arange(o)[:, None] + 5 * np.arange(n)[None, :]) % 7 < 3
    return scaled((rng.exponential(1, shape) - 1) * np.where(mirrored, -1.0, 1.0), shape)


TRUTH = {name: says for name, says in unusual_laws.TRUTH.items() if name not in _BEFORE}
