"""Events that must be rare: evidence that they are not, and the rate that their absence excludes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from initcheck.statistics.sign_eprocess import log_e

__all__ = ["RARE", "excluded_rate", "rare_log_e"]

RARE = 1e-3
"""The rate up to which an event counts as rare."""


def rare_log_e(k: npt.ArrayLike, n: npt.ArrayLike, p0: float = RARE) -> npt.NDArray[np.float64]:
    """Evidence that an event is not rare: ln E for k events in n calls against P(event) <= p0.

    False alarms: P(E >= 1/a at any n) <= a. Finds: three events in the first three calls are 10^8.9; an event
    in every tenth call reaches 10^6 in about 40 calls.

    >>> round(float(rare_log_e(3, 3)) / math.log(10), 1)
    8.9

    Source: the sign e-process, ``sign_eprocess.log_e``.
    """
    return log_e(k, n, p0)


def excluded_rate(n: int, beta: float = 1e-3) -> float:
    """Rate excluded by n trials without an event: at any higher rate, no event has probability below beta.

    Solves (1 - p)^n = beta: p = 1 - beta^(1/n), about ln(1/beta)/n.

    >>> f"{excluded_rate(300_000):.2g}"
    '2.3e-05'

    Raises:
        ValueError: beta is not between 0 and 1, or n is negative.
    """
    if not 0.0 < beta < 1.0 or n < 0:
        raise ValueError(f"n={n!r}, beta={beta!r}: give a number of trials >= 0 and an error between 0 and 1")
    return 1.0 if n == 0 else -math.expm1(math.log(beta) / n)
