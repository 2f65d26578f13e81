"""What is known of one factory: the builds that were made, made once each and only when a claim asks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any

import torch

from initcheck.draws.draws import OutOfTime
from initcheck.models.builds.build import CANARY, NAN, Build, ModelBuilder, tensors_of
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Place, Role, places, roles
from initcheck.models.builds.widths import WidthLaw, follow_width
from initcheck.models.factory.promises import Promises, promises_of
from initcheck.models.provenance.frames import INITIALISERS
from initcheck.models.provenance.guards import Guard, LineWatch, init_methods, name_guards
from initcheck.models.signals.batches import Batch
from initcheck.models.signals.block_signal import Listener, Signal
from initcheck.seeds import Seeds

__all__ = ["Facts", "Layout"]

BIG = 100_000_000
"""Parameters above which a model is built seven times at most, and mostly four times."""

_MANY_THREADS = 50_000_000

_WIDTHS_UP_TO = 2_000_000
_HF_FLAG = "_is_hf_initialized"


@dataclass(frozen=True)
class Layout:
    """The structure of the model, read once.

    Attributes:
        name: the root's class.
        parameters: how many numbers its distinct parameters hold.
        places: where each parameter stands.
        blocks: the number of blocks of the longest list of them.
        guards: init statements behind a guard on names.
        init_methods: methods of the user's classes that initialise, by their code.
        initializer_range: what the config declares, or None.
        promises: ties and padding rows.
    """

    name: str
    parameters: int
    places: dict[str, Place] = field(default_factory=dict)
    blocks: int = 0
    guards: tuple[Guard, ...] = ()
    init_methods: dict[CodeType, str] = field(default_factory=dict)
    initializer_range: float | None = None
    promises: Promises = field(default_factory=Promises)


class Facts:
    """The builds of one factory.

    Args:
        factory: builds the model.
        name: the target's text.
        seed: the run seed; every build's seed derives from it and the name.
        make_batch: makes the batch, or None where it is guessed.
        models: most models of fresh seeds; None for a number that falls with the model's size.
    """

    def __init__(
        self,
        factory: Callable[..., torch.nn.Module],
        name: str,
        seed: int,
        make_batch: Callable[[], Batch] | None,
        models: int | None,
    ) -> None:
        self.builder = ModelBuilder(factory, name)
        self._seeds = Seeds("model", name, seed)
        self._listener = Listener(make_batch)
        self._models = models
        self._others: list[Build] = []

    @cached_property
    def first(self) -> Build:
        """Traced, fresh memory filled with NaN; its signal was listened to where it was fully written."""
        looks = {"layout": self._layout, "signal": self._signal}
        return self.builder.build(self._seed(0), fill=NAN, looks=looks, units=True)

    @cached_property
    def second(self) -> Build:
        """The same seed, traced, fresh memory filled with a canary; afterwards initialised once more."""
        return self.builder.build(self._seed(0), fill=CANARY, looks={"again": _again})

    @cached_property
    def plain(self) -> Build | None:
        """The same seed, nothing traced, the guards watched; None for a big model."""
        if self.big:
            return None
        methods = self.layout.init_methods
        with_watch = LineWatch({g.code for g in self.layout.guards}, methods)
        built = self.builder.build(self._seed(0), around=with_watch)
        built.looks["bypassed"] = with_watch.never_ran(self.layout.guards)
        built.looks["uncalled"] = {code: name for code, name in methods.items() if code not in with_watch.called}
        return built

    @cached_property
    def low_precision(self) -> Build | str:
        """Built under bfloat16 as default dtype, or why not."""
        if self.big:
            return "a model of more than 100 M parameters is not built in bfloat16 by default"
        try:
            return self.builder.build(self._seed(0), traced=True, dtype=torch.bfloat16)
        except OutOfTime:
            raise
        except Exception as error:
            return f"the build raises in bfloat16: {type(error).__name__}: {str(error)[:120]}"

    def other(self, number: int) -> Build:
        """The build of fresh seed ``number``, from 1; its signal was listened to where the first was written."""
        while len(self._others) < number:
            looks = {"signal": self._signal} if self.written else {}
            self._others.append(self.builder.build(self._seed(len(self._others) + 1), looks=looks))
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

    @cached_property
    def unwritten(self) -> dict[str, TensorRecord]:
        """Tensors whose bits differ under another fill of fresh memory, and do not differ under the same one."""
        two = self.second.records
        differ = {n: r for n, r in self.first.records.items() if n not in two or r.digest != two[n].digest}
        certain = {n: r for n, r in differ.items() if n in two and r.unwritten and two[n].unwritten}
        return {n: r for n, r in differ.items() if n in certain or n not in self._unseeded(set(differ) - set(certain))}

    @cached_property
    def unseeded(self) -> dict[str, TensorRecord]:
        """Tensors whose bits differ between two builds of one seed for another reason than unwritten memory."""
        builds = [b for b in (self.second, self.plain) if b is not None]
        return {
            n: r
            for n, r in self.first.records.items()
            if n not in self.unwritten and any(n not in b.records or b.records[n].digest != r.digest for b in builds)
        }

    @property
    def written(self) -> bool:
        """Whether no bit depends on what fresh memory held."""
        return not self.unwritten

    def _unseeded(self, names: set[str]) -> set[str]:
        """Of these tensors, the ones that differ although seed and fill are the same."""
        if not names:
            return set()
        again = self._same_again.records
        return {n for n in names if n not in again or again[n].digest != self.first.records[n].digest}

    @cached_property
    def _same_again(self) -> Build:
        return self.builder.build(self._seed(0), fill=NAN)

    @cached_property
    def random(self) -> dict[str, TensorRecord]:
        """The tensors that hold chance: a draw in their trace, or other bits at another seed."""
        other = self.other(1).records
        return {
            n: r
            for n, r in self.first.records.items()
            if r.dtype.is_floating_point
            and not r.constant
            and not r.missing
            and (r.draws or (n in other and other[n].digest != r.digest))
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

    @cached_property
    def width_law(self) -> WidthLaw | None:
        """How the standard deviations follow the width, for a small model whose factory has one."""
        if self.layout.parameters > _WIDTHS_UP_TO:
            return None
        return follow_width(self.builder, self._seed(0))

    def _seed(self, number: int) -> int:
        return self._seeds.upto(number + 1)[number]

    def _layout(self, model: torch.nn.Module, records: dict[str, TensorRecord]) -> Layout:
        where = places(model)
        parameters = sum(r.count for r in records.values() if r.parameter)
        if parameters > _MANY_THREADS:
            self.builder.use_all_threads()
        declared = getattr(getattr(model, "config", None), "initializer_range", None)
        return Layout(
            name=type(model).__name__,
            parameters=parameters,
            places=where,
            blocks=max((p.blocks or 0 for p in where.values()), default=0),
            guards=name_guards(model, self.builder.factory),
            init_methods=init_methods(model),
            initializer_range=float(declared) if isinstance(declared, (int, float)) else None,
            promises=promises_of(model),
        )

    def _signal(self, model: torch.nn.Module, records: dict[str, TensorRecord]) -> Signal:
        absurd = [n for n, r in records.items() if r.parameter and (r.sums.nan or r.sums.infinite)]
        if absurd:
            what = "entries were never written" if records[absurd[0]].missing else "entries are NaN or infinite"
            return Signal(problem=f"{what} ({absurd[0]})")
        if self._others or "first" in self.__dict__:
            return self._listener.hear(model)
        # What is a fact about one model is asked of the first.
        wanted = [n for n, r in records.items() if r.parameter and r.trainable and r.constant and r.matrix is not None]
        twins = {n: r.twins for n, r in records.items() if r.parameter and r.trainable and r.twins is not None}
        return self._listener.hear(model, wanted, twins, whole=True)


def _again(model: torch.nn.Module, _records: dict[str, TensorRecord]) -> tuple[str, Any, CodeType | None] | None:
    """Initialise the root once more by its own method; never by ``apply``, which undoes later scaling by design."""
    for name in INITIALISERS:
        method = getattr(type(model), name, None)
        if method is None or getattr(torch.nn.Module, name, None) is method:
            continue
        for part in model.modules():
            for flagged in (part, *part._parameters.values()):
                if flagged is not None and getattr(flagged, _HF_FLAG, False):
                    setattr(flagged, _HF_FLAG, False)
        code = getattr(inspect.unwrap(method), "__code__", None)
        try:
            getattr(model, name)()
        except Exception as error:
            return name, f"{type(error).__name__}: {error}", code
        return name, tensors_of(model)[0], code
    return None
