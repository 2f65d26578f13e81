"""Bets on a mean: e-processes of bounded observations, their averages, and what FAILS of a mean rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BETS = (0.9, 0.5, 0.25, 0.1, 0.04)
"""Fractions of the wealth at stake: 0.9 finds gross defects in a few values, 0.04 small ones in the end."""

REACH = 2.0
"""The only assumption of a bet from below: nothing beyond this multiple of the largest value drawn carries the mean."""

# Caps lie on a grid, so that the data choose among few: between REACH and 1.19 REACH times the largest value.
_STEPS_AN_OCTAVE = 4
_CAPS_IN_QUESTION = 1 + round(_STEPS_AN_OCTAVE * math.log2(REACH))

_LEAST_STEPS = 2
_BETS = np.array(BETS)
# Values on which all bets are made at once: beyond that one after the other, as the arrays would leave the cache.
_FEW = 4_096

# Values whose factors are multiplied before a logarithm is taken, and what is too large for that.
_TOGETHER = 8
_HUGE = 1e30
# How closely a distance is found, from above; how far the search goes from a guess; where it ends, in units of the cap.
_PRECISE = 1.01
_WIDER = 4 / 3
_LEAST = 1e-7

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


def betting_log_e(d: npt.ArrayLike, c: float, *, every: int = 1) -> npt.NDArray[np.float64]:
    """Evidence that the mean of d is above zero: ln E after every observation, or after every so many.

    E_n = mean over bets l of prod_{i<=n} (1 + l d_i / c). Every factor is >= 1 - l > 0 and has conditional
    mean at most 1 where E d <= 0, so each product, and their average, is a non-negative supermartingale.

    False alarms: P(E_n >= 1/a at any n) <= a for every law with d >= -c and mean <= 0; no other assumption.
    Finds: growth ln(1 + 0.9 m/c) a value where d sits at m: with c = 1, m = 0.5 decides at 10^-6 in about 42
    values, m = 99 in 4, and for small m about 2 var(d) ln(1/a) / m^2.
    There is no such test of 'mean below zero' where d is unbounded above: whatever was seen, a value rare
    enough not to have been seen may carry the mean.

    >>> betting_log_e([99.0, 99.0, 99.0, 99.0], c=1.0).round(1)
    array([ 3.6,  7.7, 12.1, 16.5])

    Args:
        d: observations along the last axis, each >= -c. NaN is read as -c, the value that loses most.
        c: the bound, > 0, fixed before the data.
        every: observations from one look to the next; those after the last look are left out.

    Returns:
        ln E, of the shape of d where every observation is looked at.

    Raises:
        ValueError: c is not positive, or an observation is below -c.

    Source: Waudby-Smith & Ramdas 2024 (arXiv 2010.09686), section 4; Ville 1939 for the bound at every n;
    Shafer 2021 for the reading of E as the wealth of a gambler.
    """
    if not c > 0.0:
        raise ValueError(f"c={c!r}: the bound of the observations must be positive")
    ratio = np.asarray(d, dtype=np.float64) / c
    ratio = np.where(np.isnan(ratio), -1.0, ratio)
    if ratio.size and ratio.min() < -1.0 - 1e-9:
        raise ValueError(
            f"an observation of {ratio.min() * c:.6g} is below the bound -c = {-c:.6g}; a larger c is needed"
        )
    every_bet = ratio.size <= _FEW
    parts = [_BETS] if every_bet else [_BETS[n : n + 1] for n in range(len(_BETS))]
    wealth = [_log_wealth(ratio, bets.reshape(-1, *(1,) * (ratio.ndim + 1)), every) for bets in parts]
    gained = wealth[0] if every_bet else np.concatenate(wealth)
    return average_log_e(np.cumsum(gained, axis=-1) if gained.shape[-1] > 1 else gained)


def _log_wealth(ratio: Floats, bets: Floats, every: int) -> Floats:
    """What bets win from look to look, (bets, ..., looks): the sum of ln(1 + bet ratio) over so many values.

    Args:
        ratio: (..., values).
        bets: (bets, .., 1, 1): an axis more than that of ratio has, where each bet is one.
        every: values from one look to the next.
    """
    if every == 1:
        return np.asarray(np.log1p(bets[..., 0] * ratio))
    looks = ratio.shape[-1] // every
    apart = ratio[..., : looks * every].reshape(*ratio.shape[:-1], looks, every)
    some = every // _TOGETHER * _TOGETHER
    if not some or not np.all(apart < _HUGE):
        return np.asarray(np.log1p(bets * apart).sum(axis=-1))
    # A logarithm costs as much as ten products; each factor lies between 0.1 and 10^30.
    factors = bets[..., None] * apart[..., :some].reshape(*apart.shape[:-1], _TOGETHER, -1)
    factors += 1.0
    gained = np.log(factors.prod(axis=-2)).sum(axis=-1)
    return np.asarray(gained if some == every else gained + np.log1p(bets * apart[..., some:]).sum(axis=-1))


def above_log_e(values: npt.ArrayLike, hi: float, *, every: int = 1) -> Floats:
    """Evidence that the mean is above hi: ln E after every value, or after every so many.

    Bets on value/hi - 1, which is at least -1 and has mean at most 0 where the mean keeps the edge. No other
    assumption: a value rare enough not to have been seen only makes the mean larger.

    >>> above_log_e([125.0] * 4, 1.25).round(1)
    array([ 3.6,  7.7, 12.1, 16.5])

    Args:
        values: >= 0, along the last axis. NaN loses the bet.
        hi: the edge, positive; there is no evidence beyond infinity.
        every: values from one look to the next.

    Raises:
        ValueError: a negative value, or an edge that is not positive.
    """
    t = _nonnegative(values, hi)
    if math.isinf(hi):
        return np.full((*t.shape[:-1], t.shape[-1] // every), -np.inf)
    return betting_log_e(t / hi - 1.0, 1.0, every=every)


def below_log_e(values: npt.ArrayLike, lo: float, *, every: int = 1) -> Floats:
    """Evidence that the mean is below lo: ln E after every value, or after every so many.

    No test can exclude a mean that is carried by values too rare to be drawn. The bet is on 1 - value/lo, with values
    cut at a cap of at least REACH times the largest one drawn so far, and the one assumption is that the mean lies
    within that cap: where it is not below lo, neither is the mean of min(value, cap). Then the bet is fair, whatever
    the law. It is false of a gap: where nothing was drawn yet of what is rare and more than REACH times as large as
    all else; so nothing should rest on it before 200 values. Of a tail x^-a it is true but for a factor of about
    exp(REACH^-a/(a - 1)) on E: 2 at a = 1.5, the squares of Student's t with 3 degrees of freedom, and 100 at a = 1.1.
    `tests/long/power/clause_attacks.py` lists laws with such a gap: a trial confirms a second moment below its band on
    2^20
    weights and 200 calls at least, which sees outliers at a rate of 1e-4 a weight that carry half of it, not of 1e-5,
    and one call in ten that does, not for certain one in 100.

    False alarms: given that, P(ln E >= ln 1/a at any n) <= a. The caps that come into question are 5, which is paid.
    Finds: two thirds of the edge in 64 to 96 values of 256 normal weights each at 10^-8, a third of it in 32; of
    single weights, two thirds of it in 2,000.

    >>> below_log_e([0.4] * 40, 0.8).round(1)[[9, 19, 39]]
    array([ 4.2, 11.5, 26.2])

    Args:
        values: >= 0, along the last axis. NaN loses the bet.
        lo: the edge; nothing lies below 0.
        every: values from one look to the next.

    Raises:
        ValueError: a negative value.
    """
    t = _nonnegative(values, 1.0)
    looks = t.shape[-1] // every
    if lo <= 0.0 or not looks or not t.size:
        return np.full((*t.shape[:-1], looks), -np.inf)
    ratio = np.where(np.isnan(t), np.inf, t / lo)[..., : looks * every]
    caps = _caps(np.maximum.accumulate(np.where(np.isinf(ratio), 0.0, ratio), axis=-1)[..., every - 1 :: every])
    found = np.empty(caps.shape)
    for cap in np.unique(caps):
        here = caps == cap
        # No further than this cap is in force: the smaller ones end early.
        stop = int(np.flatnonzero(here.reshape(-1, looks).any(axis=0))[-1]) + 1
        bets = betting_log_e(1.0 - np.minimum(ratio[..., : stop * every], cap), cap - 1.0, every=every)
        np.copyto(found[..., :stop], bets, where=here[..., :stop])
    return found - math.log(_CAPS_IN_QUESTION)


def expected_above_log_e(values: Floats, hi: float, n: int) -> float:
    """Return ln E that the mean is above hi, to be expected after n values of the law of a sample.

    >>> above = expected_above_log_e(np.full(9, 2.5), 1.25, 60)
    >>> round(above, 1), round(float(above_log_e(np.full(60, 2.5), 1.25)[-1]), 1)
    (36.9, 36.9)

    Args:
        values: >= 0, the sample; as many as the largest of n should be among.
        hi: the edge.
        n: how many are drawn.
    """
    # The best bet carries the average.
    return max(n * float(np.log1p(bet * (values / hi - 1.0)).mean()) for bet in BETS) - math.log(len(BETS))


def expected_below_log_e(values: Floats, lo: float, n: int) -> float:
    """Return ln E that the mean is below lo, to be expected after n values of the law of a sample.

    >>> round(expected_below_log_e(np.full(9, 0.4), 0.8, 40), 1)
    26.2

    Args:
        values, n: those of ``expected_above_log_e``.
        lo: the edge.
    """
    cap = float(_caps(values.max() / lo))
    best = max(n * float(np.log1p(bet * (1.0 - values / lo) / (cap - 1.0)).mean()) for bet in BETS)
    return best - math.log(len(BETS) * _CAPS_IN_QUESTION)


def _caps(largest: npt.ArrayLike) -> Floats:
    """The caps of the grid that reach far enough beyond the largest ratios to the edge."""
    with np.errstate(divide="ignore"):
        steps = np.ceil(_STEPS_AN_OCTAVE * np.log2(REACH * np.asarray(largest)))
    # At a cap of 1 there is nothing to lose.
    return np.asarray(2.0 ** (np.maximum(steps, _LEAST_STEPS) / _STEPS_AN_OCTAVE))


def _nonnegative(values: npt.ArrayLike, edge: float) -> Floats:
    t = np.asarray(values, dtype=np.float64)
    if not edge > 0.0 or np.any(t < 0.0):
        raise ValueError(f"a mean statistic with the upper edge {edge} must be >= 0 and have a positive upper edge")
    return t


def signed_log_e(values: npt.ArrayLike, edge: float, largest: float = 0.0, *, every: int = 1) -> Floats:
    """Evidence that the mean of signed values lies above an edge: ln E after every value, or after every so many.

    The bet is on value - edge, with values cut at a cap of at least REACH times the largest magnitude drawn so far.
    Null: the mean is at most the edge. The one assumption is that of ``below_log_e``: nothing beyond the cap carries
    the mean. No law is assumed, skewed or not: of a mean of zero that is made of many small and few huge values the
    huge ones must have been drawn, or ``largest`` must say how large they are elsewhere.

    False alarms: given that, P(ln E >= ln 1/a at any n) <= a; the caps that come into question are 5, which is paid.
    Finds: of values of deviation 1 a mean of 0.04 in about 27,000 at 10^-8, one of 0.3 in 800.

    >>> values = np.random.default_rng(0).normal(0.3, 1.0, 1_000)
    >>> bool(signed_log_e(values, 0.0)[-1] > np.log(1e8)), bool(signed_log_e(-values, 0.0)[-1] < 0)
    (True, True)

    Args:
        values: along the last axis; NaN loses the bet.
        edge: at least 0; evidence that the mean is below -edge is that of the negated values.
        largest: a magnitude that is known to occur, though it may not be among these values.
        every: values from one look to the next.

    Raises:
        ValueError: a negative edge.

    Source: Waudby-Smith & Ramdas 2024 (arXiv 2010.09686), section 4; ``betting_log_e``.
    """
    if edge < 0.0:
        raise ValueError(f"edge={edge!r}: give the distance from zero that is tolerated, at least 0")
    x = np.asarray(values, dtype=np.float64)
    if not x.size:
        return np.full(x.shape, -np.inf)
    cap = _signed_cap(x, largest)
    if cap == 0.0:
        return np.full(x.shape, -np.inf)
    d = np.where(np.isnan(x), -cap, np.clip(x, -cap, cap)) - edge
    return betting_log_e(d, cap + edge, every=every) - math.log(_CAPS_IN_QUESTION)


def mean_within(values: npt.ArrayLike, beta: float, largest: float = 0.0) -> float:
    """The smallest distance from zero that the mean is shown to keep, at error beta.

    For every a the bets on a - value and a + value, each at least -cap, lose on average where the mean lies at a or
    beyond; both must have reached 1/beta. The larger a, the larger their wealth, so that a wrong answer is one at the
    mean itself: no number of tried distances is paid for.

    >>> values = np.random.default_rng(0).normal(0.0, 1.0, 10_000)
    >>> round(mean_within(values, 1e-3), 2)
    0.05

    Args:
        values: independent values. inf is returned where the cap is reached and nothing is shown.
        beta: probability that the mean lies further out.
        largest: as in ``signed_log_e``, with the same assumption.
    """
    x = np.asarray(values, dtype=np.float64)
    cap = _signed_cap(x, largest) if x.size else 0.0
    if not x.size or np.isnan(x).any():
        return math.inf
    if cap == 0.0:
        return 0.0
    needed = -math.log(beta) + math.log(_CAPS_IN_QUESTION)

    sides = np.stack([x, -x])

    def shown(a: float) -> bool:
        return float(betting_log_e((a - sides) / cap, 1.0, every=x.size).min()) >= needed

    if not shown(cap):
        return math.inf
    # Bets on a normal mean would show this.
    likely = abs(float(x.mean())) + math.sqrt(2 * needed / x.size) * float(x.std())
    at = min(max(likely, cap * _LEAST), cap)
    if shown(at):
        high = at
        while high > cap * _LEAST and shown(high / _WIDER):
            high /= _WIDER
        low = high / _WIDER
    else:
        low = at
        while low * _WIDER < cap and not shown(low * _WIDER):
            low *= _WIDER
        high = min(low * _WIDER, cap)
    while high > _PRECISE * low:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


def mean_is_within(values: npt.ArrayLike, distance: float, beta: float) -> bool:
    """Whether the mean is shown to lie within a distance from zero, at error beta: ``mean_within`` of one distance.

    >>> mean_is_within(np.random.default_rng(0).normal(0.0, 1.0, 1_000), 0.25, 1e-3)
    True
    """
    x = np.asarray(values, dtype=np.float64)
    if not x.size or np.isnan(x).any():
        return False
    cap = _signed_cap(x, 0.0)
    if cap <= distance:
        return True
    needed = -math.log(beta) + math.log(_CAPS_IN_QUESTION)
    return float(betting_log_e((distance - np.stack([x, -x])) / cap, 1.0, every=x.size).min()) >= needed


def _signed_cap(values: Floats, largest: float) -> float:
    known = np.abs(values[np.isfinite(values)])
    reach = REACH * max(float(known.max(initial=0.0)), largest)
    # On the same grid as the caps of a bet from below.
    return float(2.0 ** (math.ceil(_STEPS_AN_OCTAVE * math.log2(reach)) / _STEPS_AN_OCTAVE)) if reach > 0 else 0.0
