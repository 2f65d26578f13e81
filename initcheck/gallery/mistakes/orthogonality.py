"""Mistakes of orthogonality: matrices that are called orthogonal and are not, or not uniformly so."""

from __future__ import annotations

import numpy as np

from initcheck.gallery.sampling import LINEAR, Array, Rng, Shape
from initcheck.gallery.specimen import mistake

__all__ = ["orthogonal_without_signs", "unit_vectors_called_orthogonal"]

ORTHOGONAL = {**LINEAR, "fan": "fan_max", "distribution": "orthogonal", "entries": "dependent"}


@mistake(
    contract=ORTHOGONAL,
    fails=("zero-mean", "haar-distributed"),
    may_fail=("calls-are-independent",),
    source="Mezzadri 2007 (arXiv math-ph/0609050)",
)
def orthogonal_without_signs(shape: Shape, rng: Rng) -> Array:
    """The Q of LAPACK's QR as it comes: its diagonal is mostly negative, and at width 1 it is always 1."""
    rows, columns = shape
    q, _ = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    return np.ascontiguousarray(q if rows >= columns else q.T, dtype=np.float32)


@mistake(
    contract=ORTHOGONAL,
    fails=("orthogonal-to-rounding", "singular-values-survive-depth"),
    may_fail=("haar-distributed",),
)
def unit_vectors_called_orthogonal(shape: Shape, rng: Rng) -> Array:
    """Vectors of length 1 that point anywhere: two of them have a product of 1/sqrt(d), not 0."""
    w = rng.standard_normal(shape)
    length = np.sqrt(np.square(w).sum(axis=1 if shape[0] <= shape[1] else 0, keepdims=True))
    return np.asarray(w / length, dtype=np.float32)
