"""Every theorem and myth holds, and every dropped hypothesis breaks it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from initcheck.claims.statement import Claim
from initcheck.claims.theorems import theorems

CLAIMS = theorems()
NEGATIONS = {f"{c.id}-{n.__name__}": n for c in CLAIMS.values() for n in c.negations}


@pytest.mark.long
@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_it_holds(claim: Claim) -> None:
    claim.prop()


@pytest.mark.parametrize("negation", NEGATIONS.values(), ids=NEGATIONS)
def test_dropping_a_hypothesis_breaks_it(negation: Callable[[], Any]) -> None:
    negation()


def test_all_of_the_catalogue_is_there() -> None:
    assert {c.id for c in CLAIMS.values() if c.family.startswith("theorems_")} == {
        "a-normal-is-not-bounded-by-one-over-sqrt-d",
        "an-off-centre-mean-grows-with-width-and-depth",
        "constant-init-trains-as-width-one",
        "equal-units-get-equal-gradients",
        "gradients-are-proportional-to-the-weights",
        "output-variance-grows-with-d",
        "small-different-numbers-break-symmetry",
        "smaller-is-not-better",
        "zero-init-never-learns",
    }


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_it_can_be_checked_by_a_reader(claim: Claim) -> None:
    assert claim.negations, "a theorem whose hypotheses may be dropped says nothing"
    assert len(claim.says) <= 110
    assert re.search(r"\d{4}|equal-units", claim.source), "a source has a year, or is another claim"
    assert len(claim.prop.__doc__ or "") > 300, "statement, hypotheses and proof stand in the docstring"
    assert all(n.__doc__ for n in claim.negations)
