"""One tensor of a built model as a record of sums and digests; every entry is read, in blocks, none is kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import torch

from initcheck.models.builds.reductions import EntrySums, reduced
from initcheck.models.builds.twins import Twins, find_twins, order_of
from initcheck.models.provenance.law import UNTRACED, Law
from initcheck.models.provenance.steps import Draw, Fill, Site, Step
from initcheck.models.provenance.storages import extent
from initcheck.models.provenance.trace import Trace
from initcheck.models.provenance.traced_law import Later, generations, last_chain, later_writes, law_of

__all__ = ["Lost", "TensorRecord", "record"]

_FAR = 12.0


@dataclass(frozen=True)
class Lost:
    """A value that a tensor had before another was written over it.

    Attributes:
        law: what it was.
        site: who wrote it; over: who wrote over it.
        default: it was the default of the layer's own class, or of torch.
        made: the tensor was made with it (``torch.randn(...)``), nothing was written into it.
        loaded: it was read by ``load_state_dict``.
        marked: what was written over is marked by its author as initialised.
        building: what wrote over it ran in a constructor; else the factory did it to the built model.
    """

    law: Law
    site: Site | None
    over: Site | None
    default: bool = False
    made: bool = False
    loaded: bool = False
    marked: bool = False
    building: bool = True


@dataclass(frozen=True, kw_only=True)
class TensorRecord:
    """What is known of one parameter or buffer.

    Attributes:
        name: its path in the model.
        parameter: whether it is a parameter, not a buffer.
        trainable: whether it asks for a gradient.
        owner: class of the module it belongs to.
        shape, dtype: as torch has them.
        memory: storage and offset: equal for tied tensors.
        digest: of all its bits.
        sums: of all its entries; own: of those that its law describes, without what was written later.
        unwritten: entries that hold the fill; first_unwritten: the index of the first of them.
        order: digest of the order of the first 64 entries, None where they are too few, tied or sorted.
        twins: equal non-zero rows or columns.
        law: what the trace says it was drawn from.
        draws: the draws its values come from.
        later: later writes to a part of it.
        lost: what was overwritten, in order.
        sites: the places that wrote all of it, in order, without repeats.
        far: entries beyond twelve standard deviations of the traced law, or outside its support.
        order_written, inside: place of the last write in the build, and the functions that initialise whole models
            in which it ran.
    """

    name: str
    parameter: bool
    trainable: bool
    owner: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    memory: tuple[int, int]
    digest: bytes
    count: int
    sums: EntrySums = field(default_factory=EntrySums)
    own: EntrySums = field(default_factory=EntrySums)
    unwritten: int = 0
    first_unwritten: tuple[int, ...] | None = None
    order: bytes | None = None
    twins: Twins | None = None
    law: Law = UNTRACED
    draws: frozenset[Draw] = frozenset()
    later: tuple[Later, ...] = ()
    lost: tuple[Lost, ...] = ()
    sites: tuple[Site, ...] = ()
    far: int = 0
    first_far: tuple[int, ...] | None = None
    first_bad: tuple[int, ...] | None = None
    loaded: bool = False
    default: bool = False
    marked: bool = False
    order_written: int = 0
    inside: frozenset[object] = frozenset()

    @property
    def missing(self) -> int:
        """Entries that hold NaN where NaN was the fill; whole numbers may equal their fill and mean it."""
        return self.unwritten if self.dtype.is_floating_point else 0

    @property
    def total(self) -> float:
        """Sum of its entries."""
        return self.sums.total

    @property
    def squares(self) -> float:
        """Sum of their squares."""
        return self.sums.squares

    @property
    def low(self) -> float:
        """The smallest entry."""
        return self.sums.low

    @property
    def high(self) -> float:
        """The largest entry."""
        return self.sums.high

    @property
    def mean(self) -> float:
        """Mean of its entries."""
        return self.sums.mean

    @property
    def second_moment(self) -> float:
        """Mean square of its entries."""
        return self.sums.second_moment

    @property
    def std(self) -> float:
        """Standard deviation of its entries around their mean."""
        return math.sqrt(max(self.second_moment - self.mean**2, 0.0))

    @property
    def constant(self) -> bool:
        """All entries are one value."""
        return self.low == self.high

    @property
    def matrix(self) -> tuple[int, int] | None:
        """Rows and columns of what is left when dimensions of size 1 are dropped; None for a vector."""
        sizes = [n for n in self.shape if n > 1]
        return (sizes[0], math.prod(sizes[1:])) if len(sizes) > 1 else None

    @property
    def signature(self) -> tuple[object, ...]:
        """What siblings of one law have in common: the law, and the laws of the same slices."""
        start = self.memory[1]
        parts = []
        for part in self.later:
            region = part.region
            where = ("some", part.step.op) if region is None else (region.offset - start, region.sizes, region.strides)
            parts.append((where, part.law.signature))
        return (self.law.signature, tuple(parts))

    def entries_of(self, part: Later) -> str:
        """Which entries a later write reached, in words."""
        region = part.region
        if region is None:
            return "some entries"
        start, entries = region.offset - self.memory[1], region.entries
        width = math.prod(self.shape[1:])
        dense = _is_dense(region.sizes, region.strides)
        if entries == 1:
            return f"entry {start}" if len(self.shape) < 2 else f"entry {list(_index(start, self.shape))}"
        if dense and len(self.shape) < 2:
            return f"entries {start}..{start + entries - 1}"
        if dense and width and start % width == 0 and entries % width == 0:
            first, last = start // width, (start + entries) // width - 1
            return f"row {first}" if first == last else f"rows {first}..{last}"
        return f"{entries:,} entries from {list(_index(start, self.shape))} on"


def record(
    name: str,
    tensor: torch.Tensor,
    owner: str,
    trace: Trace | None,
    fill: Fill | None,
    *,
    units: bool = False,
    of: torch.Tensor | None = None,
) -> TensorRecord:
    """Reduce one plain tensor to its record.

    Args:
        name, owner: its path and the class of its module.
        tensor: of any shape, dtype and device; it is read where it lives, in blocks.
        trace: the trace of the build, or None.
        fill: what fresh memory was filled with, or None.
        units: whether equal rows and columns are looked for, and the order of the first entries.
        of: the parameter or buffer that it is the inside of; itself where None.
    """
    of = tensor if of is None else of
    parameter, trainable = isinstance(of, torch.nn.Parameter), of.requires_grad
    tensor = tensor.detach()
    steps = trace.steps_of(tensor) if trace is not None else ()
    start, stop, _ = extent(tensor)
    chain, partial = last_chain(steps, start, stop)
    law, later = law_of(chain), later_writes(chain, partial)
    law, later = _made_of_parts(law, later, tensor)
    shape = tuple(tensor.shape)
    numbers = reduced(tensor.contiguous().view(-1), fill, _bounds(law), _mask(tensor, later, start, stop))
    real = tensor.dtype.is_floating_point and not (numbers.whole.nan or numbers.whole.infinite)
    last = max((*chain, *partial), key=lambda s: s.order, default=None)
    return TensorRecord(
        name=name,
        parameter=parameter,
        trainable=trainable,
        owner=owner,
        shape=shape,
        dtype=tensor.dtype,
        memory=(int(tensor.untyped_storage()._cdata), int(tensor.storage_offset())),
        digest=numbers.digest,
        count=tensor.numel(),
        sums=numbers.whole,
        own=numbers.rest,
        unwritten=numbers.unwritten,
        first_unwritten=_maybe_index(numbers.first_unwritten, shape),
        order=order_of(tensor.contiguous().view(-1)) if real and units else None,
        twins=find_twins(tensor) if real and units and numbers.whole.low != numbers.whole.high else None,
        law=law,
        draws=frozenset().union(*(s.draws for s in chain), *(s.draws for p in later for s in p.steps)),
        later=tuple(later),
        lost=tuple(_lost(steps, start, stop)),
        sites=tuple(dict.fromkeys(s.site for s in steps if s.site is not None and s.dense)),
        far=numbers.far,
        first_far=_maybe_index(numbers.first_far, shape),
        first_bad=_maybe_index(numbers.whole.first_bad, shape),
        loaded=any(s.caller.loading for s in chain),
        default=bool(chain) and all(s.caller.default for s in chain),
        marked=any(s.marked for s in chain),
        order_written=last.order if last is not None else 0,
        inside=last.caller.inside if last is not None else frozenset(),
    )


def _made_of_parts(law: Law, later: list[Later], tensor: torch.Tensor) -> tuple[Law, list[Later]]:
    """Where later writes of one law reach every entry (a gate at a time), that is the tensor's law."""
    whole = [p for p in later if p.region is not None and p.step.anew]
    if len(whole) < 2 or len(whole) < len(later) or sum(p.region.entries for p in whole if p.region) < tensor.numel():
        return law, later
    if len({p.law.signature for p in whole}) != 1:
        return law, later
    one = whole[0].law
    return Law(
        one.family, one.mean, one.std, one.low, one.high, f"{one.text} in {len(whole)} parts", one.site, one.sigma,
        one.recipe,
    ), []  # fmt: skip


def _mask(tensor: torch.Tensor, later: list[Later], start: int, stop: int) -> torch.Tensor | None:
    """The entries that were written after the whole, in the order of the flat tensor; None where there are none."""
    if not later or not tensor.numel():
        return None
    mask = torch.zeros(stop - start, dtype=torch.bool, device=tensor.device)
    for part in later:
        steps = part.steps
        if part.region is not None:
            first, last = _ends(part.region.offset, part.region.sizes, part.region.strides)
            if first < start or last > stop:
                return torch.ones(tensor.numel(), dtype=torch.bool, device=tensor.device)
            part.region.mark(mask, start)
            continue
        for step in steps:
            if step.mask is None or step.start < start or step.stop > stop:
                return torch.ones(tensor.numel(), dtype=torch.bool, device=tensor.device)
            mask[step.start - start : step.stop - start].logical_or_(step.mask.to(mask.device))
    return mask.as_strided(tuple(tensor.shape), tensor.stride(), 0).reshape(-1)


def _lost(steps: tuple[Step, ...], start: int, stop: int) -> list[Lost]:
    chains = generations(steps, start, stop)
    found = []
    for before, after in pairwise(chains):
        law, over = law_of(before), after[-1]
        one = before[-1]
        made = not any(s.op.endswith("_") for s in before)
        found.append(
            Lost(
                law,
                one.site,
                over.site,
                default=all(s.caller.default for s in before),
                made=made,
                loaded=any(s.caller.loading for s in before),
                marked=any(s.marked for s in after),
                building=over.caller.building,
            )
        )
    return found


def _ends(offset: int, sizes: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, int]:
    return offset, offset + 1 + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))


def _is_dense(sizes: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    first, last = _ends(0, sizes, strides)
    return last - first == math.prod(sizes)


def _maybe_index(position: int | None, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    return None if position is None else _index(position, shape)


def _index(position: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index = []
    for size in reversed(shape):
        position, i = divmod(position, size)
        index.append(i)
    return tuple(reversed(index))


def _bounds(law: Law) -> tuple[float, float]:
    """Where no entry of the law can be: beyond twelve standard deviations, or beyond its support and rounding."""
    if law.family not in ("normal", "uniform", "truncated_normal", "orthogonal") or not law.named:
        return -math.inf, math.inf
    mean, std = law.mean or 0.0, law.std or 0.0
    if law.family in ("uniform", "orthogonal"):
        reach = max(mean - law.low, law.high - mean) * (1.0 + 2.0**-7) + 0.05 * std
    else:
        reach = _FAR * std
    return mean - reach, mean + reach
