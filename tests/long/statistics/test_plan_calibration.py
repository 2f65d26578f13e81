"""Layers that are tested from their first call on: together they alarm as rarely as one confirmation may."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import Decision, judge_band

LO, HI, LAYERS, RUNS, CALLS = 0.8, 1.25, 3, 60, 16

LAWS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda rng, size: rng.normal(size=size),
    "uniform": lambda rng, size: rng.uniform(-(3**0.5), 3**0.5, size),
    "nine in ten zero": lambda rng, size: rng.normal(size=size) * (rng.random(size) < 0.1) * 10**0.5,
    "Student's t with 5 degrees": lambda rng, size: rng.standard_t(5, size) * 0.6**0.5,
}


def fails(law: str, rng: np.random.Generator, value: float, level: float) -> bool:
    """Whether one layer of 16 weights, of this second moment, is failed within 40 groups of 16 calls."""

    def draw(groups: int) -> tuple[np.ndarray, np.ndarray]:
        calls = np.square(LAWS[law](rng, (groups, CALLS, 16))).mean(axis=2) * value
        return calls, np.ones_like(calls)

    judgement = judge_band(
        draw, LO, HI, level=level, max_groups=40, mean_statistic=True, early=True, below_after=200 // CALLS
    )
    return judgement.decision is Decision.FAILS


@pytest.mark.parametrize("edge", [LO, HI])
@pytest.mark.parametrize("law", LAWS)
def test_layers_on_an_edge_alarm_together_as_rarely_as_one_confirmation(law: str, edge: float) -> None:
    for alpha in (0.2, 0.05, 0.01):
        rng = np.random.default_rng(round(1000 * alpha))
        alarms = sum(any(fails(law, rng, edge, alpha / LAYERS) for _ in range(LAYERS)) for _ in range(RUNS))
        assert stats.binomtest(alarms, RUNS, alpha, alternative="greater").pvalue > 1e-4, (alpha, alarms)


@pytest.mark.parametrize("law", LAWS)
def test_a_layer_beyond_an_edge_is_failed(law: str) -> None:
    rng = np.random.default_rng(7)
    for value in (LO / 2, HI * 2):
        assert sum(fails(law, rng, value, 0.01 / LAYERS) for _ in range(20)) >= 19


CALL_LAWS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "chi-squared with 3 degrees": lambda rng, n: rng.chisquare(3, n) / 3,
    "log-normal": lambda rng, n: np.exp(rng.normal(0, 0.8, n) - 0.32),
    "a tenth of the calls large": lambda rng, n: np.where(rng.random(n) < 0.1, 5.5, 0.5),
}


def held_by_bets(law: str, rng: np.random.Generator, value: float, beta: float, groups: int) -> bool:
    """Whether bets alone hold a mean of calls that are not alike: signs would have to show one in 10^12."""

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        calls = CALL_LAWS[law](rng, n).reshape(n, 1) * value
        return calls, np.ones_like(calls)

    options = {"level": 1e-9, "beta": 1e-12, "first": 32, "mean_statistic": True, "bets_after": 32}
    judgement = judge_band(draw, LO, HI, max_groups=groups, bets_beta=beta, **options)
    return judgement.decision is Decision.HOLDS


@pytest.mark.parametrize("edge", [LO, HI])
@pytest.mark.parametrize("law", CALL_LAWS)
def test_bets_hold_a_mean_on_an_edge_as_rarely_as_their_beta(law: str, edge: float) -> None:
    for beta in (0.2, 0.05, 0.01):
        rng = np.random.default_rng(round(1000 * beta))
        wrong = sum(held_by_bets(law, rng, edge, beta, 200) for _ in range(RUNS))
        assert stats.binomtest(wrong, RUNS, beta, alternative="greater").pvalue > 1e-4, (beta, wrong)


@pytest.mark.parametrize("law", CALL_LAWS)
def test_bets_hold_a_mean_in_the_middle(law: str) -> None:
    rng = np.random.default_rng(7)
    assert sum(held_by_bets(law, rng, 1.0, 1e-3, 4_000) for _ in range(10)) >= 9
