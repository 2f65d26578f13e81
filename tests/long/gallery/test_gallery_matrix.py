"""The gallery x the claims: each mistake is caught by the right claim, and nothing correct is blamed."""

from __future__ import annotations

import pytest

from initcheck.engine.checker import Checker, Settings
from initcheck.gallery import SPECIMENS
from initcheck.gallery.specimen import Specimen
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load

CORRECT = [s for s in SPECIMENS if s.correct and "orthogonal" not in s.name]  # QR by the thousand is slow

# One mistake a family; each must fail all the claims it is exhibited for, and no claim that is true of it.
MISTAKES = [s for s in SPECIMENS if s.name in (
    "one_sided_uniform", "sorted_rows", "missing_square_root", "swapped_fans", "seed_ignored", "cached_by_shape",
    "few_seeds", "uniform_one_over_sqrt_fan", "lecun_for_relu", "antisymmetric_units", "symmetric", "transposed_shape",
    "orthogonal_without_signs", "unit_vectors_called_orthogonal",
    "truncation_that_never_cuts", "uniform_called_normal", "signs_with_zeros",
    "half_precision_from_seven_bits", "half_precision_overflows",
)]  # fmt: skip


@pytest.fixture(scope="module")
def checkers() -> dict[str, Checker]:
    return {name: Checker(Settings(profile=name)) for name in ("quick",)}


@pytest.mark.parametrize("specimen", CORRECT + MISTAKES, ids=str)
def test_every_specimen_gets_the_verdicts_of_mathematics(specimen: Specimen, checkers: dict[str, Checker]) -> None:
    checker = checkers["quick"]
    [initializer] = load(f"initcheck.gallery:{specimen.name}").initializers
    results = {claim: checker.judge(initializer, claim) for claim in checker.claim_ids}
    fails = {claim for claim, result in results.items() if result.verdict is Verdict.FAILS}
    assert set(specimen.fails) <= fails, f"not caught: {set(specimen.fails) - fails}"
    blamed = fails - set(specimen.fails) - set(specimen.may_fail)
    assert not blamed, {claim: results[claim].evidence.measured for claim in blamed}
    if specimen.correct:
        undecided = {c: r.reason for c, r in results.items() if r.verdict is Verdict.UNDECIDED}
        assert not undecided


@pytest.mark.parametrize(("name", "verdict"), [("half_precision_from_seven_bits", "FAILS"), ("he_half", "HOLDS")])
def test_a_mean_that_few_bits_have_is_found_at_large_layers_too(name: str, verdict: str) -> None:
    checker = Checker(Settings(profile="default"))
    [initializer] = load(f"initcheck.gallery:{name}").initializers
    assert checker.judge(initializer, "survives-its-precision").verdict.value == verdict


WHERE_PROMISED = {
    "orthogonal-to-rounding": ("orthogonal", "unit_vectors_called_orthogonal"),
    "haar-distributed": ("orthogonal", "orthogonal_without_signs"),
    "singular-values-survive-depth": ("orthogonal", "unit_vectors_called_orthogonal"),
    "survives-its-precision": ("he_half", "half_precision_from_seven_bits"),
    "follows-its-distribution": ("he_truncated", "truncation_that_never_cuts"),
}


@pytest.mark.parametrize("claim", WHERE_PROMISED)
def test_what_only_some_promise_is_held_by_a_correct_one_and_failed_by_a_mistake(claim: str) -> None:
    # Most initializers promise none of it: the matrix above would pass if the claim were never asked.
    checker = Checker(Settings(profile="quick", claims=(claim,)))
    verdicts = []
    for name in WHERE_PROMISED[claim]:
        [initializer] = load(f"initcheck.gallery:{name}").initializers
        verdicts.append(checker.judge(initializer, claim).verdict)
    assert verdicts == [Verdict.HOLDS, Verdict.FAILS]


def test_a_correct_initializer_held_to_another_contract_fails() -> None:
    # The matrix could pass by looking at nothing: the same code under a false promise must fail.
    contract = "activation=relu,fan=fan_in,layout=out_in"
    [initializer] = load("initcheck.gallery:lecun_normal", contract=contract).initializers
    checker = Checker(Settings(profile="quick"))  # a checker keeps one verdict a name
    assert checker.judge(initializer, "output-variance-near-one").verdict is Verdict.FAILS
