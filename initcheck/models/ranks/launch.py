"""Processes that build one model together: started, waited for and ended by us, whatever becomes of them."""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from initcheck.models.ranks.told import RankTold
from initcheck.sandbox.descendants import CHILD, end_marked, new_mark

PROGRAM = "initcheck.runs.rank_main"
_ROOT = str(Path(__file__).resolve().parents[3])
_NOT_THE_USERS = (
    "<",
    *(str(folder) + os.sep for folder in (Path(__file__).resolve().parents[2], sysconfig.get_path("stdlib"))),
)
_PATIENCE = 180.0
"""Seconds that a group of processes may take together."""
_AFTER_A_DEATH = 8.0
"""Seconds that the others are given when one is gone: they wait for it, and will not end."""
_COLLECTIVE = os.sep + os.path.join("torch", "distributed") + os.sep
_FRAME = re.compile(r'File "(.*?)", line (\d+) in (\S+)')


def launched(job: Mapping[str, Any], world: int, timeout: float | None = None) -> list[RankTold]:
    """Build in so many processes and hear what each came to; none of them is left behind.

    Args:
        job: what each is given: ``recipe``, ``seeds``, ``mesh``.
        world: number of processes.
        timeout: seconds that they may take together.
    """
    patience = timeout or _PATIENCE
    with tempfile.TemporaryDirectory(prefix="initcheck-ranks-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "job").write_bytes(pickle.dumps(dict(job)))
        mark = new_mark()
        ranks = [_started(folder, rank, world, mark) for rank in range(world)]
        try:
            hung = _waited(Path(folder), ranks, patience)
            for rank in hung:  # asked where it stands before it is ended
                ranks[rank].send_signal(signal.SIGUSR1)
            time.sleep(0.5 if hung else 0.0)
        finally:
            for process in ranks:
                if process.poll() is None:
                    process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
            end_marked(CHILD, mark)  # what the ranks have started by themselves
        return [_told(folder, rank, process, rank in hung) for rank, process in enumerate(ranks)]


def _started(folder: str, rank: int, world: int, mark: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        CHILD: mark,
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(world),
        "LOCAL_WORLD_SIZE": str(world),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "0",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), _ROOT])),
    }
    command = [sys.executable, "-P", "-m", PROGRAM, folder, str(rank), str(os.getpid())]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _waited(folder: Path, ranks: list[subprocess.Popen[bytes]], patience: float) -> set[int]:
    """Wait until all have ended, or somebody is past waiting for; the ranks that had to be ended."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        left = {rank for rank, process in enumerate(ranks) if process.poll() is None}
        if not left:
            return set()
        # Whoever told nothing is gone, whatever its exit code.
        if any(process.returncode or not _answer(folder, rank).is_file() for rank, process in _ended(ranks)):
            end = min(end, time.monotonic() + _AFTER_A_DEATH)
        time.sleep(0.05)
    return {rank for rank, process in enumerate(ranks) if process.poll() is None}


def _ended(ranks: list[subprocess.Popen[bytes]]) -> list[tuple[int, subprocess.Popen[bytes]]]:
    return [(rank, process) for rank, process in enumerate(ranks) if process.poll() is not None]


def _answer(folder: Path, rank: int) -> Path:
    return folder / f"told-{rank}"


def _told(folder: str, rank: int, process: subprocess.Popen[bytes], hung: bool) -> RankTold:
    answer = _answer(Path(folder), rank)
    if answer.is_file():
        found: RankTold = pickle.loads(answer.read_bytes())
        return found
    if hung:
        return RankTold(rank, problem=f"does not end{_where(Path(folder) / f'stack-{rank}')}")
    code = process.returncode
    how = f"is ended by signal {-code}" if code < 0 else f"ends with exit code {code}"
    return RankTold(rank, problem=f"{how} and no answer{_where(Path(folder) / f'stack-{rank}')}")


def _where(stack: Path) -> str:
    """The innermost line of the user's in a stack that a process left behind, and whether it waits for the others."""
    with contextlib.suppress(OSError):
        waits = False
        for file, line, function in _FRAME.findall(stack.read_text(errors="replace")):
            waits |= _COLLECTIVE in file
            if os.sep + "site-packages" + os.sep not in file and not file.startswith(_NOT_THE_USERS):
                return f"; it {'waits for the others' if waits else 'stands'} at {file}:{line} in {function}"
        if waits:
            return "; it waits for the others"
    return ""
