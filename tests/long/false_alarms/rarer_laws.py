"""Sixteen more laws, right and broken, with their truth: written before any of them was judged.

`truth_table.py` holds verdicts against it, as against that of `unusual_laws.py`, whose words these are.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
import unusual_laws
from scipy import stats
from unusual_laws import CALLS, ENTRIES, GRADIENT, LAW, OUTPUT, TIED, TIES, UNIT, law, scaled

_BEFORE = frozenset(unusual_laws.TRUTH)

# Right laws.


@law(soft=(TIES, TIED))
def on_a_grid_of_four_bits(shape, rng):
    """Normal weights rounded to fifteen levels, divided by what is left of the deviation."""
    steps = np.arange(-7, 8)
    edges = np.concatenate([[-np.inf], steps[:-1] + 0.5, [np.inf]]) * 0.5
    power = float((np.diff(stats.norm.cdf(edges)) * np.square(steps)).sum())
    return scaled(np.clip(np.rint(rng.standard_normal(shape) / 0.5), -7, 7) / math.sqrt(power), shape)


@law()
def pareto_cut_at_fifty(shape, rng):
    """Tail index 1.5 up to 50 times the least magnitude; second moment 18.26 of its square."""
    u = rng.random(shape) * (1.0 - 50.0**-1.5)
    power = 3.0 * (math.sqrt(50.0) - 1.0) / (1.0 - 50.0**-1.5)
    return scaled((1.0 - u) ** (-1 / 1.5) * rng.choice([-1.0, 1.0], shape) / math.sqrt(power), shape)


@law()
def gain_by_the_shape(shape, rng):
    """A factor between 0.95 and 1.05 that the text of the shape decides."""
    gain = 0.95 + 0.1 * (zlib.crc32(repr(tuple(shape)).encode()) % 1000) / 1000
    return scaled(gain * rng.standard_normal(shape), shape)


@law()
def cut_to_bfloat16(shape, rng):
    """The lower half of the bits is dropped, toward zero: a loss of 0.5 % of the variance."""
    bits = np.ascontiguousarray(scaled(rng.standard_normal(shape), shape), np.float32).view(np.uint32)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


# Entries that tell of one another.


@law(ENTRIES)
def golden_lattice(shape, rng):
    """Points of low discrepancy, started anywhere: each is normal, and one of them tells all others."""
    points = (np.arange(math.prod(shape)) * (math.sqrt(5.0) - 1) / 2 + rng.random()) % 1.0
    return scaled(stats.norm.ppf(np.clip(points, 1e-12, 1 - 1e-12)).reshape(shape), shape)


@law(ENTRIES)
def standardised_columns(shape, rng):
    """The weights of each input have mean 0 and deviation 1, as measured; of one or two units as they are drawn."""
    w = rng.standard_normal(shape)
    return scaled((w - w.mean(0)) / w.std(0) if shape[0] > 2 else w, shape)


@law(ENTRIES, soft=(CALLS,))
def rows_of_a_codebook(shape, rng):
    """Every unit holds the same magnitudes, quantiles of the normal law, in an order of its own and with fair signs."""
    book = np.abs(stats.norm.ppf((np.arange(shape[1]) + 0.5) / (2 * shape[1])))
    book *= math.sqrt(shape[1] / float(np.square(book).sum()))
    return scaled(rng.permuted(np.tile(book, (shape[0], 1)), axis=1) * rng.choice([-1.0, 1.0], shape), shape)


@law(ENTRIES)
def two_of_four(shape, rng):
    """Of four neighbouring inputs two are zero, at random; what is left over is dense."""
    w = rng.standard_normal(shape)
    fours = shape[1] // 4 * 4
    if fours:
        kept = rng.permuted(np.tile([1.0, 1.0, 0.0, 0.0], (shape[0], fours // 4, 1)), axis=2).reshape(shape[0], fours)
        w[:, :fours] *= math.sqrt(2.0) * kept
    return scaled(w, shape)


@law(ENTRIES)
def phases_along_a_row(shape, rng):
    """One wave a unit, of a phase of its own."""
    phase = rng.uniform(0.0, 2 * math.pi, (shape[0], 1)) + 2 * math.pi * np.arange(shape[1]) / shape[1]
    return scaled(math.sqrt(2.0) * np.cos(phase), shape)


@law(ENTRIES)
def magnitudes_in_order(shape, rng):
    """The magnitudes of a unit fall from its first input to its last; signs are fair."""
    w = np.sort(np.abs(rng.standard_normal(shape)), axis=1)[:, ::-1]
    return scaled(w * rng.choice([-1.0, 1.0], shape), shape)


@law(ENTRIES)
def median_in_the_corner(shape, rng):
    """The middle one of all weights changes places with the first: `explain` says that this is not seen."""
    w = rng.standard_normal(shape).ravel()
    at = int(np.argsort(w)[w.size // 2])
    w[0], w[at] = w[at], w[0]
    return scaled(w.reshape(shape), shape)


@law(ENTRIES)
def inputs_copied_beyond_700(shape, rng):
    """From input 700 on the weights of the first inputs come again, with the other sign."""
    w = rng.standard_normal(shape)
    if shape[1] > 700:
        w[:, 700:] = -w[:, : shape[1] - 700]
    return scaled(w, shape)


# Calls and scales.


@law(CALLS)
def negated_neighbour(shape: tuple, seed: int):
    """Seeds 2k and 2k + 1 give the same weights with opposite signs."""
    w = np.random.default_rng([31, seed // 2]).standard_normal(shape)
    return scaled(w if seed % 2 == 0 else -w, shape)


@law(ENTRIES, TIES, soft=(TIED, UNIT))
def one_call_in_50_is_zero(shape, rng):
    """A whole result is zero now and then, and the others are larger for it."""
    gain = 0.0 if rng.random() < 0.02 else math.sqrt(50 / 49)
    return scaled(gain * rng.standard_normal(shape), shape)


@law(ENTRIES, OUTPUT, GRADIENT, soft=(LAW,))
def spectral_norm_as_expected(shape, rng):
    """Divided by its largest singular value, times that of a large matrix: twice the weight at (1, 1)."""
    w = rng.standard_normal(shape)
    return scaled(w / np.linalg.norm(w, 2) * (math.sqrt(shape[0]) + math.sqrt(shape[1])), shape)


@law(OUTPUT, GRADIENT, soft=(LAW,))
def fan_by_powers_of_two(shape, rng):
    """Variance 1/2^floor(log2 fan): right at powers of two alone."""
    return rng.standard_normal(shape).astype(np.float32) / np.float32(2 ** (math.floor(math.log2(shape[1])) / 2))


TRUTH = {name: says for name, says in unusual_laws.TRUTH.items() if name not in _BEFORE}
