"""Moments of forty activations beside an independent quadrature: tanh-sinh at 50 digits, by mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from initcheck.networks.mean_field import MeanField
from initcheck.targets.activations import activation_meant

mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp

SELU_SCALE = "1.0507009873554804934193349852946"
SELU_ALPHA = "1.6732632423543772848170429916717"


def logistic(z: Any) -> Any:
    return 1 / (1 + mp.exp(-z))


def softplus(z: Any) -> Any:
    return mp.log(1 + mp.exp(z)) if z < 40 else z + mp.exp(-z)


def clip(z: Any, low: Any, high: Any) -> Any:
    return min(max(z, mp.mpf(low)), mp.mpf(high))


def elu(z: Any, alpha: Any = 1, scale: Any = 1) -> Any:
    return mp.mpf(scale) * (z if z > 0 else mp.mpf(alpha) * mp.expm1(z))


# What is read by initcheck -> the function for mpmath, and where it has a kink.
FORTY: dict[str, tuple[Any, Callable[[Any], Any], tuple[Any, ...]]] = {
    name: (name, f, kinks)
    for name, f, kinks in (
        ("linear", lambda z: z, ()),
        ("relu", lambda z: max(z, mp.mpf(0)), (0,)),
        ("leaky_relu(0.2)", lambda z: z if z > 0 else z / 5, (0,)),
        ("tanh", lambda z: mp.tanh(z), ()),
        ("sigmoid", logistic, ()),
        ("gelu", lambda z: z * mp.ncdf(z), ()),
        ("silu", lambda z: z * logistic(z), ()),
        ("selu", lambda z: elu(z, SELU_ALPHA, SELU_SCALE), (0,)),
        ("elu", elu, (0,)),
        ("elu(0.5)", lambda z: elu(z, "0.5"), (0,)),
        ("celu(2)", lambda z: z if z > 0 else 2 * mp.expm1(z / 2), (0,)),
        ("softplus", softplus, ()),
        ("mish", lambda z: z * mp.tanh(softplus(z)), ()),
        ("relu2", lambda z: max(z, mp.mpf(0)) ** 2, (0,)),
        ("relu6", lambda z: clip(z, 0, 6), (0, 6)),
        ("hardtanh", lambda z: clip(z, -1, 1), (-1, 1)),
        ("hardsigmoid", lambda z: clip(z / 6 + mp.mpf("0.5"), 0, 1), (-3, 3)),
        ("hardswish", lambda z: z * clip(z / 6 + mp.mpf("0.5"), 0, 1), (-3, 3)),
        ("softsign", lambda z: z / (1 + abs(z)), (0,)),
        ("arctan", lambda z: mp.atan(z), ()),
        ("erf", lambda z: mp.erf(z), ()),
        ("logsigmoid", lambda z: -softplus(-z), ()),
        ("tanhshrink", lambda z: z - mp.tanh(z), ()),
        ("lecun_tanh", lambda z: mp.mpf("1.7159") * mp.tanh(2 * z / 3), ()),
        (
            "gelu_tanh",
            lambda z: z / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (z + mp.mpf("0.044715") * z**3))),
            (),
        ),
        ("cos", lambda z: mp.cos(z), ()),
        ("gaussian", lambda z: mp.exp(-z * z), ()),
        ("abs", lambda z: abs(z), (0,)),
        ("square", lambda z: z * z, ()),
        ("swish(2)", lambda z: z * logistic(2 * z), ()),
        ("sin", lambda z: mp.sin(z), ()),
        ("sin(3)", lambda z: mp.sin(3 * z), ()),
        ("snake(2)", lambda z: z + mp.sin(2 * z) ** 2 / 2, ()),
        ("softshrink(0.3)", lambda z: max(z - mp.mpf("0.3"), 0) + min(z + mp.mpf("0.3"), 0), ("-0.3", "0.3")),
        ("hardshrink(0.7)", lambda z: z if abs(z) > mp.mpf("0.7") else mp.mpf(0), ("-0.7", "0.7")),
        ("squareplus", lambda z: (z + mp.sqrt(z * z + 4)) / 2, ()),
    )
}
# Functions, as a user has them.
FORTY |= {
    "a shifted rectifier": (lambda z: np.maximum(z - 0.37, 0), lambda z: max(z - mp.mpf("0.37"), 0), ("0.37",)),
    "exp": (np.exp, lambda z: mp.exp(z), ()),
    "a staircase of slopes": (
        lambda z: np.abs(z - 1.1) + 0.5 * np.abs(z + 0.45),
        lambda z: abs(z - mp.mpf("1.1")) + abs(z + mp.mpf("0.45")) / 2,
        ("-0.45", "1.1"),
    ),
    "x^2/(1 + x^2)": (lambda z: z**2 / (1 + z**2), lambda z: z**2 / (1 + z**2), ()),
}


def exact(f: Callable[[Any], Any], kinks: tuple[Any, ...]) -> tuple[float, float, float]:
    """E phi, E phi^2, E phi'^2, to 50 digits where the working precision allows."""
    with mp.workdps(50):
        # Beyond 16 the density is below 10^-56.
        edges = sorted({mp.mpf(-16), mp.mpf(16), mp.mpf(-4), mp.mpf(4), mp.mpf(0), *map(mp.mpf, kinks)})

        def mean(g: Callable[[Any], Any]) -> float:
            return float(mp.quad(lambda z: g(z) * mp.npdf(z), edges))

        return mean(f), mean(lambda z: f(z) ** 2), mean(lambda z: mp.diff(f, z) ** 2)


def test_there_are_forty() -> None:
    assert len(FORTY) == 40


@pytest.mark.parametrize("name", FORTY)
def test_gain_and_chi_agree_with_quadrature_at_fifty_digits(name: str) -> None:
    given, f, kinks = FORTY[name]
    phi = activation_meant(given)
    m1, m2, m2_prime = exact(f, kinks)
    assert phi.m1 == pytest.approx(m1, abs=1e-9)
    assert phi.gain == pytest.approx(m2**-0.5, rel=1e-9)
    assert MeanField(phi).chi == pytest.approx(m2_prime / m2, rel=1e-8)
