"""What a process of ours has started is known by its environment, into whichever session it has fled."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

CHILD = "INITCHECK_CHILD"
"""In the environment of a process of ours and of all that it starts: which one it is."""
RUN = "INITCHECK_RUN"
"""The same of all processes of a run of several workers: a worker that is killed cannot end what it has started."""

# Bound now: user code may clear the environment before this process starts another.
_HERE = os.environ.get(CHILD)
_PASSES = 3  # what forks while it is looked for is found in the next
_numbers = itertools.count()


def new_mark() -> str:
    """A value that no other process has, behind that of this process: what either has started ends with this one."""
    own = f"{os.getpid()}-{next(_numbers)}-{time.time_ns()}"
    return f"{_HERE}/{own}" if _HERE else own


def end_marked(name: str, value: str) -> None:
    """Kill every process whose environment says ``name=value`` and that is, or was started by, a process of ours.

    So it is with the processes of a process of ours: theirs is a value behind that of its own.

    Only Linux shows the environment of others; elsewhere nothing is done. A process that was started with an empty
    environment is not found.
    """
    if sys.platform != "linux":
        return
    for _ in range(_PASSES):
        found = list(_marked(f"{name}={value}".encode()))
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def _marked(entry: bytes) -> Iterator[int]:
    ours = f"{CHILD}=".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):  # it has ended, or is another user's
                entries = (folder / "environ").read_bytes().split(b"\0")
                marked = any(e == entry or e.startswith(entry + b"/") for e in entries)
                if marked and any(e.startswith(ours) for e in entries):
                    yield int(folder.name)
