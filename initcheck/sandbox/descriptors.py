"""The three standard descriptors of a process: open as they were, whatever user code closed or put there."""

from __future__ import annotations

import contextlib
import os

_STANDARD = (0, 1, 2)


class Descriptors:
    """What the descriptors 0, 1 and 2 lead to now, held open so that it can be put back."""

    def __init__(self) -> None:
        self._places = [_place(number) for number in _STANDARD]
        self._held: list[int] = []
        for number, place in zip(_STANDARD, self._places, strict=True):
            if place is not None:
                self._held.append(os.dup(number))

    def put_back(self) -> bool:
        """Undo what was done to them; whether anything was."""
        changed = False
        held = iter(self._held)
        for number, place in zip(_STANDARD, self._places, strict=True):
            if place is None:
                continue
            copy = next(held)
            # Code that closes every descriptor closes the copy too: then there is nothing to put back from.
            if _place(number) != place and _place(copy) == place:
                os.dup2(copy, number, inheritable=True)
                changed = True
        return changed

    def __del__(self) -> None:
        for copy, place in zip(self._held, [p for p in self._places if p is not None], strict=False):
            if _place(copy) == place:
                with contextlib.suppress(OSError):
                    os.close(copy)


def _place(number: int) -> tuple[int, int, int] | None:
    try:
        found = os.fstat(number)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_rdev
