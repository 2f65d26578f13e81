"""What a claim says of a law file: changes fail, what could not be decided is open."""

from __future__ import annotations

from typing import Any, cast

from initcheck.properties.two_starts import keeps_its_lock

from initcheck.locks.subject import LockTrial
from initcheck.report.verdict import Verdict


class _Lock:
    file, like = "init.lock", None


def _judged(**told: Any) -> LockTrial:
    trial = LockTrial(cast(Any, _Lock()), **{"lines": 1, **told})
    keeps_its_lock(trial)
    return trial


def test_a_law_that_could_not_be_told_from_another_does_not_hold() -> None:
    trial = _judged(open_lines=["the budget ended"])
    assert (trial.verdict, trial.reason) == (Verdict.UNDECIDED, "the budget ended")


def test_a_change_fails_with_its_cause_and_what_to_do() -> None:
    trial = _judged(departures=["std 0.02 -> 0.03"], open_lines=["the budget ended"], cause="scale", mend="undo it")
    assert trial.verdict is Verdict.FAILS
    assert (trial.likely, trial.fix, trial.measured) == ("scale", "undo it", "1 change")


def test_what_is_kept_holds() -> None:
    assert _judged().verdict is Verdict.HOLDS


def test_where_no_line_was_compared_nothing_holds() -> None:
    trial = _judged(lines=0)
    assert (trial.verdict, trial.reason) == (Verdict.NOT_APPLICABLE, "init.lock has a law for none of its tensors")
