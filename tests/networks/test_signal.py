"""Energy ratios against the plain computation, past the range of float64, and at every kind of end."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from initcheck.contract.contract import ACTIVATIONS
from initcheck.networks.activations import Activation, activation
from initcheck.networks.signal import energy_curves, energy_ratio_forward, energy_ratios


def plain(weights: list[np.ndarray], phi: Activation, x: np.ndarray, g: np.ndarray) -> tuple[float, float]:
    path = [x]
    for w in weights:
        path.append(phi.f(path[-1]) @ w.T)
    delta = g
    for w, z in zip(weights[::-1], path[-2::-1], strict=True):
        delta = (delta @ w) * phi.derivative(z)
    return (
        math.log10(np.mean(path[-1] ** 2) / np.mean(x**2)),
        math.log10(np.mean(delta**2) / np.mean(g**2)),
    )


def drawn(scale: float, seed: int = 0, layers: int = 6) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    widths = [9, *rng.integers(5, 14, layers)]
    weights = [scale * rng.standard_normal((o, i)) / np.sqrt(i) for i, o in itertools.pairwise(widths)]
    return weights, rng.standard_normal((4, 9)), rng.standard_normal((4, widths[-1]))


@pytest.mark.parametrize("scale", [0.1, 1.5, 30.0])
@pytest.mark.parametrize("name", [*ACTIVATIONS, "leaky_relu(0.2)"])
def test_ratios_are_those_of_the_plain_computation(name: str, scale: float) -> None:
    weights, x, g = drawn(scale)
    expected = plain(weights, activation(name), x, g)
    assert energy_ratios(weights, activation(name), x, g) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert energy_ratio_forward(iter(weights), activation(name), x) == pytest.approx(expected[0], abs=1e-9)
    assert energy_ratios(iter(weights), activation(name), x, g)[1] == pytest.approx(expected[1], abs=1e-9)


@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu"])
@pytest.mark.parametrize("factor", [1e-120, 1e120])
def test_a_homogeneous_network_scales_exactly_past_the_range_of_floats(name: str, factor: float) -> None:
    weights, x, g = drawn(1.0)
    forward, backward = energy_ratios(weights, activation(name), x, g)
    scaled = energy_ratios([factor * w for w in weights], activation(name), x, g)
    shift = 2 * len(weights) * math.log10(factor)
    assert scaled == pytest.approx((forward + shift, backward + shift), abs=1e-6)


def test_a_square_scales_by_a_tower_of_powers() -> None:
    """z_L is homogeneous of degree 2^L in x and of degree 2^(L-l) in W_l: 63 in all for six layers."""
    weights, x, g = drawn(1.0)
    forward, backward = energy_ratios(weights, activation("relu2"), x, g)
    scaled = energy_ratios([1e-30 * w for w in weights], activation("relu2"), x, g)
    # delta_0 = delta_6 times W_l phi'(z_(l-1)), and z_(l-1) scales with 2^(l-1) - 1
    assert scaled[0] == pytest.approx(forward - 2 * 30 * 63, rel=1e-9)
    assert scaled[1] == pytest.approx(backward - 2 * 30 * (6 + sum(2**k - 1 for k in range(6))), rel=1e-9)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "elu", "selu", "softplus"])
def test_far_out_the_bent_ones_go_as_straight_lines(name: str) -> None:
    straight = "relu" if name != "selu" else "leaky_relu(0)"
    weights, x, g = drawn(1.0, seed=4)
    huge = [1e90 * w for w in weights]
    forward, backward = energy_ratios(huge, activation(name), x, g)
    # From z_1 on the network is that of max(z, 0), times SELU's scale a layer.
    gain = 2 * math.log10(activation(name).f(np.array([1e6]))[0] / 1e6)
    z1 = activation(name).f(x) @ weights[0].T
    rest, _ = energy_ratios(weights[1:], activation(straight), z1, g)
    first = math.log10(np.mean(z1**2) / np.mean(x**2))
    assert forward == pytest.approx(first + rest + 2 * 90 * 6 + gain * 5, abs=1e-6)
    assert backward > 2 * 90 * 5
    _, rest_back = energy_ratios(weights[1:], activation(straight), z1, g)
    to_the_first = energy_curves(huge, activation(name), x, g)[1][5]
    assert to_the_first == pytest.approx(rest_back + 2 * 90 * 5 + gain * 5, abs=1e-6)


@pytest.mark.parametrize("name", ["gelu", "softplus", "selu"])
def test_a_signal_comes_back_from_far_out_to_its_true_size(name: str) -> None:
    phi, rng = activation(name), np.random.default_rng(0)
    up, down = rng.standard_normal((8, 8)) * 1e120, rng.standard_normal((8, 8)) * 1e-120
    third = rng.standard_normal((8, 8))
    x = rng.standard_normal((3, 8))
    z1 = phi.f(x) @ up.T
    z3 = phi.f(phi.f(z1) @ down.T) @ third.T
    assert np.abs(z1).max() > 1e100
    expected = 2 * math.log10(np.abs(z3).max()) + math.log10(np.mean((z3 / np.abs(z3).max()) ** 2))
    expected -= math.log10(np.mean(x**2))
    assert energy_ratio_forward([up, down, third], phi, x) == pytest.approx(expected, abs=1e-9)


def test_tanh_is_not_rescaled() -> None:
    """A small signal doubles at each layer until it saturates, and then stays."""
    phi, x = activation("tanh"), np.full((2, 1), 1e-3)
    twice = [np.full((1, 1), 2.0)]
    assert energy_ratio_forward(twice * 5, phi, x) == pytest.approx(5 * math.log10(4), abs=1e-3)
    assert energy_ratio_forward(twice * 60, phi, x) == pytest.approx(energy_ratio_forward(twice * 61, phi, x), abs=1e-9)


def test_tanh_of_a_huge_signal_is_its_sign() -> None:
    weights, x, g = drawn(1.0, layers=2)
    huge = [1e150 * weights[0], weights[1]]
    signs = np.sign(np.tanh(x) @ weights[0].T)
    expected = math.log10(np.mean((signs @ weights[1].T) ** 2) / np.mean(x**2))
    assert energy_ratio_forward(huge, activation("tanh"), x) == pytest.approx(expected)
    assert energy_curves(huge, activation("tanh"), x, g)[0][2] == pytest.approx(expected)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_ends_of_the_scale_raise_and_warn_of_nothing(name: str) -> None:
    phi, one = activation(name), np.ones((2, 3))
    eye, zero = np.eye(3), np.zeros((3, 3))
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        assert energy_ratios([eye, zero], phi, one, one) == (-math.inf, -math.inf)
        assert energy_ratio_forward([zero, zero], phi, one) == -math.inf
        assert energy_ratio_forward([eye], phi, 0 * one) == (-math.inf if phi.at_zero == 0 else math.inf)
        assert energy_ratios([eye], phi, one, 0 * one)[1] == -math.inf
        assert math.isnan(energy_ratio_forward([eye, np.full((3, 3), np.nan)], phi, one))
        assert all(math.isnan(r) for r in energy_ratios([eye, np.full((3, 3), np.inf), eye], phi, one, one))
        assert energy_ratio_forward([np.full((3, 3), 1.7e308)], phi, 1e5 * one) == math.inf


def test_weights_are_taken_one_layer_at_a_time() -> None:
    alive: list[int] = []

    class Layer(np.ndarray):
        def __del__(self) -> None:
            alive.pop()

    def layers() -> Iterator[np.ndarray]:
        for _ in range(5):
            w = np.eye(3).view(Layer)
            alive.append(1)
            assert len(alive) <= 2
            yield w
            del w

    assert energy_ratio_forward(layers(), activation("linear"), np.ones((1, 3))) == 0.0


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_low_precision_weights_are_followed_in_float64(dtype: str) -> None:
    weights, x, g = drawn(1.0)
    low = [w.astype(dtype) for w in weights]
    exact = energy_ratios([w.astype(np.float64) for w in low], activation("relu"), x, g)
    assert energy_ratios(low, activation("relu"), x, g) == exact
    assert energy_ratio_forward(low, activation("relu"), x) == pytest.approx(exact[0])


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_low_precision_signals_are_followed_in_float64(name: str) -> None:
    weights, x, g = drawn(1.0)
    x, g = x.astype(np.float16), g.astype(np.float16)
    exact = energy_ratios(weights, activation(name), x.astype(np.float64), g.astype(np.float64))
    assert energy_ratios(weights, activation(name), x, g) == exact
    assert energy_ratio_forward(weights, activation(name), x) == exact[0]


def test_he_keeps_the_energy_and_a_tenth_of_it_does_not() -> None:
    rng = np.random.default_rng(7)
    weights = [rng.standard_normal((256, 256)) * math.sqrt(2 / 256) for _ in range(20)]
    x, g = rng.standard_normal((16, 256)), rng.standard_normal((16, 256))
    forward, backward = energy_ratios(weights, activation("relu"), x, g)
    assert abs(forward) < 1
    assert abs(backward) < 1
    assert energy_ratio_forward((0.1 * w for w in weights), activation("relu"), x) == pytest.approx(forward - 40)


def test_the_curves_end_at_the_ratios_and_follow_every_layer() -> None:
    weights, x, g = drawn(1.2)
    phi = activation("tanh")
    forward, backward = energy_curves(weights, phi, x, g)
    assert forward.shape == backward.shape == (7,)
    assert (forward[0], backward[0]) == (0.0, 0.0)
    for layers in range(1, 7):
        assert forward[layers] == pytest.approx(plain(weights[:layers], phi, x, weights[layers - 1][:, :4].T)[0])
    assert (forward[-1], backward[-1]) == energy_ratios(weights, phi, x, g)
    one_layer_back = np.mean((g @ weights[-1] * phi.derivative(_before_last(weights, phi, x))) ** 2) / np.mean(g**2)
    assert backward[1] == pytest.approx(math.log10(one_layer_back))


def _before_last(weights: list[np.ndarray], phi: Activation, x: np.ndarray) -> np.ndarray:
    for w in weights[:-1]:
        x = phi.f(x) @ w.T
    return x


def test_a_curve_that_leaves_the_numbers_stays_out_from_there_on() -> None:
    weights, x, g = drawn(1.0)
    weights[3] = np.full_like(weights[3], np.nan)
    forward, backward = energy_curves(weights, activation("relu"), x, g)
    assert np.isfinite(forward[:4]).all()
    assert np.isnan(forward[4:]).all()
    assert np.isnan(backward[1:]).all()


def test_a_curve_of_finite_weights_that_leaves_the_range_of_floats_is_infinite_from_there_on() -> None:
    big, eye, ones = np.full((3, 3), 1.7e308), np.eye(3), np.ones((2, 3))
    assert energy_curves([eye, big, eye], activation("linear"), 1e5 * ones, ones)[0].tolist() == [
        0,
        0,
        math.inf,
        math.inf,
    ]
    forward, backward = energy_curves([eye, big], activation("tanh"), 0 * ones, ones)
    assert forward.tolist() == [0, -math.inf, -math.inf]
    assert backward.tolist() == [0, math.inf, math.inf]
