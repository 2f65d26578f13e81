"""The JSON report claim by claim: readable at any moment, finished in one move."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from initcheck.errors import UsageError
from initcheck.report.journal import Journal
from initcheck.report.report import Report
from initcheck.report.results import Run
from initcheck.report.verdict import Evidence, Result, Verdict


def result(number: int) -> Result:
    return Result(
        claim=f"claim-{number}",
        says="A sentence.",
        initializer="he \ud800",
        family="scale",
        verdict=Verdict.HOLDS,
        evidence=Evidence(value=math.inf, band=(0.0, math.inf), shape=(1, 2)),
    )


def test_file_is_a_report_after_every_claim(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    journal = Journal(file, Run(seed=3))
    for number in range(4):
        report = Report.from_json(file.read_text())
        assert [r.claim for r in report] == [f"claim-{n}" for n in range(number)]
        assert report.run.seed == 3
        journal.append(result(number))
    journal.close()
    last = Report.from_json(file.read_text()).results[-1]
    assert last.evidence.value == math.inf
    assert last.evidence.shape == (1, 2)


def test_finished_report_takes_its_place(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    journal = Journal(file, Run())
    journal.append(result(0))
    journal.close(Report(run=Run(), results=(result(0),), contracts={"he": {"fan": "fan_in"}}))
    assert Report.from_json(file.read_text()).contracts == {"he": {"fan": "fan_in"}}
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


def test_file_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        Journal(tmp_path / "nowhere" / "r.json", Run())
