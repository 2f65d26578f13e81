"""Processes of ranks: what becomes of one is told with its rank, at once, and nothing of it is left."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from initcheck.models.ranks import launch
from initcheck.runs.rank_main import _one_group

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


def test_a_factory_that_begins_and_ends_the_group_itself_finds_that_of_the_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist = pytest.importorskip("torch.distributed")
    ended = dist.destroy_process_group
    for module in (dist, dist.distributed_c10d):
        for name in ("init_process_group", "destroy_process_group"):
            monkeypatch.setattr(module, name, getattr(module, name))
    begin = _one_group(str(tmp_path), 0, 1)
    assert not dist.is_initialized()
    try:
        for _ in range(2):  # as it is called for each build
            dist.init_process_group("nccl", init_method="env://")
            assert (dist.get_backend(), dist.get_world_size()) == ("gloo", 1)
            dist.destroy_process_group()
        begin()
        assert dist.is_initialized()
    finally:
        ended()
