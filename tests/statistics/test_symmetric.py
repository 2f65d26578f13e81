"""Correlation between calls: what it finds, and what must not alarm it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import (
    SHUFFLES,
    call_correlation,
    call_views,
    excluded_states,
    parts_that_correlate,
    rarely_top_log_e,
    symmetric_log_e,
    tops,
    tops_log_e,
)
from initcheck.statistics.symmetric import SLACK

PAIRS, WEIGHTS = 60, 64
Calls = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def independent(sample: Callable[[np.random.Generator], np.ndarray]) -> Calls:
    rng = np.random.default_rng(0)
    return sample(rng), sample(rng), sample(rng), sample(rng)


def normal(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(PAIRS, WEIGHTS))


SOUND: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "normal": normal,
    "a mean that differs by position": lambda rng: normal(rng) + np.linspace(-9, 9, WEIGHTS),
    "a fixed pattern of zeros": lambda rng: normal(rng) * (np.arange(WEIGHTS) % 2),
    "one value copied through a call": lambda rng: np.repeat(rng.normal(size=(PAIRS, 1)), WEIGHTS, axis=1),
    "random scale by call": lambda rng: normal(rng) * rng.exponential(size=(PAIRS, 1)),
    "heavy tails": lambda rng: rng.standard_cauchy((PAIRS, WEIGHTS)),
    "constant": lambda rng: np.ones((PAIRS, WEIGHTS)),
    "one weight": lambda rng: rng.normal(size=(PAIRS, 1)),
}


@pytest.mark.parametrize("law", SOUND)
def test_independent_calls_raise_no_alarm(law: str) -> None:
    for r in call_views(*independent(SOUND[law])):
        for path in symmetric_log_e(r):
            assert path.shape == (PAIRS,)
            assert path.max() < math.log(1e3)


def test_copied_negated_resigned_reversed_and_reordered_calls_are_told_apart() -> None:
    rng = np.random.default_rng(1)
    x1, x2 = normal(rng), normal(rng)
    signs = rng.choice([-1.0, 1.0], (2, PAIRS, WEIGHTS))

    def evidence(y1: np.ndarray, y2: np.ndarray) -> list[float]:
        return [float(symmetric_log_e(r)[0][-1]) for r in call_views(x1, x2, y1, y2)]

    alarm = math.log(1e8)
    assert [e > alarm for e in evidence(x1, x2)] == [True, True, False, True]
    assert [e > alarm for e in evidence(x1 * signs[0], x2 * signs[1])] == [False, True, False, False]
    assert [e > alarm for e in evidence(x1[:, ::-1], x2[:, ::-1])] == [False, False, True, True]
    shuffled = rng.permuted(x1, axis=1), rng.permuted(x2, axis=1)
    assert [e > alarm for e in evidence(*shuffled)] == [False, False, False, True]
    plus, minus = symmetric_log_e(call_views(x1, x2, -x1, -x2)[0])
    assert minus[-1] > alarm
    assert plus[-1] < 0


def test_states_are_excluded_by_the_birthdays_of_calls() -> None:
    states = excluded_states(1_000)
    assert states == pytest.approx(1_000 * 999 / 2 / math.log(1e3))
    rng = np.random.default_rng(2)
    distinct = [len(np.unique(rng.integers(0, round(excluded_states(60, 0.2)), 60))) == 60 for _ in range(3_000)]
    assert 0.15 < np.mean(distinct) < 0.23
    with pytest.raises(ValueError, match="beta=1"):
        excluded_states(3, 1)


def test_correlation_ignores_the_scale_and_survives_a_difference_of_zero() -> None:
    x1, x2, y1, y2 = independent(normal)
    r = call_correlation(x1, x2, y1, y2)
    assert call_correlation(1e-20 * x1, 1e-20 * x2, 1e20 * y1, 1e20 * y2) == pytest.approx(r)
    assert call_correlation(1e-20 * x1, 1e-20 * x2, y1, y2) == pytest.approx(r)
    assert call_correlation(x1, x1, y1, y2).tolist() == [0.0] * PAIRS


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"four times \(pairs, weights\)"):
        call_correlation(np.zeros((3, 4)), np.zeros((3, 4)), np.zeros((3, 4)), np.zeros((3, 5)))


def test_a_correlation_at_the_slack_is_evidence_of_nothing() -> None:
    assert SLACK == 0.1
    for sign in (1, -1):
        processes = symmetric_log_e(np.full(200, sign * SLACK))
        assert processes[sign < 0].tolist() == [0.0] * 200
        assert processes[sign > 0][-1] < -1


def test_rounding_never_takes_a_correlation_beyond_one() -> None:
    x1, x2 = np.random.default_rng(3).normal(size=(2, 500, 7))
    for sign in (1.0, -1.0):
        r = call_correlation(x1, x2, sign * x1, sign * x2)
        assert r == pytest.approx(sign)
        assert np.abs(r).max() == 1.0


def test_two_weights_are_not_centred_and_three_are() -> None:
    """Two centred weights are one number and its negative: their correlation would be 1 or -1, whatever they are."""
    first, second, zeros = np.array([[1.0, 2.0]]), np.array([[2.0, 1.0]]), np.zeros((1, 2))
    assert call_correlation(first, zeros, second, zeros) == pytest.approx([0.8])
    first, second, zeros = np.array([[1.0, 2.0, 3.0]]), np.array([[5.0, 9.0, 7.0]]), np.zeros((1, 3))
    assert call_correlation(first, zeros, second, zeros) == pytest.approx([0.5])


def test_only_the_strictly_largest_is_a_top() -> None:
    shuffled = np.tile(np.arange(19.0), (4, 1))
    assert tops(np.array([18.5, 18.0, 3.0, np.nan]), shuffled).tolist() == [True, False, False, False]


def test_shapes_must_belong_together() -> None:
    with pytest.raises(ValueError, match=r"expected \(calls,\) and \(calls, 19\)"):
        tops(np.zeros(3), np.zeros((3, 18)))
    with pytest.raises(ValueError, match="expected"):
        tops(np.zeros((3, 1)), np.zeros((3, 19)))


def test_permutations_of_independent_entries_top_one_call_in_twenty() -> None:
    """On real shuffles: variance of the row means, of independent and of row-wise shifted entries."""
    rng = np.random.default_rng(0)
    calls = 400

    def share(shift: float) -> float:
        draws = rng.normal(size=(calls, 6, 6)) + shift * rng.normal(size=(calls, 6, 1))
        flat = np.repeat(draws.reshape(calls, 1, 36), SHUFFLES, axis=1)
        shuffled = rng.permuted(flat, axis=2).reshape(calls, SHUFFLES, 6, 6)
        return float(tops(draws.mean(axis=2).var(axis=1), shuffled.mean(axis=3).var(axis=2)).mean())

    assert share(0.0) < 0.05 + 5 * math.sqrt(0.05 * 0.95 / calls)
    assert share(1.0) > 0.8


def test_directions_of_the_two_processes() -> None:
    assert tops_log_e(6, 6) > math.log(1e7)
    assert tops_log_e(0, 60) < 0
    assert rarely_top_log_e(0, 11) > math.log(1e3)
    assert rarely_top_log_e(11, 11) < 0


def test_the_row_and_the_column_that_two_calls_share_are_chosen() -> None:
    calls = np.random.default_rng(3).normal(size=(4, 24, 16, 32))
    calls[2:, :, 5] = -calls[:2, :, 5]
    row, _ = parts_that_correlate(*calls)
    assert row.tolist() == list(range(5 * 32, 6 * 32))
    calls[2:, ..., 31] = calls[:2, ..., 31]
    row, column = parts_that_correlate(*calls)
    assert column.tolist() == list(range(31, 512, 32))
    # Chosen among pairs, the choice says nothing of those that follow.
    fresh = np.random.default_rng(4).normal(size=(4, 400, 512))
    assert abs(call_correlation(*fresh[..., column]).mean()) < 0.05


@pytest.mark.parametrize("n", [1, 6, 40, 200])
@pytest.mark.parametrize(
    ("log_e", "edge", "beyond"), [(tops_log_e, 1 / 20, 1 / 15), (rarely_top_log_e, 1 / 2, 1 / 3)], ids=["top", "rarely"]
)
def test_the_expectation_is_one_on_the_edge_and_more_beyond_it(log_e, edge: float, beyond: float, n: int) -> None:
    """Exactly, over the binomial law of the number of tops: the rate that is bet against is the one that is said."""
    k = np.arange(n + 1)
    wealth = np.exp(log_e(k, n))
    assert wealth @ stats.binom.pmf(k, n, edge) == pytest.approx(1.0)
    assert wealth @ stats.binom.pmf(k, n, beyond) > 1.0
