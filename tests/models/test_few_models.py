"""Calibration of the statistical rows: at most the stated error at the least favourable point, and power."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initcheck.models.few_models import Plan, confirm, screen, siblings_needed
from initcheck.statistics import Decision

LEVELS = (0.2, 0.05, 0.01)
RUNS = 4_000
LOW, HIGH = 0.25, 4.0


def _at_most(events: int, runs: int, level: float) -> bool:
    """Whether so many events are compatible with a rate of at most ``level``: exact binomial tail above 1e-4."""
    tail = 0.0
    for k in range(events, runs + 1):
        term = math.exp(
            math.lgamma(runs + 1) - math.lgamma(k + 1) - math.lgamma(runs - k + 1)
            + k * math.log(level) + (runs - k) * math.log1p(-level)
        )  # fmt: skip
        tail += term
        if k > runs * level and term < 1e-12:
            break
    return tail > 1e-4


def _on_the_edge(rng: np.random.Generator, n: int, edge: float, outwards: float, stray: float = 0.05) -> list[float]:
    """Values whose median is the edge: half beyond it, and ``stray`` of all beyond by more than a factor 2."""
    side = rng.random(n)
    factor = np.where(side < stray, 3.0, np.where(side < 0.5, 1.5, np.where(side < 1 - stray, 1 / 1.5, 1 / 3.0)))
    return list(edge * factor**outwards)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("edge", "outwards"), [(HIGH, 1.0), (LOW, -1.0)])
def test_a_median_on_the_edge_is_rarely_called_a_failure(level: float, edge: float, outwards: float) -> None:
    rng = np.random.default_rng(1)
    plan = Plan(level, level)
    longest = plan.fails_by_sign[-1]
    draws = (_on_the_edge(rng, longest, edge, outwards) for _ in range(RUNS))
    events = sum(confirm(values, LOW, HIGH, plan) is Decision.FAILS for values in draws)
    assert _at_most(events, RUNS, level)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("edge", "outwards"), [(HIGH, -1.0), (LOW, 1.0)])
def test_a_median_on_the_edge_is_rarely_said_to_hold(level: float, edge: float, outwards: float) -> None:
    rng = np.random.default_rng(2)
    plan = Plan(level, level)
    looks = (plan.holds_by_clause, *plan.holds_by_sign)
    events = 0
    for _ in range(RUNS):
        values = _on_the_edge(rng, max(looks), edge, outwards)
        events += any(screen(values[:n], LOW, HIGH, plan) is Decision.HOLDS for n in looks)
    assert _at_most(events, RUNS, level)


@pytest.mark.parametrize("level", LEVELS)
def test_the_exact_sign_test_needs_no_clause(level: float) -> None:
    """The clause is broken as badly as can be (half of all models stray): only the sign test's half is at stake."""
    rng = np.random.default_rng(3)
    plan = Plan(level, level)
    first, last = plan.fails_by_sign
    clause = plan.fails_by_clause
    events = 0
    for _ in range(RUNS):
        values = _on_the_edge(rng, last, HIGH, 1.0, stray=0.5)
        values[0] = 1.0  # the clause's own test cannot decide
        events += confirm(values, LOW, HIGH, plan) is Decision.FAILS
    assert clause >= 1
    assert first < last
    assert _at_most(events, RUNS, level)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("siblings", [3, 7, 50])
def test_exchangeable_siblings_rarely_agree_on_the_extreme_one(level: float, siblings: int) -> None:
    rng = np.random.default_rng(4)
    models = siblings_needed(siblings, level)
    extreme = np.abs(rng.standard_t(3, (RUNS, models, siblings))).argmax(axis=2)
    events = int((extreme == extreme[:, :1]).all(axis=1).sum())
    assert _at_most(events, RUNS, level)


def test_the_numbers_of_models_are_those_of_the_table() -> None:
    assert [siblings_needed(n, 1e-6) for n in (7, 12, 200)] == [9, 7, 4]
    plan = Plan(level=2e-6, beta=2e-3)
    assert (plan.fails_by_clause, plan.holds_by_clause) == (5, 3)
    assert 0.05**plan.fails_by_clause <= 1e-6
    assert 0.05**plan.holds_by_clause <= 1e-3


def test_what_lies_far_beyond_fails_and_what_lies_well_inside_holds() -> None:
    plan = Plan(2e-7, 1e-3)
    assert confirm([9.0] * plan.fails_by_clause, LOW, HIGH, plan) is Decision.FAILS
    assert confirm([0.1] * plan.fails_by_clause, LOW, HIGH, plan) is Decision.FAILS
    assert confirm([5.0] * plan.fails_by_sign[0], LOW, HIGH, plan) is Decision.FAILS
    assert screen([1.0] * 3, LOW, HIGH, plan) is Decision.HOLDS
    assert screen([2.5] * plan.holds_by_sign[0], LOW, HIGH, plan) is Decision.HOLDS


def test_too_few_models_decide_nothing() -> None:
    plan = Plan(2e-7, 1e-3)
    assert confirm([9.0] * (plan.fails_by_clause - 1), LOW, HIGH, plan) is Decision.UNDECIDED
    assert confirm([9.0] * 5 + [1.0], LOW, HIGH, plan) is Decision.UNDECIDED
    assert confirm([9.0] * 3 + [0.1] * 3, LOW, HIGH, plan) is Decision.UNDECIDED
    assert screen([1.0] * 2, LOW, HIGH, plan) is Decision.UNDECIDED
    assert screen([2.5] * 3, LOW, HIGH, plan) is Decision.UNDECIDED


def test_undefined_values_are_evidence_of_nothing() -> None:
    plan = Plan(2e-7, 1e-3)
    assert confirm([math.nan] * 50, LOW, HIGH, plan) is Decision.UNDECIDED
    assert screen([math.nan] * 22, LOW, HIGH, plan) is not Decision.HOLDS
