"""Gradient descent, momentum and Adam as step functions with explicit state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rate = float | tuple[float, ...]


@dataclass(frozen=True)
class OptimiserState:
    """What an optimiser remembers.

    Attributes:
        steps: number of steps taken.
        first: running sum of gradients (momentum) or its mean (Adam), one array a parameter; empty for SGD.
        second: running mean of squared gradients (Adam); empty otherwise.
    """

    steps: int = 0
    first: tuple[Array, ...] = ()
    second: tuple[Array, ...] = ()


class Optimiser(Protocol):
    """Whatever has such a ``step``."""

    def step(
        self, parameters: Sequence[Array], gradients: Sequence[Array], state: OptimiserState
    ) -> tuple[tuple[Array, ...], OptimiserState]:
        """One step: the new parameters and the new state; ``OptimiserState()`` begins."""
        ...


@dataclass(frozen=True)
class SGD:
    """Gradient descent: p <- p - rate * gradient.

    >>> parameters, _ = SGD(rate=0.5).step([np.array([1.0])], [np.array([4.0])], OptimiserState())
    >>> parameters[0].tolist()
    [-1.0]

    Attributes:
        rate: learning rate, one for all or one a parameter array.
    """

    rate: Rate = 0.1

    def step(
        self, parameters: Sequence[Array], gradients: Sequence[Array], state: OptimiserState
    ) -> tuple[tuple[Array, ...], OptimiserState]:
        """One step: the new parameters and the new state."""
        rates = _per_array(self.rate, parameters)
        moved = tuple(p - r * g for p, g, r in zip(parameters, gradients, rates, strict=True))
        return moved, OptimiserState(state.steps + 1)


@dataclass(frozen=True)
class Momentum:
    """Heavy-ball momentum (Polyak 1964): v <- momentum * v + gradient; p <- p - rate * v.

    Attributes:
        rate: learning rate, one for all or one a parameter array.
        momentum: the share of the velocity that is kept, in [0, 1).
    """

    rate: Rate = 0.1
    momentum: float = 0.9

    def step(
        self, parameters: Sequence[Array], gradients: Sequence[Array], state: OptimiserState
    ) -> tuple[tuple[Array, ...], OptimiserState]:
        """One step: the new parameters and the new state."""
        before = state.first or tuple(np.zeros_like(p) for p in parameters)
        velocity = tuple(self.momentum * v + g for v, g in zip(before, gradients, strict=True))
        rates = _per_array(self.rate, parameters)
        moved = tuple(p - r * v for p, v, r in zip(parameters, velocity, rates, strict=True))
        return moved, OptimiserState(state.steps + 1, velocity)


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1), with bias correction.

    Attributes:
        rate: learning rate, one for all or one a parameter array.
        beta1: decay of the mean gradient.
        beta2: decay of the mean squared gradient.
        epsilon: added to the root mean square, one for all or one a parameter array.
    """

    rate: Rate = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: Rate = 1e-8

    def step(
        self, parameters: Sequence[Array], gradients: Sequence[Array], state: OptimiserState
    ) -> tuple[tuple[Array, ...], OptimiserState]:
        """One step: the new parameters and the new state."""
        steps = state.steps + 1
        zeros = tuple(np.zeros_like(p) for p in parameters)
        first = tuple(
            self.beta1 * m + (1 - self.beta1) * g for m, g in zip(state.first or zeros, gradients, strict=True)
        )
        second = tuple(
            self.beta2 * v + (1 - self.beta2) * g * g for v, g in zip(state.second or zeros, gradients, strict=True)
        )
        correct1, correct2 = 1 - self.beta1**steps, 1 - self.beta2**steps
        rates, epsilons = _per_array(self.rate, parameters), _per_array(self.epsilon, parameters)
        moved = tuple(
            p - r * (m / correct1) / (np.sqrt(v / correct2) + e)
            for p, m, v, r, e in zip(parameters, first, second, rates, epsilons, strict=True)
        )
        return moved, OptimiserState(steps, first, second)


def _per_array(value: Rate, parameters: Sequence[Array]) -> tuple[float, ...]:
    if isinstance(value, tuple):
        if len(value) != len(parameters):
            raise ValueError(f"{len(value)} rates were given for {len(parameters)} parameter arrays; give one each.")
        return value
    return (value,) * len(parameters)
