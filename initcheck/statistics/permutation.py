"""Independence inside one result, by permuting each position over calls: no law is assumed, none need be the same."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from initcheck.statistics.symmetric import SHUFFLES

Floats = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
Index = npt.NDArray[np.intp]

CALLS_A_BATCH = 4
"""Calls whose values are exchanged, position by position: 24 orders of each."""

_PAIRS = 64
# Numbers of draws that are looked at together: 512 KiB, so that the passes over them stay in a cache.
_TOGETHER = 131_072
# Above this side all pairs of rows, or triples, are too many to look at in every shuffle.
_WIDEST = 80
_WIDEST_TRIPLES = 48
_RUNS = (3, 4, 5)
_ORDERS = np.array(list(itertools.permutations(range(CALLS_A_BATCH))), dtype=np.intp)
DIGITS = 5
"""Of two statistics: sums of the same values in another order differ in the last bits, and rounding must not decide."""

# A weight further out outweighs the rest of its call, however far: its fourth power stays within float32.
_FURTHEST = 1e4

_FIELDS = ("sums", "energies", "signs", "large weights")
_BOTH_WAYS = [
    f"{kind} of {of}{too}"
    for kind in _FIELDS
    for of in ("rows", "columns", "calls")
    for too in (" too far apart", " too equal")
]

STATISTICS = (
    *_BOTH_WAYS,
    "row Gram matrix too large",
    "row Gram matrix too small",
    "column Gram matrix too large",
    "column Gram matrix too small",
    "magnitudes of rows",
    "magnitudes of columns",
    "neighbours along a row",
    "neighbours down a column",
    "magnitudes of neighbours along a row",
    "magnitudes of neighbours down a column",
    "two rows",
    "two columns",
    "largest row and column",
    "pairs of weights",
    "pairs of magnitudes",
    "parity of neighbours along a row",
    "parity of neighbours down a column",
    "parity of three columns",
    "parity of three rows",
    "parity of whole rows",
    "parity of whole columns",
)
"""What is looked at in a batch, in the order of ``Positions.statistics``."""


def shuffled_by_position(batch: Floats, rng: np.random.Generator) -> Iterator[Floats]:
    """19 copies of a batch of calls in which every position is permuted over the calls, each for itself.

    Null: the entries of a call are independent, each of whatever law, and calls are independent of one law. Then the
    four values of a position are exchangeable, position by position, so that the batch and its shuffles are
    exchangeable: any statistic of the batch is strictly the largest of the 20 with probability at most 1/20. Means,
    scales, masks and tails may differ by position; what two positions share in a call is broken up by the shuffle.
    Each copy is made when it is asked for.

    >>> batch = np.arange(8.0).reshape(4, 1, 2)
    >>> many = np.stack(list(shuffled_by_position(batch, np.random.default_rng(0))))
    >>> many.shape, bool((np.sort(many, axis=1) == batch).all())
    ((19, 4, 1, 2), True)

    Args:
        batch: shape (4, units, inputs).
        rng: where the permutations come from.

    Source: Fisher 1935, The Design of Experiments, section 21; Phipson & Smyth 2010 for ranks.
    """
    for orders in rng.integers(0, len(_ORDERS), (SHUFFLES, *batch.shape[1:])):
        yield np.take_along_axis(batch, _ORDERS.T[:, orders], axis=0)


def _all_shuffled(batches: Single, rng: np.random.Generator) -> Single:
    """Batches, each before its ``shuffled_by_position`` by the same permutations: (batches, 20, 4, units, inputs)."""
    number, calls, *shape = batches.shape
    many = np.empty((number, SHUFFLES + 1, calls, *shape), np.float32)
    many[:, 0] = batches
    size = math.prod(shape)
    orders = rng.integers(0, len(_ORDERS), (number, SHUFFLES, *shape))
    first = np.arange(size).reshape(shape) + (np.arange(number) * calls * size).reshape(-1, 1, 1, 1)
    flat = batches.ravel()
    for call in range(calls):
        many[:, 1:, call] = flat.take((_ORDERS[:, call] * size).take(orders) + first)
    return many


def position_tops(batches: Floats, positions: Positions, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which statistic of which batch is strictly larger than in its 19 shuffles, shape (statistics, batches).

    Each has P(top) <= 1/20 under the null of ``shuffled_by_position``, where ``positions`` was learnt from calls that
    are not among these. ``tops_log_e`` makes an e-process of the counts of each, ``average_log_e`` one of
    all.

    Args:
        batches: shape (batches, 4, units, inputs).
        positions: what a first sample said.
        rng: where the permutations come from.
    """
    draws = _all_shuffled(positions.scaled(batches), rng).reshape(-1, *batches.shape[1:])
    step = max(1, _TOGETHER // draws[0].size)
    parts = [positions.statistics(draws[at : at + step]) for at in range(0, len(draws), step)]
    values = np.concatenate(parts, axis=1).reshape(-1, len(batches), SHUFFLES + 1).astype(np.float64)
    size = np.abs(values).max(axis=2, keepdims=True)
    values = np.round(np.divide(values, size, out=np.zeros_like(values), where=size > 0), DIGITS)
    return np.asarray((values[..., :1] > values[..., 1:]).all(axis=2))


def excluded_structure(units: int, inputs: int) -> tuple[float, float]:
    """What tops in half the batches: a relative spread of the energies of calls, and a correlation of neighbours.

    For normal weights, by the quantiles of chi-squared: four energies with variance (1 + q) 2/n, q = 2.3, exceed the
    95 % of 19 shuffles in half the batches; so do four sums of N products whose mean is sqrt(1.5/N).

    >>> spread, correlation = excluded_structure(16, 32)
    >>> round(spread, 3), round(correlation, 3)
    (0.095, 0.055)
    """
    return math.sqrt(4.6 / (units * inputs)), math.sqrt(1.5 / (units * (inputs - 1)))


@dataclass(frozen=True, eq=False)
class Positions:
    """What a first sample says of every position, and of which weights to look at together; fixed before the batches.

    Attributes:
        centre, scale: mean and deviation of every position.
        middle: where the sign of a position changes, once centred and scaled, as all that follows.
        large: magnitude from which a weight counts as large; 0 where zeros occur, so that it is one that is not zero.
        size: mean magnitude of every position.
        pairs: entries (flat) that correlate most, and their signs; the same of magnitudes.
        runs: where the parity of a run of neighbours tells, and its weight: along rows, then down columns, by length.
        triples: three columns (of a row), and three rows, of which the signs multiply to one sign, and that sign.
    """

    centre: Floats
    scale: Floats
    middle: Single
    large: Single
    size: Single
    pairs: tuple[tuple[Index, Index, Single], tuple[Index, Index, Single]]
    runs: tuple[tuple[tuple[Index, Single], ...], tuple[tuple[Index, Single], ...]]
    triples: tuple[tuple[Index, Single], tuple[Index, Single]]
    mean_sign: Single
    names: ClassVar[tuple[str, ...]] = STATISTICS
    calls: ClassVar[int] = CALLS_A_BATCH

    @classmethod
    def learnt(cls, sample: Floats) -> Positions:
        """Learn from calls, shape (calls, units, inputs), that no batch will hold.

        >>> sample = np.random.default_rng(0).normal(size=(150, 8, 8))
        >>> Positions.learnt(sample).scale.shape
        (8, 8)
        """
        calls = len(sample)
        centre, scale = sample.mean(axis=0), sample.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        # A mean within its error is taken for zero: then sums that are exactly zero stay so.
        centre = np.where(np.abs(centre) < 4 * scale / math.sqrt(calls), 0.0, centre)
        skewed = np.abs(np.sign(sample).sum(axis=0)) > 4 * math.sqrt(calls)
        middle = _scaled(np.where(skewed, np.median(sample, axis=0), 0.0), centre, scale)
        z = _scaled(sample, centre, scale)
        sizes = np.abs(z)
        signs = _signs(z - middle)
        mean_sign = signs.mean(axis=0)
        centred = signs - mean_sign
        return cls(
            centre,
            scale,
            middle,
            np.float32(not (sample == 0).any()) * np.median(sizes, axis=0),
            sizes.mean(axis=0),
            (_most_correlated(z), _most_correlated(sizes)),
            (_telling_runs(centred), _telling_runs(centred.swapaxes(1, 2))),
            (_telling_triples(centred), _telling_triples(centred.swapaxes(1, 2))),
            mean_sign,
        )

    def tops(self, batches: Floats, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        """``position_tops`` of these."""
        return position_tops(batches, self, rng)

    def scaled(self, w: Floats) -> Single:
        """Weights as ``statistics`` takes them: each off the centre of its position, in deviations."""
        return _scaled(w, self.centre, self.scale)

    def statistics(self, z: Single) -> Single:
        """The statistics of STATISTICS, (statistics, draws), of ``scaled`` draws of shape (draws, 4, units, inputs)."""
        units, inputs = z.shape[2:]
        fields = np.empty((len(_FIELDS), *z.shape), np.float32)
        fields[0] = z
        energies = np.multiply(z, z, out=fields[1])
        parts = np.subtract(_signs(z - self.middle), self.mean_sign, out=fields[2])
        sizes = np.abs(z)
        np.greater(sizes, self.large, out=fields[3], casting="unsafe")
        sizes -= self.size
        rows = fields.reshape(-1, inputs) @ np.full(inputs, 1.0 / inputs, np.float32)
        rows = rows.reshape(fields.shape[:-1])
        columns = np.full(units, 1.0 / units, np.float32) @ fields
        found: list[Single] = []
        # The sum over calls is the same in every shuffle: what is left is how far apart the calls are.
        apart = [_apart(sums) for sums in (rows, columns, rows.mean(axis=3)[..., None])]
        for field in range(len(_FIELDS)):
            for of in apart:
                found += [of[field], -of[field]]
        row_gram, row_squares, column_squares = _grams(z, energies)
        found += [row_squares, -row_squares, column_squares, -column_squares]
        found += _grams(sizes, np.square(sizes))[1:]
        found += [_neighbours(z), _neighbours_below(z), _neighbours(sizes), _neighbours_below(sizes)]
        found += [_largest_pair(z, row_gram), _largest_pair(z.swapaxes(2, 3), None)]
        found.append((rows[1].max(axis=2) * columns[1].max(axis=2)).mean(axis=1))
        for (first, second, sign), values in zip(self.pairs, (z, sizes), strict=True):
            flat = values.reshape(*z.shape[:2], -1)
            found.append(((flat.take(first, axis=2) * flat.take(second, axis=2)) @ sign).sum(axis=1))
        sideways = parts.swapaxes(2, 3)
        found += [_runs(parts, self.runs[0]), _runs(sideways, self.runs[1])]
        found += [_triples(parts, *self.triples[0]), _triples(sideways, *self.triples[1])]
        # Sums of signs, whole numbers, tell how many are negative.
        for of, length, axis in ((rows[2], inputs, 1), (columns[2], units, 0)):
            signs = length * (of + self.mean_sign.mean(axis=axis))
            parity = 1.0 - np.rint(length - signs) % 4.0
            found.append(np.square(parity.mean(axis=2)).sum(axis=1))
        return np.stack(found)


def _scaled(w: Floats, centre: Floats, scale: Floats) -> Single:
    z: Single = np.clip((w - centre) / scale, -_FURTHEST, _FURTHEST).astype(np.float32)
    return z


def _signs(values: Single) -> Single:
    # What is -0.0 counts as 0.0.
    return np.asarray(np.copysign(np.float32(1.0), values + np.float32(0.0)))


def _apart(sums: Single) -> Single:
    """How far apart the calls are in sums of shape (fields, draws, 4, sums), (fields, draws)."""
    off = sums - sums.mean(axis=2, keepdims=True)
    return np.asarray(np.einsum("fdcn,fdcn->fd", off, off))


def _grams(z: Single, energies: Single) -> tuple[Single, Single, Single]:
    """The row Gram matrices without their diagonals, and the sums of squares off both diagonals, (draws,)."""
    gram = z @ z.swapaxes(2, 3)
    every = gram.reshape(*gram.shape[:2], -1)
    whole = np.einsum("dcn,dcn->d", every, every)
    flat = _without_diagonals(gram)
    # |Z Z^T| = |Z^T Z| in Frobenius' norm: the larger of the two need not be made.
    of_columns = energies.sum(axis=2)
    columns = whole - np.einsum("dcn,dcn->d", of_columns, of_columns)
    return gram, np.einsum("dcn,dcn->d", flat, flat), columns


def _neighbours(z: Single) -> Single:
    return _mean_products(z[..., 1:], z[..., :-1])


def _neighbours_below(z: Single) -> Single:
    return _mean_products(z[..., 1:, :], z[..., :-1, :])


def _mean_products(one: Single, other: Single) -> Single:
    products = np.einsum("dcui,dcui->dc", one, other) / math.prod(one.shape[2:])
    return np.asarray(np.einsum("dc,dc->d", products, products))


def _largest_pair(z: Single, gram: Single | None) -> Single:
    if z.shape[2] > _WIDEST:
        return np.zeros(len(z), np.float32)
    flat = _without_diagonals(z @ z.swapaxes(2, 3) if gram is None else gram)
    return np.asarray(np.maximum(flat.max(axis=2), -flat.min(axis=2)).mean(axis=1))


def _without_diagonals(gram: Single) -> Single:
    """Set the diagonals of (draws, calls, side, side) to zero, in place; each matrix as one vector."""
    side = gram.shape[-1]
    flat = gram.reshape(*gram.shape[:2], side * side)
    flat[..., :: side + 1] = 0.0
    return flat


def _most_correlated(values: Single) -> tuple[Index, Index, Single]:
    """The 64 pairs of entries that correlate most over the sample, with the signs of their correlations."""
    flat = values.reshape(len(values), -1)
    flat = flat - flat.mean(axis=0)
    deviation = flat.std(axis=0)
    flat = np.divide(flat, deviation, out=np.zeros_like(flat), where=deviation > 0)
    correlation = flat.T @ flat
    strength = np.abs(correlation)
    strength *= _above_the_diagonal(len(strength))
    largest = np.sort(strength.max(axis=1))
    # A row holds at least one of the 64 largest: below the 64th largest of the rows' largest there is none.
    least = float(largest[-_PAIRS]) if len(largest) >= _PAIRS else 0.0
    first, second = np.nonzero(strength >= least if least > 0 else strength > 0)
    best = np.argsort(-strength[first, second], kind="stable")[:_PAIRS]
    first, second = first[best], second[best]
    return first, second, np.sign(correlation[first, second])


@functools.lru_cache(maxsize=4)
def _above_the_diagonal(side: int) -> npt.NDArray[np.bool_]:
    return np.triu(np.ones((side, side), dtype=bool), 1)


def _products(parts: Single, length: int) -> Single:
    """Products of ``length`` neighbours along the last axis."""
    found = parts[..., : parts.shape[-1] - length + 1]
    for shift in range(1, length):
        found = found * parts[..., shift : parts.shape[-1] - length + 1 + shift]
    return found


def _telling_runs(parts: Single) -> tuple[tuple[Index, Single], ...]:
    """Where runs of neighbours begin whose mean product over the sample is beyond three standard errors; those means.

    For runs of each length: flat indices of (units, inputs).
    """
    found = []
    for length in _RUNS:
        mean = np.zeros(parts.shape[1:], np.float32)
        if parts.shape[-1] >= length:
            mean[:, : parts.shape[-1] - length + 1] = _products(parts, length).mean(axis=0)
        at = np.flatnonzero(np.abs(mean) > 3 / math.sqrt(len(parts)))
        found.append((at, mean.ravel()[at]))
    return tuple(found)


def _runs(parts: Single, telling: tuple[tuple[Index, Single], ...]) -> Single:
    total = np.zeros(len(parts), np.float32)
    flat = parts.reshape(*parts.shape[:2], -1)
    for length, (at, weight) in zip(_RUNS, telling, strict=True):
        if at.size:
            products = flat.take(at, axis=2)
            for shift in range(1, length):
                products *= flat.take(at + shift, axis=2)
            total += (products @ weight).sum(axis=1)
    return total


def _telling_triples(parts: Single) -> tuple[Index, Single]:
    """The 64 triples of columns whose product has the largest mean over rows and calls, with the signs of the means."""
    width = min(parts.shape[2], _WIDEST_TRIPLES)
    if width < 3:
        return np.zeros((3, 0), dtype=np.intp), np.zeros(0, np.float32)
    columns = np.ascontiguousarray(parts[..., :width].reshape(-1, width).T, dtype=np.float32)
    rows = columns.shape[1]
    means = np.zeros((width, width, width), np.float32)
    for k in range(width - 2):
        # Each triple once, its first column apart from the two that follow.
        means[k, k + 1 :, k + 1 :] = (columns[k] * columns[k + 1 :]) @ columns[k + 1 :].T
    means *= _above_the_diagonal(width) / np.float32(rows)
    strength = np.abs(means).ravel()
    best = np.sort(np.argpartition(strength, -min(_PAIRS, strength.size))[-_PAIRS:])
    best = best[strength[best] > 3 / math.sqrt(rows)]
    triples = np.stack(np.unravel_index(best, means.shape)).astype(np.intp)
    return triples, np.sign(means.ravel()[best])


def _triples(parts: Single, triples: Index, signs: Single) -> Single:
    if not signs.size:
        return np.zeros(len(parts), np.float32)
    first, second, third = triples
    products = parts.take(first, axis=3) * parts.take(second, axis=3) * parts.take(third, axis=3)
    return np.asarray(products.mean(axis=2).sum(axis=1) @ signs)
