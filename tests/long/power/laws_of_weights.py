"""Laws of weights of variance 1, for defects to be put into."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float64]
Law = Callable[[np.random.Generator, tuple[int, ...]], Weights]

_CUT = 2.0
_CUT_STD = 0.8796256610342398


def truncated(rng: np.random.Generator, shape: tuple[int, ...]) -> Weights:
    """A normal cut at 2 sigma, corrected to variance 1."""
    x = rng.normal(size=shape)
    while (far := np.abs(x) > _CUT).any():
        x[far] = rng.normal(size=int(far.sum()))
    return x / _CUT_STD


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> Weights:
    """Haar orthogonal, times the root of its larger side: entries of variance 1."""
    rows, columns = shape
    q, r = np.linalg.qr(rng.normal(size=(max(shape), min(shape))))
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    return (q if rows >= columns else q.T) * math.sqrt(max(shape))


LAWS: dict[str, Law] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "uniform": lambda rng, shape: rng.uniform(-math.sqrt(3), math.sqrt(3), shape),
    "truncated": truncated,
    "rademacher": lambda rng, shape: rng.integers(0, 2, shape) * 2.0 - 1.0,
    "sparse": lambda rng, shape: rng.normal(size=shape) * (rng.random(shape) < 0.2) / math.sqrt(0.2),
    "t5": lambda rng, shape: rng.standard_t(5, shape) / math.sqrt(5 / 3),
    "laplace": lambda rng, shape: rng.laplace(size=shape) / math.sqrt(2),
    "orthogonal": orthogonal,
}
