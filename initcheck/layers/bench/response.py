"""How a layer answers to its only weight: the pre-activation behind a nonlinearity, whatever scales it on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.layers.bench.bench import Bench

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_SMALL = 1e-2  # rms of a pre-activation that a nonlinearity passes on as it is, to 1e-4 of it
_LARGE = 30.0  # and of one at which it is as good as its limits
_LINEAR_TO = 1e-3
_ODD = 1e-2  # an even part below this share of the odd one is none
_PLAIN_WITHIN = 0.1
_ROWS = 64
FORGETS = (1.0, 4.0)
"""Slopes of nonlinearities that forget the size of what they are given: sine and tanh, sigmoid."""
_POOL = 2**16  # outputs of one pool of inputs


@dataclass(frozen=True)
class Response:
    """What turns a small answer to a weight into the pre-activation.

    Attributes:
        slope: the pre-activation over half the difference of the answers to t W and -t W, over t, as t goes to 0: 1
            of an odd nonlinearity (sine, tanh), 2 of a ReLU.
        power: the second moment of the pre-activation over fan_in mean(w^2), of standard normal inputs: 1 where
            nothing scales it, 900 of sin(30 W x).
    """

    slope: float
    power: float

    @property
    def is_plain(self) -> bool:
        """Whether the weights alone tell the scale."""
        return abs(self.power - 1) <= _PLAIN_WITHIN


def response_of(bench: Bench, fan_in: float) -> Response | None:
    """How a layer of one weight that is not linear in its input answers; None where its nonlinearity is not known.

    A nonlinearity that is odd, after what it gives at 0 is taken off, is taken to have slope 1 there; of one that
    grows without bound on one side more than on the other (ReLU and its kin), the steeper slope far out is 1.
    """
    [name] = bench.weights
    drawn = bench.rng.standard_normal(bench.weights[name].shape)
    inputs = bench.normal(_ROWS)
    if not _answers_to_all(bench, name, drawn, inputs):
        return None
    small, even = _parts(bench, name, drawn, inputs, _SMALL)
    if not small > 0 or not np.isfinite(small):
        return None
    far, far_even = _parts(bench, name, drawn, inputs, _LARGE)
    if far_even <= _ODD * far and even <= _ODD * small:
        at_zero = bench.run({**bench.with_weights(bench.weights), name: 0 * bench.weights[name]}, inputs)
        slope = (
            FORGETS[0] if np.abs(at_zero).max() < 1e-6 else FORGETS[1]
        )  # a sigmoid gives one half at 0, and has slope 1/4 there
    elif abs(far_even - far) <= 0.9 * far:
        slope = (far + far_even) / small
    else:
        return None
    measured = (slope * small) ** 2 / (fan_in * float(np.mean(np.square(drawn))))
    return Response(slope, measured)


def answer(bench: Bench, weights: Mapping[str, Array], inputs: Sequence[Array]) -> Floats:
    """Half the difference of the outputs at t W and -t W, over t, for a t that keeps the nonlinearity linear."""
    [name] = weights
    rest = bench.with_weights(bench.weights)
    scale = _scale_for(bench, name, np.asarray(weights[name], np.float64), inputs, _SMALL)
    return _odd(bench, rest, name, np.asarray(weights[name], np.float64), inputs, scale) / scale


def unit_outputs(bench: Bench, slope: float) -> Floats:
    """What the next layer of its kind is fed: what such layers make of normal inputs, or of normal pre-activations.

    A nonlinearity that forgets the size of what it is given (sine, tanh, sigmoid) is fed what weights of the layer's
    own size make; of one that passes the size on, a wrong size would count twice, so its pre-activations have size 1.
    """
    [name] = bench.weights
    own = _rms(np.asarray(bench.weights[name], np.float64))
    found: list[Floats] = []
    while sum(map(len, found)) < _POOL:
        inputs = bench.normal(_POOL // 16)
        drawn = bench.rng.standard_normal(bench.weights[name].shape)
        size = 1 / own if slope in FORGETS else slope * _rms(answer(bench, {name: drawn}, inputs))
        out = bench.run({**bench.with_weights(bench.weights), name: (drawn / size).astype(np.float32)}, inputs)
        found.append(out.ravel())
    return np.concatenate(found)[:_POOL]


def is_of_degree_one(bench: Bench) -> bool:
    """Whether what all weights add to the output is linear in them together: then that is a pre-activation."""
    parameters = bench.random()
    inputs = bench.normal(4)
    none = bench.run({n: (0 * a if n in bench.weights else a) for n, a in parameters.items()}, inputs)
    once = bench.run(parameters, inputs) - none
    twice = bench.run({n: (2 * a if n in bench.weights else a) for n, a in parameters.items()}, inputs) - none
    turned = bench.run({n: (-a if n in bench.weights else a) for n, a in parameters.items()}, inputs) - none
    size = float(np.abs(once).max())
    off = max(float(np.abs(twice - 2 * once).max()), float(np.abs(turned + once).max()))
    return size > 0 and off <= _LINEAR_TO * size


def _parts(bench: Bench, name: str, drawn: Floats, inputs: Sequence[Array], wanted: float) -> tuple[float, float]:
    """Rms of the odd and of the even part of the answer, per unit of t, at a t where the odd part has this size."""
    scale = _scale_for(bench, name, drawn, inputs, wanted if wanted == _SMALL else _SMALL)
    scale *= wanted / _SMALL
    rest = bench.with_weights(bench.weights)
    zero = bench.run({**rest, name: 0 * bench.weights[name]}, inputs)
    plus, minus = (bench.run({**rest, name: (s * drawn).astype(np.float32)}, inputs) for s in (scale, -scale))
    odd, even = (plus - minus) / 2, (plus + minus) / 2 - zero
    return _rms(odd) / scale, _rms(even) / scale


def _scale_for(bench: Bench, name: str, drawn: Floats, inputs: Sequence[Array], wanted: float) -> float:
    """A t at which the odd part of the answer has about that rms."""
    rest = bench.with_weights(bench.weights)
    scale = wanted / max(float(np.sqrt(np.mean(np.square(drawn)) * bench.size.inputs)), 1e-30)
    for _ in range(2):
        found = _rms(_odd(bench, rest, name, drawn, inputs, scale))
        if not found > 0 or not np.isfinite(found):
            break
        scale *= wanted / found
    return scale


def _odd(
    bench: Bench, rest: dict[str, Array], name: str, drawn: Floats, inputs: Sequence[Array], scale: float
) -> Floats:
    plus, minus = (bench.run({**rest, name: (s * drawn).astype(np.float32)}, inputs) for s in (scale, -scale))
    return np.asarray((plus - minus) / 2)


def _answers_to_all(bench: Bench, name: str, drawn: Floats, inputs: Sequence[Array]) -> bool:
    """Whether the answer is linear in the input where the weight is small: then it is W x, whatever scales it."""
    first = inputs[0]
    whole = answer(bench, {name: drawn}, inputs)
    half = answer(bench, {name: drawn}, [0.5 * np.asarray(first), *inputs[1:]])
    return bool(np.abs(whole - 2 * half).max() <= 0.02 * np.abs(whole).max())


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
