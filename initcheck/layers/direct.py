"""The second moments of a layer measured directly: random inputs forward, random cotangents backward."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from initcheck.contract.second_moments import BackwardSecondMoment, Floats, ForwardSecondMoment, nonlinearity
from initcheck.layers.bench.bench import Bench
from initcheck.layers.bench.feeds import Feed
from initcheck.layers.bench.geometry import Interior
from initcheck.layers.bench.response import answer
from initcheck.layers.bench.sizes import Size
from initcheck.layers.functions.layer_function import LayerFunction
from initcheck.networks import Activation
from initcheck.seeds import generator
from initcheck.statistics import Record

_INPUTS = 16
_NUMBERS = 64


def inputs_of_one(numbers: int, places: int = 1) -> int:
    """How many inputs one measurement takes, of a layer that gives so many numbers at so many places for each.

    A fresh layer is the unit, so that few inputs a layer are enough; but a layer is dearer than an input, and one of
    a single output would be built ten thousand times for a verdict. Each place of an image is an input by itself.

    >>> inputs_of_one(64), inputs_of_one(1), inputs_of_one(8 * 7 * 7, 7 * 7)
    (16, 64, 1)
    """
    return max(math.ceil(_INPUTS / places), math.ceil(_NUMBERS / numbers))


class MeasuredForward(ForwardSecondMoment):
    """Mean of (f(phi(z)) - f(0))^2 over the interior outputs of one fresh layer, over the ideal."""

    def per_call(self, record: Record) -> Floats:
        """The mean square of what was measured, over the ideal."""
        return np.asarray(record.energy / (self.layer.weights * self.ideal))


class MeasuredBackward(BackwardSecondMoment):
    """m2' times the mean square of the input gradient under normal cotangents, over the ideal."""

    def per_call(self, record: Record) -> Floats:
        """The mean square of what was measured, over the ideal."""
        return np.asarray(nonlinearity(self.contract).m2_prime * record.energy / (self.layer.weights * self.ideal))


class AnsweredBackward(BackwardSecondMoment):
    """The mean square of the input gradient of a layer with its own nonlinearity, over the ideal.

    The slope of that nonlinearity, where the layers before have put its pre-activations, is in the measurement.
    """

    def per_call(self, record: Record) -> Floats:
        """The mean square of what was measured, over the ideal."""
        return np.asarray(record.energy / (self.layer.weights * self.ideal))


def measured_response_gradient(
    function: LayerFunction, feed: Feed, size: Size, pool: Floats, seed: int, batch: int
) -> npt.NDArray[np.float32]:
    """The input gradients of one fresh layer under normal cotangents, (batch, numbers).

    Its inputs came out of a ``pool`` of outputs of layers of its kind, as in ``measured_response``.
    """
    bench = Bench(function, feed, size, generator("response", seed))
    fed = bench.rng.choice(pool, batch * size.inputs).astype(np.float32)
    inputs = [fed.reshape(bench.shapes(batch)[0])]
    cotangent = bench.rng.standard_normal(bench.run(bench.own, inputs).shape).astype(np.float32)
    gradients, _ = bench.pull(bench.own, inputs, cotangent)
    return np.ascontiguousarray(np.asarray(gradients[0]).reshape(batch, -1), dtype=np.float32)


def measured_response(
    function: LayerFunction, feed: Feed, size: Size, slope: float, pool: Floats, seed: int, batch: int
) -> npt.NDArray[np.float32]:
    """The pre-activations of one fresh layer whose inputs came out of layers of its kind, shape (batch, numbers).

    The inputs are drawn from a ``pool`` of such outputs. What scales an input or a weight on its way, such as 30 in
    sin(30 W x), is inside the measurement.
    """
    bench = Bench(function, feed, size, generator("response", seed))
    fed = bench.rng.choice(pool, batch * size.inputs).astype(np.float32)
    found = slope * answer(bench, bench.weights, [fed.reshape(bench.shapes(batch)[0])])
    return np.ascontiguousarray(found.reshape(batch, -1), dtype=np.float32)


def measured(
    function: LayerFunction,
    feed: Feed,
    size: Size,
    interior: Interior,
    phi: Activation,
    seed: int,
    batch: int,
    *,
    backward: bool,
    of_degree_one: bool = False,
) -> npt.NDArray[np.float32]:
    """What one fresh layer gives at its interior, outputs or input gradients: (batch, numbers).

    Of outputs what the biases give is taken off: the answer to an input of zeros where the layer is linear in it,
    and where it is linear in its weights alone (``of_degree_one``) the answer without weights.
    """
    bench = Bench(function, feed, size, generator("direct", seed))
    own = bench.own
    # A gate takes two pre-activations.
    normals = [bench.normal(batch, interior.extent) for _ in range(phi.streams)]
    inputs = [
        phi.f(np.concatenate(parts, axis=-1).astype(np.float64)).astype(np.float32)
        for parts in zip(*normals, strict=True)
    ]
    if of_degree_one:
        rest = bench.run({**own, **{name: np.zeros_like(w) for name, w in bench.weights.items()}}, inputs)
    else:
        rest = bench.run(own, [np.zeros_like(x) for x in inputs])
    if backward:
        cotangent = bench.rng.standard_normal(rest.shape).astype(np.float32)
        gradients, _ = bench.pull(own, inputs, cotangent)
        found = interior.of_input(gradients[0], feed.channel_axis)
    else:
        found = interior.of_output(bench.run(own, inputs) - rest, feed.channel_axis)
    return np.ascontiguousarray(found.reshape(batch, -1), dtype=np.float32)
