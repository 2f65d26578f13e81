"""One thread for each process of ours, and an end for all of them with the run that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

OURS = "initcheck"  # the name of every thread that we start

_PR_SET_PDEATHSIG = 1
_GONE = 1  # exit code of a process whose parent has gone; nobody is left to read it


def cap_threads() -> None:
    """One BLAS thread a process of ours; before NumPy is imported there."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def end_with_parent(parent: int) -> None:
    """Let this process end when its parent does, however that one ends.

    The kernel sees to it on Linux, even while this process hangs in C. Elsewhere a thread looks twice a second.

    Args:
        parent: the process id of the parent; if it has gone already, this process ends now.
    """
    if sys.platform == "linux":
        try:
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        except (OSError, AttributeError):  # a C library without it
            _watch(parent)
    elif os.name == "posix":
        _watch(parent)
    if os.name == "posix" and os.getppid() != parent:
        os._exit(_GONE)


def _watch(parent: int) -> None:
    def wait() -> None:
        forever = threading.Event()
        while not forever.wait(0.5):
            if os.getppid() != parent:
                os._exit(_GONE)

    threading.Thread(target=wait, name=OURS, daemon=True).start()


def others() -> set[threading.Thread]:
    """The threads that run beside the main one and were not started by us."""
    return {t for t in threading.enumerate() if t is not threading.main_thread() and t.name != OURS}
