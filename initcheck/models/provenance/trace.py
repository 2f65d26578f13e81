"""Provenance of every write while a model is built: operation, arguments, call site, state of the generator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from initcheck.models.provenance.frames import caller
from initcheck.models.provenance.plain import plain_tensors, wraps
from initcheck.models.provenance.steps import (
    SAME,
    Caller,
    Draw,
    Fill,
    Region,
    Site,
    Step,
    keeps_law,
    writes_anew,
)

__all__ = ["Draw", "Fill", "Site", "Step", "Trace"]

# Every operation that hands out memory as it was found. Composite ones (zeros, ones, full) write it themselves.
_ALLOCATE = frozenset({"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "empty_permuted"})

# Writes to entries that an index or a mask names.
_INDEXED = {
    "index_put_": 1, "_index_put_impl_": 1, "masked_fill_": 1, "masked_scatter_": 1, "index_fill_": 2,
    "index_copy_": 2, "scatter_": 2,
}  # fmt: skip

# What a tensor comes from is a set, and bounded: a power iteration would else multiply its list every round.
_MOST_DRAWS = 256
_MOST_NAMES = 48
_MOST_STEPS = 96

_KEEP = ("_no_reinit", "no_reinit", "_no_init", "no_init", "_skip_init", "skip_init", "_keep", "keep", "_keep_init")
"""Attributes by which an author says that a parameter is initialised and is to be left alone."""
_HF_FLAG = "_is_hf_initialized"


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves __init_subclass__ untyped
    """Watch a build; afterwards ``steps_of(tensor)`` tells how a tensor came to be.

    Storages are known by weak references, which keep their address from being used again: a record can never be
    read for another tensor that happens to lie where an old one lay.

    >>> with Trace() as trace:
    ...     layer = torch.nn.Linear(3, 4)
    >>> [step.op for step in trace.steps_of(layer.weight)]
    ['kaiming_uniform_']

    Attributes:
        orphans: writes by a sampler into what an operation had computed (the weight that a norm recomputes), by the
            key of the storage; such a write is lost unless that storage belongs to the model.
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
        self._order = 0
        self._prune_at = 4096
        self.orphans: dict[int, tuple[Any, Step, tuple[int, ...]]] = {}
        self.seen: dict[Any, int] = {}

    def steps_of(self, tensor: torch.Tensor) -> tuple[Step, ...]:
        """The steps that wrote into the entries of this tensor, in order; empty where none was seen."""
        steps = self._steps(tensor)
        if not steps:
            return ()
        start, stop, _ = extent(tensor)
        return tuple(s for s in steps if s.start < stop and s.stop > start)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation and note what it wrote."""
        if types and any(wraps(kind) for kind in types):
            return NotImplemented  # a tensor around tensors: its own operations come by, one by one
        kwargs = kwargs or {}
        if _is_imagined():
            return func(*args, **kwargs)
        name = func._schema.name.partition("::")[2]
        state = _generator_state(args, kwargs) if torch.Tag.nondeterministic_seeded in func.tags else None
        grown = args[0].untyped_storage().nbytes() if name == "resize_" else None
        given = _tensors((*args, *kwargs.values()))
        made = func(*args, **kwargs)
        outputs = _tensors((made,))
        if name in _ALLOCATE:
            for tensor in outputs:
                self._open(tensor)
                if self._fill is not None:
                    self._fill.into(tensor)
            return made
        if grown is not None:
            self._fill_grown(args[0], grown)
            return made
        written = [a for a, spec in zip(args, func._schema.arguments, strict=False) if _is_written(a, spec)]
        out = kwargs.get("out")
        if isinstance(out, torch.Tensor):
            written.append(out)
        fresh = [t for t in outputs if not written and not t.is_meta and self._steps(t) is None]
        if not (written or fresh):
            return made
        who, target = caller()
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
        target = _plain_target(target, tensor)
        if who.call is not None and target is not None:
            # All that an init function does to its tensor is one step: the call with its arguments is the law.
            sources = [t for t in given if t is not tensor and t.numel() > 1]
            self._note_call(steps, tensor, target, who, own | self._union(sources), draw is not None)
            return
        if name == "set_" and steps:
            return  # it is now the tensor whose memory it was given
        start, stop, dense = extent(tensor)
        sources = [t for t in given if t is not tensor and t.numel() > 1]
        marked = _is_marked(tensor)
        if draw is not None and steps and steps[-1].recipe:
            self._note_orphan(tensor, name, who)
        if name == "copy_" and sources:
            self._note_copy(steps, tensor, sources[0], who, marked)
            return
        mask = region = None
        if name in _INDEXED:
            mask, dense = _mask_of(name, tensor, args), False
        else:
            region = _region(tensor)
        said = _arguments(func, args, kwargs, skip=tensor)
        if name == "copy_" and not sources:  # one number into all of it
            name, said = "fill_", tuple(("value", v) for n, v in said if n == "src")
        step = Step(
            name, said, start, stop, dense, who.site, own | self._union(sources), region, mask, frozenset(), who,
            self._order, marked,
        )  # fmt: skip
        _append(steps, step)

    def _note_call(
        self, steps: list[Step], tensor: torch.Tensor, target: torch.Tensor, who: Caller, draws: frozenset[Draw],
        drawn: bool,
    ) -> None:  # fmt: skip
        call = who.call
        assert call is not None
        start, stop, dense = extent(target)
        last = steps[-1] if steps else None
        if last is not None and last.caller.call == call and last.region == _region(target):
            steps[-1] = replace(last, draws=_bounded(last.draws | draws))
            return
        marked = _is_marked(target)
        if drawn and steps and steps[-1].recipe:
            self._note_orphan(target, call.name, who)
        _append(
            steps,
            Step(
                call.name, call.arguments, start, stop, dense, who.site, _bounded(draws), _region(target), None,
                frozenset(), who, self._order, marked,
            ),
        )  # fmt: skip

    def _note_copy(
        self, steps: list[Step], tensor: torch.Tensor, source: torch.Tensor, who: Caller, marked: bool
    ) -> None:
        """A copy is what its source is; a source that no operation made (a file, NumPy's memory) is an origin."""
        start, stop, dense = extent(tensor)
        region = _region(tensor)
        carried: list[Step] = []
        if source.numel() == tensor.numel():
            carried = self._carried(source, tensor)
        elif self._chain(source):
            carried = [self._collapsed("expand", [source], tensor, who)]
        if not carried:
            carried = [Step("lift_fresh", (), start, stop, dense, who.site, region=region)]
        for step in carried:
            covers = step.start == start and step.stop == stop and step.dense
            _append(steps, replace(step, dense=dense, region=region) if covers else step)
        _append(
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
        sources = [t for t in given if t.numel() > 1]
        own = frozenset() if draw is None else frozenset({draw})
        said = _arguments(func, args, kwargs, skip=sources[0] if sources else None)
        whole = Step(
            name, said, start, stop, dense, who.site, own, _region(tensor), None, frozenset(), who, self._order
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

    def _collapsed(
        self, name: str, sources: list[torch.Tensor], tensor: torch.Tensor, who: Caller,
        own: frozenset[Draw] = frozenset(), said: tuple[tuple[str, Any], ...] = (),
    ) -> Step:  # fmt: skip
        """One step for all that a tensor was computed from: sets of draws and of operations, both bounded."""
        start, stop, dense = extent(tensor)
        recipe: set[Any] = {(name, said)}
        for source in sources:
            for step in self._chain(source):
                recipe |= _named(step)
        kept = frozenset(sorted(recipe, key=repr)[:_MOST_NAMES])
        draws = _bounded(own | self._union(sources))
        return Step(name, said, start, stop, dense, who.site, draws, _region(tensor), None, kept, who, self._order)

    def _carried(self, source: torch.Tensor, made: torch.Tensor) -> list[Step]:
        """The steps of a source, as steps of the entries that its values went to."""
        first, last, _ = extent(source)
        start, stop, dense = extent(made)
        alike = source.shape == made.shape and source.stride() == made.stride()
        found = []
        for step in self._chain(source):
            if step.dense and step.start <= first and step.stop >= last:
                moved = replace(step, start=start, stop=stop, dense=dense, region=_region(made), mask=None)
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

    def _union(self, tensors: Iterable[torch.Tensor]) -> frozenset[Draw]:
        found: set[Draw] = set()
        for tensor in tensors:
            for step in self._chain(tensor):
                found |= step.draws
        return _bounded(frozenset(found))

    def _note_orphan(self, tensor: torch.Tensor, name: str, who: Caller) -> None:
        start, stop, dense = extent(tensor)
        reference = _reference(tensor)
        step = Step(name, (), start, stop, dense, who.site, caller=who, order=self._order)
        self.orphans[reference.cdata] = reference, step, tuple(tensor.shape)

    def _steps(self, tensor: torch.Tensor) -> list[Step] | None:
        if not readable(tensor):
            return None
        known = self._known.get(_reference(tensor).cdata)
        return known[1] if known is not None else None

    def _open(self, tensor: torch.Tensor) -> list[Step]:
        if not readable(tensor):
            return []
        if len(self._known) >= self._prune_at:
            self._known = {k: v for k, v in self._known.items() if not _expired(v[0])}
            self._prune_at = max(4096, 2 * len(self._known))
        reference = _reference(tensor)
        steps: list[Step] = []
        self._known[reference.cdata] = (reference, steps)
        return steps

    def _fill_grown(self, tensor: torch.Tensor, bytes_before: int) -> None:
        before = bytes_before // max(tensor.element_size(), 1)
        if self._fill is not None and tensor.numel() > before and tensor.is_contiguous():
            self._fill.into(tensor.view(-1)[before:])


def _plain_target(target: torch.Tensor | None, tensor: torch.Tensor) -> torch.Tensor | None:
    """The tensor that an init function was given, where the one that is written shares its storage."""
    if target is None or target.is_meta:
        return None
    try:
        inner = [t for _, t in plain_tensors(target)]
    except (NotImplementedError, RuntimeError):
        return None
    place = tensor.untyped_storage()._cdata if readable(tensor) else None
    return next((t for t in inner if readable(t) and t.untyped_storage()._cdata == place), None)


def readable(tensor: torch.Tensor) -> bool:
    """Whether a tensor has a storage of its own whose entries lie where its strides say."""
    return tensor.layout == torch.strided and not wraps(type(tensor))


def extent(tensor: torch.Tensor) -> tuple[int, int, bool]:
    """First and last-plus-one entry of the storage that a tensor reaches, and whether it fills the gap."""
    if not readable(tensor) or not tensor.numel():
        return 0, 0, False
    start = int(tensor.storage_offset())
    stop = start + 1 + sum((n - 1) * int(s) for n, s in zip(tensor.shape, tensor.stride(), strict=True))
    return start, stop, tensor.numel() == stop - start


def _append(steps: list[Step], step: Step) -> None:
    """Append a step; what the same line does to many entries one by one is one step, and the list is bounded."""
    last = steps[-1] if steps else None
    same = last is not None and (last.op, last.site, last.arguments) == (step.op, step.site, step.arguments)
    if last is not None and same and step.mask is not None and last.mask is not None and _mergeable(last, step):
        last.mask.logical_or_(step.mask)
        steps[-1] = replace(last, draws=_bounded(last.draws | step.draws), order=step.order)
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
            draws = _bounded(last.draws | step.draws)
            short[-1] = replace(last, start=start, stop=stop, region=None, mask=None, draws=draws, order=step.order)
        else:
            short.append(step)
    if len(short) >= _MOST_STEPS // 2:
        dense = [s for s in short if s.dense] or short
        widest = max(dense, key=lambda s: s.stop - s.start)
        recipe = frozenset().union(*(_named(s) for s in short))
        kept = frozenset(sorted(recipe, key=repr)[:_MOST_NAMES])
        draws = _bounded(frozenset().union(*(s.draws for s in short)))
        short = [replace(widest, recipe=kept, draws=draws, mask=None, order=short[-1].order)]
    steps[:] = short


def _named(step: Step) -> frozenset[Any]:
    """The operations that a step stands for; copies name nothing."""
    if step.recipe:
        return step.recipe
    return frozenset() if step.op.rstrip("_") in SAME else frozenset({(step.op.rstrip("_"), step.arguments)})


def _bounded(draws: frozenset[Draw]) -> frozenset[Draw]:
    if len(draws) <= _MOST_DRAWS:
        return draws
    return frozenset(sorted(draws, key=lambda d: d.number)[:_MOST_DRAWS])


def _is_marked(tensor: torch.Tensor) -> bool:
    """Whether this is a parameter of which its author, or Hugging Face, says that it is initialised already."""
    if not isinstance(tensor, torch.nn.Parameter):
        return False
    said = vars(tensor)
    return any(said.get(word) is True for word in _KEEP) or said.get(_HF_FLAG) is True


def _mask_of(name: str, tensor: torch.Tensor, args: Any) -> torch.Tensor | None:
    """Which entries an indexed write reaches, as a mask of the storage between the tensor's first and last one."""
    start, stop, _ = extent(tensor)
    mask = torch.zeros(stop - start, dtype=torch.bool, device=tensor.device)
    view = mask.as_strided(tuple(tensor.shape), tensor.stride(), 0)
    which: Any = args[_INDEXED[name]] if len(args) > _INDEXED[name] else None
    try:
        if name in ("index_put_", "_index_put_impl_"):
            view.index_put_(tuple(which), torch.ones((), dtype=torch.bool, device=tensor.device))
        elif name in ("masked_fill_", "masked_scatter_"):
            view.logical_or_(which)
        elif name == "scatter_":
            view.scatter_(args[1], which, torch.ones_like(which, dtype=torch.bool))
        else:
            view.index_fill_(args[1], which, True)
    except (RuntimeError, TypeError, IndexError):
        return None
    return mask


def _region(tensor: torch.Tensor) -> Region | None:
    if not readable(tensor):
        return None
    return Region(int(tensor.storage_offset()), tuple(tensor.shape), tuple(tensor.stride()))


def _is_imagined() -> bool:
    """Whether shapes alone are computed at the moment (a DTensor asks so how a result is sharded)."""
    fake = getattr(torch._C._TorchDispatchModeKey, "FAKE", None)
    return fake is not None and torch._C._get_dispatch_mode(fake) is not None


def _reference(tensor: torch.Tensor) -> Any:
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]


def _expired(reference: Any) -> bool:
    return bool(reference.expired())


def _tensors(values: Iterable[Any]) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found.extend(v for v in value if isinstance(v, torch.Tensor))
    return found


def _is_written(value: Any, spec: Any) -> bool:
    return isinstance(value, torch.Tensor) and spec.alias_info is not None and spec.alias_info.is_write


_LEFT_OUT = frozenset({
    "size", "dtype", "layout", "device", "pin_memory", "generator", "memory_format", "dim", "dim0", "dim1", "dims",
    "implicit",
})  # fmt: skip


def _arguments(func: Any, args: Any, kwargs: Any, skip: Any) -> tuple[tuple[str, Any], ...]:
    """The numbers that an operation was given, by name; sizes, devices and generators are left out.

    A number that stands in a tensor of one entry was computed: it is kept as a ``Computed`` float, so that two
    tensors divided by their own norms are not told apart by it.
    """
    found: list[tuple[str, Any]] = []
    for position, spec in enumerate(func._schema.arguments):
        value = args[position] if position < len(args) else kwargs.get(spec.name, spec.default_value)
        if value is skip or spec.name in _LEFT_OUT:
            continue
        if isinstance(value, torch.Tensor):
            one = value.numel() == 1 and not value.is_meta and not value.dtype.is_complex and readable(value)
            found.append((spec.name, Computed(value.item()) if one else "tensor"))
        elif isinstance(value, (bool, int, float)):
            found.append((spec.name, value))
    return tuple(found)


class Computed(float):
    """A number that came in a tensor; all of them are one in a recipe, and each is itself in a law."""

    def __repr__(self) -> str:
        return "computed"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Computed)

    def __hash__(self) -> int:
        return hash("computed")


def _generator_state(args: Any, kwargs: Any) -> bytes:
    """Digest of the generator that draws: the one that is given, else that of the device that is drawn on."""
    generator = kwargs.get("generator")
    device = next((t.device for t in _tensors(args)), None) or torch.device(kwargs.get("device") or "cpu")
    if generator is not None:
        device, state = generator.device, generator.get_state()
    elif device.type == "cpu":
        state = torch.default_generator.get_state()
    elif device.type == "meta":
        return b"meta"
    else:
        state = torch.get_device_module(device).get_rng_state(device)
    return hashlib.blake2b(str(device).encode() + state.cpu().numpy().tobytes(), digest_size=16).digest()
