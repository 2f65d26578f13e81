"""Which initializer each variable of a Keras model was made by, noted as the layers ask for their weights."""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any
from unittest import mock

import keras

from initcheck.adapters.frameworks.cheaply_compiled import own_calls_compiled_cheaply
from initcheck.contract.standard_laws import truncated_std
from initcheck.models.provenance.law import UNTRACED, Law, constant, normal, truncated, uniform
from initcheck.models.provenance.steps import Draw, Site, in_library, is_silent

# Numbers of a weight that is drawn as often as a model is built, and its blocks repeat it, in less time than JAX takes
# to compile that draw well.
_SMALL = 2**18
_CUT = truncated_std(1.0, -2.0, 2.0)
"""Keras divides by it, so that the law that is cut at two has the variance it names."""


@dataclass
class Weights:
    """What was noted of one build.

    Attributes:
        laws: id of a variable -> its law.
        draws: id of a variable -> the draw that it holds; of an initializer that takes chance.
        kept: the variables, so that no id is used again.
    """

    laws: dict[int, Law] = field(default_factory=dict)
    draws: dict[int, Draw] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)


@contextmanager
def noted_weights() -> Iterator[Weights]:
    """While it lasts, every weight that a layer of Keras adds is noted with its initializer."""
    found = Weights()
    original = keras.layers.Layer.add_weight

    def add_weight(self: Any, shape: Any = None, initializer: Any = None, *args: Any, **kwargs: Any) -> Any:
        one = initializer
        if isinstance(initializer, (str, dict)):
            one = initializer = keras.initializers.get(initializer)
        before = _state(one)
        small = isinstance(shape, (tuple, list)) and math.prod(n or 0 for n in shape) <= _SMALL
        with own_calls_compiled_cheaply("keras") if small else nullcontext():
            variable = original(self, shape, initializer, *args, **kwargs)
        site = _site()
        size = tuple(int(n) for n in variable.shape)
        law = _law(one, size)
        found.laws[id(variable)] = replace(law, site=site) if law is not UNTRACED else law
        if before is not None:
            found.draws[id(variable)] = Draw(len(found.draws), before, math.prod(size), site)
        found.kept.append(variable)
        return variable

    with mock.patch.object(keras.layers.Layer, "add_weight", add_weight):
        yield found


def _state(initializer: Any) -> bytes | None:
    """The state that an initializer draws from: a number is the same at every call, a generator moves on."""
    seed = getattr(initializer, "seed", None)
    if seed is None or isinstance(initializer, type):
        return None
    if isinstance(seed, int):
        said = f"seed {seed}"
    else:
        state = getattr(seed, "state", None)
        if state is None:
            return None
        said = f"generator {keras.ops.convert_to_numpy(state.value).tolist()}"
    return hashlib.blake2b(said.encode(), digest_size=16).digest()


def _law(initializer: Any, shape: tuple[int, ...]) -> Law:
    """The law of Keras' own initializers, from their configuration."""
    if initializer is None or not type(initializer).__module__.startswith("keras."):
        return UNTRACED
    kinds = keras.initializers
    given = initializer.get_config()
    if isinstance(initializer, kinds.Zeros):
        return constant(0.0)
    if isinstance(initializer, kinds.Ones):
        return constant(1.0)
    if isinstance(initializer, kinds.Constant):
        value = given.get("value")
        return constant(float(value)) if isinstance(value, (int, float)) else UNTRACED
    if isinstance(initializer, kinds.RandomNormal):
        return normal(given["mean"], given["stddev"])
    if isinstance(initializer, kinds.TruncatedNormal):
        mean, std = given["mean"], given["stddev"]
        return truncated(mean, std, mean - 2 * std, mean + 2 * std)
    if isinstance(initializer, kinds.RandomUniform):
        return uniform(given["minval"], given["maxval"])
    if isinstance(initializer, kinds.Orthogonal) and len(shape) > 1:
        gain = abs(float(given["gain"]))
        rows, columns = math.prod(shape[:-1]), shape[-1]
        return Law("orthogonal", 0.0, gain / math.sqrt(max(rows, columns)), -gain, gain, f"orthogonal gain {gain:.4g}")
    if isinstance(initializer, kinds.VarianceScaling):
        return _scaled(initializer, shape)
    return UNTRACED


def _scaled(initializer: Any, shape: tuple[int, ...]) -> Law:
    fan_in, fan_out = _fans(shape, getattr(initializer, "input_axes", None), getattr(initializer, "output_axes", None))
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    variance = initializer.scale / max(1.0, fans[initializer.mode])
    if initializer.distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return uniform(-limit, limit)
    if initializer.distribution == "untruncated_normal":
        return normal(0.0, math.sqrt(variance))
    sigma = math.sqrt(variance) / _CUT
    return truncated(0.0, sigma, -2 * sigma, 2 * sigma)


def _fans(shape: tuple[int, ...], inputs: Any = None, outputs: Any = None) -> tuple[float, float]:
    """The fans of a kernel, by the axes that a layer told its initializer: EinsumDense does since Keras 3.15."""
    if inputs is not None and outputs is not None:
        return float(math.prod(shape[k] for k in inputs)), float(math.prod(shape[k] for k in outputs))
    if len(shape) < 2:
        n = float(shape[0]) if shape else 1.0
        return n, n
    receptive = math.prod(shape[:-2])
    return float(shape[-2] * receptive), float(shape[-1] * receptive)


def _site() -> Site | None:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if not is_silent(file) and not in_library(file):
            return file, frame.f_lineno
        frame = frame.f_back
    return None
