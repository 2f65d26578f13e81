"""What one claim draws and decides changes nothing of what another one measures."""

from __future__ import annotations

from typing import Any

import numpy as np

import initcheck

CONTRACT = {"activation": "relu", "fan": "fan_in", "layout": "out_in", "distribution": "normal"}


def uniform(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    bound = 1 / np.sqrt(shape[1])
    return rng.uniform(-bound, bound, shape)


def test_a_verdict_does_not_depend_on_which_claims_ran_before_it() -> None:
    every = initcheck.check(uniform, contract=CONTRACT, profile="quick")
    alone = initcheck.check(uniform, contract=CONTRACT, profile="quick", claims=["output-variance-near-one"])
    assert alone["output-variance-near-one"].evidence == every["output-variance-near-one"].evidence
