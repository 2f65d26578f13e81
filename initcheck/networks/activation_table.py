"""The activations that have a name: each as a pair of NumPy functions, and what is known of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Elementwise = Callable[[Array], Array]

# Klambauer et al. 2017, section 2: the fixed point (mean 0, variance 1) of the SELU map.
_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717

_erfc = np.frompyfunc(math.erfc, 1, 1)


def _normal_cdf(z: Array) -> Array:
    # erfc keeps its relative accuracy in the left tail, where 1 + erf cancels to nothing.
    return 0.5 * np.asarray(_erfc(-z / math.sqrt(2.0)), dtype=np.float64)


def _normal_pdf(z: Array) -> Array:
    return np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _sigmoid(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def _softplus(z: Array) -> Array:
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


def _logistic_slope(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    return e / (1.0 + e) ** 2


def _mish_slope(z: Array) -> Array:
    t = np.tanh(_softplus(z))
    return t + z * _sigmoid(z) * (1.0 - t * t)


def _within(z: Array, low: float, high: float) -> Array:
    """1 between two kinks and 0 beyond; at a kink the value on its left."""
    return np.where((z > low) & (z <= high), 1.0, 0.0)


def _elu_pair(alpha: float, scale: float = 1.0) -> tuple[Elementwise, Elementwise]:
    return (
        lambda z: scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0))),
        lambda z: scale * np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0.0))),
    )


def _tanh_gelu(z: Array) -> Array:
    # Beyond +-20 the tanh is a sign, and a cube would overflow.
    near = np.clip(z, -20.0, 20.0)
    return 0.5 * z * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (near + 0.044715 * near**3)))


def _tanh_gelu_slope(z: Array) -> Array:
    near, root = np.clip(z, -20.0, 20.0), math.sqrt(2.0 / math.pi)
    t = np.tanh(root * (near + 0.044715 * near**3))
    return 0.5 * (1.0 + t) + 0.5 * near * (1.0 - t * t) * root * (1.0 + 3 * 0.044715 * near**2)


def _leaky_relu(slope: float) -> dict[str, Any]:
    return {
        "f": lambda z: np.where(z > 0, z, slope * z),
        "derivative": lambda z: np.where(z > 0, 1.0, slope),
        "odd": slope == 1.0,
        "degree": 1,
    }


def _elu(alpha: float) -> dict[str, Any]:
    f, derivative = _elu_pair(alpha)
    return {"f": f, "derivative": derivative}


def _celu(alpha: float) -> dict[str, Any]:
    return {
        "f": lambda z: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0) / alpha)),
        "derivative": lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0.0) / alpha)),
    }


def _swish(beta: float) -> dict[str, Any]:
    return {
        "f": lambda z: z * _sigmoid(beta * z),
        "derivative": lambda z: _sigmoid(beta * z) * (1.0 + beta * z * _sigmoid(-beta * z)),
        "odd": beta == 0.0,
        "degree": 1 if beta == 0.0 else None,
    }


def _sine(frequency: float) -> dict[str, Any]:
    return {
        "f": lambda z: np.sin(frequency * z),
        "derivative": lambda z: frequency * np.cos(frequency * z),
        "odd": True,
    }


def _snake(a: float) -> dict[str, Any]:
    return {"f": lambda z: z + np.sin(a * z) ** 2 / a, "derivative": lambda z: 1.0 + np.sin(2.0 * a * z)}


def _softshrink(cut: float) -> dict[str, Any]:
    return {
        "f": lambda z: np.where(z > cut, z - cut, np.where(z < -cut, z + cut, 0.0)),
        "derivative": lambda z: np.where((z > cut) | (z <= -cut), 1.0, 0.0),
        "odd": True,
    }


def _hardshrink(cut: float) -> dict[str, Any]:
    return {
        "f": lambda z: np.where(np.abs(z) > cut, z, 0.0),
        "derivative": lambda z: np.where(np.abs(z) > cut, 1.0, 0.0),
        "odd": True,
    }


def _squareplus(b: float) -> dict[str, Any]:
    def f(z: Array) -> Array:
        # z + root cancels on the far left; its product with root - z is b.
        root = np.hypot(z, math.sqrt(b))
        return 0.5 * np.where(z > 0, z + root, b / (root - np.minimum(z, 0.0)))

    return {
        "f": f,
        "derivative": lambda z: 0.5 * (1.0 + z / np.hypot(z, math.sqrt(b))),
        "at_zero": math.sqrt(b) / 2,
    }


PLAIN: dict[str, dict[str, Any]] = {
    "linear": {"f": np.array, "derivative": np.ones_like, "odd": True, "degree": 1},
    "relu": {"f": lambda z: np.maximum(z, 0.0), "derivative": lambda z: np.greater(z, 0.0) * 1.0, "degree": 1},
    "tanh": {"f": np.tanh, "derivative": lambda z: 1.0 - np.tanh(z) ** 2, "odd": True, "saturating": True},
    "sigmoid": {"f": _sigmoid, "derivative": _logistic_slope, "at_zero": 0.5, "saturating": True},
    "gelu": {"f": lambda z: z * _normal_cdf(z), "derivative": lambda z: _normal_cdf(z) + z * _normal_pdf(z)},
    "silu": {
        "f": lambda z: z * _sigmoid(z),
        "derivative": lambda z: _sigmoid(z) * (1.0 + z * _sigmoid(-z)),
    },
    "selu": dict(zip(("f", "derivative"), _elu_pair(_SELU_ALPHA, _SELU_SCALE), strict=True)),
    "softplus": {"f": _softplus, "derivative": _sigmoid, "at_zero": math.log(2.0)},
    "mish": {"f": lambda z: z * np.tanh(_softplus(z)), "derivative": _mish_slope},
    "relu2": {
        "f": lambda z: np.maximum(z, 0.0) ** 2,
        "derivative": lambda z: 2.0 * np.maximum(z, 0.0),
        "degree": 2,
    },
    "relu6": {
        "f": lambda z: np.clip(z, 0.0, 6.0),
        "derivative": lambda z: _within(z, 0.0, 6.0),
        "saturating": True,
    },
    "hardtanh": {
        "f": lambda z: np.clip(z, -1.0, 1.0),
        "derivative": lambda z: _within(z, -1.0, 1.0),
        "odd": True,
        "saturating": True,
    },
    "hardsigmoid": {
        "f": lambda z: np.clip(z / 6.0 + 0.5, 0.0, 1.0),
        "derivative": lambda z: _within(z, -3.0, 3.0) / 6.0,
        "at_zero": 0.5,
        "saturating": True,
    },
    "hardswish": {
        "f": lambda z: z * np.clip(z / 6.0 + 0.5, 0.0, 1.0),
        "derivative": lambda z: np.where(z > 3.0, 1.0, _within(z, -3.0, 3.0) * (np.clip(z, -3.0, 3.0) / 3.0 + 0.5)),
    },
    "softsign": {
        "f": lambda z: z / (1.0 + np.abs(z)),
        "derivative": lambda z: (1.0 / (1.0 + np.abs(z))) ** 2,
        "odd": True,
    },
    "arctan": {
        "f": np.arctan,
        "derivative": lambda z: (1.0 / np.hypot(1.0, z)) ** 2,
        "odd": True,
    },
    "erf": {
        "f": lambda z: np.sign(z) * (1.0 - 2.0 * _normal_cdf(-math.sqrt(2.0) * np.abs(z))),
        "derivative": lambda z: 2.0 * math.sqrt(2.0) * _normal_pdf(math.sqrt(2.0) * np.clip(z, -50.0, 50.0)),
        "odd": True,
        "saturating": True,
    },
    "logsigmoid": {"f": lambda z: -_softplus(-z), "derivative": lambda z: _sigmoid(-z), "at_zero": -math.log(2.0)},
    "tanhshrink": {"f": lambda z: z - np.tanh(z), "derivative": lambda z: np.tanh(z) ** 2, "odd": True},
    "lecun_tanh": {
        "f": lambda z: 1.7159 * np.tanh(2.0 / 3.0 * z),
        "derivative": lambda z: 1.7159 * 2.0 / 3.0 * (1.0 - np.tanh(2.0 / 3.0 * z) ** 2),
        "odd": True,
        "saturating": True,
    },
    "gelu_tanh": {"f": _tanh_gelu, "derivative": _tanh_gelu_slope},
    "cos": {"f": np.cos, "derivative": lambda z: -np.sin(z), "at_zero": 1.0},
    "gaussian": {
        "f": lambda z: np.exp(-np.square(np.clip(z, -50.0, 50.0))),
        "derivative": lambda z: -2.0 * np.clip(z, -50.0, 50.0) * np.exp(-np.square(np.clip(z, -50.0, 50.0))),
        "at_zero": 1.0,
        "saturating": True,
    },
    "abs": {"f": np.abs, "derivative": lambda z: np.where(z > 0, 1.0, -1.0), "degree": 1},
    "square": {"f": np.square, "derivative": lambda z: 2.0 * z, "degree": 2},
}

PARAMETRISED: dict[str, tuple[str, float, Callable[[float], dict[str, Any]]]] = {
    "leaky_relu": ("negative_slope", 0.01, _leaky_relu),
    "elu": ("alpha", 1.0, _elu),
    "celu": ("alpha", 1.0, _celu),
    "swish": ("beta", 1.0, _swish),
    "sin": ("frequency", 1.0, _sine),
    "snake": ("a", 1.0, _snake),
    "softshrink": ("lambd", 0.5, _softshrink),
    "hardshrink": ("lambd", 0.5, _hardshrink),
    "squareplus": ("b", 4.0, _squareplus),
}
"""Name -> what its parameter is called, the parameter's default, and how it is made of the parameter."""

GATES = {"glu": "sigmoid", "reglu": "relu", "geglu": "gelu", "swiglu": "silu", "bilinear": "linear"}
"""Name of a gate -> the activation of the input that gates the other (Shazeer 2020, arXiv 2002.05202)."""
