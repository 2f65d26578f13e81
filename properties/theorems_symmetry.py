"""Why not all equal: what symmetry among a network's units does to its training, as theorems.

Behind all of it stands one group. Swapping two units of a hidden layer, each with its incoming weights, bias
and outgoing weights, leaves the function of the network alone; so does changing all their signs where the
activation is odd. Numbers that are equal are equal here to the last bit, because the networks form every sum
in the same order; numbers that are said to differ must differ by ten million roundings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from initcheck.claims import claim, fail_unless
from initcheck.networks.optimisers import SGD
from initcheck.networks.strategies import NOT_ODD, ODD, SMOOTH, Experiment, examples, experiments, twins
from initcheck.networks.symmetry import Pair, collapse, collapsed_optimiser, gap, made_constant
from initcheck.networks.training import Trajectory

Array = npt.NDArray[np.float64]
TwinPair = tuple[Experiment, Pair]

ROUNDING = float(np.finfo(np.float64).eps)
CLEARLY = 1e7 * ROUNDING


# Equal units get equal gradients


def _separation(twin_units: TwinPair, dropout: bool = False) -> float:
    """The largest difference between the twins' weights, biases and gradients, all through the training."""
    experiment, pair = twin_units
    run = experiment.run((lambda step: _masks(experiment, pair, step)) if dropout else None)
    gaps = [gap(net, pair) for net in run.networks] + [gap(gradient, pair) for gradient in run.gradients]
    return max(gaps)


def _masks(experiment: Experiment, pair: Pair, step: int) -> Sequence[Array]:
    """Dropout of half the units; for the first example of the batch it drops one twin, and nobody else."""
    rng = np.random.default_rng((experiment.seed, step))
    masks = []
    for layer, w in enumerate(experiment.net.weights[:-1]):
        mask = np.where(rng.random((len(experiment.x), len(w))) < 0.5, 0.0, 2.0)
        mask[0] = 2.0
        if layer == pair.layer:
            mask[0, pair.second] = 0.0
        masks.append(mask)
    return masks


def _separate(twin_units: TwinPair, dropout: bool = False) -> None:
    apart = _separation(twin_units, dropout)
    fail_unless(apart > CLEARLY, f"the units stay equal all the same: they differ by {apart:.2g}.")


@examples(30)
@given(twins=twins(equal_in=["incoming", "bias"], names=SMOOTH, elsewhere=SMOOTH))
def with_equal_incoming_weights_only_they_separate(twins: TwinPair) -> None:
    """The outgoing weights differ, and so do the signals that come back through them."""
    _separate(twins)


@examples(30)
@given(twins=twins(equal_in=["outgoing"], names=SMOOTH, elsewhere=SMOOTH))
def with_equal_outgoing_weights_only_they_separate(twins: TwinPair) -> None:
    """The activations differ, and so do the gradients of the outgoing weights."""
    _separate(twins)


@examples(30)
@given(twins=twins(equal_in=["incoming", "outgoing"], names=SMOOTH, elsewhere=SMOOTH, biased=True))
def with_different_biases_they_separate(twins: TwinPair) -> None:
    """Random biases break the symmetry of equal weights."""
    _separate(twins)


@examples(30)
@given(twins=twins(names=SMOOTH, elsewhere=SMOOTH))
def with_dropout_they_separate(twins: TwinPair) -> None:
    """A mask that drops one twin and keeps the other is not symmetric under the swap."""
    _separate(twins, dropout=True)


@examples(30)
@given(twins=twins(sign=-1.0, names=NOT_ODD, elsewhere=SMOOTH))
def negatives_separate_where_the_activation_is_not_odd(twins: TwinPair) -> None:
    """ReLU: of the pre-activations z and -z it passes one and not the other."""
    _separate(twins)


@claim(
    "equal-units-get-equal-gradients",
    kind="theorem",
    says="Two units that start equal get equal gradients and stay equal, under SGD, momentum and Adam.",
    source="Hecht-Nielsen 1990, On the algebraic structure of feedforward network weight spaces;"
    " Goodfellow, Bengio & Courville 2016, section 8.4",
    negations=(
        with_equal_incoming_weights_only_they_separate,
        with_equal_outgoing_weights_only_they_separate,
        with_different_biases_they_separate,
        with_dropout_they_separate,
        negatives_separate_where_the_activation_is_not_odd,
    ),
    decided_by="exact, to the last bit, on generated networks",
)
@examples(60)
@given(equal=twins(), opposite=twins(sign=-1.0, names=ODD))
def equal_units_get_equal_gradients(equal: TwinPair, opposite: TwinPair) -> None:
    """Let P swap two units of one hidden layer. If P theta = theta, then P theta_t = theta_t at every step t.

    Hypotheses: equal incoming weights, equal biases, equal outgoing weights; the loss depends on the
    parameters through the network's function alone (no dropout); the optimiser commutes with P, as SGD,
    momentum and Adam do, which treat every parameter by the same rule.

    Proof: L(P theta) = L(theta) for all theta, since P only reorders a sum. P is orthogonal, so that
    grad L(P theta) = P grad L(theta). At theta = P theta the gradient is its own image under P, and the step
    taken along it is too. The same for the P that swaps and changes signs, where the activation is odd.
    """
    for twin_units in (equal, opposite):
        apart = _separation(twin_units)
        fail_unless(apart == 0.0, f"twins ought to stay equal to the last bit and differ by {apart:.2g}.")


# A constant init trains as a network of width one


def _distance(wide: Trajectory, narrow: Trajectory, x: Array) -> float:
    """How far the folded network and its outputs are from the narrow one's, at the worst step."""
    worst = 0.0
    for net, unit in zip(wide.networks, narrow.networks, strict=True):
        folded = collapse(net)
        apart = [a - b for a, b in zip(folded.parameters, unit.parameters, strict=True)]
        apart.append(net.forward(x).output - unit.forward(x).output)
        worst = max(worst, *(float(np.abs(a).max()) for a in apart))
    return worst


def _allowed(narrow: Experiment, roundings: int) -> float:
    """What so many roundings may become by the end of the run.

    The amplification of a small change is measured on the run itself: all parameters are shaken by the factor
    1 +- 2^-20, and the distance that this makes is divided by it.
    """
    shake = 2.0**-20
    rng = np.random.default_rng(narrow.seed)
    shaken = [p * (1 + shake * rng.choice([-1.0, 1.0], p.shape)) for p in narrow.net.parameters]
    run = narrow.run()
    moved = narrow.started_at(narrow.net.with_parameters(shaken)).run()
    distances = [
        float(np.abs(a - b).max())
        for one, other in zip(run.networks, moved.networks, strict=True)
        for a, b in zip(
            (*one.parameters, one.forward(narrow.x).output),
            (*other.parameters, other.forward(narrow.x).output),
            strict=True,
        )
    ]
    return roundings * ROUNDING * max(distances) / shake


def _roundings(experiment: Experiment) -> int:
    """Number of roundings behind one number of the last network: the terms of its sums, step by step."""
    terms = experiment.x.size + sum(math.prod(w.shape) for w in experiment.net.weights)
    return 2 * terms * (experiment.steps + 1)


def _folded(experiment: Experiment) -> Experiment:
    optimiser = collapsed_optimiser(experiment.optimiser, experiment.net)
    return replace(experiment, net=collapse(experiment.net), optimiser=optimiser)


@examples(30)
@given(drawn=experiments(names=SMOOTH, widths=(2, 6)))
def without_the_learning_rates_it_trains_otherwise(drawn: Experiment) -> None:
    """The narrow network starts as the same function and, at the wide one's learning rate, leaves it."""
    wide = drawn.started_at(made_constant(drawn.net))
    narrow = replace(_folded(wide), optimiser=wide.optimiser)
    apart = _distance(wide.run(), narrow.run(), wide.x)
    fail_unless(apart > CLEARLY, f"it trains as the narrow network all the same, to {apart:.2g}.")


@examples(30)
@given(drawn=experiments(names=SMOOTH, hidden=(1, 1), widths=(2, 6), steps=(2, 5), optimised_by=st.just(SGD(0.1))))
def with_other_outgoing_weights_it_trains_otherwise(drawn: Experiment) -> None:
    """Equal incoming weights alone: one unit with the sum of the outgoing ones starts equal in function."""
    first, last = made_constant(drawn.net).weights[0], drawn.net.weights[1]
    wide = drawn.started_at(replace(made_constant(drawn.net), weights=(first, last)))
    narrow = _folded(wide)
    narrow = narrow.started_at(replace(narrow.net, weights=(first[:1], last.sum(axis=1, keepdims=True))))
    start = wide.net.forward(wide.x).output - narrow.net.forward(wide.x).output
    fail_unless(float(np.abs(start).max()) < 1e-14, "the two networks do not start as the same function.")
    end = wide.run().last.forward(wide.x).output - narrow.run().last.forward(wide.x).output
    fail_unless(float(np.abs(end).max()) > CLEARLY, "it trains as the narrow network all the same.")


@claim(
    "constant-init-trains-as-width-one",
    kind="theorem",
    says="A network whose hidden units are all equal trains for ever as a network of width one.",
    source="the permutation symmetry of equal-units-get-equal-gradients, applied to all units at once",
    negations=(
        without_the_learning_rates_it_trains_otherwise,
        with_other_outgoing_weights_it_trains_otherwise,
    ),
    decided_by="equal to rounding on generated networks; the amplification of roundings is measured",
)
@examples(50)
@given(drawn=experiments())
def constant_init_trains_as_width_one(drawn: Experiment) -> None:
    """With n_l equal units in layer l, the network is one of width one, at other learning rates.

    Let w_l be the weight between any unit of layer l-1 and any of layer l, and n_0 = n_L = 1 at the two ends.
    Folding gives the weight W_l = n_(l-1) w_l. The folded unit moves all n_l copies, so that its signal is
    n_l times a copy's: dL/dW_l = n_l dL/dw_l. Where w_l moves by -rate dL/dw_l, W_l must move by n_(l-1)
    times that, which is -rate (n_(l-1) / n_l) dL/dW_l; a bias by -(rate / n_l) dL/db_l. With one hidden
    layer: rate/n on the incoming weights, n rate on the outgoing ones, whose weight is n a.

    Momentum is linear in the gradients, so the same holds of it. Adam divides a gradient by its own size: the
    n_l cancels, where epsilon is n_l epsilon, and n_(l-1) rate remains.
    """
    wide = drawn.started_at(made_constant(drawn.net))
    narrow = _folded(wide)
    apart = _distance(wide.run(), narrow.run(), wide.x)
    allowed = _allowed(narrow, _roundings(wide))
    fail_unless(apart <= allowed, f"it leaves the network of width one by {apart:.2g} > {allowed:.2g}.")
