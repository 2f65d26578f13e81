"""The same verdicts in this process, in a pool and in processes of their own; a death costs one of them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from in_this_process import InThisProcess

from initcheck.engine.settings import Settings
from initcheck.errors import UsageError
from initcheck.report.verdict import Result, Verdict
from initcheck.runs.own_process import OwnProcess
from initcheck.runs.plan import Plan
from initcheck.runs.pool import judge_all
from initcheck.targets.recipes import recipe_of

pytest_plugins = ["pytester"]

HOSTILE = """
import os
import signal
import time


def he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


def biased(shape, rng):
    return he(shape, rng) + 1


def kills(shape, rng):
    if max(shape) > 16:
        os.kill(os.getpid(), signal.SIGKILL)
    return he(shape, rng)


def segfaults(shape, rng):
    if max(shape) > 16:
        os.kill(os.getpid(), signal.SIGSEGV)
    return he(shape, rng)


def hangs(shape, rng):
    if max(shape) > 16:
        time.sleep(3600)
    return he(shape, rng)


def takes_its_time(shape, rng):
    time.sleep(0.2)
    return he(shape, rng)
"""
CLAIMS = ("accepts-every-shape", "returns-the-shape-asked", "finite", "output-variance-near-one")


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make a plan of functions of the module above."""
    (tmp_path / "hostile_workers.py").write_text(HOSTILE)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "hostile_workers", raising=False)

    def of(*names: str, claims: tuple[str, ...] = CLAIMS, isolate: bool = False) -> Plan:
        settings = Settings(claims=claims, profile="quick")
        texts = [f"hostile_workers:{name}" for name in names]
        return Plan(texts, settings, contract="activation=relu,layout=out_in", isolate=isolate)

    return of


def timeless(plan: Plan, results: object) -> list[Result]:
    return [replace(r, seconds=0.0) for r in plan.report(results)]  # type: ignore[arg-type]


def verdicts(results: list[Result]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for r in results:
        found.setdefault(r.initializer.partition(":")[2], []).append(r.verdict.value)
    return found


@pytest.mark.long
def test_verdicts_are_the_same_bit_for_bit_wherever_they_are_reached(plan, monkeypatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("initcheck.runs.plan.OwnProcess", InThisProcess)
        here = plan("he", "biased")
        serial = timeless(here, judge_all(here))
    assert {r.verdict for r in serial} == {Verdict.HOLDS, Verdict.FAILS}
    for jobs, isolate in [(3, False), (1, False), (1, True)]:
        there = plan("he", "biased", isolate=isolate)
        assert timeless(there, judge_all(there, jobs=jobs)) == serial
        assert there.contracts == here.contracts


@pytest.mark.long
def test_a_process_that_dies_is_a_verdict_on_that_initializer_alone(plan) -> None:
    hostile = plan("kills", "segfaults", "he", claims=CLAIMS[:3], isolate=True)
    results = timeless(hostile, judge_all(hostile, jobs=2))
    moot = ["NOT APPLICABLE"] * 2
    assert verdicts(results) == {
        "kills": ["FAILS", *moot],
        "segfaults": ["FAILS", *moot],
        "he": ["HOLDS"] * 3,
    }
    killed, segfault = (r for r in results if r.verdict is Verdict.FAILS)
    assert killed.claim == segfault.claim == "accepts-every-shape"
    assert killed.evidence.measured == "the process died of SIGKILL (a kill for want of memory, most often)"
    assert segfault.evidence.measured == "the process died of SIGSEGV"
    assert any("in segfaults" in line for line in segfault.evidence.detail)
    assert "--initcheck-isolate" in killed.reproduce


def test_a_call_that_hangs_is_ended_and_says_where(plan) -> None:
    hanging = plan("hangs", claims=CLAIMS[:1])
    with OwnProcess(hanging.checker.settings, hanging.contracts) as isolated:
        isolated.patience = 2
        result = isolated.judge(hanging.initializers[0], CLAIMS[0])
    assert result.verdict is Verdict.FAILS
    assert result.evidence.measured == "a call did not return within 2 s"
    assert any("in hangs" in line for line in result.evidence.detail)


def test_calls_that_come_back_slowly_leave_a_claim_open_and_the_next_one_is_asked(plan) -> None:
    slow = plan("takes_its_time", claims=CLAIMS[1:3])
    with OwnProcess(slow.checker.settings, slow.contracts) as isolated:
        isolated.patience = 2
        results = [isolated.judge(slow.initializers[0], claim) for claim in CLAIMS[1:3]]
    assert [r.verdict for r in results] == [Verdict.UNDECIDED] * 2
    assert results[0].reason.startswith("the 2 s that a claim may take were over after calls that all came back")


@pytest.mark.long
def test_a_pool_that_breaks_loses_no_verdict(plan) -> None:
    hostile = plan("he", "kills", claims=CLAIMS[:3])
    results = timeless(hostile, judge_all(hostile, jobs=2))
    assert verdicts(results) == {"he": ["HOLDS"] * 3, "kills": ["FAILS", "NOT APPLICABLE", "NOT APPLICABLE"]}


def test_what_only_this_process_has_is_refused_in_a_sentence(plan) -> None:
    lonely = replace(plan("he").initializers[0], recipe=None)
    with pytest.raises(UsageError, match="exists in this process only"):
        recipe_of(lonely)


@pytest.mark.long
def test_pytest_isolates_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(hostile=HOSTILE)
    claims = f"--initcheck-claims={','.join(CLAIMS[:2])}"
    targets = ["--initcheck=hostile:kills", "--initcheck=hostile:he"]
    result = pytester.runpytest_subprocess(*targets, claims, "--initcheck-isolate", "--initcheck-profile=quick")
    result.assert_outcomes(passed=2, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*hostile*kills  FAILS  accepts-every-shape"])
