"""Gains, correlation maps and depths against closed forms, and against networks that were drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initcheck.networks.activations import activation
from initcheck.networks.mean_field import MeanField
from initcheck.networks.signal import energy_curves


def test_the_correlation_map_of_relu_is_the_arc_cosine_kernel() -> None:
    """Cho & Saul 2009, eq. 6: (sin t + (pi - t) cos t)/pi with t = arccos c."""
    relu = MeanField(activation("relu"))
    for c in (0.0, 0.3, 0.5, 0.9, 0.99):
        t = math.acos(c)
        assert relu.correlation(c) == pytest.approx((math.sin(t) + (math.pi - t) * c) / math.pi, abs=1e-6)
    assert relu.settles_at == 1.0
    assert relu.correlation_depth == math.inf


def test_the_correlation_map_of_erf_is_an_arc_sine() -> None:
    """Williams 1998, of unit variance: E erf(u) erf(v) = (2/pi) asin(2c/3)."""
    found = MeanField(activation("erf"))
    for c in (0.2, 0.7, 0.95):
        assert found.correlation(c) == pytest.approx(math.asin(2 * c / 3) / math.asin(2 / 3), abs=1e-9)


def test_the_slope_of_the_correlation_map_at_one_is_chi() -> None:
    for name in ("tanh", "silu", "sin(2)", "swiglu", "glu"):
        found, step = MeanField(activation(name)), 1e-5
        assert (1 - found.correlation(1 - step)) / step == pytest.approx(found.chi, rel=1e-3)


def test_stretch_is_one_where_a_signal_may_be_scaled_and_two_where_it_is_squared() -> None:
    assert MeanField(activation("relu")).stretch == pytest.approx(1, abs=1e-9)
    assert MeanField(activation("bilinear")).stretch == pytest.approx(2, abs=1e-9)
    assert MeanField(activation("tanh")).stretch < 1 < MeanField(activation("silu")).stretch


def test_depths_of_a_rectifier_are_powers() -> None:
    relu = MeanField(activation("relu"))
    row = relu.survival(1.0)
    assert (row.variance, row.slope) == (0.5, 0.5)
    assert (row.signal, row.gradient) == (4, 4)  # 1.01/2^4 < 0.1 < 1.01/2^3
    assert (relu.survival(math.sqrt(2)).signal, relu.survival(math.sqrt(2)).gradient) == (None, None)


def test_depths_are_those_of_networks_that_are_drawn() -> None:
    """Wide tanh networks of gain 1: the median energy leaves a tenth where mean field says so."""
    rng, width, tanh = np.random.default_rng(0), 400, activation("tanh")
    weights = [rng.normal(0, 1 / math.sqrt(width), (width, width)) for _ in range(12)]
    forward, backward = energy_curves(weights, tanh, rng.standard_normal((16, width)), rng.standard_normal((16, width)))
    row = MeanField(tanh).survival(1.0)
    left = int(np.argmax(forward < -1))
    assert row.signal is not None
    assert abs(left - row.signal) <= 1
    assert backward[-1] < 0


def test_what_cannot_be_attained_has_a_reason() -> None:
    assert "Poincare" in MeanField(activation("tanh")).reason
    assert "is its mean" in MeanField(activation("sigmoid")).reason
    assert "a gate send a gradient back" in MeanField(activation("swiglu")).reason
    assert MeanField(activation("gelu")).reason == ""
    assert MeanField(activation("tanh")).variance_that_keeps_both[0] < 1
    assert MeanField(activation("swiglu")).variance_that_keeps_both is None
