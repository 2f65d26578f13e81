"""Why small different numbers suffice: how fast units that differ by little grow apart, as a theorem."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from initcheck.claims import claim, fail_unless
from initcheck.networks.activations import activation
from initcheck.networks.optimisers import SGD
from initcheck.networks.perceptron import Perceptron
from initcheck.networks.strategies import Experiment, examples, experiments
from initcheck.networks.symmetry import Pair, gap, made_constant

Array = npt.NDArray[np.float64]

ROUNDING = float(np.finfo(np.float64).eps)
SMALL = 0.01

# Not a polynomial, and analytic: no two units can be on the same straight piece, as with ReLU.
BENT = ("tanh", "sigmoid", "gelu", "silu", "softplus", "mish")
# phi(0) = 0 with one slope there, not zero: all weights zero is then a saddle of the loss.
THROUGH_ZERO = ("linear", "tanh", "gelu", "silu", "elu", "mish")


# At once: every unit, and its gradient, is different, and the gradient has full rank


def _shrunk(experiment: Experiment, scale: float = SMALL) -> Experiment:
    net = experiment.net
    return experiment.started_at(net.with_parameters([scale * p for p in net.parameters]))


def _rank(experiment: Experiment) -> tuple[int, int]:
    """The rank of the first layer's gradient delta^T x, beyond rounding, and the largest it can have."""
    gradients = experiment.gradients()
    delta, first = gradients.signals[0], gradients.weights[0]
    # Every entry is a sum over the batch of products that carry a few dozen roundings each.
    noise = 64 * ROUNDING * float(np.linalg.norm(np.abs(delta).T @ np.abs(experiment.x)))
    rank = int(np.sum(np.linalg.svd(first, compute_uv=False) > noise))
    return rank, min(*first.shape, len(experiment.x))


def _differ_at_once(experiment: Experiment) -> None:
    small = _shrunk(experiment)
    gradients = small.gradients()
    units = len(small.net.weights[0])
    for pair in (Pair(0, i, j) for i in range(units) for j in range(i)):
        fail_unless(gap(small.net, pair) > 0, f"units {pair.second} and {pair.first} start equal.")
        fail_unless(gap(gradients, pair) > 0, f"units {pair.second} and {pair.first} have equal gradients.")
    rank, most = _rank(small)
    fail_unless(rank == most, f"the gradient of the first layer has rank {rank}, not {most}.")


# Later: the time until two units differ visibly is the logarithm of how little they differ at first


def _beginning(experiment: Experiment, name: str, growth: float) -> tuple[Experiment, Array, float]:
    """One hidden layer, one output, no biases, squared error, and the rate at which gaps grow by ``growth``.

    Returns the experiment, the unit vector (s/|s|, 1)/sqrt(2) along which its units grow, and the size of
    weights up to which the equations are linear to about one part in a thousand.
    """
    phi, y = activation(name), experiment.y[:, :1]
    rng = np.random.default_rng(experiment.seed)
    units, inputs = experiment.net.weights[0].shape
    weights = (rng.standard_normal((units, inputs)), rng.standard_normal((1, units)))
    s = phi.derivative(np.zeros(1))[0] * (y * experiment.x).mean(axis=0)
    strength = float(np.linalg.norm(s))
    # The next terms of the expansion over the first, for weights of size 1.
    next_terms = float(np.mean(np.abs(y) * (1 + np.sum(experiment.x**2, axis=1, keepdims=True))))
    beginning = replace(
        experiment,
        net=Perceptron(weights, (phi,), ordered=True),
        y=y,
        loss="squared_error",
        optimiser=SGD((growth - 1.0) / strength),
    )
    along = np.append(s / strength, 1.0) / math.sqrt(2.0)
    return beginning, along, 1e-4 * min(1.0, strength / next_terms)


def _gaps(experiment: Experiment, along: Array, steps: int) -> list[float]:
    """The gap, along that vector, between the two units that begin furthest apart, step by step."""
    run = replace(experiment, steps=steps).run()
    places = [np.hstack([net.weights[0], net.weights[1].T]) @ along for net in run.networks]
    first, second = int(np.argmin(places[0])), int(np.argmax(places[0]))
    return [float(place[second] - place[first]) for place in places]


def _separate_in_logarithmic_time(experiment: Experiment, name: str, growth: float) -> None:
    beginning, along, visible = _beginning(experiment, name, growth)
    for scale in (1e-2, 1e-5, 1e-8):
        small = _shrunk(beginning, scale * visible)
        start = _gaps(small, along, 0)[0]
        expected = math.log(visible / start) / math.log(growth)
        gaps = _gaps(small, along, math.ceil(expected) + 2)
        took = next((step for step, apart in enumerate(gaps) if apart >= visible), math.inf)
        # Whole steps: up to one more than expected; half a step for what is not linear.
        fail_unless(
            -0.5 < took - expected < 1.5,
            f"a gap of {start:.1g} took {took} steps to {visible:.1g}; its logarithm says {expected:.1f}.",
        )


ONE_LAYER = experiments(names=BENT, hidden=(1, 1), widths=(2, 6), inputs=(2, 5), batches=(2, 6))
GROWTHS = st.sampled_from([1.2, 1.5, 2.0])


@examples(30)
@given(drawn=ONE_LAYER)
def equal_units_have_a_gradient_of_rank_one(drawn: Experiment) -> None:
    """Dropped: different. The rows of the first layer's gradient are all the same."""
    rank, most = _rank(drawn.started_at(made_constant(drawn.net)))
    fail_unless(rank == 1 < most, f"the gradient of equal units has rank {rank} of {most}.")


@examples(30)
@given(drawn=ONE_LAYER)
def straight_units_with_one_output_have_a_gradient_of_rank_one(drawn: Experiment) -> None:
    """Dropped: the bend. With phi the identity, each unit's signal is the one residual times its weight."""
    straight, _, _ = _beginning(drawn, "linear", 1.5)
    rank, most = _rank(_shrunk(straight))
    fail_unless(rank == 1 < most, f"the gradient of straight units has rank {rank} of {most}.")


@examples(20)
@given(drawn=ONE_LAYER, name=st.sampled_from(THROUGH_ZERO), growth=GROWTHS)
def equal_units_never_separate(drawn: Experiment, name: str, growth: float) -> None:
    """Dropped: different. A gap of exactly zero is still zero when another has grown by 10^8."""
    beginning, _, visible = _beginning(drawn, name, growth)
    small = _shrunk(beginning, 1e-8 * visible)
    equal = replace(small.started_at(made_constant(small.net)), steps=math.ceil(8 / math.log10(growth)))
    apart = gap(equal.run().last, Pair(0, 0, 1))
    fail_unless(apart == 0.0, f"equal units are {apart:.2g} apart.")


@examples(20)
@given(drawn=ONE_LAYER, name=st.sampled_from(THROUGH_ZERO), growth=GROWTHS)
def with_nothing_to_learn_they_do_not_separate(drawn: Experiment, name: str, growth: float) -> None:
    """Dropped: a residual that correlates with the inputs. At targets of zero, s = 0 and no gap grows."""
    beginning, along, visible = _beginning(drawn, name, growth)
    idle = replace(_shrunk(beginning, visible), y=0.0 * beginning.y)
    gaps = _gaps(idle, along, 20)
    fail_unless(gaps[-1] < 1.01 * gaps[0], f"the gap has grown by {gaps[-1] / gaps[0]:.3g} for no reason.")


@claim(
    "small-different-numbers-break-symmetry",
    kind="theorem",
    says="Weights from N(0, 0.01^2) tell all units apart, and units eps apart separate in log(1/eps) steps.",
    source="dynamics at the saddle of zero weights: Saxe, McClelland & Ganguli 2014, section 1.2",
    negations=(
        equal_units_have_a_gradient_of_rank_one,
        straight_units_with_one_output_have_a_gradient_of_rank_one,
        equal_units_never_separate,
        with_nothing_to_learn_they_do_not_separate,
    ),
    decided_by="rank beyond rounding, and the number of steps to within one, on generated networks",
)
@examples(40)
@given(drawn=ONE_LAYER, name=st.sampled_from(THROUGH_ZERO), growth=GROWTHS)
def small_different_numbers_break_symmetry(drawn: Experiment, name: str, growth: float) -> None:
    """All units, and all their gradients, differ with probability 1, and the first gradient has full rank.

    Rank: the first layer's gradient is delta^T x, with delta_bi = sum_c r_bc a_ci phi'(z_bi). Its minors are
    analytic functions of weights and data; for a phi that is analytic and bent they are not all zero, hence
    zero with probability 0. So the rank is min(units, batch, inputs).

    Time: one output, phi(0) = 0, squared error. Near zero weights the residual is -y and a unit (w, a) moves
    by rate * (a s, s.w), with s = phi'(0) mean(y x): its part along (s/|s|, 1) grows by the factor
    1 + rate |s| a step. That is linear, so the gap between two units grows by the same factor, and reaches a
    visible size after log(size/eps) / log(1 + rate |s|) steps. Weights below ``visible`` keep what is not
    linear under a thousandth of the gap, which is less than half a step at the growths that are drawn.
    """
    _differ_at_once(drawn)
    _separate_in_logarithmic_time(drawn, name, growth)
