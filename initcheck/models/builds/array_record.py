"""An array in the host's memory as a record: of JAX, of Keras; every entry is read, none is kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.grouping import grouped
from initcheck.models.builds.record import TensorRecord, bounds_of, ends_of, made_of_parts, maybe_index
from initcheck.models.builds.sums import MOST_PAIRS, ORDERED, EntrySums, Twins, equal_by_chance, order_of, spread_over
from initcheck.models.provenance.law import UNTRACED, Law
from initcheck.models.provenance.steps import Step
from initcheck.models.provenance.traced_law import Later, last_chain, later_writes, law_of

Reals = npt.NDArray[np.float64]


def array_record(
    name: str,
    value: Any,
    owner: str,
    *,
    parameter: bool = True,
    trainable: bool = True,
    inputs_first: bool = True,
    steps: Sequence[Step] = (),
    law: Law | None = None,
    memory: tuple[int, int] = (0, 0),
    units: bool = False,
) -> TensorRecord:
    """Reduce one array to its record.

    >>> found = array_record("w", np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), "Dense")
    >>> found.sums.squares, found.dtype, found.fans
    (30.0, 'float32', (2, 2))

    Args:
        name, owner: its path and the class of its module.
        value: the array; of any dtype that NumPy, or ml_dtypes, knows.
        parameter, trainable: what the framework says of it.
        inputs_first: whether its axes are (..., inputs, outputs).
        steps: what made it, where that is known; the entries are those of the array in C order.
        law: what it was drawn from, where the framework itself tells.
        memory: tells tied arrays; the second number must be 0 where there are steps.
        units: whether equal rows and columns are looked for, and the order of the first entries.
    """
    array = np.ascontiguousarray(value)
    n = int(array.size)
    dtype = array.dtype.name
    real = array.dtype.kind == "f" or dtype.startswith(("bfloat16", "float8"))
    later: list[Later] = []
    if law is None:
        chain, partial = last_chain(steps, 0, n)
        law, later = made_of_parts(law_of(chain) if chain else UNTRACED, later_writes(chain, partial), n)
    draws = frozenset().union(*(s.draws for s in steps))
    flat: Reals = array.reshape(-1).astype(np.float64) if real else np.zeros(0)
    mask = _mask(later, n)
    whole = _sums(flat, first=True) if real else EntrySums(count=n)
    finite = real and not (whole.nan or whole.infinite)
    low, high = bounds_of(law)
    far = (flat < low) | (flat > high)
    if mask is not None:
        far &= ~mask
    return TensorRecord(
        name=name,
        parameter=parameter,
        trainable=trainable,
        owner=owner,
        shape=tuple(array.shape),
        dtype=dtype,
        real=real,
        memory=memory,
        digest=_digest(array),
        count=n,
        sums=whole,
        own=whole if mask is None else _sums(flat[~mask]),
        order=order_of(flat[:ORDERED]) if finite and units else None,
        spread=tuple(flat[spread_over(n)].tolist()) if finite else (),
        twins=_twins(array, dtype) if finite and units and whole.low != whole.high else None,
        law=law,
        draws=draws,
        later=tuple(later),
        far=int(far.sum()) if real else 0,
        first_far=maybe_index(int(far.argmax()) if real and far.any() else None, tuple(array.shape)),
        first_bad=maybe_index(whole.first_bad, tuple(array.shape)),
        inputs_first=inputs_first,
        sites=tuple(dict.fromkeys(s.site for s in steps if s.site is not None and s.dense)),
    )


def _sums(flat: Reals, *, first: bool = False) -> EntrySums:
    if not flat.size:
        return EntrySums()
    bad = ~np.isfinite(flat)
    squares = flat * flat
    nan = int(np.isnan(flat).sum())
    sums = EntrySums(
        int(flat.size), float(flat.sum()), float(squares.sum()), float((squares * squares).sum()), float(flat.min()),
        float(flat.max()), nan, int(bad.sum()) - nan, None, int(flat.size - np.count_nonzero(flat)),
    )  # fmt: skip
    if first and bad.any():
        sums.first_bad = int(bad.argmax())
    return sums


def _digest(array: npt.NDArray[Any]) -> bytes:
    said = f"{array.dtype.name} {array.size}".encode()
    return hashlib.blake2b(said + array.tobytes(), digest_size=16).digest()


def _mask(later: Sequence[Later], entries: int) -> npt.NDArray[np.bool_] | None:
    """The entries that were written after the whole."""
    if not later:
        return None
    mask = np.zeros(entries, np.bool_)
    for part in later:
        region = part.region
        if region is not None:
            first, last = ends_of(region.offset, region.sizes, region.strides)
            if first < 0 or last > entries:
                return np.ones(entries, np.bool_)
            view = np.lib.stride_tricks.as_strided(mask[first:], region.sizes, region.strides)
            view[...] = True
            continue
        for step in part.steps:
            if step.mask is None:
                return np.ones(entries, np.bool_)
            mask |= step.mask
    return mask


def _twins(array: npt.NDArray[Any], dtype: str) -> Twins | None:
    """Equal, non-zero rows of the matrix (first axis, rest), else columns."""
    if array.ndim < 2:
        return None
    matrix = array.reshape(array.shape[0], -1)
    for axis in (0, 1):
        units = matrix if axis == 0 else np.ascontiguousarray(matrix.T)
        number, entries = units.shape
        if equal_by_chance(number, entries, dtype):
            continue
        drawn = ((i, unit) for i, unit in enumerate(units) if np.any(unit != 0))
        places = grouped((hashlib.blake2b(unit.tobytes(), digest_size=16).digest(), i) for i, unit in drawn)
        groups = [same for same in places.values() if len(same) > 1]
        if groups:
            sizes = Counter(map(len, groups))
            pairs = sorted((same[0], same[1]) for same in groups)[:MOST_PAIRS]
            group = next(iter(sizes)) if len(sizes) == 1 else None
            return Twins(axis, tuple(pairs), sum(map(len, groups)), group, entries)
    return None
