"""User code run so that nothing leaks: prints, warnings, directory, environment, exits, exceptions."""

from __future__ import annotations

import contextlib
import dis
import io
import operator
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from initcheck.errors import InitcheckError

__all__ = ["Contained", "InitializerRaised", "contained"]

_OURS = str(Path(__file__).resolve().parent.parent) + os.sep
_OUTPUT_LIMIT = 16_384
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
        changes: what it left changed: ``np.errstate``, ``working directory``, ``environment``,
            ``torch default dtype``, ``functions of numpy.random``; all of it is put back.
    """

    output: str = ""
    warnings: tuple[str, ...] = ()
    changes: tuple[str, ...] = field(default=())


class _Bounded(io.StringIO):
    def write(self, text: str) -> int:
        if self.tell() < _OUTPUT_LIMIT:
            super().write(text[:_OUTPUT_LIMIT])
        return len(text)

    def close(self) -> None:
        """Stay open: what user code closes is read when it has returned."""


@contextmanager
def contained(*, put_back: bool = True) -> Iterator[Contained]:
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
            so while a module is imported, which may set them on purpose.

    Raises:
        InitializerRaised: the code raised anything, ``SystemExit`` and a ``KeyboardInterrupt`` of its own
            included. A real Ctrl-C and the errors of initcheck pass through.
    """
    seen = Contained()
    output = _Bounded()
    before = _surroundings() if put_back else {}
    functions = _functions() if put_back else {}
    recursion = sys.getrecursionlimit()
    try:
        with (
            _daemonic_threads(),
            warnings.catch_warnings(record=True) as caught,
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
        ):
            warnings.simplefilter("default")
            yield seen
    except BaseException as error:
        if isinstance(error, InitcheckError) and _last_frame_is_ours(error):
            raise
        if isinstance(error, KeyboardInterrupt) and not _was_raised_by_code(error):
            raise
        raise InitializerRaised(error) from error
    finally:
        if put_back:
            # The functions first: what follows calls them.
            replaced = _put_functions_back(functions)
            seen.changes = (*_put_back(before), *replaced)
            sys.setrecursionlimit(recursion)
        seen.output = output.getvalue()
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


_PATCHABLE = ("numpy", "numpy.random", "random")


def _functions() -> dict[str, dict[str, Any]]:
    return {name: vars(sys.modules[name]).copy() for name in _PATCHABLE if name in sys.modules}


def _put_functions_back(before: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """Undo what user code did to modules that every other initializer reads too; name the modules."""
    changed = []
    for name, functions in before.items():
        now = vars(sys.modules[name])
        # By identity, since what was put there may compare as it likes; a submodule loaded meanwhile is no change.
        if len(now) < len(functions) or not all(map(operator.is_, functions.values(), now.values())):
            now.update(functions)
            changed.append(f"functions of {name}")
    return tuple(changed)


def _surroundings() -> dict[str, Any]:
    try:
        directory = os.getcwd()
    except OSError:
        directory = None
    torch: Any = sys.modules.get("torch")
    return {
        "np.errstate": np.geterr(),
        "working directory": directory,
        "environment": dict(_environment()),
        "torch default dtype": torch.get_default_dtype() if hasattr(torch, "get_default_dtype") else None,
    }


def _put_back(before: dict[str, Any]) -> tuple[str, ...]:
    after = _surroundings()
    changed = tuple(name for name, value in before.items() if value is not None and after[name] != value)
    if "np.errstate" in changed:
        np.seterr(**before["np.errstate"])
    if "working directory" in changed:
        os.chdir(before["working directory"])
    if "environment" in changed:
        _restore_environment(before["environment"])
    if "torch default dtype" in changed:
        sys.modules["torch"].set_default_dtype(before["torch default dtype"])
    return changed


def _environment() -> Any:
    """The table behind ``os.environ``: copying it costs a tenth of decoding every variable."""
    return getattr(os.environ, "_data", os.environ)


def _restore_environment(before: dict[Any, Any]) -> None:
    decode = getattr(os.environ, "decodevalue", lambda value: value)
    wanted = {decode(key): decode(value) for key, value in before.items()}
    for key in set(os.environ) - set(wanted):
        del os.environ[key]
    os.environ.update(wanted)
