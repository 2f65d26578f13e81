"""What a hundred calls show of an initializer's seeds and memory, and the likely causes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from initcheck.diagnosis.causes import Cause, cause
from initcheck.diagnosis.evidence.probe import Array, DrawFunction
from initcheck.sandbox.global_generators import isolated, watching_generators

_SHAPE = (16, 16)
_CONSECUTIVE = 48
_CORRELATED = 0.1
_SIGMAS = 6.0


BEHAVIOURS: Mapping[str, Cause] = {
    "seed-ignored": cause(
        "the seed is ignored: every call returns the same weights",
        "leave the fixed seed out: draw from the generator that is passed in, or from the global one as it stands; or"
        " declare distribution='constant' if nothing is meant to be drawn",
        "randomness",
    ),
    "few-seeds": cause(
        "the seed is reduced to a few values, so that layers repeat each other",
        "pass the whole seed on to the generator",
        "randomness",
    ),
    "global-generator": cause(
        "it draws from a global generator",
        "draw from the generator that is passed in: numpy.random.default_rng(seed)",
        "randomness globals",
    ),
    "reseeds-global-generator": cause(
        "it seeds a global generator, so that everything else drawn from it repeats",
        "make a generator of your own: numpy.random.default_rng(seed)",
        "randomness globals",
    ),
    "state": cause(
        "it keeps state between calls, or reads the clock: the same seed gives other weights",
        "let the weights depend on shape, dtype and seed alone",
        "randomness",
    ),
    "cached": cause(
        "a cache returns the weights of an earlier call",
        "leave the seed in the cache's key, or do not cache",
        "randomness",
    ),
    "handed-out-again": cause(
        "a cache hands the same array out again: writing to one layer's weights changes another's",
        "return a copy of what is kept",
        "memory",
    ),
    "zero-is-no-seed": cause(
        "seed 0 is taken for none, as by `seed or ...`: it gives other weights every time",
        "ask whether the seed is None",
        "randomness",
    ),
    "never-advances": cause(
        "it draws from a copy of the generator: the next call on the same generator repeats the weights",
        "draw from the generator itself, so that it moves on",
        "randomness",
    ),
    "one-key": cause(
        "every layer of a network is drawn from one key, or seed: layers of equal widths are copies",
        "split the key, one for each layer: jax.random.split(key, layers), or one generator that moves on",
        "randomness",
    ),
    "aliased": cause(
        "calls return one buffer: the next call overwrites the weights of the last layer",
        "return a new array, or a copy",
        "randomness memory",
    ),
    "correlated-calls": cause(
        "calls with neighbouring seeds give related weights",
        "seed by numpy.random.SeedSequence, and do not add the seed to the weights",
        "randomness",
    ),
    "moved-calls": cause(
        "calls with neighbouring seeds return the same weights, moved along: parts are seeded by the seed plus their"
        " number",
        "draw every part from one generator, or seed them by numpy.random.SeedSequence(seed).spawn(parts)",
        "randomness",
    ),
}
"""What the engine, or a few calls, can see of the seeds: name -> cause."""


def seed_behaviours(draw: DrawFunction, seed: int = 0) -> tuple[str, ...]:
    """Name what 96 seeds show: keys of ``BEHAVIOURS``; empty where nothing is wrong.

    >>> seed_behaviours(lambda shape, seed: np.random.default_rng(0).normal(size=shape))
    ('seed-ignored',)

    Args:
        draw: ``draw(shape, seed)``; where it raises nothing is said.
        seed: the first seed.
    """
    # Consecutive ones, and spread ones: 8 bits of the seed may be all that is used, low ones or high ones.
    spread = np.random.default_rng(seed).integers(0, 2**31 - 1, _CONSECUTIVE).tolist()
    try:
        first = draw(_SHAPE, seed)
        kept = np.array(first, dtype=np.float64)
        if kept.shape != _SHAPE or not np.isfinite(kept).all():
            return ()
        results = [np.array(draw(_SHAPE, s), dtype=np.float64) for s in (*range(seed, seed + _CONSECUTIVE), *spread)]
        last = draw(_SHAPE, seed + 1)
        again = draw(_SHAPE, seed + 1)
        found = _of_seeds(draw, seed, kept, results) + _of_globals(draw, seed)
    except Exception:  # what it raises is another claim's finding
        return ()
    unchanged = np.array_equal(np.asarray(first, dtype=np.float64), kept)
    if "seed-ignored" in found and unchanged and np.shares_memory(first, last):
        # With a seed that is fixed every call would make an array of its own.
        found = ("cached", *(name for name in found if name != "seed-ignored"), "handed-out-again")
    elif np.shares_memory(first, last) or not unchanged:
        found += ("aliased",)
    elif np.shares_memory(last, again):
        found += ("handed-out-again",)
    return tuple(dict.fromkeys(found))


def _of_seeds(draw: DrawFunction, seed: int, first: Array, results: Sequence[Array]) -> tuple[str, ...]:
    distinct = len({r.tobytes() for r in results})
    repeats = np.array_equal(results[0], first, equal_nan=True)
    if (distinct == 1 or not repeats) and _follows_globals(draw, seed):
        return ("global-generator",)
    if seed == 0 and not repeats and np.array_equal(draw(_SHAPE, 1), results[1], equal_nan=True):
        return ("zero-is-no-seed",)
    if not repeats:
        return ("state",)
    if distinct == 1:
        return ("seed-ignored",)
    if distinct < len(results) - 1:
        return ("few-seeds",)
    return _related(results[:_CONSECUTIVE])


def _follows_globals(draw: DrawFunction, seed: int) -> bool:
    """Whether the weights are what the global generators make them."""
    results = []
    for start in (seed, seed, seed + 1):
        with isolated(start):
            results.append(np.array(draw(_SHAPE, seed), dtype=np.float64))
    return np.array_equal(results[0], results[1], equal_nan=True) and not np.array_equal(results[0], results[2])


def _of_globals(draw: DrawFunction, seed: int) -> tuple[str, ...]:
    with isolated(seed + 2), watching_generators() as moved, isolated(None):
        draw(_SHAPE, seed)
    if not moved:
        return ()
    return ("global-generator",) if _follows_globals(draw, seed) else ("reseeds-global-generator",)


def _related(results: Sequence[Array]) -> tuple[str, ...]:
    """How calls with neighbouring seeds are related: place by place, or moved along by rows, columns or weights."""
    flat = np.array([[r.ravel(), r.T.ravel()] for r in results])
    # Signs, because one weight of a heavy tail would outweigh all others. What is fixed at a position is no
    # relation between calls, so it is taken out.
    flat = np.sign(flat - np.median(flat))
    flat -= flat.mean(axis=0)
    weights = flat.shape[-1]
    spectra = np.fft.rfft(flat, 2 * weights)
    overlap = np.abs(weights - np.arange(2 * weights))
    # Where too few weights meet, chance alone relates them.
    met = 4 * overlap >= weights
    pairs = np.fft.irfft(spectra[:-1].conj() * spectra[1:], 2 * weights)[..., met] / overlap[met]
    shared = np.abs(pairs.mean(axis=0))
    # Calls whose own weights hang together (a circulant) are alike by chance, now with this sign and now with that.
    shared[shared < _SIGMAS * pairs.std(axis=0) / math.sqrt(len(pairs))] = 0.0
    if shared[:, 0].max() > _CORRELATED:
        return ("correlated-calls",)
    return ("moved-calls",) if shared.max() > _CORRELATED else ()
