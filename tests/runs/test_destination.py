"""Files that a run is to write: a sentence before the run where they cannot be, and never at the cost of another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from initcheck.errors import UsageError
from initcheck.runs.destination import Destination, refuse_shared_files


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "myinit.py").write_text("def he(shape, rng): ...")
    (tmp_path / "data.json").write_text('{"mine": 1}')
    (tmp_path / "notes.html").write_text("my notes")
    (tmp_path / "old.json").write_text('{"format": "initcheck-report/1"}')
    os.mkfifo(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("kind", "path", "why"),
    [
        ("json", ".", "Is a directory"),
        ("json", "nowhere/r.json", "No such file or directory"),
        ("json", "pipe", "a pipe that nobody reads"),
        ("json", "myinit.py", "the name of source code"),
        ("markdown", "myinit.py", "the name of source code"),
        ("json", "data.json", "a file that is no such report"),
        ("html", "notes.html", "a file that is no such report"),
        ("json", "a\0b", "null"),
        ("json", "/dev/fd/987654", "Bad file descriptor"),
        ("json", "loop", "Too many levels|cannot be written"),
    ],
)
def test_what_cannot_be_written_is_said_and_left_as_it_was(kind: str, path: str, why: str, tmp_path: Path) -> None:
    os.symlink("loop", tmp_path / "loop")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.name not in ("pipe", "loop")}
    with pytest.raises(UsageError, match=why):
        Destination(kind, path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.name not in ("pipe", "loop")} == before


def test_a_report_is_replaced_behind_its_link(tmp_path: Path) -> None:
    os.symlink("old.json", tmp_path / "link.json")
    Destination("json", "link.json").write("new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "old.json").read_text() == "new"


def test_devices_and_pipes_are_written_once_and_stay_what_they_are(tmp_path: Path) -> None:
    Destination("json", "/dev/null").write("x")
    assert Path("/dev/null").is_char_device()
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    Destination("json", "pipe").write("whole")
    assert os.read(reader, 100) == b"whole"
    os.close(reader)


@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_what_a_shell_hands_in_is_written_behind_what_is_there(kind: str, tmp_path: Path) -> None:
    out, into = os.pipe() if kind == "pipe" else (os.open("said.txt", os.O_RDWR | os.O_CREAT),) * 2
    os.write(into, b"said before, ")
    Destination("json", f"/dev/fd/{into}").write("whole")
    os.write(into, b", said after")
    if kind == "file":
        os.lseek(out, 0, os.SEEK_SET)
    assert os.read(out, 100) == b"said before, whole, said after"
    for descriptor in {out, into}:
        os.close(descriptor)


def test_what_cannot_be_written_in_the_end_survives_elsewhere(tmp_path: Path) -> None:
    full = Destination("json", "/dev/full")
    with pytest.raises(OSError, match="No space") as error:
        full.write("a report")
    sentence = str(full.save("a report", error.value))
    place = Path(sentence.partition("it is in '")[2].rstrip("'."))
    assert place.read_text() == "a report"
    place.unlink()


def test_a_folder_that_is_left_or_removed_moves_nothing(tmp_path: Path) -> None:
    destination = Destination("json", "r.json")
    os.chdir("/")
    destination.write("whole")
    assert (tmp_path / "r.json").read_text() == "whole"


def test_two_outputs_in_one_file_are_refused(tmp_path: Path) -> None:
    os.symlink("r.json", tmp_path / "same")
    files = {"json": Destination("json", "r.json"), "markdown": Destination("markdown", "same")}
    with pytest.raises(UsageError, match="--markdown and --json name the same file"):
        refuse_shared_files(files, {})
    refuse_shared_files({"json": Destination("json", "/dev/null"), "html": Destination("html", "/dev/null")}, {})
