"""Models judged in processes beside the run, as the command line and xdist do: same verdicts, deaths are verdicts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

pytest.importorskip("torch")

pytest_plugins = ["pytester"]

MODULE = """
import os
import time

import torch
from torch import nn


def net(off=1.0, depth=4):
    model = nn.Sequential(*[nn.Linear(16, 16) for _ in range(depth)])
    for n, layer in enumerate(model):
        nn.init.normal_(layer.weight, std=0.25 * (off if n == 1 else 1.0))
    return model


def dies():
    os._exit(3)


def hangs():
    time.sleep(3_600)


built = net()
"""
LAW, WRITTEN = "siblings-share-one-law", "every-tensor-is-written"
CLAIMS = f"--claims={WRITTEN},{LAW}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nets.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> tuple[int, str, Report | None]:
    done = subprocess.run(
        [sys.executable, "-m", "initcheck", "model", *words, "--json=r.json"], capture_output=True, text=True
    )
    file = Path("r.json")
    return done.returncode, done.stdout + done.stderr, Report.from_json(file.read_text()) if file.exists() else None


def verdicts(report: Report | None) -> list[tuple[str, str, str, str | None]]:
    assert report is not None
    return [(r.initializer, r.claim, r.verdict.value, r.evidence.measured) for r in report]


@pytest.mark.usefixtures("here")
def test_the_verdicts_are_the_same_wherever_they_are_reached() -> None:
    targets = ["nets:net", "nets:net(off=3.0)"]
    one = run(*targets, CLAIMS)
    assert one[0] == 1, one[1]
    for words in (["-j2"], ["--isolate"]):
        other = run(*targets, CLAIMS, *words)
        assert other[0] == 1, other[1]
        assert verdicts(other[2]) == verdicts(one[2])
        assert one[2] is not None
        assert other[2] is not None
        portraits = [{k: v for k, v in r.contracts["nets:net"].items() if k != "seconds"} for r in (one[2], other[2])]
        assert portraits[0] == portraits[1]


@pytest.mark.usefixtures("here")
def test_the_death_of_a_process_is_a_verdict_on_its_model_alone() -> None:
    code, text, report = run("nets:dies", "nets:net", CLAIMS)
    assert code == 1, text
    assert report is not None
    died = report["nets:dies", WRITTEN]
    assert died.verdict is Verdict.FAILS
    assert str(died.reason).startswith("the model's process did not survive this claim")
    assert str(died.reproduce) == f"initcheck model nets:dies --claims={WRITTEN} --isolate --seed=0"
    assert report["nets:dies", LAW].verdict is Verdict.NOT_APPLICABLE
    assert report["nets:net", LAW].verdict is Verdict.HOLDS


@pytest.mark.usefixtures("here")
def test_a_build_that_never_ends_is_ended_and_said() -> None:
    code, text, report = run("nets:hangs", f"--claims={WRITTEN}", "--timeout=1")
    assert code == 1, text
    assert report is not None
    assert "did not return within 12 s" in str(report[WRITTEN].evidence.measured)


@pytest.mark.usefixtures("here")
def test_what_is_built_already_is_read_there_too() -> None:
    code, text, report = run("nets:built")
    assert code == 0, text
    assert report is not None
    assert {r.verdict for r in report} == {Verdict.NOT_APPLICABLE}
    assert "portrait of what is built: " in text


def test_workers_of_xdist_judge_models_and_the_controller_writes(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    pytester.makepyfile(nets=MODULE)
    models = ["--initcheck-model=nets:net", "--initcheck-model=nets:net(off=3.0)"]
    words = [*models, f"--initcheck-claims={WRITTEN},{LAW}", "--initcheck-json=r.json", "-n2", "-p", "no:cacheprovider"]
    result = pytester.runpytest_subprocess(*words)
    result.assert_outcomes(passed=3, failed=1)
    report = Report.from_json((pytester.path / "r.json").read_text())
    assert [(r.initializer, r.claim, r.verdict.value) for r in report if r.verdict is Verdict.FAILS] == [
        ("nets:net(off=3.0)", LAW, "FAILS")
    ]
    assert set(report.contracts) == {"nets:net", "nets:net(off=3.0)"}
