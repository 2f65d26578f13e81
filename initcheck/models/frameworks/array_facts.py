"""The builds of a model outside of torch, as records by role."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from initcheck.models.builds.array_record import array_record
from initcheck.models.builds.build import Build, Builder
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.sums import Twins
from initcheck.models.factory.facts import Facts, Layout
from initcheck.models.living.leaves import Leaf, places_of
from initcheck.models.living.model import Living
from initcheck.models.signals.signal import Signal


@dataclass(frozen=True)
class Made:
    """One build: its records, and the model alive.

    Attributes:
        leaves: of the records, stacks unstacked; records: in the same order.
        living, arrays: the model and what is handed to it.
        note: what a reader should know of how it was built.
    """

    leaves: Sequence[Leaf]
    records: Sequence[TensorRecord]
    living: Living
    arrays: Sequence[Any]
    note: str | None = None


class ArrayFacts(Facts):
    """The builds of one factory, whatever library made their arrays."""

    def __init__(self, builder: Builder, seed: int, models: int | None) -> None:
        super().__init__(builder, seed, models)
        self._layout: Layout | None = None

    @abstractmethod
    def make(self, seed: int, *, units: bool) -> Made:
        """Build once.

        Args:
            seed: of every generator.
            units: whether equal rows and columns are looked for.
        """

    @abstractmethod
    def hear(self, made: Made, constants: Sequence[str], twins: Mapping[str, Twins], *, whole: bool) -> Signal:
        """Listen to a model that was just built."""

    @cached_property
    def first(self) -> Build:
        """With provenance, its units compared and its signal listened to."""
        return self._build(self._seed(0), units=True, listened="whole")

    @cached_property
    def second(self) -> Build:
        """The same seed once more, with provenance."""
        return self._build(self._seed(0), units=False, listened="")

    def _other(self, seed: int) -> Build:
        return self._build(seed, units=False, listened="signal")

    def _build(self, seed: int, *, units: bool, listened: str) -> Build:
        self.builder.begins(seed)
        made = self.make(seed, units=units)
        records = {r.name: r for r in made.records}
        if self._layout is None:
            shapes = {leaf.path: r.shape for leaf, r in zip(made.leaves, made.records, strict=True)}
            self._layout = Layout.of(made.living.name, records, places_of(shapes), shared=made.living.shared)
        looks: dict[str, Any] = {"layout": self._layout, "note": made.note}
        if listened:
            looks["signal"] = self._signal(made, records, whole=listened == "whole")
        return Build(seed, records, {}, looks=looks)

    def _signal(self, made: Made, records: Mapping[str, TensorRecord], *, whole: bool) -> Signal:
        absurd = [n for n, r in records.items() if r.parameter and (r.sums.nan or r.sums.infinite)]
        if absurd:
            return Signal(problem=f"entries are NaN or infinite ({absurd[0]})")
        if not whole:
            return self.hear(made, (), {}, whole=False)
        constants = [n for n, r in records.items() if r.parameter and r.trainable and r.constant and r.matrix]
        twins = {n: r.twins for n, r in records.items() if r.parameter and r.trainable and r.twins is not None}
        return self.hear(made, constants, twins, whole=True)


def recorded(
    leaf: Leaf, value: Any, *, units: bool, memory: tuple[int, int], **known: Any
) -> TensorRecord:  # fmt: skip
    """The record of one leaf."""
    return array_record(
        leaf.name, value, leaf.owner, parameter=leaf.parameter, trainable=leaf.trainable,
        inputs_first=leaf.inputs_first, memory=memory, units=units, **known,
    )  # fmt: skip
