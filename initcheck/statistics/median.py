"""Exact sign test of a median, at three looks whose errors add up to what is allowed."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.statistics.ledger import Decision, Judgement

# Deviations by which a share may turn out better than predicted before nothing more is hoped for, of later looks and
# of fresh values.
_FUTILE, _REPEATED = 2.5, 1.0


def median_log_p(k: int, n: int) -> float:
    """Probability, as a natural log, of k or more values beyond the median among n: P(Bin(n, 1/2) >= k).

    >>> round(math.exp(median_log_p(12, 12)) * 2**12, 9)
    1.0
    >>> round(median_log_p(5_100_000, 10_000_000), 1)
    -2005.2
    """
    if k <= 0:
        return 0.0
    if k > n:
        return -math.inf
    if 2 * k <= n:  # the complement is the small tail, and the law is symmetric
        return math.log1p(-math.exp(median_log_p(n - k + 1, n)))
    largest = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2.0)
    # Terms fall by (n-i)/(i+1) < 1 from i = k on; forty standard deviations of them hold all that counts.
    i = np.arange(k, min(n, k + 1000 + 40 * math.isqrt(n)), dtype=np.float64)
    return largest + math.log1p(float(np.cumprod((n - i) / (i + 1.0)).sum()))


def looks(error: float) -> tuple[int, int, int]:
    """Numbers of values at which to look so that the first look can decide at a given error.

    The first is the smallest n with 2^-n <= error/4 (two edges, half of the error kept for later looks), then
    13/6 and 4.65 times as many.

    >>> looks(1e-3), looks(1e-6), looks(1e-6 / 17 / 2)
    ((12, 26, 56), (22, 48, 102), (28, 61, 130))
    """
    if not 0.0 < error < 1.0:
        raise ValueError(f"error={error!r}: give a probability between 0 and 1")
    first = math.ceil(math.log2(4.0 / error))
    return first, round(first * 13 / 6), round(first * 4.65)


@functools.lru_cache(maxsize=256)
def thresholds(sizes: tuple[int, ...], error: float) -> tuple[int, ...]:
    """Fewest values on one side of an edge that decide at each look, with total error at most ``error``.

    Each look may spend half of what is left, the last one all of it; what discreteness leaves unspent goes
    on. n + 1 where no count of n values suffices.

    >>> thresholds((12, 26, 56), 1e-3)
    (12, 22, 41)
    """
    left = error
    counts = []
    for position, n in enumerate(sizes):
        share = left if position == len(sizes) - 1 else left / 2
        k = next((k for k in range(n // 2 + 1, n + 1) if median_log_p(k, n) <= math.log(share)), n + 1)
        left -= math.exp(median_log_p(k, n))
        counts.append(k)
    return tuple(counts)


def judge_median(
    draw: Callable[[int], npt.NDArray[Any]],
    lo: float,
    hi: float,
    *,
    level: float,
    beta: float = 1e-3,
    screen: bool = True,
    final: bool = False,
) -> Judgement:
    """Draw values until their median is shown to lie within [lo, hi], or shown not to.

    A screen looks at 12, 26 and 56 values (beta = 10^-3) and says HOLDS or FAILS, FAILS looked at first; a
    confirmation (``screen=False``) looks at ``looks(level)`` values and says FAILS or nothing. A screen whose FAILS is
    ``final`` looks at the values of both, as often as each would.
    If the median keeps an edge, a value falls beyond it with probability at most 1/2, whatever the law: the
    number beyond is bounded by a binomial, exactly, and the errors of the three looks are added up.
    No more is drawn where no later look is in reach of either answer, which costs no error rate.

    False alarms: FAILS with probability at most ``level`` (half of it an edge), HOLDS with at most ``beta``
    (all
    of it at each edge: a median outside the band is outside at one edge only).
    Finds: with 90 % of the values beyond an edge, a confirmation at 10^-6 ends by 48 values in five runs of
    six and at 102 in the rest; with 75 %, about half of the runs end in FAILS.

    >>> judge_median(lambda n: np.zeros(n), -1.0, 1.0, level=1e-2).groups
    12
    >>> judge_median(lambda n: np.full(n, 2.0), -1.0, 1.0, level=1e-6, final=True).groups
    22

    Args:
        draw: draw(n) gives the next n values, shape (n,); fewer where the caller's budget ends. NaN lies
            nowhere.
        lo, hi: the band of the median.
        level: probability of a false FAILS.
        beta: probability of a false HOLDS.
        screen: whether HOLDS is asked too.
        final: whether a FAILS of a screen is what it says, at a level that was paid for.

    Returns:
        A Judgement with -log10 of the exact p-value of the deciding look in place of an e-value.

    Raises:
        ValueError: lo >= hi.
    """
    if not lo < hi:
        raise ValueError(f"the band [{lo}, {hi}]: the lower edge comes first")
    beyond, inside = _needed(level, beta, screen=screen, final=final)
    values = np.empty(0)
    decision, ln_p, taken = Decision.UNDECIDED, 0.0, 0
    for n in sorted({*beyond, *inside}):
        values = np.append(values, draw(n - len(values)))
        if len(values) < n:
            break
        taken += 1
        out, kept = _beyond_and_inside(values, lo, hi)
        if out >= beyond.get(n, n + 1):
            decision, ln_p = Decision.FAILS, min(0.0, median_log_p(out, n) + math.log(2.0))
            break
        if kept >= inside.get(n, n + 1):
            decision, ln_p = Decision.HOLDS, median_log_p(kept, n)
            break
        against = min(0.0, median_log_p(out, n) + math.log(2.0))
        ln_p = min(against, median_log_p(kept, n)) if screen else against
        if not (_in_reach(out, n, beyond) or _in_reach(kept, n, inside)):
            break
    spent = beta if decision is Decision.HOLDS else level
    known = values[~np.isnan(values)]
    with np.errstate(invalid="ignore"):  # the median of -inf and inf is undefined, and says so
        measured = float(np.median(known)) if len(known) else math.nan
    return Judgement(decision, -ln_p / math.log(10.0), spent, measured, taken, len(values))


def worth_repeating(values: npt.NDArray[Any], lo: float, hi: float, *, level: float, beta: float) -> bool:
    """Whether as many fresh values may well show what these left open: a FAILS at a level, or a HOLDS at beta.

    >>> [worth_repeating(np.linspace(-1, 1, 60) + at, -0.5, 0.5, level=1e-8, beta=1e-3) for at in (0.0, 0.5)]
    [True, False]
    """
    beyond, inside = _needed(level, beta, screen=True, final=True)
    out, kept = _beyond_and_inside(values, lo, hi)
    return _in_reach(out, len(values), beyond, anew=True) or _in_reach(kept, len(values), inside, anew=True)


def _needed(level: float, beta: float, *, screen: bool, final: bool) -> tuple[dict[int, int], dict[int, int]]:
    """By number of values, how many beyond an edge show FAILS there, and how many inside show HOLDS."""
    held = looks(beta)
    failed = looks(level) if final or not screen else held
    beyond = dict(zip(failed, thresholds(failed, level / 2), strict=True))
    return beyond, dict(zip(held, thresholds(held, beta), strict=True)) if screen else {}


def _beyond_and_inside(values: npt.NDArray[Any], lo: float, hi: float) -> tuple[int, int]:
    """The most beyond either edge, and the fewest on the inner side of either."""
    out = max(int((values > hi).sum()), int((values < lo).sum()))
    return out, min(int((values < hi).sum()), int((values > lo).sum()))


def _in_reach(count: int, n: int, needed: Mapping[int, int], *, anew: bool = False) -> bool:
    """Whether a later look may have what it needs, after so many of n values; or a look at fresh ones (``anew``).

    The share among m values is predicted by that among the first n with a variance of p (1 - p) (1/n - 1/m), by that
    among n others with 1/n + 1/m: in reach is what lies 2.5 such deviations on the favourable side, or one.

    >>> _in_reach(30, 60, {130: 96}), _in_reach(45, 60, {130: 96}), _in_reach(60, 60, {60: 44})
    (False, True, False)
    """
    share = (count + 0.5) / (n + 1)
    for m, needs in needed.items():
        variance = share * (1 - share) * (1 / n + 1 / m if anew else 1 / n - 1 / m)
        reach = _REPEATED if anew else _FUTILE
        if (anew or m > n) and needs <= m and m * (share + reach * math.sqrt(variance)) >= needs:
            return True
    return False
