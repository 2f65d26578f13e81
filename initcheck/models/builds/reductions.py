"""A tensor reduced to a few numbers where it lives: in blocks, on its device; only numbers come back."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field

import torch

from initcheck.models.builds.sums import EntrySums
from initcheck.models.provenance.fill import Fill

_BLOCK = 1 << 18
_weights: dict[torch.device, torch.Tensor] = {}


@dataclass
class Reduced:
    """A tensor in numbers.

    Attributes:
        digest: of all its bits and their order.
        whole: of all entries.
        rest: of the entries outside a mask; the same object as ``whole`` where there is none.
        unwritten, first_unwritten: entries that hold the fill, and the first of them.
        far, first_far: entries outside of the rest's bounds, and the first of them.
    """

    digest: bytes = b""
    whole: EntrySums = field(default_factory=EntrySums)
    rest: EntrySums = field(default_factory=EntrySums)
    unwritten: int = 0
    first_unwritten: int | None = None
    far: int = 0
    first_far: int | None = None


def reduced(
    flat: torch.Tensor,
    fill: Fill | None = None,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    later: torch.Tensor | None = None,
) -> Reduced:
    """Reduce a flat tensor of any dtype and device, block by block.

    >>> found = reduced(torch.tensor([1.0, 2.0, float("nan")]))
    >>> found.whole.nan, found.whole.first_bad, reduced(torch.tensor([3.0, 4.0])).whole.squares
    (1, 2, 25.0)

    Args:
        flat: of one dimension.
        fill: what fresh memory was filled with, or None.
        bounds: no entry outside ``later`` belongs beyond them.
        later: mask of entries that were written after the whole, or None.
    """
    found = Reduced()
    real = flat.dtype.is_floating_point
    marks: list[torch.Tensor] = []
    sums: list[torch.Tensor] = []
    rest: list[torch.Tensor] = []
    for start in range(0, flat.numel(), _BLOCK):
        block = flat[start : start + _BLOCK]
        marks.append(_marks(block))
        if fill is not None:
            _count_unwritten(found, block, start, fill)
        if not real:
            continue
        numbers = block if block.dtype in (torch.float32, torch.float64) else block.float()
        sums.append(_powers(numbers))
        if later is not None:
            numbers = numbers[~later[start : start + _BLOCK]]
            rest.append(_powers(numbers))
        _count_far(found, numbers if later is None else block, start, bounds, later)
    found.digest = _digest(flat, marks)
    found.whole = _summed(sums, flat if real else None)
    found.rest = _summed(rest, None) if later is not None else found.whole
    if not real:
        found.whole.count = found.rest.count = flat.numel()
    return found


def _powers(numbers: torch.Tensor) -> torch.Tensor:
    """Count, sum, squares, fourths, ends, zeros, NaNs and infinities of one block, as numbers of its device."""
    wide = torch.float64 if numbers.device.type != "mps" else torch.float32
    if not numbers.numel():
        return torch.tensor([0, 0, 0, 0, math.inf, -math.inf, 0, 0, 0], dtype=wide, device=numbers.device)
    squares = numbers * numbers
    low, high = torch.aminmax(numbers)
    count = torch.tensor(float(numbers.numel()), dtype=wide, device=numbers.device)
    zero = torch.zeros((), dtype=wide, device=numbers.device)
    fourths = torch.linalg.vector_norm(squares, dtype=wide) ** 2
    found = [count, numbers.sum(dtype=wide), squares.sum(dtype=wide), fourths, low.to(wide), high.to(wide)]
    found.append(count - numbers.count_nonzero().to(wide))
    if math.isfinite(float(found[1])):
        return torch.stack([*found, zero, zero])
    return torch.stack([*found, numbers.isnan().sum().to(wide), numbers.isinf().sum().to(wide)])


def _summed(blocks: list[torch.Tensor], flat: torch.Tensor | None) -> EntrySums:
    if not blocks:
        return EntrySums()
    rows = torch.stack(blocks).tolist()
    total, squares, fourths = (math.fsum(r[i] for r in rows) if _all_finite(rows, i) else math.nan for i in (1, 2, 3))
    lows, highs = [r[4] for r in rows], [r[5] for r in rows]
    known = not any(math.isnan(v) for v in (*lows, *highs))
    sums = EntrySums(
        int(sum(r[0] for r in rows)), total, squares, fourths,
        min(lows) if known else math.nan, max(highs) if known else math.nan,
        int(sum(r[7] for r in rows)), int(sum(r[8] for r in rows)), None, int(sum(r[6] for r in rows)),
    )  # fmt: skip
    if flat is not None and (sums.nan or sums.infinite):
        sums.first_bad = _first(flat, lambda block: ~block.isfinite())
    return sums


def _all_finite(rows: list[list[float]], i: int) -> bool:
    return all(math.isfinite(r[i]) for r in rows)


def _first(flat: torch.Tensor, mark: object) -> int | None:
    for start in range(0, flat.numel(), _BLOCK):
        marked = mark(flat[start : start + _BLOCK].float())  # type: ignore[operator]
        if bool(marked.any()):
            return start + int(marked.int().argmax())
    return None


def _count_unwritten(found: Reduced, block: torch.Tensor, start: int, fill: Fill) -> None:
    if (block.dtype.is_floating_point or block.dtype.is_complex) and math.isnan(fill.real):
        left = (block if block.element_size() > 1 else block.float()).isnan()
    else:
        probe = torch.zeros(1, dtype=block.dtype, device=block.device)
        fill.into(probe)
        left = block == probe if block.dtype.is_complex else _bits(block) == _bits(probe)
    count = int(left.sum())
    if count and found.first_unwritten is None:
        found.first_unwritten = start + int(left.int().argmax())
    found.unwritten += count


def _count_far(
    found: Reduced, block: torch.Tensor, start: int, bounds: tuple[float, float], later: torch.Tensor | None
) -> None:
    low, high = bounds
    if math.isinf(low) and math.isinf(high):
        return
    numbers = block.float() if block.element_size() == 1 else block
    far = (numbers < low) | (numbers > high)
    if later is not None:
        far &= ~later[start : start + _BLOCK]
    count = int(far.sum())
    if count and found.first_far is None:
        found.first_far = start + int(far.int().argmax())
    found.far += count


def _bits(block: torch.Tensor) -> torch.Tensor:
    """The bits of a block as whole numbers."""
    if block.dtype == torch.bool:
        return block.view(torch.uint8)
    if block.dtype.is_complex:
        block = torch.view_as_real(block).reshape(-1)
    return block.view({1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[block.element_size()])


def _marks(block: torch.Tensor) -> torch.Tensor:
    """Two sums of a block's bits with random weights, modulo 2^64.

    Two different blocks share both with probability at most 2^-64: a difference d of 32 bits or fewer vanishes in
    one sum for at most 2^31 of the 2^64 weights.
    """
    bits = _bits(block.contiguous()).to(torch.int64)
    weights = _weights_on(block.device)[:, : bits.numel()]
    return torch.stack([(bits * w).sum() for w in weights])


def _weights_on(device: torch.device) -> torch.Tensor:
    if device not in _weights:
        generator = torch.Generator().manual_seed(20260105)
        made = torch.randint(-(2**63), 2**63 - 1, (2, 2 * _BLOCK), generator=generator, dtype=torch.int64)
        _weights[device] = made.to(device)
    return _weights[device]


def _digest(flat: torch.Tensor, marks: list[torch.Tensor]) -> bytes:
    numbers = torch.stack(marks).tolist() if marks else []
    said = f"{flat.dtype} {flat.numel()} {numbers}"
    return hashlib.blake2b(said.encode(), digest_size=16).digest()
