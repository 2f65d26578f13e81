"""What draws one weight a call is asked for as many as a matrix has; a formula of a std is no initializer."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.adapters.recognition import recognise
from initcheck.errors import UsageError
from initcheck.report.verdict import Verdict


def he_normal(fan_in: Any) -> float:
    return random.gauss(0, math.sqrt(2 / fan_in))


def glorot_uniform(fan_in: Any, fan_out: Any) -> Any:
    limit = math.sqrt(6 / (fan_in + fan_out))
    return np.random.uniform(-limit, limit)


def from_a_generator(n_in: Any, rng: Any) -> Any:
    return rng.normal(0, n_in**-0.5)


def lecun_without_its_root(nin: Any) -> Any:
    return np.random.normal(0, 1 / nin)


def xavier_std(fan_in: Any, fan_out: Any) -> float:
    return math.sqrt(2 / (fan_in + fan_out))


def from_its_seed(fan_in: Any, seed: Any) -> Any:
    return np.random.default_rng(seed).normal(0, fan_in**-0.5)


@pytest.mark.parametrize("init", [he_normal, glorot_uniform, from_a_generator, lecun_without_its_root])
def test_a_weight_a_call_is_a_matrix_of_calls_that_repeats_by_its_seed(init: Any) -> None:
    found = recognise(init, f"nets:{init.__name__}")
    first, again, other = found.sampler.calls((7, 5), [1, 1, 2], "float32")
    assert first.shape == (7, 5)
    assert len(np.unique(first)) == 35
    assert (first == again).all()
    assert not (first == other).any()
    assert (found.ranks, found.contract.layout) == ((2,), "out_in")
    assert "one weight a call" in found.notes[0]


@pytest.mark.parametrize("formula", [xavier_std, from_its_seed])
def test_a_number_that_is_not_drawn_anew_is_refused(formula: Any) -> None:
    with pytest.raises(UsageError, match="returns one number where an array is expected"):
        recognise(formula, f"nets:{formula.__name__}")


@pytest.mark.long
@pytest.mark.parametrize(("init", "verdict"), [(he_normal, Verdict.HOLDS), (lecun_without_its_root, Verdict.FAILS)])
def test_its_scale_is_judged(init: Any, verdict: Verdict) -> None:
    report = initcheck.check(init, claims=["output-variance-near-one"], profile="quick")
    assert report["output-variance-near-one"].verdict is verdict
