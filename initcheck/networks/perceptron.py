"""A multilayer perceptron in float64 NumPy: its forward pass and back-propagation, written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from initcheck.networks.activations import Activation

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Forward:
    """What a forward pass leaves behind, layer by layer.

    Attributes:
        pre_activations: z_l = W_l h_(l-1) + b_l, one (batch, units) array a layer; the last is the output.
        activations: h_0 = the input, then h_l = phi(z_l) of every hidden layer: what each W_l was fed.
        masks: the dropout masks of the hidden layers, None where there was no dropout.
    """

    pre_activations: tuple[Array, ...]
    activations: tuple[Array, ...]
    masks: tuple[Array, ...] | None = None

    @property
    def output(self) -> Array:
        """The network's output, shape (batch, outputs)."""
        return self.pre_activations[-1]


@dataclass(frozen=True)
class Gradients:
    """The gradient of a loss, layer by layer.

    Attributes:
        weights: dLoss/dW_l, shaped as W_l.
        biases: dLoss/db_l, one vector a layer; empty where the network has no biases.
        signals: delta_l = dLoss/dz_l, shape (batch, units).
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    signals: tuple[Array, ...]

    @property
    def parameters(self) -> tuple[Array, ...]:
        """In the order of ``Perceptron.parameters``: the weights, then the biases."""
        return self.weights + self.biases


@dataclass(frozen=True)
class Perceptron:
    """A fully connected network: hidden layers with activations, a linear output layer.

    >>> from initcheck.networks.activations import activation
    >>> net = Perceptron((np.array([[1.0, -1.0]]), np.array([[2.0]])), (activation("relu"),))
    >>> net.forward(np.array([[5.0, 2.0]])).output.tolist()
    [[6.0]]

    Attributes:
        weights: W_1 .. W_L, one (units, inputs) float64 matrix a layer: a row is a unit's incoming weights.
        activations: phi of each hidden layer, L - 1 of them.
        biases: one (units,) vector a layer, or None for a network without.
        ordered: multiply matrices so that every entry is summed in the same order. BLAS treats rows and
            columns at the edge of a block otherwise, and equal units then differ in the last bit. Slow: for
            small networks.

    Raises:
        ValueError: the shapes do not fit together.
    """

    weights: tuple[Array, ...]
    activations: tuple[Activation, ...]
    biases: tuple[Array, ...] | None = None
    ordered: bool = False

    def __post_init__(self) -> None:
        if len(self.activations) != len(self.weights) - 1:
            raise ValueError(
                f"{len(self.weights)} weight matrices need {len(self.weights) - 1} activations, one a hidden"
                f" layer; {len(self.activations)} were given."
            )
        for below, above, phi in zip(self.weights, self.weights[1:], self.activations, strict=False):
            if above.shape[1] * phi.streams != below.shape[0]:
                raise ValueError(f"a layer of shape {above.shape} cannot follow {below.shape}: (units, inputs) each.")
        if self.biases is not None and [b.shape for b in self.biases] != [w.shape[:1] for w in self.weights]:
            raise ValueError(
                f"biases of shapes {[b.shape for b in self.biases]} do not fit units"
                f" {[w.shape[:1] for w in self.weights]}."
            )

    @property
    def parameters(self) -> tuple[Array, ...]:
        """All weights, then all biases: what an optimiser moves."""
        return self.weights + (self.biases or ())

    def with_parameters(self, parameters: Sequence[Array]) -> Perceptron:
        """The same network with other numbers, in the order of ``parameters``."""
        layers = len(self.weights)
        biases = None if self.biases is None else tuple(parameters[layers:])
        return replace(self, weights=tuple(parameters[:layers]), biases=biases)

    def forward(self, x: Array, masks: Sequence[Array] | None = None) -> Forward:
        """Send a batch through the network and keep every layer's values.

        Args:
            x: inputs, shape (batch, inputs).
            masks: dropout, one array a hidden layer that multiplies its activations, shape (batch, units)
                or (units,).
        """
        multiply = _ordered_product if self.ordered else _product
        fed: list[Array] = [x]
        pre_activations: list[Array] = []
        for layer, w in enumerate(self.weights):
            z = multiply(fed[-1], w)
            if self.biases is not None:
                z = z + self.biases[layer]
            pre_activations.append(z)
            if layer < len(self.activations):
                h = self.activations[layer].f(z)
                fed.append(h if masks is None else h * masks[layer])
        return Forward(tuple(pre_activations), tuple(fed), None if masks is None else tuple(masks))

    def backward(self, forward: Forward, output_gradient: Array) -> Gradients:
        """Back-propagate the loss gradient at the outputs to every weight, bias and pre-activation.

        Args:
            forward: what ``forward`` returned for this batch.
            output_gradient: dLoss/d(output), shape (batch, outputs).
        """
        multiply = _ordered_product if self.ordered else _product
        delta = output_gradient
        weights: list[Array] = []
        signals: list[Array] = []
        for layer in reversed(range(len(self.weights))):
            signals.append(delta)
            weights.append(multiply(delta.T, forward.activations[layer].T))
            if layer:
                delta = multiply(delta, self.weights[layer].T)
                if forward.masks is not None:
                    delta = delta * forward.masks[layer - 1]
                delta = self.activations[layer - 1].backward(forward.pre_activations[layer - 1], delta)
        signals.reverse()
        biases = () if self.biases is None else tuple(_sum_over_batch(s) for s in signals)
        return Gradients(tuple(reversed(weights)), biases, tuple(signals))


def _product(a: Array, b: Array) -> Array:
    """A B^T, for A of shape (m, k) and B of shape (n, k)."""
    return a @ b.T


def _ordered_product(a: Array, b: Array) -> Array:
    """A B^T, every entry summed over k in the same order: equal rows give equal entries to the last bit."""
    terms = np.multiply(a[:, None, :], b[None, :, :], order="C")
    result: Array = terms.sum(axis=-1)
    return result


def _sum_over_batch(signal: Array) -> Array:
    result: Array = np.ascontiguousarray(signal.T).sum(axis=-1)
    return result
