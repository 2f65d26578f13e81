"""Where the outputs of a layer look: which are interior, and how many inputs each answers to."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.layers.bench.bench import Bench

_ANSWERED = 1e-4


@dataclass(frozen=True)
class Interior:
    """The middle of a layer's spatial axes, where no edge and no padding shows.

    Attributes:
        extent: length of every spatial axis of the input.
        outputs: indices along each spatial axis of the output, whole periods of their counts.
        inputs: likewise of the input.
    """

    extent: int
    outputs: tuple[tuple[int, ...], ...] = ()
    inputs: tuple[tuple[int, ...], ...] = ()

    @property
    def places(self) -> int:
        """How many places of an output lie inside; 1 where there are no spatial axes."""
        return math.prod(map(len, self.outputs))

    def of_output(self, array: npt.NDArray[np.generic], channel_axis: int) -> npt.NDArray[np.generic]:
        """The interior of an array shaped as the output (batch, and channels where ``channel_axis`` says)."""
        return _cut(array, self.outputs, channel_axis)

    def of_input(self, array: npt.NDArray[np.generic], channel_axis: int) -> npt.NDArray[np.generic]:
        """The interior of an array shaped as the input."""
        return _cut(array, self.inputs, channel_axis)


def interior_of(bench: Bench, extent: int) -> Interior:
    """Where no edge shows, on as small an image as shows as many outputs.

    Raises:
        ValueError: the output has not the axes of the input, or no output is interior.
    """
    wide, spans = _wide_interior(bench, extent)
    return _narrow_interior(bench, wide, spans) or wide


def _wide_interior(bench: Bench, extent: int) -> tuple[Interior, list[int]]:
    """Light one slice of the input at a time, all weights 1, and see which slices of the output answer.

    With r the widest span of input slices that one output answers to, an output is interior when all of its slices
    lie in [r, N - 1 - r]. Strided transposed convolutions alternate: the interior is cut to whole periods.

    Raises:
        ValueError: the output has not the axes of the input, or no output is interior.
    """
    axes = bench.feed.axes if bench.feed.form == "image" else 0
    for _ in range(3):
        reaches = [_reach(bench, extent, axis) for axis in range(axes)]
        spans = [int(_span(reach).max()) for reach in reaches]
        widest = max(spans, default=0)
        if extent >= 4 * widest + 1:
            break
        extent = 4 * widest + 1
    else:
        raise ValueError("an output answers to inputs that lie ever further apart")
    outputs, inputs = [], []
    for reach, span in zip(reaches, spans, strict=True):
        slices = [np.flatnonzero(column) for column in reach.T]
        inside = [o for o, s in enumerate(slices) if s.size and s.min() >= span and s.max() <= extent - 1 - span]
        outputs.append(_whole_periods(inside, reach.sum(axis=0)))
        inputs.append(_whole_periods(list(range(span, extent - span)), reach.sum(axis=1)))
    if any(not found for found in (*outputs, *inputs)):
        raise ValueError("no output lies wholly inside the input")
    return Interior(extent, tuple(outputs), tuple(inputs)), spans


def _narrow_interior(bench: Bench, wide: Interior, spans: list[int]) -> Interior | None:
    """The same outputs on an image that holds no more than they answer to; None where it cannot be told.

    Of a layer all of whose outputs answer to a window of the same slices, each to those around its own: on a smaller
    image those are interior that answer to as many. At 11 x 11 such an image has a quarter of the places.
    """
    if len(set(spans)) > 1 or len(set(map(len, wide.outputs))) > 1:
        return None
    if not spans or spans[0] < 2 or len(wide.outputs[0]) < 2:
        return None
    span, extent = spans[0], spans[0] + len(wide.outputs[0]) - 1
    outputs, inputs = [], []
    for axis in range(len(spans)):
        try:
            reach = _reach(bench, extent, axis)
        except Exception:  # an image that is too small raises in any way
            return None
        slices = [np.flatnonzero(column) for column in reach.T]
        inside = [o for o, s in enumerate(slices) if s.size == span and s[-1] - s[0] == span - 1]
        starts = [int(slices[o][0]) for o in inside]
        # Padding by reflection answers at its edge to the one behind it twice.
        answered = [i for i, row in enumerate(reach) if np.count_nonzero(row) == span][1:-1]
        if len(inside) != len(wide.outputs[axis]) or np.any(np.diff(starts) != 1) or not answered:
            return None
        outputs.append(tuple(inside))
        inputs.append(tuple(answered))
    return Interior(extent, tuple(outputs), tuple(inputs))


def _reach(bench: Bench, extent: int, axis: int) -> npt.NDArray[np.bool_]:
    """Which output slices answer to which input slices along an axis, (inputs, outputs)."""
    [shape] = bench.feed.shapes(bench.size, extent, extent)
    lit = np.zeros(shape, np.float32)
    place = _spatial(shape, bench.feed.channel_axis)[axis]
    for at in range(extent):
        index: list[slice | int] = [slice(None)] * lit.ndim
        index[0], index[place] = at, at
        lit[tuple(index)] = 1.0
    dark = np.zeros(shape, np.float32)
    out = np.abs(bench.run(bench.ones, [lit]) - bench.run(bench.ones, [dark]))
    if out.ndim != lit.ndim:
        raise ValueError("its output has other axes than its input")
    if not out.max() > _ANSWERED:
        # What takes its mean off a kernel, or divides by its spread, makes nothing of ones.
        ours = bench.random(positive=True)
        out = np.abs(bench.run(ours, [lit]) - bench.run(ours, [dark]))
    place = _spatial(out.shape, bench.feed.channel_axis)[axis]
    others = tuple(a for a in range(1, out.ndim) if a != place)
    return np.asarray(out.max(axis=others) > _ANSWERED)


def _spatial(shape: tuple[int, ...], channel_axis: int) -> list[int]:
    return [a for a in range(1, len(shape)) if a != channel_axis % len(shape)]


def _span(reach: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Length of the shortest stretch that holds the slices an output answers to, around the ends if need be.

    With circular padding an output at one end answers to slices at the other.
    """
    extent, spans = len(reach), []
    for column in reach.T:
        found = np.flatnonzero(column)
        gaps = np.diff(np.append(found, found[:1] + extent))
        spans.append(extent - int(gaps.max()) + 1 if found.size else 0)
    return np.array(spans)


def _whole_periods(run: list[int], counts: npt.NDArray[np.int64]) -> tuple[int, ...]:
    """The longest start of a run of indices that holds whole periods of the counts there."""
    found = [int(counts[i]) for i in run]
    for period in range(1, max(len(run) // 2, 1) + 1):
        if all(found[i] == found[i + period] for i in range(len(found) - period)):
            return tuple(run[: len(run) // period * period])
    return tuple(run)


def _cut(
    array: npt.NDArray[np.generic], kept: tuple[tuple[int, ...], ...], channel_axis: int
) -> npt.NDArray[np.generic]:
    for axis, indices in zip(_spatial(array.shape, channel_axis), kept, strict=False):
        array = np.take(array, indices, axis=axis)
    return array
