"""`check()`: verdicts depend on the settings and the initializer alone, and one broken one harms no other."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.engine.checker import Checker
from initcheck.engine.subject import InitializerSubject
from initcheck.report.verdict import Verdict

Array = np.ndarray[Any, Any]


def he(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return rng.normal(0, np.sqrt(2 / shape[1]), shape)


def uniform(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    bound = 1 / np.sqrt(shape[1])
    return rng.uniform(-bound, bound, shape)


CONTRACT = {"activation": "relu", "fan": "fan_in", "layout": "out_in", "distribution": "normal"}


def verdicts(report: initcheck.Report) -> dict[str, Verdict]:
    return {r.claim: r.verdict for r in report}


@pytest.mark.long
def test_a_correct_initializer_holds_every_claim_that_applies() -> None:
    report = initcheck.check(he, contract=CONTRACT, profile="quick")
    assert report.ok
    aside = {r.claim for r in report if r.verdict is Verdict.NOT_APPLICABLE}
    # Not promised.
    assert aside == {
        "orthogonal-to-rounding", "haar-distributed", "survives-its-precision", "gain-is-the-activations",
        "singular-values-survive-depth",
    }  # fmt: skip
    assert {r.verdict for r in report if r.claim not in aside} == {Verdict.HOLDS}


@pytest.mark.long
def test_the_default_of_a_linear_layer_fails_at_one_third_with_the_smallest_shape_cause_and_fix() -> None:
    contract = {**CONTRACT, "activation": "linear"}
    report = initcheck.check(uniform, contract=contract, profile="quick", claims=["output-variance-near-one"])
    result = report["output-variance-near-one"]
    assert result.verdict is Verdict.FAILS
    assert result.evidence.value == pytest.approx(1 / 3, abs=0.02)
    assert result.evidence.shape == (1, 1)
    assert result.evidence.likely == "variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)"
    assert result.evidence.fix == "+-sqrt(3/fan_in) has unit output variance"
    with pytest.raises(initcheck.ClaimFailed, match="hence   output-variance-near-one"):
        report.raise_for_failures()


@pytest.mark.long
def test_a_waived_failure_is_waived_and_a_waiver_that_is_not_needed_fails() -> None:
    claims = ["output-variance-near-one", "finite"]
    contract = {**CONTRACT, "waive": {"output-variance-near-one": "documented", "finite": "unsure"}}
    report = initcheck.check(uniform, contract=contract, profile="quick", claims=claims)
    assert report["output-variance-near-one"].verdict is Verdict.WAIVED
    assert report["finite"].verdict is Verdict.FAILS
    assert "remove the waiver" in str(report["finite"].reason)


def raises_at_odd(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    if shape[1] % 2:
        raise ValueError("odd")
    return he(shape, rng)


def returns_none(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    return None


def returns_none_at_odd(shape: tuple[int, ...], rng: np.random.Generator) -> Array | None:
    return None if shape[1] % 2 else he(shape, rng)


def transposed(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return he(shape, rng).T


def exits(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    sys.exit(3)


def exits_at_odd(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    if shape[1] % 2:
        sys.exit(3)
    return he(shape, rng)


def reseeds(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    np.random.seed(0)
    return he(shape, rng)


def prints(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    print("noise")
    return he(shape, rng)


@pytest.mark.long
@pytest.mark.parametrize(
    ("function", "claim", "measured"),
    [
        (raises_at_odd, "accepts-every-shape", "raises ValueError: odd"),
        (exits_at_odd, "accepts-every-shape", "raises SystemExit: 3"),
        (returns_none_at_odd, "returns-the-shape-asked", "None"),
        (transposed, "returns-the-shape-asked", "returns shape"),
        (reseeds, "leaves-global-generators-alone", "the call moves numpy.random"),
    ],
)
def test_a_broken_initializer_fails_the_claim_that_says_so(function: Any, claim: str, measured: str) -> None:
    report = initcheck.check(
        function, contract=CONTRACT, profile="quick", signature="(shape, rng)", claims=[claim, "finite"]
    )
    assert report[claim].verdict is Verdict.FAILS
    assert measured in str(report[claim].evidence.measured)


@pytest.mark.parametrize(("function", "said"), [(exits, "it raises SystemExit: 3"), (returns_none, "it returns None")])
def test_an_initializer_that_never_gives_an_array_is_refused_with_what_it_did(function: Any, said: str) -> None:
    with pytest.raises(initcheck.UsageError, match=said):
        initcheck.check(function, contract=CONTRACT, profile="quick", signature="(shape, rng)", claims=["finite"])


@pytest.mark.long
def test_a_failure_stands_where_the_search_for_its_cause_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: InitializerSubject, claim_id: str, failed: Any) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(InitializerSubject, "likely_cause", broken)
    report = initcheck.check(uniform, contract=CONTRACT, profile="quick", claims=["output-variance-near-one"])
    result = report["output-variance-near-one"]
    assert result.verdict is Verdict.FAILS
    assert any("looking for the cause broke" in note for note in result.notes)


def seed_zero_is_none(shape: tuple[int, ...], seed: int) -> Array:
    return np.random.default_rng(seed or None).normal(0, np.sqrt(2 / shape[1]), shape)


def test_seed_zero_is_a_seed_like_another() -> None:
    report = initcheck.check(
        seed_zero_is_none,
        contract=CONTRACT,
        profile="quick",
        signature="(shape, seed)",
        claims=["same-seed-same-weights"],
    )
    result = report["same-seed-same-weights"]
    assert result.verdict is Verdict.FAILS
    assert str(result.evidence.measured).startswith("seed 0 gives other values")
    assert "seed 0 is taken for none" in str(result.evidence.likely)


def orthogonal(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    u, _, vt = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    return np.asarray(u @ vt)


@pytest.mark.long
def test_orthogonal_says_that_the_larger_side_is_normalised_and_that_entries_depend() -> None:
    contract = {"activation": "linear", "layout": "out_in", "distribution": "orthogonal"}
    claims = ["output-variance-near-one", "entries-are-independent"]
    report = initcheck.check(orthogonal, contract=contract, profile="quick", claims=claims)
    assert report["output-variance-near-one"].verdict is Verdict.HOLDS
    assert report["entries-are-independent"].verdict is Verdict.NOT_APPLICABLE
    fan_in = initcheck.check(orthogonal, contract={**contract, "fan": "fan_in"}, profile="quick", claims=claims[:1])
    assert fan_in["output-variance-near-one"].verdict is Verdict.FAILS


def test_a_claim_whose_own_code_breaks_costs_that_claim_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    decide = Checker._decide

    def buggy(self: Checker, initializer: Any, claim: Any) -> Any:
        if claim.id == "zero-mean":
            raise AttributeError("a bug in the claim")
        return decide(self, initializer, claim)

    monkeypatch.setattr(Checker, "_decide", buggy)
    report = initcheck.check(he, contract=CONTRACT, profile="quick", claims=["zero-mean", "finite"])
    assert report["finite"].verdict is Verdict.HOLDS
    assert report["zero-mean"].verdict is Verdict.UNDECIDED
    assert report["zero-mean"].reason == "the claim's own code broke: AttributeError: a bug in the claim"
    assert not report.ok
    with pytest.raises(initcheck.ClaimFailed, match="a bug in the claim"):
        report.raise_for_failures()


def test_what_an_initializer_prints_reaches_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert initcheck.check(prints, contract=CONTRACT, profile="quick", claims=["finite"]).ok
    assert capsys.readouterr().out == ""


def test_where_one_shape_breaks_no_other_claim_says_that_it_holds() -> None:
    report = initcheck.check(
        raises_at_odd, contract=CONTRACT, profile="quick", claims=["accepts-every-shape", "output-variance-near-one"]
    )
    assert report["output-variance-near-one"].verdict is Verdict.NOT_APPLICABLE
    assert "accepts-every-shape" in str(report["output-variance-near-one"].reason)


def test_unknown_claims_and_profiles_name_the_nearest() -> None:
    with pytest.raises(initcheck.UsageError, match="did you mean 'zero-mean'"):
        initcheck.check(he, claims=["zero-men"])
    with pytest.raises(initcheck.UsageError, match="did you mean 'quick'"):
        initcheck.check(he, profile="quik")


@pytest.mark.long
def test_a_report_survives_json() -> None:
    report = initcheck.check(uniform, contract=CONTRACT, profile="quick", claims=["output-variance-near-one"])
    again = initcheck.Report.from_json(report.to_json())
    assert again.results == report.results
    assert again.run == report.run


def off_from_200(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return he(shape, rng) * (1.5 if shape[1] >= 200 else 1.0)


@pytest.mark.long
def test_the_smallest_case_is_found_between_the_widths_of_the_plan() -> None:
    report = initcheck.check(off_from_200, contract=CONTRACT, claims=["output-variance-near-one"])
    assert report["output-variance-near-one"].evidence.shape == (1, 200)
