"""Where a measured value lies: an interval for the eye, beside the e-value that a verdict rests on."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from initcheck.statistics import median_log_p

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.999
"""Of both intervals, at the moment the test ended; it is not corrected for the looks before."""

# The quantile of a standard normal at (1 + CONFIDENCE)/2.
_DEVIATIONS = 3.290527


def of_mean(values: Floats) -> tuple[float, float] | None:
    """The mean of independent values, plus and minus 3.29 standard errors: the normal approximation.

    >>> low, high = of_mean(np.array([0.9, 1.0, 1.1, 1.0]))
    >>> round(low, 3), round(high, 3)
    (0.866, 1.134)

    Args:
        values: one a call, of which the mean is judged. None is returned for fewer than two, where one is not
            finite, and where values that cannot be negative scatter so widely that the approximation says nothing:
            at an error of a sixth of the mean or more.
    """
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    mean = float(values.mean())
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    if values.min() >= 0 and mean and error >= mean / 6:
        return None
    return mean - _DEVIATIONS * error, mean + _DEVIATIONS * error


def of_median(values: Floats) -> tuple[float, float] | None:
    """The narrowest pair of order statistics that holds the median of the law with this confidence, exactly.

    >>> of_median(np.arange(30.0))
    (5.0, 24.0)

    Args:
        values: independent, one a network. None is returned for fewer than 11, of which no pair suffices, or where
            an end is not finite.

    Source: David & Nagaraja 2003, Order Statistics, section 7.1.
    """
    n = len(values)
    allowed = math.log((1 - CONFIDENCE) / 2)
    # The k-th smallest lies above the median where fewer than k values fall below it.
    k = next((k for k in range(n // 2, 0, -1) if median_log_p(n - k + 1, n) <= allowed), None)
    if k is None or np.isnan(values).any():
        return None
    ordered = np.sort(values)
    low, high = float(ordered[k - 1]), float(ordered[n - k])
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None
