"""The sign e-process: how often a group statistic falls beyond an edge, and what that shows about a band."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.statistics.betting import betting_log_e
from initcheck.statistics.decision import Decision, Judgement
from initcheck.statistics.mixture import average_log_e

__all__ = [
    "CLAUSE",
    "BandEvidence",
    "ScaledSignProcess",
    "band_log_e",
    "band_paths",
    "first_groups",
    "judge_band",
    "log_e",
]

CLAUSE = 0.7
"""The only assumption: where the true value keeps the band, a group is beyond an edge at most this often."""

LOOK_EVERY = 8
"""Base groups between looks: only then are the merged groups of all scales complete."""

_Q = (0.1, 0.4, 0.64, 0.8, 0.9, 0.96, 1.0)
_V = (0.4 / 6,) * 6 + (0.6,)
_SCALES = (1, 2, 4, 8)
_SCALE_WEIGHTS = (0.7, 0.1, 0.1, 0.1)

Floats = npt.NDArray[np.float64]
Draw = Callable[[int], tuple[npt.NDArray[Any], npt.NDArray[Any]]]


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


@dataclass(frozen=True)
class ScaledSignProcess:
    """Sign e-processes of base groups and of 2, 4 and 8 of them merged, averaged.

    Small groups decide gross defects in few calls; merged groups sharpen the statistic, so that a value just
    beyond the edge ends up beyond it in nearly every group. At a multiple of 8 base groups all merged groups
    are
    complete: there each scale's process is a supermartingale of what was drawn so far (a merged group is
    independent of the earlier ones), and so is the average with the weights 0.7, 0.1, 0.1, 0.1. Between such
    looks it is none, hence no look is taken there.

    >>> ratios = [np.full(24 // scale, 1.5) for scale in (1, 2, 4, 8)]
    >>> ScaledSignProcess(0.7).path([ratio > 1.25 for ratio in ratios]).round(2)
    array([2.34, 5.05, 7.85])

    Attributes:
        p0: the clause: probability of falling beyond the edge under the null hypothesis, at every scale.
    """

    p0: float = CLAUSE

    @staticmethod
    def ratios(numer: npt.NDArray[Any], denom: npt.NDArray[Any]) -> list[Floats]:
        """T = numerator / denominator of base groups and of 2, 4, 8 merged; groups along the last axis.

        Merging adds numerators and adds denominators. A group without denominator is NaN: beyond no edge and
        inside none.
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

    def path(self, beyond: Sequence[npt.NDArray[np.bool_]]) -> Floats:
        """Log E at every multiple of 8 base groups, shape (..., looks); ``beyond``: one array a scale."""
        looks = beyond[-1].shape[-1]
        shape = (*beyond[-1].shape[:-1], looks)
        a_look = [LOOK_EVERY // scale for scale in _SCALES]
        per_look = [events.reshape(*shape, n).sum(axis=-1) for events, n in zip(beyond, a_look, strict=True)]
        hits = np.cumsum(np.stack(per_look), axis=-1)
        trials = np.outer(a_look, np.arange(1, looks + 1)).reshape(-1, *(1,) * (len(shape) - 1), looks)
        return average_log_e(log_e(hits, trials, self.p0), _SCALE_WEIGHTS)


@dataclass(frozen=True)
class BandEvidence:
    """What the groups say about a band [lo, hi]: ln E of four one-sided statements.

    Floats from ``band_log_e`` (the last look), arrays (..., looks) from ``band_paths``.

    Attributes:
        below: for 'the value is below lo'.
        above: for 'the value is above hi'.
        inside_lo: for 'the value is not below lo'.
        inside_hi: for 'the value is not above hi'.
    """

    below: Any
    above: Any
    inside_lo: Any
    inside_hi: Any

    @property
    def fails(self) -> Any:
        """ln E against the band: the average of both edges, so that two edges cost a factor 2."""
        return np.logaddexp(self.below, self.above) - math.log(2.0)

    @property
    def holds(self) -> Any:
        """ln E for the band: the smaller of the two.

        No factor 2: a value outside the band is outside at one edge, and HOLDS needs that edge's process to
            cross.
        """
        return np.minimum(self.inside_lo, self.inside_hi)


def band_paths(
    numer: npt.NDArray[Any],
    denom: npt.NDArray[Any],
    lo: float,
    hi: float,
    p0: float = CLAUSE,
    *,
    mean_statistic: bool = False,
    holds_within: tuple[float, float] | None = None,
) -> BandEvidence:
    """Evidence about a band at every look (multiples of 8 base groups), arrays of shape (..., looks).

    Args:
        numer, denom: one entry a base group along the last axis; T = numer/denom.
        lo, hi: the band; -inf and inf leave an edge out.
        p0: the clause.
        mean_statistic: T is non-negative and its expectation *is* the judged value (a mean of per-call values
            over a fixed number of calls). Then ``above`` is half the sign process and half a betting process
            on T/hi - 1, which needs no clause and finds 100 times the edge at the first look. Not for ratios
            of sums, whose mean is biased. There is no such process at the lower edge: T is not bounded above,
            and a mean carried by rare huge values cannot be excluded.
        holds_within: a wider band for the two 'inside' processes; [lo, hi] where nothing is said.

    Raises:
        ValueError: lo >= hi, or a mean statistic that is negative or has no positive upper edge.
    """
    inner_lo, inner_hi = holds_within or (lo, hi)
    if not (lo < hi and inner_lo < inner_hi):
        raise ValueError(
            f"the band [{lo}, {hi}], holds within [{inner_lo}, {inner_hi}]: lower edges come first"
        )
    process = ScaledSignProcess(p0)
    ratios = process.ratios(numer, denom)
    # A value exactly on an edge counts for neither side, so that it is evidence of nothing.
    # One path of four processes: at these sizes every NumPy call costs more than its arithmetic.
    beyond = [np.stack((t < lo, t > hi, t > inner_lo, t < inner_hi)) for t in ratios]
    evidence = BandEvidence(*process.path(beyond))
    if not mean_statistic:
        return evidence
    base = ratios[0]
    if not hi > 0.0 or (base.size and np.nanmin(base, initial=0.0) < 0.0):
        raise ValueError(f"a mean statistic in [{lo}, {hi}] must be >= 0 and have a positive upper edge")
    bets = betting_log_e(base / hi - 1.0, 1.0)[..., LOOK_EVERY - 1 :: LOOK_EVERY]
    return replace(evidence, above=average_log_e([evidence.above, bets]))


def band_log_e(
    numer: npt.NDArray[Any],
    denom: npt.NDArray[Any],
    lo: float,
    hi: float,
    p0: float = CLAUSE,
    *,
    mean_statistic: bool = False,
    holds_within: tuple[float, float] | None = None,
) -> BandEvidence:
    """Evidence about a band at the last multiple of 8 base groups; all zero (E = 1) before the first.

    >>> ones = np.ones(24)
    >>> evidence = band_log_e(ones, ones, 0.8, 1.25)
    >>> bool(evidence.holds > np.log(2e3)), bool(evidence.fails < 0)
    (True, True)

    Arguments and errors as in ``band_paths``, for one sequence of groups.
    """
    paths = band_paths(numer, denom, lo, hi, p0, mean_statistic=mean_statistic, holds_within=holds_within)
    if paths.below.shape[-1] == 0:
        return BandEvidence(0.0, 0.0, 0.0, 0.0)
    return BandEvidence(*(float(p[-1]) for p in (paths.below, paths.above, paths.inside_lo, paths.inside_hi)))


def first_groups(threshold: float, p0: float = CLAUSE) -> int:
    """Return the fewest base groups, a multiple of 8, at which groups without exception reach a log e-value.

    >>> first_groups(math.log(1e3)), first_groups(math.log(4 * 17 * 2 / 1e-6))
    (24, 56)
    """
    # The base groups' q = 1 term alone, weights 0.7 and 0.6: the rest adds a few per cent.
    needed = (threshold - math.log(_SCALE_WEIGHTS[0] * _V[-1])) / -math.log(p0)
    return max(LOOK_EVERY, math.ceil(needed / LOOK_EVERY) * LOOK_EVERY)


def judge_band(
    draw: Draw,
    lo: float,
    hi: float,
    *,
    level: float,
    beta: float = 1e-3,
    first: int | None = None,
    max_groups: int,
    p0: float = CLAUSE,
    fails_only: bool = False,
    mean_statistic: bool = False,
    holds_within: tuple[float, float] | None = None,
) -> Judgement:
    """Draw groups until a value is shown to keep a band, or shown to leave it, or the budget is spent.

    FAILS when the average e-value of both edges reaches 1/level (one edge: 2/level); looked at before HOLDS,
    which needs both 'inside' processes at 1/beta. Every multiple of 8 base groups is a look. Half as many
    groups again are drawn each time. A confirmation (``fails_only``) of a mean statistic begins with 8
    groups: gross defects are decided there, and those 8 are not wasted otherwise. A screen does not: a sound
        value needs 24 anyway.

    False alarms: FAILS with probability at most ``level`` where the value keeps the band, HOLDS with at most
    ``beta`` where it leaves ``holds_within``, over all looks, given the clause (``p0``).
    Finds, at 256 normal weights a group and level 10^-6: 1.5 times the edge in 18,000 weights, 1.1 times in
    70,000; a value in the middle of [0.8, 1.25] HOLDS after 7,000.

    >>> rng = np.random.default_rng(0)
    >>> def energies(n):
    ...     return (rng.normal(0.0, 2.0, (n, 256)) ** 2).mean(axis=1), np.ones(n)
    >>> judgement = judge_band(energies, 0.8, 1.25, level=1e-6, max_groups=200)
    >>> judgement.decision.name, round(judgement.measured)
    ('FAILS', 4)

    Args:
        draw: draw(n) gives numerators and denominators of the next n base groups, shape (n,) each; fewer
            where the caller's own budget ends.
        lo, hi: the band.
        level: probability of a false FAILS.
        beta: probability of a false HOLDS.
        first: groups of the first batch; the fewest that can decide where nothing is said (24 for beta =
            10^-3).
        max_groups: the budget.
        p0: the clause.
        fails_only: a confirmation: never says HOLDS.
        mean_statistic, holds_within: see ``band_paths``.

    Raises:
        ValueError: a budget below 8 groups, or as in ``band_paths``.
    """
    if max_groups < LOOK_EVERY:
        raise ValueError(f"max_groups={max_groups}: the first look is taken at {LOOK_EVERY} groups")
    against, in_favour = -math.log(level), -math.log(beta)
    if first is None:
        first = first_groups(against + 2 * math.log(2.0) if fails_only else in_favour, p0)
    batches = _batches(first, max_groups, early=fails_only and mean_statistic)
    numer, denom = np.empty(0), np.empty(0)
    decision, ln_e, looks = Decision.UNDECIDED, 0.0, 0
    for size in batches:
        more_numer, more_denom = draw(size)
        numer, denom = np.append(numer, more_numer), np.append(denom, more_denom)
        paths = band_paths(numer, denom, lo, hi, p0, mean_statistic=mean_statistic, holds_within=holds_within)
        fails, holds = paths.fails, paths.holds
        for against_now, for_now in zip(fails[looks:], holds[looks:], strict=True):
            looks += 1
            if against_now >= against:
                decision, ln_e = Decision.FAILS, float(against_now)
            elif not fails_only and for_now >= in_favour:
                decision, ln_e = Decision.HOLDS, float(for_now)
            else:
                ln_e = float(against_now if fails_only else max(against_now, for_now))
                continue
            break
        if decision is not Decision.UNDECIDED or len(more_numer) < size:
            break
    with np.errstate(all="ignore"):
        measured = float(np.divide(numer.sum(), denom.sum()))
    spent = beta if decision is Decision.HOLDS else level
    return Judgement(decision, ln_e / math.log(10.0), spent, measured, looks, len(numer))


def _batches(first: int, max_groups: int, *, early: bool) -> list[int]:
    """Sizes of the batches: the first, then half as many again, in multiples of 8, up to the budget."""
    limit = max_groups // LOOK_EVERY * LOOK_EVERY
    total = min(limit, math.ceil(first / LOOK_EVERY) * LOOK_EVERY)
    totals = [LOOK_EVERY, total] if early and total > LOOK_EVERY else [total]
    while totals[-1] < limit:
        step = math.ceil(totals[-1] / 2 / LOOK_EVERY) * LOOK_EVERY
        totals.append(min(limit, totals[-1] + step))
    return [b - a for a, b in zip([0, *totals], totals, strict=False)]
