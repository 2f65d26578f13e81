"""Hill's index and the second moment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from initcheck.statistics import hill, second_moment_shown

LIGHT: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "laplace": lambda rng, n: rng.laplace(size=n),
    "rademacher": lambda rng, n: rng.choice([-1.0, 1.0], n),
    "constant": lambda rng, n: np.full(n, 0.02),
    "bfloat16 levels": lambda rng, n: np.round(rng.normal(size=n) * 16) / 16,
    "95 % sparse": lambda rng, n: rng.normal(size=n) * (rng.random(n) < 0.05),
    "one in a hundred": lambda rng, n: (rng.random(n) < 0.01) * 1.0,
}


@pytest.mark.parametrize("law", LIGHT)
@pytest.mark.parametrize("n", [30_000, 300_000])
def test_light_tails_are_shown(law: str, n: int) -> None:
    for seed in range(5):
        assert second_moment_shown(LIGHT[law](np.random.default_rng(seed), n))


@pytest.mark.parametrize("degrees", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("n", [2_000, 20_000, 300_000])
def test_infinite_second_moments_are_never_shown(degrees: float, n: int) -> None:
    for seed in range(10):
        assert not second_moment_shown(np.random.default_rng(seed).standard_t(degrees, n))


def test_index_of_a_pareto_law_is_found_within_its_error() -> None:
    for a in (1.0, 2.0, 5.0):
        found, k = hill(np.random.default_rng(1).pareto(a, 200_000) + 1.0)
        assert k == 200
        assert abs(found - a) < 4 * a / np.sqrt(k)


def test_scale_and_sign_do_not_matter() -> None:
    w = np.random.default_rng(2).normal(size=20_000)
    assert hill(w)[0] == pytest.approx(hill(-1e-20 * w)[0])


def test_too_few_values_show_nothing_and_zeros_are_bounded() -> None:
    assert not second_moment_shown(np.random.default_rng(3).normal(size=150))
    assert hill([1.0, 2.0]) == (float("inf"), 0)
    assert hill([])[1] == 0
    assert not second_moment_shown([])
    assert second_moment_shown(np.zeros(10))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_show_nothing(bad: float) -> None:
    w = np.random.default_rng(4).normal(size=20_000)
    w[77] = bad
    assert hill(w)[0] == 0.0
    assert not second_moment_shown(w)


def test_index_is_the_mean_log_excess_of_the_largest_magnitudes() -> None:
    # The last two are hard on a selection: what is next to the k-th largest is not in its place.
    for n, k, seed in ((30_000, 50, 0), (80_000, 80, 0), (999, 49, 0), (60, 3, 0), (1000, 50, 49), (10_000, 50, 31)):
        w = np.random.default_rng(seed).standard_t(3, n)
        ordered = np.sort(np.abs(w))
        found, used = hill(w)
        assert used == k
        assert found == pytest.approx(1 / np.mean(np.log(ordered[-k:] / ordered[-k - 1])))


def test_short_floats_lose_nothing() -> None:
    w = np.random.default_rng(5).normal(size=20_000).astype(np.float16)
    assert hill(w) == hill(w.astype(np.float64))


@pytest.mark.parametrize(("index", "shown"), [(2.8, False), (2.95, True)])
def test_three_standard_errors_above_two_are_asked_for(index: float, shown: bool) -> None:
    """Of 100,000 values 100 are the tail: an index is shown to exceed 2 from 2/(1 - 3/10) = 2.857 on."""
    quantiles = (1.0 - (np.arange(100_000) + 0.5) / 100_000) ** (-1 / 2.87)
    found, k = hill(quantiles)
    assert second_moment_shown(quantiles ** (found / index)) is shown
    assert hill(quantiles ** (found / index)) == (pytest.approx(index), k)


@pytest.mark.parametrize(("n", "shown"), [(199, False), (200, True)])
def test_a_tail_takes_two_hundred_values(n: int, shown: bool) -> None:
    assert second_moment_shown(np.append(np.ones(n), np.zeros(1000))) is shown
