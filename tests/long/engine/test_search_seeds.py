"""One rectangle in a hundred is wrong: found at every seed, whatever is wrong there, and the smallest is shown."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import initcheck
from initcheck.contract.contract import Contract
from initcheck.report.verdict import Verdict

SEEDS = 20
OUT_IN = Contract(activation="linear", fan="fan_in", layout="out_in")


def prime(n: int) -> bool:
    return n > 1 and all(n % k for k in range(2, math.isqrt(n) + 1))


WRONG: dict[str, tuple[Callable[[int, int], bool], tuple[int, int]]] = {
    "a sum divisible by 97": (lambda out, into: (out + into) % 97 == 0, (1, 96)),
    "two primes": (lambda out, into: prime(out) and prime(into), (2, 2)),
    "three outputs an input": (lambda out, into: out == 3 * into, (3, 1)),
}


@pytest.mark.parametrize("name", WRONG)
def test_twice_the_variance_is_found_at_nineteen_seeds_of_twenty(name: str) -> None:
    wrong, smallest = WRONG[name]

    def init(shape: tuple[int, int], rng: np.random.Generator):
        return rng.standard_normal(shape) * math.sqrt((2 if wrong(*shape) else 1) / shape[1])

    claim = "output-variance-near-one"
    results = [initcheck.check(init, contract=OUT_IN, claims=[claim], seed=seed)[claim] for seed in range(SEEDS)]
    found = [r.evidence.shape for r in results if r.verdict is Verdict.FAILS]
    assert len(found) >= 19
    assert set(found) == {smallest}


def test_a_weight_that_is_not_finite_is_found_too() -> None:
    def init(shape: tuple[int, int], rng: np.random.Generator):
        weights = rng.standard_normal(shape)
        weights[0, 0] = math.nan if sum(shape) % 97 == 0 else weights[0, 0]
        return weights

    results = [initcheck.check(init, contract=OUT_IN, claims=["finite"], seed=s)["finite"] for s in range(SEEDS)]
    assert sum(r.verdict is Verdict.FAILS and r.evidence.shape == (1, 96) for r in results) >= 19


@pytest.mark.parametrize(("claim", "smallest"), [("units-differ", (2, 95)), ("zero-mean", (1, 96))])
def test_a_tie_and_a_mean_at_one_rectangle_in_a_hundred_are_found_too(claim: str, smallest: tuple[int, int]) -> None:
    def init(shape: tuple[int, int], rng: np.random.Generator):
        weights = rng.standard_normal(shape)
        if sum(shape) % 97 == 0 and claim == "zero-mean":
            weights = (weights + 0.5) / math.sqrt(1.25)
        elif sum(shape) % 97 == 0 and shape[0] > 1:
            weights[-1] = weights[0]
        return weights / math.sqrt(shape[1])

    results = [initcheck.check(init, contract=OUT_IN, claims=[claim], seed=seed)[claim] for seed in range(3)]
    assert [(r.verdict, r.evidence.shape) for r in results] == [(Verdict.FAILS, smallest)] * 3
