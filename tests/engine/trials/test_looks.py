"""Looks are taken one after another until one decides; nothing is drawn behind it."""

from __future__ import annotations

import math

import pytest

from initcheck.claims.trial import Stage
from initcheck.draws.streams import SCREEN
from initcheck.engine.trials.looks import Standing, judged_by_looks
from initcheck.statistics import Decision

SCREENS = Stage(SCREEN, 1e-2, 1e-3, 1, False)
CONFIRMS = Stage(SCREEN, 1e-2, 1e-3, 1, True)
FAILS, HOLDS = math.log(100), math.log(1000)


@pytest.mark.parametrize(
    ("stage", "looks", "decision", "taken"),
    [
        (SCREENS, [(0, 0), (FAILS, 0), (0, 0)], Decision.FAILS, 2),
        (SCREENS, [(0, 0), (0, HOLDS), (FAILS, 0)], Decision.HOLDS, 2),
        (SCREENS, [(FAILS, HOLDS)], Decision.FAILS, 1),
        (SCREENS, [(FAILS - 1e-9, HOLDS - 1e-9), (0, None)], Decision.UNDECIDED, 2),
        (CONFIRMS, [(0, HOLDS), (0, HOLDS)], Decision.UNDECIDED, 2),
        (CONFIRMS, [(0, HOLDS), (FAILS, HOLDS)], Decision.FAILS, 2),
    ],
)
def test_the_first_look_that_decides_is_the_last(stage, looks, decision, taken):
    drawn = []

    def look():
        for number, (against, inside) in enumerate(looks, start=1):
            drawn.append(number)
            yield Standing(against, inside, 0.5 * number, 24 * number)

    judgement = judged_by_looks(stage, look())
    assert (judgement.decision, judgement.looks, judgement.groups, len(drawn)) == (decision, taken, 24 * taken, taken)
    assert judgement.measured == 0.5 * taken
    assert judgement.error_spent == (1e-3 if decision is Decision.HOLDS else 1e-2)
    against, inside = looks[taken - 1]
    assert judgement.e_value_log10 == pytest.approx((inside if decision is Decision.HOLDS else against) / math.log(10))


def test_a_part_of_the_level_may_be_paid_elsewhere():
    assert judged_by_looks(SCREENS, [Standing(FAILS, None, 1.0, 1)], level=0.5e-2).decision is Decision.UNDECIDED
    assert judged_by_looks(SCREENS, [Standing(math.log(200), None, 1.0, 1)], level=0.5e-2).decision is Decision.FAILS


def test_no_look_is_no_judgement():
    judgement = judged_by_looks(SCREENS, [])
    assert (judgement.decision, judgement.looks, judgement.groups) == (Decision.UNDECIDED, 0, 0)
