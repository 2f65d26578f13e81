"""Mistakes in randomness: seeds that are ignored, shared or too few, and calls that remember one another."""

from __future__ import annotations

import copy
import math
import random
import time

import numpy as np

from initcheck.gallery.sampling import DEPTH, RELU, SCALE, Array, Rng, Shape, fan_in, normal
from initcheck.gallery.specimen import mistake

__all__ = [
    "cached_by_shape", "counts_its_calls", "few_seeds", "never_advances", "remembers_last_call",
    "reseeds_and_draws_globally", "reseeds_numpy", "seed_ignored", "seeded_by_hash",
    "seeded_by_python_random", "seeded_by_the_clock", "unseeded", "uses_numpy_global",
]  # fmt: skip

# One draw for ever *is* the law: its mean is not 0 and its second moment is not 1, wherever that is asked.
ENSEMBLE = ("zero-mean", *SCALE, "variance-follows-one-law", *DEPTH, "entries-are-independent")

_CACHE: dict[Shape, Array] = {}
_LAST: dict[Shape, Array] = {}
_calls = 0


def _he(shape: Shape, rng: Rng) -> Array:
    return normal(shape, rng, math.sqrt(2 / fan_in(shape)))


@mistake(contract=RELU, fails=("calls-are-independent",), may_fail=ENSEMBLE)
def seed_ignored(shape: Shape, rng: Rng) -> Array:
    """A generator is passed and a fixed seed is used: all layers of one shape are equal, in every run."""
    return _he(shape, np.random.default_rng(0))


@mistake(contract=RELU, fails=("same-seed-same-weights",))
def unseeded(shape: Shape, rng: Rng) -> Array:
    """A generator is passed and a new one is made from the system's entropy: no run can be repeated."""
    return _he(shape, np.random.default_rng())


@mistake(contract=RELU, fails=("same-seed-same-weights",), may_fail=("calls-are-independent",))
def seeded_by_the_clock(shape: Shape, rng: Rng) -> Array:
    """A generator is passed and the time of day seeds another: no run can be repeated."""
    return _he(shape, np.random.default_rng(time.time_ns()))


@mistake(contract=RELU, fails=("same-seed-same-weights",), source="PYTHONHASHSEED in the Python manual")
def seeded_by_hash(shape: Shape, rng: Rng) -> Array:
    """Mixes hash() of a string into the seed; Python salts it in every process: only a second shows it."""
    return _he(shape, np.random.default_rng([hash("weight") % 2**32, int(rng.integers(2**32))]))


@mistake(
    contract=RELU,
    fails=("same-seed-same-weights", "leaves-global-generators-alone"),
    may_fail=("calls-are-independent",),
)
def uses_numpy_global(shape: Shape, rng: Rng) -> Array:
    """Draws from numpy.random although a generator is passed: whatever ran before decides the weights."""
    return np.random.normal(0.0, math.sqrt(2 / fan_in(shape)), shape).astype(np.float32)


@mistake(
    contract=RELU,
    fails=("same-seed-same-weights", "leaves-global-generators-alone"),
    may_fail=("calls-are-independent",),
)
def seeded_by_python_random(shape: Shape, rng: Rng) -> Array:
    """Takes its seed from Python's global generator although one is passed."""
    return _he(shape, np.random.default_rng(random.getrandbits(64)))


@mistake(contract=RELU, fails=("leaves-global-generators-alone",))
def reseeds_numpy(shape: Shape, rng: Rng) -> Array:
    """Seeds numpy.random "to be reproducible", and so every later random number of the program too."""
    np.random.seed(0)
    return _he(shape, rng)


@mistake(contract=RELU, fails=("calls-are-independent", "leaves-global-generators-alone"), may_fail=ENSEMBLE)
def reseeds_and_draws_globally(shape: Shape, rng: Rng) -> Array:
    """Seeds numpy.random in each call and draws from it: reproducible, and equal for equal shapes."""
    np.random.seed(0)
    return np.random.normal(0.0, math.sqrt(2 / fan_in(shape)), shape).astype(np.float32)


@mistake(
    contract=RELU,
    fails=("same-seed-same-weights", "calls-are-independent", "owns-its-memory"),
    may_fail=ENSEMBLE,
)
def cached_by_shape(shape: Shape, rng: Rng) -> Array:
    """The first result of each shape is kept and handed out again, whatever the seed."""
    if len(_CACHE) > 16:
        _CACHE.clear()
    if shape not in _CACHE:
        _CACHE[shape] = _he(shape, rng)
    return _CACHE[shape]


@mistake(contract=RELU, fails=("calls-are-independent",), may_fail=ENSEMBLE)
def few_seeds(shape: Shape, seed: int) -> Array:
    """Four bits of the seed are used: there are 16 different results, and two of any 17 layers are equal."""
    return _he(shape, np.random.default_rng(seed % 16))


@mistake(contract=RELU, fails=("calls-are-independent",))
def never_advances(shape: Shape, rng: Rng) -> Array:
    """Draws from a copy of the generator, which so never moves: the next call gives the same weights."""
    return _he(shape, copy.deepcopy(rng))


@mistake(contract=RELU, fails=("same-seed-same-weights", "calls-are-independent"), may_fail=ENSEMBLE)
def remembers_last_call(shape: Shape, rng: Rng) -> Array:
    """Mixes 0.8 of the last result into the next: right in every single call, correlated between calls."""
    new = _he(shape, rng)
    if len(_LAST) > 16:
        _LAST.clear()
    _LAST[shape] = np.asarray(0.8 * _LAST[shape] + 0.6 * new if shape in _LAST else new)
    return _LAST[shape].copy()


@mistake(contract=RELU, fails=("same-seed-same-weights",))
def counts_its_calls(shape: Shape, seed: int) -> Array:
    """Mixes the number of earlier calls into the seed: weights depend on the order of the layers."""
    global _calls
    _calls += 1
    return _he(shape, np.random.default_rng([seed, _calls]))
