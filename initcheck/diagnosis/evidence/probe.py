"""A first look at an initializer: draws at about two dozen shapes, 260,000 weights in all."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.variance_law import LawSample

Array = npt.NDArray[np.float64]
Read = TypeVar("Read")
DrawFunction = Callable[[tuple[int, ...], int], npt.NDArray[np.floating]]
"""``draw(shape, seed)``: an array of exactly that shape; raises where the initializer fails."""

# Both orders of every rectangle, small odd fans, the neighbours of 256: what tells one law from another.
_DENSE: tuple[tuple[tuple[int, int], int], ...] = (
    ((256, 256), 2),
    ((300, 24), 1), ((24, 300), 1), ((128, 64), 1), ((64, 128), 1),
    ((33, 100), 2), ((100, 33), 2), ((257, 16), 1), ((16, 257), 1),
    ((1, 256), 8), ((256, 1), 8), ((2, 128), 8), ((128, 2), 8), ((3, 170), 4), ((170, 3), 4),
    ((5, 90), 4), ((90, 5), 4), ((7, 63), 4), ((63, 7), 4),
    ((3, 3), 16), ((1, 3), 16), ((3, 1), 16), ((1, 1), 32),
)  # fmt: skip
# Of what makes square matrices only, whose fans are one.
_SQUARES: tuple[tuple[tuple[int, int], int], ...] = (
    ((256, 256), 2), ((128, 128), 1), ((100, 100), 1), ((64, 64), 2), ((48, 48), 2), ((33, 33), 3), ((24, 24), 4),
    ((16, 16), 6), ((9, 9), 12), ((7, 7), 16), ((5, 5), 24), ((3, 3), 48), ((2, 2), 64), ((1, 1), 64),
)  # fmt: skip
# All axes different, so that the axes that divide can be told apart, and no axis product equals another.
_PLANS: Mapping[int, tuple[tuple[tuple[int, ...], int], ...]] = {
    2: _DENSE,
    3: (
        ((5, 11, 23), 2), ((23, 11, 5), 2), ((12, 40, 3), 2), ((3, 40, 12), 2),
        ((96, 2, 5), 2), ((5, 2, 96), 2),
    ),
    4: (
        ((5, 6, 7, 8), 2), ((8, 7, 6, 5), 2), ((16, 12, 3, 5), 2), ((3, 5, 12, 16), 2),
        ((96, 2, 3, 5), 2), ((5, 3, 2, 96), 2),  # more units than inputs
    ),
    5: (
        ((5, 6, 2, 3, 7), 2), ((7, 3, 2, 6, 5), 2), ((12, 8, 2, 4, 3), 2), ((3, 4, 2, 8, 12), 2),
        ((96, 2, 3, 1, 5), 2), ((5, 1, 3, 2, 96), 2),
    ),
}  # fmt: skip


# The same with kernels of one size, first or last.
_EQUAL_KERNELS: tuple[tuple[tuple[int, ...], int], ...] = (
    ((5, 8, 3, 3), 4), ((3, 3, 8, 5), 4), ((16, 12, 5, 5), 2), ((5, 5, 12, 16), 2), ((7, 40, 2, 2), 2),
    ((2, 2, 40, 7), 2), ((96, 2, 4, 4), 2), ((4, 4, 2, 96), 2),
)  # fmt: skip


@dataclass(frozen=True)
class Probe:
    """What an initializer returned at the shapes of the plan.

    Attributes:
        draws: shape -> finite arrays of that shape, in float64, one per seed.
        failures: shape -> why there is no such array: it raised, another shape, no number, not finite.
        infinite: shapes that gave an infinite or NaN weight.
        returned: shape asked for -> the other shape that was returned.
        equal_kernels: kernels of several sides cannot be asked for.
    """

    draws: Mapping[tuple[int, ...], tuple[Array, ...]]
    failures: Mapping[tuple[int, ...], str] = field(default_factory=dict)
    infinite: frozenset[tuple[int, ...]] = frozenset()
    returned: Mapping[tuple[int, ...], tuple[int, ...]] = field(default_factory=dict)
    equal_kernels: bool = False

    def of_rank(self, rank: int) -> dict[tuple[int, ...], tuple[Array, ...]]:
        """Keep the draws with this number of axes."""
        return {shape: arrays for shape, arrays in self.draws.items() if len(shape) == rank}

    def large(self, least: int = 1024) -> list[Array]:
        """List the draws of at least so many weights, the largest first."""
        found = [a for arrays in self.draws.values() for a in arrays if a.size >= least]
        return sorted(found, key=lambda a: -a.size)

    def matrices(self, side: int = 16) -> list[Array]:
        """List the matrices both of whose sides have at least so many entries, the largest first."""
        return [a for a in self.large(side * side) if a.ndim == 2 and min(a.shape) >= side]

    def samples(
        self, layout: str, of: Callable[[Array], float] | None = None, groups: int | str = 1
    ) -> list[LawSample]:
        """Reduce the draws whose rank fits the layout to one second moment per shape.

        Args:
            layout: the meaning of the axes, as in ``Layer``.
            of: a scale to take the place of the second moment, such as a squared interquartile range.
            groups: groups of a convolution, or ``depthwise``.
        """

        def layer(shape: tuple[int, ...]) -> Layer:
            plain = Layer(shape, layout)
            return Layer(shape, layout, plain.units) if groups == "depthwise" else Layer(shape, layout, int(groups))

        rank = 2 if layout in ("out_in", "in_out") else len(layout)
        found = []
        zeros = self._share_of_zeros()
        for shape, arrays in self.of_rank(rank).items():
            values = [float(np.mean(a * a)) for a in arrays]
            n = sum(a.size for a in arrays)
            mean = float(np.mean(values))
            if zeros > 0.02 and n * (1 - zeros) < 40:
                continue  # a sparse tensor of few weights may be empty, or nearly
            error = _relative_error(arrays, values, mean)
            if of is not None:
                mean, error = float(np.mean([of(a) for a in arrays])), max(0.02, 3 / math.sqrt(n))
            found.append(LawSample(layer(shape), mean, error, n))
        for shape in self.failures:
            if self.equal_kernels and len({n for n, axis in zip(shape, layout, strict=False) if axis in "hwd"}) > 1:
                continue
            if len(shape) == rank and shape in self.infinite:
                found.append(LawSample(layer(shape), math.inf, 1.0, 0))
            elif len(shape) == rank and shape not in self.draws:
                found.append(LawSample(layer(shape), math.nan, 1.0, 0))
        return found

    def _share_of_zeros(self) -> float:
        large = self.large()
        return float(np.mean([np.mean(a == 0) for a in large])) if any(a.any() for a in large) else 0.0

    def mean(self) -> tuple[float, float]:
        """Mean over rms, averaged over the large draws, and its standard error between draws."""
        values, sizes = [], []
        for a in self.large():
            rms = math.sqrt(float(np.mean(a * a)))
            if rms > 0:
                values.append(float(a.mean()) / rms)
                sizes.append(a.size)
        if not values:
            return 0.0, math.inf
        weights = np.array(sizes) / np.sum(sizes)
        mean = float(np.dot(weights, values))
        excess = np.array(sizes) * (np.array(values) - mean) ** 2  # about 1 each where entries are independent
        # Two large draws hold most weights: they alone set the error only where the draws plainly disagree.
        spread = float(np.mean(excess))
        spread = float(np.dot(weights, excess)) if spread > 3 else spread
        return mean, math.sqrt(max(spread, 1.0) / float(np.sum(sizes)))


def probe(
    draw: DrawFunction,
    *,
    seed: int = 0,
    ranks: Iterable[int] = (2, 4),
    depthwise: str | None = None,
    grouped: tuple[str, int] | None = None,
    also: tuple[int, ...] | None = None,
    equal_kernels: bool = False,
    squares: bool = False,
) -> Probe:
    """Draw at the shapes of the plan; whatever the initializer does wrong is noted, never raised.

    >>> def he(shape, seed):
    ...     return np.random.default_rng(seed).normal(0, (2 / shape[1]) ** 0.5, shape)
    >>> sum(a.size for arrays in probe(he, ranks=(2,)).draws.values() for a in arrays) < 260_000
    True

    Args:
        draw: the initializer.
        seed: where the seeds used begin; each is 17 after the last.
        ranks: numbers of axes to try, of 2 to 5.
        depthwise: a layout of convolutions whose units see one channel each.
        grouped: a layout of convolutions and their number of groups, which then divides the units.
        also: one more shape to draw at, such as the one that fails.
        equal_kernels: whether all sides of a kernel are of one size.
        squares: whether it makes square matrices only.
    """
    plans = {**_PLANS, 4: _EQUAL_KERNELS} if equal_kernels else dict(_PLANS)
    plans[2] = _SQUARES if squares else plans[2]
    if grouped is not None:
        plans[len(grouped[0])] = _grouped_plan(*grouped)
    if also is not None and also not in dict(plans.get(len(also), ())):
        calls = max(2, min(_ALSO_CALLS, _ALSO_WEIGHTS // max(1, math.prod(also))))
        plans[len(also)] = (*plans.get(len(also), ()), (also, calls))
    if depthwise is not None:
        plans[len(depthwise)] = _depthwise_plan(depthwise)
    draws: dict[tuple[int, ...], tuple[Array, ...]] = {}
    failures: dict[tuple[int, ...], str] = {}
    infinite: set[tuple[int, ...]] = set()
    returned: dict[tuple[int, ...], tuple[int, ...]] = {}
    for rank in ranks:
        missed = 0
        for shape, calls in plans.get(rank, ()):
            kept: list[Array] = []
            for _ in range(calls):
                seed += _STRIDE
                drawn, why = _one(draw, shape, seed)
                if drawn is None:
                    failures[shape] = why
                    break
                if drawn.shape != shape:
                    failures[shape] = f"it returned shape {drawn.shape}"
                    returned[shape] = drawn.shape
                    break
                kept.append(drawn)
            if failures.get(shape) == _NOT_FINITE:
                infinite.add(shape)
            elif kept:
                draws[shape] = tuple(kept)
            else:
                missed += 1
            if missed == 3 and not any(len(s) == rank for s in draws):
                break  # it does not take this rank: a slow initializer is spared the rest
    return Probe(draws, failures, frozenset(infinite), returned, equal_kernels)


def repeated(
    draw: DrawFunction, shape: tuple[int, ...], seed: int, calls: int, of: Callable[[Array], Read], *, step: int = 17
) -> list[Read] | None:
    """What is read off calls at one shape, not finite weights and all; None where one does not take it.

    >>> repeated(lambda shape, seed: np.full(shape, seed), (2, 3), 0, 3, np.sum)
    [np.float64(0.0), np.float64(102.0), np.float64(204.0)]

    Args:
        draw: the initializer.
        shape: asked for in every call.
        seed: of the first call.
        calls: how many.
        of: what is kept of a call, whose weights are let go.
        step: between one seed and the next.
    """
    found = []
    for k in range(calls):
        try:
            weights = np.asarray(draw(shape, seed + step * k), dtype=np.float64)
        except Exception:  # whatever its code raises here, it says nothing about the cause that is looked for
            return None
        if weights.shape != shape:
            return None
        found.append(of(weights))
    return found


def _grouped_plan(layout: str, groups: int) -> tuple[tuple[tuple[int, ...], int], ...]:
    units = layout.index("o")
    return tuple(
        (tuple(-(-n // groups) * groups if axis == units else n for axis, n in enumerate(shape)), calls)
        for shape, calls in _PLANS[len(layout)]
    )


def _depthwise_plan(layout: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    kernels = (
        (64, 3, 3, 1),
        (16, 5, 2, 2),
        (7, 3, 5, 3),
        (128, 1, 3, 1),
        (33, 7, 6, 2),
        (3, 4, 6, 2),
        (40, 1, 1, 1),
    )
    letters = ({"o": o, "i": 1, "h": h, "w": w, "d": d} for o, h, w, d in kernels)
    shapes = [tuple(sizes[a] for a in layout) for sizes in letters]
    return tuple((shape, max(2, 2000 // math.prod(shape))) for shape in shapes)


# Seeds side by side may be related, which is a finding of its own and must not look like a fixed pattern.
_STRIDE = 17
_ALSO_WEIGHTS, _ALSO_CALLS = 4096, 1024
_NOT_FINITE = "a weight is infinite or NaN"


def _one(draw: DrawFunction, shape: tuple[int, ...], seed: int) -> tuple[Array | None, str]:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            drawn = np.asarray(draw(shape, seed), dtype=np.float64)
    except (Exception, SystemExit) as error:  # whatever a user's code raises is a finding about it
        return None, f"{type(error).__name__}: {error}"
    if not np.isfinite(drawn).all():
        return None, _NOT_FINITE
    return drawn, ""


def _relative_error(arrays: Sequence[Array], values: Sequence[float], mean: float) -> float:
    # The larger of the error inside the draws and between them: entries of one draw may be dependent.
    if mean <= 0 or not math.isfinite(mean):
        return 1.0
    n = sum(a.size for a in arrays)
    fourth = sum(float(np.sum(np.square(a * a))) for a in arrays) / n
    within = math.sqrt(max(fourth / mean**2 - 1, 0.0) / n)
    between = float(np.std(values, ddof=1)) / mean / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return max(within, between)
