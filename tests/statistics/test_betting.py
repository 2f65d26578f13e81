"""The betting e-process: its formula, its bound and its worst inputs."""

from __future__ import annotations

import numpy as np
import pytest

from initcheck.statistics import betting_log_e
from initcheck.statistics.betting import BETS


def test_is_the_average_of_products() -> None:
    d = np.array([0.3, -1.1, 0.9])
    expected = [np.mean([np.prod(1 + bet * d[: n + 1] / 1.1) for bet in BETS]) for n in range(3)]
    assert np.exp(betting_log_e(d, 1.1)) == pytest.approx(expected)


def test_rows_are_processes_of_their_own() -> None:
    d = np.random.default_rng(0).uniform(-1, 1, (3, 20))
    assert betting_log_e(d, 1.0) == pytest.approx(np.stack([betting_log_e(row, 1.0) for row in d]))


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
