"""What the entries of one tensor know of each other: sorted, copied, low rank, autocorrelated, ..."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.probe import Array, Probe


@dataclass(frozen=True)
class Dependence:
    """One way in which the entries of a tensor depend on each other or on their position.

    Attributes:
        name: ``sorted``, ``duplicate-units``, ``low-rank``, ...
        number: how many or how strong, where that is said; NaN where not.
    """

    name: str
    number: float = math.nan


@dataclass(frozen=True)
class _View:
    """The draws as matrices with one row a unit, the largest first."""

    matrices: Sequence[Array]
    scales: Sequence[float]  # of each: its largest entry, by which it was divided

    @property
    def first(self) -> Array:
        return self.matrices[0]

    @property
    def pair(self) -> Sequence[Array]:
        """The draws of the largest shape."""
        return [m for m in self.matrices if m.shape == self.first.shape]


def dependence_of(seen: Probe, layout: str) -> Dependence | None:
    """Name the first dependence that the draws show, None where they show none.

    >>> from initcheck.diagnosis.evidence.probe import probe
    >>> def sorted_normal(shape, seed):
    ...     return np.sort(np.random.default_rng(seed).normal(size=shape), axis=None).reshape(shape)
    >>> dependence_of(probe(sorted_normal, ranks=(2,)), "out_in").name
    'sorted'

    Args:
        seen: draws at the shapes of the plan.
        layout: tells which axis holds the units.
    """
    view = _view(seen, layout)
    if view is None:
        return None
    for look in _LOOKS:
        found = look(view)
        if found is not None:
            return found
    return None


def _view(seen: Probe, layout: str) -> _View | None:
    rank = 2 if layout in ("out_in", "in_out") else len(layout)
    units = []
    for shape, arrays in seen.of_rank(rank).items():
        layer = Layer(shape, layout)
        if min(layer.units, layer.inputs) >= 5 and layer.weights >= 256:
            units += [layer.as_units(a) for a in arrays if a.any()]
    units.sort(key=lambda m: -m.size)
    if all(float(m.min()) == float(m.max()) for m in units):
        return None
    scales = [float(np.abs(m).max()) for m in units]
    return _View([m / scale for m, scale in zip(units, scales, strict=True)], scales)


def _sorted(view: _View) -> Dependence | None:
    flat = view.first.ravel()
    for steps in (np.diff(flat), np.diff(view.first, axis=0), np.diff(view.first, axis=1)):
        up, down = float(np.mean(steps >= 0)), float(np.mean(steps <= 0))
        # Ties are steps both ways: a sparse or few-levelled tensor is sorted only if it never goes back.
        if max(up, down) > 0.99 and min(up, down) < 0.9:
            return Dependence("sorted")
    return None


def _diagonal(view: _View) -> Dependence | None:
    square = np.square(view.first)
    on = float(np.median(np.diagonal(square)))  # one huge weight that falls on it is no diagonal
    off = (float(square.sum()) - float(np.diagonal(square).sum())) / (square.size - min(square.shape))
    return Dependence("diagonal", math.sqrt(on / off) if off > 0 else math.inf) if on > 25 * off else None


def _dead(view: _View) -> Dependence | None:
    return _empty_rows(view.pair)


def _dead_elsewhere(view: _View) -> Dependence | None:
    return _empty_rows(view.matrices[len(view.pair) : 8])


def _empty_rows(matrices: Sequence[Array]) -> Dependence | None:
    for name, turn in (("dead-units", False), ("dead-inputs", True)):
        for matrix in matrices:
            rows = matrix.T if turn else matrix
            dead = int((~rows.any(axis=1)).sum())
            # A sparse tensor has an empty row now and then; what its density explains is no finding.
            expected = len(rows) * float(np.mean(rows == 0)) ** rows.shape[1]
            if (dead and expected < 1e-3) or dead > 0.02 * len(rows) > 20 * expected:
                return Dependence(name, dead / len(rows))
    return None


def _copied_units(view: _View) -> Dependence | None:
    return _copies("units", view.matrices)


def _copied_inputs(view: _View) -> Dependence | None:
    return _copies("inputs", [m.T for m in view.matrices])


def _copies(name: str, matrices: Sequence[Array]) -> Dependence | None:
    for matrix in matrices:
        rows = np.ascontiguousarray(matrix) + 0.0
        rows = rows[rows.any(axis=1)]
        few_levels = len(np.unique(rows[:64])) <= 16
        if len(rows) < 4 or rows.shape[1] < (64 if few_levels else 8):
            continue
        if few_levels and float(np.mean(rows == 0)) > 0.5:
            continue  # a sparse one with few levels may repeat a row by chance
        seen = {row.tobytes() for row in rows}
        if len(seen) < len(rows):
            return Dependence(f"duplicate-{name}", len(rows) - len(seen))
        opposite = sum((-row + 0.0).tobytes() in seen for row in rows)
        if opposite:
            return Dependence(f"opposite-{name}", opposite)
    return None


def _paired(view: _View) -> Dependence | None:
    if 4 * len(np.unique(np.abs(view.first))) < view.first.size:
        return None  # used more often than twice: copies of rows or columns, or few levels
    for turned in (view.first, view.first.T):
        flat = turned.ravel()
        half = len(flat) // 2
        for one, other in ((flat[: 2 * half : 2], flat[1 : 2 * half : 2]), (flat[:half], flat[::-1][:half])):
            for sign, name in ((1, "equal-pairs"), (-1, "opposite-pairs")):
                if _same(one, sign * other):
                    return Dependence(name)
    return None


def _same(one: Array, other: Array) -> bool:
    asked = (one != 0) | (other != 0)
    return bool(asked.sum() > 64 and np.ptp(one[asked]) > 0 and np.mean(one[asked] == other[asked]) > 0.99)


def _symmetric(view: _View) -> Dependence | None:
    for matrix in view.matrices:
        if matrix.shape[0] == matrix.shape[1] and matrix.size >= 256:
            above, below = matrix[np.triu_indices_from(matrix, 1)], matrix.T[np.triu_indices_from(matrix, 1)]
            if _same(above, below):
                return Dependence("symmetric")
            if _same(above, -below):
                return Dependence("antisymmetric")
    return None


def _fixed_zeros(view: _View) -> Dependence | None:
    if len(view.pair) < 2:
        return None
    one, other = view.pair[0] == 0, view.pair[1] == 0
    share = float(one.mean())
    if 0.02 < share < 1 and np.array_equal(one, other):
        return Dependence("fixed-zeros", share)
    return None


def _fixed_pattern(view: _View) -> Dependence | None:
    if len(view.pair) < 2:
        return None
    if np.array_equal(view.pair[0], view.pair[1]):
        return None  # no pattern under noise: the seed is ignored
    one, other = (np.sign(m).ravel() for m in view.pair[:2])
    one, other = one - one.mean(), other - other.mean()
    shared = float(one @ other) / math.sqrt(float(one @ one) * float(other @ other) or 1.0)
    return Dependence("fixed-pattern", shared) if shared > max(0.03, 7 / math.sqrt(len(one))) else None


def _low_rank(view: _View) -> Dependence | None:
    for matrix in [view.first, *(m for m in view.matrices if m.size < 10_000)][:4]:
        small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        if len(small) < 16 or not small.any(axis=1).all():
            continue
        values = np.maximum(np.linalg.eigvalsh(small @ small.T), 0.0)
        missing = int(np.sum(values < 1e-9 * values.mean()))
        # One direction may be missing where every unit is centred; a square random matrix comes near it too.
        if missing >= max(2, len(small) // 16):
            return Dependence("low-rank", len(small) - missing)
        few = max(1, len(small) // 4)
        if _kurtosis(small) < 20 and values[-few:].sum() > 0.97 * values.sum():
            return Dependence("low-rank", int(np.sum(np.cumsum(values[::-1]) < 0.97 * values.sum())) + 1)
    return None


def _kurtosis(matrix: Array) -> float:
    squares = matrix**2  # a few huge weights hold all the energy, and are no low rank
    return float(np.mean(squares**2)) / float(np.mean(squares)) ** 2


def _spectral(view: _View) -> Dependence | None:
    norms: dict[tuple[int, ...], float] = {}
    for matrix, scale in zip(view.matrices, view.scales, strict=True):
        small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        if len(small) <= 64 and len(norms) < 8 and matrix.shape not in norms:
            norms[matrix.shape] = scale * math.sqrt(float(np.linalg.eigvalsh(small @ small.T)[-1]))
    return _one_number("spectral", norms)


def _spectral_radius(view: _View) -> Dependence | None:
    """The largest eigenvalue, of squares: what an echo state network divides its reservoir by."""
    radii: dict[tuple[int, ...], float] = {}
    for matrix, scale in zip(view.matrices, view.scales, strict=True):
        if matrix.shape[0] == matrix.shape[1] <= 64 and len(radii) < 8 and matrix.shape not in radii:
            radii[matrix.shape] = scale * float(np.abs(np.linalg.eigvals(matrix)).max())
    return _one_number("spectral-radius", radii)


def _one_number(name: str, by_shape: Mapping[tuple[int, ...], float]) -> Dependence | None:
    values = np.array(list(by_shape.values()))
    if len(values) >= 5 and float(np.std(values)) < 0.012 * float(np.mean(values)):
        return Dependence(name, float(np.mean(values)))
    return None


def _neighbours(view: _View) -> Dependence | None:
    for name, turn in (("row", False), ("column", True)):
        lags = {
            lag: float(np.mean([_lagged(m.T if turn else m, lag) for m in view.pair])) for lag in (1, 2, 3, 4, 8, 24)
        }
        lag = max((1, 2, 3, 4, 8), key=lambda k: abs(lags[k]))
        if abs(lags[lag]) < max(0.05, 7 / math.sqrt(view.first.size * len(view.pair))):
            continue
        if lags[lag] > 0 and lags[24] > 0.7 * lags[lag]:
            return Dependence("unit-means" if not turn else "input-means", lags[24])
        return Dependence(f"autocorrelated-{name}", lags[lag])
    return None


def _lagged(matrix: Array, lag: int) -> float:
    if matrix.shape[1] <= lag:
        return 0.0
    centred = matrix - matrix.mean()
    return float(np.mean(centred[:, :-lag] * centred[:, lag:])) / float(np.mean(centred**2))


def _scales(view: _View) -> Dependence | None:
    shuffled = view.first.ravel()[np.random.default_rng(0).permutation(view.first.size)].reshape(view.first.shape)
    for name, turn in (("unit", False), ("input", True)):
        if view.first.shape[1 if turn else 0] < 32:
            continue
        own, chance = (float(np.var(np.mean((m.T if turn else m) ** 2, axis=1))) for m in (view.first, shuffled))
        if own < 1e-6 * chance:
            return Dependence(f"{name}-norms-equal")
        if own > 3 * chance:
            return Dependence(f"{name}-scales", own / chance)
    return None


def _correlated(view: _View) -> Dependence | None:
    for name, turn in (("units", False), ("inputs", True)):
        rows = view.first.T if turn else view.first
        if float(np.mean(rows == 0)) > 0.5:
            continue  # too few entries in common
        signs = np.sign(np.where(rows == 0, 0.0, rows - rows.mean()))
        length = signs.shape[1]
        if length < 64:
            continue
        products = signs @ signs.T / length
        np.fill_diagonal(products, 0.0)
        if float(np.abs(products).max()) > max(0.5, 7.5 / math.sqrt(length)):
            return Dependence(f"correlated-{name}", float(np.abs(products).max()))
        excess = float(np.mean(products**2)) * length * len(signs) / max(len(signs) - 1, 1)
        if excess > 1.25 and len(signs) >= 32:
            return Dependence(f"correlated-{name}", math.sqrt((excess - 1) / length))
    return None


# The most particular first: copies are low rank too, and a low rank correlates the units.
_LOOKS: tuple[Callable[[_View], Dependence | None], ...] = (
    _sorted, _diagonal, _dead, _copied_units, _paired, _copied_inputs, _symmetric, _fixed_zeros,
    _dead_elsewhere, _low_rank, _spectral, _spectral_radius, _fixed_pattern, _neighbours, _scales, _correlated,
)  # fmt: skip
