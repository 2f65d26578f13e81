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

from initcheck.networks.activation_table import GATES, PARAMETRISED, PLAIN
from initcheck.networks.quadrature import GaussianGrid, gaussian_grid

Array = npt.NDArray[np.float64]
Elementwise = Callable[[Array], Array]

_FORM = re.compile(r"\s*(?P<name>\w+)\s*(?:\(\s*(?:(?P<key>\w+)\s*=\s*)?(?P<value>[^()]*?)\s*\))?\s*")


@dataclass(frozen=True)
class Activation:
    """An activation phi, its derivative, and what a check must know of it.

    >>> relu = activation("relu")
    >>> relu.m2, round(relu.gain, 6)
    (0.5, 1.414214)
    >>> str(activation("leaky_relu"))
    'leaky_relu(0.01)'
    >>> activation("swiglu").f(np.array([1.0, 3.0])).round(6).tolist()
    [2.193176]

    A gate takes two pre-activations u and v and gives phi(u) v: its f takes an even number of them on the last axis,
    the u first, and gives half as many.

    Attributes:
        name: such as ``relu``; without the parameter.
        parameter: the negative slope of ``leaky_relu``, alpha of ``elu``; None where there is none.
        f: phi, elementwise on a float64 array of any shape; of a gate, its product.
        derivative: phi', elementwise; at a kink the value on its left (relu'(0) = 0). Of a gate, that of its phi.
        odd: phi(-z) = -phi(z).
        at_zero: phi(0).
        degree: d where phi(c z) = c^d phi(z) for every c > 0; None where there is no such d.
        saturating: bounded, so that phi' vanishes on both sides and no gain serves both directions.
        gate: of a gate, its phi; None of anything else.
        function: the ``id`` of a function that a user handed over, which tells two of one name apart; else 0.
        remake: what pickle makes that one again of.
        rounding: relative error of a value: that of float64, or of float32 where it computes in that.
    """

    name: str
    parameter: float | None
    f: Elementwise = field(compare=False, repr=False)
    derivative: Elementwise = field(compare=False, repr=False)
    odd: bool = field(default=False, compare=False)
    at_zero: float = field(default=0.0, compare=False)
    degree: int | None = field(default=None, compare=False)
    saturating: bool = field(default=False, compare=False)
    gate: Activation | None = field(default=None, compare=False)
    function: int = field(default=0, repr=False)
    remake: tuple[Any, ...] | None = field(default=None, compare=False, repr=False)
    rounding: float = field(default=2.0**-53, compare=False, repr=False)

    @property
    def homogeneous(self) -> bool:
        """Whether phi(c z) = c^degree phi(z), so that a signal may be rescaled on its way."""
        return self.degree is not None

    @property
    def growth(self) -> int:
        """The power of z that it grows by far out: 2 of a gate, 1 where nothing else is known."""
        return self.degree or (2 if self.gate is not None else 1)

    @property
    def streams(self) -> int:
        """How many pre-activations one output takes: 2 of a gate."""
        return 1 if self.gate is None else 2

    def backward(self, z: Array, delta: Array) -> Array:
        """The gradient at the pre-activations z, of the gradient delta at phi(z)."""
        if self.gate is None:
            return delta * self.derivative(z)
        u, v = np.split(z, 2, axis=-1)
        return np.concatenate([delta * self.gate.derivative(u) * v, delta * self.gate.f(u)], axis=-1)

    @functools.cached_property
    def grid(self) -> GaussianGrid:
        """Nodes and weights that integrate phi, phi^2 and phi'^2; of a gate, those of its phi."""
        if self.gate is not None:
            return self.gate.grid
        return gaussian_grid(
            lambda z: np.stack([self.f(z), self.f(z) ** 2, self.derivative(z) ** 2]), rounding=self.rounding
        )

    @functools.cached_property
    def m1(self) -> float:
        """E phi(z) for one standard normal z; 0 of a gate, whose second input has mean 0."""
        return 0.0 if self.gate is not None else self.grid.mean(self.f(self.grid.z))

    @functools.cached_property
    def m2(self) -> float:
        """E phi(z)^2 for one standard normal z; of a gate E phi(u)^2 E v^2."""
        return self.gate.m2 if self.gate is not None else self.grid.mean(self.f(self.grid.z) ** 2)

    @functools.cached_property
    def m2_prime(self) -> float:
        """E phi'(z)^2 for one standard normal z; of a gate E phi'(u)^2 v^2 + E phi(u)^2, one term an input."""
        if self.gate is not None:
            return self.gate.m2_prime + self.gate.m2
        return self.grid.mean(self.derivative(self.grid.z) ** 2)

    @property
    def gain(self) -> float:
        """The gain 1/sqrt(m2) at which Var w = gain^2/fan_in gives pre-activations of second moment 1."""
        return 1.0 / math.sqrt(self.m2)

    def __str__(self) -> str:
        return self.name if self.parameter is None else f"{self.name}({self.parameter:g})"

    def __reduce__(self) -> tuple[Any, ...]:
        # The functions may be closures, which pickle refuses; name and parameter rebuild them.
        return self.remake or (_made, (self.name, self.parameter))


def activation(text: str) -> Activation:
    """The activation of that name, such as ``tanh`` or ``leaky_relu(0.2)``.

    >>> activation("leaky_relu(0.2)").f(np.array([-1.0, 0.0, 3.0])).tolist()
    [-0.2, 0.0, 3.0]
    >>> activation("tanh").odd, activation("sigmoid").at_zero, str(activation("snake(a=2)"))
    (True, 0.5, 'snake(2)')

    Args:
        text: one of ``ACTIVATION_NAMES``, or a gate: ``swiglu``, ``geglu``, ``reglu``, ``glu``, ``bilinear``. Some
            take a number in parentheses, such as ``leaky_relu`` and ``elu`` (default 0.01 and 1).

    Raises:
        ValueError: there is no such activation, or its parameter is no number.
    """
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None or match["name"] not in (*ACTIVATION_NAMES, *GATES):
        raise ValueError(f"{text!r} is not an activation; valid are {', '.join((*ACTIVATION_NAMES, *GATES))}.")
    name, value = match["name"], match["value"]
    if name not in PARAMETRISED:
        if value is not None:
            raise ValueError(f"{text!r}: {name} takes no parameter; write {name!r}.")
        return _made(name, None)
    key, default, _ = PARAMETRISED[name]
    if match["key"] not in (None, key):
        raise ValueError(f"{text!r}: the parameter of {name} is called {key}; write '{name}({key}={default:g})'.")
    try:
        parameter = default if value is None else float(value)
    except ValueError:
        parameter = math.nan
    if not math.isfinite(parameter):
        raise ValueError(f"{text!r}: the parameter of {name} must be a finite number, as in '{name}({default:g})'.")
    return _made(name, parameter)


def activation_of(name: str, f: Elementwise, derivative: Elementwise) -> Activation:
    """Make an activation of two functions, and find out what is to be known of it.

    >>> made = activation_of("cube", lambda z: z**3, lambda z: 3 * z**2)
    >>> made.odd, made.degree, round(made.m2, 9)
    (True, 3, 15.0)

    Args:
        name: how it is called in messages.
        f, derivative: phi and phi', elementwise on float64 arrays of one axis or more.
    """
    z = np.concatenate([-_PROBES, _PROBES])
    with np.errstate(all="ignore"):
        here, far, slope = f(z), f(_FAR * z), derivative(_FAR * z)
        degrees = [d for d in (1, 2, 3) if np.allclose(f(7.0 * z), 7.0**d * here, rtol=1e-9, atol=0)]
    bounded = bool(np.isfinite(far).all() and np.abs(far).max() <= 10 * max(float(np.abs(here).max()), 1e-9))
    return Activation(
        name,
        None,
        f,
        derivative,
        odd=bool(np.array_equal(f(-z), -here)),
        at_zero=float(f(np.zeros(1))[0]),
        degree=degrees[0] if degrees and here.any() else None,
        saturating=bounded and bool((np.abs(slope) < 1e-6).all()),
    )


@functools.cache
def _made(name: str, parameter: float | None) -> Activation:
    if name in GATES:
        return _gate(name, _made(GATES[name], None))
    if parameter is None:
        return Activation(name, None, **PLAIN[name])
    return Activation(name, parameter, **PARAMETRISED[name][2](parameter))


def _gate(name: str, phi: Activation) -> Activation:
    def product(z: Array) -> Array:
        u, v = np.split(z, 2, axis=-1)
        return phi.f(u) * v

    degree = None if phi.degree is None else phi.degree + 1
    return Activation(name, None, product, phi.derivative, degree=degree, gate=phi)


_PROBES = np.array([0.011, 0.17, 0.46, 0.93, 1.3, 2.1, 3.7, 6.5])
_FAR = 1e4
ACTIVATION_NAMES = (*PLAIN, *PARAMETRISED)
