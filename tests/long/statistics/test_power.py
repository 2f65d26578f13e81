"""What size of defect is found in how many weights, as the docstrings promise; and the clause p0 = 0.7."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import Decision, Judgement, betting_log_e, judge_band
from initcheck.statistics.sign_eprocess import CLAUSE

LO, HI = 0.8, 1.25
WEIGHTS = 256  # one call at 16 x 16


def judged(value: float, seed: int, runs: int = 60, **options: object) -> list[Judgement]:
    """Judge the second moment of normal weights, drawn as sums of 256 squares."""
    rng = np.random.default_rng(seed)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        return value * rng.chisquare(WEIGHTS, n), np.full(n, float(WEIGHTS))

    return [judge_band(draw, LO, HI, max_groups=3000, **options) for _ in range(runs)]


def weights(found: list[Judgement]) -> float:
    return WEIGHTS * float(np.mean([j.groups for j in found]))


def test_sound_value_holds_after_7600_weights() -> None:
    found = judged(1.0, 1, level=1e-2)
    assert {j.decision for j in found} == {Decision.HOLDS}
    assert weights(found) < 1.15 * 7_600


@pytest.mark.parametrize(("factor", "promised"), [(1.5, 18_500), (1.1, 90_000)])
@pytest.mark.parametrize("mean", [False, True])
def test_defect_is_confirmed_within_the_promised_weights(factor: float, promised: float, mean: bool) -> None:
    screens = judged(HI * factor, 2, level=1e-2, mean_statistic=mean)
    confirmed = judged(HI * factor, 3, level=1e-6, fails_only=True, mean_statistic=mean)
    assert {j.decision for j in screens + confirmed} == {Decision.FAILS}
    assert weights(screens) + weights(confirmed) < 1.2 * promised


def test_value_below_the_band_is_confirmed_as_fast_as_one_above() -> None:
    found = judged(LO / 1.5, 4, level=1e-6, fails_only=True)
    assert {j.decision for j in found} == {Decision.FAILS}
    assert weights(found) < 1.25 * 48 * WEIGHTS


def test_gross_defect_is_confirmed_in_eight_calls() -> None:
    found = judged(HI * 100, 5, level=1e-6 / 17 / 2, fails_only=True, mean_statistic=True)
    assert {(j.decision, j.groups) for j in found} == {(Decision.FAILS, 8)}


@pytest.mark.parametrize("a_call", [1, 4, 16])
@pytest.mark.parametrize("level", [1e-6, 1e-6 / 34])
def test_small_calls_cost_at_most_six_times_the_kullback_leibler_bound(a_call: int, level: float) -> None:
    """No test decides before ln(1/level)/KL weights on average, knowing both laws; ours knows neither.

    The divergence per weight is that of two normal laws, of variances 1.5 HI and HI.
    """
    rng, ratio = np.random.default_rng(6), 1.5
    divergence = 0.5 * (ratio - 1.0 - math.log(ratio))

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        calls = HI * ratio * rng.chisquare(a_call, (n, WEIGHTS // a_call)) / a_call
        return calls, np.ones_like(calls)

    options = {"level": level, "max_groups": 3000, "fails_only": True, "mean_statistic": True}
    found = [judge_band(draw, LO, HI, **options) for _ in range(60)]
    assert {j.decision for j in found} == {Decision.FAILS}
    assert weights(found) < 6.0 * math.log(1 / level) / divergence


@pytest.mark.parametrize(("factor", "calls"), [(1.5, 45), (3.0, 16), (100.0, 4)])
def test_betting_finds_a_multiple_of_the_edge_in_few_calls(factor: float, calls: int) -> None:
    rng = np.random.default_rng(7)
    d = factor * rng.chisquare(WEIGHTS, (200, 100)) / WEIGHTS - 1.0
    crossed = betting_log_e(d, 1.0) >= math.log(1e6)
    assert crossed.any(axis=1).all()
    assert np.median(crossed.argmax(axis=1) + 1) <= calls


# Laws of weights, each with its second moment.
WEIGHT_LAWS: dict[str, tuple[Callable[[np.random.Generator, tuple[int, int]], np.ndarray], float]] = {
    "normal": (lambda rng, shape: rng.normal(size=shape), 1.0),
    "uniform": (lambda rng, shape: rng.uniform(-1.0, 1.0, shape), 1 / 3),
    "truncated": (
        lambda rng, shape: stats.norm.ppf(rng.uniform(*stats.norm.cdf([-2.0, 2.0]), shape)),
        float(stats.truncnorm(-2, 2).var()),
    ),
    "rademacher": (lambda rng, shape: rng.choice([-1.0, 1.0], shape) * 1.0, 1.0),
    "95 % sparse": (lambda rng, shape: rng.normal(size=shape) * (rng.random(shape) < 0.05), 0.05),
    "t5": (lambda rng, shape: rng.standard_t(5, shape), 5 / 3),
    "laplace": (lambda rng, shape: rng.laplace(size=shape), 2.0),
}


@pytest.mark.parametrize("law", WEIGHT_LAWS)
@pytest.mark.parametrize("merged", [1, 8])
def test_clause_holds_for_the_laws_of_weights_at_256_a_group(law: str, merged: int) -> None:
    """P(group beyond the true value) <= 0.7, either way; shown at confidence 1 - 1e-6."""
    draw, moment = WEIGHT_LAWS[law]
    weights = draw(np.random.default_rng(8), (4000, WEIGHTS))
    groups = (weights**2).mean(axis=1).reshape(-1, merged).mean(axis=1)
    # Rademacher weights all measure exactly 1: rounding must not put them beyond themselves.
    for beyond in (groups > moment * (1 + 1e-12), groups < moment * (1 - 1e-12)):
        assert stats.binomtest(int(beyond.sum()), len(beyond)).proportion_ci(1 - 1e-6).high <= CLAUSE + 0.1 * (
            merged > 1
        )


def test_clause_is_false_of_rare_outliers_in_small_groups() -> None:
    """Hence no HOLDS on small shapes alone: 97 % of groups of 256 see no weight of 1e-4 frequency."""
    rng = np.random.default_rng(9)
    weights = rng.normal(size=(4000, WEIGHTS)) * np.where(rng.random((4000, WEIGHTS)) < 1e-4, 100.0, 1.0)
    below = (weights**2).mean(axis=1) < 1.0 - 1e-4 + 1e-4 * 100.0**2
    assert below.mean() > 0.9
