"""Calibration of the statistical rows: at most the stated error at the least favourable point, and power."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from initcheck.models.factory.few_models import FewModelsPlan, confirm, futile, screen, siblings_needed, student_tail
from initcheck.statistics import Decision

LEVELS = (0.2, 0.05, 0.01)
RUNS = 4_000
LOW, HIGH = 0.25, 4.0


def test_wide_nets_are_decided_by_three_models_and_narrow_ones_by_more() -> None:
    plan = FewModelsPlan(2.5e-7, 1e-3)
    assert screen([2.3, 2.32, 2.31], LOW, HIGH, plan) is Decision.HOLDS
    assert screen([1.0, 0.4, 2.2], LOW, HIGH, plan) is Decision.UNDECIDED


@pytest.mark.parametrize(
    ("t", "freedom", "tail"), [(3.0777, 1, 0.1), (31.599, 2, 0.0005), (2.3534, 3, 0.05), (5.8934, 5, 0.001)]
)
def test_tails_are_those_of_the_printed_tables(t: float, freedom: int, tail: float) -> None:
    assert student_tail(t, freedom) == pytest.approx(tail, rel=2e-3)


def test_models_that_cannot_decide_are_not_built() -> None:
    plan = FewModelsPlan(2.5e-7, 1e-3)
    near = [4.15, 4.3, 3.9, 4.2, 4.4, 3.8, 4.1, 4.2, 3.95, 4.3, 4.05, 4.2]
    assert futile(near, LOW, HIGH, plan, budget=80)
    assert not futile([40.0, 41.0, 39.0], LOW, HIGH, plan, budget=80)
    assert futile([40.0, 41.0, 39.0], LOW, HIGH, plan, budget=5)
    assert not futile([1.0] * 12, LOW, HIGH, plan, budget=80)


def test_one_of_three_models_inside_does_not_say_that_further_ones_cannot_decide() -> None:
    plan = FewModelsPlan(2.5e-7, 1e-3)
    assert not futile([12.7, 3.6, 25.7], LOW, HIGH, plan, budget=80)
    half = [12.7, 3.6, 25.7, *([3.0, 9.0] * 7)]
    assert futile(half, LOW, HIGH, plan, 80, half[3:])
    wide = [12.7, 3.6, 25.7, 3.1, 14.0, 30.0, 9.0, 3.9, 40.0, 16.0, 11.0, 22.0]
    assert not futile(wide, LOW, HIGH, plan, 80, wide[3:])
    most = [12.7, 3.6, 25.7, *([9.0, 3.9] + [20.0] * 23)]
    assert not futile(most, LOW, HIGH, plan, 80, most[3:])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("siblings", [3, 7, 50])
def test_exchangeable_siblings_rarely_agree_on_the_extreme_one(level: float, siblings: int) -> None:
    rng = np.random.default_rng(4)
    models = siblings_needed(siblings, level)
    extreme = np.abs(rng.standard_t(3, (RUNS, models, siblings))).argmax(axis=2)
    events = int((extreme == extreme[:, :1]).all(axis=1).sum())
    assert binom.sf(events - 1, RUNS, level) > 1e-4


def test_the_numbers_of_models_are_those_of_the_table() -> None:
    assert [siblings_needed(n, 1e-6) for n in (7, 12, 200)] == [9, 7, 4]
    plan = FewModelsPlan(level=2e-6, beta=2e-3)
    assert (plan.fails_by_spread[0], plan.holds_by_spread[0]) == (6, 3)


def test_what_lies_far_beyond_fails_and_what_lies_well_inside_holds() -> None:
    plan = FewModelsPlan(2e-7, 1e-3)
    assert confirm([90.0, 91.0, 92.0, 90.5, 91.5, 92.5], LOW, HIGH, plan) is Decision.FAILS
    assert confirm([0.01, 0.0101, 0.0102, 0.01, 0.0101, 0.0102], LOW, HIGH, plan) is Decision.FAILS
    assert confirm([5.0, 9.0] * plan.fails_by_sign[0], LOW, HIGH, plan) is Decision.FAILS
    assert screen([1.0, 1.01, 1.02], LOW, HIGH, plan) is Decision.HOLDS
    assert screen([2.5, 0.5] * plan.holds_by_sign[0], LOW, HIGH, plan) is Decision.HOLDS
    assert screen([0.1, 0.2, 0.15], -math.inf, 1.0, plan) is Decision.UNDECIDED
    assert screen([0.1, 0.101, 0.102], -math.inf, 1.0, plan) is Decision.HOLDS


def test_too_few_models_decide_nothing() -> None:
    plan = FewModelsPlan(2e-7, 1e-3)
    assert confirm([9.0] * 5, LOW, HIGH, plan) is Decision.UNDECIDED
    assert confirm([9.0] * 5 + [1.0], LOW, HIGH, plan) is Decision.UNDECIDED
    assert confirm([9.0] * 3 + [0.1] * 3, LOW, HIGH, plan) is Decision.UNDECIDED
    assert screen([1.0] * 2, LOW, HIGH, plan) is Decision.UNDECIDED


def test_undefined_values_are_evidence_of_nothing() -> None:
    plan = FewModelsPlan(2e-7, 1e-3)
    assert confirm([math.nan] * 50, LOW, HIGH, plan) is Decision.UNDECIDED
    assert screen([math.nan] * 22, LOW, HIGH, plan) is not Decision.HOLDS
