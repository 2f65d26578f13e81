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
