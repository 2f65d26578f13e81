"""That a process is at work: user code came back, so that who waits for it tells a slow one from one that hangs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECONDS = 1.0
"""Between two words to who listens: a call may take a microsecond."""

_listeners: list[Callable[[], None]] = []
_last = [0.0]


def beat() -> None:
    """Say that user code came back; nobody hears it but in a process that others wait for.

    >>> heard = []
    >>> with listening_to_beats(lambda: heard.append("beat")):
    ...     beat()
    ...     beat()
    >>> heard
    ['beat']
    """
    if _listeners and time.monotonic() - _last[0] > _SECONDS:
        _last[0] = time.monotonic()
        _listeners[-1]()


@contextmanager
def listening_to_beats(listener: Callable[[], None]) -> Iterator[None]:
    """While it lasts, the first beat is told, and then at most one a second."""
    _listeners.append(listener)
    _last[0] = -_SECONDS
    try:
        yield
    finally:
        _listeners.pop()
