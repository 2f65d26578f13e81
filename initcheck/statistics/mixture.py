"""Averages of e-processes, in log space: the average of e-processes is an e-process."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["average_log_e"]

Floats = npt.NDArray[np.float64]


def average_log_e(log_es: Sequence[npt.ArrayLike] | Floats, weights: Sequence[float] | None = None) -> Floats:
    """Natural log of the weighted average of several e-processes, whatever their dependence.

    >>> round(float(average_log_e([0.0, 1000.0])), 3)
    999.307

    Args:
        log_es: ln E of each process; arrays of one shape, stacked along the first axis.
        weights: non-negative, fixed before the data, with sum at most 1; equal where nothing is said.

    Returns:
        ln sum_j weight_j E_j, of the shape of one process. At n = 10^7 nothing overflows.
    """
    stack = np.asarray(log_es, dtype=np.float64)
    shares = np.full(len(stack), 1.0 / len(stack)) if weights is None else np.asarray(weights, dtype=np.float64)
    if len(shares) != len(stack) or shares.min() < 0.0 or shares.sum() > 1.0 + 1e-12:
        raise ValueError(
            f"weights={shares.tolist()} for {len(stack)} e-processes: give one a process, >= 0, with sum at most 1"
        )
    top = np.max(stack, axis=0)
    # A process at +-inf is its own maximum: shifting by it would give inf - inf.
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore", over="ignore"):
        summed = np.dot(shares, np.exp(stack - shift).reshape(len(stack), -1)).reshape(top.shape)
        return np.asarray(np.log(summed) + shift)
