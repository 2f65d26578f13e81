"""One tensor of a built model as a record of sums and digests; every entry is read, in blocks, none is kept."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import torch

from initcheck.models.builds.trace import Draw, Fill, Site, Step, Trace
from initcheck.models.builds.traced_law import UNTRACED, Law, last_chain, law_of

__all__ = ["TensorRecord", "record"]

_BLOCK = 1 << 20
_ORDERED = 64
_FAR = 12.0
# Bits of a value that can be relied on to differ by chance; a coarse grid makes equal rows of few entries likely.
_BITS = {torch.float32: 20, torch.float64: 40, torch.float16: 9, torch.bfloat16: 6}


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
        digest: of all its bytes.
        count, total, squares, low, high: number of entries, sum, sum of squares, smallest and largest.
        unwritten: entries that hold the fill; first_unwritten: the index of the first of them.
        order: digest of the order of the first 64 entries, None where they are too few, tied or sorted.
        twins: (axis, i, j, entries) of two equal non-zero rows (0) or columns (1).
        law: what the trace says it was drawn from.
        draws: the draws its values come from.
        partial: later writes to a part of it.
        sites: the places that wrote all of it, in order, without repeats.
        far: entries beyond twelve standard deviations of the traced law, or outside its support.
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
    total: float = math.nan
    squares: float = math.nan
    low: float = math.nan
    high: float = math.nan
    unwritten: int = 0
    first_unwritten: tuple[int, ...] | None = None
    order: bytes | None = None
    twins: tuple[int, int, int, int] | None = None
    law: Law = UNTRACED
    draws: tuple[Draw, ...] = ()
    partial: tuple[Step, ...] = ()
    sites: tuple[Site, ...] = ()
    far: int = 0

    @property
    def missing(self) -> int:
        """Entries that hold NaN where NaN was the fill; whole numbers may equal their fill and mean it."""
        return self.unwritten if self.dtype.is_floating_point else 0

    @property
    def mean(self) -> float:
        """Mean of its entries."""
        return self.total / self.count if self.count else math.nan

    @property
    def second_moment(self) -> float:
        """Mean square of its entries."""
        return self.squares / self.count if self.count else math.nan

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


def record(
    name: str,
    tensor: torch.Tensor,
    owner: str,
    trace: Trace | None,
    fill: Fill | None,
    *,
    units: bool = False,
) -> TensorRecord:
    """Reduce one tensor to its record.

    Args:
        name, owner: its path and the class of its module.
        tensor: of any shape and dtype; it is read once or twice, in blocks of a million entries.
        trace: the trace of the build, or None.
        fill: what fresh memory was filled with, or None.
        units: whether equal rows and columns are looked for, and the order of the first entries.
    """
    parameter, trainable = isinstance(tensor, torch.nn.Parameter), tensor.requires_grad
    tensor = tensor.detach()
    steps = trace.steps_of(tensor) if trace is not None else ()
    extent = _extent(tensor)
    chain, partial = last_chain(steps, *extent)
    law = law_of(chain)
    flat = tensor.contiguous().view(-1)
    numbers = _numbers(flat, fill, law) if flat.numel() and not tensor.is_meta else _Numbers()
    real = tensor.dtype.is_floating_point and numbers.finite
    first = numbers.first_unwritten
    return TensorRecord(
        name=name,
        parameter=parameter,
        trainable=trainable,
        owner=owner,
        shape=tuple(tensor.shape),
        dtype=tensor.dtype,
        memory=(int(tensor.untyped_storage()._cdata), int(tensor.storage_offset())),
        digest=numbers.digest,
        count=flat.numel(),
        total=numbers.total,
        squares=numbers.squares,
        low=numbers.low,
        high=numbers.high,
        unwritten=numbers.unwritten,
        first_unwritten=None if first is None else _index(first, tuple(tensor.shape)),
        order=_order(flat) if real and units else None,
        twins=_twins(tensor) if real and units and numbers.low != numbers.high else None,
        law=law,
        draws=tuple(d for s in chain for d in s.draws),
        partial=tuple(partial),
        sites=tuple(dict.fromkeys(s.site for s in steps if s.site is not None and s.dense)),
        far=numbers.far,
    )


@dataclass
class _Numbers:
    digest: bytes = b""
    total: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    unwritten: int = 0
    first_unwritten: int | None = None
    far: int = 0
    finite: bool = True


def _extent(tensor: torch.Tensor) -> tuple[int, int]:
    start = int(tensor.storage_offset())
    return start, start + 1 + sum((n - 1) * int(s) for n, s in zip(tensor.shape, tensor.stride(), strict=True))


def _index(position: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index = []
    for size in reversed(shape):
        position, i = divmod(position, size)
        index.append(i)
    return tuple(reversed(index))


def _numbers(flat: torch.Tensor, fill: Fill | None, law: Law) -> _Numbers:
    found = _Numbers()
    digest = hashlib.blake2b(digest_size=16)
    real = flat.dtype.is_floating_point
    low, high = _bounds(law)
    for start in range(0, flat.numel(), _BLOCK):
        block = flat[start : start + _BLOCK]
        digest.update(block.view(torch.uint8).numpy().data)
        if fill is not None:
            _count_unwritten(found, block, start, fill)
        if not real:
            continue
        smallest, largest = (float(v) for v in torch.aminmax(block))
        found.low, found.high = min(found.low, smallest), max(found.high, largest)
        if not (math.isfinite(smallest) and math.isfinite(largest)):
            found.finite = False
        found.total += float(block.sum(dtype=torch.float64))
        found.squares += float(torch.linalg.vector_norm(block, dtype=torch.float64)) ** 2
        if smallest < low or largest > high:
            found.far += int(((block < low) | (block > high)).sum())
    found.digest = digest.digest()
    return found


def _count_unwritten(found: _Numbers, block: torch.Tensor, start: int, fill: Fill) -> None:
    probe = torch.zeros(1, dtype=block.dtype)
    fill.into(probe)
    left = block.isnan() if block.dtype.is_floating_point and math.isnan(fill.real) else block == probe
    count = int(left.sum())
    if count and found.first_unwritten is None:
        found.first_unwritten = start + int(left.int().argmax())
    found.unwritten += count


def _bounds(law: Law) -> tuple[float, float]:
    """Where no entry of the law can be: beyond twelve standard deviations, or beyond its support and rounding."""
    if law.family not in ("normal", "uniform", "truncated_normal") or not law.named:
        return -math.inf, math.inf
    mean, std = law.mean or 0.0, law.std or 0.0
    slack = 0.05 * std if law.family == "uniform" else 0.0
    reach = max(mean - law.low, law.high - mean) + slack if law.family == "uniform" else _FAR * std
    return mean - reach, mean + reach


def _order(flat: torch.Tensor) -> bytes | None:
    """Digest of the order of the first 64 entries: the same for a scaled or shifted copy, by chance never."""
    if flat.numel() < 16:
        return None
    head = flat[:_ORDERED].double()
    order = head.argsort()
    gaps = head[order].diff()
    if bool((gaps <= 0).any()) or bool((order.diff() > 0).all()) or bool((order.diff() < 0).all()):
        return None
    return hashlib.blake2b(order.numpy().tobytes(), digest_size=16).digest()


def _twins(tensor: torch.Tensor) -> tuple[int, int, int, int] | None:
    """The first two equal, non-zero rows or columns."""
    if tensor.dim() < 2:
        return None
    matrix = tensor.reshape(tensor.shape[0], -1)
    for axis in (0, 1):
        units, entries = matrix.shape if axis == 0 else matrix.shape[::-1]
        bits = _BITS.get(tensor.dtype, 0)
        # Pairs that a grid of 2^bits values would tie by chance; above 1e-9 the question is not asked.
        if units < 2 or entries < 3 or 2 * math.log2(units) - 1 - bits * entries > -29.9:
            continue
        found = _equal_pair(matrix, axis)
        if found is not None:
            return (axis, *found, entries)
    return None


def _equal_pair(matrix: torch.Tensor, axis: int) -> tuple[int, int] | None:
    generator = torch.Generator().manual_seed(20260101)
    rows, columns = matrix.shape
    step = max(1, _BLOCK // columns)
    weights = torch.randn(columns if axis == 0 else rows, generator=generator, dtype=torch.float64)
    if axis == 0:
        marks = torch.cat([matrix[i : i + step].double() @ weights for i in range(0, rows, step)])
    else:
        marks = torch.zeros(columns, dtype=torch.float64)
        for i in range(0, rows, step):
            marks += weights[i : i + step] @ matrix[i : i + step].double()
    ordered, places = marks.sort()
    near = (ordered.diff().abs() <= 1e-9 * ordered[1:].abs()) & (ordered[1:] != 0)
    for k in near.nonzero().flatten()[:32].tolist():
        i, j = sorted((int(places[k]), int(places[k + 1])))
        if torch.equal(matrix.select(axis, i), matrix.select(axis, j)):
            return i, j
    return None
