"""Exchangeability: correlations of calls that are symmetric about zero, and ranks among shuffles, whatever the law."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.statistics.mean_bets import betting_log_e
from initcheck.statistics.sign_eprocess import log_e

SLACK = 0.1
"""Correlation that is tolerated: the null hypothesis is |E r| <= 0.1, which rounding and luck never leave."""

SHUFFLES = 19
"""Permutations a draw: its own statistic is one of 20, and strictly largest in one call of 20 at most."""

Floats = npt.NDArray[np.float64]


def call_correlation(x1: npt.NDArray[Any], x2: npt.NDArray[Any], y1: npt.NDArray[Any], y2: npt.NDArray[Any]) -> Floats:
    """Correlate first calls with second calls: r = corr(x1 - x2, y1 - y2).

    Generator 1 gives x1, then y1; generator 2 gives x2, then y2. Where a second call does not depend on the
    first, exchanging x1 and x2 changes nothing but the sign of r: r is symmetric about 0, whatever the law,
    the means, the pattern of zeros or the dependence inside a call. (The plain corr(x1, y1) is not: a mean
    that differs by position, or a fixed sparsity pattern, correlates two calls that are independent.)

    >>> rng = np.random.default_rng(0)
    >>> x1, x2 = rng.normal(size=(2, 3, 1000))
    >>> call_correlation(x1, x2, x1, x2).round(6)
    array([1., 1., 1.])

    Args:
        x1, x2, y1, y2: shape (pairs of generators, weights) each.

    Returns:
        r, shape (pairs,), in [-1, 1]; 0 where a difference is zero throughout.
    """
    if not x1.shape == x2.shape == y1.shape == y2.shape or x1.ndim != 2:
        raise ValueError(
            f"calls of shapes {x1.shape}, {x2.shape}, {y1.shape}, {y2.shape}: expected four times (pairs, weights)"
        )
    first = np.asarray(x1, dtype=np.float64) - np.asarray(x2, dtype=np.float64)
    second = np.asarray(y1, dtype=np.float64) - np.asarray(y2, dtype=np.float64)
    # Centring keeps the symmetry (it commutes with the change of sign), but one weight alone has no spread.
    if first.shape[1] > 2:
        first -= first.mean(axis=1, keepdims=True)
        second -= second.mean(axis=1, keepdims=True)
    product = np.einsum("ij,ij->i", first, second)
    norms = np.sqrt(np.einsum("ij,ij->i", first, first)) * np.sqrt(np.einsum("ij,ij->i", second, second))
    r = np.divide(product, norms, out=np.zeros_like(product), where=norms > 0.0)
    return np.asarray(np.clip(r, -1.0, 1.0))


def excluded_states(calls: int, beta: float = 1e-3) -> float:
    """How many states a generator must have at least where so many calls gave different results.

    S states, however likely each, give n results without a coincidence with probability at most
    (1 - 1/S)(1 - 2/S)..(1 - (n - 1)/S) <= exp(-n(n - 1)/(2S)); where S <= n(n - 1)/(2 ln 1/beta) that is beta at most.

    >>> f"{excluded_states(96):,.0f}", f"{excluded_states(40_000):.2g}"
    ('660', '1.2e+08')

    Raises:
        ValueError: a negative number of calls, or beta is not between 0 and 1.

    Source: von Mises 1939 for the coincidences; Munford 1977 for unequal probabilities, which only add to them.
    """
    if calls < 0 or not 0.0 < beta < 1.0:
        raise ValueError(f"calls={calls!r}, beta={beta!r}: give a number of calls >= 0 and an error between 0 and 1")
    return calls * (calls - 1) / (-2.0 * math.log(beta))


def symmetric_log_e(r: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Evidence for E r > 0.1 and for E r < -0.1: ln E after every pair, for either sign.

    Betting on d = r - 0.1 and d = -r - 0.1, both >= -1.1. False alarms: P(E >= 1/a at any n) <= a for each
    sign wherever r is symmetric about 0. Finds: r = 1 reaches 10^8 in 37 pairs, r = 0.5 in 71.

    Source: ``betting_log_e``; exchangeability of generators for the symmetry.

    >>> plus, minus = symmetric_log_e(np.ones(40))
    >>> bool(plus[-1] > np.log(1e8)), bool(minus[-1] < 0)
    (True, True)
    """
    values = np.asarray(r, dtype=np.float64)
    bound = 1.0 + SLACK
    return betting_log_e(values - SLACK, bound), betting_log_e(-values - SLACK, bound)


def call_views(
    x1: npt.NDArray[Any], x2: npt.NDArray[Any], y1: npt.NDArray[Any], y2: npt.NDArray[Any]
) -> tuple[Floats, ...]:
    """``call_correlation`` of weights, of magnitudes, with the second call in reverse, and of both in order of size.

    Each is symmetric about 0 under independence, as any function of a call may stand in its place.

    >>> rng = np.random.default_rng(0)
    >>> x1, x2 = rng.normal(size=(2, 3, 1000))
    >>> [abs(round(float(r.mean()), 1)) for r in call_views(x1, x2, x1[:, ::-1], x2[:, ::-1])]
    [0.0, 0.0, 1.0, 1.0]

    Args:
        x1, x2, y1, y2: shape (pairs of generators, weights); generator 1 gives x1 then y1, generator 2 x2 then y2.
    """
    return (
        call_correlation(x1, x2, y1, y2),
        call_correlation(np.abs(x1), np.abs(x2), np.abs(y1), np.abs(y2)),
        call_correlation(x1, x2, y1[:, ::-1], y2[:, ::-1]),
        call_correlation(*(np.sort(calls, axis=1) for calls in (x1, x2, y1, y2))),
    )


def parts_that_correlate(
    x1: npt.NDArray[Any], x2: npt.NDArray[Any], y1: npt.NDArray[Any], y2: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The row and the column, as flat indices, whose ``call_correlation`` is furthest from 0 on the mean over pairs.

    The choice is fixed before the pairs that follow: of these either correlation is symmetric about 0 where calls are
    independent.

    >>> calls = np.random.default_rng(0).normal(size=(4, 12, 5, 6))
    >>> calls[2:, :, 3] = calls[:2, :, 3]
    >>> row, _ = parts_that_correlate(*calls)
    >>> row.tolist()
    [18, 19, 20, 21, 22, 23]

    Args:
        x1, x2, y1, y2: as for ``call_views``, shape (pairs, units, inputs).
    """
    pairs, units, inputs = np.shape(x1)
    places = np.arange(units * inputs).reshape(units, inputs)

    def furthest(calls: list[npt.NDArray[Any]]) -> int:
        r = call_correlation(*(c.reshape(-1, c.shape[2]) for c in calls)).reshape(pairs, -1)
        return int(np.abs(r.mean(axis=0)).argmax())

    calls = [np.asarray(c, dtype=np.float64) for c in (x1, x2, y1, y2)]
    return places[furthest(calls)], places[:, furthest([c.swapaxes(1, 2) for c in calls])]


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


def tops_log_e(k: npt.ArrayLike, n: npt.ArrayLike) -> Floats:
    """Evidence that the entries depend on one another: ln E for k tops in n calls against P(top) <= 1/20.

    False alarms: P(E >= 1/a at any n) <= a. Finds: a statistic that always tops reaches 10^7.7 in 6 calls,
    one that tops every second time in about 20. Several statistics: ``average_log_e`` of their processes.

    >>> round(float(tops_log_e(6, 6)) / 2.302585, 1)
    7.7
    """
    return log_e(k, n, 1.0 / (SHUFFLES + 1))


def rarely_top_log_e(k: npt.ArrayLike, n: npt.ArrayLike) -> Floats:
    """Evidence that a draw beats its shuffles in less than half the calls: ln E against P(top) >= 1/2.

    The process of the n - k calls that did not top, against P(not top) <= 1/2. Being an e-process, it may be
    looked at after every call: HOLDS when it reaches 1/beta, wrong with probability at most beta.
    An independent draw tops one call in 20 and reaches 10^3 in 11 calls or a few more.

    >>> bool(rarely_top_log_e(0, 11) > np.log(1e3))
    True
    """
    return log_e(np.asarray(n) - np.asarray(k), n, 0.5)
