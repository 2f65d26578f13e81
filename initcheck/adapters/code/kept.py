"""Whether a call may leave something behind for the next one, read off its code."""

from __future__ import annotations

from typing import Any

from initcheck.adapters.code.reach import CallReach


def keeps_between_calls(obj: Any) -> bool:
    """Whether a call of an object may fill a cache, a table or a global that a later call reads.

    >>> table = {}
    >>> keeps_between_calls(lambda n: table.setdefault(n, n**0.5)), keeps_between_calls(lambda n: n**0.5)
    (True, False)

    Of an object and its class alike what is asked is a call of the object. What a call makes and drops keeps nothing.
    """
    reach = CallReach().add(obj)
    if isinstance(obj, type):
        reach.add_method(obj, "__call__")
    return reach.keeps
