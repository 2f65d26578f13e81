"""Tying, measuring and folding units, and the experiments that are drawn for it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import find, given, settings

from initcheck.networks import SGD, Adam, Perceptron, activation
from initcheck.networks.strategies import EVERY_ACTIVATION, Experiment, examples, experiments, twins
from initcheck.networks.symmetry import (
    UNIT_PARTS,
    Pair,
    all_units_equal,
    collapse,
    collapsed_optimiser,
    gap,
    made_constant,
    tie,
    zeroed,
)  # fmt: skip


def net(biased: bool = True) -> Perceptron:
    rng = np.random.default_rng(0)
    widths = (3, 4, 5, 2)
    weights = tuple(rng.standard_normal((n, m)) for m, n in itertools.pairwise(widths))
    biases = tuple(rng.standard_normal(n) for n in widths[1:]) if biased else None
    return Perceptron(weights, (activation("tanh"), activation("sigmoid")), biases)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("layer", [0, 1])
def test_tied_units_have_no_gap_and_any_untied_part_leaves_one(layer: int, sign: float) -> None:
    pair = Pair(layer, 1, 3, sign)
    assert gap(tie(net(), pair), pair) == 0.0
    for part in UNIT_PARTS:
        assert gap(tie(net(), pair, [p for p in UNIT_PARTS if p != part]), pair) > 0.01
    assert gap(tie(net(biased=False), pair, ["incoming", "outgoing"]), pair) == 0.0


def test_weights_that_are_no_number_are_not_equal() -> None:
    for parameter in range(6):
        broken = made_constant(net())
        list(broken.parameters)[parameter][...] = np.nan
        pair = Pair(0, 0, 1)
        assert np.isnan(gap(broken, pair)) == (parameter in (0, 1, 3))
        assert all_units_equal(broken) == (parameter == 5)


def test_tying_changes_nothing_that_was_given() -> None:
    given_net = net()
    before = [p.copy() for p in given_net.parameters]
    tie(given_net, Pair(0, 0, 1))
    assert all(np.array_equal(p, b) for p, b in zip(given_net.parameters, before, strict=True))


def test_zeroed_layers_are_zero_and_the_others_are_kept() -> None:
    assert not any(map(np.any, zeroed(net()).parameters))
    one = zeroed(net(), [1])
    assert [bool(np.any(w)) for w in one.weights] == [True, False, True]
    assert one.biases is not None
    assert not any(map(np.any, one.biases))
    assert zeroed(net(biased=False)).biases is None


def test_a_constant_network_repeats_its_first_units_between_inputs_and_outputs_of_their_own() -> None:
    given_net, constant = net(), made_constant(net())
    first, second, last = given_net.weights
    expected = [np.tile(first[0], (4, 1)), np.full((5, 4), second[0, 0]), np.tile(last[:, :1], 5)]
    assert all(np.array_equal(w, e) for w, e in zip(constant.weights, expected, strict=True))
    assert given_net.biases is not None
    assert constant.biases is not None
    kept = [np.full(4, given_net.biases[0][0]), np.full(5, given_net.biases[1][0]), given_net.biases[2]]
    assert all(np.array_equal(b, k) for b, k in zip(constant.biases, kept, strict=True))


@pytest.mark.parametrize("odd", range(4))
def test_one_unit_that_differs_is_enough(odd: int) -> None:
    constant = made_constant(net())
    for layer in (0, 1):
        weights = [w.copy() for w in constant.weights]
        weights[layer][odd] += 1.0
        assert not all_units_equal(replace(constant, weights=tuple(weights)))


@pytest.mark.parametrize("biased", [True, False])
def test_folding_equal_units_keeps_the_function(biased: bool) -> None:
    constant = made_constant(net(biased))
    assert all_units_equal(constant)
    assert not all_units_equal(net(biased))
    x = np.random.default_rng(1).standard_normal((7, 3))
    folded = collapse(constant)
    assert [w.shape for w in folded.weights] == [(1, 3), (1, 1), (2, 1)]
    np.testing.assert_allclose(folded.forward(x).output, constant.forward(x).output, rtol=1e-12)


def test_learning_rates_of_the_folded_network() -> None:
    # copies below over copies here: 1/4, 4/5, 5/1; a bias moves at 1/copies
    assert collapsed_optimiser(SGD(1.0), net()).rate == (1 / 4, 4 / 5, 5.0, 1 / 4, 1 / 5, 1.0)
    adam = collapsed_optimiser(Adam(1.0, epsilon=1.0), net(biased=False))
    assert isinstance(adam, Adam)
    assert (adam.rate, adam.epsilon) == ((1.0, 4.0, 5.0), (4.0, 5.0, 1.0))
    adam = collapsed_optimiser(Adam(1.0, epsilon=1.0), net())
    assert isinstance(adam, Adam)
    assert (adam.rate, adam.epsilon) == ((1.0, 4.0, 5.0, 1.0, 1.0, 1.0), (4.0, 5.0, 1.0, 4.0, 5.0, 1.0))
    with pytest.raises(ValueError, match="folding a network needs one learning rate for all"):
        collapsed_optimiser(SGD((1.0, 1.0)), net())


@examples(60)
@given(experiments())
def test_experiments_train_without_leaving_the_range_of_floats(drawn: Experiment) -> None:
    run = drawn.run()
    assert np.isfinite(run.losses).all()
    assert all(np.isfinite(p).all() for p in run.last.parameters)
    assert len(run.gradients) == drawn.steps
    assert f"seed {drawn.seed}" in repr(drawn)


@examples(40)
@given(twins(sign=-1.0, names=["tanh"], equal_in=["outgoing"], biased=True))
def test_twins_are_equal_in_the_parts_that_are_named(drawn: tuple[Experiment, Pair]) -> None:
    experiment, pair = drawn
    assert str(experiment.net.activations[pair.layer]) == "tanh"
    assert gap(experiment.net, pair) > 0
    full = experiment.started_at(tie(experiment.net, pair, ["incoming", "bias"]))
    assert gap(full.net, pair) == 0


@pytest.mark.long
@pytest.mark.parametrize("name", EVERY_ACTIVATION)
def test_every_activation_is_drawn(name: str) -> None:
    wanted = activation(name)
    once = settings(max_examples=2000, derandomize=True, database=None)
    assert find(experiments(), lambda e: wanted in e.net.activations, settings=once)


@pytest.mark.long
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("loss", ["squared_error", "softmax_cross_entropy"])
def test_every_kind_of_experiment_is_drawn(loss: str, biased: bool) -> None:
    once = settings(max_examples=2000, derandomize=True, database=None)

    def wanted(e: Experiment) -> bool:
        deep_and_wide = e.layers == 4 and max(len(w) for w in e.net.weights) >= 5
        return e.loss == loss and (e.net.biases is not None) == biased and deep_and_wide

    found = find(experiments(), wanted, settings=once)
    assert replace(found, steps=1).run().losses
