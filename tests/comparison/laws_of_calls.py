"""Laws of whole calls, known by name: independent entries, orthogonal rows, heavy tails, entries that hang together."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Law = Callable[[int, np.random.Generator], Floats]

ROWS, COLUMNS = 8, 16


def _entries(k: int, draw: Callable[[tuple[int, int, int]], Floats]) -> Floats:
    return draw((k, ROWS, COLUMNS)) / math.sqrt(COLUMNS)


def normal(k: int, rng: np.random.Generator) -> Floats:
    return _entries(k, rng.standard_normal)


def uniform(k: int, rng: np.random.Generator) -> Floats:
    return _entries(k, lambda shape: rng.uniform(-math.sqrt(3), math.sqrt(3), shape))


def student(k: int, rng: np.random.Generator) -> Floats:
    return _entries(k, lambda shape: rng.standard_t(5, shape) * math.sqrt(0.6))


def cauchy(k: int, rng: np.random.Generator) -> Floats:
    return _entries(k, rng.standard_cauchy)


def sparse(k: int, rng: np.random.Generator) -> Floats:
    return normal(k, rng) * (rng.random((k, ROWS, COLUMNS)) < 0.1) * math.sqrt(10)


def orthogonal(k: int, rng: np.random.Generator) -> Floats:
    q, r = np.linalg.qr(rng.standard_normal((k, COLUMNS, ROWS)))
    return (q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]).swapaxes(1, 2)


def rows_of_their_own_gain(k: int, rng: np.random.Generator) -> Floats:
    return normal(k, rng) * np.exp(0.3 * rng.standard_normal((k, ROWS, 1)) - 0.09)


def calls_of_their_own_gain(k: int, rng: np.random.Generator) -> Floats:
    return normal(k, rng) * np.exp(0.5 * rng.standard_normal((k, 1, 1)) - 0.25)


def autocorrelated(k: int, rng: np.random.Generator) -> Floats:
    w = normal(k, rng)
    for j in range(1, COLUMNS):
        w[:, :, j] = 0.3 * w[:, :, j - 1] + math.sqrt(0.91) * w[:, :, j]
    return w


def scaled(law: Law, factor: float) -> Law:
    return lambda k, rng: law(k, rng) * factor


def calls_of(law: Law, rng: np.random.Generator) -> Callable[[int, int], Floats]:
    """A law as ``compare`` asks for calls; what was drawn is never drawn again."""
    return lambda start, stop: law(stop - start, rng)
