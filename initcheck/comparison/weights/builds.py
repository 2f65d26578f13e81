"""The builds of one model, made when they are first asked for, of which some rows of each role are kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.comparison.weights.calls import Calls
from initcheck.comparison.weights.copies import Place, order_of
from initcheck.comparison.weights.readings import Reading
from initcheck.comparison.weights.roles import Role, View, roles_of
from initcheck.comparison.weights.tensors import Tensor, tensors_of
from initcheck.draws.call import OutOfTime
from initcheck.errors import UsageError
from initcheck.models.builds.build import on_a_call_that_raises
from initcheck.sandbox.containment import InitializerRaised, contained
from initcheck.sandbox.global_generators import isolated
from initcheck.seeds import Seeds

Array = npt.NDArray[Any]

# Entries that are kept of the tensors of one role in one build: whole rows, the same ones of every build.
_ENTRIES = 4_096
LOOKED_FOR_COPIES = 3
"""Builds in which tensors are looked for that hold the same random numbers: chance makes none alike in all of them."""


class Builds:
    """The builds of one model.

    Args:
        factory: builds it anew at each call; a parameter ``seed``, ``key`` or ``rngs`` is given one made of the seed.
        name: of the target; with the run seed and the number of the build it gives the seed.
        seed: of the run.

    Attributes:
        roles: of its tensors, read off the first build.
        count: builds so far.
        made: builds of which something is kept.
        weights: numbers that were built.
        stacks: by path, of what was taken out of a stack, how many it held.
        deadline: on the clock of ``time.monotonic``, after which no build is begun.
    """

    def __init__(self, factory: Callable[..., Any], name: str, seed: int) -> None:
        self.name = name
        self.count = 0
        self.weights = 0
        self.stacks: dict[str, int] = {}
        self.deadline: float | None = None
        self._factory = factory
        self._calls = Calls(factory)
        self._seeds = Seeds("same", name, seed)
        self._kept: dict[View, list[Array]] = {}
        self._orders: list[dict[tuple[View, int], bytes | None]] = []
        self.made = 0
        self._added: dict[str, str] = {}
        self._readings: list[Mapping[str, Reading]] = []
        self.roles: list[Role] = []
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._look()

    def _look(self) -> None:
        first = self.build(self._seeds.upto(1)[0])
        self.roles = roles_of(first)
        self._shapes = {tensor.path: tensor.shape for tensor in first}

    def reads(self, found: Mapping[str, Reading]) -> None:
        """Read tensors of these paths otherwise from now on; before ``watch``."""
        if found:
            self._readings.append(found)
            self._look()

    def adds(self, found: Mapping[str, str]) -> None:
        """Read of these tensors, from now on, their sum with another, in the place of that one; before ``watch``."""
        if found:
            self._added.update(found)
            self._look()

    def watch(self, views: Sequence[View]) -> None:
        """Say what is kept of the builds to come; before the first of ``calls``."""
        for view in views:
            self._kept[view] = []

    def build(self, seed: int) -> list[Tensor]:
        """One model of a seed as its tensors.

        Raises:
            UsageError: the factory raises, or returns no model.
            OutOfTime: the time is over.
        """
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTime
        try:
            with contained(), isolated(seed):
                found = tensors_of(self._calls(seed), self.name)
        except InitializerRaised as error:
            if isinstance(error.original, UsageError):
                raise error.original from None
            advice = on_a_call_that_raises(self._factory)
            raise UsageError(f"{self.name} builds no model: it raises {error}. {advice}") from None
        self.count += 1
        self.weights += sum(t.values.size for t in found)
        for anew in self._readings:
            found = [part for t in found for part in (self._read(t, anew[t.path]) if t.path in anew else [t])]
        if self._added:
            sums = {t.path: t for t in found}
            for path, other in self._added.items():
                sums[other] = replace(sums[other], values=sums[other].values + sums.pop(path).values)
            found = list(sums.values())
        return found

    def _read(self, tensor: Tensor, reading: Reading) -> list[Tensor]:
        parts = reading.of(tensor)
        if reading.kind == "stacked":
            self.stacks.update((part.path, len(parts) * self.stacks.get(tensor.path, 1)) for part in parts)
        return parts

    def calls(self, view: View, start: int, stop: int) -> Array:
        """Of builds of these numbers what is kept of a role, its tensors laid one under another.

        Returns:
            shape (builds, rows, columns).
        """
        while self.made < stop:
            found = {tensor.path: tensor for tensor in self.build(self._seeds.upto(self.made + 2)[self.made + 1])}
            if {path: tensor.shape for path, tensor in found.items()} != self._shapes:
                raise UsageError(f"{self.name} builds other tensors at another seed, so that no role can be compared.")
            for kept_view, kept in self._kept.items():
                kept.append(np.concatenate([seen(found[path].values, kept_view) for path in kept_view.role.paths]))
            if self.made < LOOKED_FOR_COPIES:
                self._orders.append(
                    {
                        (one, number): order_of(_as_stored(found[path], one))
                        for one in self._kept
                        for number, path in enumerate(one.role.paths)
                    }
                )
            self.made += 1
        return np.stack(self._kept[view][start:stop])

    def orders(self, views: Sequence[View]) -> list[dict[Place, bytes | None]]:
        """How the first numbers of every tensor are ordered, in each of the first builds.

        Args:
            views: those that are watched, by the number of their role.
        """
        self.calls(views[0], 0, LOOKED_FOR_COPIES)
        number = {view: n for n, view in enumerate(views)}
        return [{(number[view], k): order for (view, k), order in build.items()} for build in self._orders]


def seen(values: Array, view: View) -> Array:
    """What is kept of one tensor of a role: the rows of the view, or of many some that are evenly spread."""
    if view.turned:
        values = values.swapaxes(0, 1)
    matrix: Array = values.reshape(len(values), -1) if values.ndim > 1 else values.reshape(-1, 1)
    if view.rows is not None:
        matrix = matrix[slice(*view.rows)]
    most = max(1, _ENTRIES // (matrix.shape[1] * len(view.role.paths)))
    if len(matrix) <= most:
        return matrix
    kept: Array = matrix[np.linspace(0, len(matrix) - 1, most).round().astype(int)]
    return kept


def _as_stored(tensor: Tensor, view: View) -> Array:
    """The tensor in the order in which it was written, so that what was drawn behind other rows is not the first."""
    if view.rows is None:
        return tensor.stored
    values = tensor.values.swapaxes(0, 1) if view.turned else tensor.values
    rows = values[slice(*view.rows)]
    return rows.T if tensor.turned != view.turned else rows
