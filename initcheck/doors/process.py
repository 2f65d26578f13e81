"""What the process of a command line owns: its streams, the signal that ends it, and the threads left in it."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


_ENDED_BY_THE_PIPE = 128 + 13  # as a shell tells of SIGPIPE, which other systems lack


def whole_streams() -> None:
    """See to it that there is something to print to, and that it takes every character."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # closed: the next file that is opened would be taken for it
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - as long as the process
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flushed(code: int) -> int:
    """The exit code, after the last of the output has gone; that it cannot go is told by the code alone."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return unheard(code)
    except OSError as error:
        return unwritten(error)
    return code


def unheard(code: int | None = None) -> int:
    """The exit code where the reader of the output has gone, as in ``initcheck list | head``: the verdict of a run is
    none the less one; else that of a program that the closed pipe has ended.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return _ENDED_BY_THE_PIPE if code is None else code


def unwritten(error: OSError) -> int:
    """The exit code where the output cannot be written, after a word on why."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    print(f"initcheck: the output cannot be written: {error.strerror}.", file=sys.stderr)
    return 2


def end_in_spite_of_threads(code: int) -> None:
    """End the process where an initializer left a thread that it would wait for, perhaps for ever."""
    left = [t for t in threading.enumerate() if not t.daemon and t is not threading.current_thread()]
    if left:
        print(f"initcheck: {len(left)} threads that initializers left running are ended", file=sys.stderr)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # the reader may have gone
                stream.flush()
        os._exit(code)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does, with what is known so far; where signals can be caught at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        # timeout(1) and CI send it twice, to the process and to its group: the second must not cut the end short.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        # Called, for so there is no `raise` of ours in the traceback, by which one of users' code would be known.
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
