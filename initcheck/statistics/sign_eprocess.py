"""The sign e-process: how often an event happens, against how often it may, rare events among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.statistics.mean_bets import average_log_e

CLAUSE = 0.7
"""What HOLDS assumes: where the true value is outside an edge, a group lies on its inner side at most this often.

The other way round it is what FAILS assumes of a statistic that is no mean. FAILS of a mean rests on bets instead
(``mean_bets``): above the band on no assumption, below it on one about what is too rare to be drawn.

Without the clause, what HOLDS shows is that more than this share of the groups lie inside each edge: another statement
than one about the mean, where the typical group is not near it. Of a mean no HOLDS is said that the mean over all calls
so far contradicts: a guard where the rare part was drawn, and none where it was not. So a wrong HOLDS remains where the
second moment is carried by what the run did not draw: at the quick profile outliers that double it are found at a rate
of 1e-5 a weight, mostly missed at 1e-6 and always at 1e-8; calls that double it are found at one in 100 and missed at
one in 10,000. `tests/long/power/clause_attacks.py` lists laws that break it, with what the checker says of each.
"""

RARE = 1e-3
"""The rate up to which an event counts as rare."""

_NOT_RARE = (2, 5, 10, 20, 50)

LOOK_EVERY = 8
"""Base groups between looks: only then are the merged groups of all scales complete."""

_Q = (0.1, 0.4, 0.64, 0.8, 0.9, 0.96, 1.0)
_V = (0.4 / 6,) * 6 + (0.6,)
_SCALES = (1, 2, 4, 8)
_SCALE_WEIGHTS = (0.7, 0.1, 0.1, 0.1)

Floats = npt.NDArray[np.float64]


def log_e(k: npt.ArrayLike, n: npt.ArrayLike, p0: float) -> Floats:
    """Evidence that an event is more frequent than p0: ln E for k events in n independent trials.

    E = sum_j v_j (p_j/p0)^k ((1-p_j)/(1-p0))^(n-k), p_j = p0 + (1-p0) q_j, with q = 0.1, 0.4, 0.64, 0.8, 0.9,
    0.96 of weight 0.4/6 each and q = 1 of weight 0.6. Every term has conditional mean at most 1 a trial where
    P(event) <= p0, and so has their average: P(E >= 1/a at any n) <= a (Ville 1939).
    Finds: events without exception reach 10^6 in 40 trials at p0 = 0.7, in 21 at 0.5, in 5 at 0.05.

    >>> round(float(log_e(24, 24, 0.7)), 2)
    8.21
    >>> log_e([0, 5_000_000], 10_000_000, 0.5).round()
    array([-1053608.,   -50254.])

    Args:
        k: events seen, array or number.
        n: trials, broadcast against k.
        p0: the largest probability under the null hypothesis, in (0, 1).

    Returns:
        ln E, in the broadcast shape.

    Source: Ville 1939; Shafer 2021; Ramdas et al. 2023 (arXiv 2210.01948), section 3 (mixtures).
    """
    if not 0.0 < p0 < 1.0:
        raise ValueError(f"p0={p0!r}: the probability under the null hypothesis lies between 0 and 1")
    hits = np.asarray(k, dtype=np.float64)
    misses = np.asarray(n, dtype=np.float64) - hits
    # (1-p_j)/(1-p0) is exactly 1-q_j. The last q = 1 is ruined by a single miss; 0 * -inf would be NaN there.
    terms = [hits * math.log1p((1 - p0) / p0 * q) + misses * math.log1p(-q) for q in _Q[:-1]]
    terms.append(np.where(misses == 0.0, -hits * math.log(p0), -np.inf))
    return average_log_e(terms, _V)


def rare_log_e(k: npt.ArrayLike, n: npt.ArrayLike) -> Floats:
    """Evidence that an event is not rare: ln E for k events in n calls against P(event) <= 0.001.

    The sign e-process with weight 0.8, and likelihood ratios of 2, 5, 10, 20 and 50 times that rate with 0.04 each, for
    events that are neither rare nor frequent.

    False alarms: P(E >= 1/a at any n) <= a. Finds: three events in the first three calls are 10^8.8; an event in every
    tenth call reaches 10^6 in about 40 calls, one in a hundred 10^8 in about 1,500.

    >>> round(float(rare_log_e(3, 3)) / math.log(10), 1)
    8.8

    Source: Ville 1939; the sign e-process, ``log_e``.
    """
    hits = np.asarray(k, dtype=np.float64)
    misses = np.asarray(n, dtype=np.float64) - hits
    rates = [times * RARE for times in _NOT_RARE]
    ratios = [hits * math.log(r / RARE) + misses * (math.log1p(-r) - math.log1p(-RARE)) for r in rates]
    return average_log_e([log_e(k, n, RARE), *ratios], (0.8, *(0.2 / len(rates),) * len(rates)))


def excluded_rate(n: int, beta: float = 1e-3, events: int = 0) -> float:
    """Rate excluded by so many events in n trials: at any higher rate, no more have probability below beta.

    Exact, whatever the rate: the p at which P(Bin(n, p) <= events) = beta; without events p = 1 - beta^(1/n), about
    ln(1/beta)/n.

    >>> f"{excluded_rate(300_000):.2g}", f"{excluded_rate(9_231, events=1):.2g}"
    ('2.3e-05', '0.001')

    Raises:
        ValueError: beta is not between 0 and 1, n is negative, or there are more events than trials.

    Source: Clopper & Pearson 1934, one-sided.
    """
    if not 0.0 < beta < 1.0 or n < 0 or not 0 <= events <= n:
        raise ValueError(
            f"n={n!r}, events={events!r}, beta={beta!r}: give a number of trials >= 0, as many events at most, and an"
            " error between 0 and 1"
        )
    if events == n:
        return 1.0
    if events == 0:
        return -math.expm1(math.log(beta) / n)
    i = np.arange(events + 1, dtype=np.float64)
    ways = np.array([math.lgamma(n + 1) - math.lgamma(j + 1) - math.lgamma(n - j + 1) for j in range(events + 1)])
    low, high = events / n, 1.0
    for _ in range(60):
        p = (low + high) / 2
        terms = ways + i * math.log(p) + (n - i) * math.log1p(-p)
        low, high = (p, high) if np.logaddexp.reduce(terms) > math.log(beta) else (low, p)
    return high


def merged_ratios(numer: npt.NDArray[Any], denom: npt.NDArray[Any]) -> list[Floats]:
    """T = numerator / denominator of base groups and of 2, 4, 8 merged; groups along the last axis.

    Merging adds numerators and adds denominators. A group without denominator is NaN: beyond no edge and inside none.
    """
    whole = numer.shape[-1] // LOOK_EVERY * LOOK_EVERY
    found = []
    for scale in _SCALES:
        shape = (*numer.shape[:-1], whole // scale, scale)
        above = np.asarray(numer[..., :whole], dtype=np.float64).reshape(shape).sum(axis=-1)
        below = np.asarray(denom[..., :whole], dtype=np.float64).reshape(shape).sum(axis=-1)
        with np.errstate(all="ignore"):
            found.append(np.where(below == 0.0, np.nan, above / below))
    return found


def merged_log_e(beyond: Sequence[npt.NDArray[np.bool_]]) -> Floats:
    """Sign e-processes of base groups and of 2, 4 and 8 of them merged, averaged: ln E at every multiple of 8 groups.

    Small groups decide gross defects in few calls; merged groups sharpen the statistic, so that a value just
    beyond the edge ends up beyond it in nearly every group. At a multiple of 8 base groups all merged groups
    are complete: there each scale's process is a supermartingale of what was drawn so far (a merged group is
    independent of the earlier ones), and so is the average with the weights 0.7, 0.1, 0.1, 0.1. Between such
    looks it is none, hence no look is taken there. False alarms and size of defect: as in ``log_e`` at the clause,
    with 1/0.7 times the e-value to reach; a value 1.1 times beyond the edge is found in about 210 groups of 256
    normal weights at 10^-6, where base groups alone need 280.

    >>> ratios = [np.full(24 // scale, 1.5) for scale in (1, 2, 4, 8)]
    >>> merged_log_e([ratio > 1.25 for ratio in ratios]).round(2)
    array([2.34, 5.05, 7.85])

    Args:
        beyond: which groups fall beyond the edge, one array (..., groups) a scale.

    Returns:
        ln E, shape (..., looks).

    Source: Ramdas et al. 2023 (arXiv 2210.01948), section 3; Ville 1939.
    """
    looks = beyond[-1].shape[-1]
    shape = (*beyond[-1].shape[:-1], looks)
    a_look = [LOOK_EVERY // scale for scale in _SCALES]
    per_look = [events.reshape(*shape, n).sum(axis=-1) for events, n in zip(beyond, a_look, strict=True)]
    hits = np.cumsum(np.stack(per_look), axis=-1)
    trials = np.outer(a_look, np.arange(1, looks + 1))
    trials = trials.reshape(len(a_look), *(1,) * (len(shape) - 1), looks)
    return average_log_e(log_e(hits, trials, CLAUSE), _SCALE_WEIGHTS)


def first_groups(threshold: float) -> int:
    """Return the fewest base groups, a multiple of 8, at which groups without exception reach a log e-value.

    >>> first_groups(math.log(1e3)), first_groups(math.log(4 * 17 * 2 / 1e-6))
    (24, 56)
    """
    # The base groups' q = 1 term alone, weights 0.7 and 0.6: the rest adds a few per cent.
    needed = (threshold - math.log(_SCALE_WEIGHTS[0] * _V[-1])) / -math.log(CLAUSE)
    return max(LOOK_EVERY, math.ceil(needed / LOOK_EVERY) * LOOK_EVERY)
