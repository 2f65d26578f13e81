"""The JSON report claim by claim: readable at any moment, finished in one move."""

from __future__ import annotations

import errno
import math
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from initcheck.errors import UsageError
from initcheck.report.baseline import Baseline
from initcheck.report.journal import Journal, replace_file
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


def test_what_was_planned_and_is_missing_is_said_at_every_moment(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    journal = Journal(file, Run())
    journal.expect({"he \ud800": 2, "she": 1})
    journal.append(result(0), {"fan": "fan_in"})
    report = Report.from_json(file.read_text())
    assert [(n.name, n.reason.partition(":")[0]) for n in report.not_checked] == [
        ("he \ud800", "1 of its 2 claims were not reached"),
        ("she", "1 of its 1 claims were not reached"),
    ]
    journal.append(result(1), {"fan": "fan_in"})
    report = Report.from_json(file.read_text())
    assert [n.name for n in report.not_checked] == ["she"]
    assert list(report.contracts.values()) == [{"fan": "fan_in"}]
    journal.close()


@pytest.fixture
def room() -> Iterator[Callable[[int], None]]:
    """Let files grow to that many bytes and no further, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_a_whole_file_and_loses_nothing_that_can_be_kept(
    tmp_path: Path, room: Callable[[int], None]
) -> None:
    file = tmp_path / "r.json"
    journal = Journal(file, Run())
    journal.append(result(0))
    room(file.stat().st_size + 40)
    journal.append(result(1))
    assert journal.problem is not None
    assert [r.claim for r in Report.from_json(file.read_text())] == ["claim-0"]
    room(10**6)
    journal.append(result(2))
    assert journal.problem is None
    assert [r.claim for r in Report.from_json(file.read_text())] == ["claim-0", "claim-1", "claim-2"]
    room(file.stat().st_size + 40)
    journal.close(Report(run=Run(), results=tuple(map(result, range(9)))))
    room(10**6)
    assert len(Report.from_json(file.read_text())) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


def test_a_file_is_replaced_whole_behind_its_link_or_left_as_it_was(tmp_path, monkeypatch):
    """A baseline, a law file and a report alike: a disk that is full has cost what stood there before."""
    file, link = tmp_path / "known.toml", tmp_path / "link.toml"
    file.write_text("before")
    file.chmod(0o640)
    link.symlink_to(file)
    replace_file(link, "after")
    assert link.is_symlink()
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("after", 0o640)

    def full(path, data):
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(link, "more")
    with pytest.raises(UsageError, match="cannot be written"):
        Baseline(entries=(), name="b").write(file)
    assert file.read_text() == "after"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["known.toml", "link.toml"]


def test_a_device_is_written_and_stays_one(tmp_path):
    replace_file("/dev/null", "x")
    assert Path("/dev/null").is_char_device()
