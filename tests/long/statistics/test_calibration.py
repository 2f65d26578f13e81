"""Every test keeps its error rate at every look, at the least favourable point, and errs in no direction.

An error counts if the process *ever* crosses. Bounds are binomial quantiles at confidence 1 - 1e-9: a test
whose true error rate is at most alpha cannot fail here, whatever the seed. A test without power passes
calibration too, and so does an inverted comparison: hence the subjects that are truly outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import (
    BandEvidence,
    Decision,
    band_paths,
    betting_log_e,
    judge_band,
    judge_median,
    log_e,
    merged_log_e,
    merged_ratios,
    rare_log_e,
    rarely_top_log_e,
    symmetric_log_e,
    tops,
    tops_log_e,
)

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]

ALPHAS = (0.2, 0.05, 0.01)
RUNS = 3000


def at_most(alpha: float, runs: int = RUNS) -> int:
    """Errors that a rate of alpha exceeds with probability 1e-9 at most."""
    return int(stats.binom.isf(1e-9, runs, alpha))


def ever(log_es: np.ndarray, alpha: float) -> int:
    """Runs in which an e-process ever reaches 1/alpha."""
    return int((log_es.max(axis=-1) >= -math.log(alpha)).sum())


def events(rng: np.random.Generator, p: float, n: int, runs: int = RUNS) -> tuple[np.ndarray, np.ndarray]:
    return np.cumsum(rng.random((runs, n)) < p, axis=1), np.arange(1, n + 1)


@pytest.mark.parametrize("p0", [0.7, 0.5, 0.05, 1e-3])
def test_sign_process_keeps_its_level_on_the_edge(p0: float) -> None:
    k, n = events(np.random.default_rng(1), p0, 400)
    for alpha in ALPHAS:
        assert ever(log_e(k, n, p0), alpha) <= at_most(alpha)


def test_bound_catches_an_e_value_ten_times_too_large() -> None:
    """The bounds have teeth: the same process, inflated, breaks them."""
    k, n = events(np.random.default_rng(1), 0.7, 400)
    for alpha in ALPHAS:
        assert ever(log_e(k, n, 0.7) + math.log(10), alpha) > at_most(alpha)


@pytest.mark.parametrize(("p0", "p"), [(0.7, 0.95), (0.5, 0.8), (0.05, 0.5), (1e-3, 0.1)])
def test_sign_process_fails_what_is_truly_too_frequent(p0: float, p: float) -> None:
    k, n = events(np.random.default_rng(2), p, 400)
    assert ever(log_e(k, n, p0), 1e-6) > 0.99 * RUNS


@pytest.mark.parametrize("p0", [0.7, 0.5, 0.05])
def test_sign_process_says_nothing_of_the_other_direction(p0: float) -> None:
    """Events rarer than p0 are no evidence; an inverted count would cross at once."""
    k, n = events(np.random.default_rng(3), 0.1 * p0, 400)
    assert ever(log_e(k, n, p0), 0.2) <= at_most(0.05)
    assert ever(log_e(n - k, n, p0), 1e-3) > 0.9 * RUNS


def test_four_scales_keep_the_level_when_each_is_at_its_worst() -> None:
    rng = np.random.default_rng(4)
    looks = 40
    beyond = [rng.random((RUNS, looks * 8 // scale)) < 0.7 for scale in (1, 2, 4, 8)]
    for alpha in ALPHAS:
        assert ever(merged_log_e(beyond), alpha) <= at_most(alpha)


def test_four_scales_keep_the_level_between_looks_of_one_sequence() -> None:
    """Nested groups of one skewed sequence: the scales are as dependent as they ever are."""
    rng = np.random.default_rng(5)
    values = np.where(rng.random((RUNS, 320)) < 0.7, 1.03, 1.0 - 0.03 * 7 / 3)
    ratios = merged_ratios(values, np.ones_like(values))
    for alpha in ALPHAS:
        assert ever(merged_log_e([t > 1.0 for t in ratios]), alpha) <= at_most(alpha)


# Laws of mean 1, from p = 0.5 below the mean to the clause's 0.7, either way round.
LAWS: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.normal(1.0, 0.1, shape),
    "exponential": lambda rng, shape: rng.exponential(1.0, shape),
    "mostly above": lambda rng, shape: np.where(rng.random(shape) < 0.7, 1.1, 1.0 - 0.1 * 7 / 3),
    "mostly below": lambda rng, shape: np.where(rng.random(shape) < 0.7, 0.9, 1.0 + 0.1 * 7 / 3),
    "chi-squared": lambda rng, shape: rng.chisquare(256, shape) / 256,
}
LO, HI = 0.8, 1.25
GROUPS = 240


def groups_at(law: str, value: float, seed: int, mean: bool, runs: int = RUNS, groups: int = GROUPS) -> BandEvidence:
    rng = np.random.default_rng(seed)
    numer = value * LAWS[law](rng, (runs, groups))
    return band_paths(np.abs(numer), np.ones_like(numer), LO, HI, mean_statistic=mean)


@pytest.mark.parametrize("mean", [False, True], ids=["signs", "bets"])
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("edge", [LO, HI])
def test_band_on_the_edge_rarely_fails(law: str, edge: float, mean: bool) -> None:
    paths = groups_at(law, edge, 6, mean)
    for alpha in ALPHAS:
        assert ever(paths.fails, alpha) <= at_most(alpha)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("edge", [LO, HI])
def test_band_on_the_edge_rarely_holds(law: str, edge: float) -> None:
    paths = groups_at(law, edge, 7, mean=False)
    for beta in ALPHAS:
        assert ever(paths.holds, beta) <= at_most(beta)


@pytest.mark.parametrize("law", ["normal", "chi-squared"])
@pytest.mark.parametrize("mean", [False, True], ids=["signs", "bets"])
@pytest.mark.parametrize("value", [0.5 * LO, 0.8 * LO, 1.2 * HI, 2.0 * HI])
def test_band_fails_what_is_outside_and_never_holds_it(law: str, mean: bool, value: float) -> None:
    paths = groups_at(law, value, 8, mean, runs=300)
    assert ever(paths.fails, 1e-6) >= 297
    assert ever(paths.holds, 1e-3) == 0


@pytest.mark.parametrize("law", ["normal", "chi-squared"])
def test_band_holds_what_is_inside_and_never_fails_it(law: str) -> None:
    paths = groups_at(law, 1.0, 9, mean=True, runs=300)
    assert ever(paths.holds, 1e-3) >= 297
    assert ever(paths.fails, 1e-6) == 0


@pytest.mark.parametrize(("edge", "wrong"), [(LO, Decision.FAILS), (HI, Decision.FAILS), (HI, Decision.HOLDS)])
def test_band_driver_keeps_its_level_on_the_edge(edge: float, wrong: Decision) -> None:
    runs, alpha, rng = 400, 0.05, np.random.default_rng(10)
    errors = 0
    for _ in range(runs):
        judgement = judge_band(
            lambda n: (edge * rng.normal(1.0, 0.1, n), np.ones(n)),
            LO, HI, level=alpha, beta=alpha, max_groups=96, fails_only=wrong is Decision.FAILS,
        )  # fmt: skip
        errors += judgement.decision is wrong
    assert errors <= at_most(alpha, runs)


@pytest.mark.parametrize("law", ["coin", "exponential", "rare and huge"])
def test_band_driver_with_an_early_start_keeps_its_level(law: str) -> None:
    """Bets on single calls, looked at after 4 and 6 groups too: the mean of a call is on the edge."""
    runs, rng = 500, np.random.default_rng(10)
    for alpha in (0.2, 0.05):
        errors = 0
        for _ in range(runs):
            judgement = judge_band(
                lambda n: (HI * (1.0 + FAIR_BETS[law](rng, (n, 3))), np.ones((n, 3))),
                0.0, HI, level=alpha, max_groups=64, fails_only=True, mean_statistic=True,
            )  # fmt: skip
            errors += judgement.decision is Decision.FAILS
        assert errors <= at_most(alpha, runs)


# Means at their bound: symmetric, skewed both ways, and one carried by rare huge values.
FAIR_BETS: dict[str, Draw] = {
    "coin": lambda rng, shape: rng.choice([-1.0, 1.0], shape),
    "exponential": lambda rng, shape: rng.exponential(1.0, shape) - 1.0,
    "small": lambda rng, shape: rng.normal(0.0, 0.05, shape).clip(-1.0, 1.0),
    "rare and huge": lambda rng, shape: np.where(rng.random(shape) < 0.01, 99.0, -1.0),
    "often small gains": lambda rng, shape: np.where(rng.random(shape) < 0.9, 1 / 9, -1.0),
}


@pytest.mark.parametrize("law", FAIR_BETS)
def test_betting_keeps_its_level_on_a_fair_game(law: str) -> None:
    d = FAIR_BETS[law](np.random.default_rng(11), (RUNS, 400))
    for alpha in ALPHAS:
        assert ever(betting_log_e(d, 1.0), alpha) <= at_most(alpha)


def test_betting_fails_what_is_truly_above_and_not_what_is_below() -> None:
    d = np.random.default_rng(12).normal(0.0, 0.3, (RUNS, 400)).clip(-0.8, 0.8)
    assert ever(betting_log_e(d + 0.2, 1.0), 1e-6) > 0.99 * RUNS
    assert ever(betting_log_e(d - 0.2, 1.0), 0.2) <= at_most(0.05)


@pytest.mark.parametrize("sign", [1, -1])
def test_symmetric_correlation_keeps_its_level(sign: int) -> None:
    """A whole +-1, the widest symmetric law; both signs."""
    r = sign * np.random.default_rng(13).choice([-1.0, 1.0], (RUNS, 300))
    plus, minus = symmetric_log_e(r)
    for alpha in ALPHAS:
        assert ever(plus, alpha) <= at_most(alpha)
        assert ever(minus, alpha) <= at_most(alpha)


@pytest.mark.parametrize("law", ["normal", "cauchy", "few values"])
def test_tops_keep_their_level_for_any_law(law: str) -> None:
    rng = np.random.default_rng(14)
    runs, n = 2000, 60
    shape = (runs * n, 20)
    ranked = {
        "normal": rng.standard_normal,
        "cauchy": rng.standard_cauchy,
        "few values": lambda size: rng.integers(0, 40, size).astype(float),
    }[law](shape)
    top = tops(ranked[:, 0], ranked[:, 1:]).reshape(runs, n)
    paths = tops_log_e(np.cumsum(top, axis=1), np.arange(1, n + 1))
    for alpha in ALPHAS:
        assert ever(paths, alpha) <= at_most(alpha, runs)


def test_tops_fail_a_statistic_that_beats_its_shuffles() -> None:
    rng = np.random.default_rng(15)
    ranked = rng.standard_normal((500 * 60, 20))
    top = tops(ranked[:, 0] + 3.0, ranked[:, 1:]).reshape(500, 60)
    paths = tops_log_e(np.cumsum(top, axis=1), np.arange(1, 61))
    assert ever(paths, 1e-6) > 495


def test_rarely_top_keeps_its_level_at_one_half_and_shows_one_in_twenty() -> None:
    k, n = events(np.random.default_rng(16), 0.5, 200)
    for beta in ALPHAS:
        assert ever(rarely_top_log_e(k, n), beta) <= at_most(beta)
    k, n = events(np.random.default_rng(16), 0.05, 40)
    assert ever(rarely_top_log_e(k, n), 1e-3) > 0.99 * RUNS
    k, n = events(np.random.default_rng(16), 0.9, 40)
    assert ever(rarely_top_log_e(k, n), 1e-3) == 0


def test_rare_events_keep_their_level_and_frequent_ones_fail() -> None:
    k, n = events(np.random.default_rng(17), 1e-3, 2000, runs=1000)
    for alpha in ALPHAS:
        assert ever(rare_log_e(k, n), alpha) <= at_most(alpha, 1000)
    k, n = events(np.random.default_rng(18), 0.2, 100)
    assert ever(rare_log_e(k, n), 1e-6) > 0.99 * RUNS


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("edge", [-1.0, 1.0])
@pytest.mark.parametrize("screen", [True, False])
def test_median_on_the_edge_rarely_fails_and_rarely_holds(alpha: float, edge: float, screen: bool) -> None:
    runs, rng = 1500, np.random.default_rng(19)
    found = [
        judge_median(lambda n: edge + rng.normal(0.0, 0.1, n), -1.0, 1.0, level=alpha, beta=alpha, screen=screen)
        for _ in range(runs)
    ]
    assert sum(j.decision is Decision.FAILS for j in found) <= at_most(alpha, runs)
    assert sum(j.decision is Decision.HOLDS for j in found) <= (at_most(alpha, runs) if screen else 0)


@pytest.mark.parametrize("centre", [-2.0, 2.0])
@pytest.mark.parametrize("screen", [True, False])
def test_median_outside_fails(centre: float, screen: bool) -> None:
    rng = np.random.default_rng(20)
    found = [
        judge_median(lambda n: rng.normal(centre, 0.5, n), -1.0, 1.0, level=1e-6, screen=screen) for _ in range(100)
    ]
    if screen:  # its looks fit beta: at 1e-6 some need the second one
        assert not any(j.decision is Decision.HOLDS for j in found)
    assert sum(j.decision is Decision.FAILS for j in found) >= 99
