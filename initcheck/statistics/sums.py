"""The record of sums: what the claims ask of a stack of calls, so that weights are read once and dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_BLOCK = 65_536
"""Weights in the float64 working copy: 512 KiB stay in the cache for the three passes that follow."""

# 2^64 over the golden ratio: its multiples lie far apart.
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Record:
    """Sums of a stack of calls, one entry a call.

    All sums are in float64, from float64 copies of the weights: squares of a float32 of 10^25 do not
    overflow, and the total is right to about 10^-13 of the sum of magnitudes. Weights that are not finite are
    counted and left out of every sum. Costs 0.7 ns a weight at 1024 x 1024.

    >>> record = Record.of(np.array([[[1.0, 2.0], [3.0, np.nan]]]))
    >>> record.total, record.energy, record.row_sum_energy, record.nonfinite
    (array([6.]), array([14.]), array([18.]), array([1]))

    Attributes:
        total: sum w.
        energy: sum w^2; inf where finite weights beyond 10^154 overflow it.
        row_sum_energy: sum over units of (sum over inputs w)^2.
        nonfinite: number of weights that are NaN or infinite.
        largest: largest finite \\|w\\|.
        may_tie: whether two rows may be equal, or one zero (``may_tie``).
        may_copy: whether two rows, or two columns, may be equal but for their signs, or one zero; seen by ``of_each``,
            else True.
    """

    total: Floats
    energy: Floats
    row_sum_energy: Floats
    nonfinite: Counts
    largest: Floats
    may_tie: npt.NDArray[np.bool_]
    may_copy: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.total)

    @classmethod
    def of(cls, stack: npt.NDArray[Any]) -> Record:
        """Reduce a stack of calls, shape (calls, units, inputs), of any real dtype and any strides.

        >>> Record.of(np.ones((3, 4, 5))).row_sum_energy
        array([100., 100., 100.])

        Raises:
            ValueError: not three axes, or not real numbers.
        """
        if stack.ndim != 3 or stack.dtype.kind in "cOSUM":
            raise ValueError(
                f"a stack of shape {stack.shape} and dtype {stack.dtype}: "
                "expected real weights as (calls, units, inputs)"
            )
        calls, units, inputs = stack.shape
        # Walk along the memory: a layout of (inputs, units) arrives here as a transposed view. A single
        # column is read as a row: BLAS is slow on columns.
        by_units = units == 1 or (inputs > 1 and abs(stack.strides[2]) <= abs(stack.strides[1]))
        view = stack if by_units else stack.swapaxes(1, 2)
        reduce = _small_calls if units * inputs <= _BLOCK // 2 else _large_calls
        total, energy, row_sum_energy, nonfinite, largest = reduce(view, by_units)
        return cls(
            total=total,
            energy=energy,
            row_sum_energy=row_sum_energy,
            nonfinite=nonfinite,
            largest=largest,
            may_tie=may_tie(stack),
            may_copy=np.ones(calls, dtype=bool),
        )

    @classmethod
    def of_each(cls, stacks: Sequence[npt.NDArray[Any]]) -> list[Record]:
        """The record of each of many small stacks, in one pass over all of them where their weights are finite.

        >>> [int(r.energy[0]) for r in Record.of_each([np.ones((3, 4, 5)), np.ones((1, 2, 1))])]
        [20, 2]
        """
        if len(stacks) < 2 or len({s.dtype for s in stacks}) > 1 or not all(s.size and s.ndim == 3 for s in stacks):
            return [cls.of(stack) for stack in stacks]
        dtype = stacks[0].dtype
        weights = np.concatenate([stack.ravel() for stack in stacks])
        if dtype not in (np.float32, np.float64) or not np.isfinite(weights).all():
            return [cls.of(stack) for stack in stacks]
        calls, rows, columns = np.array([stack.shape for stack in stacks]).T
        inputs = np.repeat(columns, calls * rows)
        row_starts = _starts(inputs)
        units = np.repeat(rows, calls)
        first_row = _starts(units)
        first_weight = row_starts[first_row]
        in_a_row, row_of = np.repeat(columns, calls), np.repeat(np.arange(len(units)), units)
        tie = _equal_starts(weights + dtype.type(0), row_starts, np.where(inputs > 1, 1, 0), row_of)
        sizes = np.abs(weights)
        column_of = np.repeat(np.arange(len(units)), in_a_row)
        column_starts = first_weight[column_of] + np.arange(len(column_of)) - _starts(in_a_row)[column_of]
        copy = _equal_starts(sizes, row_starts, np.where(inputs > 1, 1, 0), row_of)
        copy |= _equal_starts(sizes, column_starts, np.where(units > 1, in_a_row, 0)[column_of], column_of)
        w = weights.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            row_sums = np.add.reduceat(w, row_starts)
            of_calls: tuple[npt.NDArray[Any], ...] = (
                np.add.reduceat(row_sums, first_row),
                np.add.reduceat(w * w, first_weight),
                np.add.reduceat(row_sums * row_sums, first_row),
                np.zeros(len(units), dtype=np.int64),
                np.maximum.reduceat(np.abs(w, out=w), first_weight),
                tie,
                copy,
            )
        stops = np.cumsum(calls).tolist()
        return [cls(*(a[stop - n : stop] for a in of_calls)) for stop, n in zip(stops, calls.tolist(), strict=True)]

    @classmethod
    def merged(cls, a: Record, b: Record) -> Record:
        """Append the calls of b to those of a.

        >>> len(Record.merged(Record.of(np.ones((3, 4, 5))), Record.of(np.ones((2, 4, 5)))))
        5
        """
        return cls(*(np.concatenate([getattr(a, f.name), getattr(b, f.name)]) for f in fields(cls)))

    def first(self, entries: int) -> Record:
        """The first entries of a record, as views.

        >>> len(Record.of(np.ones((7, 4, 5))).first(3))
        3
        """
        if entries >= len(self):
            return self
        return Record(*(getattr(self, f.name)[:entries] for f in fields(self)))


Sums = tuple[Floats, Floats, Floats, Counts, Floats]


def _small_calls(view: npt.NDArray[Any], by_units: bool) -> Sums:
    """Many calls at a time: at 16 x 16, one call at a time is all interpreter."""
    calls, outer, inner = view.shape
    total, energy, row_sum_energy, largest = np.zeros((4, calls))
    nonfinite = np.zeros(calls, dtype=np.int64)
    chunk = max(1, _BLOCK // max(1, outer * inner))
    ones = np.ones(inner if by_units else outer)
    buffer = np.empty((min(chunk, calls), outer, inner))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, calls, chunk):
            here = slice(start, min(calls, start + chunk))
            block = buffer[: here.stop - start]
            np.copyto(block, view[here], casting="unsafe")
            flat = block.reshape(len(block), -1)
            squares = np.einsum("ij,ij->i", flat, flat)
            if not np.all(np.isfinite(squares)):
                nonfinite[here] = _cleared(flat)
                squares = np.einsum("ij,ij->i", flat, flat)
            sums = block @ ones if by_units else ones @ block
            energy[here] = squares
            total[here] = sums.sum(axis=1)
            row_sum_energy[here] = np.einsum("ij,ij->i", sums, sums)
            largest[here] = np.abs(flat, out=flat).max(axis=1, initial=0.0)
    return total, energy, row_sum_energy, nonfinite, largest


def _large_calls(view: npt.NDArray[Any], by_units: bool) -> Sums:
    """One call at a time, in blocks that stay in the cache."""
    calls, outer, inner = view.shape
    total, energy, row_sum_energy, largest = np.zeros((4, calls))
    nonfinite = np.zeros(calls, dtype=np.int64)
    wide = min(inner, _BLOCK)
    tall = max(1, _BLOCK // wide)
    buffer = np.empty(tall * wide)
    ones = np.ones(max(tall, wide))
    with np.errstate(over="ignore", invalid="ignore"):
        for call in range(calls):
            sums = np.zeros(outer if by_units else inner)
            for top in range(0, outer, tall):
                rows = slice(top, min(outer, top + tall))
                for left in range(0, inner, wide):
                    columns = slice(left, min(inner, left + wide))
                    height, width = rows.stop - top, columns.stop - left
                    flat = buffer[: height * width]
                    block = flat.reshape(height, width)
                    np.copyto(block, view[call, rows, columns], casting="unsafe")
                    squares = float(np.dot(flat, flat))
                    if not np.isfinite(squares):
                        nonfinite[call] += int(_cleared(flat[None])[0])
                        squares = float(np.dot(flat, flat))
                    energy[call] += squares
                    if by_units:
                        sums[rows] += block @ ones[:width]
                    else:
                        sums[columns] += ones[:height] @ block
                    largest[call] = max(largest[call], flat.max(), -flat.min())
            total[call] = sums.sum()
            row_sum_energy[call] = np.dot(sums, sums)
    return total, energy, row_sum_energy, nonfinite, largest


def may_tie(stack: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether a call may have a zero row or two equal rows, by the first 8 bytes of every row; shape (calls,).

    False is certain, and so is most of what a continuous law gives. Of other dtypes than float32 and float64 nothing is
    certain.

    >>> may_tie(np.array([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [1.0, 3.0]]])).tolist()
    [False, True]
    """
    size = stack.dtype.itemsize
    if stack.dtype.kind != "f" or size < 4 or not stack.shape[2]:
        return np.ones(len(stack), dtype=bool)
    start = stack[:, :, : max(1, 8 // size)]
    bits = np.ascontiguousarray(start + stack.dtype.type(0)).view(
        np.uint64 if start.shape[2] * size == 8 else np.uint32
    )
    ordered = np.sort(bits[:, :, 0], axis=1)
    return np.asarray(np.any(ordered[:, 1:] == ordered[:, :-1], axis=1) | (ordered[:, 0] == 0))


def _starts(lengths: Counts) -> Counts:
    """Where each of the pieces of these lengths begins, one behind the other."""
    return np.cumsum(lengths) - lengths


def _equal_starts(weights: npt.NDArray[Any], starts: Counts, steps: Counts, call_of: Counts) -> npt.NDArray[np.bool_]:
    """``may_tie`` of the vectors of many calls that lie one behind the other in memory.

    Args:
        weights: of all calls.
        starts: where each vector begins.
        steps: how far on its second weight lies; 0 where it has none.
        call_of: whose it is.
    """
    if weights.dtype.itemsize == 8:
        bits = weights.view(np.uint64)[starts]
    else:
        every = weights.view(np.uint32)
        second = np.where(steps > 0, every[starts + steps], np.uint32(0)).astype(np.uint64)
        bits = every[starts] | second << np.uint64(32)
    found = np.zeros(int(call_of[-1]) + 1, dtype=bool)
    found[call_of[bits == 0]] = True
    # What is equal in one call stays equal, and hardly anything else becomes so: mostly one sort says that nothing is.
    mixed = np.sort(bits + call_of.astype(np.uint64) * _ODD)
    if not np.any(mixed[1:] == mixed[:-1]):
        return found
    order = np.lexsort((bits, call_of))
    same = (bits[order][1:] == bits[order][:-1]) & (call_of[1:] == call_of[:-1])
    found[call_of[1:][same]] = True
    return found


def _cleared(flat: Floats) -> Counts:
    """Set what is not finite to zero, in place, and count it call by call."""
    bad = ~np.isfinite(flat)
    flat[bad] = 0.0
    return np.asarray(bad.sum(axis=1), dtype=np.int64)
