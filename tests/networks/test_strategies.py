"""Experiments: what they are, beside what the theorems show of them."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from initcheck.networks import SGD, Adam, Momentum, Perceptron, activation
from initcheck.networks.losses import LOSSES
from initcheck.networks.strategies import Experiment, examples, optimisers, seeds
from initcheck.networks.training import loss_gradients

RNG = np.random.default_rng(0)
NET = Perceptron((RNG.normal(size=(4, 3)), RNG.normal(size=(2, 4))), (activation("leaky_relu(0.2)"),))
HERE = Experiment(NET, RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2)), "squared_error", SGD(0.1), steps=2, seed=9)


def test_a_theorem_sees_the_same_examples_in_every_run_however_slow() -> None:
    chosen = examples(7)
    assert (chosen.max_examples, chosen.derandomize, chosen.database, chosen.deadline) == (7, True, None, None)
    assert chosen.suppress_health_check == (HealthCheck.too_slow,)


def test_the_first_gradient_is_that_of_its_loss_with_its_masks() -> None:
    masks = [np.array([1.0, 0.0, 1.0, 1.0])]
    for applied in (None, masks):
        found = HERE.gradients(applied).weights
        expected = loss_gradients(NET, HERE.x, HERE.y, LOSSES["squared_error"], applied)[1].weights
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    assert not np.array_equal(HERE.gradients(masks).weights[0], HERE.gradients().weights[0])
    assert np.array_equal(HERE.run().gradients[0].weights[0], HERE.gradients().weights[0])
    assert np.array_equal(HERE.run(lambda step: masks).gradients[0].weights[0], HERE.gradients(masks).weights[0])


def test_an_experiment_is_shown_in_a_line() -> None:
    assert repr(HERE) == (
        "<3-4-2 leaky_relu(0.2) without biases, batch 5, squared_error, SGD(rate=0.1), 2 steps, seed 9>"
    )
    deeper = Perceptron(
        (NET.weights[0], np.ones((4, 4)), NET.weights[1]),
        (activation("relu"), activation("tanh")),
        (np.zeros(4), np.zeros(4), np.zeros(2)),
    )
    assert repr(HERE.started_at(deeper)).startswith("<3-4-4-2 relu/tanh with biases, batch 5,")


def test_every_optimiser_at_every_rate_is_drawn_and_no_other() -> None:
    drawn = set()

    @examples(400)
    @given(optimisers())
    def collect(optimiser: SGD | Momentum | Adam) -> None:
        drawn.add(optimiser)

    collect()
    expected = {SGD(r) for r in (0.1, 0.05, 0.01)} | {Adam(r) for r in (0.01, 0.1, 0.001)}
    assert drawn == expected | {Momentum(r, m) for r in (0.05, 0.01) for m in (0.9, 0.5)}


def test_seeds_are_those_of_32_bits() -> None:
    assert repr(seeds()) == repr(st.integers(0, 2**32 - 1))
