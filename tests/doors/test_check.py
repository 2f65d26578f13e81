"""`check()` of several, with waivers, told of each result, and in another process where something may hang or crash."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.report.summary import headline
from initcheck.report.verdict import Result, Verdict
from initcheck.runs.reading import Wanted

QUICK: dict[str, Any] = {"profile": "quick", "contract": "layout=out_in,activation=relu", "claims": ["finite"]}
ENDS = """
import ctypes


def ends(shape, rng):
    ctypes.CDLL(None).exit(0)


def he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)
"""


def infinite(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    return np.full(shape, np.inf)


def he(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


@pytest.mark.long
def test_several_are_one_report_and_each_result_is_told() -> None:
    told: list[Result] = []
    report = initcheck.check([he, infinite, he], **QUICK, on_result=told.append)
    name = f"{__name__}:he"
    assert report.initializers == (name, f"{__name__}:infinite", f"{name} #2")
    assert [r.verdict.value for r in report] == ["HOLDS", "FAILS", "HOLDS"]
    assert tuple(told) == tuple(report.results)


@pytest.mark.long
def test_what_is_waived_may_fail_and_must_not_hold() -> None:
    failing = initcheck.check(infinite, **QUICK, waive={"finite": "masked later"})
    assert [(r.verdict, r.reason) for r in failing] == [(Verdict.WAIVED, "masked later")]
    [holds] = initcheck.check(he, **QUICK, waive={"finite": "masked later"})
    assert holds.verdict is Verdict.FAILS
    with pytest.raises(initcheck.UsageError, match="waives 'finit'; did you mean 'finite'"):
        initcheck.check(he, **QUICK, waive={"finit": "."})


def test_nothing_to_check_is_said() -> None:
    with pytest.raises(initcheck.UsageError, match="an empty list"):
        initcheck.check([])


@pytest.mark.long
def test_with_a_process_of_its_own_what_ends_it_is_a_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "endsthere.py").write_text(ENDS)
    monkeypatch.chdir(tmp_path)
    report = initcheck.check(["endsthere:ends", "endsthere:he"], **QUICK, isolate=True)
    assert [r.verdict.value for r in report] == ["FAILS", "HOLDS"]
    assert report["endsthere:ends", "finite"].evidence.measured == "the process ended with exit code 0"
    assert "endsthere" not in sys.modules


def test_what_cannot_travel_is_refused_or_judged_here_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    function = lambda shape, rng: rng.normal(size=shape)  # noqa: E731
    assert Wanted.of(function) is None
    with pytest.raises(initcheck.UsageError, match=r"isolate=True: .*<lambda> cannot leave this process"):
        initcheck.check(function, **QUICK, isolate=True)
    with pytest.warns(RuntimeWarning, match="a call that does not return is not ended"):
        report = initcheck.check(function, **QUICK, timeout=60)
    assert report.ok


def test_an_object_travels_by_its_name_else_as_a_pickle_that_keeps_its_place() -> None:
    pytest.importorskip("cloudpickle")
    named = Wanted.of(he, signature="(shape, rng)")
    assert named == Wanted(f"{__name__}:he", '{"signature": "(shape, rng)", "args": {}}')
    carried = Wanted.of(lambda shape, rng: rng.normal(size=shape))
    assert carried is not None
    assert f'"location": ["{__file__}", ' in carried.options


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"seed": "x"}, "seed='x' is not a seed: give a whole number from 0 on"),
        ({"seed": 1.5}, "seed=1.5 is not a seed"),
        ({"seed": -1}, "seed=-1 is not a seed"),
        ({"timeout": 0}, "timeout=0 is not a number of seconds above 0"),
        ({"claims": 3}, "claims=3 names no claim; give ids, such as"),
        ({"claims": []}, r"claims=\[\] names no claim"),
        ({"claims": "zero-men"}, "there is no claim 'zero-men' to ask of an initializer; did you mean 'zero-mean'"),
    ],
)
def test_a_wrong_value_from_python_is_answered_as_on_the_command_line(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(initcheck.UsageError, match=sentence):
        initcheck.check(he, **{**QUICK, **said})


def test_claims_are_read_as_one_text_too_and_a_file_as_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "by_its_path.py").write_text(ENDS[ENDS.index("def he") :])
    monkeypatch.setattr(sys, "path", list(sys.path))
    report = initcheck.check(
        tmp_path / "by_its_path.py", profile="quick", claims="finite, owns-its-memory", seed=np.int64(3)
    )
    assert [r.claim for r in report.results] == ["finite", "owns-its-memory"]
    assert report.ok


def small_only(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    if shape[0] > 3:
        raise ValueError("too large")
    return he(shape, rng)


def test_what_needs_a_claim_that_fails_never_ends_well_though_only_it_is_asked() -> None:
    report = initcheck.check([he, small_only], **QUICK)
    assert [r.verdict for r in report.results] == [Verdict.HOLDS, Verdict.NOT_APPLICABLE]
    assert not report.ok
    with pytest.raises(initcheck.ClaimFailed, match="small_only: finite needs accepts-every-shape, which fails"):
        report.raise_for_failures()
    assert headline(report) == "1 claim not judged, for want of one that fails"
    assert "2 initializers: 1 claim not judged, for want of one that fails (1 claim holds, 0 undecided)" in str(report)


def test_what_needs_a_claim_that_is_waived_waits_for_it_in_peace() -> None:
    report = initcheck.check([he, small_only], waive={"accepts-every-shape": "small layers only"}, **QUICK)
    assert [r.verdict for r in report.results] == [Verdict.HOLDS, Verdict.NOT_APPLICABLE]
    assert report.ok
