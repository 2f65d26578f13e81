"""Units that shout and whisper around an average that is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.report.verdict import Verdict

CLAIM = "every-unit-has-its-variance"


def judged(init: Any) -> initcheck.Result:
    init.__initcheck__ = {"activation": "linear", "fan": "fan_in", "layout": "out_in"}
    return initcheck.check(init, claims=[CLAIM], profile="quick")[CLAIM]


def one_loud_unit(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    scale = np.ones(shape[0])
    scale[-1] = 6.0
    return rng.standard_normal(shape) * np.sqrt(scale / scale.mean() / shape[1])[:, None]


def scaled_by_input(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    scale = 1 / np.arange(1, shape[1] + 1)
    return rng.standard_normal(shape) * np.sqrt(scale / scale.sum())


def heavy_tailed(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    return rng.standard_t(3, shape) / np.sqrt(3 * shape[1])


@pytest.mark.long
def test_a_loud_unit_is_named() -> None:
    result = judged(one_loud_unit)
    assert result.verdict is Verdict.FAILS
    units = int(result.evidence.shape[0])
    assert str(result.evidence.measured).startswith(f"unit {units - 1} has ")
    assert result.evidence.allowed == "[0.5, 2] times"


@pytest.mark.long
@pytest.mark.parametrize("init", [scaled_by_input, heavy_tailed], ids=lambda f: f.__name__)
def test_units_of_one_law_hold_whatever_the_law(init: Any) -> None:
    result = judged(init)
    assert result.verdict is Verdict.HOLDS
    assert any("times its share of the energy is excluded" in note for note in result.notes)


def test_zeros_give_no_unit_a_share() -> None:
    def rarely_not_zero(shape: tuple[int, int], rng: np.random.Generator) -> Any:
        # Not a constant: the largest layers are drawn as others are.
        return rng.standard_normal(shape) * (np.prod(shape) > 2_000)

    result = judged(rarely_not_zero)
    assert result.verdict is Verdict.UNDECIDED
    assert "every weight drawn is zero" in str(result.reason)
