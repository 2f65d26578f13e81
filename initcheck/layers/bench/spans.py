"""What the weights of a layer of several matrices sum over, read off the row spaces of their gradients."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.layers.bench.bench import Bench
from initcheck.layers.bench.feeds import TOKENS
from initcheck.layers.bench.geometry import Interior

Floats = npt.NDArray[np.float64]

_PACKED = (4, 3, 2)
_SMALL = 1e-3
_ATTEMPTS = 4
_WEAK = 0.2
_EXTENT = 9
# So many that a ReLU lets one through, where a weight has one sign.
_SAMPLES = 32


@dataclass(frozen=True)
class Span:
    """How a weight is used, found at one size and true of all.

    Attributes:
        summed: the axes a unit sums over.
        packed: (axis, number of blocks) of an output axis that holds several matrices side by side.
        kernel: of the summed axes those of the positions of a kernel.
        by_shape: it is no sum; only one axis has as many entries as the layer has inputs.
    """

    summed: tuple[int, ...]
    packed: tuple[int, int] | None = None
    kernel: tuple[int, ...] = ()
    by_shape: bool = False


def spans_of(bench: Bench) -> dict[str, Span | None]:
    """The span of every weight; None where neither the gradients tell it nor its shape does.

    Two input vectors are fed and two losses asked. Along the axis that a weight multiplies, the row space of its
    gradient is that of what was fed to it: another loss changes the errors, not the inputs. An image is as small as
    the layer takes: of a kernel that pads it then uses one position, and the axes of the others are those of a kernel.
    """
    image = bench.feed.form == "image"
    extent = _smallest_extent(bench) if image else 9
    stacked = bench.feed.form == "rows" and any(w.ndim > 2 for w in bench.weights.values())
    batch = TOKENS if image or bench.feed.form in ("rows", "cell") else 1
    arguments = {value for _, value in bench.size.arguments if isinstance(value, int)}
    declared = arguments | {bench.size.inputs, bench.size.outputs}
    found: dict[str, Span | None] = dict.fromkeys(bench.weights)
    for _ in range(_ATTEMPTS):
        inputs = bench.normal(batch, extent)
        # Weak weights: strong ones saturate an attention, and two tokens become one.
        parameters = bench.random(scale=_WEAK)
        out = bench.run(parameters, inputs)
        pulled = []
        for _ in range(2):
            cotangent = bench.rng.standard_normal(out.shape).astype(np.float32)
            pulled.append(bench.pull(parameters, inputs, cotangent)[1])
        if stacked:
            alone = bench.pull(parameters, bench.normal(1, extent), cotangent[:1])[1]
        fed = [np.moveaxis(np.asarray(x, np.float64), bench.feed.channel_axis, -1) for x in inputs]
        fed = [x.reshape(-1, x.shape[-1]) for x in fed]
        for name, weight in bench.weights.items():
            if found[name] is None:
                one, other = (np.asarray(p[name], np.float64) for p in pulled)
                positions = _positions(bench, weight.ndim)
                kernel = _kernel_axes(one, positions) if extent == 1 else ()
                of_one = np.asarray(alone[name], np.float64) if stacked else one
                summed = _summed(one, other, of_one, fed if not image or extent == 1 else ())
                others = [n for axis, n in enumerate(weight.shape) if axis not in kernel]
                if summed is None and kernel and sorted(others)[-2:-1] == [1]:
                    summed = ()  # of a depthwise kernel a unit sums over the positions alone
                if summed is not None:
                    summed = tuple(sorted({*summed, *kernel}))
                    kernel = tuple(axis for axis in summed if axis in positions)
                    found[name] = Span(summed, _packed(weight.shape, summed, declared), kernel)
        if None not in found.values():
            break
    fed_by = [n for n in (bench.size.inputs, bench.size.second) if n]
    for name, span in found.items():
        axes = [axis for axis, length in enumerate(bench.weights[name].shape) if length in fed_by]
        if span is None and bench.weights[name].ndim == 2 and len(axes) == 1 and _sums_nothing(bench, name):
            found[name] = Span((axes[0],), by_shape=True)
    return found


def _sums_nothing(bench: Bench, name: str) -> bool:
    """Whether a weight is a direction, whose length changes no output, or a centre, which inputs are compared with.

    An input of zeros makes nothing of what is multiplied by it, and something of what is compared.
    """
    inputs, ours = bench.normal(_SAMPLES), bench.random()
    longer = ours | {name: 2 * ours[name]}
    out = bench.run(ours, inputs)
    if np.any(out) and np.allclose(out, bench.run(longer, inputs), rtol=1e-3):
        return True
    nothing = [np.zeros_like(x) for x in inputs]
    return not np.allclose(bench.run(ours, nothing), bench.run(longer, nothing))


def _smallest_extent(bench: Bench) -> int:
    """The smallest image that a layer takes."""
    for extent in range(1, _EXTENT):
        try:
            if bench.run(bench.own, bench.normal(1, extent)).size:
                return extent
        except Exception:  # an image that is too small raises in any way
            continue
    return _EXTENT


def _used(gradient: Floats, axes: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Which entries along some axes take part."""
    return np.asarray((gradient != 0).any(axis=tuple(a for a in range(gradient.ndim) if a not in axes)))


def _positions(bench: Bench, ndim: int) -> tuple[int, ...]:
    """The axes of a weight where its framework has the positions of a kernel, if it has as many as one."""
    axes = bench.feed.axes if bench.feed.form == "image" else 0
    if ndim != axes + 2:
        return ()
    return tuple(range(2, ndim) if bench.feed.channel_axis == 1 else range(axes))


def _kernel_axes(gradient: Floats, positions: Sequence[int]) -> tuple[int, ...]:
    """Those of which one position alone takes part, where an image of one pixel is fed."""
    return tuple(a for a in positions if gradient.shape[a] > 1 and np.count_nonzero(_used(gradient, (a,))) == 1)


def _summed(one: Floats, other: Floats, alone: Floats, fed: Sequence[Floats]) -> tuple[int, ...] | None:
    """The axes that a unit sums over; ``alone`` is the gradient of a single input."""
    if not (np.isfinite(one).all() and np.abs(one).max() > 0 and np.abs(other).max() > 0):
        return None
    spaces = [_row_space(x, range(1, 2)) for x in fed]
    for axis, length in enumerate(one.shape):
        mine = _row_space(one, (axis,))
        fits = [s for s in spaces if s.shape[1] == length]
        if mine.shape[0] < length and any(_inside(mine, space) for space in fits):
            return (axis,)
    for count in range(1, one.ndim):
        for axes in itertools.combinations(range(one.ndim), count):
            # What a router leaves out makes few rows of many, and is no sum.
            width = np.count_nonzero(_used(one, axes))
            if count > 1 and one.ndim > 2 and not all(_used(alone, (axis,)).all() for axis in axes):
                continue
            mine, theirs = _row_space(one, axes), _row_space(other, axes)
            low = len(mine) <= TOKENS and len(theirs) <= TOKENS and len(mine) < width
            if low and _inside(mine, theirs) and _inside(theirs, mine):
                return axes
    return None


def _row_space(array: Floats, axes: Sequence[int]) -> Floats:
    """An orthonormal basis of the space that the array spans along some axes, (rank, width)."""
    axes = list(axes)
    width = math.prod(array.shape[a] for a in axes)
    rows = np.moveaxis(array, axes, range(-len(axes), 0)).reshape(-1, width)
    _, values, basis = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(basis[values > _SMALL * values[0]]) if values[0] > 0 else basis[:0]


def _inside(one: Floats, other: Floats) -> bool:
    """Whether the space of ``one`` lies in that of ``other``."""
    rest = one - (one @ other.T) @ other
    return bool(np.abs(rest).max(initial=0.0) < 10 * _SMALL)


def _packed(shape: tuple[int, ...], summed: tuple[int, ...], declared: set[int]) -> tuple[int, int] | None:
    for axis, length in enumerate(shape):
        if axis in summed or length in declared:
            continue
        for blocks in _PACKED:
            if length % blocks == 0 and length // blocks in declared:
                return axis, blocks
    return None


def constant_axes(bench: Bench, interior: Interior) -> dict[str, tuple[int, ...]]:
    """Of a layer that is linear in every weight: the axes along which the gradient's profile ignores the loss.

    Fed with 1 everywhere, other weights random: along an axis that is summed over, the gradient is one profile times
    a number, whatever the loss; along an output's axis it follows the loss.
    """
    inputs = [np.ones(s, np.float32) for s in bench.shapes(1, interior.extent)]
    parameters = bench.random(positive=True)
    out = bench.run(parameters, inputs)
    pulled = []
    # Each loss looks at a channel of its own: the average of many would be much the same for any two.
    for index in (0, out.shape[bench.feed.channel_axis] - 1):
        cotangent = np.zeros(out.shape, np.float32)
        channel: list[slice | int] = [slice(None)] * out.ndim
        channel[bench.feed.channel_axis] = index
        cotangent[tuple(channel)] = bench.rng.uniform(0.5, 1.5, cotangent[tuple(channel)].shape)
        inside = np.zeros(out.size, bool)
        inside[interior.of_output(np.arange(out.size).reshape(out.shape), bench.feed.channel_axis).ravel()] = True
        cotangent *= inside.reshape(out.shape)
        pulled.append(bench.pull(parameters, inputs, cotangent)[1])
    found = {}
    for name in bench.weights:
        one, other = (np.asarray(p[name], np.float64) for p in pulled)
        found[name] = tuple(
            axis for axis, length in enumerate(one.shape) if length > 1 and _one_profile(one, other, axis)
        )
    return found


def _one_profile(one: Floats, other: Floats, axis: int) -> bool:
    profiles = []
    for array in (one, other):
        rows = np.moveaxis(array, axis, -1).reshape(-1, array.shape[axis])
        _, values, basis = np.linalg.svd(rows, full_matrices=False)
        if len(values) > 1 and values[1] > _SMALL * values[0]:
            return False
        profiles.append(basis[0])
    return bool(abs(float(profiles[0] @ profiles[1])) > 1 - 1e-5)
