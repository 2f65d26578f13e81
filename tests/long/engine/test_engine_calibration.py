"""The whole machine keeps its error rates on the edge of the band: Hypothesis, shrinking, ledger and all.

The true second moment lies exactly on an edge at every shape, the claim is alone in the registry (C = 1) and alpha is
inflated. Bounds are binomial quantiles at confidence 1 - 1e-9, so a machine that keeps its rates cannot fail here.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from counter_uniforms import CounterSampler, uniforms
from scipy import stats

import initcheck.engine.checker
import initcheck.engine.trials.judge
from initcheck.claims.registry import find
from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer
from initcheck.contract.profile import PROFILES, Profile
from initcheck.engine.checker import Checker, Settings
from initcheck.report.verdict import Verdict

CLAIM = "output-variance-near-one"
LO, HI = 0.8, 1.25
RATES = (0.2, 0.05, 0.01)
# A case on the edge spends its whole budget, so it gets one of 96 groups.
BUDGET = Profile(
    name="calibration",
    layers=5,
    exact_layers=0,
    swept=0,
    searched=0,
    largest=1_024,
    weights=24_576,
    calls=2_000,
    shrink=10,
)

Floats = np.ndarray[Any, np.dtype[np.float64]]
# (uniforms of the weights, twice; one uniform a call) -> weights of second moment 1
Law = Callable[[Floats, Floats, Floats], Floats]


def normal(first: Floats, second: Floats, call: Floats) -> Floats:
    return np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)


def beyond(share: float, sign: int) -> Law:
    """Signs, and calls of two scales: a share of the calls above the mean (+1) or below it (-1)."""

    def law(first: Floats, second: Floats, call: Floats) -> Floats:
        moment = np.where(call < share, 1 + sign * 0.01, 1 - sign * 0.01 * share / (1 - share))
        return np.where(first < 0.5, -1.0, 1.0) * np.sqrt(moment)[:, None]

    return law


@dataclasses.dataclass
class OnTheEdge(CounterSampler):
    """Weights of second moment ``value(fan_in, fan_out)`` over fan_in, a function of the seed alone."""

    law: Law
    value: Callable[[int, int], float]

    def calls(self, shape: tuple[int, ...], seeds: Sequence[int], dtype: str) -> list[Any]:
        n = math.prod(shape)
        u = uniforms(seeds, 2 * n + 1)
        weights = self.law(u[:, :n], u[:, n : 2 * n], u[:, -1]) * math.sqrt(self.value(shape[1], shape[0]) / shape[1])
        return list(weights.reshape(-1, *shape))


@pytest.fixture(autouse=True)
def _alone_in_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this claim, without the ones it needs: they are true of every initializer here."""
    alone = dataclasses.replace(find(CLAIM), needs=())
    monkeypatch.setattr(initcheck.engine.checker, "asked_of", lambda kind: {CLAIM: alone})
    monkeypatch.setattr(initcheck.engine.checker, "find", lambda name: alone)
    monkeypatch.setitem(PROFILES, BUDGET.name, BUDGET)


@pytest.fixture
def _no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Screens that let almost everything through, so that the ledger alone must keep the rate."""
    monkeypatch.setattr(initcheck.engine.trials.judge, "SCREEN_LEVEL", 0.999)


def verdicts(
    law: Law,
    value: float | Callable[[int, int], float],
    runs: int,
    *,
    alpha: float = 1e-6,
    beta: float = 1e-3,
    widths: tuple[int, int] = (16, 32),
) -> Counter[Verdict]:
    at = value if callable(value) else lambda fan_in, fan_out: value
    promised = {"activation": "linear", "fan": "fan_in", "layout": "out_in", "dtypes": ("float64",), "widths": widths}
    # Declared: of an assumed layout only squares would be asked.
    contract = Contract.from_mapping(promised)
    initializer = Initializer(name="on the edge", sampler=OnTheEdge(law, at), contract=contract, ranks=(2,))
    found: Counter[Verdict] = Counter()
    for seed in range(runs):
        checker = Checker(Settings(seed=seed, profile=BUDGET.name, alpha=alpha, beta=beta, claims=(CLAIM,)))
        assert checker.ledger.claims == 1
        found[checker.judge(initializer, CLAIM).verdict] += 1
    return found


def at_most(rate: float, runs: int) -> int:
    """Errors that such a rate exceeds with probability 1e-9 at most."""
    return int(stats.binom.isf(1e-9, runs, rate))


@pytest.mark.parametrize("alpha", RATES)
@pytest.mark.parametrize(("edge", "sign"), [(HI, 1), (LO, -1)], ids=["upper", "lower"])
@pytest.mark.usefixtures("_no_screen")
def test_on_the_edge_at_every_shape_it_rarely_fails(edge: float, sign: int, alpha: float) -> None:
    """Seven calls in ten lie beyond the edge, the limit of the clause of the signs."""
    found = verdicts(beyond(0.7, sign), edge, 40, alpha=alpha)
    assert found[Verdict.FAILS] <= at_most(alpha, 40)


@pytest.mark.parametrize("edge", [HI, LO], ids=["upper", "lower"])
@pytest.mark.usefixtures("_no_screen")
def test_on_the_edge_at_small_shapes_it_rarely_fails(edge: float) -> None:
    """Groups of many calls, width 1 and all."""
    assert verdicts(normal, edge, 12, alpha=0.01, widths=(1, 16))[Verdict.FAILS] <= at_most(0.01, 12)


@pytest.mark.usefixtures("_no_screen")
def test_above_the_band_the_bound_needs_no_clause() -> None:
    """With 19 calls in 20 beyond the edge, bets on the mean still do not fail a value that is on it."""
    assert verdicts(beyond(0.95, 1), HI, 20, alpha=0.2)[Verdict.FAILS] <= at_most(0.2, 20)


@pytest.mark.usefixtures("_no_screen")
def test_below_the_band_the_bound_is_broken_where_rare_calls_carry_the_mean() -> None:
    """It has teeth, and the clause is needed: of 96 calls none is the one in 10,000 that holds half of the moment."""

    def law(first: Floats, second: Floats, call: Floats) -> Floats:
        return normal(first, second, call) * np.sqrt(np.where(call < 1e-4, 5_000.5, 0.5))[:, None]

    assert verdicts(law, LO, 20, alpha=0.2)[Verdict.FAILS] > at_most(0.2, 20)


@pytest.mark.parametrize("alpha", [0.2, 1e-6])
@pytest.mark.parametrize("value", [1.4 * HI, LO / 1.4], ids=["above", "below"])
def test_outside_at_every_shape_it_fails(value: float, alpha: float) -> None:
    assert verdicts(normal, value, 10, alpha=alpha) == {Verdict.FAILS: 10}


@pytest.mark.parametrize("beta", RATES)
@pytest.mark.parametrize(("edge", "sign"), [(HI, -1), (LO, 1)], ids=["upper", "lower"])
def test_just_outside_at_one_shape_it_rarely_holds(edge: float, sign: int, beta: float) -> None:
    """Every other shape is in the middle of the band, so that HOLDS hangs on this one; three rounds share beta."""

    def value(fan_in: int, fan_out: int) -> float:
        return edge * (1 + 1e-9) ** (1 if edge > 1 else -1) if (fan_in, fan_out) == (32, 32) else 1.0

    found = verdicts(beyond(0.7, sign), value, 40, beta=beta)
    assert found[Verdict.HOLDS] <= at_most(beta, 40)


def test_the_bound_on_holds_is_broken_where_the_clause_is() -> None:
    found = verdicts(beyond(0.98, -1), lambda *fans: HI * (1 + 1e-9) if fans == (32, 32) else 1.0, 20, beta=0.2)
    assert found[Verdict.HOLDS] > at_most(0.2, 20)


def test_in_the_middle_it_holds() -> None:
    # Two weights a call are the fewest groups that this budget pays for: now and then one is left open.
    found = verdicts(normal, 1.0, 10, widths=(1, 16))
    assert found[Verdict.FAILS] == 0
    assert found[Verdict.HOLDS] >= 8


def test_the_same_seeds_give_the_same_verdicts() -> None:
    once = verdicts(beyond(0.7, -1), HI, 8, beta=0.2)
    assert once == verdicts(beyond(0.7, -1), HI, 8, beta=0.2)
