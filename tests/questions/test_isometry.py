"""Dynamical isometry: what share of the singular values of a product of layers stays near 1."""

from __future__ import annotations

import numpy as np
import pytest

import initcheck
from initcheck.contract.contract import Contract
from initcheck.contract.layer import Layer
from initcheck.draws.chains import Chains
from initcheck.draws.draws import Draws
from initcheck.draws.streams import SCREEN
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load

CLAIM = "singular-values-survive-depth"
PROMISED = Contract(
    layout="out_in", fan="fan_in", activation="linear", widths=(1, 32), depth=8, distribution="isometric"
)


def with_noise(noise: float, gain: float = 1.0):
    def init(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
        q = q * np.sign(np.diag(r))
        w = (q if shape[0] >= shape[1] else q.T) + noise * rng.standard_normal(shape) / np.sqrt(max(shape))
        return (gain * w).astype(np.float32)

    return init


@pytest.mark.parametrize(
    ("noise", "gain", "verdict"),
    [
        (0.0, 1.0, Verdict.HOLDS),
        (0.02, 3.0, Verdict.HOLDS),  # the scale is what other claims judge
        (0.5, 1.0, Verdict.FAILS),
    ],
)
def test_a_product_of_layers_keeps_most_lengths_or_does_not(noise: float, gain: float, verdict: Verdict) -> None:
    result = initcheck.check(with_noise(noise, gain), contract=PROMISED, claims=[CLAIM], profile="quick")[CLAIM]
    assert result.verdict is verdict


def test_it_is_asked_where_it_is_promised_alone() -> None:
    (normal,) = load("initcheck.gallery:he_normal").initializers
    report = initcheck.check("initcheck.gallery:he_normal", claims=[CLAIM], profile="quick")
    assert report[CLAIM].verdict is Verdict.NOT_APPLICABLE
    chains = Chains(Draws(normal, 0), Contract(distribution="normal"), Layer((4, 4)))
    with pytest.raises(ValueError, match="distribution is none of orthogonal, isometric"):
        chains.shares(SCREEN, 1)
