"""Expectations under a normal: closed forms, kinks wherever they lie, oscillation, and what is said of the error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from initcheck.networks.activations import ACTIVATION_NAMES, GATES, activation
from initcheck.networks.quadrature import gaussian_grid


@pytest.mark.parametrize("kink", [0.0, 0.3, -1.7, 2.345678])
def test_a_rectifier_with_its_kink_anywhere_is_exact(kink: float) -> None:
    grid = gaussian_grid(lambda z: np.maximum(z - kink, 0)[None])
    tail, density = stats.norm.sf(kink), stats.norm.pdf(kink)
    assert grid.mean(np.maximum(grid.z - kink, 0)) == pytest.approx(density - kink * tail, abs=1e-13)
    assert grid.mean(np.maximum(grid.z - kink, 0) ** 2) == pytest.approx(
        (1 + kink**2) * tail - kink * density, abs=1e-13
    )
    assert grid.error < 1e-11
    assert grid.kinks == (() if kink == 0 else (pytest.approx(kink, abs=3e-4),))


def test_a_jump_is_found_and_integrated_to_the_last_digits() -> None:
    grid = gaussian_grid(lambda z: (z > 0.77)[None] * 1.0)
    assert grid.mean((grid.z > 0.77) * 1.0) == pytest.approx(stats.norm.sf(0.77), abs=1e-12)
    assert grid.kinks == (pytest.approx(0.77, abs=1e-6),)


def test_a_fast_oscillation_is_resolved() -> None:
    grid = gaussian_grid(lambda z: np.sin(100 * z)[None] ** 2)
    assert grid.mean(np.sin(100 * grid.z) ** 2) == pytest.approx(0.5, abs=1e-12)


def test_noise_ends_and_says_its_error() -> None:
    grid = gaussian_grid(lambda z: np.float32(np.tanh(z))[None], rounding=2.0**-24)
    assert len(grid.z) < 10_000
    assert grid.mean(np.float32(np.tanh(grid.z)) ** 2.0) == pytest.approx(0.394294490397841, abs=1e-6)


@pytest.mark.parametrize("name", ["relu6", "hardswish", "softshrink", "sin(30)", "snake(2)", "erf", "squareplus"])
def test_moments_agree_with_scipy_whatever_the_kinks(name: str) -> None:
    phi = activation(name)
    for moment, g in (("m2", phi.f), ("m2_prime", phi.derivative)):

        def integrand(z: float, g=g) -> float:
            return float(g(np.array([z]))[0]) ** 2 * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

        found = integrate.quad(
            integrand, -10, 10, points=[-3, -0.5, 0, 0.5, 3, 6], limit=4000, epsabs=1e-11, epsrel=1e-12
        )[0]
        assert getattr(phi, moment) == pytest.approx(found, rel=1e-8)


@pytest.mark.parametrize("name", GATES)
def test_a_gate_has_the_moments_of_a_product(name: str) -> None:
    """E phi(u)^2 v^2 = E phi^2, and backward the sum of both inputs; shown on a large normal sample."""
    phi = activation(name)
    rng = np.random.default_rng(0)
    z = rng.standard_normal((400_000, 2))
    assert phi.f(z).shape == (400_000, 1)
    assert np.mean(phi.f(z) ** 2) == pytest.approx(phi.m2, rel=0.02)
    assert np.mean(phi.backward(z, np.ones((400_000, 1))) ** 2) * 2 == pytest.approx(phi.m2_prime, rel=0.02)
    assert phi.m1 == 0
    assert phi.streams == 2


def test_the_gradient_of_a_gate_is_its_slope() -> None:
    phi, step = activation("swiglu"), 1e-6
    z = np.random.default_rng(1).standard_normal((3, 8))
    delta = np.random.default_rng(2).standard_normal((3, 4))
    found = phi.backward(z, delta)
    for k in range(8):
        moved = np.zeros(8)
        moved[k] = step
        slope = ((phi.f(z + moved) - phi.f(z - moved)) / (2 * step) * delta).sum(axis=1)
        np.testing.assert_allclose(found[:, k], slope, atol=1e-8)


def test_a_parameter_may_be_written_by_its_name() -> None:
    assert activation("snake(a=2)") == activation("snake(2)") != activation("snake")
    with pytest.raises(ValueError, match="is called a; write 'snake"):
        activation("snake(b=2)")
    assert "snake" in ACTIVATION_NAMES
