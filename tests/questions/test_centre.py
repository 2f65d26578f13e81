"""The mean of every layer, both ways: small layers off centre, skewed laws of mean zero, and what is excluded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.report.verdict import Verdict

CONTRACT = {"activation": "linear", "fan": "fan_in", "layout": "out_in"}


def promised(init: Any) -> Any:
    init.__initcheck__ = CONTRACT
    return init


@promised
def normal(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    return rng.standard_normal(shape) / np.sqrt(shape[1])


@promised
def off_in_small_layers(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    return (rng.standard_normal(shape) + 0.05 * (shape[0] * shape[1] < 40)) / np.sqrt(shape[1])


@promised
def off_in_one_large_layer(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    return (rng.standard_normal(shape) - 0.03 * (shape[0] * shape[1] > 16_000)) / np.sqrt(shape[1])


@promised
def rare_and_huge_below(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    """A little above zero, and once in a thousand far below: the mean is exactly zero."""
    rare = rng.random(shape) < 1e-3
    w = np.where(rare, -np.sqrt(999.0), 1 / np.sqrt(999.0)) + 0.02 * rng.standard_normal(shape)
    return w / np.sqrt(shape[1])


def judged(init: Any, seed: int = 0) -> initcheck.Result:
    return initcheck.check(init, claims=["zero-mean"], profile="quick", seed=seed)["zero-mean"]


@pytest.mark.long
@pytest.mark.parametrize("init", [off_in_small_layers, off_in_one_large_layer], ids=lambda f: f.__name__)
def test_the_layer_that_is_off_centre_is_the_one_that_is_named(init: Any) -> None:
    result = judged(init)
    assert result.verdict is Verdict.FAILS
    weights = int(np.prod(result.evidence.shape))
    assert weights < 40 if init is off_in_small_layers else weights > 16_000
    assert abs(abs(float(result.evidence.value or 0)) - (0.05 if weights < 40 else 0.03)) < 0.01
    # Of a mean that is off zero by less than a HOLDS must exclude nobody says that it "is not excluded".
    assert result.evidence.allowed == "0 (+-0.0001)"


@pytest.mark.long
def test_a_constant_that_is_off_centre_is_not_said_to_be_within_what_is_not_excluded() -> None:
    halves = judged(promised(lambda shape, rng: np.full(shape, 0.5)))
    zeros = judged(promised(lambda shape, rng: np.zeros(shape)))
    assert (halves.verdict, halves.evidence.allowed) == (Verdict.FAILS, "0 (+-0.0001)")
    assert (zeros.verdict, zeros.evidence.allowed) == (Verdict.HOLDS, "0 (+-0.0001 is not excluded)")


@pytest.mark.long
@pytest.mark.parametrize("init", [normal, rare_and_huge_below], ids=lambda f: f.__name__)
def test_a_mean_of_zero_holds_skewed_or_not_and_what_is_excluded_is_said(init: Any) -> None:
    result = judged(init)
    assert result.verdict is Verdict.HOLDS
    [note] = [n for n in result.notes if n.startswith("a mean beyond")]
    assert "standard deviations is excluded at shape" in note
    assert float(note.split()[3]) < 0.03
