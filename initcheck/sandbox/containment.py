"""User code run so that nothing leaks: prints, warnings, directory, environment, exits, exceptions."""

from __future__ import annotations

import contextlib
import dis
import os
import sys
import sysconfig
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from initcheck.errors import InitcheckError
from initcheck.safe_text import relative
from initcheck.sandbox.exits import end_for_good, no_exits
from initcheck.sandbox.streams import Bounded
from initcheck.sandbox.surroundings import Surroundings

_OURS = str(Path(__file__).resolve().parent.parent) + os.sep
_STDLIB = sysconfig.get_path("stdlib") + os.sep
_FRAMES = 12
_MESSAGE_LIMIT = 500


class InitializerRaised(InitcheckError):
    """The user's code raised, or tried to end the process.

    Attributes:
        original: the exception itself.
        kind: the name of its type.
        trace: its traceback as lines of text, without the frames of initcheck.
    """

    def __init__(self, original: BaseException) -> None:
        self.original = original
        self.kind = type(original).__name__
        self.trace = trace_of(original)
        super().__init__(one_line(original))


@dataclass
class Contained:
    """What one contained stretch of user code did beside its work.

    Attributes:
        output: what it printed, cut after 16 KiB.
        warnings: the distinct warnings it gave, one line each.
        changes: what it left changed, as ``initcheck.sandbox.surroundings`` names it; all of it is put back.
    """

    output: str = ""
    warnings: tuple[str, ...] = ()
    changes: tuple[str, ...] = field(default=())


@contextmanager
def contained(*, put_back: bool = True, whole: bool = True) -> Iterator[Contained]:
    """Run user code so that it can change nothing outside and every way out is one exception.

    >>> with contained() as seen:
    ...     print("hello")
    >>> seen.output
    'hello\\n'
    >>> with contained():
    ...     raise SystemExit(3)
    Traceback (most recent call last):
        ...
    initcheck.sandbox.containment.InitializerRaised: SystemExit: 3

    Args:
        put_back: whether the working directory, environment, error state and default dtype are restored; not
            so while a module is imported, which may set them on purpose: then only what it takes from all other code
            is put back, as a function of NumPy that it replaces.
        whole: whether all else that a process shares is looked at too, which costs half a millisecond.

    Raises:
        InitializerRaised: the code raised anything, ``SystemExit`` and a ``KeyboardInterrupt`` of its own
            included. A real Ctrl-C and the errors of initcheck pass through.
    """
    seen = Contained()
    output = Bounded()
    before = Surroundings(whole=whole, at_import=not put_back)
    process, limit, lowered = os.getpid(), sys.getrecursionlimit(), False
    try:
        with (
            _daemonic_threads(),
            no_exits(),
            warnings.catch_warnings(record=True) as caught,
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
        ):
            warnings.simplefilter("default")
            try:
                yield seen
            finally:
                # At once: under a low limit nothing of what follows, which calls deeper, would run to its end.
                now = sys.getrecursionlimit()
                if now != limit if put_back else now < limit:
                    lowered = True
                    sys.setrecursionlimit(limit)
    except BaseException as error:
        if isinstance(error, InitcheckError) and _last_frame_is_ours(error):
            raise
        if isinstance(error, KeyboardInterrupt) and not _was_raised_by_code(error):
            raise
        raise InitializerRaised(error) from error
    finally:
        if os.getpid() != process:
            end_for_good(0)  # the code forked and came back twice; one of the two is enough
        seen.changes = (*before.put_back(), *(("recursion limit",) if lowered else ()))
        seen.output = output.text()
        seen.warnings = tuple(dict.fromkeys(f"{w.category.__name__}: {_text(w.message)}" for w in caught))


def one_line(error: BaseException) -> str:
    """Type and message of an exception on one line, even where its ``__str__`` raises."""
    text = " ".join(_text(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def trace_of(error: BaseException) -> tuple[str, ...]:
    """The traceback as lines, without initcheck's frames; of a deep one the first two frames and the last."""
    frames = [(f, line) for f, line in _walk(error.__traceback__) if not f.f_code.co_filename.startswith(_OURS)]
    cut = len(frames) - _FRAMES
    if cut > 0:
        frames = frames[:2] + frames[cut + 2 :]
    lines = []
    for number, entry in enumerate(traceback.StackSummary.extract(iter(frames))):
        if cut > 0 and number == 2:
            lines.append(f"  ... {cut} more frames ...")
        lines.append(f'  File "{entry.filename}", line {entry.lineno}, in {entry.name}')
        if entry.line:
            lines.append(f"    {entry.line}")
    return (*lines, one_line(error))


def _walk(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _text(error: object) -> str:
    try:
        return str(error)[:_MESSAGE_LIMIT]
    except BaseException as second:
        return f"<its message cannot be shown: __str__ raises {type(second).__name__}>"


def _was_raised_by_code(error: BaseException) -> bool:
    """Whether a ``raise`` statement made it: a real Ctrl-C comes up between any two instructions instead."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return True
    code = trace.tb_frame.f_code.co_code
    return dis.opname[code[trace.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")


def _last_frame_is_ours(error: BaseException) -> bool:
    """Whether initcheck raised it, and not user code that borrows its errors."""
    frames = [frame for frame, _ in _walk(error.__traceback__)]
    return not frames or frames[-1].f_code.co_filename.startswith(_OURS)


def how_far(error: BaseException) -> tuple[int, ...]:
    """The lines of user code that led to where it was raised, outermost first: of two calls the larger got further.

    >>> def forward(x):
    ...     half = x[0]
    ...     return half / x[1]
    >>> def raised(x):
    ...     try:
    ...         forward(x)
    ...     except Exception as error:
    ...         return error
    >>> how_far(raised([1, 0])) > how_far(raised([]))
    True
    """
    return tuple(line for frame, line in _walk(error.__traceback__) if _is_users(frame.f_code.co_filename))


def _is_users(file: str) -> bool:
    return "site-packages" not in file and not file.startswith((_STDLIB, _OURS))


def raised_at(error: BaseException, *, own: bool = False) -> str:
    """Where the user's code raised it, with a space before: `` (inits.py:3: return 1 / 0)``; empty where nothing tells.

    Args:
        error: as it was caught.
        own: whether a frame of an installed library says nothing, as where a call was only tried.
    """
    # What imports a module says nothing of what is wrong in it.
    silent = (_OURS, "<", os.path.join(_STDLIB, "importlib"))
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(silent)]
    of_users = [f for f in frames if _is_users(f.filename)]
    found = of_users or ([] if own else frames)
    return f" ({relative(found[-1].filename)}:{found[-1].lineno}: {found[-1].line})" if found else ""


@contextmanager
def _daemonic_threads() -> Iterator[None]:
    """Let threads that user code leaves behind be daemons, so that the process can end without them."""
    # A thread inherits this flag from the one that makes it; the public setter refuses on a running thread.
    current: Any = threading.current_thread()
    before = current._daemonic
    current._daemonic = True
    try:
        yield
    finally:
        current._daemonic = before
