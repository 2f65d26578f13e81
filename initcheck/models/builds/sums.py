"""What is kept of the entries of a tensor: sums, ends, zeros, and which units are copies of one another."""

from __future__ import annotations

import functools
import hashlib
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MOST_PAIRS = 32
"""Pairs of equal units that are kept."""
ORDERED = 64
"""Entries whose order tells a copy."""
_SPREAD = 256
# Bits of a value that can be relied on to differ by chance; a coarse grid makes equal rows of few entries likely.
_BITS = {"float32": 20, "float64": 40, "float16": 9, "bfloat16": 6}


@dataclass
class EntrySums:
    """What is known of a set of entries.

    Attributes:
        count, total, squares, fourths, low, high: number of entries, sums of their first, second and fourth powers,
            smallest and largest.
        nan, infinite: entries that are no finite number; first_bad: the first of them.
        zeros: entries that are 0.
    """

    count: int = 0
    total: float = math.nan
    squares: float = math.nan
    fourths: float = math.nan
    low: float = math.nan
    high: float = math.nan
    nan: int = 0
    infinite: int = 0
    first_bad: int | None = None
    zeros: int = 0

    @property
    def mean(self) -> float:
        """Mean of the entries."""
        return self.total / self.count if self.count else math.nan

    @property
    def second_moment(self) -> float:
        """Mean square of the entries."""
        return self.squares / self.count if self.count else math.nan

    @property
    def kurtosis(self) -> float:
        """Fourth moment over the second one squared; at least 1, and 1 of nothing but zeros."""
        second = self.second_moment
        return max(1.0, self.fourths / self.count / second**2) if self.count and second > 0 else 1.0


@dataclass(frozen=True)
class Twins:
    """Equal non-zero rows (axis 0) or columns (axis 1) of a tensor as a matrix.

    Attributes:
        axis: 0 or 1.
        pairs: some pairs of equal units, the first ones first.
        copies: units that equal another one.
        group: how many are equal to one another, where it is one number.
        entries: of a unit.
    """

    axis: int
    pairs: tuple[tuple[int, int], ...]
    copies: int
    group: int | None
    entries: int

    @property
    def text(self) -> str:
        """Which units, in words."""
        what = ("rows", "columns")[self.axis]
        i, j = self.pairs[0]
        if self.copies <= 2:
            return f"{what} {i} and {j} of {self.entries} entries are equal"
        blocks = f" in blocks of {self.group}" if self.group is not None else ""
        return f"{self.copies} {what} are copies{blocks}, such as {i} and {j}"


def order_of(head: npt.NDArray[np.float64]) -> bytes | None:
    """Digest of the order of the first entries: the same for a scaled or shifted copy, by chance never.

    None where there are fewer than 16, where two are equal, or where they rise or fall throughout.
    """
    if head.size < 16:
        return None
    order = head.argsort()
    if (np.diff(head[order]) <= 0).any() or (np.diff(order) > 0).all() or (np.diff(order) < 0).all():
        return None
    return hashlib.blake2b(order.tobytes(), digest_size=16).digest()


@functools.lru_cache(maxsize=1_024)
def spread_over(count: int) -> npt.NDArray[np.int64]:
    """Some places of so many entries, at random and always the same; all of a few.

    >>> spread_over(3), len(spread_over(10**9))
    (array([0, 1, 2]), 256)
    """
    if count <= _SPREAD:
        return np.arange(count)
    return np.random.default_rng(20260102).integers(count, size=_SPREAD)


def equal_by_chance(units: int, entries: int, dtype: str) -> bool:
    """Whether a grid of the dtype's bits would tie two units by chance, at more than 1e-9: too few entries to ask."""
    return units < 2 or entries < 3 or 2 * math.log2(units) - 1 - _BITS.get(dtype, 0) * entries > -29.9
