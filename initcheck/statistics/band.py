"""A value against a band: is it inside, is it beyond an edge, and when is enough drawn to say so."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.statistics.ledger import Decision, Judgement
from initcheck.statistics.mean_bets import above_log_e, below_log_e
from initcheck.statistics.sign_eprocess import LOOK_EVERY, first_groups, merged_log_e, merged_ratios

GROUP_WEIGHTS = 256
"""Weights of the smallest group of calls: there the clause of the sign e-process was measured."""

# Groups at which an early start looks at bets, before the first look at signs.
_EARLY = (1, 4)
# Standard deviations by which the mean of a whole budget may turn out better than it looks before no more is drawn.
_FUTILE = 2.5
# ln E that a mixture of scales and fractions starts below zero.
_MIXED = 2.0

Floats = npt.NDArray[np.float64]
DrawGroups = Callable[[int], tuple[npt.NDArray[Any], npt.NDArray[Any]]]


@dataclass(frozen=True)
class BandEvidence:
    """What the groups say about a band [lo, hi]: ln E of four one-sided statements.

    Arrays (..., looks).

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

        No factor 2: a value outside the band is outside at one edge, and HOLDS needs that edge's process.
        """
        return np.minimum(self.inside_lo, self.inside_hi)


def band_paths(
    numer: npt.NDArray[Any],
    denom: npt.NDArray[Any],
    lo: float,
    hi: float,
    *,
    mean_statistic: bool = False,
) -> BandEvidence:
    """Evidence about a band at every look (multiples of 8 base groups), arrays of shape (..., looks).

    Args:
        numer, denom: one entry a base group along the last axis; T = numer/denom.
        lo, hi: the band; -inf and inf leave an edge out.
        mean_statistic: T is non-negative and its expectation *is* the judged value (a mean of per-call values
            over a fixed number of calls). Then ``above`` and ``below`` are bets on T (``mean_bets``), which need no
            clause above and hardly any below, and find 100 times the edge at the first look. Not for ratios of sums,
            whose mean is biased.

    Raises:
        ValueError: lo >= hi, or a mean statistic that is negative or has no positive upper edge.
    """
    if not lo < hi:
        raise ValueError(f"the band [{lo}, {hi}]: the lower edge comes first")
    ratios = merged_ratios(numer, denom)
    # A value exactly on an edge counts for neither side, so that it is evidence of nothing.
    # One path of four processes: at these sizes every NumPy call costs more than its arithmetic.
    beyond = [np.stack((t < lo, t > hi, t > lo, t < hi)) for t in ratios]
    evidence = BandEvidence(*merged_log_e(beyond))
    if not mean_statistic:
        return evidence
    below, above = _bets(np.asarray(numer)[..., None], np.asarray(denom)[..., None], lo, hi)
    at_looks = np.s_[..., LOOK_EVERY - 1 :: LOOK_EVERY]
    return replace(evidence, below=below[at_looks], above=above[at_looks])


def _bets(numer: npt.NDArray[Any], denom: npt.NDArray[Any], lo: float, hi: float) -> tuple[Floats, Floats]:
    """Bet on the values of single calls, arrays (..., groups, calls a group): ln E below and above after each group."""
    with np.errstate(all="ignore"):
        t = np.where(denom == 0.0, np.nan, np.divide(numer, denom))
    every = t.shape[-1]
    calls = t.reshape(*t.shape[:-2], -1)
    return below_log_e(calls, lo, every=every), above_log_e(calls, hi, every=every)


def _bets_within(numer: npt.NDArray[Any], denom: npt.NDArray[Any], lo: float, hi: float) -> Floats:
    """The smaller ln E of 'the mean is above lo' and 'below hi' at every look: outside, one of the two is wrong."""
    below_hi, above_lo = _bets(numer, denom, hi, lo)
    return np.asarray(np.minimum(above_lo, below_hi)[LOOK_EVERY - 1 :: LOOK_EVERY])


def _means(numer: npt.NDArray[Any], denom: npt.NDArray[Any]) -> Floats:
    """The mean over all calls so far, at every look: the guard of a mean statistic against the clause.

    Where few groups carry the mean, most groups may lie beyond an edge though it does not, and the other way round.
    A guard only ever takes a decision back, so it costs no error rate.
    """
    with np.errstate(all="ignore"):
        mean = np.cumsum(numer.sum(axis=1)) / np.cumsum(denom.sum(axis=1))
    return np.asarray(mean[LOOK_EVERY - 1 :: LOOK_EVERY])


def judge_band(
    draw: DrawGroups,
    lo: float,
    hi: float,
    *,
    level: float,
    beta: float = 1e-3,
    first: int | None = None,
    max_groups: int,
    fails_only: bool = False,
    mean_statistic: bool = False,
    early: bool | None = None,
    below_after: int = 0,
    at_once: bool = False,
    bets_beta: float = 0.0,
    bets_after: int = 0,
    holds_no_more: bool = False,
    from_below: bool = True,
    confirmed_at: float | None = None,
) -> Judgement:
    """Draw groups until a value is shown to keep a band, or shown to leave it, or the budget is spent.

    FAILS when the average e-value of both edges reaches 1/level (one edge: 2/level); looked at before HOLDS,
    which needs both 'inside' processes at 1/beta. Every multiple of 8 base groups is a look. Half as many
    groups again are drawn each time, a quarter after an early start.

    Of a mean statistic FAILS is what bets on single calls show, at both edges, and signs decide HOLDS: in a few groups,
    where groups are much alike. Where they are not, as of calls that share a scale, bets decide HOLDS too after
    ``bets_after`` groups: that the mean lies above the lower edge, whatever the law, and below the upper one, as of
    ``below_log_e``. No HOLDS is said that the mean over all groups so far contradicts, and no FAILS from below that
    the mean over all that was drawn does: a huge value may come in the same batch after the look. An early start looks
    at the bets after 1 and 4 groups too, where there is no look at the signs.

    Of a mean statistic no more is drawn where neither answer is in reach of the budget.

    False alarms: FAILS with probability at most ``level`` where the value keeps the band, HOLDS with at most
    ``beta`` where it leaves the band, over all looks, given the clause, and ``bets_beta`` more, given
    what ``below_log_e`` assumes; FAILS of a mean above the
    band without any, below it given that of ``below_log_e``.
    Finds, at 256 normal weights a group and level 10^-6: 1.5 times the edge in 18,000 weights (24 groups to
    screen, 48 to confirm), 1.1 times in 82,000; a value in the middle of [0.8, 1.25] HOLDS after 7,000. Where
    calls hold 16 weights or fewer and are given one by one, the bets confirm 1.5 times the edge in 1,100
    weights, 3.7 times the bound ln(1/level)/KL of a test that knows both laws.

    >>> rng = np.random.default_rng(0)
    >>> def energies(n):
    ...     return (rng.normal(0.0, 2.0, (n, 256)) ** 2).mean(axis=1), np.ones(n)
    >>> judgement = judge_band(energies, 0.8, 1.25, level=1e-6, max_groups=200)
    >>> judgement.decision.name, round(judgement.measured)
    ('FAILS', 4)

    Args:
        draw: draw(n) gives numerators and denominators of the next n base groups, shape (n,) each, or call
            by call, shape (n, calls a group): signs are of the groups' sums, bets on the calls, which decides
            small calls much sooner. Fewer groups where the caller's own budget ends.
        lo, hi: the band.
        level: probability of a false FAILS.
        beta: probability of a false HOLDS.
        first: groups of the first batch; where nothing is said the fewest that can decide, 24 for 10^-3.
        max_groups: the budget.
        fails_only: a confirmation: never says HOLDS.
        mean_statistic: see ``band_paths``.
        early: whether to look at 1, 4, 8, 16 and 32 groups before the first batch, for gross defects of a
            mean statistic. Where nothing is said a confirmation does and a screen does not: a sound value
            needs 24 groups anyway.
        below_after: groups of a mean statistic before which it is not failed from below: what is too rare to be drawn
            may carry a mean, and the more was drawn the rarer it must be.
        at_once: what an early start looks at is drawn with the first batch, where it is there already.
        bets_beta: probability of a false HOLDS by bets on a mean statistic; 0 for none.
        bets_after: groups before which no HOLDS rests on them, as for ``below_after``; the last look of a smaller
            budget.
        holds_no_more: a HOLDS is of no use any more, so that draws are worth while for a FAILS alone.
        from_below: whether a FAILS from below will be believed, so that draws are worth while for it.
        confirmed_at: the level at which a FAILS of a screen must be confirmed in the same budget, so that draws are
            worth while only where that is in reach; None where ``level`` is all that is asked.

    Raises:
        ValueError: a budget below 8 groups, or as in ``band_paths``.

    Source: Ville 1939; Ramdas et al. 2023 (arXiv 2210.01948); Waudby-Smith & Ramdas 2024 (arXiv 2010.09686)
    for the bets.
    """
    if max_groups < LOOK_EVERY:
        raise ValueError(f"max_groups={max_groups}: the first look is taken at {LOOK_EVERY} groups")
    against, in_favour = -math.log(level), -math.log(beta)
    if first is None:
        first = first_groups(against + 2 * math.log(2.0) if fails_only else in_favour)
    early = mean_statistic and (fails_only if early is None else early)
    numer, denom = np.empty((0, 1)), np.empty((0, 1))
    decision, ln_e, looks, seen, held_at = Decision.UNDECIDED, 0.0, 0, 0, beta
    # A mean is failed from below after that many groups, on what the first look showed that was enough.
    least, bets_after = (min(n, max_groups // LOOK_EVERY * LOOK_EVERY) for n in (below_after, bets_after))
    crossed: float | None = None
    looked_early = _EARLY if early and at_once else ()
    for total in _totals(first, max_groups, early=early, at_once=at_once):
        more_numer, more_denom = (np.asarray(a, dtype=np.float64) for a in draw(total - len(numer)))
        more_numer, more_denom = (a.reshape(len(a), -1) if len(a) else a for a in (more_numer, more_denom))
        if len(more_numer):
            numer = np.concatenate([numer, more_numer]) if len(numer) else more_numer
            denom = np.concatenate([denom, more_denom]) if len(denom) else more_denom
        evidence = band_paths(numer.sum(axis=1), denom.sum(axis=1), lo, hi)
        mean, within, too_large = np.full(len(evidence.fails), np.nan), None, False
        if mean_statistic:
            below, above = _bets(numer, denom, lo, hi)
            bets_hold = bets_beta > 0 and not fails_only and len(numer) >= bets_after and lo > 0
            within = _bets_within(numer, denom, lo, hi) if bets_hold else None
            before = (len(below),) if total < LOOK_EVERY else looked_early
            for n in (n for n in before if 0 < n <= len(below)):
                looks += 1
                b, a = below[n - 1], above[n - 1]
                ln_e = float(BandEvidence(b, a, 0.0, 0.0).fails)
                crossed = ln_e if crossed is None and ln_e >= against else crossed
                if ln_e >= against and not (n < least and b > a):
                    decision = Decision.FAILS
                    break
            looked_early = ()
            mean = _means(numer, denom)
            too_large = float(mean[-1]) >= lo if len(mean) else False
            at_looks = np.s_[LOOK_EVERY - 1 :: LOOK_EVERY]
            evidence = replace(evidence, below=below[at_looks], above=above[at_looks])
        paths = zip(evidence.fails[seen:], evidence.holds[seen:], strict=True)
        for against_now, for_now in paths if decision is Decision.UNDECIDED else ():
            so_far, lower = mean[seen], evidence.below[seen] > evidence.above[seen]
            looks, seen = looks + 1, seen + 1
            crossed = float(against_now) if crossed is None and against_now >= against else crossed
            if against_now >= against and not (lower and (too_large or seen * LOOK_EVERY < least)):
                decision = Decision.FAILS
            elif not fails_only and for_now >= in_favour and not (so_far < lo or so_far > hi):
                decision, ln_e = Decision.HOLDS, float(for_now)
            elif within is not None and seen * LOOK_EVERY >= bets_after and within[seen - 1] >= -math.log(bets_beta):
                decision, ln_e, held_at = Decision.HOLDS, float(within[seen - 1]), bets_beta
            else:
                ln_e = float(against_now if fails_only else max(against_now, for_now))
                continue
            break
        if decision is not Decision.UNDECIDED or len(numer) < total:
            break
        if mean_statistic and total < max_groups:
            for_bets = min(in_favour, -math.log(bets_beta)) if bets_beta else in_favour
            in_reach = None if fails_only or holds_no_more else for_bets
            band = (lo if from_below else -math.inf, hi)
            asked = against if confirmed_at is None else max(against, -math.log(confirmed_at))
            inside = in_reach is not None and (not len(mean) or lo <= mean[-1] <= hi)
            signs = inside and _signs_may_hold(evidence.holds, max_groups, in_favour)
            if not signs and _out_of_reach(numer, denom, band, (lo, hi), max_groups, asked, in_reach):
                break
    if decision is Decision.FAILS and crossed is not None:
        ln_e = crossed
    with np.errstate(all="ignore"):
        measured = float(np.divide(numer.sum(), denom.sum()))
    spent = held_at if decision is Decision.HOLDS else level
    return Judgement(decision, ln_e / math.log(10.0), spent, measured, looks, len(numer))


def _signs_may_hold(holds: Floats, max_groups: int, in_favour: float) -> bool:
    """Whether signs of groups come to a HOLDS within the budget, if they go on as they did: ln E grows with the groups.

    >>> _signs_may_hold(np.array([0.3, 2.9]), 64, 6.9), _signs_may_hold(np.array([0.3, -2.9]), 64, 6.9)
    (True, False)
    """
    if not len(holds):
        return True
    return (float(holds[-1]) + _MIXED) * max_groups / (len(holds) * LOOK_EVERY) >= in_favour + _MIXED


def _out_of_reach(
    numer: Floats,
    denom: Floats,
    band: tuple[float, float],
    inner: tuple[float, float],
    max_groups: int,
    against: float,
    in_favour: float | None,
) -> bool:
    """Whether neither answer is to be expected within the budget, so that more draws would only cost time.

    Bets on N calls of deviation s whose mean lies e beyond an edge are expected to reach N e^2/(2 s^2) at most, in
    units of ln E, and so are bets for a HOLDS whose mean lies e within both edges; signs of groups need more than that,
    but where groups are skewed (``_signs_may_hold``).
    The mean of all N calls is predicted by that of the first n with a deviation of s sqrt(1/n - 1/N), and taken for e
    is what lies 2.5 of these to the favourable side. A rule of when to stop without an answer costs no error rate; of
    what would have been found in half of the runs it gives up 1 in 100.
    A huge value that came early makes the deviation large where signs of groups would hold: but then it makes the mean
    leave the band too, and no HOLDS is said that the mean contradicts. Of 540 runs of three laws with one call of 1,000
    huge, at the budgets of layers of 13,000 to 65,000 weights, 54 were stopped, 1 of them with its mean inside.

    >>> rng = np.random.default_rng(0)
    >>> at = lambda mean: (mean * rng.chisquare(256, (400, 1)) / 256, np.ones((400, 1)))
    >>> [_out_of_reach(*at(mean), (0.8, 1.25), (0.8, 1.25), 585, 18.0, 6.9) for mean in (1.0, 1.25, 1.4)]
    [False, True, False]

    Source: futility in sequential trials, Lan, Simon & Halperin 1982.

    Args:
        numer, denom: of all groups so far, call by call.
        band: outside which it FAILS.
        inner: within which it HOLDS.
        max_groups: the budget.
        against: ln E of FAILS.
        in_favour: ln E of HOLDS; None where that is not asked.
    """
    number, calls = numer.size, max_groups * numer.shape[1]
    with np.errstate(all="ignore"):
        values = numer / denom
        mean, deviation = float(values.mean()), float(values.std())
    if not (0 < deviation < math.inf):
        return False
    error = _FUTILE * deviation * math.sqrt(max(0.0, 1 / number - 1 / calls))
    beyond = max(mean + error - band[1], band[0] - mean + error)
    within = min(inner[1] - mean, mean - inner[0]) + error
    reach = math.sqrt(calls / 2) / deviation
    fails = beyond * reach >= math.sqrt(against)
    return not fails and (in_favour is None or within * reach < math.sqrt(in_favour))


def _totals(first: int, max_groups: int, *, early: bool, at_once: bool) -> list[int]:
    """Groups drawn after each batch: the first, then half as many again, a quarter where bets look early; by 8."""
    limit = max_groups // LOOK_EVERY * LOOK_EVERY
    total = min(limit, math.ceil(first / LOOK_EVERY) * LOOK_EVERY)
    totals = [*(n for n in (*_EARLY, 8, 16, 32) if early and not at_once and n < total), total]
    while totals[-1] < limit:
        step = math.ceil(totals[-1] / (4 if early else 2) / LOOK_EVERY) * LOOK_EVERY
        totals.append(min(limit, totals[-1] + step))
    return totals
