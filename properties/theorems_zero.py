"""Why not zero: which weights a network of zeros moves, step by step, as a theorem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from initcheck.claims import claim, fail_unless
from initcheck.networks.perceptron import Gradients
from initcheck.networks.strategies import EVERY_ACTIVATION, SMOOTH, ZERO_AT_ZERO, Experiment, examples, experiments
from initcheck.networks.symmetry import all_units_equal, zeroed

NOT_ZERO_AT_ZERO = tuple(name for name in EVERY_ACTIVATION if name not in ZERO_AT_ZERO)
SMOOTH_AND_ZERO_AT_ZERO = tuple(name for name in SMOOTH if name in ZERO_AT_ZERO)


def _moving(gradients: Gradients) -> tuple[bool, ...]:
    """Layer by layer, whether any weight has a gradient."""
    return tuple(bool(np.any(w)) for w in gradients.weights)


def _stars(moving: Sequence[bool]) -> str:
    return " ".join("*" if moves else "0" for moves in moving)


def _must_move(gradients: Gradients, expected: Sequence[bool], when: str) -> None:
    moving = _moving(gradients)
    fail_unless(
        moving == tuple(expected),
        f"{when} the weight gradients are {_stars(moving)}, and ought to be {_stars(expected)}.",
    )


def _only_the_last_bias_moves(experiment: Experiment) -> None:
    for step, gradients in enumerate(experiment.run().gradients, start=1):
        _must_move(gradients, [False] * experiment.layers, f"at step {step}")
        fail_unless(not any(map(np.any, gradients.biases[:-1])), f"a hidden bias moves at step {step}.")
        fail_unless(all(map(np.any, gradients.biases[-1:])), f"the last bias rests at step {step}.")


def _one_layer_deeper_a_step(experiment: Experiment) -> None:
    layers = experiment.layers
    run = replace(experiment, steps=layers + 1).run()
    for step, gradients in enumerate(run.gradients, start=1):
        _must_move(gradients, [layer >= layers - step for layer in range(layers)], f"at step {step}")
    fail_unless(all(map(all_units_equal, run.networks)), "units of one layer have separated.")


def _two_zero_layers_cut_the_network(experiment: Experiment) -> None:
    run = experiment.run()
    for step, gradients in enumerate(run.gradients, start=1):
        # Biases move at step 1, from the upper zero layer on, and feed the weights above them from then on.
        if step == 1 or experiment.net.biases is None:
            _must_move(gradients, [False] * experiment.layers, f"at step {step}")
    for net in run.networks:
        output = net.forward(np.vstack([experiment.x, -3.0 * experiment.x])).output
        fail_unless(bool(np.all(output == output[0])), "the output depends on the input.")


def _one_zero_layer_alone_moves(experiment: Experiment, zero: int) -> None:
    net = experiment.net
    fed = bool(np.any(net.forward(experiment.x).activations[zero]))
    passed_down = all(phi.derivative(np.zeros(1))[0] != 0 for phi in net.activations[zero:])
    expected = [layer == zero and fed and passed_down for layer in range(experiment.layers)]
    _must_move(experiment.gradients(), expected, f"with layer {zero + 1} alone zero")


@examples(30)
@given(drawn=experiments(names=SMOOTH, widths=(2, 6)))
def small_weights_instead_of_zeros_learn(drawn: Experiment) -> None:
    """However small: every weight matrix has a gradient at the first step, and the units differ."""
    small = replace(zeroed(drawn.net), weights=tuple(1e-3 * w for w in drawn.net.weights))
    run = drawn.started_at(small).run()
    _must_move(run.gradients[0], [True] * drawn.layers, "at step 1")
    fail_unless(not all_units_equal(run.last), "the units of a layer are equal.")


@examples(30)
@given(drawn=experiments(names=SMOOTH_AND_ZERO_AT_ZERO, biased=True))
def zero_weights_with_other_biases_learn(drawn: Experiment) -> None:
    """The biases below the last layer feed it, so that its weights have a gradient."""
    zero_weights = replace(zeroed(drawn.net), biases=drawn.net.biases)
    moving = _moving(drawn.started_at(zero_weights).gradients())
    fail_unless(moving[-1], "the last layer, though fed by biases, has no gradient.")


@examples(30)
@given(drawn=experiments(names=SMOOTH_AND_ZERO_AT_ZERO))
def one_zero_layer_is_no_harm_where_the_slope_at_zero_is_not_zero(drawn: Experiment) -> None:
    """Zero weights in the last layer alone: after one step the output depends on the input."""
    last = drawn.layers - 1
    run = replace(drawn.started_at(zeroed(drawn.net, [last])), steps=1).run()
    output = run.last.forward(np.vstack([drawn.x, -3.0 * drawn.x])).output
    fail_unless(bool(np.any(output != output[0])), "the output does not depend on the input.")


@claim(
    "zero-init-never-learns",
    kind="theorem",
    says="All zero, no weight ever moves where phi(0) = 0, and elsewhere the units of a layer stay equal.",
    source="Goodfellow, Bengio & Courville 2016, section 8.4, by back-propagation, section 6.5",
    negations=(
        small_weights_instead_of_zeros_learn,
        zero_weights_with_other_biases_learn,
        one_zero_layer_is_no_harm_where_the_slope_at_zero_is_not_zero,
    ),
    decided_by="exact, on generated networks",
)
@examples(50)
@given(
    drawn=experiments(names=ZERO_AT_ZERO),
    away=experiments(names=NOT_ZERO_AT_ZERO),
    zero_layers=st.lists(st.integers(0, 3), min_size=2, max_size=2, unique=True),
)
def zero_init_never_learns(drawn: Experiment, away: Experiment, zero_layers: list[int]) -> None:
    """Back-propagation: dL/dW_l = delta_l h_(l-1)^T, with delta_l = phi'(z_l) * W_(l+1)^T delta_(l+1).

    All zero, phi(0) = 0: h_l = 0 from the first layer on, and delta_l = 0 below the output, so that every
    product is zero and the last bias alone moves. phi(0) != 0 (sigmoid, softplus): h is not zero, so W_L
    moves first, then delta_(L-1) is not zero and W_(L-1) moves, one layer deeper a step: 0 0 *, 0 * *, * * *.
    But the units of a layer start equal and so stay equal (equal-units-get-equal-gradients).

    Two zero layers i < j among others that are not zero, phi(0) = 0, biases zero: h_l = 0 for l >= i and
    delta_l = 0 for l < j, and one of the two is in every product. Without biases that repeats for ever; with
    them W_i and W_j still stay zero, and no input ever gets through.

    One zero layer k: delta_k h_(k-1)^T alone is not zero; it too vanishes where phi'(0) = 0 on the way down
    (ReLU), so that with ReLU nothing moves unless k is the last layer.
    """
    _only_the_last_bias_moves(drawn.started_at(zeroed(drawn.net)))
    _one_layer_deeper_a_step(away.started_at(zeroed(away.net)))
    first, second = (layer % drawn.layers for layer in zero_layers)
    if first != second:
        _two_zero_layers_cut_the_network(drawn.started_at(zeroed(drawn.net, [first, second])))
    _one_zero_layer_alone_moves(drawn.started_at(zeroed(drawn.net, [first])), first)
