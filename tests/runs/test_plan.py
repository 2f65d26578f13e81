"""What a plan asks: of claims that are named, those of targets and those that need none."""

import pytest

from initcheck import UsageError
from initcheck.claims.theorems import theorems
from initcheck.engine.settings import Settings
from initcheck.runs.plan import Plan

THEOREM, CLAIM = "zero-init-never-learns", "returns-the-shape-asked"


def test_of_theorems_those_that_are_named_are_shown_and_all_where_none_is():
    named = Plan((), Settings(claims=(THEOREM,)), theorems=True)
    assert [t.id for t in named.theorems] == [THEOREM]
    assert [t.id for t in Plan((), Settings(), theorems=True).theorems] == list(theorems())


def test_beside_targets_a_theorem_leaves_the_other_claims_as_they_are_named():
    target = ("initcheck.gallery:he_normal",)
    both = Plan(target, Settings(claims=(THEOREM, CLAIM)), theorems=True)
    assert ([t.id for t in both.theorems], both.checker.claim_ids) == ([THEOREM], (CLAIM,))
    for claims, shown in (((THEOREM,), True), ((THEOREM, CLAIM), False)):
        with pytest.raises(UsageError, match=f"there is no claim '{THEOREM}' to ask of an initializer"):
            Plan(target, Settings(claims=claims), theorems=shown)
