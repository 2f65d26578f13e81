"""Intervals for the eye: they cover the truth as often as they say, and no more is said where nothing can be."""

from __future__ import annotations

import numpy as np
import pytest

from initcheck.statistics.interval import CONFIDENCE, of_mean, of_median


def covered(of: object, truth: float, runs: int, size: int) -> float:
    rng = np.random.default_rng(5)
    found = [of(rng.normal(3.0, 2.0, size)) for _ in range(runs)]  # type: ignore[operator]
    return sum(low <= truth <= high for low, high in found) / runs


@pytest.mark.parametrize(("of", "size"), [(of_mean, 200), (of_median, 12), (of_median, 56)])
def test_the_truth_is_covered_and_a_wrong_value_is_not(of: object, size: int) -> None:
    assert covered(of, 3.0, 4_000, size) >= CONFIDENCE - 0.0015
    assert covered(of, 3.0 + 2.0 * 3, 200, size) < 0.1


def test_no_interval_of_a_mean_that_one_huge_value_carries() -> None:
    values = np.full(50, 0.1)
    assert of_mean(values) == pytest.approx((0.1, 0.1))
    values[0] = 100.0
    assert of_mean(values) is None
    signed = of_mean(values - 50)
    assert signed is not None
    assert signed[0] < -50


@pytest.mark.parametrize("values", [[1.0], [1.0, np.inf, 2.0], [1.0, np.nan, 2.0]])
def test_no_interval_of_a_mean_that_has_none(values: list[float]) -> None:
    assert of_mean(np.array(values)) is None


def test_no_interval_of_a_median_of_too_few_or_of_infinite_ends() -> None:
    assert of_median(np.arange(10.0)) is None
    assert of_median(np.r_[np.arange(11.0), np.inf]) is None
    assert of_median(np.arange(12.0)) == (0.0, 11.0)
