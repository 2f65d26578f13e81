"""Activations against finite differences, closed forms, scipy's quadrature and the table of gains."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from scipy import integrate, special

from initcheck.networks.activations import ACTIVATION_NAMES, activation

EVERY = (*ACTIVATION_NAMES, "leaky_relu(0.2)", "leaky_relu(-0.5)", "elu(0.5)")
Z = np.concatenate([np.linspace(-6, 6, 101) + 0.013, [-30.0, -9.0, 9.0, 30.0]])

TABLE = {  # activation: m2, gain, m2'
    "linear": (1, 1, 1),
    "relu": (1 / 2, math.sqrt(2), 1 / 2),
    "leaky_relu(0.2)": (0.52, math.sqrt(2 / 1.04), 0.52),
    "tanh": (0.394294, 1.592537, 0.464403),
    "sigmoid": (0.293379, 1.846229, 0.044836),
    "gelu": (0.425221, 1.533530, 0.455851),
    "silu": (0.355776, 1.676532, 0.379482),
    "selu": (1, 1, 1.071575),
    "elu": (0.644945, 1.245198, 0.668102),
    "softplus": (0.921246, 1.041867, 0.293379),
    "mish": (0.452342, 1.486848, 0.479084),
    "relu2": (3 / 2, 0.816497, 2),
}


@pytest.mark.parametrize("name", TABLE)
def test_moments_are_those_of_the_table(name: str) -> None:
    phi = activation(name)
    assert (phi.m2, phi.gain, phi.m2_prime) == pytest.approx(TABLE[name], abs=6e-7)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("moment", ["m1", "m2", "m2_prime"])
def test_moments_agree_with_scipy(name: str, moment: str) -> None:
    phi = activation(name)
    of = {"m1": phi.f, "m2": lambda z: phi.f(z) ** 2, "m2_prime": lambda z: phi.derivative(z) ** 2}[moment]

    def integrand(z: float) -> float:
        return float(of(np.array([z]))[0]) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    halves = [integrate.quad(integrand, *ends, epsabs=1e-12, epsrel=1e-12)[0] for ends in ((-14, 0), (0, 14))]
    assert getattr(phi, moment) == pytest.approx(sum(halves), abs=1e-9)


def test_moments_that_have_a_closed_form() -> None:
    assert activation("relu").m1 == pytest.approx(1 / math.sqrt(2 * math.pi), abs=1e-14)
    assert activation("relu").m2 == 0.5
    assert activation("leaky_relu(0.2)").m2 == pytest.approx((1 + 0.2**2) / 2, abs=1e-14)
    assert activation("gelu").m1 == pytest.approx(1 / (2 * math.sqrt(math.pi)), abs=1e-14)
    # E gelu^2 = E z^2 Phi^2 = 1/3 + 1/(2 sqrt(3) pi): integrate by parts twice
    assert activation("gelu").m2 == pytest.approx(1 / 3 + 1 / (2 * math.sqrt(3) * math.pi), abs=1e-13)
    # softplus' is the sigmoid
    assert activation("softplus").m2_prime == pytest.approx(activation("sigmoid").m2, abs=1e-14)
    # SELU's constants are those that make mean 0 and variance 1 a fixed point
    assert activation("selu").m1 == pytest.approx(0, abs=1e-14)
    assert activation("selu").m2 == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("name", EVERY)
def test_derivative_is_the_slope(name: str) -> None:
    phi, step = activation(name), 1e-6
    slope = (phi.f(Z + step) - phi.f(Z - step)) / (2 * step)
    np.testing.assert_allclose(phi.derivative(Z), slope, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", EVERY)
def test_what_is_said_of_it_is_true(name: str) -> None:
    phi = activation(name)
    assert phi.f(np.zeros(1))[0] == pytest.approx(phi.at_zero, abs=1e-15)
    assert phi.odd == bool(np.array_equal(phi.f(-Z), -phi.f(Z)))
    scaling = [d for d in (0, 1, 2, 3) if np.allclose(phi.f(7 * Z), 7.0**d * phi.f(Z), rtol=1e-13, atol=0)]
    assert scaling == ([] if phi.degree is None else [phi.degree])
    assert phi.homogeneous == (phi.degree is not None)
    assert phi.saturating == bool(np.all(np.abs(phi.derivative(np.array([-50.0, 50.0]))) < 1e-12))


@pytest.mark.parametrize(("name", "left"), [("relu", 0.0), ("leaky_relu(0.2)", 0.2), ("elu(0.5)", 0.5), ("relu2", 0.0)])
def test_the_slope_at_a_kink_is_that_on_its_left(name: str, left: float) -> None:
    assert activation(name).derivative(np.zeros(1))[0] == left


def test_an_array_of_any_shape_goes_through() -> None:
    for name in ACTIVATION_NAMES:
        phi = activation(name)
        for shape in ((), (3,), (2, 3), (0,)):
            assert np.shape(phi.f(np.ones(shape))) == shape
            assert np.shape(phi.derivative(np.ones(shape))) == shape


def test_the_input_is_never_returned_or_changed() -> None:
    for name in ACTIVATION_NAMES:
        z = np.linspace(-1, 1, 5)
        h = activation(name).f(z)
        assert not np.shares_memory(h, z)
        assert np.array_equal(z, np.linspace(-1, 1, 5))


def test_tails_keep_their_relative_accuracy() -> None:
    z = np.array([-5.0, -12.0, -30.0])
    np.testing.assert_allclose(activation("gelu").f(z), z * special.ndtr(z), rtol=1e-12)
    np.testing.assert_allclose(activation("sigmoid").f(z), special.expit(z), rtol=1e-14)
    np.testing.assert_allclose(activation("softplus").f(z), np.log1p(np.exp(z)), rtol=1e-14)


@pytest.mark.filterwarnings("error")
def test_huge_arguments_stay_finite_and_silent() -> None:
    z = np.array([-1e100, -800.0, 800.0, 1e100])
    for name in ACTIVATION_NAMES:
        phi = activation(name)
        assert np.isfinite(phi.f(z)).all()
        assert np.isfinite(phi.derivative(z)).all()


def test_one_activation_however_it_is_written() -> None:
    assert activation("leaky_relu") is activation(" leaky_relu( 0.01 ) ")
    assert activation("elu") == activation("elu(1.0)")
    assert activation("elu") != activation("elu(2)")
    assert str(activation("leaky_relu(0.2)")) == "leaky_relu(0.2)"
    assert str(activation("tanh")) == "tanh"
    assert activation("leaky_relu(1)").odd


def test_it_survives_pickling() -> None:
    for name in EVERY:
        assert pickle.loads(pickle.dumps(activation(name))) is activation(name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("relo", "'relo' is not an activation; valid are linear, relu, tanh"),
        ("relu(2)", "relu takes no parameter; write 'relu'"),
        (
            "leaky_relu(steep)",
            "the parameter of leaky_relu must be a finite number, as in 'leaky_relu(0.01)'",
        ),
        ("leaky_relu()", "must be a finite number"),
        ("elu(inf)", "the parameter of elu must be a finite number, as in 'elu(1)'"),
        ("leaky_relu(0.2", "is not an activation"),
        (None, "None is not an activation"),
    ],
)
def test_an_unknown_activation_is_an_error_that_helps(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"activation|parameter") as caught:
        activation(text)
    assert words in str(caught.value)
