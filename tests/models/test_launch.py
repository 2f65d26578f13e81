"""Processes of ranks: what becomes of one is told with its rank, at once, and nothing of it is left."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from initcheck.models.ranks import launch

_PROGRAM = """
import faulthandler, os, pickle, signal, subprocess, sys, time
from pathlib import Path

folder, rank = Path(sys.argv[1]), int(sys.argv[2])
stack = open(folder / f"stack-{rank}", "w")
faulthandler.register(signal.SIGUSR1, file=stack)
(folder / f"there-{rank}").touch()
while len(list(folder.glob("there-*"))) < 2:
    time.sleep(0.01)

if rank == 1:
    REST
time.sleep(600)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program of a rank, in the place of the one that imports PyTorch: rank 0 waits for ever."""
    monkeypatch.setattr(launch, "PROGRAM", "rank_program")
    monkeypatch.setattr(launch, "_AFTER_A_DEATH", 0.3)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "rank_program.py"


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("os._exit(0)", "ends with exit code 0 and no answer"),
        ("os._exit(3)", "ends with exit code 3 and no answer"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "is ended by signal 9 and no answer"),
        ("[sys.stdout.write('x' * 9_000_000) for _ in '12']; sys.exit(1)", "ends with exit code 1 and no answer"),
    ],
)
def test_a_rank_that_is_gone_is_not_waited_for(program: Path, rest: str, words: str) -> None:
    program.write_text(_PROGRAM.replace("REST", rest))
    began = time.monotonic()
    told = launch.launched({}, 2, timeout=60)
    assert time.monotonic() - began < 30
    assert [t.rank for t in told] == [0, 1]
    assert str(told[1].problem).startswith(words)
    assert str(told[0].problem).startswith("does not end; it stands at")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the environment of other processes")
def test_what_a_rank_has_started_is_ended_with_it(program: Path, tmp_path: Path) -> None:
    sleeps = f"child = subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(600)'])"
    program.write_text(
        _PROGRAM.replace("REST", f"{sleeps}; Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid)); os._exit(3)")
    )
    launch.launched({}, 2, timeout=60)
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    os.kill(child, 9)
    pytest.fail("a process that a rank had started was left")
