"""A layer that cannot be built, or fed, never passes unseen: not alone, and not beside one that holds."""

from __future__ import annotations

from pathlib import Path

import pytest

import initcheck
from initcheck.doors.cli import main
from initcheck.report.results import Results, Run
from initcheck.report.verdict import Result, Verdict
from initcheck.targets.tables import named_in

pytest.importorskip("torch")

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
    assert list(named_in(["m:f", "@pyproject.toml"], "targets")) == ["m:f", "layers.py:Layer", "layers.py:NeverFed"]
    assert main(["--claims", "finite", "--profile", "quick"]) == 1
    assert "not checked: layers.py:NeverFed: built with" in capsys.readouterr().out


def result(verdict: Verdict, reason: str) -> Result:
    return Result(claim="finite", says="", initializer="m:f", family="", verdict=verdict, reason=reason)


@pytest.mark.parametrize(
    ("results", "blank"),
    [
        ([result(Verdict.NOT_APPLICABLE, "m:f, built with fan_in=3, could not be fed")], True),
        ([result(Verdict.UNDECIDED, "out of time")] * 2, True),
        ([result(Verdict.UNDECIDED, "out of draws")], False),
        ([result(Verdict.NOT_APPLICABLE, "distribution=orthogonal is not declared")] * 2, False),
        ([result(Verdict.HOLDS, ""), result(Verdict.UNDECIDED, "out of time")], False),
    ],
)
def test_that_no_claim_speaks_of_it_is_no_sign_that_nothing_was_looked_at(results: list[Result], blank: bool) -> None:
    run = Run(seed=0, profile="quick", alpha=1e-6, beta=1e-3)
    assert Results(run=run, results=tuple(results)).blank == (("m:f",) if blank else ())
