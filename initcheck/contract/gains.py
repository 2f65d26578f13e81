"""Which activation a constant belongs to: Var w = gain^2 / fan, read backwards."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from initcheck.contract.contract import Contract
from initcheck.contract.second_moments import nonlinearity
from initcheck.networks import activation

TOLERANCE = 0.04  # 10 % would read 25/9 * 0.774 = 2.149, a truncated tanh, as He
SIGMAS = 4.0


@dataclass(frozen=True)
class Gain:
    """A gain somebody may have meant.

    Attributes:
        activation: as a contract names it.
        power: gain^2.
        text: in words, such as ``relu`` or ``tanh (PyTorch's 5/3)``.
    """

    activation: str
    power: float
    text: str


@functools.cache
def known_gains() -> tuple[Gain, ...]:
    """List the ideal gains of the activations, and PyTorch's 5/3 for tanh; the commonest first."""
    names = (
        "linear",
        "relu",
        "tanh",
        "gelu",
        "silu",
        "sigmoid",
        "elu",
        "softplus",
        "mish",
        "leaky_relu(0.2)",
        "relu2",
    )
    ideal = [Gain(name, activation(name).gain ** 2, name) for name in names]
    return (*ideal[:3], Gain("tanh", 25 / 9, "tanh (PyTorch's 5/3)"), *ideal[3:])


def gains_near(constant: float, standard_error: float = 0.0) -> list[Gain]:
    """List the gains whose square lies within max(4 %, 4 standard errors) of a constant, nearest first.

    >>> [g.text for g in gains_near(2.8)]
    ['silu', "tanh (PyTorch's 5/3)"]
    >>> gains_near(0.5)
    []

    Args:
        constant: c of Var w = c / fan.
        standard_error: of c, relative to c.
    """
    allowed = max(TOLERANCE, SIGMAS * standard_error)
    off = [(abs(constant / g.power - 1), g) for g in known_gains()]
    return [g for distance, g in sorted(off, key=lambda pair: pair[0]) if distance <= allowed]


def required_power(contract: Contract) -> float:
    """gain^2 that a contract promises: its own gain, or the ideal gain of its activation.

    >>> round(required_power(Contract(activation="relu")), 9)
    2.0
    """
    if contract.gain is not None:
        return contract.gain**2
    return nonlinearity(contract).gain ** 2
