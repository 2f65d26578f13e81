"""Both laws in one picture: the weights of A and of B counted in the same bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["both_laws"]

_BINS = 48
_SHARE = 0.001


def both_laws(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> dict[str, list[Any]]:
    """The series of a part that differs: both laws as shares of bins, the farthest weights left out.

    >>> rows = both_laws(np.zeros(100), np.linspace(-1, 1, 100))["two_histograms"]
    >>> len(rows), round(sum(row[2] for row in rows), 3)
    (48, 1.0)

    Args:
        a, b: weights of each, of any shape.
    """
    x, y = (np.asarray(w, dtype=np.float64).ravel() for w in (a, b))
    x, y = x[np.isfinite(x)], y[np.isfinite(y)]
    both = np.concatenate([x, y])
    if not x.size or not y.size:
        return {}
    low, high = np.quantile(both, [_SHARE, 1 - _SHARE])
    if not low < high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, _BINS + 1)
    counts = [np.histogram(np.clip(w, low, high), bins=edges)[0] / w.size for w in (x, y)]
    rows = zip(edges, edges[1:], *counts, strict=False)
    return {"two_histograms": [[float(f"{v:.5g}") for v in row] for row in rows]}
