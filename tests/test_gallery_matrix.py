"""The gallery x the claims: each mistake is caught by the right claim, and nothing correct is blamed."""

from __future__ import annotations

import pytest

from initcheck.checking import Checker, Settings
from initcheck.gallery import SPECIMENS
from initcheck.gallery.specimen import Specimen
from initcheck.targets import load
from initcheck.verdict import Verdict

# Seen only where the plan is wider than that of a quick run.
NEEDS_DEFAULT_PROFILE = ("fan_in_one_byte",)


@pytest.fixture(scope="module")
def checkers() -> dict[str, Checker]:
    return {name: Checker(Settings(profile=name)) for name in ("quick", "default")}


@pytest.mark.parametrize("specimen", SPECIMENS, ids=str)
def test_every_specimen_gets_the_verdicts_of_mathematics(specimen: Specimen, checkers: dict[str, Checker]) -> None:
    checker = checkers["default" if specimen.name in NEEDS_DEFAULT_PROFILE else "quick"]
    [initializer] = load(f"initcheck.gallery:{specimen.name}").initializers
    results = {claim: checker.judge(initializer, claim) for claim in checker.claim_ids}
    fails = {claim for claim, result in results.items() if result.verdict is Verdict.FAILS}
    assert set(specimen.fails) <= fails, f"not caught: {set(specimen.fails) - fails}"
    blamed = fails - set(specimen.fails) - set(specimen.may_fail)
    assert not blamed, {claim: results[claim].evidence.measured for claim in blamed}
    if specimen.correct:
        undecided = {c: r.reason for c, r in results.items() if r.verdict is Verdict.UNDECIDED}
        assert not undecided


def test_a_correct_initializer_held_to_another_contract_fails(checkers: dict[str, Checker]) -> None:
    # The matrix could pass by looking at nothing: the same code under a false promise must fail.
    [initializer] = load("initcheck.gallery:lecun_normal", contract="activation=relu,fan=fan_in,layout=out_in").initializers
    assert checkers["quick"].judge(initializer, "output-variance-near-one").verdict is Verdict.FAILS
