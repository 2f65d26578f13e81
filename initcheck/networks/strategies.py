"""Hypothesis strategies for whole experiments: a small network, a batch, a loss and an optimiser."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from initcheck.networks.activations import activation
from initcheck.networks.losses import LOSSES
from initcheck.networks.optimisers import SGD, Adam, Momentum
from initcheck.networks.perceptron import Gradients, Perceptron
from initcheck.networks.symmetry import UNIT_PARTS, Pair, tie
from initcheck.networks.training import Trajectory, loss_gradients, train

Array = npt.NDArray[np.float64]

# Without relu2: its powers leave the range of float64 after a few layers and steps.
EVERY_ACTIVATION = (
    "linear", "relu", "leaky_relu(0.2)", "tanh", "sigmoid", "gelu", "silu", "selu", "elu", "softplus", "mish",
)  # fmt: skip
ODD = tuple(name for name in EVERY_ACTIVATION if activation(name).odd)
NOT_ODD = tuple(name for name in EVERY_ACTIVATION if not activation(name).odd)
HOMOGENEOUS = tuple(name for name in EVERY_ACTIVATION if activation(name).degree == 1)
ZERO_AT_ZERO = tuple(name for name in EVERY_ACTIVATION if activation(name).at_zero == 0)
# Nowhere flat: a gradient that comes through is zero with probability 0, whereas ReLU units may all be dead.
SMOOTH = ("tanh", "sigmoid", "gelu", "silu", "elu", "softplus", "mish")


@dataclass(frozen=True)
class Experiment:
    """A network, a batch, a loss and an optimiser.

    Attributes:
        net: where the training starts.
        x: inputs, shape (batch, inputs).
        y: targets, shape (batch, outputs).
        loss: name of a loss in ``losses.LOSSES``.
        optimiser: what moves the network.
        steps: how many steps are taken.
        seed: the seed that weights and data came from.
    """

    net: Perceptron
    x: Array
    y: Array
    loss: str
    optimiser: SGD | Momentum | Adam
    steps: int
    seed: int

    @property
    def layers(self) -> int:
        """Number of weight matrices."""
        return len(self.net.weights)

    def started_at(self, net: Perceptron) -> Experiment:
        """The same experiment on another network."""
        return replace(self, net=net)

    def gradients(self, masks: Sequence[Array] | None = None) -> Gradients:
        """The first gradient."""
        return loss_gradients(self.net, self.x, self.y, LOSSES[self.loss], masks)[1]

    def run(self, masks: Callable[[int], Sequence[Array]] | None = None) -> Trajectory:
        """Train."""
        return train(self.net, self.x, self.y, LOSSES[self.loss], self.optimiser, self.steps, masks)

    def __repr__(self) -> str:
        widths = [self.x.shape[1], *(len(w) for w in self.net.weights)]
        return (
            f"<{'-'.join(map(str, widths))} {'/'.join(map(str, self.net.activations))}"
            f" {'without' if self.net.biases is None else 'with'} biases, batch {len(self.x)}, {self.loss},"
            f" {self.optimiser}, {self.steps} steps, seed {self.seed}>"
        )


def examples(number: int) -> settings:
    """Settings under which a theorem sees the same ``number`` of examples in every run."""
    return settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def seeds() -> st.SearchStrategy[int]:
    """Seeds of NumPy generators, from which all numbers come: Hypothesis draws what has structure."""
    return st.integers(0, 2**32 - 1)


def optimisers() -> st.SearchStrategy[SGD | Momentum | Adam]:
    """Gradient descent, momentum and Adam at rates at which a few steps do not diverge."""
    return st.one_of(
        st.builds(SGD, st.sampled_from([0.1, 0.05, 0.01])),
        st.builds(Momentum, st.sampled_from([0.05, 0.01]), st.sampled_from([0.9, 0.5])),
        st.builds(Adam, st.sampled_from([0.01, 0.1, 0.001])),
    )


@st.composite
def experiments(
    draw: st.DrawFn,
    *,
    names: Sequence[str] = EVERY_ACTIVATION,
    hidden: tuple[int, int] = (1, 3),
    widths: tuple[int, int] = (1, 6),
    inputs: tuple[int, int] = (1, 5),
    batches: tuple[int, int] = (1, 6),
    steps: tuple[int, int] = (1, 5),
    biased: bool | None = None,
    optimised_by: st.SearchStrategy[Any] | None = None,
) -> Experiment:
    """Small networks at the usual scale (weights of variance 1/fan_in), on normal data.

    Products are ordered (see ``Perceptron``), so that what is equal in mathematics is equal to the last bit.

    Args:
        draw: by Hypothesis.
        names: activations; each hidden layer draws its own.
        hidden: fewest and most hidden layers.
        widths: fewest and most units of a hidden layer.
        inputs: fewest and most inputs.
        batches: smallest and largest batch.
        steps: fewest and most steps.
        biased: whether there are biases; None draws it.
        optimised_by: what draws the optimiser.
    """
    activations = tuple(
        activation(name) for name in draw(st.lists(st.sampled_from(names), min_size=hidden[0], max_size=hidden[1]))
    )
    loss = draw(st.sampled_from(sorted(LOSSES, reverse=True)))
    # One class has probability 1 whatever the logit: there is nothing to learn below two.
    outputs = draw(st.integers(2 if loss == "softmax_cross_entropy" else 1, 4))
    inner = [draw(st.integers(*widths)) for _ in activations]
    sizes = [draw(st.integers(*inputs)), *inner, outputs]
    batch = draw(st.integers(*batches))
    has_biases = draw(st.booleans()) if biased is None else biased
    optimiser = draw(optimisers() if optimised_by is None else optimised_by)
    number_of_steps = draw(st.integers(*steps))
    seed = draw(seeds())

    rng = np.random.default_rng(seed)
    weights = tuple(rng.standard_normal((n, m)) / np.sqrt(m) for m, n in itertools.pairwise(sizes))
    biases = tuple(0.3 * rng.standard_normal(n) for n in sizes[1:]) if has_biases else None
    y = rng.standard_normal((batch, outputs))
    if loss == "softmax_cross_entropy":
        y = rng.dirichlet(np.ones(outputs), size=batch)
    return Experiment(
        net=Perceptron(weights, activations, biases, ordered=True),
        x=rng.standard_normal((batch, sizes[0])),
        y=y,
        loss=loss,
        optimiser=optimiser,
        steps=number_of_steps,
        seed=seed,
    )


@st.composite
def twins(
    draw: st.DrawFn,
    *,
    equal_in: Collection[str] = UNIT_PARTS,
    names: Sequence[str] = EVERY_ACTIVATION,
    elsewhere: Sequence[str] = EVERY_ACTIVATION,
    sign: float = 1.0,
    biased: bool | None = None,
) -> tuple[Experiment, Pair]:
    """Experiments in which two units of one hidden layer agree in the parts named in ``equal_in``.

    Args:
        draw: by Hypothesis.
        equal_in: parts of a unit, out of ``symmetry.PARTS``.
        names: activations of the twins' layer.
        elsewhere: activations of the other layers.
        sign: -1 for twins that are each other's negative.
        biased: whether there are biases; None draws it.
    """
    experiment = draw(experiments(names=elsewhere, widths=(2, 6), biased=biased))
    net = experiment.net
    layer = draw(st.integers(0, len(net.activations) - 1))
    activations = list(net.activations)
    activations[layer] = activation(draw(st.sampled_from(names)))
    units = st.integers(0, len(net.weights[layer]) - 1)
    first, second = draw(st.lists(units, min_size=2, max_size=2, unique=True))
    pair = Pair(layer, first, second, sign)
    return experiment.started_at(tie(replace(net, activations=tuple(activations)), pair, equal_in)), pair
