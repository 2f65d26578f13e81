"""A layer that cannot be built, or fed, never passes unseen: not alone, and not beside one that holds."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

import initcheck
from initcheck.doors.cli import main
from initcheck.errors import UsageError
from initcheck.report.report import Report
from initcheck.report.results import NotChecked, Results, Run, shown_nothing
from initcheck.report.schema import violation
from initcheck.report.verdict import Result, Verdict

pytest.importorskip("torch")
pytest_plugins = ["pytester"]

LAYERS = """
import torch
from torch import nn


class Layer(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / in_features**0.5)

    def forward(self, x):
        return x @ self.weight.T


class NeverBuilt(Layer):
    def __init__(self, in_features, out_features):
        raise AttributeError("no such width")


class NotWide(Layer):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        if in_features > 50:
            raise ValueError("too wide")


class NeverFed(Layer):
    def forward(self, x):
        return x @ self.weigth.T
"""
CLAIMS = ["--claims", "accepts-every-shape,finite", "--profile", "quick"]


@pytest.fixture(autouse=True)
def layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "layers.py").write_text(LAYERS)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "verdict"), [("Layer", "HOLDS"), ("NotWide", "UNDECIDED"), ("NeverBuilt", "UNDECIDED")]
)
def test_a_layer_that_some_width_breaks_is_not_said_to_accept_all(name: str, verdict: str) -> None:
    report = initcheck.check(f"layers.py:{name}", claims=CLAIMS[1].split(","), profile="quick")
    assert report["accepts-every-shape"].verdict.value == verdict
    assert ("ValueError: too wide" in (report["accepts-every-shape"].reason or "")) == (name == "NotWide")
    assert report.ok == (name != "NeverBuilt")


def test_what_is_named_beside_a_sound_layer_does_not_pass_unseen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers.py:Layer", "layers.py:NeverFed", "layers.py:NeverBuilt", *CLAIMS]) == 1
    said = capsys.readouterr().out
    assert "it raises AttributeError: no such width" in said
    assert "not checked: layers.py:NeverFed: built with" in said
    assert "nothing was decided of layers.py:NeverFed, layers.py:NeverBuilt: a run" in said


def test_a_scan_says_what_it_could_not_check_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers.py", *CLAIMS]) == 0
    said = capsys.readouterr().out
    assert "not checked: layers.py:NeverFed" in said
    assert "with in_features=64, out_features=64 it raises ValueError: too wide" in said


def test_a_table_names_what_it_lists(capsys: pytest.CaptureFixture[str]) -> None:
    tables = "\n".join(f'[[tool.initcheck.targets]]\ntarget = "layers.py:{n}"' for n in ("Layer", "NeverFed"))
    Path("pyproject.toml").write_text(tables)
    assert main(["--claims", "finite", "--profile", "quick"]) == 1
    assert "not checked: layers.py:NeverFed: built with" in capsys.readouterr().out


ASKED = {"claims": CLAIMS[1].split(","), "profile": "quick"}


@pytest.mark.parametrize("broken", ["NeverFed", "NeverBuilt"])
@pytest.mark.parametrize("beside", [{}, pytest.param({"timeout": 300}, marks=pytest.mark.long)])
def test_no_report_is_ok_that_shows_nothing_of_one_of_two_that_were_named(broken: str, beside: dict[str, int]) -> None:
    report = initcheck.check(["layers.py:Layer", f"layers.py:{broken}"], **ASKED, **beside)
    assert [n.name for n in report.unshown] == [f"layers.py:{broken}"]
    again = Report.from_json(report.to_json())
    for one in (report, again):
        assert not one.ok
        with pytest.raises(UsageError, match=f"did not look at all that was named .*layers.py:{broken}: "):
            one.raise_for_failures()
    sound = initcheck.check(["layers.py:Layer", "layers.py:NotWide"], **ASKED, **beside)
    assert sound.ok
    assert not sound.unshown
    sound.raise_for_failures()


def test_a_single_claim_that_waits_for_what_cannot_be_built_is_no_pass_either() -> None:
    report = initcheck.check(["layers.py:Layer", "layers.py:NeverBuilt"], claims=["accepts-every-shape"])
    assert not report.ok


def test_what_is_listed_or_promises_something_itself_is_needed_and_a_bystander_is_not() -> None:
    report = initcheck.check("layers.py", **ASKED)
    assert {n.name: n.needed for n in report.not_checked} == {
        "layers.py:NeverFed": False,
        "layers.py:NeverBuilt": False,
    }
    assert report.ok
    Path("promises.py").write_text(LAYERS + 'NeverFed.__initcheck__ = {"activation": "relu"}\n')
    report = initcheck.check("promises.py", **ASKED)
    assert [n.name for n in report.unshown] == ["promises.py:NeverFed"]
    assert not report.ok
    tables = "\n".join(f'[[tool.initcheck.targets]]\ntarget = "layers.py:{n}"' for n in ("Layer", "NeverFed"))
    Path("listed.toml").write_text(tables)
    assert not initcheck.check("@listed.toml", **ASKED).ok


@pytest.mark.long
def test_pytest_ends_with_a_failure_where_a_module_promises_what_nobody_can_look_at(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(promises=LAYERS + 'NeverFed.__initcheck__ = {"activation": "relu"}\n')
    asked = ["--initcheck-claims=accepts-every-shape,finite", "--initcheck-profile=quick", "-q"]
    ended = pytester.runpytest_subprocess("--initcheck=promises", *asked)
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.stdout.fnmatch_lines(["*nothing was decided of promises:NeverFed*"])


@pytest.mark.long
def test_a_test_of_a_file_fails_where_what_it_names_cannot_be_looked_at(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(layers=LAYERS)
    pytester.makepyfile(
        """
        import initcheck

        @initcheck.parametrize(["layers:Layer", "layers:NeverFed"], claims=["finite"], profile="quick")
        def test_named(result):
            result.raise_if_failed()
        """
    )
    ended = pytester.runpytest_subprocess()
    ended.assert_outcomes(passed=1, failed=1)
    ended.stdout.fnmatch_lines(["FAILED *test_named*NeverFed*"])


def result(verdict: Verdict, reason: str, **more: bool) -> Result:
    return Result(claim="finite", says="", initializer="m:f", family="", verdict=verdict, reason=reason, **more)


def test_a_report_written_before_it_was_said_what_is_needed_is_still_read() -> None:
    left = NotChecked(name="m:g", reason="it raises", needed=True)
    report = Report(run=Run(), results=(result(Verdict.HOLDS, ""),), not_checked=(left,))
    plain = report.to_dict()
    assert not Report.from_json(json.dumps(plain)).ok
    assert violation(plain) is None
    assert "unread" not in plain["results"][0]
    del plain["not_checked"][0]["needed"]
    assert Report.from_json(json.dumps(plain)).ok
    assert violation(plain) is None


@pytest.mark.parametrize(
    ("results", "blank"),
    [
        ([result(Verdict.NOT_APPLICABLE, "built with fan_in=3, m:f could not be fed", unread=True)], True),
        ([result(Verdict.NOT_APPLICABLE, "m:f has one weight, and the claim is about two")], False),
        ([result(Verdict.UNDECIDED, "out of time")] * 2, True),
        ([result(Verdict.UNDECIDED, "out of draws")], False),
        ([result(Verdict.NOT_APPLICABLE, "distribution=orthogonal is not declared")] * 2, False),
        ([result(Verdict.HOLDS, ""), result(Verdict.UNDECIDED, "out of time")], False),
    ],
)
def test_that_no_claim_speaks_of_it_is_no_sign_that_nothing_was_looked_at(results: list[Result], blank: bool) -> None:
    left = tuple(shown_nothing(results))
    assert [n.name for n in left] == (["m:f"] if blank else [])
    holds = dataclasses.replace(result(Verdict.HOLDS, ""), initializer="m:g")
    assert Results(run=Run(), results=(holds, *results), not_checked=left).ok is not blank
