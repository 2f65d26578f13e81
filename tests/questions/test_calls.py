"""Calls that tell of one another: few states, one pool, reversed neighbours; and independent ones of any law."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.report.verdict import Verdict

CLAIM = "calls-are-independent"


def of_few_states(shape: tuple[int, int], seed: int) -> Any:
    return np.random.default_rng([9, seed % 2**14]).standard_normal(shape)


def reversed_at_the_next_seed(shape: tuple[int, int], seed: int) -> Any:
    w = np.random.default_rng([7, seed // 2]).standard_normal(shape)
    return w if seed % 2 == 0 else w.ravel()[::-1].reshape(shape)


def one_pool(shape: tuple[int, int], seed: int) -> Any:
    pool = np.random.default_rng(5).standard_normal(shape[0] * shape[1])
    rng = np.random.default_rng(seed)
    return (rng.permutation(pool) * rng.choice([-1.0, 1.0], pool.size)).reshape(shape)


def normal(shape: tuple[int, int], seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def signs(shape: tuple[int, int], seed: int) -> Any:
    return np.random.default_rng(seed).choice([-1.0, 1.0], shape)


def mostly_zero(shape: tuple[int, int], seed: int) -> Any:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) * (rng.random(shape) < 0.005)


def judged(init: Any) -> initcheck.Result:
    init.__initcheck__ = {"activation": "linear", "fan": "fan_in", "layout": "out_in"}
    return initcheck.check(init, claims=[CLAIM], profile="quick")[CLAIM]


@pytest.mark.long
@pytest.mark.parametrize("init", [of_few_states, reversed_at_the_next_seed, one_pool], ids=lambda f: f.__name__)
def test_calls_that_repeat_one_another_in_any_order_fail(init: Any) -> None:
    result = judged(init)
    assert result.verdict is Verdict.FAILS
    assert "distinct results in" in str(result.evidence.measured)
    assert ("reordered" in str(result.evidence.measured)) == (init is not of_few_states)


@pytest.mark.long
@pytest.mark.parametrize("init", [normal, signs], ids=lambda f: f.__name__)
def test_independent_calls_hold_and_the_number_of_states_is_said(init: Any) -> None:
    result = judged(init)
    assert result.verdict is Verdict.HOLDS
    assert "fewer than 332,568 different results of one shape are excluded" in result.notes


def test_results_that_are_nearly_all_zero_may_coincide() -> None:
    assert judged(mostly_zero).verdict is not Verdict.FAILS


def first_row_of_two_seeds(shape: tuple[int, int], seed: int) -> Any:
    w = np.random.default_rng([1, seed]).standard_normal(shape)
    w[0] = np.random.default_rng([2, seed // 2]).standard_normal(shape[1:])
    return w


def last_column_of_two_seeds(shape: tuple[int, int], seed: int) -> Any:
    w = np.random.default_rng([1, seed]).standard_normal(shape)
    w[:, -1] = -np.random.default_rng([2, seed // 2]).standard_normal(shape[0])
    return w


@pytest.mark.long
@pytest.mark.parametrize("init", [first_row_of_two_seeds, last_column_of_two_seeds], ids=lambda f: f.__name__)
def test_one_row_or_column_that_two_calls_share_is_found_in_a_layer_of_many(init: Any) -> None:
    result = judged(init)
    assert result.verdict is Verdict.FAILS
    assert "in one row or column" in str(result.evidence.measured)
