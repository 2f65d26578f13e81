"""Processes that have drawn nothing yet, to repeat a few calls in: what is cached by shape shows only there."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence

from initcheck.contract.initializer import Initializer
from initcheck.contract.tested import Tested
from initcheck.sandbox.child import Child, Died

Call = tuple[tuple[int, ...], int, tuple[int, ...]]

# Two, so that code which hangs on Python's hash seed differs between them for certain.
_ORDERS = (("in a fresh process", False, "1"), ("in a fresh process, in another order", True, "2"))
_PATIENCE = 120.0
# By name: the server makes initializers again, and so stands above everything that draws.
_SERVER = "initcheck.runs.fresh_main"


class FreshProcesses:
    """Two processes that live as long as the run and repeat the plan of one initializer after another.

    They are started with the first initializer and work beside this process, so that they cost little on two cores.
    """

    def __init__(self) -> None:
        self._children: list[Child] = []

    def prepare(self, tested: Tested) -> None:
        """Have both processes make what is tested, which imports its framework; nothing is waited for."""
        if tested.recipe is not None:
            for child in self._alive():
                child.ask({"make": True, "recipe": dict(tested.recipe)})

    def start(self, initializer: Initializer, plan: Sequence[Call], dtype: str) -> PendingAnswers:
        """Have both processes draw the plan; the answers are waited for later."""
        if initializer.recipe is None:
            return PendingAnswers([], "only this process has the function (it is no attribute of a module)")
        asked = []
        for index, (child, (where, backward, _)) in enumerate(zip(self._alive(), _ORDERS, strict=True)):
            request = {
                "recipe": dict(initializer.recipe),
                "plan": list(reversed(plan)) if backward else list(plan),
                "dtype": dtype,
                "global seed": index + 3,
            }
            asked.append((where, backward, child, child.ask(request)))
        return PendingAnswers(asked)

    def _alive(self) -> list[Child]:
        """Both processes, started where they were not yet, or where the last initializer ended them."""
        for index, (_, _, hash_seed) in enumerate(_ORDERS):
            if index == len(self._children):
                self._children.append(Child(_SERVER, hash_seed))
            elif not self._children[index].alive:
                self._children[index].end()
                self._children[index] = Child(_SERVER, hash_seed)
        return self._children


def fresh_processes() -> FreshProcesses:
    """The two processes of this process: started once, whatever the number of runs."""
    # A worker forked from this process must not answer on this one's pipes.
    return _fresh_processes_of(os.getpid())


@functools.cache
def _fresh_processes_of(pid: int) -> FreshProcesses:
    return FreshProcesses()


class PendingAnswers:
    """Answers on their way."""

    def __init__(self, asked: Sequence[tuple[str, bool, Child, int]], why_not: str = "") -> None:
        self._asked = asked
        self.why_not = why_not

    def answers(self) -> Mapping[str, list[str]] | None:
        """Digests of the plan's calls, in the plan's order, by where they were drawn; None where none could be."""
        found: dict[str, list[str]] = {}
        for where, backward, child, number in self._asked:
            try:
                answer = child.answer(number, _PATIENCE)
            except Died as died:
                self.why_not = f"there {died}"
                continue
            if "digests" in answer:
                found[where] = list(reversed(answer["digests"])) if backward else answer["digests"]
            else:
                self.why_not = answer["error"]
        return found or None
