"""Why smaller is not better: what the size of the weights does to signals and gradients, as theorems.

Both rest on one fact: without biases, a network of ReLU-like activations (phi(c z) = c phi(z) for c > 0) is
homogeneous of degree 1 in each of its weight matrices. Scales are powers of two, by which float64 multiplies
exactly, so that equal means equal to the last bit.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from initcheck.claims import claim, fail_unless
from initcheck.networks.activations import activation
from initcheck.networks.perceptron import Gradients, Perceptron
from initcheck.networks.signal import energy_ratios
from initcheck.networks.strategies import HOMOGENEOUS, SMOOTH, Experiment, examples, experiments, seeds

Array = npt.NDArray[np.float64]

ROUNDING = float(np.finfo(np.float64).eps)
CLEARLY = 1e7 * ROUNDING
LEVEL = 9  # minus log10 of the probability with which a bound on random weights may fail

# Never flat, so that a negation never hides behind dead units.
NEVER_DEAD = ("linear", "leaky_relu(0.2)")
BENT = tuple(name for name in SMOOTH if name != "elu")

powers_of_two = st.sampled_from([2.0**k for k in (-20, -7, -3, -1, 1, 2, 5)])


def _scaled(net: Perceptron, factors: list[float]) -> Perceptron:
    weights = tuple(a * w for a, w in zip(factors, net.weights, strict=True))
    return net.with_parameters(weights + (net.biases or ()))


def _gradients(experiment: Experiment, net: Perceptron) -> tuple[Array, Gradients]:
    """The output, and the gradients of <output, y>: the signal at the output is y, whatever the weights."""
    forward = net.forward(experiment.x)
    return forward.output, net.backward(forward, experiment.y)


def _off(found: Array, expected: Array) -> float:
    """The largest difference, over the largest number expected."""
    return float(np.abs(found - expected).max()) / max(float(np.abs(expected).max()), 1e-300)


# Smaller is not better


def _scales_off(experiment: Experiment, a: float) -> tuple[float, float]:
    """With all L matrices scaled by a: how far output and gradients are from a^L and a^(L-1) times before."""
    layers = experiment.layers
    output, gradients = _gradients(experiment, experiment.net)
    output_then, gradients_then = _gradients(experiment, _scaled(experiment.net, [a] * layers))
    gradient_off = max(
        _off(then, a ** (layers - 1) * before)
        for then, before in zip(gradients_then.weights, gradients.weights, strict=True)
    )
    return _off(output_then, a**layers * output), gradient_off


def _energy_lost(name: str, std: float, width: int, layers: int, seed: int) -> None:
    """The energy that is left, forward and backward, is below a bound that holds but for probability 1e-9.

    Its expectation is at most (std^2 width m)^L, m = 1/2 for ReLU and 1 else, and a positive number exceeds
    10^9 times its expectation with probability 10^-9 at most (Markov).
    """
    rng = np.random.default_rng(seed)
    weights = (std * rng.standard_normal((width, width)) for _ in range(layers))
    x, g = rng.standard_normal((2, 16, width))
    bound = layers * math.log10(std**2 * width * (0.5 if name == "relu" else 1.0)) + LEVEL
    for way, left in zip(("signal", "gradient"), energy_ratios(weights, activation(name), x, g), strict=True):
        fail_unless(left <= bound, f"10^{left:.1f} of the {way}'s energy is left, more than 10^{bound:.1f}.")


@examples(30)
@given(drawn=experiments(names=BENT, biased=False), a=powers_of_two)
def a_bent_network_does_not_scale_by_a_power(drawn: Experiment, a: float) -> None:
    """Dropped: phi(c z) = c phi(z)."""
    fail_unless(min(_scales_off(drawn, a)) > CLEARLY, "output or gradients scale by powers of a all the same.")


@examples(30)
@given(drawn=experiments(names=NEVER_DEAD, biased=True), a=powers_of_two)
def a_network_with_biases_does_not_scale_by_a_power(drawn: Experiment, a: float) -> None:
    """Dropped: no biases. They come through at a lower power of a."""
    fail_unless(max(_scales_off(drawn, a)) > CLEARLY, "output and gradients scale by powers of a all the same.")


@examples(10)
@given(width=st.sampled_from([32, 64, 128]), layers=st.integers(20, 50), seed=seeds())
def weights_of_hes_size_do_not_lose_it(width: int, layers: int, seed: int) -> None:
    """Dropped: small. With variance 2/width, the logarithm of what ReLU leaves is near normal, with mean
    -5L/2n and variance 5L/n (Hanin & Rolnick 2018); six standard deviations below that no energy is lost.
    """
    rng = np.random.default_rng(seed)
    low = -(2.5 * layers / width + 6 * math.sqrt(5 * layers / width)) / math.log(10)
    weights = (math.sqrt(2 / width) * rng.standard_normal((width, width)) for _ in range(layers))
    x, g = rng.standard_normal((2, 16, width))
    left = min(energy_ratios(weights, activation("relu"), x, g))
    fail_unless(left > low, f"10^{left:.1f} of the energy is left: lost all the same.")


@claim(
    "smaller-is-not-better",
    kind="theorem",
    says="Weights a times as large give a^L times the output and a^(L-1) times every gradient, in L layers.",
    source="He et al. 2015, section 2.2; Glorot & Bengio 2010, section 4.2.1",
    negations=(
        a_bent_network_does_not_scale_by_a_power,
        a_network_with_biases_does_not_scale_by_a_power,
        weights_of_hes_size_do_not_lose_it,
    ),
    decided_by="exact for powers of two on generated networks; the loss by Markov's inequality at level 1e-9",
)
@examples(50)
@given(
    drawn=experiments(names=HOMOGENEOUS, hidden=(1, 6), biased=False),
    a=powers_of_two,
    name=st.sampled_from(["relu", "linear", "tanh"]),
    std=st.sampled_from([0.001, 0.005, 0.01]),
    width=st.sampled_from([32, 64, 128]),
    layers=st.integers(20, 50),
)
def smaller_is_not_better(drawn: Experiment, a: float, name: str, std: float, width: int, layers: int) -> None:
    """f(a W_1, .., a W_L) = a^L f(W_1, .., W_L), for phi(c z) = c phi(z), no biases and a > 0.

    Proof: layer by layer, phi(a W h) = a phi(W h). The gradient of W_l is the derivative of a function that
    is homogeneous of degree L, so it is homogeneous of degree L - 1; the signal at the output is held fixed.

    Random weights of standard deviation s and a symmetric law: E |W phi(z)|^2 = s^2 n E |phi(z)|^2, at most
    s^2 n m |z|^2 with m = 1/2 for ReLU, whose inputs are as often negative as positive, and m = 1 where
    |phi(z)| <= |z| (tanh); the same on the way back. N(0, 0.01^2) at width 128: s^2 n = 0.0128 a layer, so
    that 50 layers lose more than 10^80 in energy, 10^40 in size.
    """
    output_off, gradient_off = _scales_off(drawn, a)
    fail_unless(output_off == 0.0, f"the output is not a^L times what it was: off by {output_off:.2g} of it.")
    fail_unless(gradient_off == 0.0, f"a gradient is not a^(L-1) times what it was: off by {gradient_off:.2g}.")
    _energy_lost(name, std, width, layers, drawn.seed)


# Gradients are proportional to the weights


def _other_layers_off(experiment: Experiment, layer: int, a: float) -> float:
    """With one matrix scaled by a: how far its own gradient is from unchanged, the others' from a times."""
    factors = [a if other == layer else 1.0 for other in range(experiment.layers)]
    _, before = _gradients(experiment, experiment.net)
    _, then = _gradients(experiment, _scaled(experiment.net, factors))
    return max(
        _off(after, (1.0 if other == layer else a) * gradient)
        for other, (after, gradient) in enumerate(zip(then.weights, before.weights, strict=True))
    )


def _is_the_product_of_the_weights_above(experiment: Experiment) -> None:
    """delta_l = phi'(z_l) * W_(l+1)^T .. phi'(z_(L-1)) * W_L^T delta_L, one example at a time."""
    net, forward = experiment.net, experiment.net.forward(experiment.x)
    signals = net.backward(forward, experiment.y).signals
    for row, y in enumerate(experiment.y):
        above, largest = np.eye(len(y)), np.eye(len(y))
        for layer in reversed(range(experiment.layers - 1)):
            slope = net.activations[layer].derivative(forward.pre_activations[layer][row])
            above = (above @ net.weights[layer + 1]) * slope
            largest = (largest @ np.abs(net.weights[layer + 1])) * np.abs(slope)
            # Two orders of one product of matrices: off by the roundings of its sums, in units of its terms.
            roundings = 2 * sum(len(w) + 2 for w in net.weights[layer:])
            off = np.abs(y @ above - signals[layer][row]) - roundings * ROUNDING * (np.abs(y) @ largest)
            fail_unless(bool(np.all(off <= 0)), f"the signal at layer {layer + 1} is not the product above it.")


def _euler(experiment: Experiment) -> tuple[list[float], float]:
    """<W_l, dLoss/dW_l> for every l and <output, dLoss/doutput>; and what rounding may do to any of them."""
    output, gradients = experiment.net.forward(experiment.x).output, experiment.gradients()
    signal = gradients.signals[-1]
    sums = [float(np.sum(w * g)) for w, g in zip(experiment.net.weights, gradients.weights, strict=True)]
    terms = np.abs(experiment.x)
    for w in experiment.net.weights:
        terms = terms @ np.abs(w).T
    numbers = experiment.x.size + sum(w.size for w in experiment.net.weights)
    rounding = 4 * numbers * ROUNDING * float(np.sum(terms * np.abs(signal)))
    return [*sums, float(np.sum(output * signal))], rounding


def _euler_breaks(experiment: Experiment) -> None:
    (*sums, _), _ = _euler(experiment)
    spread = max(sums) - min(sums)
    fail_unless(spread > CLEARLY * max(map(abs, sums)), "<W_l, dLoss/dW_l> is equal for all l all the same.")


@examples(30)
@given(drawn=experiments(names=BENT, biased=False))
def bent_networks_break_eulers_identity(drawn: Experiment) -> None:
    """Dropped: phi(c z) = c phi(z). Then phi'(z) z is not phi(z)."""
    _euler_breaks(drawn)


@examples(30)
@given(drawn=experiments(names=NEVER_DEAD, biased=True))
def biases_break_eulers_identity(drawn: Experiment) -> None:
    """Dropped: no biases. Between layers l and l + 1 the sum changes by <b_l, delta_l>."""
    _euler_breaks(drawn)


@examples(30)
@given(drawn=experiments(names=BENT, biased=False), a=powers_of_two)
def in_bent_networks_gradients_are_not_proportional(drawn: Experiment, a: float) -> None:
    """Dropped: phi(c z) = c phi(z). A larger first layer moves the others along their bends."""
    fail_unless(_other_layers_off(drawn, 0, a) > CLEARLY, "the gradients are proportional all the same.")


@claim(
    "gradients-are-proportional-to-the-weights",
    kind="theorem",
    says="A layer's gradient is proportional to all other layers' weights; <W, dLoss/dW> is equal for all.",
    source="Glorot & Bengio 2010, eq. 6; Euler's theorem on homogeneous functions; Du, Hu & Lee 2018"
    " (arXiv 1806.00900), theorem 2.1",
    negations=(
        bent_networks_break_eulers_identity,
        biases_break_eulers_identity,
        in_bent_networks_gradients_are_not_proportional,
    ),
    decided_by="exact for powers of two, else to a bound on the rounding, on generated networks",
)
@examples(60)
@given(
    drawn=experiments(names=HOMOGENEOUS, hidden=(1, 5), biased=False),
    any_kind=experiments(),
    layer=st.integers(0, 5),
    a=powers_of_two,
)
def gradients_are_proportional_to_the_weights(drawn: Experiment, any_kind: Experiment, layer: int, a: float) -> None:
    """Of any network: delta_l = D_l W_(l+1)^T D_(l+1) .. W_L^T delta_L, with D_l = diag phi'(z_l).

    With phi(c z) = c phi(z) and no biases the output is homogeneous of degree 1 in each matrix W_k. So, for a
    given signal at the output, the gradient of W_l is homogeneous of degree 1 in every other W_k: weights of
    half the size give gradients of half the size to all other layers. And by Euler <W_l, dLoss/dW_l> =
    <output, dLoss/doutput> for every l; so under gradient flow |W_l|^2 - |W_k|^2 never changes.
    """
    _is_the_product_of_the_weights_above(any_kind)
    off = _other_layers_off(drawn, layer % drawn.layers, a)
    fail_unless(off == 0.0, f"a gradient is not proportional to the weights of layer {layer}: off by {off:.2g}.")
    sums, rounding = _euler(drawn)
    spread = max(sums) - min(sums)
    fail_unless(spread <= rounding, f"<W_l, dLoss/dW_l> differs by {spread:.2g} > {rounding:.2g} over l.")
