"""Where the extremes of a result lie, and which of its vectors are most alike: ranked among shuffles by position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from initcheck.statistics.permutation import CALLS_A_BATCH, DIGITS, shuffled_by_position
from initcheck.statistics.symmetric import SHUFFLES

Floats = npt.NDArray[np.float64]

# What rounding leaves of the angle between copies; wider angles than this tell them from what is near by accident.
_COPY = 1e-5
_EXTREMES = ("largest weight", "smallest weight", "largest magnitude", "smallest magnitude")


@dataclass(frozen=True)
class Places:
    """The position, the row and the column in which a first sample's extremes lay most often; fixed before the batches.

    Attributes:
        at: position (flat), row and column, of each of four extremes.
    """

    at: tuple[tuple[int, int, int], ...]
    names: ClassVar[tuple[str, ...]] = tuple(f"{e} in one {of}" for e in _EXTREMES for of in ("place", "row", "column"))
    calls: ClassVar[int] = 16
    """Calls of a batch. Of a continuous law an extreme that is moved to one place beats the rest of another call in
    three cases of four, of sixteen others together in one of a hundred."""

    @classmethod
    def learnt(cls, sample: Floats) -> Places:
        """Learn from calls, shape (calls, units, inputs), that no batch will hold.

        >>> sample = np.zeros((5, 3, 4))
        >>> sample[:, 2, 1] = 7.0
        >>> Places.learnt(sample).at[0]
        (9, 2, 1)
        """
        inputs = sample.shape[2]
        found = [turned.reshape(len(sample), -1).argmax(axis=1) for turned in _turned(sample)]
        return cls(tuple((_usual(at), _usual(at // inputs), _usual(at % inputs)) for at in found))

    def tops(self, batches: Floats, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        """Whether an extreme lies at its place in strictly more calls of a batch than in each of 19 shuffles.

        Null: the entries of a call are independent, each of whatever law, and calls are independent of one law. Then
        what stands at a place (a position, a row, a column) is independent of what stands elsewhere, and may be
        exchanged over the calls of a batch: the number of calls in which it holds the extreme is strictly the largest
        of 20 with probability at most 1/20. A place of larger scale holds the extreme as often after the exchange;
        one to which the extreme was moved does not, as it no longer meets the rest of its own call.

        >>> w = np.random.default_rng(0).normal(size=(1, 16, 4, 5))
        >>> largest = w.max(axis=(2, 3), keepdims=True)
        >>> w[w == largest], w[..., :1, :1] = w[..., 0, 0].ravel(), largest
        >>> places = Places(((0, 0, 0),) * 4)
        >>> [name for name, top in zip(places.names, places.tops(w, np.random.default_rng(0))) if top.any()]
        ['largest weight in one place', 'largest weight in one row', 'largest weight in one column']

        Args:
            batches: shape (batches, 16, units, inputs).
            rng: where the permutations come from.

        Returns:
            (12, batches), in the order of ``names``.

        Source: Fisher 1935, The Design of Experiments, section 21; Phipson & Smyth 2010 for ranks.
        """
        number, calls, units, inputs = batches.shape
        orders = np.tile(np.arange(calls), (number, SHUFFLES + 1, 1))
        orders[:, 1:] = rng.permuted(orders[:, 1:], axis=2)
        found = []
        for turned, (at, row, column) in zip(_turned(batches.reshape(-1, units, inputs)), self.at, strict=True):
            rows = turned.max(axis=2)
            # The row of a position is split in two: that position, and what is left.
            split = np.concatenate([turned[:, at // inputs, at % inputs, None], rows], axis=1)
            split[:, 1 + at // inputs] = np.delete(turned[:, at // inputs], at % inputs, axis=1).max(axis=1)
            for sides, here in ((split, 0), (rows, row), (turned.max(axis=1), column)):
                rest = np.delete(sides, here, axis=1).max(axis=1).reshape(number, 1, calls)
                held = sides[:, here].reshape(number, calls)[np.arange(number)[:, None, None], orders] >= rest
                counts = held.sum(axis=2)
                found.append(counts[:, 0] > counts[:, 1:].max(axis=1))
        return np.stack(found)


def _turned(w: Floats) -> Iterator[Floats]:
    """The weights, so turned that the extremes of ``_EXTREMES`` are the largest of all in turn."""
    yield w
    yield -w
    sizes = np.abs(w)
    yield sizes
    yield -sizes


def _usual(places: npt.NDArray[np.intp]) -> int:
    return int(np.bincount(places).argmax())


class Pairs:
    """How near each row comes to the nearest other one, in angle and whatever the sign, and each column.

    What a layer of any size can be asked: nothing is learnt of its positions. A vector of zeros is like no other.
    """

    names: ClassVar[tuple[str, ...]] = ("two rows", "two columns")
    calls: ClassVar[int] = CALLS_A_BATCH

    def tops(self, batches: Floats, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        """Whether the nearness of a batch is strictly larger than in its 19 shuffles, (2, batches).

        As of ``position_tops``, under the null of ``shuffled_by_position``. What one shuffle beats is compared with no
        other one: of independent entries that is four of them and not 19.

        Args:
            batches: shape (batches, 4, units, inputs).
            rng: where the permutations come from.
        """
        top = np.ones((len(self.names), len(batches)), dtype=bool)
        for batch, tops in zip(batches, top.T, strict=True):
            own = self.of(batch)
            for shuffled in shuffled_by_position(batch, rng):
                for which in np.flatnonzero(tops).tolist():
                    tops[which] = not _reaches(shuffled, which, own[which])
                if not tops.any():
                    break
        return top

    def of(self, calls: Floats) -> Floats:
        """The sum of 1/(1 - |cos|)^2 over the vectors, of each with its nearest, (2,), the mean over calls.

        One pair of copies outweighs all others, and so do many that correlate.

        >>> w = np.random.default_rng(0).normal(size=(2, 4, 9, 8))
        >>> w[1, ..., 5] = -w[1, ..., 2]
        >>> [np.log10(Pairs().of(calls)).round(1).tolist() for calls in w]
        [[2.0, 1.6], [1.9, 10.3]]

        Args:
            calls: shape (calls, units, inputs).
        """
        return np.asarray(np.array([[_nearness(call), _nearness(call.T)] for call in calls]).mean(axis=0))


def _reaches(calls: Floats, which: int, own: float) -> bool:
    """Whether the mean over calls, of rows (0) or columns (1), is no smaller than another: often one call says it."""
    total = 0.0
    for call in calls:
        total += _nearness(call.T if which else call)
        # Not "is no smaller": of what is not finite nothing is the larger, and that is no evidence.
        if not np.round(total / len(calls) / own, DIGITS) < 1.0:
            return True
    return False


def _nearness(rows: Floats) -> float:
    largest = np.abs(rows).max(axis=1, keepdims=True)
    # By its largest entry no vector overflows or vanishes.
    unit = rows / np.where(largest > 0, largest, 1.0)
    length = np.sqrt(np.square(unit).sum(axis=1, keepdims=True))
    unit = (unit / np.where(length > 0, length, 1.0)).astype(np.float32)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, 0.0)
    nearest = np.maximum(cosines.max(axis=1), -cosines.min(axis=1)).astype(np.float64)
    return float(np.square(1.0 / (np.maximum(1.0 - nearest, 0.0) + _COPY)).sum())
