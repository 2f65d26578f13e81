"""What the gradient says of units that start equal, of any framework: arrays in the host's memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.models.builds.sums import Twins

_EQUAL = 1e-5
"""Equal units may be summed in another order: relative to the largest gradient, rounding is no difference."""


def gradient_kind(gradient: npt.NDArray[Any] | None) -> str:
    """Whether a gradient tells the units of a constant matrix apart: ``zero``, ``rows``, ``columns``, ``differ``.

    >>> gradient_kind(np.ones((3, 4))), gradient_kind(np.eye(3))
    ('rows', 'differ')
    """
    if gradient is None or not np.any(gradient != 0):
        return "zero"
    sizes = [n for n in gradient.shape if n > 1]
    matrix = gradient.reshape(sizes[0], -1).astype(np.float64)
    scale = float(np.abs(matrix).max())
    if float(np.abs(matrix - matrix[:1]).max()) <= _EQUAL * scale:
        return "rows"
    if float(np.abs(matrix - matrix[:, :1]).max()) <= _EQUAL * scale:
        return "columns"
    return "differ"


def twins_kind(gradient: npt.NDArray[Any] | None, twins: Twins) -> str:
    """Whether a gradient tells equal units apart: ``equal`` where it leaves one pair equal, ``differ``, ``zero``."""
    if gradient is None:
        return "zero"
    matrix = gradient.reshape(gradient.shape[0], -1).astype(np.float64)
    scale = float(np.abs(matrix).max())
    found = set()
    for i, j in twins.pairs:
        one, two = matrix.take(i, twins.axis), matrix.take(j, twins.axis)
        if max(float(np.abs(one).max()), float(np.abs(two).max())) <= _EQUAL * scale:
            found.add("zero")
        else:
            found.add("equal" if float(np.abs(one - two).max()) <= _EQUAL * scale else "differ")
    return next((kind for kind in ("equal", "differ") if kind in found), "zero")
