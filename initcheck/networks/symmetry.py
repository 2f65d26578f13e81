"""Symmetries of a network's units: tying two of them, telling them apart, and folding equal ones into one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from initcheck.networks.optimisers import SGD, Adam, Momentum
from initcheck.networks.perceptron import Gradients, Perceptron

UNIT_PARTS = ("incoming", "bias", "outgoing")


@dataclass(frozen=True)
class Pair:
    """Two units of one hidden layer.

    Attributes:
        layer: the hidden layer, from 0: its incoming weights are ``net.weights[layer]``.
        first: one unit.
        second: the other unit.
        sign: 1 for twins that are equal, -1 for twins that are each other's negative.
    """

    layer: int
    first: int
    second: int
    sign: float = 1.0


def tie(net: Perceptron, pair: Pair, parts: Collection[str] = UNIT_PARTS) -> Perceptron:
    """Give the second unit the first one's ``incoming`` weights, ``bias`` and ``outgoing`` weights, or some.

    >>> from initcheck.networks.activations import activation
    >>> net = Perceptron((np.array([[1.0], [2.0]]), np.array([[3.0, 4.0]])), (activation("tanh"),))
    >>> [w.tolist() for w in tie(net, Pair(0, 0, 1), parts=["incoming"]).weights]
    [[[1.0], [1.0]], [[3.0, 4.0]]]
    """
    weights = [w.copy() for w in net.weights]
    biases = None if net.biases is None else [b.copy() for b in net.biases]
    layer, first, second = pair.layer, pair.first, pair.second
    if "incoming" in parts:
        weights[layer][second] = pair.sign * weights[layer][first]
    if "outgoing" in parts:
        weights[layer + 1][:, second] = pair.sign * weights[layer + 1][:, first]
    if "bias" in parts and biases is not None:
        biases[layer][second] = pair.sign * biases[layer][first]
    return replace(net, weights=tuple(weights), biases=None if biases is None else tuple(biases))


def gap(of: Perceptron | Gradients, pair: Pair) -> float:
    """The largest difference between the two units' weights and biases, or between their gradients.

    >>> from initcheck.networks.activations import activation
    >>> net = Perceptron((np.array([[1.0], [2.0]]), np.array([[3.0, 3.5]])), (activation("tanh"),))
    >>> gap(net, Pair(0, 0, 1))
    1.0
    """
    layer, first, second = pair.layer, pair.first, pair.second
    apart = [
        of.weights[layer][second] - pair.sign * of.weights[layer][first],
        of.weights[layer + 1][:, second] - pair.sign * of.weights[layer + 1][:, first],
    ]
    if of.biases:
        apart.append(np.atleast_1d(of.biases[layer][second] - pair.sign * of.biases[layer][first]))
    # Not the max of Python, which passes over NaN.
    return float(np.max([np.abs(a).max() for a in apart]))


def zeroed(net: Perceptron, layers: Collection[int] | None = None) -> Perceptron:
    """The network with all biases zero, and the weights of these layers (from 0; None: of all)."""
    weights = tuple(np.zeros_like(w) if layers is None or layer in layers else w for layer, w in enumerate(net.weights))
    biases = None if net.biases is None else tuple(np.zeros_like(b) for b in net.biases)
    return replace(net, weights=weights, biases=biases)


def made_constant(net: Perceptron) -> Perceptron:
    """The network with every hidden unit replaced by the first of its layer, so that they are equal."""
    weights = []
    for layer, w in enumerate(net.weights):
        rows = np.repeat(w[:1], len(w), axis=0) if layer < len(net.activations) else w
        weights.append(np.repeat(rows[:, :1], w.shape[1], axis=1) if layer else rows)
    biases = None
    if net.biases is not None:
        hidden = tuple(np.full_like(b, b[0]) for b in net.biases[:-1])
        biases = (*hidden, net.biases[-1])
    return replace(net, weights=tuple(weights), biases=biases)


def all_units_equal(net: Perceptron) -> bool:
    """Whether in every hidden layer all units have the same incoming weights, bias and outgoing weights."""
    return all(
        gap(net, Pair(layer, 0, other)) == 0.0
        for layer in range(len(net.activations))
        for other in range(1, len(net.weights[layer]))
    )


def collapse(net: Perceptron) -> Perceptron:
    """Fold each hidden layer of n equal units into one unit whose outgoing weights are n times as large.

    Of a network whose units are not all equal it folds the first of each layer.
    """
    weights = []
    for layer, w in enumerate(net.weights):
        rows = w[:1] if layer < len(net.activations) else w
        weights.append(rows[:, :1] * w.shape[1] if layer else rows)
    biases = None if net.biases is None else (*(b[:1] for b in net.biases[:-1]), net.biases[-1])
    return replace(net, weights=tuple(weights), biases=biases)


def collapsed_optimiser(optimiser: SGD | Momentum | Adam, net: Perceptron) -> SGD | Momentum | Adam:
    """The optimiser that moves ``collapse(net)`` as ``optimiser`` moves ``net``, where all units are equal.

    With n copies in a layer and m in the layer below (1 at the inputs and at the outputs), the folded unit's
    gradients are n times those of one copy, and the folded weight is m times the copy's. So gradient descent
    takes rate * m/n on the weights and rate/n on the bias; Adam divides the n out again, if its epsilon grows
    with it, and takes rate * m and rate.

    Args:
        optimiser: with one learning rate for all.
        net: before it is folded.
    """
    hidden = [len(w) for w in net.weights[:-1]]
    below, here = [1, *hidden], [*hidden, 1]
    biased = net.biases is not None
    if isinstance(optimiser, Adam):
        rates = [_one(optimiser.rate) * m for m in below] + [_one(optimiser.rate)] * (len(here) * biased)
        epsilons = [_one(optimiser.epsilon) * n for n in here] * (1 + biased)
        return replace(optimiser, rate=tuple(rates), epsilon=tuple(epsilons))
    rates = [_one(optimiser.rate) * m / n for m, n in zip(below, here, strict=True)]
    rates += [_one(optimiser.rate) / n for n in here] * biased
    return replace(optimiser, rate=tuple(rates))


def _one(rate: float | tuple[float, ...]) -> float:
    if isinstance(rate, tuple):
        raise ValueError(f"rate {rate!r} is one an array; folding a network needs one learning rate for all.")
    return rate
