"""Targets read and judged beside the run: what ends their process is known by name and costs the others nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import initcheck
from initcheck.doors.cli import main
from initcheck.engine.settings import Settings
from initcheck.errors import UsageError
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict
from initcheck.runs.own_process import OwnProcess
from initcheck.runs.plan import Plan
from initcheck.runs.pool import judge_all

ENDS = """
import ctypes

import numpy as np


def he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


def ends(shape, rng):
    ctypes.CDLL(None).exit(0)


def spoils(shape, rng):
    np.random.seed = None
    import os
    os.umask(0o777)
    return he(shape, rng)
"""
CLAIMS = ("accepts-every-shape", "leaves-global-generators-alone")


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    (tmp_path / "endsinit.py").write_text(ENDS)
    (tmp_path / "ends_at_import.py").write_text("import ctypes\nctypes.CDLL(None).exit(0)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def of(*targets: str) -> Plan:
        settings = Settings(claims=CLAIMS, profile="quick")
        return Plan(targets, settings, contract="activation=relu,layout=out_in")

    return of


@pytest.mark.long
def test_who_ends_the_process_fails_and_the_others_are_judged(plan: Callable[..., Plan]) -> None:
    run = plan("endsinit:ends", "endsinit:spoils", "endsinit:he")
    results = run.report(judge_all(run))
    run.close()
    assert "ctypes" in ENDS
    assert "endsinit" not in sys.modules
    ends, moot = results.of("endsinit:ends")
    assert (ends.verdict, ends.evidence.measured) == (Verdict.FAILS, "the process ended with exit code 0")
    assert moot.verdict is Verdict.NOT_APPLICABLE
    spoils = results["endsinit:spoils", "leaves-global-generators-alone"]
    assert spoils.verdict is Verdict.FAILS
    assert spoils.evidence.measured == "the call changes functions of numpy.random, umask"
    assert {r.verdict for r in results.of("endsinit:he")} == {Verdict.HOLDS}


def test_a_module_that_ends_the_process_at_import_is_a_sentence(plan: Callable[..., Plan]) -> None:
    with pytest.raises(UsageError, match=r"'ends_at_import' cannot be imported: the process ended with exit code 0\."):
        plan("ends_at_import")


@pytest.mark.long
def test_no_exit_code_is_0_where_nothing_came_to_its_end(
    plan: Callable[..., Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--profile=quick", f"--claims={','.join(CLAIMS)}", "--contract=activation=relu,layout=out_in"]
    assert main(["ends_at_import", *words]) == 2
    assert main(["endsinit:ends", *words, "--json=r.json"]) == 1
    assert len(Report.from_json(Path("r.json").read_text())) == 2
    assert "the initializer's process did not survive this claim" in capsys.readouterr().out


@pytest.mark.long
def test_what_ends_the_process_is_inferred_nothing_of_and_the_next_is(
    plan: Callable[..., Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["infer", "endsinit:ends", "endsinit:he", "--contract=layout=out_in"]) == 1
    said = capsys.readouterr().out
    assert "endsinit:ends\n  nothing can be inferred: the process ended with exit code 0\n" in said
    assert "contract      activation relu (inferred), fan fan_in (inferred), layout out_in" in said
    assert "endsinit" not in sys.modules
    assert main(["infer", "ends_at_import"]) == 2
    assert "the process ended with exit code 0" in capsys.readouterr().err


def test_what_did_not_return_says_how_long_it_was_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it hung as it was read: no verdict takes 0.0 s that nobody would have had to wait for."""
    (tmp_path / "hangs.py").write_text(HANGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(OwnProcess, "_patience", lambda self, kind: 3.0)
    for name in ("at_once", "later"):
        report = initcheck.check(f"hangs.py:{name}", timeout=1, claims=["accepts-every-shape"], profile="quick")
        assert report["accepts-every-shape"].seconds > 2.5


HANGS = """
import time
def at_once(shape, rng):
    time.sleep(60)
def later(shape, rng, calls=[]):
    calls.append(shape)
    if len(calls) > 40:
        time.sleep(60)
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)
"""
