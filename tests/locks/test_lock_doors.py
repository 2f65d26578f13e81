"""The lock as a user meets it: written, checked, updated; on the command line, from Python, under pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

import initcheck
from initcheck.doors.cli import main

pytest.importorskip("torch")

MODEL = """
import torch
STD = {std}
def build():
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4))
    torch.nn.init.normal_(net[0].weight, 0.0, STD)
    return net
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "locked_net.py").write_text(MODEL.format(std=0.1))
    return tmp_path


@pytest.mark.long
def test_a_lock_is_kept_until_a_law_changes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lock", "locked_net.py:build", "-o", "init.lock"]) == 0
    assert "4 lines" in capsys.readouterr().out
    assert initcheck.lock(check="init.lock").ok
    (folder / "locked_net.py").write_text(MODEL.format(std=0.2))
    assert main(["lock", "--check", "init.lock"]) == 1
    said = capsys.readouterr().out
    assert "0.weight (8, 6): normal, std 0.2; the lock says normal, std 0.1" in said
    assert "initcheck lock --update init.lock" in said


def test_update_prints_what_changed_and_writes_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "init.lock").write_text(str(initcheck.lock("locked_net.py:build")).replace("std 0.1", "std 0.3"))
    assert main(["lock", "--update", "init.lock"]) == 0
    assert "normal, std 0.1; the lock says normal, std 0.3" in capsys.readouterr().out
    assert "normal, std 0.1" in (folder / "init.lock").read_text()
    assert main(["lock", "--update", "init.lock"]) == 0
    assert capsys.readouterr().out == "init.lock: no law has changed\n"


def test_a_file_that_is_none_is_not_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "notes.txt").write_text("mine")
    assert main(["lock", "locked_net.py:build", "-o", "notes.txt"]) == 2
    assert "is no law file; it is not written over" in capsys.readouterr().err
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["locked_net.py:build", "--like=gpt9"], "there is no preset 'gpt9'; did you mean 'gpt2'?"),
        (["locked_net.py:init", "--like=gpt9"], "there is no preset 'gpt9'; did you mean 'gpt2'?"),
        (
            ["--check", "--update", "init.lock"],
            "--check holds the code to what is said, --update writes it anew: give one",
        ),
        (
            ["locked_net.py:build", "--like=gpt2", "--update"],
            "--like holds the code to what is said, --update writes it",
        ),
    ],
)
def test_words_that_cannot_be_meant_are_refused(
    folder: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "locked_net.py").write_text(
        "def init(shape, rng):\n    return rng.normal(0, 1, shape)\n" + MODEL.format(std=0.1)
    )
    (folder / "init.lock").write_text("mine")
    assert main(["lock", *words]) == 2
    assert said in capsys.readouterr().err
    assert (folder / "init.lock").read_text() == "mine"
