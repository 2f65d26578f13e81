"""Laws of weights: each is told from every other, at an error rate that does not hang on the estimated scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from initcheck import check
from initcheck.contract.contract import Contract
from initcheck.contract.standard_laws import COSINES, standard_law
from initcheck.report.verdict import Verdict
from initcheck.statistics import scores_log_e

Array = npt.NDArray[Any]
LAWS = {
    "normal": stats.norm(),
    "uniform": stats.uniform(-math.sqrt(3), 2 * math.sqrt(3)),
    "truncated_normal(2)": stats.truncnorm(-2, 2, scale=1 / stats.truncnorm(-2, 2).std()),
    "laplace": stats.laplace(scale=1 / math.sqrt(2)),
}
SPECIMENS = {
    "normal": "he_normal",
    "uniform": "he_uniform",
    "truncated_normal(2)": "he_truncated",
    "laplace": "he_laplace",
    "rademacher": "he_rademacher",
}


def law_of(text: str) -> Any:
    contract = Contract(distribution=text)
    return standard_law(contract.base("distribution") or "", contract.parameter("distribution"))


def judged(target: Any, distribution: str, **more: Any) -> Any:
    contract = {"activation": "relu", "fan": "fan_in", "layout": "out_in", "distribution": distribution, **more}
    claim = "follows-its-distribution"
    return check(target, contract=contract, claims=[claim], profile="quick")[claim]


@pytest.mark.parametrize("text", LAWS)
def test_distribution_functions_agree_with_scipy(text: str) -> None:
    law, z = law_of(text), np.linspace(-6, 6, 1_001)
    assert (
        np.max(np.abs([law.cdf(x) for x in z if abs(x) <= law.bound] - LAWS[text].cdf(z[np.abs(z) <= law.bound])))
        < 1e-9
    )
    j = np.arange(1, COSINES + 1)[:, None]
    assert np.max(np.abs(law.cosines(z) - np.cos(np.pi * j * LAWS[text].cdf(z)))) < 2e-4


@pytest.mark.parametrize("text", LAWS)
def test_every_law_has_variance_one_and_cosines_of_mean_zero(text: str) -> None:
    law = law_of(text)
    sample = LAWS[text].rvs(400_000, random_state=1)
    assert law.scale(sample) == pytest.approx(1.0, abs=0.01)
    assert np.max(np.abs(law.cosines(sample).mean(axis=1))) < 5 / math.sqrt(2 * 400_000)


@pytest.mark.parametrize("text", LAWS)
def test_a_scale_is_within_its_error(text: str) -> None:
    law = law_of(text)
    samples = LAWS[text].rvs((400, 2_000), random_state=2)
    errors = np.array([abs(law.scale(s) - 1.0) for s in samples])
    # The bound is a bound: at a rate of 1 in 10 it may be wrong 40 times in 400, and it is wider than need be.
    assert np.sum(errors > law.scale_error(2_000, 0.1)) <= 40
    assert errors.max() > law.scale_error(2_000, 0.1) / 8


@pytest.mark.parametrize("text", LAWS)
def test_a_wrong_scale_moves_no_cosine_further_than_is_allowed_for(text: str) -> None:
    law = law_of(text)
    sample = LAWS[text].rvs(400_000, random_state=3)
    for factor in (0.97, 0.985, 1.015, 1.03):
        moved = np.abs(law.cosines(sample * factor).mean(axis=1))
        assert np.all(moved <= law.bias(0.03) + 5 / math.sqrt(2 * 400_000))
    assert law.bias(0.03).max() > 0.01


@pytest.mark.long
@pytest.mark.parametrize("text", LAWS)
def test_the_law_itself_is_never_accused(text: str) -> None:
    law = law_of(text)
    rng = np.random.default_rng(4)
    accused = 0
    for _ in range(200):
        scale = law.scale(LAWS[text].rvs(4_000, random_state=rng))
        means = law.cosines(LAWS[text].rvs((200, 64), random_state=rng) / scale).mean(axis=2).T
        tolerated = law.bias(law.scale_error(4_000, 0.05))
        accused += scores_log_e(means, np.maximum(tolerated, 0.01), 0.5).against.max() >= math.log(1 / 0.05)
    # At most 0.05 for the scale and 0.05 for the bets: 20 of 200, and four deviations.
    assert accused <= 20 + 4 * math.sqrt(20)


@pytest.mark.long
@pytest.mark.parametrize("drawn", SPECIMENS)
@pytest.mark.parametrize("promised", SPECIMENS)
def test_each_law_is_told_from_every_other(drawn: str, promised: str) -> None:
    result = judged(f"initcheck.gallery:{SPECIMENS[drawn]}", promised)
    assert result.verdict is (Verdict.HOLDS if drawn == promised else Verdict.FAILS)
    if drawn == promised:
        assert any("excluded" in note for note in result.notes)


def mixed(share: float) -> Callable[[tuple[int, ...], np.random.Generator], Array]:
    """He's normal weights, of which a share comes from a law three times as wide; the variance is kept."""

    def initializer(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        wide = np.where(rng.random(shape) < share, 3.0, 1.0)
        std = math.sqrt(2 / math.prod(shape[1:]) / (1 + 8 * share))
        return np.asarray(rng.standard_normal(shape) * wide * std, dtype=np.float32)

    return initializer


@pytest.mark.long
@pytest.mark.parametrize(("share", "verdict"), [(0.0001, Verdict.HOLDS), (0.02, Verdict.FAILS)])
def test_a_mixture_is_found_from_a_share_of_two_percent_on(share: float, verdict: Verdict) -> None:
    assert judged(mixed(share), "normal").verdict is verdict


@pytest.mark.long
def test_one_weight_in_a_thousand_beyond_the_bounds_is_found() -> None:
    def stray(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        bound = math.sqrt(6 / math.prod(shape[1:]))
        w = rng.uniform(-bound, bound, shape)
        return np.asarray(np.where(rng.random(shape) < 1e-3, 1.2 * w + np.sign(w) * 0.1 * bound, w), dtype=np.float32)

    result = judged(stray, "uniform")
    assert result.verdict is Verdict.FAILS
    assert result.evidence.measured.startswith("the largest of 30,720 weights lies 2.26 standard deviations out")


def test_a_wrong_scale_is_left_to_the_scale_claims() -> None:
    assert judged("initcheck.gallery:lecun_normal", "normal").verdict is Verdict.HOLDS


@pytest.mark.long
@pytest.mark.parametrize(
    ("distribution", "more", "reason"),
    [
        ("sparse(0.25)", {}, "sparse(0.25) names no law of one weight"),
        ("truncated_normal", {}, "truncated_normal names no law of one weight"),
        ("normal", {"entries": "dependent"}, "the contract says that entries depend on one another"),
    ],
)
def test_it_is_asked_only_where_a_law_is_promised(distribution: str, more: dict[str, str], reason: str) -> None:
    result = judged("initcheck.gallery:he_normal", distribution, **more)
    assert (result.verdict, result.reason) == (Verdict.NOT_APPLICABLE, reason)


def test_a_law_that_was_inferred_is_not_asked_about() -> None:
    claim = "follows-its-distribution"
    result = check("initcheck.gallery:he_leaky", claims=[claim], profile="quick")[claim]
    assert (result.verdict, result.reason) == (Verdict.NOT_APPLICABLE, "the contract names no distribution")


@pytest.mark.long
@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        ("bfloat16", "has a mean beyond 0.03;"),
        ("float16", "has a mean beyond 0.03;"),
        ("float8_e4m3fn", "float8_e4m3fn has too coarse a grid to tell one law from another"),
    ],
)
def test_rounding_is_allowed_for(dtype: str, words: str) -> None:
    pytest.importorskip("ml_dtypes")

    def rounded(shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32) -> Array:
        return np.asarray(rng.standard_normal(shape) * math.sqrt(2 / math.prod(shape[1:])), dtype=dtype)

    result = judged(rounded, "normal", dtypes=(dtype,))
    assert result.verdict is (Verdict.NOT_APPLICABLE if "coarse" in words else Verdict.HOLDS)
    assert words in f"{result.reason} {result.notes}"


def with_a_wild_weight(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Normal, and one weight in 400,000 a hundred standard deviations out."""
    w = rng.standard_normal(shape)
    w[rng.random(shape) < 2.5e-6] = 100.0
    return (w / np.sqrt(shape[1])).astype(np.float32)


@pytest.mark.long
def test_a_weight_that_the_law_cannot_have_fails_at_any_shape() -> None:
    claim = "follows-its-distribution"
    contract = "activation=linear,fan=fan_in,layout=out_in,distribution=normal"
    result = check(with_a_wild_weight, contract=contract, claims=[claim], profile="quick")[claim]
    assert result.verdict is Verdict.FAILS
    assert "standard deviations out" in str(result.evidence.measured)
    assert result.evidence.allowed == "at most 12 under normal"
