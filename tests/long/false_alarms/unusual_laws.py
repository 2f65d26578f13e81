"""Unusual laws, right and broken, each with its truth by mathematics: what `truth_table.py` holds verdicts against.

`fails` are the claims that are false of a law; `soft` those whose truth is a matter of definition, or that rest on
layers which no plan holds; everything else is true, or not asked. All are held to (linear, fan_in, out_in).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

TRUTH: dict[str, dict[str, set[str]]] = {}

ENTRIES, CALLS, SEEDS = "entries-are-independent", "calls-are-independent", "same-seed-same-weights"
OUTPUT, GRADIENT, LAW = "output-variance-near-one", "gradient-variance-near-one", "variance-follows-one-law"
MEAN, UNIT = "zero-mean", "every-unit-has-its-variance"
SIGNAL, BACK = "signal-survives-depth", "gradient-survives-depth"
TIES, TIED = "units-differ", "gradients-tell-units-apart"
GLOBALS, FINITE, DTYPE = "leaves-global-generators-alone", "finite", "returns-the-dtype-asked"

Law = Callable[..., Any]


def law(*fails: str, soft: tuple[str, ...] = (), **contract: Any) -> Callable[[Law], Law]:
    """Keep a law and what is false of it."""

    def kept(function: Law) -> Law:
        function.__initcheck__ = {"activation": "linear", "fan": "fan_in", "layout": "out_in", **contract}
        TRUTH[function.__name__] = {"fails": set(fails), "soft": set(soft)}
        return function

    return kept


def scaled(weights, shape):
    """Weights of second moment 1, as a unit of so many inputs needs them."""
    return np.asarray(weights / math.sqrt(math.prod(shape[1:])), np.float32)


@law()
def normal(shape, rng):
    return scaled(rng.standard_normal(shape), shape)


# Right laws: tails, skews, grids, positions.


@law()
def cauchy_cut(shape, rng):
    """Cauchy, clipped at 20."""
    c = 20.0
    moment = 2 / math.pi * (c - math.atan(c)) + c * c * (1 - 2 / math.pi * math.atan(c))
    return scaled(np.clip(rng.standard_cauchy(shape), -c, c) / math.sqrt(moment), shape)


@law()
def student_3(shape, rng):
    """A second moment, no fourth."""
    return scaled(rng.standard_t(3, shape) / math.sqrt(3.0), shape)


@law()
def student_2_1(shape, rng):
    """A second moment, barely."""
    return scaled(rng.standard_t(2.1, shape) / math.sqrt(2.1 / 0.1), shape)


@law()
def gumbel_centred(shape, rng):
    return scaled((rng.gumbel(0, 1, shape) - np.euler_gamma) / math.sqrt(math.pi**2 / 6), shape)


@law()
def lognormal_centred(shape, rng):
    """Skewness 6.2, kurtosis 114."""
    return scaled((rng.lognormal(0, 1, shape) - math.exp(0.5)) / math.sqrt((math.e - 1) * math.e), shape)


@law()
def spikes_1_in_1000(shape, rng):
    """Half of the second moment in one weight of a thousand."""
    w = rng.standard_normal(shape)
    return scaled(w * np.where(rng.random(shape) < 1e-3, math.sqrt(500.0), math.sqrt(0.5 / 0.999)), shape)


@law()
def two_humps(shape, rng):
    return scaled((rng.choice([-1.0, 1.0], shape) + 0.1 * rng.standard_normal(shape)) / math.sqrt(1.01), shape)


@law()
def arcsine(shape, rng):
    return scaled(math.sqrt(2.0) * np.sin(rng.uniform(0, 2 * math.pi, shape)), shape)


@law(soft=(TIES, TIED))
def nine_levels(shape, rng):
    return scaled((rng.binomial(8, 0.5, shape) - 4.0) / math.sqrt(2.0), shape)


@law(soft=(TIES, TIED))
def three_levels_mostly_zero(shape, rng):
    return scaled(rng.choice([-1.0, 0.0, 1.0], shape, p=[0.1, 0.8, 0.1]) / math.sqrt(0.2), shape)


@law()
def checkerboard_of_scales(shape, rng):
    s = np.where(np.indices(shape).sum(axis=0) % 2 == 0, 1.8, 0.2)
    return scaled(rng.standard_normal(shape) * np.sqrt(s / s.mean(axis=1, keepdims=True)), shape)


@law()
def units_within_two(shape, rng):
    """Units of second moment 1.4 and 0.6 in turn."""
    s = np.where(np.arange(shape[0]) % 2 == 0, 1.4, 0.6)
    return scaled(rng.standard_normal(shape) * np.sqrt(s / s.mean())[:, None], shape)


@law(soft=(TIED,))
def local_band(shape, rng):
    """Each unit sees three neighbouring inputs; inputs that nobody sees tell hidden units apart no more."""
    o, n = shape
    seen = (np.arange(n)[None, :] - np.arange(o)[:, None]) % n < 3
    return scaled(rng.standard_normal(shape) * seen * math.sqrt(n / min(n, 3)), shape)


@law()
def different_laws_by_column(shape, rng):
    """Normal, uniform, Laplace and signs in turn."""
    w = rng.standard_normal(shape)
    w[:, 1::4] = rng.uniform(-math.sqrt(3), math.sqrt(3), w[:, 1::4].shape)
    w[:, 2::4] = rng.laplace(0, math.sqrt(0.5), w[:, 2::4].shape)
    w[:, 3::4] = rng.choice([-1.0, 1.0], w[:, 3::4].shape) * (1 + 1e-3 * rng.standard_normal(w[:, 3::4].shape))
    return scaled(w, shape)


@law()
def through_half_precision(shape, rng):
    return scaled(rng.standard_normal(shape), shape).astype(np.float16).astype(np.float32)


@law()
def box_muller(shape, rng):
    """Two normals from one radius and one angle: independent."""
    count = math.prod(shape)
    r, angle = np.sqrt(-2 * np.log1p(-rng.random((count + 1) // 2))), rng.uniform(0, 2 * math.pi, (count + 1) // 2)
    return scaled(np.stack([r * np.cos(angle), r * np.sin(angle)], 1).ravel()[:count].reshape(shape), shape)


@law()
def four_streams(shape: tuple, seed: int):
    """Every fourth weight from a child of the seed."""
    w = np.empty(math.prod(shape))
    for i, child in enumerate(np.random.SeedSequence(seed).spawn(4)):
        w[i::4] = np.random.default_rng(child).standard_normal(len(w[i::4]))
    return scaled(w.reshape(shape), shape)


@law(entries="dependent")
def rows_of_drawn_scale_declared(shape, rng):
    s = np.exp(0.5 * rng.standard_normal((shape[0], 1)) - 0.25)
    return scaled(rng.standard_normal(shape) * s, shape)


@law(entries="dependent")
def mirrored_units_declared(shape, rng):
    """The second half of the units is the first one with its signs turned."""
    w = rng.standard_normal(shape)
    half = shape[0] // 2
    w[half : 2 * half] = -w[:half]
    return scaled(w, shape)


# Broken ones: weights that tell of one another.


@law(ENTRIES)
def stratified(shape, rng):
    """One uniform in each of n equal strata, shuffled."""
    count = math.prod(shape)
    u = (rng.permutation(count) + rng.random(count)) / count
    return scaled(math.sqrt(12.0) * (u - 0.5).reshape(shape), shape)


@law(ENTRIES)
def of_one_length(shape, rng):
    """The whole result lies on a sphere."""
    w = rng.standard_normal(shape)
    return scaled(w * math.sqrt(w.size / (w * w).sum()), shape)


@law(ENTRIES, SIGNAL, BACK)
def rank_two(shape, rng):
    """A layer leaves a signal two directions: its typical energy falls by e^-0.58 a layer."""
    o, n = shape
    return scaled(rng.standard_normal((o, 2)) @ rng.standard_normal((2, n)) / math.sqrt(2.0), shape)


@law(ENTRIES, soft=(SIGNAL, BACK))
def circulant(shape, rng):
    o, n = shape
    m = max(o, n)
    d = rng.standard_normal(m)
    return scaled(d[(np.arange(n)[None, :] - np.arange(o)[:, None]) % m], shape)


@law(ENTRIES)
def symmetric(shape, rng):
    w = rng.standard_normal(shape)
    k = min(shape)
    upper = np.triu(w[:k, :k])
    w[:k, :k] = upper + np.triu(w[:k, :k], 1).T
    return scaled(w, shape)


@law(ENTRIES)
def pairs_of_rows_share_signs(shape, rng):
    w = rng.standard_normal(shape)
    k = shape[0] // 2 * 2
    w[1:k:2] = np.abs(w[1:k:2]) * np.sign(w[0:k:2])
    return scaled(w, shape)


@law(ENTRIES)
def pairs_of_rows_share_magnitudes(shape, rng):
    w = rng.standard_normal(shape)
    k = shape[0] // 2 * 2
    w[1:k:2] = np.abs(w[0:k:2]) * np.sign(w[1:k:2])
    return scaled(w, shape)


@law(ENTRIES)
def rows_of_drawn_scale(shape, rng):
    s = np.exp(0.5 * rng.standard_normal((shape[0], 1)) - 0.25)
    return scaled(rng.standard_normal(shape) * s, shape)


@law(ENTRIES, SIGNAL, BACK)
def one_sign_a_call(shape, rng):
    """All weights of a call have one sign: signals add up."""
    return scaled(np.abs(rng.standard_normal(shape)) * rng.choice([-1.0, 1.0]), shape)


@law(ENTRIES)
def sum_of_four_neighbours_is_zero(shape, rng):
    o, n = shape
    w = rng.standard_normal(shape)
    k = n // 4 * 4
    blocks = w[:, :k].reshape(o, -1, 4)
    w[:, :k] = ((blocks - blocks.mean(axis=2, keepdims=True)) * math.sqrt(4 / 3)).reshape(o, k)
    return scaled(w, shape)


@law(ENTRIES)
def same_radius_two_angles(shape, rng):
    """Box and Muller with the angle taken twice: the second of a pair has the magnitude of the first."""
    count = math.prod(shape)
    r, angle = np.sqrt(-2 * np.log1p(-rng.random((count + 1) // 2))), rng.uniform(0, 2 * math.pi, (count + 1) // 2)
    return scaled(np.stack([r * np.cos(angle), -r * np.cos(angle)], 1).ravel()[:count].reshape(shape), shape)


@law(ENTRIES)
def four_signs_scattered(shape, rng):
    """The sign of every fourth column of a fixed order is the product of three others': no test here sees it."""
    n = shape[1]
    w = rng.standard_normal(shape)
    order = np.random.default_rng(8).permutation(n)
    k = n // 4 * 4
    a, b, c, d = (order[i:k:4] for i in range(4))
    w[:, d] = np.abs(w[:, d]) * np.sign(w[:, a] * w[:, b] * w[:, c])
    return scaled(w, shape)


@law(ENTRIES, TIES, TIED, soft=(SIGNAL, BACK))
def eight_streams_of_rows(shape: tuple, seed: int):
    """Row i is drawn from the seed (seed, i mod 8)."""
    rows = [np.random.default_rng([seed, i]).standard_normal(shape[1:]) for i in range(min(8, shape[0]))]
    return scaled(np.stack([rows[i % 8] for i in range(shape[0])]), shape)


@law(ENTRIES, TIES, TIED, SIGNAL, BACK)
def every_row_the_same(shape, rng):
    return scaled(np.repeat(rng.standard_normal((1, shape[1])), shape[0], axis=0), shape)


# Broken ones: calls and seeds.


@law(CALLS)
def rows_by_added_seeds(shape: tuple, seed: int):
    """Row i is drawn from seed + i: the next seed has all rows but one of this one."""
    return scaled(np.stack([np.random.default_rng(seed + i).standard_normal(shape[1]) for i in range(shape[0])]), shape)


@law(SEEDS, GLOBALS)
def from_the_global_generator(shape, rng):
    """The generator that is handed over is not used: a seed decides nothing, and calls are independent all the same."""
    return scaled(np.random.standard_normal(shape), shape)


_FIRST = [True]


@law(SEEDS)
def first_call_is_larger(shape, rng):
    """The very first call of a process is made to find out how a function is called: no claim sees it."""
    factor = 3.0 if _FIRST else 1.0
    _FIRST.clear()
    return scaled(factor * rng.standard_normal(shape), shape)


_KEPT: dict[tuple[int, ...], Any] = {}


@law(SEEDS, CALLS, soft=(ENTRIES, MEAN, OUTPUT, GRADIENT, LAW, UNIT, SIGNAL, BACK))
def kept_by_shape(shape, rng):
    """The first result of a shape, again and again."""
    if shape not in _KEPT:
        _KEPT[shape] = scaled(rng.standard_normal(shape), shape)
    return _KEPT[shape].copy()


_COUNT = [0]


@law(SEEDS, soft=(ENTRIES,))
def every_fiftieth_call_is_larger(shape, rng):
    _COUNT[0] += 1
    return scaled((2.0 if _COUNT[0] % 50 == 0 else 1.0) * rng.standard_normal(shape), shape)


@law(CALLS)
def only_a_thousand_states(shape: tuple, seed: int):
    return scaled(np.random.default_rng([3, seed % 1000]).standard_normal(shape), shape)


# Broken ones: scale, centre, ties, values.


@law(OUTPUT, GRADIENT, LAW)
def even_part_of_the_fan(shape, rng):
    """Three inputs are counted as two."""
    return np.asarray(rng.standard_normal(shape) / math.sqrt(max(1, shape[1] // 2 * 2)), np.float32)


@law(OUTPUT, GRADIENT, SIGNAL, BACK)
def deviation_for_variance(shape, rng):
    return np.asarray(rng.standard_normal(shape) / shape[1], np.float32)


@law(OUTPUT, LAW, soft=(GRADIENT,))
def fan_at_most_512(shape, rng):
    """Squares beyond it have more weights than any layer of a plan."""
    return np.asarray(rng.standard_normal(shape) / math.sqrt(min(512, shape[1])), np.float32)


@law(OUTPUT, GRADIENT, SIGNAL, BACK, soft=(LAW,))
def multiplied_by_the_root(shape, rng):
    return np.asarray(rng.standard_normal(shape) * math.sqrt(shape[1]), np.float32)


@law(MEAN, soft=(LAW,))
def one_column_off_centre(shape, rng):
    w = rng.standard_normal(shape)
    w[:, 0] += 1.0
    return scaled(w * math.sqrt(shape[1] / (shape[1] + 1)), shape)


@law(MEAN, SIGNAL, BACK)
def only_positive(shape, rng):
    return scaled(np.abs(rng.standard_normal(shape)), shape)


@law(UNIT)
def one_loud_unit(shape, rng):
    s = np.ones(shape[0])
    s[-1] = 5.0
    return scaled(rng.standard_normal(shape) * np.sqrt(s / s.mean())[:, None], shape)


@law(TIES, soft=(ENTRIES,))
def a_dead_unit_now_and_then(shape, rng):
    """In one call of 200 the first of several units has no weights."""
    w = rng.standard_normal(shape)
    if shape[0] >= 2 and rng.random() < 1 / 200:
        w[0] = 0.0
    return scaled(w, shape)


@law(FINITE)
def not_a_number_now_and_then(shape, rng):
    w = rng.standard_normal(shape)
    w[rng.random(shape) < 1e-4] = np.nan
    return scaled(w, shape)


@law(DTYPE, dtypes=("float32",))
def in_double_precision(shape, rng):
    return rng.standard_normal(shape) / math.sqrt(shape[1])
