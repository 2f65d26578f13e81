"""Pairs of calls that may change places: what is the same is called so, and what differs by what differs."""

from __future__ import annotations

import numpy as np
import pytest
from comparison.laws_of_calls import Law, autocorrelated, calls_of, cauchy, normal, orthogonal, scaled, uniform

from initcheck.comparison.call_scores import CallScores
from initcheck.comparison.exchange import Answer, compare


def test_a_score_changes_its_sign_where_calls_change_places() -> None:
    rng = np.random.default_rng(3)
    scores = CallScores(normal(64, rng), uniform(64, rng))
    x, y = normal(20, rng), uniform(20, rng)
    assert np.array_equal(scores.of(x, y), -scores.of(y, x))
    assert np.abs(scores.of(x, 100 * y)).max() == 1.0


@pytest.mark.parametrize("law", [normal, cauchy, orthogonal])
def test_one_law_is_the_same(law: Law) -> None:
    rng = np.random.default_rng(5)
    assert compare(calls_of(law, rng), calls_of(law, rng)).answer is Answer.SAME


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (scaled(normal, 1.2), "scale"),
        (uniform, "law"),
        (orthogonal, "dependence"),
        (autocorrelated, "dependence"),
        (lambda k, rng: normal(k, rng) + 0.05, "mean"),
        (lambda k, rng: normal(k, rng) * np.linspace(0.7, 1.25, 16), "position"),
    ],
)
def test_two_laws_are_different_in_what_they_differ(other: Law, kind: str) -> None:
    rng = np.random.default_rng(7)
    found = compare(calls_of(normal, rng), calls_of(other, rng))
    assert found.answer is Answer.DIFFERENT
    assert kind in found.kinds


def test_the_factor_between_sizes_is_told() -> None:
    rng = np.random.default_rng(9)
    found = compare(calls_of(normal, rng), calls_of(scaled(normal, 2.0), rng))
    assert found.factor == pytest.approx(2.0, rel=0.02)
    assert found.pairs == 32


def test_what_is_not_a_number_differs_from_what_is() -> None:
    rng = np.random.default_rng(11)

    def some_nan(k: int, rng: np.random.Generator) -> np.ndarray:
        w = normal(k, rng)
        w[:, 0, 0] = np.nan
        return w

    found = compare(calls_of(normal, rng), calls_of(some_nan, rng))
    assert (found.answer, found.feature.kind) == (Answer.DIFFERENT, "values")


def test_a_difference_between_what_is_tolerated_and_what_is_seen_stays_open() -> None:
    rng = np.random.default_rng(13)
    found = compare(calls_of(normal, rng), calls_of(scaled(normal, 1.02), rng), most=128)
    assert found.answer is Answer.UNDECIDED


@pytest.mark.parametrize("value", [0.1, 1 / 3, 0.0])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_constant_is_the_same_however_it_is_rounded(value: float, dtype: str) -> None:
    found = compare(lambda i, k: np.full((k - i, 3, 4), value), lambda i, k: np.full((k - i, 3, 4), value, dtype))
    assert found.answer is Answer.SAME


def test_the_edge_of_a_law_is_the_same_however_it_is_rounded() -> None:
    rng = np.random.default_rng(17)

    def clamped(i: int, k: int, dtype: str) -> np.ndarray:
        return np.clip(normal(k - i, rng), -0.25, 0.25).astype(dtype) / np.float32(3)

    found = compare(lambda i, k: clamped(i, k, "float64"), lambda i, k: clamped(i, k, "float32"))
    assert found.answer is Answer.SAME


def test_constants_a_twentieth_apart_are_two_laws() -> None:
    found = compare(lambda i, k: np.full((k - i, 3, 4), 0.1), lambda i, k: np.full((k - i, 3, 4), 0.105))
    assert found.answer is Answer.DIFFERENT
