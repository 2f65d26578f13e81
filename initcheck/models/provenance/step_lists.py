"""The steps that wrote one storage: a list that stays short however long a build goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from initcheck.models.provenance.steps import SAME, Draw, Step

# What a tensor comes from is a set, and bounded: a power iteration would else multiply its list every round.
MOST_DRAWS = 256
MOST_NAMES = 48
_MOST_STEPS = 96


def append(steps: list[Step], step: Step) -> None:
    """Append a step; what the same line does to many entries one by one is one step, and the list is bounded."""
    last = steps[-1] if steps else None
    same = last is not None and (last.op, last.site, last.arguments) == (step.op, step.site, step.arguments)
    if last is not None and same and step.mask is not None and last.mask is not None and _mergeable(last, step):
        last.mask.logical_or_(step.mask)
        steps[-1] = replace(last, draws=bounded(last.draws | step.draws), order=step.order)
        return
    if len(steps) >= _MOST_STEPS:
        _shorten(steps)
    steps.append(step)


def _mergeable(last: Step, step: Step) -> bool:
    return last.start == step.start and last.stop == step.stop


def _shorten(steps: list[Step]) -> None:
    """Make one step of each run of steps by one line, or of all of them where that does not help."""
    short: list[Step] = []
    for step in steps:
        last = short[-1] if short else None
        if last is not None and last.op == step.op and last.site == step.site and not (last.dense or step.dense):
            # A loop over rows or entries: which ones is forgotten, that there are some is not.
            start, stop = min(last.start, step.start), max(last.stop, step.stop)
            draws = bounded(last.draws | step.draws)
            short[-1] = replace(last, start=start, stop=stop, region=None, mask=None, draws=draws, order=step.order)
        else:
            short.append(step)
    if len(short) >= _MOST_STEPS // 2:
        dense = [s for s in short if s.dense] or short
        widest = max(dense, key=lambda s: s.stop - s.start)
        recipe = frozenset().union(*(named(s) for s in short))
        kept = frozenset(sorted(recipe, key=repr)[:MOST_NAMES])
        draws = bounded(frozenset().union(*(s.draws for s in short)))
        short = [replace(widest, recipe=kept, draws=draws, mask=None, order=short[-1].order)]
    steps[:] = short


def named(step: Step) -> frozenset[Any]:
    """The operations that a step stands for; copies name nothing."""
    if step.recipe:
        return step.recipe
    return frozenset() if step.op.rstrip("_") in SAME else frozenset({(step.op.rstrip("_"), step.arguments)})


def bounded(draws: frozenset[Draw]) -> frozenset[Draw]:
    """The first few hundred draws of a set."""
    if len(draws) <= MOST_DRAWS:
        return draws
    return frozenset(sorted(draws, key=lambda d: d.number)[:MOST_DRAWS])
