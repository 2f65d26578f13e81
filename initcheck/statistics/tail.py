"""The tail of a law, as far as a sample shows it: Hill's index and whether a second moment exists."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

TAIL = 1e-3
"""Share of the values that counts as their tail."""

_ENOUGH = 50
_LARGEST_SHARE = 20


def hill(values: npt.ArrayLike) -> tuple[float, int]:
    """Estimate the tail index a of P(|w| > x) ~ x^-a from the k largest magnitudes.

    1/a = mean over the k largest of ln(|w_(i)| / |w_(k+1)|); its relative error is 1/sqrt(k). k is 0.1 % of
    the non-zero values, or 50 where that is less, but never more than 5 %. Exact zeros are set aside: a
    sparse law has the moments that its non-zero part has.

    >>> rng = np.random.default_rng(0)
    >>> index, k = hill(rng.standard_cauchy(100_000))
    >>> round(index, 1), k
    (1.0, 100)
    >>> hill(np.ones(1000))
    (inf, 50)

    Args:
        values: a sample of any shape, signs included.

    Returns:
        (a, k). a is ``inf`` where the tail is one single magnitude or everything is zero; 0 where a value is
        not finite. k = 0 where there are too few values to have a tail.

    Source: Hill 1975, A simple general approach to inference about the tail of a distribution.
    """
    sizes = np.abs(np.asarray(values, dtype=np.float64)).ravel()
    sizes = sizes[sizes != 0.0]
    n = sizes.size
    k = max(int(n * TAIL), min(_ENOUGH, n // _LARGEST_SHARE))
    # NaN and infinity carry over into the sum of values (largest would miss NaN under some comparisons).
    if n and not np.all(np.isfinite(sizes)):
        return 0.0, k
    if k == 0:
        return math.inf, 0
    top = np.partition(sizes, n - k - 1)[n - k - 1 :]
    mean = float(np.mean(np.log(top[1:] / top[0])))
    return (1.0 / mean if mean > 0.0 else math.inf), k


def second_moment_shown(values: npt.ArrayLike) -> bool:
    """Whether the sample shows that a second moment exists: a - 3a/sqrt(k) > 2.

    Wrong with probability about 10^-3 at a = 2 (three standard errors). Shows it for a normal, a uniform, a
    constant or a Laplace law from about 2,000 values, for Student's t with 5 degrees of freedom from 5,000 to
    20,000; at 3 degrees it takes 100,000 and more, and at 2 or fewer it never is.
    Values all zero count as bounded. Fewer than 200 non-zero values show nothing.

    >>> rng = np.random.default_rng(0)
    >>> second_moment_shown(rng.normal(size=100_000)), second_moment_shown(rng.standard_cauchy(100_000))
    (True, False)
    """
    sizes = np.asarray(values)
    if sizes.size and not np.any(sizes):
        return True
    index, k = hill(values)
    if k < 10:  # 3/sqrt(k) is then nearly 1 or more: no index, however large, would count
        return False
    return math.isinf(index) or index * (1.0 - 3.0 / math.sqrt(k)) > 2.0
