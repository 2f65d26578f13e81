"""Bets that the mean of non-negative values lies above an edge, or below one: what FAILS of a mean rests on."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from initcheck.statistics.betting import BETS, betting_log_e

__all__ = ["REACH", "above_log_e", "below_log_e", "expected_log_e"]

REACH = 2.0
"""The only assumption of a bet from below: nothing beyond this multiple of the largest value drawn carries the mean."""

# Caps lie on a grid, so that the data choose among few: between REACH and 1.19 REACH times the largest value.
_STEPS_AN_OCTAVE = 4
_CAPS_IN_QUESTION = 1 + round(_STEPS_AN_OCTAVE * math.log2(REACH))

_LEAST_STEPS = 2

Floats = npt.NDArray[np.float64]


def above_log_e(values: npt.ArrayLike, hi: float) -> Floats:
    """Evidence that the mean is above hi: ln E after every value.

    Bets on value/hi - 1, which is at least -1 and has mean at most 0 where the mean keeps the edge. No other
    assumption: a value rare enough not to have been seen only makes the mean larger.

    >>> above_log_e([125.0] * 4, 1.25).round(1)
    array([ 3.6,  7.7, 12.1, 16.5])

    Args:
        values: >= 0, along the last axis. NaN loses the bet.
        hi: the edge, positive; there is no evidence beyond infinity.

    Raises:
        ValueError: a negative value, or an edge that is not positive.
    """
    t = _nonnegative(values, hi)
    if math.isinf(hi):
        return np.full(t.shape, -np.inf)
    return betting_log_e(t / hi - 1.0, 1.0)


def below_log_e(values: npt.ArrayLike, lo: float) -> Floats:
    """Evidence that the mean is below lo: ln E after every value.

    No test can exclude a mean that is carried by values too rare to be drawn. The bet is on 1 - value/lo, with values
    cut at a cap of at least REACH times the largest one drawn so far, and the one assumption is that the mean lies
    within that cap: where it is not below lo, neither is the mean of min(value, cap). Then the bet is fair, whatever
    the law. It is false of a gap: where nothing was drawn yet of what is rare and more than REACH times as large as
    all else; so nothing should rest on it before 200 values. Of a tail x^-a it is true but for a factor of about
    exp(REACH^-a/(a - 1)) on E: 2 at a = 1.5, the squares of Student's t with 3 degrees of freedom, and 100 at a = 1.1.
    `tests/power/clause_attacks.py` lists laws with such a gap: a trial confirms a second moment below its band on 2^20
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

    Raises:
        ValueError: a negative value.
    """
    t = _nonnegative(values, 1.0)
    if lo <= 0.0 or not t.size:
        return np.full(t.shape, -np.inf)
    ratio = np.where(np.isnan(t), np.inf, t / lo)
    caps = _caps(np.maximum.accumulate(np.where(np.isinf(ratio), 0.0, ratio), axis=-1))
    found = np.empty(t.shape)
    for cap in np.unique(caps):
        np.copyto(found, betting_log_e(1.0 - np.minimum(ratio, cap), cap - 1.0), where=caps == cap)
    return found - math.log(_CAPS_IN_QUESTION)


def expected_log_e(values: Floats, lo: float, hi: float, n: int) -> tuple[float, float]:
    """Return ln E that the mean is below lo, and above hi, to be expected after n values of the law of a sample.

    >>> values = np.full(9, 2.5)
    >>> below, above = expected_log_e(values, 0.8, 1.25, 60)
    >>> round(above, 1), round(float(above_log_e(np.full(60, 2.5), 1.25)[-1]), 1)
    (36.9, 36.9)

    Args:
        values: >= 0, the sample; as many as the largest of n should be among.
        lo, hi: the edges.
        n: how many are drawn.
    """
    cap = float(_caps(values.max() / lo))
    below = [n * np.log1p(bet * (1.0 - values / lo) / (cap - 1.0)).mean() for bet in BETS]
    above = [n * np.log1p(bet * (values / hi - 1.0)).mean() for bet in BETS]
    # The best bet carries the average.
    return float(max(below)) - math.log(len(BETS) * _CAPS_IN_QUESTION), float(max(above)) - math.log(len(BETS))


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
