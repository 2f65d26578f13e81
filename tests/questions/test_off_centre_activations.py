"""Activations that are never negative: a unit's sum of weights carries its output, and few units tell little."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from initcheck import check
from initcheck.report.verdict import Verdict

CLAIM = "output-variance-near-one"


@pytest.mark.long
@pytest.mark.parametrize(("activation", "gain"), [("sigmoid", 1.846229), ("softplus", 1.041867)])
@pytest.mark.parametrize(("factor", "verdict"), [(1.0, Verdict.HOLDS), (1.3, Verdict.FAILS), (0.7, Verdict.FAILS)])
def test_a_quick_run_decides_them(activation: str, gain: float, factor: float, verdict: Verdict) -> None:
    def normal(shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[Any]:
        return rng.normal(0, factor * gain / math.sqrt(shape[1]), shape)

    contract = {"activation": activation, "layout": "out_in"}
    for seed in range(3):
        assert check(normal, contract=contract, claims=[CLAIM], profile="quick", seed=seed)[CLAIM].verdict is verdict
