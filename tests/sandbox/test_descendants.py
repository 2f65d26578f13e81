"""What a process of ours has started is ended with it, also where it has fled into a session of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from initcheck.sandbox import descendants
from initcheck.sandbox.descendants import CHILD, RUN, end_marked, new_mark

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the environment of others")

# Forks twice and leaves its session, so that neither its parent nor its group leads to what stays.
FLEES = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    print(os.getpid(), flush=True)
    os.execvp("sleep", ["sleep", "600"])
os.wait()
"""


def fled(**marks: str) -> int:
    code = [sys.executable, "-S", "-c", FLEES]
    with subprocess.Popen(code, stdout=subprocess.PIPE, env={**os.environ, **marks}, text=True) as process:
        assert process.stdout is not None
        return int(process.stdout.readline())


def runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def waited(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_what_has_fled_is_found_by_its_mark_and_others_are_left_alone() -> None:
    mark, run = new_mark(), new_mark()
    ours, others, of_no_child = fled(**{CHILD: mark, RUN: run}), fled(**{CHILD: new_mark()}), fled(**{RUN: run})
    try:
        end_marked(CHILD, mark)
        assert waited(lambda: not runs(ours))
        end_marked(RUN, run)
        assert runs(others)
        assert runs(of_no_child)  # a user's own process, beside the claims
    finally:
        for pid in (others, of_no_child):
            os.kill(pid, 9)


def test_a_run_ends_what_a_worker_that_was_killed_has_left() -> None:
    run = new_mark()
    left = fled(**{CHILD: new_mark(), RUN: run})
    end_marked(RUN, run)
    assert waited(lambda: not runs(left))


def test_what_a_process_of_a_process_of_ours_has_left_ends_with_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    first, beside = new_mark(), fled(**{CHILD: new_mark()})
    monkeypatch.setattr(descendants, "_HERE", first)
    left, of_another = fled(**{CHILD: new_mark()}), fled(**{CHILD: f"{first}0"})
    try:
        end_marked(CHILD, first)
        assert waited(lambda: not runs(left))
        assert runs(beside)
        assert runs(of_another)
    finally:
        for pid in (beside, of_another):
            os.kill(pid, 9)
