"""The laws that the functions of torch.nn.init deliver, from their arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from initcheck.models.provenance.law import Law, constant, normal, truncated, uniform
from initcheck.models.provenance.steps import InitCall


def law_of_call(call: InitCall) -> Law:
    """The law of a tensor after one call of an init function.

    >>> given = (("mean", 0.0), ("std", 0.02), ("a", -0.04), ("b", 0.04))
    >>> law_of_call(InitCall("trunc_normal_", given, 0, (8, 8))).text
    'truncated_normal std 0.01759 (0.02 before the cut at +-0.04)'
    >>> law_of_call(InitCall("kaiming_uniform_", (("a", 5**0.5),), 0, (8, 3))).text
    'uniform +-0.5774'

    Args:
        call: its name, its arguments and the shape of its tensor; arguments that are not given are torch's defaults.
    """
    given = dict(call.arguments)
    name = call.name
    if name == "normal_":
        return normal(_real(given, "mean", 0.0), _real(given, "std", 1.0))
    if name == "uniform_":
        return uniform(_real(given, "a", 0.0), _real(given, "b", 1.0))
    if name == "trunc_normal_":
        return truncated(
            _real(given, "mean", 0.0), _real(given, "std", 1.0), _real(given, "a", -2.0), _real(given, "b", 2.0)
        )
    if name in ("zeros_", "ones_", "constant_"):
        return constant({"zeros_": 0.0, "ones_": 1.0}.get(name, _real(given, "val", 0.0)))
    if name in ("xavier_uniform_", "xavier_normal_"):
        fan_in, fan_out = _fans(call.shape)
        std = _real(given, "gain", 1.0) * math.sqrt(2.0 / (fan_in + fan_out))
        return normal(0.0, std) if name == "xavier_normal_" else uniform(-math.sqrt(3.0) * std, math.sqrt(3.0) * std)
    if name in ("kaiming_uniform_", "kaiming_normal_"):
        import torch  # only here: the call was torch's, so it is loaded

        fan_in, fan_out = _fans(call.shape)
        gain = torch.nn.init.calculate_gain(given.get("nonlinearity", "leaky_relu"), given.get("a", 0))
        std = gain / math.sqrt(fan_out if given.get("mode") == "fan_out" else fan_in)
        return normal(0.0, std) if name == "kaiming_normal_" else uniform(-math.sqrt(3.0) * std, math.sqrt(3.0) * std)
    if name == "orthogonal_":
        rows, columns = call.shape[0], math.prod(call.shape[1:])
        gain = _real(given, "gain", 1.0)
        std = abs(gain) / math.sqrt(max(rows, columns))
        return Law("orthogonal", 0.0, std, -abs(gain), abs(gain), f"orthogonal gain {gain:.4g}")
    if name == "sparse_":
        sparsity, sigma = _real(given, "sparsity", 0.0), _real(given, "std", 0.01)
        rows = call.shape[0]
        std = sigma * math.sqrt(max(0.0, 1.0 - math.ceil(sparsity * rows) / rows)) if rows else 0.0
        text = f"sparse {sparsity:.4g} of normal std {sigma:.4g}"
        return Law("sparse", 0.0, std, text=text, sigma=sigma)
    if name in ("eye_", "dirac_"):
        return Law("fixed", text=name.rstrip("_"))
    return Law("derived", text=f"by {name}", recipe=frozenset({(name, call.arguments)}))


def _real(given: Mapping[str, Any], name: str, default: float) -> float:
    value = given.get(name, default)
    return float(value) if isinstance(value, (bool, int, float)) else default


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    receptive = math.prod(shape[2:])
    return max(1, shape[1] * receptive if len(shape) > 1 else 1), max(1, shape[0] * receptive if shape else 1)
