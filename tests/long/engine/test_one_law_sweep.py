"""One width alone that breaks the one law of the variance is found by a glance at every width."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

import initcheck
from initcheck.contract.contract import Contract
from initcheck.report.verdict import Verdict

CLAIM = "variance-follows-one-law"


def off_at_100(shape: tuple[int, int], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    std = math.sqrt((1.5 if shape[1] == 100 else 1) / shape[1])
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(std)


def test_one_width_alone_breaks_the_law_that_all_others_follow() -> None:
    contract = Contract(activation="linear", fan="fan_in", layout="out_in")
    assert initcheck.check(off_at_100, contract=contract, claims=[CLAIM])[CLAIM].verdict is Verdict.FAILS


def test_all_laws_are_held_against_the_same_calls() -> None:
    """A dozen laws are rejected by two shapes each: calls of their own for each law would be five times as many."""
    drawn = 0

    def guarded(shape: tuple[int, int], rng: np.random.Generator) -> npt.NDArray[np.float64]:
        nonlocal drawn
        drawn += shape == (1, 1)
        return rng.standard_normal(shape) / math.sqrt(max(8, shape[1]))

    contract = Contract(activation="linear", fan="fan_in", layout="out_in")
    result = initcheck.check(guarded, contract=contract, claims=[CLAIM], profile="quick")[CLAIM]
    assert (result.verdict, result.evidence.shape) == (Verdict.FAILS, (1, 1))
    assert drawn < 160_000
