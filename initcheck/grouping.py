"""Things put together by what they have in common."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Thing = TypeVar("Thing")


def grouped(pairs: Iterable[tuple[Key, Thing]]) -> dict[Key, list[Thing]]:
    """The second of every pair under its first, both in the order in which they come.

    >>> grouped((len(name), name) for name in ("he", "relu", "lu"))
    {2: ['he', 'lu'], 4: ['relu']}
    """
    found: dict[Key, list[Thing]] = {}
    for key, thing in pairs:
        found.setdefault(key, []).append(thing)
    return found
