"""A trial's rounds: what is returned belongs together, and no round is begun that cannot end."""

from __future__ import annotations

import pytest

from initcheck.layer import Layer
from initcheck.profile import profile
from initcheck.statistics import Decision, Judgement, Ledger
from initcheck.subject import Subject
from initcheck.targets import load
from initcheck.trial import Stage, Trial


@pytest.fixture
def trial() -> Trial:
    (initializer,) = load("initcheck.gallery:he_normal").initializers
    return Trial(Subject(initializer, profile("quick"), 0), Ledger().claim())


@pytest.mark.parametrize(("side", "streams"), [(16, ["screen", "screen 1", "screen 2"]), (256, ["screen", "screen 1"])])
def test_an_open_judgement_is_returned_with_the_stage_it_was_made_at(
    trial: Trial, side: int, streams: list[str]
) -> None:
    asked: list[str] = []

    def never_decides(stage: Stage) -> Judgement:
        asked.append(stage.stream)
        return Judgement(Decision.UNDECIDED, 0.0, stage.level, 1.0, 1, len(asked))

    judgement, stage = trial.decide(Layer((side, side)), never_decides)
    assert asked == streams
    assert stage.stream == streams[-1]
    assert judgement.groups == len(streams)


def test_a_screen_that_is_not_confirmed_stays_open(trial: Trial) -> None:
    def only_screens(stage: Stage) -> Judgement:
        decision = Decision.UNDECIDED if stage.confirms else Decision.FAILS
        return Judgement(decision, 0.0, stage.level, 1.0, 1, 1)

    judgement, stage = trial.decide(Layer((256, 256)), only_screens)
    assert judgement.decision is Decision.UNDECIDED
    assert stage.stream == "screen 1"
    assert trial.ledger.confirmations == 2
