"""What is judged as a whole: failures outweigh doubts, doubts outweigh that nothing was found."""

from __future__ import annotations

from initcheck.engine.whole_trial import WholeTrial
from initcheck.report.verdict import Verdict


def test_what_nobody_said_anything_of_holds() -> None:
    assert WholeTrial().decided(3).verdict is Verdict.HOLDS


def test_a_doubt_is_never_holds() -> None:
    trial = WholeTrial()
    trial.not_applicable("nothing to ask")
    for n in range(5):
        trial.doubts_that(f"open {n}")
    decided = trial.decided(3)
    assert (decided.verdict, decided.reason) == (Verdict.UNDECIDED, "open 0; open 1; open 2; and 2 more")


def test_a_failure_outweighs_all_and_the_first_cause_stays() -> None:
    trial = WholeTrial(measured="7", allowed="5")
    trial.doubts_that("open")
    for n in range(8):
        trial.fails(f"wrong {n}", likely=f"cause {n}" if n else None, fix="mend")
    trial.note("read this")
    decided = trial.decided(3)
    assert decided.verdict is Verdict.FAILS
    assert decided.reason is None
    assert decided.notes == ("read this",)
    evidence = decided.evidence
    assert (evidence.case, evidence.calls, evidence.likely, evidence.fix) == ("wrong 0", 3, "cause 1", "mend")
    assert evidence.detail == ("wrong 1", "wrong 2", "wrong 3", "wrong 4", "wrong 5", "and 2 more")


def test_what_has_no_subject_does_not_apply() -> None:
    trial = WholeTrial()
    trial.not_applicable("one rank has no replicas")
    trial.not_applicable("another reason")
    assert trial.decided(0).reason == "one rank has no replicas"
    assert trial.verdict is Verdict.NOT_APPLICABLE
