"""What is known of one factory: the builds that were made, made once each and only when a claim asks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any, ClassVar

from initcheck.models.builds.build import Build, Builder
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Place, Role, blocks_of, roles
from initcheck.models.builds.width_law import WidthLaw
from initcheck.models.factory.promises import Promises
from initcheck.models.provenance.guards import Guard
from initcheck.models.signals.signal import Signal
from initcheck.seeds import Seeds

BIG = 100_000_000
"""Parameters above which a model is built seven times at most, and mostly four times."""


@dataclass(frozen=True)
class Layout:
    """The structure of the model, read once.

    Attributes:
        name: the root's class.
        parameters: how many numbers its distinct parameters hold.
        places: where each parameter stands.
        blocks: the number of blocks of the longest list of them.
        guards: init statements behind a guard on names or on classes.
        init_methods: methods of the user's classes that initialise, by their code.
        initializer_range: what the config declares, or None.
        promises: ties and padding rows.
        bases: class of the user's -> the layers of the library that it is derived from, and draws as.
        holders: layers of the library that hold matrices and layers with matrices.
        shared: names of one layer, where a list holds nothing else or a parameter has it as its default -> which one.
    """

    name: str
    parameters: int
    places: dict[str, Place] = field(default_factory=dict)
    blocks: int = 0
    guards: tuple[Guard, ...] = ()
    init_methods: dict[CodeType, str] = field(default_factory=dict)
    initializer_range: float | None = None
    promises: Promises = field(default_factory=Promises)
    bases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    holders: frozenset[str] = frozenset()
    shared: Mapping[tuple[str, ...], str] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, records: Mapping[str, TensorRecord], places: dict[str, Place], **more: Any) -> Layout:
        """The structure of a model whose tensors were recorded and placed."""
        parameters = sum(r.count for r in records.values() if r.parameter)
        return cls(name, parameters, places, blocks_of(places), **more)


class Facts(ABC):
    """The builds of one factory; how one is made is the framework's affair.

    Args:
        builder: calls the factory.
        seed: the run seed; every build's seed derives from it and the name.
        models: most models of fresh seeds; None for a number that falls with the model's size.

    Attributes:
        impossible: what the framework makes impossible -> why: ``unwritten`` memory, values ``overwritten``, a build
            in ``bfloat16`` by a default dtype, ``writers`` of the residual stream that cannot be told.
        fixes: what is wrong -> what the framework has against it: ``one state`` for several draws, a ``seed`` that is
            written inside.
    """

    impossible: ClassVar[Mapping[str, str]] = {}
    fixes: ClassVar[Mapping[str, str]] = {}

    def __init__(self, builder: Builder, seed: int, models: int | None) -> None:
        self.builder = builder
        self._seeds = Seeds("model", builder.name, seed)
        self._models = models
        self._others: list[Build] = []

    @property
    @abstractmethod
    def first(self) -> Build:
        """With provenance, its units compared and its signal listened to."""

    @property
    @abstractmethod
    def second(self) -> Build:
        """The same seed once more, with provenance."""

    @property
    def plain(self) -> Build | None:
        """The same seed, nothing traced, the guards watched; None where that tells nothing."""
        return None

    @property
    def low_precision(self) -> Build | str:
        """Built under bfloat16 as default dtype, or why not."""
        return self.impossible["bfloat16"]

    @abstractmethod
    def _other(self, seed: int) -> Build:
        """A build of a fresh seed, its signal listened to."""

    def other(self, number: int) -> Build:
        """The build of fresh seed ``number``, from 1."""
        while len(self._others) < number:
            self._others.append(self._other(self._seed(len(self._others) + 1)))
        return self._others[number - 1]

    def signals(self, number: int) -> list[Signal]:
        """The signals of that many models of different seeds, the first one's included."""
        builds = [self.first, *(self.other(i) for i in range(1, number))]
        return [b.looks["signal"] for b in builds]

    @property
    def layout(self) -> Layout:
        """The structure of the model."""
        found: Layout = self.first.looks["layout"]
        return found

    @property
    def big(self) -> bool:
        """Whether the model has more than 100 million parameters."""
        return self.layout.parameters > BIG

    @cached_property
    def budget(self) -> int:
        """Most models of different seeds."""
        if self._models is not None:
            return self._models
        size = self.layout.parameters
        return 80 if size <= 1_000_000 else 18 if size <= 10_000_000 else 12 if size <= BIG else 5

    @property
    def unwritten(self) -> dict[str, TensorRecord]:
        """Tensors whose bits differ under another fill of fresh memory, and do not differ under the same one."""
        return {}

    @cached_property
    def unseeded(self) -> dict[str, TensorRecord]:
        """Tensors whose values differ between two builds of one seed for another reason than unwritten memory."""
        return {n: r for n, r in self._differing.items() if n not in self.rounded}

    @cached_property
    def rounded(self) -> dict[str, TensorRecord]:
        """Tensors whose last bits differ between two builds of one seed, and nothing but these."""
        builds = [self.first, *self._repeats]
        return {
            n: r
            for n, r in self._differing.items()
            if all(n in b.records and r.rounds_to(b.records[n]) for b in builds)
        }

    @property
    def _repeats(self) -> list[Build]:
        return [b for b in (self.second, self.plain) if b is not None]

    @cached_property
    def _differing(self) -> dict[str, TensorRecord]:
        return {
            n: r
            for n, r in self.first.records.items()
            if n not in self.unwritten
            and any(n not in b.records or b.records[n].digest != r.digest for b in self._repeats)
        }

    @property
    def written(self) -> bool:
        """Whether no bit depends on what fresh memory held."""
        return not self.unwritten

    @cached_property
    def random(self) -> dict[str, TensorRecord]:
        """The tensors that hold chance: a draw in their trace, or other bits at another seed.

        A draw of which later writes, row by row, left nothing is no chance: the bits are the same at another seed.
        """
        other = self.other(1).records

        def holds_chance(name: str, record: TensorRecord) -> bool:
            moves = name in other and other[name].digest != record.digest
            return moves or (bool(record.draws) and (name not in other or not record.later))

        return {
            n: r
            for n, r in self.first.records.items()
            if r.real and not r.constant and not r.missing and holds_chance(n, r)
        }

    @cached_property
    def read(self) -> dict[str, TensorRecord]:
        """Matrices that are the same at every seed since no draw made them: read from a file, or fixed numbers."""
        return {
            n: r
            for n, r in self.first.records.items()
            if r.parameter
            and r.matrix is not None
            and r.law.family == "untraced"
            and not r.constant
            and not r.draws
            and not r.missing
            and n not in self.random
        }

    def role_of(self, name: str) -> str:
        """The path of a tensor with the numbers of repeated blocks starred."""
        place = self.layout.places.get(name)
        return place.path if place is not None else name

    def block_role_of(self, name: str) -> str:
        """The same in a block; elsewhere its own name, since a number counts layers that may differ there."""
        place = self.layout.places.get(name)
        return name if place is None or place.block is None else place.path

    def written_after(self, method: CodeType) -> set[str]:
        """Tensors that were written after a function that initialises the model had begun, and outside of it."""
        began = self.second.began.get(method)
        if began is None:
            return set()
        return {n for n, r in self.second.records.items() if r.order_written > began and method not in r.inside}

    @cached_property
    def roles(self) -> list[Role]:
        """The parameters grouped by role."""
        return roles(self.first.records, self.layout.places)

    @property
    def width_law(self) -> WidthLaw | None:
        """How the standard deviations follow the width, where that is looked at."""
        return None

    def _seed(self, number: int) -> int:
        return self._seeds.upto(number + 1)[number]
