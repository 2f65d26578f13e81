"""Provenance of every write while a model is built: operation, arguments, call site, state of the generator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from initcheck.models.provenance.fill import Fill
from initcheck.models.provenance.frames import InitCalls, caller, given_to
from initcheck.models.provenance.operations import (
    INDEXED,
    arguments_of,
    generator_state,
    is_written,
    mask_of,
    tensors_in,
)
from initcheck.models.provenance.plain import wraps
from initcheck.models.provenance.step_lists import MOST_DRAWS, MOST_NAMES, append, bounded, named
from initcheck.models.provenance.steps import (
    Caller,
    Draw,
    Orphan,
    Step,
    keeps_law,
    writes_anew,
)
from initcheck.models.provenance.storages import (
    extent,
    is_expired,
    plain_target,
    readable,
    reference_of,
    region_of,
)

# Every operation that hands out memory as it was found. Composite ones (zeros, ones, full) write it themselves.
_ALLOCATE = frozenset({"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "empty_permuted"})


_KEEP = ("_no_reinit", "no_reinit", "_no_init", "no_init", "_skip_init", "skip_init", "_keep", "keep", "_keep_init")
"""Attributes by which an author says that a parameter is initialised and is to be left alone."""
_HF_FLAG = "_is_hf_initialized"


_COPIES = frozenset({"clone", "_to_copy"})
_BLANKS = frozenset({"zero_", "fill_", "zeros_", "constant_"})
_READ = "_local_scalar_dense"
"""The operation by which a number comes to Python."""


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves __init_subclass__ untyped
    """Watch a build; afterwards ``steps_of(tensor)`` tells how a tensor came to be.

    Storages are known by weak references, which keep their address from being used again: a record can never be
    read for another tensor that happens to lie where an old one lay.

    >>> with Trace() as trace:
    ...     layer = torch.nn.Linear(3, 4)
    >>> [step.op for step in trace.steps_of(layer.weight)]
    ['kaiming_uniform_']

    Attributes:
        orphans: writes by a sampler into what an operation had computed (the weight that a norm recomputes) or copied,
            and constants in a copy, and draws of the shape of what a function was given, by the key of the storage;
            such a write is lost unless that storage belongs to the model, or a copy of it.
        measured: draws that a number was made of which something took.
        seen: order of the first write inside each function that initialises a whole model.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No compiler looks at a build; torch would else import its own, with a thousand modules, to be told so."""
        return False

    def __init__(self, fill: Fill | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._fill = fill
        self._known: dict[int, tuple[Any, list[Step]]] = {}
        self._draws = 0
        self._calls = InitCalls()
        self._order = 0
        self._prune_at = 4096
        self.orphans: dict[int, Orphan] = {}
        self.measured: frozenset[Draw] = frozenset()
        self.seen: dict[Any, int] = {}

    def steps_of(self, tensor: torch.Tensor) -> tuple[Step, ...]:
        """The steps that wrote into the entries of this tensor, in order; empty where none was seen."""
        steps = self._steps(tensor)
        if not steps:
            return ()
        start, stop, _ = extent(tensor)
        return tuple(s for s in steps if s.start < stop and s.stop > start)

    def drawn_into(self, storages: Iterable[int]) -> Callable[[Draw], bool]:
        """Whether a draw had a part in any write to storages of these keys, overwritten or not, or may have had one.

        Of a write that many draws went into the first few hundred are known.
        """
        known = [step.draws for key in storages if key in self._known for step in self._known[key][1]]
        found = frozenset[Draw]().union(*known)
        since = min((max(d.number for d in draws) for draws in known if len(draws) == MOST_DRAWS), default=math.inf)
        return lambda draw: draw in found or draw.number > since

    def came_from_elsewhere(self, storage: int) -> bool:
        """Whether something was copied into a storage that no operation had made: NumPy's memory, a list, a file."""
        return any(step.op == "lift_fresh" for step in self._known.get(storage, (None, ()))[1])

    def living(self) -> set[int]:
        """The keys of the storages that somebody holds."""
        self._calls.let_go()
        return {key for key, (reference, _) in self._known.items() if not is_expired(reference)}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation and note what it wrote."""
        if types and any(wraps(kind) for kind in types):
            return NotImplemented  # a tensor around tensors: its own operations come by, one by one
        kwargs = kwargs or {}
        if _is_imagined():
            return func(*args, **kwargs)
        name = func._schema.name.partition("::")[2]
        state = generator_state(args, kwargs) if torch.Tag.nondeterministic_seeded in func.tags else None
        grown = args[0].untyped_storage().nbytes() if name == "resize_" else None
        given = tensors_in((*args, *kwargs.values()))
        made = func(*args, **kwargs)
        outputs = tensors_in((made,))
        if name in _ALLOCATE:
            for tensor in outputs:
                self._open(tensor)
                if self._fill is not None:
                    self._fill.into(tensor)
            return made
        if grown is not None:
            self._fill_grown(args[0], grown)
            return made
        written = [a for a, spec in zip(args, func._schema.arguments, strict=False) if is_written(a, spec)]
        out = kwargs.get("out")
        if isinstance(out, torch.Tensor):
            written.append(out)
        fresh = [t for t in outputs if not written and not t.is_meta and self._steps(t) is None]
        if self.orphans and (written or fresh or name == _READ):
            self._take(name, [t for t in given if not any(t is w for w in written)], written)
        if not (written or fresh):
            return made
        who, target = caller(self._calls)
        self._order += 1
        for code in who.inside:
            self.seen.setdefault(code, self._order)
        draw = None
        if state is not None:
            draw = Draw(self._draws, state, sum(t.numel() for t in outputs), who.site)
            self._draws += 1
        for tensor in written:
            if not tensor.is_meta:
                self._note_write(func, name, tensor, given, args, kwargs, draw, who, target)
        for tensor in fresh:
            self._note_fresh(func, name, tensor, given, args, kwargs, draw, who)
        return made

    def _note_write(
        self, func: Any, name: str, tensor: torch.Tensor, given: list[torch.Tensor], args: Any, kwargs: Any,
        draw: Draw | None, who: Caller, target: torch.Tensor | None,
    ) -> None:  # fmt: skip
        steps = self._steps(tensor)
        if steps is None:
            steps = self._open(tensor)
        own = frozenset() if draw is None else frozenset({draw})
        target = plain_target(target, tensor)
        if who.call is not None and target is not None:
            # All that an init function does to its tensor is one step: the call with its arguments is the law.
            sources = [t for t in given if t is not tensor and t.numel() > 1]
            self._note_call(steps, tensor, target, who, own | self._union(sources))
            return
        if name == "set_" and steps:
            return  # it is now the tensor whose memory it was given
        start, stop, dense = extent(tensor)
        sources = [t for t in given if t is not tensor and t.numel() > 1]
        marked = _is_marked(tensor)
        self._note_orphan(steps, tensor, name, who, own)
        if name == "copy_" and sources:
            self._note_copy(steps, tensor, sources[0], who, marked)
            return
        mask = region = None
        if name in INDEXED:
            mask, dense = mask_of(name, tensor, args), False
        else:
            region = region_of(tensor)
        said = arguments_of(func, args, kwargs, tensor, self._is_drawn)
        if name == "copy_" and not sources:  # one number into all of it
            name, said = "fill_", tuple(("value", v) for n, v in said if n == "src")
        step = Step(
            name, said, start, stop, dense, who.site, own | self._union(sources), region, mask, frozenset(), who,
            self._order, marked,
        )  # fmt: skip
        append(steps, step)

    def _note_call(
        self, steps: list[Step], tensor: torch.Tensor, target: torch.Tensor, who: Caller, draws: frozenset[Draw]
    ) -> None:
        call = who.call
        assert call is not None
        start, stop, dense = extent(target)
        last = steps[-1] if steps else None
        asked = last is not None and (last.caller.call, last.site) == (call, who.site)
        if last is not None and asked and last.region == region_of(target):
            steps[-1] = replace(last, draws=bounded(last.draws | draws))
            return
        marked = _is_marked(target)
        self._note_orphan(self._steps(target) or [], target, call.name, who, draws)
        append(
            steps,
            Step(
                call.name, call.arguments, start, stop, dense, who.site, bounded(draws), region_of(target), None,
                frozenset(), who, self._order, marked,
            ),
        )  # fmt: skip

    def _note_copy(
        self, steps: list[Step], tensor: torch.Tensor, source: torch.Tensor, who: Caller, marked: bool
    ) -> None:
        """A copy is what its source is; a source that no operation made (a file, NumPy's memory) is an origin."""
        start, stop, dense = extent(tensor)
        region = region_of(tensor)
        carried: list[Step] = []
        if source.numel() == tensor.numel():
            carried = self._carried(source, tensor)
        elif self._chain(source):
            carried = [self._collapsed("expand", [source], tensor, who)]
        if not carried:
            carried = [Step("lift_fresh", (), start, stop, dense, who.site, region=region)]
        for step in carried:
            covers = step.start == start and step.stop == stop and step.dense
            append(steps, replace(step, dense=dense, region=region) if covers else step)
        append(
            steps,
            Step(
                "copy_", (), start, stop, dense, who.site, frozenset(), region, None, frozenset(), who, self._order,
                marked,
            ),
        )  # fmt: skip

    def _note_fresh(
        self, func: Any, name: str, tensor: torch.Tensor, given: list[torch.Tensor], args: Any, kwargs: Any,
        draw: Draw | None, who: Caller,
    ) -> None:  # fmt: skip
        start, stop, dense = extent(tensor)
        sources = [t for t in given if t.numel() > 1] or given  # one number may be the norm of what was drawn
        own = frozenset() if draw is None else frozenset({draw})
        said = arguments_of(func, args, kwargs, sources[0] if sources else None, self._is_drawn)
        whole = Step(
            name, said, start, stop, dense, who.site, own, region_of(tensor), None, frozenset(), who, self._order
        )
        steps: list[Step] = []
        if writes_anew(name):
            # zeros_like(Q) owes nothing to Q; normal(mean, std) of tensors does.
            steps = [replace(whole, draws=own | self._union(sources) if draw is not None else own)]
        elif sources and keeps_law(name) and sources[0].numel() == tensor.numel():
            steps = self._carried(sources[0], tensor)
            steps.append(replace(whole, draws=own | self._union(sources[1:])))
        else:
            steps = [self._collapsed(name, sources, tensor, who, own, said)]
        self._open(tensor).extend(steps)
        if draw is None or tensor.dim() < 2 or not readable(tensor):
            return
        like = frozenset(reference_of(t).cdata for t in filter(readable, given_to(tensor.shape, who.site)))
        if like:
            reference = reference_of(tensor)
            self.orphans[reference.cdata] = Orphan(reference, whole, tuple(tensor.shape), "new", like)

    def _collapsed(
        self, name: str, sources: list[torch.Tensor], tensor: torch.Tensor, who: Caller,
        own: frozenset[Draw] = frozenset(), said: tuple[tuple[str, Any], ...] = (),
    ) -> Step:  # fmt: skip
        """One step for all that a tensor was computed from: sets of draws and of operations, both bounded."""
        start, stop, dense = extent(tensor)
        recipe: set[Any] = {(name, said)}
        for source in sources:
            for step in self._chain(source):
                recipe |= named(step)
        kept = frozenset(sorted(recipe, key=repr)[:MOST_NAMES])
        draws = bounded(own | self._union(sources))
        return Step(name, said, start, stop, dense, who.site, draws, region_of(tensor), None, kept, who, self._order)

    def _carried(self, source: torch.Tensor, made: torch.Tensor) -> list[Step]:
        """The steps of a source, as steps of the entries that its values went to."""
        first, last, _ = extent(source)
        start, stop, dense = extent(made)
        alike = source.shape == made.shape and source.stride() == made.stride()
        found = []
        for step in self._chain(source):
            if step.dense and step.start <= first and step.stop >= last:
                moved = replace(step, start=start, stop=stop, dense=dense, region=region_of(made), mask=None)
            elif step.region is not None and alike and step.start >= first and step.stop <= last:
                shift = start - first
                region = replace(step.region, offset=step.region.offset + shift)
                moved = replace(step, start=step.start + shift, stop=step.stop + shift, region=region)
            else:
                moved = replace(step, start=start, stop=stop, dense=False, region=None, mask=None)
            found.append(moved)
        return found

    def _chain(self, tensor: torch.Tensor) -> list[Step]:
        """The steps of a tensor from the last one on that wrote all of it anew."""
        steps = self.steps_of(tensor)
        if not steps:
            return []
        start, stop, _ = extent(tensor)
        for i in range(len(steps) - 1, -1, -1):
            step = steps[i]
            if step.anew and step.dense and step.start <= start and step.stop >= stop:
                return list(steps[i:])
        return list(steps)

    def _is_drawn(self, tensor: torch.Tensor) -> bool:
        return bool(self._union([tensor]))

    def _union(self, tensors: Iterable[torch.Tensor]) -> frozenset[Draw]:
        found: set[Draw] = set()
        for tensor in tensors:
            for step in self._chain(tensor):
                found |= step.draws
        return bounded(frozenset(found))

    def _note_orphan(
        self, steps: list[Step], tensor: torch.Tensor, name: str, who: Caller, draws: frozenset[Draw]
    ) -> None:
        copied = any(s.op in _COPIES for s in steps[-2:]) and not isinstance(tensor, torch.nn.Parameter)
        if steps and ((draws and (steps[-1].recipe or copied)) or (copied and name in _BLANKS)):
            start, stop, dense = extent(tensor)
            reference = reference_of(tensor)
            step = Step(name, (), start, stop, dense, who.site, draws, caller=who, order=self._order)
            self.orphans[reference.cdata] = Orphan(
                reference, step, tuple(tensor.shape), "copied" if copied else "computed"
            )

    def _take(self, name: str, sources: list[torch.Tensor], written: list[torch.Tensor]) -> None:
        """What was written for something else than a weight.

        A constant in a copy that something is computed from, as a mask is; and draws of which one number is read, or
        goes into what has no part in them, as a gain that is measured.
        """
        for tensor in filter(readable, sources):
            key = reference_of(tensor).cdata
            if key in self.orphans and not self.orphans[key].step.draws:
                del self.orphans[key]
        numbers = [t for t in sources if t.numel() == 1]
        others = [t for t in (*sources, *written) if t.numel() > 1]
        if numbers and (others or name == _READ):
            self.measured |= self._union(numbers) - self._union(others)

    def _steps(self, tensor: torch.Tensor) -> list[Step] | None:
        if not readable(tensor):
            return None
        known = self._known.get(reference_of(tensor).cdata)
        return known[1] if known is not None else None

    def _open(self, tensor: torch.Tensor) -> list[Step]:
        if not readable(tensor):
            return []
        if len(self._known) >= self._prune_at:
            self._known = {k: v for k, v in self._known.items() if not is_expired(v[0])}
            self._prune_at = max(4096, 2 * len(self._known))
        reference = reference_of(tensor)
        steps: list[Step] = []
        self._known[reference.cdata] = (reference, steps)
        return steps

    def _fill_grown(self, tensor: torch.Tensor, bytes_before: int) -> None:
        before = bytes_before // max(tensor.element_size(), 1)
        if self._fill is not None and tensor.numel() > before and tensor.is_contiguous():
            self._fill.into(tensor.view(-1)[before:])


def _is_marked(tensor: torch.Tensor) -> bool:
    """Whether this is a parameter of which its author, or Hugging Face, says that it is initialised already."""
    if not isinstance(tensor, torch.nn.Parameter):
        return False
    said = vars(tensor)
    return any(said.get(word) is True for word in _KEEP) or said.get(_HF_FLAG) is True


def _is_imagined() -> bool:
    """Whether shapes alone are computed at the moment (a DTensor asks so how a result is sharded)."""
    fake = getattr(torch._C._TorchDispatchModeKey, "FAKE", None)
    return fake is not None and torch._C._get_dispatch_mode(fake) is not None
