"""The builds of a module of torch: under two fills of fresh memory, traced, under other seeds and in bfloat16."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from types import CodeType
from typing import Any

import torch

from initcheck.draws.call import OutOfTime
from initcheck.models.batches.batch import Batch
from initcheck.models.builds.build import Build
from initcheck.models.builds.places import bases, classes_of, holders, places
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.torch_build import CANARY, NAN, ModelBuilder, tensors_of
from initcheck.models.builds.width_law import WidthLaw
from initcheck.models.builds.widths import follow_width
from initcheck.models.factory.facts import Facts, Layout
from initcheck.models.frameworks.torch_promises import declared_std, promises_of
from initcheck.models.modules.live_module import LiveModule
from initcheck.models.modules.shared import shared_layers
from initcheck.models.modules.ties import TieWatch
from initcheck.models.provenance.frames import INITIALISERS
from initcheck.models.provenance.guards import LineWatch, init_guards, init_methods, named_beside
from initcheck.models.signals.listener import Listener
from initcheck.models.signals.signal import Signal
from initcheck.sandbox.containment import one_line

_MANY_THREADS = 50_000_000

_WIDTHS_UP_TO = 2_000_000
_HF_FLAG = "_is_hf_initialized"


class TorchFacts(Facts):
    """The builds of one factory of modules of torch.

    Args:
        factory: builds the model.
        name: the target's text.
        seed: the run seed; every build's seed derives from it and the name.
        make_batch: makes the batch, or None where it is guessed.
        models: most models of fresh seeds; None for a number that falls with the model's size.
    """

    builder: ModelBuilder

    def __init__(
        self,
        factory: Callable[..., torch.nn.Module],
        name: str,
        seed: int,
        make_batch: Callable[[], Batch] | None,
        models: int | None,
    ) -> None:
        super().__init__(ModelBuilder(factory, name), seed, models)
        self._listener = Listener(make_batch)

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
        with_watch, ties = LineWatch(self.layout.guards, methods), TieWatch()
        looks = {
            "untied": lambda model, _: list(ties.undone(model)),
            "named": lambda model, _: named_beside(model),
            "classes": lambda model, _: classes_of(model),
        }
        with ties:
            built = self.builder.build(self._seed(0), around=with_watch, looks=looks)
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
            return f"the build raises in bfloat16: {one_line(error.__cause__ or error)[:160]}"

    def _other(self, seed: int) -> Build:
        return self.builder.build(seed, looks={"signal": self._signal} if self.written else {})

    @cached_property
    def unwritten(self) -> dict[str, TensorRecord]:
        """Tensors whose bits differ under another fill of fresh memory, and do not differ under the same one.

        Memory that was used unwritten moves them by more than rounding: one fill is NaN.
        """
        two = self.second.records
        differ = {
            n: r
            for n, r in self.first.records.items()
            if n not in two or (r.digest != two[n].digest and not r.rounds_to(two[n]))
        }
        certain = {n: r for n, r in differ.items() if n in two and r.unwritten and two[n].unwritten}
        return {n: r for n, r in differ.items() if n in certain or n not in self._unseeded(set(differ) - set(certain))}

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
    def width_law(self) -> WidthLaw | None:
        """How the standard deviations follow the width, for a small model whose factory has one."""
        if self.layout.parameters > _WIDTHS_UP_TO:
            return None
        return follow_width(self.builder, self._seed(0))

    def _layout(self, model: torch.nn.Module, records: dict[str, TensorRecord]) -> Layout:
        layout = Layout.of(
            type(model).__name__,
            records,
            places(model),
            guards=init_guards(model, self.builder.factory),
            init_methods=init_methods(model),
            initializer_range=declared_std(model),
            promises=promises_of(model),
            bases=bases(model),
            holders=holders(model),
            shared=shared_layers(model),
        )
        if layout.parameters > _MANY_THREADS:
            self.builder.use_all_threads()
        return layout

    def _signal(self, model: torch.nn.Module, records: dict[str, TensorRecord]) -> Signal:
        absurd = [n for n, r in records.items() if r.parameter and (r.sums.nan or r.sums.infinite)]
        if absurd:
            what = "entries were never written" if records[absurd[0]].missing else "entries are NaN or infinite"
            return Signal(problem=f"{what} ({absurd[0]})")
        if self._others or "first" in self.__dict__:
            return self._listener.hear(LiveModule(model))
        # What is a fact about one model is asked of the first.
        wanted = [n for n, r in records.items() if r.parameter and r.trainable and r.constant and r.matrix is not None]
        twins = {n: r.twins for n, r in records.items() if r.parameter and r.trainable and r.twins is not None}
        return self._listener.hear(LiveModule(model), wanted, twins, whole=True)


def _again(model: torch.nn.Module, _records: dict[str, TensorRecord]) -> tuple[str, Any, CodeType | None] | None:
    """Initialise the root once more by its own method; never by ``apply``, which undoes later scaling by design.

    Nor by a method of torch: the default of a layer knows nothing of what a factory writes into it.
    """
    for name in INITIALISERS:
        method = getattr(type(model), name, None)
        if method is None or str(getattr(method, "__module__", "")).partition(".")[0] == "torch":
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
