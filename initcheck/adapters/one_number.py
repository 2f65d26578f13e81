"""A function that draws one weight a call, as teaching code with a neuron of scalars has it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.adapters.frameworks import arrays
from initcheck.adapters.frameworks.sampler import CallableSampler
from initcheck.adapters.signatures.signature import RANDOM_ROLES, Slot
from initcheck.contract.initializer import Shape
from initcheck.sandbox.containment import InitializerRaised, contained

# A seed or a key starts every call anew, and so gives one weight over and over.
_ADVANCING = ("rng", "random_state", "torch_generator", "python_random")


@dataclass
class NumberSampler(CallableSampler):
    """Calls the function once for every weight of a matrix; layout out_in."""

    layout: str | None = "out_in"

    def prepare(self, shape: Shape, dtype: str) -> Callable[[Any], Any]:
        """As many calls as the matrix has weights, on one source."""
        one, weights = super().prepare(shape, dtype), range(math.prod(shape))
        return lambda source: np.array([float(one(source)) for _ in weights]).reshape(shape)


def number_sampler(function: Any, slots: list[Slot], fixed: Mapping[str, Any]) -> NumberSampler | None:
    """The sampler of a function of widths that draws one number; None of any other, and of a formula.

    >>> fan_in = Slot("fan_in", "in")
    >>> number_sampler(lambda fan_in: np.random.normal(0, fan_in**-0.5), [fan_in], {}) is None
    False
    >>> number_sampler(lambda fan_in: fan_in**-0.5, [fan_in], {}) is None  # a std, and no weight
    True
    """
    asked = [s for s in slots if s.name not in fixed and (s.required or s.role in RANDOM_ROLES)]
    widths = [s.role for s in asked if s.role not in _ADVANCING]
    if "in" not in widths or len(set(widths)) < len(widths) or not set(widths) <= {"in", "out"}:
        return None
    sampler = NumberSampler(function=function, slots=tuple(asked), fixed=fixed)
    try:
        with contained():
            one = CallableSampler.prepare(sampler, (7, 5), "float32")(sampler.source(1))
            drawn = sampler.calls((7, 5), [1], "float32")[0]
    except InitializerRaised:
        return None
    return sampler if arrays.shape_of(one) == () and len(np.unique(drawn)) > 1 else None
