"""Bets on a mean: fair at the edge whatever the law within the cap, and false only where the one assumption is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import average_log_e
from initcheck.statistics.mean_bets import (
    BETS,
    REACH,
    above_log_e,
    below_log_e,
    betting_log_e,
    expected_above_log_e,
    expected_below_log_e,
    mean_within,
    signed_log_e,
)

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
RUNS = 1000
ALPHAS = (0.2, 0.05, 0.01)

# Laws of mean 1: bounded, skewed both ways, on few values, and with tails in which rare large values carry much.
LAWS: dict[str, Draw] = {
    "constant": lambda rng, shape: np.ones(shape),
    "coin": lambda rng, shape: 2.0 * (rng.random(shape) < 0.5),
    "one in twenty": lambda rng, shape: 20.0 * (rng.random(shape) < 0.05),
    "mostly above": lambda rng, shape: np.where(rng.random(shape) < 0.95, 1.05, 0.05),
    "squares of normals": lambda rng, shape: rng.normal(size=shape) ** 2,
    "squares of Student's t3": lambda rng, shape: rng.standard_t(3, shape) ** 2 / 3,
    "log-normal of sigma 2": lambda rng, shape: np.exp(2 * rng.normal(size=shape) - 2),
}


def ever(paths: np.ndarray, alpha: float) -> int:
    return int((paths.max(axis=-1) >= -math.log(alpha)).sum())


def at_most(alpha: float) -> int:
    """Errors that a rate of alpha exceeds with probability 1e-9 at most."""
    return int(stats.binom.isf(1e-9, RUNS, alpha))


@pytest.mark.long
@pytest.mark.parametrize("law", LAWS)
def test_a_mean_on_the_edge_is_rarely_below_or_above_it(law: str) -> None:
    """From below once 200 values were drawn: before, none of the one in twenty may be among them."""
    values = LAWS[law](np.random.default_rng(1), (RUNS, 400))
    below, above = below_log_e(values, 1.0)[:, 200:], above_log_e(values, 1.0)
    for alpha in ALPHAS:
        assert ever(below, alpha) <= at_most(alpha)
        assert ever(above, alpha) <= at_most(alpha)


def test_of_few_values_rare_ones_may_be_missing() -> None:
    values = LAWS["one in twenty"](np.random.default_rng(1), (RUNS, 400))
    assert ever(below_log_e(values, 1.0)[:, :40], 1e-3) > 0.5 * RUNS


@pytest.mark.parametrize("law", ["constant", "coin", "mostly above", "squares of normals"])
def test_a_mean_beyond_the_edge_is_found(law: str) -> None:
    """The direction of the lines above, each edge on its own side."""
    values = LAWS[law](np.random.default_rng(2), (50, 2_000))
    assert ever(below_log_e(values, 1.5), 1e-8) == 50
    assert ever(above_log_e(values, 0.67), 1e-8) == 50
    assert ever(below_log_e(values, 0.67)[:, 200:], 0.2) <= 15
    assert ever(above_log_e(values, 1.5), 0.2) <= 15


def test_the_assumption_is_needed_below_and_not_above() -> None:
    """A gap: half of the mean in one value of 10,000, of which most samples hold none."""
    rng = np.random.default_rng(3)
    values = np.where(rng.random((RUNS, 200)) < 1e-4, 5_000.5, 0.5)
    assert ever(below_log_e(values, 1.0), 1e-3) > 0.9 * RUNS
    assert ever(above_log_e(values, 1.0), 0.01) <= at_most(0.01)


def test_what_was_seen_once_is_reckoned_with() -> None:
    values = np.full(400, 0.5)
    assert below_log_e(values, 1.0)[-1] > math.log(1e6)
    values[10] = 5_000.0
    assert below_log_e(values, 1.0)[-1] < 1


def test_the_bet_from_below_is_the_one_on_values_cut_at_a_cap_beyond_the_largest() -> None:
    values = np.array([0.5, 0.9, 0.3])
    caps = [2 ** (k / 4) for k in range(1, 12)]
    cap = min(c for c in caps if c >= REACH * 0.9)
    assert below_log_e(values, 1.0)[-1] == pytest.approx(betting_log_e(1 - values, cap - 1)[-1] - math.log(5))


def test_rows_are_processes_of_their_own() -> None:
    values = np.random.default_rng(4).exponential(1.0, (3, 50))
    assert below_log_e(values, 1.3) == pytest.approx(np.stack([below_log_e(row, 1.3) for row in values]))
    assert above_log_e(values, 0.7) == pytest.approx(np.stack([above_log_e(row, 0.7) for row in values]))


def test_edges_that_leave_nothing_beyond() -> None:
    assert np.all(below_log_e([0.0, 1.0], 0.0) == -np.inf)
    assert np.all(above_log_e([0.0, 1.0], math.inf) == -np.inf)
    assert below_log_e([], 1.0).shape == (0,)


def test_no_value_loses_on_both_sides() -> None:
    assert below_log_e([np.nan] * 8, 1.0)[-1] < 0
    assert above_log_e([np.nan] * 8, 1.0)[-1] < 0
    assert below_log_e([np.inf] * 8, 1.0)[-1] < 0


def test_all_zero_is_below_every_edge() -> None:
    assert below_log_e(np.zeros(40), 0.8)[-1] > math.log(1e8)


@pytest.mark.parametrize("log_e", [below_log_e, above_log_e])
def test_a_negative_value_is_refused(log_e: Callable[..., np.ndarray]) -> None:
    with pytest.raises(ValueError, match="must be >= 0"):
        log_e([-0.1], 1.0)


def test_what_is_expected_is_what_comes() -> None:
    rng = np.random.default_rng(5)
    law = rng.chisquare(256, 500) / 256
    drawn = rng.chisquare(256, (40, 300)) / 256
    below, above = expected_below_log_e(law, 1.2, 300), expected_above_log_e(law, 0.8, 300)
    assert np.median(below_log_e(drawn, 1.2)[:, -1]) == pytest.approx(below, rel=0.2)
    assert np.median(above_log_e(drawn, 0.8)[:, -1]) == pytest.approx(above, rel=0.05)


def test_what_is_expected_is_the_best_bets_share_of_the_evidence() -> None:
    law = np.full(9, 0.4)
    below, above = expected_below_log_e(law, 0.8, 200), expected_above_log_e(law, 0.2, 200)
    assert below == pytest.approx(below_log_e(np.full(200, 0.4), 0.8)[-1], abs=0.01)
    assert above == pytest.approx(above_log_e(np.full(200, 0.4), 0.2)[-1], abs=0.01)


def test_a_value_that_is_no_number_loses_the_bet_and_moves_no_cap() -> None:
    cap = 2.0**0.5  # the least there is
    expected = betting_log_e([1.0 - cap, 0.9, 0.9], cap - 1.0) - math.log(5)
    assert below_log_e([np.nan, 0.1, 0.1], 1.0) == pytest.approx(expected)


def test_short_floats_are_bet_on_in_double_precision() -> None:
    values = np.random.default_rng(6).exponential(1.0, 50).astype(np.float16)
    for log_e in (below_log_e, above_log_e):
        assert np.array_equal(log_e(values, 0.7), log_e(values.astype(np.float64), 0.7))


def test_an_upper_edge_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="positive upper edge"):
        above_log_e([1.0], 0.0)


def test_average_is_that_of_the_e_values() -> None:
    log_es = np.log([[1.0, 4.0], [3.0, 0.5]])
    assert np.exp(average_log_e(log_es)) == pytest.approx([2.0, 2.25])
    assert np.exp(average_log_e(log_es, [0.25, 0.75])) == pytest.approx([2.5, 1.375])


def test_neither_huge_nor_ruined_processes_overflow() -> None:
    assert average_log_e([1e7, -1e7]) == pytest.approx(1e7 - np.log(2))
    assert average_log_e([-np.inf, 0.0]) == pytest.approx(-np.log(2))
    assert average_log_e([-np.inf, -np.inf]) == -np.inf
    assert average_log_e([np.inf, 1000.0]) == np.inf


def test_weights_beyond_one_would_not_be_an_e_process() -> None:
    with pytest.raises(ValueError, match="sum at most 1"):
        average_log_e([0.0, 0.0], [0.7, 0.7])
    with pytest.raises(ValueError, match="for 2 e-processes"):
        average_log_e([0.0, 0.0], [1.0])


def test_a_process_of_weight_zero_counts_for_nothing() -> None:
    assert average_log_e([5.0, 2.0], [0.0, 1.0]) == pytest.approx(2.0)


def test_short_floats_are_averaged_in_double_precision() -> None:
    log_es = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    assert np.array_equal(average_log_e(log_es), average_log_e(log_es.astype(np.float64)))


def test_is_the_average_of_products() -> None:
    d = np.array([0.3, -1.1, 0.9])
    expected = [np.mean([np.prod(1 + bet * d[: n + 1] / 1.1) for bet in BETS]) for n in range(3)]
    assert np.exp(betting_log_e(d, 1.1)) == pytest.approx(expected)


def test_rows_of_bounded_values_are_processes_of_their_own() -> None:
    d = np.random.default_rng(0).uniform(-1, 1, (3, 20))
    assert betting_log_e(d, 1.0) == pytest.approx(np.stack([betting_log_e(row, 1.0) for row in d]))


@pytest.mark.long
def test_ten_million_values_neither_overflow_nor_vanish() -> None:
    d = np.full(2_000_000, 1.0)
    assert betting_log_e(d, 1.0)[-1] == pytest.approx(2e6 * np.log(1.9) - np.log(5))


def test_no_value_loses_as_much_as_nan_and_none_wins_as_much_as_infinity() -> None:
    assert betting_log_e([np.nan], 1.0) == pytest.approx(betting_log_e([-1.0], 1.0))
    assert betting_log_e([np.inf], 1.0)[0] == np.inf


def test_values_below_the_bound_are_refused() -> None:
    with pytest.raises(ValueError, match="below the bound"):
        betting_log_e([-1.2], 1.0)
    with pytest.raises(ValueError, match="c=0"):
        betting_log_e([0.1], 0)


def test_observations_of_any_float_are_summed_in_double_precision() -> None:
    d = np.random.default_rng(0).uniform(-1, 1, 500).astype(np.float32)
    assert np.array_equal(betting_log_e(d, 1.0), betting_log_e(d.astype(np.float64), 1.0))


def test_the_bound_is_kept_up_to_rounding_and_named_where_it_is_not() -> None:
    assert betting_log_e([-1.0 - 1e-9], 1.0)[0] < 0
    with pytest.raises(ValueError, match="an observation of -3 is below the bound -c = -2;"):
        betting_log_e([-3.0], 2.0)


def test_log_e_is_the_average_of_the_products() -> None:
    d = np.random.default_rng(1).uniform(-1.0, 3.0, 12)
    products = [np.cumprod(1.0 + bet * d / 2.0) for bet in (0.9, 0.5, 0.25, 0.1, 0.04)]
    assert np.exp(betting_log_e(d, 2.0)) == pytest.approx(np.mean(products, axis=0))


# Laws of mean zero and deviation 1: two-sided, skewed either way, sparse, with heavy tails.
CENTRED: dict[str, Draw] = {
    "normal": lambda rng, size: rng.normal(size=size),
    "exponential less 1": lambda rng, size: rng.exponential(size=size) - 1,
    "1 less exponential": lambda rng, size: 1 - rng.exponential(size=size),
    "one in 50 far below": lambda rng, size: np.where(rng.random(size) < 0.02, -7.0, 1 / 7),
    "one in 20, either sign": lambda rng, size: rng.choice([-1, 1], size) * (rng.random(size) < 0.05) * 4.5,
    "Student's t with 4 degrees": lambda rng, size: rng.standard_t(4, size) / np.sqrt(2),
}


@pytest.mark.parametrize("name", CENTRED)
def test_a_mean_of_zero_or_on_the_edge_hardly_ever_alarms(name: str) -> None:
    """After 500 values, where what is rare was drawn, at every later look; at the edge itself too."""
    values = CENTRED[name](np.random.default_rng(2), (300, 1200))
    for edge in (0.0, 0.1):
        paths = np.stack([signed_log_e(run + edge, edge) for run in values])
        for alpha in ALPHAS:
            alarms = int((paths[:, 499:].max(axis=1) >= -math.log(alpha)).sum())
            assert alarms <= stats.binom.isf(1e-9, len(paths), alpha), (edge, alpha)


@pytest.mark.long
@pytest.mark.parametrize("name", CENTRED)
def test_a_mean_is_hardly_ever_said_to_be_nearer_to_zero_than_it_is(name: str) -> None:
    values = CENTRED[name](np.random.default_rng(3), (40, 800)) + 0.2
    within = [np.array([mean_within(sign * run, alpha) for run in values]) for sign in (1, -1) for alpha in (0.2, 0.05)]
    for found, alpha in zip(within, (0.2, 0.05) * 2, strict=True):
        assert int((found < 0.2).sum()) <= stats.binom.isf(1e-9, len(values), alpha), alpha
        assert np.median(found) < 0.5


def test_bets_on_signed_values_find_a_mean_on_their_side_only() -> None:
    values = np.random.default_rng(4).normal(0.1, 1.0, 6_000)
    assert signed_log_e(values, 1e-4)[-1] > math.log(1e8)
    assert signed_log_e(-values, 1e-4)[-1] < 0
    assert signed_log_e(values, 0.2)[-1] < 0
    assert 0.1 < mean_within(values, 1e-3) < 0.2


def test_what_is_known_to_occur_elsewhere_takes_a_skewed_mean_back() -> None:
    """Small values above zero and a huge one below, which none of these shows."""
    values = 0.02 + 0.01 * np.random.default_rng(5).normal(size=2_000)
    assert signed_log_e(values, 0.0)[-1] > 100
    assert signed_log_e(values, 0.0, 40.0)[-1] < 1


def test_no_values_and_zeros_show_nothing_and_are_within_anything() -> None:
    assert signed_log_e(np.zeros(5), 0.0).tolist() == [-math.inf] * 5
    assert signed_log_e([], 0.0).size == 0
    assert (mean_within(np.zeros(5), 1e-3), mean_within([], 1e-3)) == (0.0, math.inf)
    assert mean_within([0.1, np.nan], 1e-3) == math.inf
    with pytest.raises(ValueError, match="edge=-1"):
        signed_log_e([1.0], -1)
