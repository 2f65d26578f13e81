"""Units of one tensor that are copies of one another."""

from __future__ import annotations

from collections import Counter

import torch

from initcheck.models.builds.sums import MOST_PAIRS, Twins, equal_by_chance

_BLOCK = 1 << 20


def find_twins(tensor: torch.Tensor) -> Twins | None:
    """Equal, non-zero rows, else columns.

    >>> rows = torch.eye(3, 4)
    >>> find_twins(torch.cat([rows, rows[:1]])).text
    'rows 0 and 3 of 4 entries are equal'
    """
    if tensor.dim() < 2:
        return None
    matrix = tensor.reshape(tensor.shape[0], -1)
    for axis in (0, 1):
        units, entries = matrix.shape if axis == 0 else matrix.shape[::-1]
        if equal_by_chance(units, entries, str(tensor.dtype).removeprefix("torch.")):
            continue
        found = _equal_units(matrix, axis)
        if found is not None:
            return found
    return None


def _equal_units(matrix: torch.Tensor, axis: int) -> Twins | None:
    """Units of one mark, compared entry by entry; the marks are projections on one random direction."""
    generator = torch.Generator().manual_seed(20260101)
    rows, columns = matrix.shape
    step = max(1, _BLOCK // columns)
    wide = torch.float64 if matrix.device.type != "mps" else torch.float32
    weights = torch.randn(columns if axis == 0 else rows, generator=generator, dtype=wide).to(matrix.device)
    if axis == 0:
        marks = torch.cat([matrix[i : i + step].to(wide) @ weights for i in range(0, rows, step)])
    else:
        marks = torch.zeros(columns, dtype=wide, device=matrix.device)
        for i in range(0, rows, step):
            marks += weights[i : i + step] @ matrix[i : i + step].to(wide)
    ordered, places = marks.sort()
    near = (ordered.diff().abs() <= 1e-9 * ordered[1:].abs()) & (ordered[1:] != 0)
    if not bool(near.any()):
        return None
    positions = near.nonzero().flatten()
    pairs = []
    for k in positions[:MOST_PAIRS].tolist():
        i, j = sorted((int(places[k]), int(places[k + 1])))
        if torch.equal(matrix.select(axis, i), matrix.select(axis, j)):
            pairs.append((i, j))
    if not pairs:
        return None
    sizes = Counter(_runs(near.tolist()))
    group = next(iter(sizes)) if len(sizes) == 1 else None
    copies = sum(size * number for size, number in sizes.items())
    entries = columns if axis == 0 else rows
    return Twins(axis, tuple(sorted(pairs)), copies, group, entries)


def _runs(near: list[bool]) -> list[int]:
    """Sizes of the groups of units that lie next to one another in order."""
    found, size = [], 1
    for same in (*near, False):
        if same:
            size += 1
        elif size > 1:
            found.append(size)
            size = 1
    return found
