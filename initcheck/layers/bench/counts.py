"""Layers that are linear in each input: fans counted with weights of 1, and what the closed form is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.layers.bench.bench import Bench
from initcheck.layers.bench.geometry import Interior, interior_of

Array = npt.NDArray[np.generic]

_LINEAR_TO = 1e-3
_CLOSED_WITHIN = 0.2
_OUTPUT_VALUES = 4096
# Channels whose use of a weight is looked at, and the gradient from which an entry is used.
_CHANNELS = 4
_USED = 1e-9
# Numbers in one batch of inputs: a 3-D image of 64 channels must stay below 100 MiB.
_INPUT_VALUES = 4_000_000
# So many that a unit behind a ReLU answers one of them.
_SAMPLES = 32


@dataclass(frozen=True)
class TermCounts:
    """What a linear layer's unit sums over.

    Attributes:
        fan_in: mean over interior outputs of f(1) - f(0), weights 1.
        fan_out: mean over interior inputs of the gradient there with cotangent 1.
        interior: where these were taken.
    """

    fan_in: float
    fan_out: float
    interior: Interior


def extent_of(bench: Bench) -> int:
    """A spatial extent that has an interior: 4 k + 1, k the widest spatial axis of a weight."""
    kernel = max(bench.size.kernel, default=0)
    if not kernel and bench.feed.form == "image":
        axes = bench.feed.axes
        sides = (min(sorted(w.shape)[:axes] or [1]) for w in bench.weights.values() if w.ndim > axes)
        kernel = max(sides, default=1)
    return 4 * max(kernel, 1) + 1


def is_linear(bench: Bench) -> bool:
    """Whether f(a + b) + f(0) = f(a) + f(b) in every input, with random weights of ours."""
    parameters = bench.random()
    extent = extent_of(bench)
    a, b = bench.normal(3, extent), bench.normal(3, extent)
    if bench.feed.copies > 1 and bench.feed.form != "cell":
        return _additive(bench, parameters, a, b, range(len(a)))
    return all(_additive(bench, parameters, a, b, [place]) for place in range(len(a)))


def _additive(
    bench: Bench, parameters: dict[str, Array], a: Sequence[Array], b: Sequence[Array], places: Sequence[int]
) -> bool:
    def value(inputs: dict[int, Array]) -> npt.NDArray[np.float64]:
        return bench.run(parameters, [inputs.get(n, x) for n, x in enumerate(a)])

    both = value({n: np.asarray(a[n]) + np.asarray(b[n]) for n in places})
    zero = value({n: np.zeros_like(a[n]) for n in places})
    one, other = value({}), value({n: b[n] for n in places})
    size = float(np.abs(one - zero).max() + np.abs(other - zero).max())
    return bool(np.abs(both + zero - one - other).max() <= _LINEAR_TO * max(size, 1e-12)) and size > 0


def is_multilinear(bench: Bench) -> bool:
    """Whether doubling any one weight doubles the output: then every weight has fans of its own."""
    parameters = bench.random(positive=True)
    inputs = bench.normal(2, extent_of(bench))
    zero = bench.run(parameters, [np.zeros_like(x) for x in inputs])
    once = bench.run(parameters, inputs) - zero
    for name in bench.weights:
        twice = bench.run({**parameters, name: 2 * parameters[name]}, inputs) - zero
        if np.abs(twice - 2 * once).max() > _LINEAR_TO * np.abs(once).max():
            return False
    return True


def count(bench: Bench, interior: Interior | None = None) -> TermCounts:
    """Count the fans of a linear layer.

    Args:
        bench: the layer.
        interior: where no edge shows, if a layer of other widths has told.

    Raises:
        ValueError: its output has other axes than its input, or nothing of it is interior.
    """
    interior = interior or interior_of(bench, extent_of(bench))
    channel = bench.feed.channel_axis
    shapes = bench.shapes(1, interior.extent)
    ones = [np.ones(shape, np.float32) for shape in shapes]
    zeros = [np.zeros(shape, np.float32) for shape in shapes]
    out = bench.run(bench.ones, ones) - bench.run(bench.ones, zeros)
    gradients, _ = bench.pull(bench.ones, ones, np.ones(out.shape, np.float32))
    fan_in = float(interior.of_output(out, channel).astype(np.float64).mean())
    fan_out = float(interior.of_input(gradients[0], channel).astype(np.float64).mean())
    return TermCounts(_near_whole(fan_in), _near_whole(fan_out), interior)


def _near_whole(value: float) -> float:
    if not math.isfinite(value):
        return 0.0  # ones have no spread to be divided by
    whole = round(value)
    return float(whole) if abs(value - whole) < 1e-3 * max(whole, 1) else value


def idle_constants(bench: Bench) -> set[str]:
    """The weights of one number that reach no output: the scale of a noise that is off, as in a noisy layer.

    Others that reach none, behind a gate that starts shut, are weights all the same; so are all where none reaches any.
    """
    constant = {name for name, w in bench.weights.items() if w.size > 1 and np.ptp(w) == 0}
    if not constant or len(bench.weights) == len(constant):
        return set()
    parameters, inputs = bench.random(), bench.normal(2, extent_of(bench))
    out = bench.run(parameters, inputs)
    cotangent = bench.rng.uniform(0.5, 1.5, out.shape).astype(np.float32)
    _, gradients = bench.pull(parameters, inputs, cotangent)
    return {name for name in constant if not np.any(gradients[name])}


def masks(bench: Bench) -> list[str]:
    """The weights of zeros and ones that shut entries of one that is drawn, of their shape, or reach no output."""
    kinds = {name: np.unique(w) for name, w in bench.weights.items()}
    of_two = {name: bench.weights[name] for name, values in kinds.items() if np.array_equal(values, (0, 1))}
    found: list[str] = []
    for name, mask in of_two.items():
        drawn = [n for n, values in kinds.items() if values.size > 2 and bench.weights[n].shape == mask.shape]
        if not drawn:
            continue
        inputs, ours = bench.normal(2, extent_of(bench)), bench.random() | of_two
        out = bench.run(ours, inputs)
        moved = [ours | {n: ours[n] + (mask == shut).astype(np.float32)} for n in drawn for shut in (0, 1)]
        if any(np.allclose(out, bench.run(other, inputs)) for other in (*moved, ours | {name: 1 - mask})):
            found.append(name)
    return found


def told_apart_later(bench: Bench) -> list[str]:
    """The weights of zeros whose units the first step tells apart: LoRA's second factor, the last of a branch.

    Each unit gets a gradient, and another one, while something else of the layer passes the input on. Zeros that get
    none, or of a layer that puts out nothing else, are left to the claims.
    """
    zeros = [name for name, w in bench.weights.items() if w.size > 1 and not np.any(w)]
    if not zeros:
        return []
    inputs = bench.normal(_SAMPLES, extent_of(bench))
    out = bench.run(bench.own, inputs)
    if not np.any(out - bench.run(bench.own, [np.zeros_like(x) for x in inputs])):
        return []
    _, gradients = bench.pull(bench.own, inputs, bench.rng.uniform(0.5, 1.5, out.shape).astype(np.float32))
    return [name for name in zeros if all(map(_differ, _sides(np.asarray(gradients[name]))))]


def _sides(gradient: Array) -> tuple[Array, Array]:
    """As rows of its first axis, and of its last: one of them is that of the units."""
    last = np.moveaxis(gradient, -1, 0)
    return gradient.reshape(len(gradient), -1), last.reshape(len(last), -1)


def _differ(rows: Array) -> bool:
    return bool(np.any(rows, axis=1).all()) and len(np.unique(rows, axis=0)) == len(rows)


@dataclass(frozen=True)
class Support:
    """How the outputs use the only weight.

    Attributes:
        view: its shape, with axes that hold several groups split in two.
        summed: the axes of ``view`` that one unit sums over.
        masked: some of its entries reach no output.
    """

    view: tuple[int, ...]
    summed: tuple[int, ...]
    masked: bool


def support_of(bench: Bench, name: str, interior: Interior) -> Support:
    """What a few channels of the output use of the only weight, by their gradients at random inputs.

    Where all use a stretch of an axis of one length, the weight holds several groups side by side. Where entries reach
    no output at all it is masked: then a unit has every axis but that of the channels.
    """
    inputs = bench.normal(1, interior.extent)
    parameters = bench.random()
    out = bench.run(parameters, inputs)
    channels = out.shape[bench.feed.channel_axis]

    def used(cotangent: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        _, gradients = bench.pull(parameters, inputs, cotangent)
        return np.asarray(np.abs(gradients[name]) > _USED)

    masked = not used(bench.rng.uniform(0.5, 1.5, out.shape).astype(np.float32)).all()
    by_channel = []
    for channel in sorted({round(k * (channels - 1) / (_CHANNELS - 1)) for k in range(_CHANNELS)}):
        cotangent = np.zeros(out.shape, np.float32)
        index: list[slice | int] = [slice(None)] * out.ndim
        index[bench.feed.channel_axis] = channel
        cotangent[tuple(index)] = 1.0
        by_channel.append(used(cotangent))
    view: list[int] = []
    summed: list[int] = []
    for axis, length in enumerate(by_channel[0].shape):
        others = tuple(a for a in range(by_channel[0].ndim) if a != axis)
        extent = max(int(one.any(axis=others).sum()) for one in by_channel)
        if extent > 1 or (masked and 1 < length != channels):
            if extent < length and length % extent == 0 and not masked:
                view.append(length // extent)
                length = extent
            summed.append(len(view))
        view.append(length)
    return Support(tuple(view), tuple(summed), masked)


def weights_tell(bench: Bench, name: str, counts: TermCounts) -> bool:
    """Whether fan_in mean(w^2) is what comes out, for weights of ours and the layer's own, within 20 %.

    Not where something between the weight and its use rescales it: weight normalisation, scaling at run time.
    """
    for parameters in (bench.random(), bench.with_weights(bench.weights)):
        expected = counts.fan_in * float(np.mean(np.square(np.asarray(parameters[name], np.float64))))
        # Outputs share their inputs, so that 4,096 of them may be few: what looks wrong is looked at again.
        looks = (_forward_energy(bench, parameters, counts.interior, times) for times in (1, 16))
        if not any(abs(found - expected) <= _CLOSED_WITHIN * max(expected, 1e-30) for found in looks):
            return False
    return True


def reached(bench: Bench, interior: Interior) -> tuple[float, float]:
    """Fans by what is touched, for a layer whose weights do not add up: inputs of an output, outputs of an input."""
    inputs = bench.normal(1, interior.extent)
    parameters = bench.random()
    channel = bench.feed.channel_axis
    out = bench.run(parameters, inputs)
    inside = interior.of_output(np.arange(out.size).reshape(out.shape), channel).ravel()
    touched = []
    for place in bench.rng.choice(inside, min(4, inside.size), replace=False):
        cotangent = np.zeros(out.size, np.float32)
        cotangent[place] = 1.0
        gradients, _ = bench.pull(parameters, inputs, cotangent.reshape(out.shape))
        touched.append(sum(np.count_nonzero(g) for g in gradients))
    inside = interior.of_input(np.arange(inputs[0].size).reshape(inputs[0].shape), channel).ravel()
    moved = []
    for place in bench.rng.choice(inside, min(4, inside.size), replace=False):
        lit = np.array(inputs[0]).ravel()
        lit[place] += 1.0
        other = bench.run(parameters, [lit.reshape(inputs[0].shape), *inputs[1:]])
        moved.append(np.count_nonzero(np.abs(other - out) > 1e-5 * np.abs(out).max()))
    # A weight near zero may go unseen; the count is a whole number of them. Several weights may mask one another.
    return float(max([1, *map(int, touched)])), float(max([1, *map(int, moved)]))


def _forward_energy(bench: Bench, parameters: dict[str, Array], interior: Interior, times: int) -> float:
    """Mean over interior outputs of (f(z) - f(0))^2, z standard normal, over 4,096 output values or more."""
    per_input = sum(int(np.prod(s)) for s in bench.shapes(1, interior.extent))
    zeros = [np.zeros(s, np.float32) for s in bench.shapes(1, interior.extent)]
    rest = bench.run(parameters, zeros)
    units = interior.of_output(rest, bench.feed.channel_axis).size
    batch = max(math.ceil(_OUTPUT_VALUES / units), 4 if interior.outputs else 512)
    batch = max(2, min(times * batch, _INPUT_VALUES // per_input))
    out = bench.run(parameters, bench.normal(batch, interior.extent)) - rest
    return float(np.mean(np.square(interior.of_output(out, bench.feed.channel_axis).astype(np.float64))))
