"""Rank a draw's statistic among random permutations of its own entries: independence without a law."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.statistics.sign_eprocess import log_e

__all__ = ["SHUFFLES", "rarely_top_log_e", "tops", "tops_log_e"]

SHUFFLES = 19
"""Permutations a draw: its own statistic is one of 20, and strictly largest in one call of 20 at most."""


def tops(values: npt.NDArray[Any], shuffled: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether each draw's statistic is strictly larger than that of all its shuffles.

    Where the entries are exchangeable, the draw and its 19 shuffles are, so the draw is strictly largest with
    probability at most 1/20: exactly 1/20 without ties, less with them, for any law and any statistic.

    >>> tops(np.array([2.0, 1.0]), np.array([[0.5] * 19, [1.0] * 19]))
    array([ True, False])

    Args:
        values: the statistic of each call, shape (calls,).
        shuffled: the statistic of its shuffles, shape (calls, 19).

    Raises:
        ValueError: the shapes do not belong together.
    """
    if values.ndim != 1 or shuffled.shape != (len(values), SHUFFLES):
        raise ValueError(
            f"values {values.shape} and shuffled {shuffled.shape}: expected (calls,) and (calls, {SHUFFLES})"
        )
    return np.asarray(np.all(values[:, None] > shuffled, axis=1))


def tops_log_e(k: npt.ArrayLike, n: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Evidence that the entries depend on one another: ln E for k tops in n calls against P(top) <= 1/20.

    False alarms: P(E >= 1/a at any n) <= a. Finds: a statistic that always tops reaches 10^7.7 in 6 calls,
    one that tops every second time in about 20. Several statistics: ``average_log_e`` of their processes.

    >>> round(float(tops_log_e(6, 6)) / 2.302585, 1)
    7.7
    """
    return log_e(k, n, 1.0 / (SHUFFLES + 1))


def rarely_top_log_e(k: npt.ArrayLike, n: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Evidence that a draw beats its shuffles in less than half the calls: ln E against P(top) >= 1/2.

    The process of the n - k calls that did not top, against P(not top) <= 1/2. Being an e-process, it may be
    looked at after every call: HOLDS when it reaches 1/beta, wrong with probability at most beta.
    An independent draw tops one call in 20 and reaches 10^3 in 11 calls or a few more.

    >>> bool(rarely_top_log_e(0, 11) > np.log(1e3))
    True
    """
    return log_e(np.asarray(n) - np.asarray(k), n, 0.5)
