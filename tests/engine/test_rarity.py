"""Calls that share a gain cost little where no layer of the plan can show a second moment, and fail all the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.contract.layer import Layer
from initcheck.engine.trials.rarity import why_nothing_can_hold
from initcheck.report.verdict import Verdict

Array = np.ndarray[Any, np.dtype[np.float32]]
CLAIM = "output-variance-near-one"


def one_gain_a_call(shape: tuple[int, int], rng: np.random.Generator, times: float = 1.0) -> Array:
    gain = np.exp(0.8 * rng.standard_normal() - 0.64)
    return (rng.standard_normal(shape) * times * gain / np.sqrt(shape[1])).astype(np.float32)


def three_times_that(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    return one_gain_a_call(shape, rng, times=3.0)


def heavy_but_alike(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    return (rng.standard_t(4, shape) * np.sqrt(0.5 / shape[1])).astype(np.float32)


def judged(init: Any) -> initcheck.Result:
    return initcheck.check(init, claims=[CLAIM], profile="quick")[CLAIM]


def test_what_no_layer_can_show_is_said_before_it_is_paid_for() -> None:
    result = judged(one_gain_a_call)
    assert result.verdict is Verdict.UNDECIDED
    assert result.reason is not None
    assert result.reason.startswith("the energies of calls differ by ")
    assert result.reason.endswith("which the budget pays for, show a second moment")


def test_a_scale_that_is_far_off_fails_all_the_same() -> None:
    assert judged(three_times_that).verdict is Verdict.FAILS


def test_a_wider_band_needs_fewer_calls() -> None:
    energies = np.repeat([0.1, 7.3], [56, 8])  # of deviation 2.4 around 1
    case = Layer((64, 64))
    subject = SimpleNamespace(
        domain=SimpleNamespace(plan=(case,), largest=case), profile=SimpleNamespace(weights=700 * case.weights)
    )
    draws = SimpleNamespace(records=lambda *_: SimpleNamespace(energy=energies))
    trial: Any = SimpleNamespace(subject=subject, draws=draws, dtype="float32", beta=1e-3, usual_calls=lambda _: 64)
    assert [why_nothing_can_hold(trial, band) is None for band in ((0.8, 1.25), (0.5, 2.0), (2.0, 3.0))] == [
        False,
        True,
        True,
    ]


@pytest.mark.long
def test_heavy_tails_within_a_call_are_no_reason_to_give_up() -> None:
    assert judged(heavy_but_alike).verdict is Verdict.HOLDS
