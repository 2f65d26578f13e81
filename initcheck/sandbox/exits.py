"""Ways to end a process that no handler sees, or to fork without end: while user code runs they raise instead."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# `os.execv` and `os.execve` are what all of `os.exec*` call.
_NAMES = ("_exit", "abort", "execv", "execve")
end_for_good: Callable[[int], Any] = os._exit
_inside: list[int] = []  # process ids, one a stretch of user code: a process that was forked inside may end as it likes


class EndedProcess(BaseException):
    """User code called what ends a process at once."""


def _guarded(name: str) -> Callable[..., Any]:
    def guard(*args: Any, **kwargs: Any) -> Any:
        if _inside and _inside[-1] == os.getpid():
            shown = ", ".join(map(repr, args))
            raise EndedProcess(f"os.{name}({shown}) would have ended the process")
        return _real[name](*args, **kwargs)

    guard.__name__ = guard.__qualname__ = name
    return guard


def fork() -> int:
    """Fork, but not in a process that user code has forked: one that forks in each call doubled them with every call.

    Raises:
        BlockingIOError: it is such a process.
    """
    if _inside and _inside[-1] != os.getpid():
        raise BlockingIOError(errno.EAGAIN, "a process that user code has forked may fork no more")
    process: int = _real["fork"]()
    return process


_guards = {**{name: _guarded(name) for name in _NAMES}, **({"fork": fork} if hasattr(os, "fork") else {})}
_real: dict[str, Any] = {name: getattr(os, name) for name in _guards}


@contextmanager
def no_exits() -> Iterator[None]:
    """Let ``os._exit`` and its kin raise inside; elsewhere, and in a forked process, they do what they do, but fork."""
    outermost = not _inside
    if outermost:
        for name, guard in _guards.items():
            setattr(os, name, guard)
    _inside.append(os.getpid())
    try:
        yield
    finally:
        if _inside:
            _inside.pop()
        if outermost:
            for name, real in _real.items():
                setattr(os, name, real)
