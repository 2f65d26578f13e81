"""Activation functions, their derivatives, and the Gaussian moments that fix the gain."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ACTIVATION_NAMES", "Activation", "activation"]

Array = npt.NDArray[np.float64]
Elementwise = Callable[[Array], Array]

# Klambauer et al. 2017, section 2: the fixed point (mean 0, variance 1) of the SELU map.
_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717

_FORM = re.compile(r"\s*(?P<name>\w+)\s*(?:\(\s*(?P<value>[^()]*?)\s*\))?\s*")


@dataclass(frozen=True)
class Activation:
    """An activation phi, its derivative, and what a check must know of it.

    >>> relu = activation("relu")
    >>> relu.m2, round(relu.gain, 6)
    (0.5, 1.414214)
    >>> str(activation("leaky_relu"))
    'leaky_relu(0.01)'

    Attributes:
        name: such as ``relu``; without the parameter.
        parameter: the negative slope of ``leaky_relu``, alpha of ``elu``; None where there is none.
        f: phi, elementwise on a float64 array of any shape.
        derivative: phi', elementwise; at a kink the value on its left (relu'(0) = 0).
        odd: phi(-z) = -phi(z).
        at_zero: phi(0).
        degree: d where phi(c z) = c^d phi(z) for every c > 0; None where there is no such d.
        saturating: bounded, so that phi' vanishes on both sides and no gain serves both directions.
    """

    name: str
    parameter: float | None
    f: Elementwise = field(compare=False, repr=False)
    derivative: Elementwise = field(compare=False, repr=False)
    odd: bool = field(default=False, compare=False)
    at_zero: float = field(default=0.0, compare=False)
    degree: int | None = field(default=None, compare=False)
    saturating: bool = field(default=False, compare=False)

    @property
    def homogeneous(self) -> bool:
        """Whether phi(c z) = c^degree phi(z), so that a signal may be rescaled on its way."""
        return self.degree is not None

    @functools.cached_property
    def m1(self) -> float:
        """E phi(z) for one standard normal z."""
        return _expectation(self.f)

    @functools.cached_property
    def m2(self) -> float:
        """E phi(z)^2 for one standard normal z."""
        return _expectation(lambda z: self.f(z) ** 2)

    @functools.cached_property
    def m2_prime(self) -> float:
        """E phi'(z)^2 for one standard normal z."""
        return _expectation(lambda z: self.derivative(z) ** 2)

    @property
    def gain(self) -> float:
        """The gain 1/sqrt(m2) at which Var w = gain^2/fan_in gives pre-activations of second moment 1."""
        return 1.0 / math.sqrt(self.m2)

    def __str__(self) -> str:
        return self.name if self.parameter is None else f"{self.name}({self.parameter:g})"

    def __reduce__(self) -> tuple[Any, ...]:
        # The functions may be closures, which pickle refuses; name and parameter rebuild them.
        return (_made, (self.name, self.parameter))


def activation(text: str) -> Activation:
    """The activation of that name, such as ``tanh`` or ``leaky_relu(0.2)``.

    >>> activation("leaky_relu(0.2)").f(np.array([-1.0, 0.0, 3.0])).tolist()
    [-0.2, 0.0, 3.0]
    >>> activation("tanh").odd, activation("sigmoid").at_zero
    (True, 0.5)

    Args:
        text: one of ``ACTIVATION_NAMES``; ``leaky_relu`` and ``elu`` take a number in parentheses (default 0.01 and 1).

    Raises:
        ValueError: there is no such activation, or its parameter is no number.
    """
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None or match["name"] not in ACTIVATION_NAMES:
        raise ValueError(f"{text!r} is not an activation; valid are {', '.join(ACTIVATION_NAMES)}.")
    name, value = match["name"], match["value"]
    if name in _PLAIN:
        if value is not None:
            raise ValueError(f"{text!r}: {name} takes no parameter; write {name!r}.")
        return _PLAIN[name]
    default = _PARAMETRISED[name][1]
    try:
        parameter = default if value is None else float(value)
    except ValueError:
        parameter = math.nan
    if not math.isfinite(parameter):
        raise ValueError(f"{text!r}: the parameter of {name} must be a finite number, as in '{name}({default:g})'.")
    return _made(name, parameter)


@functools.cache
def _made(name: str, parameter: float | None) -> Activation:
    return _PLAIN[name] if parameter is None else _PARAMETRISED[name][0](parameter)


@functools.cache
def _nodes() -> tuple[Array, Array]:
    """Nodes and weights of a standard normal expectation: Gauss-Legendre, half a unit a panel, to +-13."""
    # Every kink of our activations lies at 0, which is a panel's edge, and every pole at distance pi/2 or
    # more from the real axis: 20 nodes a panel are exact to rounding. What lies beyond +-13 weighs 1e-37.
    nodes, weights = np.polynomial.legendre.leggauss(20)
    edges = np.arange(-26, 26) * 0.5
    z = (edges[:, None] + 0.25 + 0.25 * nodes).ravel()
    density = np.tile(0.25 * weights, len(edges)) * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return z, density


def _expectation(g: Elementwise) -> float:
    z, density = _nodes()
    # Rounded past what the nodes can give, so that 1/2 comes out as 0.5 and not as 0.5000000000000002.
    return round(math.fsum(density * g(z)), 15)


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


def _leaky_relu(slope: float) -> Activation:
    return Activation(
        "leaky_relu",
        slope,
        lambda z: np.where(z > 0, z, slope * z),
        lambda z: np.where(z > 0, 1.0, slope),
        odd=slope == 1.0,
        degree=1,
    )


def _elu_pair(alpha: float, scale: float = 1.0) -> tuple[Elementwise, Elementwise]:
    return (
        lambda z: scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0))),
        lambda z: scale * np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0.0))),
    )


_PLAIN = {
    a.name: a
    for a in (
        Activation("linear", None, np.array, np.ones_like, odd=True, degree=1),
        Activation("relu", None, lambda z: np.maximum(z, 0.0), lambda z: np.greater(z, 0.0) * 1.0, degree=1),
        Activation("tanh", None, np.tanh, lambda z: 1.0 - np.tanh(z) ** 2, odd=True, saturating=True),
        Activation("sigmoid", None, _sigmoid, _logistic_slope, at_zero=0.5, saturating=True),
        Activation("gelu", None, lambda z: z * _normal_cdf(z), lambda z: _normal_cdf(z) + z * _normal_pdf(z)),
        Activation("silu", None, lambda z: z * _sigmoid(z), lambda z: _sigmoid(z) * (1.0 + z * _sigmoid(-z))),
        Activation("selu", None, *_elu_pair(_SELU_ALPHA, _SELU_SCALE)),
        Activation("softplus", None, _softplus, _sigmoid, at_zero=math.log(2.0)),
        Activation("mish", None, lambda z: z * np.tanh(_softplus(z)), _mish_slope),
        Activation("relu2", None, lambda z: np.maximum(z, 0.0) ** 2, lambda z: 2.0 * np.maximum(z, 0.0), degree=2),
    )
}
# name -> how it is made of its parameter, and the parameter's default
_PARAMETRISED: dict[str, tuple[Callable[[float], Activation], float]] = {
    "leaky_relu": (_leaky_relu, 0.01),
    "elu": (lambda alpha: Activation("elu", alpha, *_elu_pair(alpha)), 1.0),
}
ACTIVATION_NAMES = (*_PLAIN, *_PARAMETRISED)
