"""Two processes that have drawn nothing: made ready before they are asked, and never at the cost of an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from initcheck.draws.fresh_process import FreshProcesses
from initcheck.targets.loading import load

SOUND = """
from pathlib import Path

import numpy as np

with Path(__file__).with_name("imports").open("a") as log:
    log.write("imported\\n")


def he(shape, rng):
    return rng.standard_normal(shape) * (2 / shape[0]) ** 0.5
"""
PLAN = [((3, 4), 7, (3, 4)), ((2, 2), 0, (2, 2))]


@pytest.fixture
def processes():
    found = FreshProcesses()
    yield found
    for child in found._children:
        child.end()


def made(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    (folder / f"{name}.py").write_text(SOUND)
    monkeypatch.syspath_prepend(str(folder))
    [initializer] = load(f"{name}:he").initializers
    (folder / "imports").unlink()
    return initializer


def test_what_was_made_before_is_what_draws(tmp_path, monkeypatch, processes):
    initializer = made(tmp_path, monkeypatch, "ready_before")
    processes.prepare(initializer)
    forward, backward = (processes.start(initializer, PLAN, "float64").answers() or {}).values()
    assert forward == backward
    assert len(set(forward)) == len(PLAN)
    assert (tmp_path / "imports").read_text().splitlines() == ["imported"] * 2


def test_processes_that_the_making_ended_are_started_again(tmp_path, monkeypatch, processes):
    initializer = made(tmp_path, monkeypatch, "ends_there")
    (tmp_path / "ends_there.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    processes.prepare(initializer)
    for child in processes._children:
        child._process.wait(60)
    (tmp_path / "ends_there.py").write_text(SOUND)
    assert len(processes.start(initializer, PLAN, "float64").answers() or {}) == 2
