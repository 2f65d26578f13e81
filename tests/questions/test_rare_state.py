"""A function that counts its calls is seen to do so, also where one call in fifty alone shows it."""

from __future__ import annotations

import numpy as np
import pytest

import initcheck
from initcheck.contract.contract import Contract
from initcheck.report.verdict import Verdict

CLAIM = "same-seed-same-weights"
COUNTED = [0]


def counts(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    COUNTED[0] += 1
    return rng.standard_normal(shape) * (2.0 if COUNTED[0] % 50 == 0 else 1.0)


def counts_nothing(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(shape)


@pytest.mark.parametrize(("function", "verdict"), [(counts, Verdict.FAILS), (counts_nothing, Verdict.HOLDS)])
def test_what_one_call_in_fifty_does_is_seen(function, verdict: Verdict) -> None:
    contract = Contract(activation="linear", fan="fan_in", layout="out_in")
    result = initcheck.check(f"{__file__}:{function.__name__}", contract=contract, claims=[CLAIM], profile="quick")
    assert result[CLAIM].verdict is verdict
