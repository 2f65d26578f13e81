"""What is compared of two calls: numbers of a call that a first sample of both chose, and the scores they make."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NOT_SEEN = (
    "not seen: what one call tells of the next, a difference in fewer than about one call in twenty, and dependence"
    " between entries that leaves row and column energies, inner products of rows and of columns, neighbours and the"
    " largest singular value as they are"
)
"""What two laws may differ in though they are called the same."""

_COSINES = 8
_GRID = 513
# What rounding does to an atom of a law is no difference: a size has the mean rank of those within 2 % of it, and where
# a law has few sizes those within 0.5 %, to which bfloat16 rounds, are one.
_BLUR, _ROUNDED, _FEW = 0.02, 0.005, 256
# A pattern is counted in parts of what a hundredth of every weight would move it by, where chance moves it less.
_OFF = 0.01
# A score is cut where two calls are six standard deviations of a call apart.
_REACH = 3.0
# Of what is the same to rounding in every call (the rows of an orthogonal matrix have length 1) no rounding may show.
_ROUNDING = 1e-3
_FLOOR = 1e-8
_LEAST_SIZE = 1e-12
# |E s| that counts as the same: so much at least, for a smaller one would take thousands of calls, and at most.
_LEAST, _MOST = 0.1, 0.5
LARGE_CALLS = 0.25
"""What counts as the same of calls that take long and hold thousands of numbers: 1.5 standard deviations of a call."""
# Where so many numbers would be decomposed, the largest singular value is left out: rows and columns show it too.
_DECOMPOSED = 64


@dataclass(frozen=True)
class Feature:
    """One number of a call.

    Attributes:
        name: in words, read after "differs in".
        kind: what it is about: ``law``, ``scale``, ``mean``, ``position``, ``dependence``, ``calls``, ``values``.
        tolerated: difference in its mean over calls that counts as the same where calls are large enough to tell.
    """

    name: str
    kind: str
    tolerated: float


_FEATURES = (
    *(Feature(f"the law of an entry (cosine {j})", "law", 0.03) for j in range(1, _COSINES + 1)),
    Feature("the size of an entry", "scale", 0.01),
    *(
        Feature(f"the {what} of weights by {where}", "position", 0.2)
        for what in ("mean", "size")
        for where in ("row", "column", "position")
    ),
    Feature("how unequal the rows of a call are", "dependence", 0.2),
    Feature("how unequal the columns of a call are", "dependence", 0.2),
    Feature("inner products of rows", "dependence", 0.2),
    Feature("inner products of columns", "dependence", 0.2),
    Feature("correlation of neighbours in a row", "dependence", 0.02),
    Feature("correlation of neighbours in a column", "dependence", 0.02),
    Feature("correlation of mirrored entries", "dependence", 0.02),
    Feature("the largest singular value", "dependence", 0.02),
    Feature("the largest weight", "law", 0.02),
    Feature("the mean of a call", "mean", 0.01),
    Feature("weights that are not finite", "values", 0.01),
    Feature("the energy of a call", "scale", 0.02),
    Feature("how the energy varies from call to call", "calls", 0.1),
)
_ENERGY = len(_FEATURES) - 2


class CallScores:
    """Antisymmetric bounded scores of a pair of calls, one of A and one of B.

    Of each call some thirty numbers h are taken. The score of a pair is h(a) - h(b), cut at +-2 r and divided by 2 r:
    within [-1, 1], and of the other sign where a and b change places. The first sample fixes what each h and r are
    (the median that weights are counted in, the grid of their law, the patterns by row, column and position in which
    A's and B's first calls differ most), so that of later calls they are fixed functions.

    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(64, 8, 16)), 2 * rng.normal(size=(64, 8, 16))
    >>> scores = CallScores(a, b)
    >>> s = scores.of(rng.normal(size=(9, 8, 16)), 2 * rng.normal(size=(9, 8, 16)))
    >>> s.shape == (9, len(scores.features)), bool(np.abs(s).max() <= 1)
    (True, True)

    Args:
        a, b: first calls of each, shape (calls, rows, columns).
        least: the smallest |E s| that is told from 0; a smaller one takes more pairs.

    Attributes:
        features: what each score is about.
        excluded: for each score the |E s| from which on two laws are not called the same.
    """

    features = _FEATURES

    def __init__(self, a: Floats, b: Floats, least: float = _LEAST) -> None:
        both = np.nan_to_num(np.concatenate([a, b]).astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        self._atoms = _atoms(np.abs(both))
        both = self._unrounded(both)
        sizes = np.abs(both)
        used = sizes[sizes > 0]
        self.scale = float(np.median(used)) if used.size else 1.0
        self._grid, self._share = _ranks(np.log(np.sort(used) / self.scale), zeros=sizes.size - used.size)
        half = len(a)
        self._patterns = list(_patterns(both[:half] / self.scale, both[half:] / self.scale))
        self._middle = 0.0
        first = [self._numbers(a), self._numbers(b)]
        self._middle = float(np.median(np.concatenate([n[:, _ENERGY] for n in first])))
        for n in first:
            n[:, -1] = np.abs(n[:, _ENERGY] - self._middle)
        spread = np.sqrt((first[0].var(axis=0) + first[1].var(axis=0)) / 2)
        wanted = np.array([f.tolerated for f in _FEATURES])
        self._reach: Floats = np.maximum.reduce(
            [_REACH * spread, wanted / (2 * _MOST), np.full(len(wanted), _ROUNDING)]
        )
        self.excluded: Floats = np.clip(wanted / (2 * self._reach), least, _MOST)

    def of(self, a: Floats, b: Floats) -> Floats:
        """The scores of pairs, (pairs, scores), of calls (pairs, rows, columns) of each."""
        difference = self._numbers(a) - self._numbers(b)
        return np.asarray(np.clip(difference / (2 * self._reach), -1.0, 1.0))

    @property
    def factor(self) -> float:
        """The factor between two standard deviations that SAME does not exclude."""
        return math.exp(float(self._reach[_ENERGY] * self.excluded[_ENERGY]))

    def _unrounded(self, w: Floats) -> Floats:
        """The weights, those of a law of few sizes at the size that they were rounded from."""
        if not self._atoms.size:
            return w
        size = np.abs(w)
        middles = (self._atoms[1:] + self._atoms[:-1]) / 2
        nearest = self._atoms[np.searchsorted(middles, size)]
        return np.asarray(np.where(np.abs(size - nearest) <= _ROUNDED * nearest, np.copysign(nearest, w), w))

    def _numbers(self, w: Floats) -> Floats:
        w = np.asarray(w, dtype=np.float64)
        finite = np.isfinite(w)
        z = self._unrounded(np.where(finite, w, 0.0)) / self.scale
        size = np.abs(z)
        share = np.interp(np.log(np.maximum(size, _LEAST_SIZE)), self._grid, self._share)
        placed = [np.tanh(np.tensordot(of(z) - mean, c, 2) / 2) for of, mean, c in self._patterns]
        energy = np.log((size * size).mean(axis=(1, 2)) + _FLOOR)
        return np.stack(
            [
                *_cosines(np.pi * (0.5 + np.sign(z) * share / 2)),
                (size / (1.0 + size)).mean(axis=(1, 2)),
                *placed,
                *_structure(z, size),
                1.0 - finite.mean(axis=(1, 2)),
                energy,
                np.abs(energy - self._middle),
            ],
            axis=1,
        )


def _atoms(sizes: Floats) -> Floats:
    """The sizes of a law that has few of them, one of those that rounding may have made of one; else none."""
    distinct = np.unique(sizes)
    if distinct.size > _FEW:
        return np.empty(0)
    kept = np.concatenate([[True], distinct[1:] > (1 + _ROUNDED) * distinct[:-1]])
    return np.asarray(distinct[kept])


def _ranks(logs: Floats, zeros: int) -> tuple[Floats, Floats]:
    """The rank of a size as a share, at knots of its logarithm; the shares of zeros are the least.

    It is the mean of the empirical distribution over sizes within 2 %, which has no steps.
    """
    below = math.log(_LEAST_SIZE)
    share = zeros / (zeros + logs.size)
    if not logs.size:
        return np.array([below]), np.array([share / 2])
    places = np.unique(np.quantile(logs, np.linspace(0.0, 1.0, _GRID)))
    knots = np.unique(np.concatenate([places - _BLUR, places, places + _BLUR]))
    sums = np.concatenate([[0.0], np.cumsum(logs)])

    def integral(x: Floats) -> Floats:
        count = np.searchsorted(logs, x, side="right")
        return np.asarray(count * x - sums[count])

    ranks = (integral(knots + _BLUR) - integral(knots - _BLUR)) / (2 * _BLUR * logs.size)
    # Left of the smallest size that was seen all are nearer to it than to zero.
    lowest = max(below, float(knots[0]) - 1.0)
    return np.concatenate([[lowest], knots]), np.concatenate([[share / 2], share + (1 - share) * ranks])


Pattern = tuple[Callable[[Floats], Floats], Floats, Floats]


def _patterns(a: Floats, b: Floats) -> Iterator[Pattern]:
    """By row, column and entry, the pattern of the mean and of the size in which the first calls differ most."""
    for of in (_as_it_is, np.abs):
        x, y = of(a), of(b)
        mean = (x.mean(axis=0) + y.mean(axis=0)) / 2
        difference = x.mean(axis=0) - y.mean(axis=0)
        by_row = np.broadcast_to(difference.mean(axis=1, keepdims=True) - difference.mean(), difference.shape)
        by_column = np.broadcast_to(difference.mean(axis=0, keepdims=True) - difference.mean(), difference.shape)
        for pattern in (by_row, by_column, difference):
            projected = np.concatenate([np.tensordot(w - mean, pattern, 2) for w in (x, y)])
            spread = float(np.sqrt((projected[: len(x)].var() + projected[len(x) :].var()) / 2))
            off = _OFF * float(np.abs(pattern).sum())
            yield of, mean, pattern / (max(spread, off) + _FLOOR)


def _as_it_is(w: Floats) -> Floats:
    return w


def _cosines(angle: Floats) -> Iterator[Floats]:
    """The means over each call of cos(angle), cos(2 angle), ..., by Chebyshev's recurrence."""
    one = np.cos(angle)
    before, now = np.ones_like(one), one
    for _ in range(_COSINES):
        yield now.mean(axis=(1, 2))
        before, now = now, 2 * one * now - before


def _structure(z: Floats, size: Floats) -> Iterator[Floats]:
    """What the entries of a call know of one another, whatever their scale."""
    calls, rows, columns = z.shape
    energy = (size * size).mean(axis=(1, 2)) + _FLOOR
    squares = size * size / energy[:, None, None]
    yield np.log(squares.mean(axis=2).var(axis=1) + _FLOOR)
    yield np.log(squares.mean(axis=1).var(axis=1) + _FLOOR)
    centred = z - z.mean(axis=(1, 2), keepdims=True)
    variance = (centred * centred).mean(axis=(1, 2)) + _FLOOR
    for x in (centred, centred.swapaxes(1, 2)):
        gram = x @ x.swapaxes(1, 2)
        own = np.diagonal(gram, axis1=1, axis2=2)
        apart = (gram * gram).sum(axis=(1, 2)) - (own * own).sum(axis=1)
        yield np.log(np.maximum(apart, 0.0) / (own.sum(axis=1) ** 2 + _FLOOR) + _FLOOR)
    yield _mean_product(centred[:, :, 1:], centred[:, :, :-1]) / variance
    yield _mean_product(centred[:, 1:], centred[:, :-1]) / variance
    mirrored = centred.swapaxes(1, 2) if rows == columns else centred[:, ::-1, ::-1]
    yield _mean_product(centred, mirrored) / variance
    if min(rows, columns) <= _DECOMPOSED:
        short = z if rows <= columns else z.swapaxes(1, 2)
        largest = np.linalg.eigvalsh(short @ short.swapaxes(1, 2))[:, -1]
        yield np.log(np.maximum(largest, 0.0) / (energy * rows * columns) + _FLOOR) / 2
    else:
        yield np.zeros(calls)
    yield np.log(size.max(axis=(1, 2)) ** 2 / energy + _FLOOR) / 2
    yield z.mean(axis=(1, 2)) / (size.mean(axis=(1, 2)) + _FLOOR)


def _mean_product(x: Floats, y: Floats) -> Floats:
    return (x * y).mean(axis=(1, 2)) if x.size else np.zeros(len(x))
