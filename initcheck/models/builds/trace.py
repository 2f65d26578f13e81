"""Provenance of every write while a model is built: operation, arguments, call site, state of the generator."""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Draw", "Fill", "Site", "Step", "Trace"]

Site = tuple[str, int]

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LIBRARIES = (os.path.dirname(torch.__file__), _HERE, sysconfig.get_paths()["stdlib"] + os.sep, "<")
_SITE_PACKAGES = os.sep + "site-packages" + os.sep

# Every operation that hands out memory as it was found. Composite ones (zeros, ones, full) write it themselves.
_ALLOCATE = frozenset({"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "empty_permuted"})


@dataclass(frozen=True, slots=True)
class Draw:
    """One call of a sampler.

    Attributes:
        number: its place in the build, from 0.
        state: digest of the generator's state before it.
        entries: how many numbers it delivered.
        site: file and line of the user's code that asked for it.
    """

    number: int
    state: bytes
    entries: int
    site: Site | None


@dataclass(frozen=True, slots=True)
class Step:
    """One write to a storage, or one operation that made it.

    Attributes:
        op: the operation's name without its overload, such as ``normal_``.
        arguments: its numbers by name, defaults included; the word 'tensor' where it is one of many entries.
        start, stop: the first entry of the storage that it wrote, and the one after the last.
        dense: whether it wrote every entry between.
        site: file and line of the user's code.
        draws: the draws that its values come from, through other tensors included.
    """

    op: str
    arguments: tuple[tuple[str, Any], ...]
    start: int
    stop: int
    dense: bool
    site: Site | None
    draws: tuple[Draw, ...] = ()


@dataclass(frozen=True)
class Fill:
    """What fresh memory is filled with, so that what nobody writes shows.

    One value would not do: garbage may look like a weight, and NaN may have been meant.
    """

    real: float
    whole: int

    def into(self, tensor: torch.Tensor) -> None:
        """Fill one fresh tensor in place."""
        if tensor.is_meta or tensor.is_quantized or tensor.layout != torch.strided or not tensor.numel():
            return
        if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
            tensor.fill_(self.real)
        else:
            tensor.fill_(bool(self.whole & 1) if tensor.dtype == torch.bool else self.whole)


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves __init_subclass__ untyped
    """Watch a build; afterwards ``steps_of(tensor)`` tells how a tensor came to be.

    Storages are known by weak references, which keep their address from being used again: a record can never be
    read for another tensor that happens to lie where an old one lay.

    >>> with Trace() as trace:
    ...     layer = torch.nn.Linear(3, 4)
    >>> [step.op for step in trace.steps_of(layer.weight)]
    ['uniform_']
    """

    def __init__(self, fill: Fill | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._fill = fill
        self._known: dict[int, tuple[Any, list[Step]]] = {}
        self._draws = 0
        self._prune_at = 4096

    def steps_of(self, tensor: torch.Tensor) -> tuple[Step, ...]:
        """The steps that wrote into the entries of this tensor, in order; empty where none was seen."""
        steps = self._steps(tensor)
        if not steps:
            return ()
        start, stop, _ = _extent(tensor)
        return tuple(s for s in steps if s.start < stop and s.stop > start)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation and note what it wrote."""
        kwargs = kwargs or {}
        name = func._schema.name.partition("::")[2]
        state = _generator_state(kwargs) if torch.Tag.nondeterministic_seeded in func.tags else None
        grown = args[0].untyped_storage().nbytes() if name == "resize_" else None
        given = _tensors(args)
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
        draw = None
        site = _site()
        if state is not None:
            draw = Draw(self._draws, state, sum(t.numel() for t in outputs), site)
            self._draws += 1
        for tensor in written:
            self._note_write(func, name, tensor, given, args, kwargs, draw, site)
        for tensor in fresh:
            self._note_fresh(func, name, tensor, given, args, kwargs, draw, site)
        return made

    def _note_write(
        self, func: Any, name: str, tensor: torch.Tensor, given: list[torch.Tensor], args: Any, kwargs: Any,
        draw: Draw | None, site: Site | None,
    ) -> None:  # fmt: skip
        if tensor.is_meta:
            return
        start, stop, dense = _extent(tensor)
        steps = self._steps(tensor)
        if steps is None:
            steps = self._open(tensor)
        sources = [t for t in given if t is not tensor and t.numel() > 1]
        if name == "copy_" and dense and sources:
            # A source that no operation made (NumPy's memory, a file) is an origin of its own.
            carried = self._carried(sources[0], start, stop)
            steps.extend(carried or [Step("lift_fresh", (), start, stop, True, site)])
        draws = tuple(d for t in sources for d in self._draws_of(t)) + ((draw,) if draw else ())
        steps.append(Step(name, _arguments(func, args, kwargs, skip=tensor), start, stop, dense, site, draws))

    def _note_fresh(
        self, func: Any, name: str, tensor: torch.Tensor, given: list[torch.Tensor], args: Any, kwargs: Any,
        draw: Draw | None, site: Site | None,
    ) -> None:  # fmt: skip
        start, stop, dense = _extent(tensor)
        source = next((t for t in given if t.numel() > 1), None)
        others = [t for t in given if t is not source]
        steps = self._carried(source, start, stop) if source is not None else []
        draws = tuple(d for t in others for d in self._draws_of(t)) + ((draw,) if draw else ())
        steps.append(Step(name, _arguments(func, args, kwargs, skip=source), start, stop, dense, site, draws))
        self._open(tensor).extend(steps)

    def _carried(self, source: torch.Tensor, start: int, stop: int) -> list[Step]:
        """The steps of a source, as steps of the entries that its values went to."""
        first, last, _ = _extent(source)
        return [
            replace(s, start=start, stop=stop, dense=s.dense and s.start <= first and s.stop >= last)
            for s in self.steps_of(source)
        ]

    def _draws_of(self, tensor: torch.Tensor) -> tuple[Draw, ...]:
        return tuple(d for s in self.steps_of(tensor) for d in s.draws)

    def _steps(self, tensor: torch.Tensor) -> list[Step] | None:
        if tensor.layout != torch.strided:
            return None
        known = self._known.get(_reference(tensor).cdata)
        return known[1] if known is not None else None

    def _open(self, tensor: torch.Tensor) -> list[Step]:
        if tensor.layout != torch.strided:
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


def _extent(tensor: torch.Tensor) -> tuple[int, int, bool]:
    """First and last-plus-one entry of the storage that a tensor reaches, and whether it fills the gap."""
    if tensor.layout != torch.strided or not tensor.numel():
        return 0, 0, False
    start = int(tensor.storage_offset())
    stop = start + 1 + sum((n - 1) * int(s) for n, s in zip(tensor.shape, tensor.stride(), strict=True))
    return start, stop, tensor.numel() == stop - start


def _arguments(func: Any, args: Any, kwargs: Any, skip: Any) -> tuple[tuple[str, Any], ...]:
    """The numbers that an operation was given, by name; sizes, devices and generators are left out."""
    found = []
    for position, spec in enumerate(func._schema.arguments):
        value = args[position] if position < len(args) else kwargs.get(spec.name, spec.default_value)
        if value is skip or spec.name in (
            "size",
            "dtype",
            "layout",
            "device",
            "pin_memory",
            "generator",
            "memory_format",
        ):
            continue
        if isinstance(value, torch.Tensor):
            one = value.numel() == 1 and not value.is_meta and not value.dtype.is_complex
            found.append((spec.name, float(value.item()) if one else "tensor"))
        elif isinstance(value, (bool, int, float)):
            found.append((spec.name, value))
    return tuple(found)


def _generator_state(kwargs: Any) -> bytes:
    generator = kwargs.get("generator")
    state = (generator if generator is not None else torch.default_generator).get_state()
    return hashlib.blake2b(state.numpy().tobytes(), digest_size=16).digest()


def _site() -> Site | None:
    """The innermost frame of the user's code: outside torch, the standard library and this package."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_LIBRARIES) or (_SITE_PACKAGES in file and not file.startswith(_LIBRARIES[:2])):
            return file, frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return None
