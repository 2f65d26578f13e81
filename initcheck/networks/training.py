"""Training: a network, a batch, a loss and an optimiser give a trajectory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.networks.losses import Loss
from initcheck.networks.optimisers import Optimiser, OptimiserState
from initcheck.networks.perceptron import Gradients, Perceptron

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trajectory:
    """A training run, step by step.

    Attributes:
        networks: the network before the first step and after each: steps + 1 of them.
        gradients: the gradients that each step followed: steps of them.
        losses: the loss of each network but the last, on the training batch.
    """

    networks: tuple[Perceptron, ...]
    gradients: tuple[Gradients, ...]
    losses: tuple[float, ...]

    @property
    def last(self) -> Perceptron:
        """The network after the last step."""
        return self.networks[-1]


def loss_gradients(
    net: Perceptron, x: Array, y: Array, loss: Loss, masks: Sequence[Array] | None = None
) -> tuple[float, Gradients]:
    """The loss of a network on a batch, and its gradient by every parameter."""
    forward = net.forward(x, masks)
    value, output_gradient = loss(forward.output, y)
    return value, net.backward(forward, output_gradient)


def train(
    net: Perceptron,
    x: Array,
    y: Array,
    loss: Loss,
    optimiser: Optimiser,
    steps: int,
    masks: Callable[[int], Sequence[Array]] | None = None,
) -> Trajectory:
    """Take full-batch steps and keep everything on the way.

    >>> from initcheck.networks import SGD, squared_error
    >>> line = Perceptron((np.array([[0.0]]),), ())
    >>> train(line, np.array([[1.0]]), np.array([[1.0]]), squared_error, SGD(0.5), 3).losses
    (0.5, 0.125, 0.03125)

    Args:
        net: where it starts.
        x: inputs, shape (batch, inputs).
        y: targets, shape (batch, outputs).
        loss: such as ``squared_error``.
        optimiser: such as ``SGD(0.1)``.
        steps: how many.
        masks: the dropout masks of a step, by its number from 0; None for no dropout.
    """
    state = OptimiserState()
    networks, gradients, losses = [net], [], []
    for step in range(steps):
        value, gradient = loss_gradients(net, x, y, loss, None if masks is None else masks(step))
        parameters, state = optimiser.step(net.parameters, gradient.parameters, state)
        net = net.with_parameters(parameters)
        networks.append(net)
        gradients.append(gradient)
        losses.append(value)
    return Trajectory(tuple(networks), tuple(gradients), tuple(losses))
