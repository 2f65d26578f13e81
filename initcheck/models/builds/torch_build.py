"""Builds of a module of torch: two fills of fresh memory, other seeds, bfloat16; one is alive at a time."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from initcheck.errors import UsageError
from initcheck.grouping import grouped
from initcheck.models.builds.build import Build, Builder, quiet
from initcheck.models.builds.places import kind_of
from initcheck.models.builds.record import TensorRecord, inputs_first_by_bias
from initcheck.models.builds.torch_record import record
from initcheck.models.provenance.fill import Fill
from initcheck.models.provenance.numpy_memory import numpy_memory_filled
from initcheck.models.provenance.plain import plain_tensors
from initcheck.models.provenance.steps import Site
from initcheck.models.provenance.trace import Trace
from initcheck.sandbox.global_generators import isolated

NAN = Fill(float("nan"), 85)
CANARY = Fill(0.0123456789, 42)

ModelLook = Callable[[torch.nn.Module, dict[str, TensorRecord]], Any]


class ModelBuilder(Builder):
    """Calls the user's factory, looks at the model and lets go of it.

    >>> builder = ModelBuilder(lambda: torch.nn.Linear(3, 4), "linear")
    >>> sorted(builder.build(1).records)
    ['bias', 'weight']

    Attributes:
        factory: returns a new ``torch.nn.Module``; a parameter named ``seed`` is passed the seed.
        name: for messages.
        threads: how many torch may use; 1 but for big models.
    """

    def __init__(self, factory: Callable[..., torch.nn.Module], name: str) -> None:
        super().__init__(factory, name)
        self._takes_seed = self.takes("seed") is not None
        # More threads than one slow small models down, and change the order of sums.
        self.threads = 1
        self._most_threads = torch.get_num_threads()

    def use_all_threads(self) -> None:
        """Let torch use every thread it had, from now on: for models that are big enough to gain by it."""
        self.threads = self._most_threads
        torch.set_num_threads(self.threads)

    def build(
        self,
        seed: int,
        *,
        fill: Fill | None = None,
        traced: bool = False,
        dtype: torch.dtype | None = None,
        around: contextlib.AbstractContextManager[Any] | None = None,
        looks: Mapping[str, ModelLook] | None = None,
        units: bool = False,
    ) -> Build:
        """Build once and reduce the model to records.

        Args:
            seed: of every global generator, and of the factory where it takes one.
            fill: what fresh memory is filled with (implies the trace).
            traced: whether every write is noted.
            dtype: torch's default dtype during the build.
            around: a context the factory runs in.
            looks: questions to the living model, asked after it was recorded, in order.
            units: whether equal rows and columns are looked for.

        Raises:
            UsageError: the factory returns no module, or one it has handed out before.
            OutOfTime: the deadline is over; a build that has begun is finished.
        """
        self.begins(seed)
        trace = Trace(fill) if traced or fill is not None else None
        with isolated(seed), _default_dtype(dtype), _threads(self.threads), quiet():
            torch.manual_seed(seed)  # of devices too that nothing has used so far
            with trace or contextlib.nullcontext(), around or contextlib.nullcontext(), numpy_memory_filled(fill):
                model = self.call(seed=seed) if self._takes_seed else self.call()
            if not isinstance(model, torch.nn.Module):
                raise UsageError(
                    f"{self.name} returned {type(model).__name__}, not a torch.nn.Module;"
                    " name a function or class that builds the model."
                )
            records, tied, unread = tensors_of(model, trace, fill, units=units)
            astray = _astray(trace, records) if trace is not None else {}
            began = dict(trace.seen) if trace is not None else {}
            del trace
            found = {name: look(model, records) for name, look in (looks or {}).items()}
            alive = weakref.ref(model)
            del model
        if alive() is not None:  # a cycle may hold it; a collection costs more than most builds
            gc.collect()
        if alive() is not None:
            raise UsageError(
                f"{self.name} keeps the model that it returns (a global, a cache), so that no second one can be"
                " built; name a function that builds a new model at each call."
            )
        return Build(seed, records, tied, unread, astray, began, found)


def tensors_of(
    model: torch.nn.Module, trace: Trace | None = None, fill: Fill | None = None, *, units: bool = False
) -> tuple[dict[str, TensorRecord], dict[str, str], dict[str, str]]:
    """The records of a model's parameters and buffers by path, the further names of tied ones, and what is unread."""
    records: dict[str, TensorRecord] = {}
    tied: dict[str, str] = {}
    unread: dict[str, str] = {}
    first: dict[tuple[int, int, tuple[int, ...]], str] = {}
    holds: dict[str, torch.Tensor] = {}
    for prefix, module in model.named_modules():
        for name, tensor in (*module._parameters.items(), *module._buffers.items()):
            path = f"{prefix}.{name}" if prefix else name
            if tensor is None:
                continue
            if isinstance(tensor, (torch.nn.UninitializedParameter, torch.nn.UninitializedBuffer)):
                unread[path] = "lazy: it has no memory before the first call"
                continue
            if tensor.is_meta:
                unread[path] = "on the meta device: it has no memory, so nothing was written"
                continue
            try:
                for suffix, inner in plain_tensors(tensor):
                    place = (inner.untyped_storage()._cdata, int(inner.storage_offset()), tuple(inner.shape))
                    if place in first and inner.numel() and not _two_parameters(tensor, holds[first[place]]):
                        tied[path + suffix] = first[place]
                        continue
                    first.setdefault(place, path + suffix)
                    holds[path + suffix] = tensor
                    records[path + suffix] = record(
                        path + suffix, inner, kind_of(module).__name__, trace, fill, units=units, of=tensor,
                        inputs_first=_multiplies_from_the_right(module, name),
                    )  # fmt: skip
            except (RuntimeError, TypeError, KeyError) as error:
                unread[path] = f"{type(tensor).__name__} of {tensor.dtype}: {str(error).splitlines()[0][:120]}"
    return records, tied, unread


def _multiplies_from_the_right(module: torch.nn.Module, name: str) -> bool:
    """Whether a matrix of a layer that is not torch's is (inputs, outputs)."""
    known = ((n, p) for n, p in module._parameters.items() if p is not None and not torch.nn.parameter.is_lazy(p))
    shapes = {n: tuple(p.shape) for n, p in known}
    return not kind_of(module).__module__.startswith("torch.") and inputs_first_by_bias(name, shapes)


def _two_parameters(one: torch.Tensor, two: torch.Tensor) -> bool:
    """Whether these are parameters of their own in one memory: an optimizer moves it twice, and ``to`` parts them."""
    return one is not two and isinstance(one, torch.nn.Parameter) and isinstance(two, torch.nn.Parameter)


def _astray(trace: Trace, records: Mapping[str, TensorRecord]) -> dict[tuple[Site, str], list[tuple[int, ...]]]:
    """Writes by a sampler, and constants that were meant for a parameter by their shape, that reach no tensor of it.

    A copy, or a new tensor, that lives on is kept by somebody: as a plain attribute, or behind an array. So is what a
    parameter of its shape may have been given by way of other memory.
    """
    kept, living = {r.memory[0] for r in records.values()}, trace.living()
    reaches, lives_on = trace.drawn_into(kept), trace.drawn_into(living)
    parameters = [r for r in records.values() if r.parameter]
    elsewhere = {r.shape for r in parameters if trace.came_from_elsewhere(r.memory[0])}
    found = []
    for key, o in trace.orphans.items():
        lost = key not in kept and not any(map(reaches, o.step.draws))
        if o.how != "computed":
            lost = lost and key not in living and not any(map(lives_on, o.step.draws)) and o.shape not in elsewhere
        if o.how == "new":
            lost = lost and bool(o.like & kept) and not o.step.draws & trace.measured
        meant = o.step.draws or o.shape in (r.shape for r in parameters)
        if lost and meant and len(o.shape) > 1 and o.step.site is not None:
            found.append(((o.step.site, o.how), o.shape))
    return grouped(found)


@contextlib.contextmanager
def _default_dtype(dtype: torch.dtype | None) -> Iterator[None]:
    kept = torch.get_default_dtype()
    try:
        if dtype is not None:
            torch.set_default_dtype(dtype)
        yield
    finally:
        torch.set_default_dtype(kept)


@contextlib.contextmanager
def _threads(number: int) -> Iterator[None]:
    kept = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(kept)
