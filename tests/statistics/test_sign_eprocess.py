"""The sign e-process: its formula, its expectation, its scales."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import band_paths, excluded_rate, first_groups, log_e, merged_log_e, merged_ratios, rare_log_e

Q = np.array([0.1, 0.4, 0.64, 0.8, 0.9, 0.96, 1.0])
V = np.array([0.4 / 6] * 6 + [0.6])


@pytest.mark.parametrize("p0", [0.7, 0.5, 0.05])
def test_log_e_is_the_mixture_of_likelihood_ratios(p0: float) -> None:
    p = p0 + (1 - p0) * Q
    for k, n in ((0, 0), (3, 3), (5, 9), (0, 7), (20, 21)):
        expected = (V * (p / p0) ** k * ((1 - p) / (1 - p0)) ** (n - k)).sum()
        assert math.exp(log_e(k, n, p0)) == pytest.approx(expected)


@pytest.mark.parametrize("p0", [0.7, 0.5, 0.05, 1e-3])
def test_expectation_is_exactly_one_on_the_edge_and_less_inside(p0: float) -> None:
    n = 12
    k = np.arange(n + 1)
    e_values = np.exp(log_e(k, n, p0))
    binomials = np.array([math.comb(n, i) for i in k])
    assert (binomials * p0**k * (1 - p0) ** (n - k)) @ e_values == pytest.approx(1.0)
    p = 0.9 * p0
    assert (binomials * p**k * (1 - p) ** (n - k)) @ e_values < 1.0


def test_ten_million_groups_overflow_nowhere() -> None:
    assert np.all(np.isfinite(log_e([0, 5 * 10**6, 10**7], 10**7, 0.7)))


def test_null_probability_must_be_a_probability() -> None:
    for p0 in (0.0, 1.0):
        with pytest.raises(ValueError, match=f"p0={p0}"):
            log_e(1, 1, p0)


def test_counts_may_be_of_any_integer_type() -> None:
    assert log_e(np.uint8(24), np.uint8(24), 0.7) == log_e(24, 24, 0.7)


def test_merging_adds_numerators_and_denominators() -> None:
    numer, denom = np.arange(16.0), np.arange(1.0, 17.0)
    ratios = merged_ratios(numer, denom)
    assert [len(t) for t in ratios] == [16, 8, 4, 2]
    assert ratios[3][1] == pytest.approx(numer[8:].sum() / denom[8:].sum())
    for sequence, single in zip(merged_ratios(np.stack([denom, numer]), np.stack([numer, denom])), ratios, strict=True):
        assert np.array_equal(sequence[1], single)
    short = np.full(16, 60_000, dtype=np.float16)
    assert [t.tolist() for t in merged_ratios(short, short)] == [[1.0] * n for n in (16, 8, 4, 2)]


def test_average_of_the_scales_is_taken_at_multiples_of_eight() -> None:
    t = np.random.default_rng(0).normal(size=27)
    ratios = merged_ratios(t, np.ones(27))
    path = merged_log_e([r > 0 for r in ratios])
    assert path.shape == (3,)
    scales = [log_e((r[: 16 // s] > 0).sum(), 16 // s, 0.7) for r, s in zip(ratios, (1, 2, 4, 8), strict=True)]
    assert math.exp(path[1]) == pytest.approx(np.exp(scales) @ [0.7, 0.1, 0.1, 0.1])


@pytest.mark.parametrize("level", [1e-2, 1e-3, 1e-6, 1e-9, 1e-15])
def test_first_batch_is_the_smallest_that_can_decide(level: float) -> None:
    n = first_groups(-math.log(level))
    beyond = band_paths(np.full(n, 2.0), np.ones(n), 0.8, 1.25).above[-1]
    assert beyond >= -math.log(level)
    if n > 8:
        assert band_paths(np.full(n - 8, 2.0), np.ones(n - 8), 0.8, 1.25).above[-1] < -math.log(level)


def test_evidence_needs_every_scale() -> None:
    with pytest.raises(ValueError, match="zip"):
        merged_log_e([np.ones(n, dtype=bool) for n in (8, 4, 2, 1, 1)])


def test_three_of_three_are_overwhelming_and_one_in_a_thousand_is_not() -> None:
    assert rare_log_e(3, 3) / math.log(10) == pytest.approx(8.79, abs=0.02)
    assert rare_log_e(1, 1000) < math.log(20)
    assert rare_log_e(0, 100_000) < 0


def test_an_event_in_a_hundred_is_shown_not_to_be_rare_and_one_in_two_thousand_never_is() -> None:
    assert rare_log_e(20, 2_000) > math.log(1e8)
    assert max(rare_log_e(n // 2_000, n) for n in (2_000, 20_000, 200_000)) < 0


def test_rare_is_a_mixture_of_likelihood_ratios() -> None:
    k, n, p0 = 7, 900, 1e-3
    rates = np.array([2, 5, 10, 20, 50]) * p0
    ratios = (rates / p0) ** k * ((1 - rates) / (1 - p0)) ** (n - k)
    assert np.exp(rare_log_e(k, n)) == pytest.approx(0.8 * np.exp(log_e(k, n, p0)) + 0.04 * ratios.sum())


@pytest.mark.parametrize(("events", "n"), [(1, 30), (3, 500), (12, 100_000)])
def test_excluded_rate_is_the_one_at_which_so_few_events_are_improbable(events: int, n: int) -> None:
    rate = excluded_rate(n, 1e-3, events)
    assert stats.binom.cdf(events, n, rate) == pytest.approx(1e-3, rel=1e-6)
    assert excluded_rate(4, 1e-3, 4) == 1.0


def test_excluded_rate_solves_its_equation() -> None:
    for n in (1, 10, 300_000, 10**9):
        rate = excluded_rate(n, 1e-3)
        assert n * math.log1p(-rate) == pytest.approx(math.log(1e-3))
    assert excluded_rate(300_000) == pytest.approx(math.log(1e3) / 300_000, rel=1e-4)
    assert excluded_rate(0) == 1.0


@pytest.mark.parametrize(("n", "beta"), [(10, 0.0), (10, 1.0), (-1, 0.5)])
def test_wrong_arguments_are_refused(n: int, beta: float) -> None:
    with pytest.raises(ValueError, match="number of trials"):
        excluded_rate(n, beta)
