"""What a failing claim shows: the curves and matrices are those of the very initializer, and stay small."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from series_problems import problems

import initcheck
from initcheck.claims.registry import checks
from initcheck.claims.statement import claim as state
from initcheck.engine.pictures import PICTURES
from initcheck.errors import UsageError
from initcheck.rendering.html.pictures import draw
from initcheck.report.verdict import Verdict

Array = np.ndarray[Any, Any]
NORMAL = {"activation": "linear", "fan": "fan_in", "layout": "out_in", "distribution": "normal"}


def right(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return rng.normal(0, 1 / math.sqrt(shape[1]), shape)


def third(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return rng.uniform(-1, 1, shape) / math.sqrt(shape[1])


def shifted(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return rng.normal(0.3, 1, shape) / math.sqrt(shape[1])


def wide_ones_are_wrong(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return rng.normal(0, 1, shape) / math.sqrt(min(shape[1], 16))


def twins(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    weights = right(shape, rng)
    weights[1::2] = weights[::2][: len(weights) // 2]
    # The weights out of two units are columns of the next matrix: only equal ones tie the gradients too.
    weights[:, 1::2] = weights[:, ::2][:, : shape[1] // 2]
    return weights


def rank_one(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return np.outer(rng.normal(size=shape[0]), rng.normal(size=shape[1])) / math.sqrt(shape[1])


def of(initializer: Any, claim: str, verdict: Verdict = Verdict.FAILS) -> initcheck.Evidence:
    result = initcheck.check(initializer, contract=NORMAL, claims=[claim], profile="quick")[claim]
    assert result.verdict is verdict
    assert problems(result.evidence.series) == []
    assert len(json.dumps(result.evidence.series)) < 8_000
    assert draw(result)
    return result.evidence


@pytest.mark.long
def test_what_holds_has_a_point_a_case_inside_the_band_and_an_interval_around_the_value() -> None:
    evidence = of(right, "output-variance-near-one", Verdict.HOLDS)
    points = evidence.series["variance_by_width"]
    assert 8 <= len(points) <= 60
    assert points == sorted(points)
    assert all(low < ratio < high for _, ratio, low, high in points)
    assert evidence.interval is not None
    assert evidence.value is not None
    assert 0.85 < evidence.interval[0] < evidence.value < evidence.interval[1] < 1.2


@pytest.mark.long
def test_a_scale_that_fails_from_a_width_on_shows_where() -> None:
    points = of(wide_ones_are_wrong, "output-variance-near-one").series["variance_by_width"]
    for fan, ratio, *_ in points:
        assert ratio == pytest.approx(max(1, fan / 16), rel=0.2)
    assert min(points)[0] == 1
    assert max(points)[0] > 64


@pytest.mark.long
@pytest.mark.parametrize(("claim", "curve"), [("signal", "signal_by_depth"), ("gradient", "gradient_by_depth")])
def test_the_energy_is_followed_through_every_layer(claim: str, curve: str) -> None:
    evidence = of(third, f"{claim}-survives-depth")
    layers, energies = zip(*evidence.series[curve], strict=True)
    assert list(layers) == list(range(21))
    assert energies[0] == 0
    assert np.diff(energies) == pytest.approx(np.full(20, math.log10(1 / 3)), abs=0.06)
    assert evidence.value == pytest.approx(energies[-1], abs=0.01)
    assert evidence.interval is not None
    assert evidence.interval[0] < energies[-1] < evidence.interval[1] < -9


@pytest.mark.long
def test_an_off_centre_law_shows_its_weights_against_the_one_promised() -> None:
    evidence = of(shifted, "zero-mean")
    bins = evidence.series["histogram"]
    name, std = evidence.series["law"]
    assert name == "normal"
    assert evidence.shape is not None
    assert std == pytest.approx(1 / math.sqrt(evidence.shape[1]), rel=0.1)
    middle = sum((a + b) / 2 * n for a, b, n in bins) / sum(n for *_, n in bins)
    assert middle == pytest.approx(0.3 * std, abs=0.1 * std)


@pytest.mark.long
def test_a_low_rank_shows_in_the_singular_values() -> None:
    series = of(rank_one, "entries-are-independent").series
    assert series["singular_values"][0] > 0.5
    assert max(series["singular_values"][1:]) < 1e-6
    assert series["singular_law"][0] == "marchenko-pastur"


@pytest.mark.long
def test_another_law_shows_against_the_one_promised() -> None:
    evidence = of(third, "follows-its-distribution")
    counts = [n for *_, n in evidence.series["histogram"]]
    assert evidence.series["law"][0] == "normal"
    # A uniform has as many weights near its edges as in the middle.
    assert sum(counts[:8]) > 0.6 * sum(counts[16:24])


def test_what_is_not_orthogonal_shows_in_the_singular_values() -> None:
    claim = "orthogonal-to-rounding"
    promise = {**NORMAL, "distribution": "orthogonal"}
    evidence = initcheck.check(right, contract=promise, claims=[claim], profile="quick")[claim].evidence
    values = evidence.series["singular_values"]
    assert evidence.series["singular_law"] == ["constant", 1.0]
    assert values == sorted(values, reverse=True)
    assert max(values) > 1.4
    assert min(values) < 0.6


def test_twins_show_as_ties_off_the_diagonal() -> None:
    matrix = np.array(of(twins, "gradients-tell-units-apart").series["gradient_ties"])
    assert len(matrix) >= 8
    pairs = range(0, len(matrix) - 1, 2)
    assert all(matrix[k, k + 1] == 0 for k in pairs)
    apart = [matrix[k, j] for k in pairs for j in range(len(matrix)) if j not in (k, k + 1)]
    assert min(apart) > 0.05


@pytest.mark.long
def test_a_failure_is_shown_the_same_every_time_and_costs_no_error_rate() -> None:
    first, again = (of(third, "output-variance-near-one") for _ in range(2))
    assert first == again
    # One confirmation's level, shared by the layers of the plan, which are tested from their first call on.
    layers = first.error_spent and 1e-6 / len(checks()) / 2 / first.error_spent
    assert layers == pytest.approx(round(layers))
    assert 10 <= layers <= 40


def test_every_picture_that_a_claim_may_ask_for_can_be_drawn() -> None:
    asked = {name for c in checks().values() for name in c.pictures}
    assert asked == set(PICTURES)
    with pytest.raises(UsageError, match="there is no picture 'histogramm'; did you mean 'histogram'"):
        state("a-claim", says="It is so.", source="here", pictures=["histogramm"])
    for name in PICTURES:
        state("a-claim", says="It is so.", source="here", pictures=[name])
