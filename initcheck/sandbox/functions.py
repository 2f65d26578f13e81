"""The functions that every initializer reads too: seen where user code replaced one, and put back."""

from __future__ import annotations

import sys
from typing import Any

# Looked at around every call; the others around every claim, since they are many.
_EACH_CALL = ("numpy", "numpy.random", "random", "builtins", "math")
# What measures, ends and writes down a claim.
_OF_OURS = ("time", "json", "pickle")
_OF_FRAMEWORKS = ("torch", "torch.nn.init", "torch.nn.functional", "jax.numpy", "jax.random")
_MOVES = ("Storage",)  # torch itself puts another there with the default dtype
_modules = sys.modules

Table = dict[str, Any]
# What the modules were found to hold: copied again only where a table changed, since a copy costs as much as a call.
_known: dict[str, tuple[Table, list[Any]]] = {}


class Functions:
    """What the modules hold that all code shares.

    Args:
        whole: whether to look at every such module and to see what the caller himself has replaced since the last
            time; else only at those that nearly all code reads.
        frameworks: whether to look at what a framework holds, too, which a module may replace for its own functions.
    """

    def __init__(self, *, whole: bool, frameworks: bool = True) -> None:
        names = (*_EACH_CALL, *_OF_OURS, *(_OF_FRAMEWORKS if frameworks else ())) if whole else _EACH_CALL
        for name in names:
            module = _modules.get(name)
            if module is not None and (whole or name not in _known):
                _learn(name, vars(module))
        self._before = [(name, *_known[name]) for name in names if name in _known]

    def put_back(self) -> list[str]:
        """Undo what was done to them; the names of the modules."""
        return [name for name, table, values in self._before if _restored(name, table, values)]


def _learn(name: str, now: Table) -> None:
    known = _known.get(name)
    # Lists are compared by identity first, so that this costs little where nothing changed.
    if known is None or not _equal(now, known[1]):
        _known[name] = (dict(now), list(now.values()))


def _equal(now: Table, values: list[Any]) -> bool:
    try:
        return len(now) == len(values) and list(now.values()) == values
    except BaseException:  # what was put there is asked whether it equals, and may do as it likes
        return False


def _restored(name: str, table: Table, values: list[Any]) -> bool:
    module = _modules.get(name)
    if module is None:
        return False  # `sys.modules` is put back elsewhere
    now = vars(module)
    if _equal(now, values):
        return False
    # By identity; a submodule loaded meanwhile is no change.
    missing = object()
    wrong = {key: value for key, value in table.items() if now.get(key, missing) is not value and key not in _MOVES}
    now.update(wrong)
    _known[name] = (dict(now), list(now.values()))
    return bool(wrong)
