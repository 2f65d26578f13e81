"""The table of measured power: it says what is found now, names nothing sound, and `explain` reads it out."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from defects import KINDS, SOUND, Defect, every
from measure import TABLE, verdicts

from initcheck.claim import checks, find
from initcheck.explanation import in_words
from initcheck.measured_power import measured_power
from initcheck.verdict import Verdict

LINES: list[dict[str, Any]] = json.loads(TABLE.read_text())["lines"]

# What a kind must be found by, whatever else finds it: the claim whose sentence it contradicts.
RIGHT_CLAIM = {
    "variance above": "output-variance-near-one",
    "variance below": "output-variance-near-one",
    "mean": "zero-mean",
    "fan of a matrix": "output-variance-near-one",
    "fan of a kernel": "output-variance-near-one",
    "copied units": "units-differ",
    "opposite units": "entries-are-independent",
    "correlation": "entries-are-independent",
    "one sign": "zero-mean",
    "sorted": "entries-are-independent",
    "low rank": "entries-are-independent",
    "stale calls": "calls-are-independent",
    "few seeds": "calls-are-independent",
    "outliers": "output-variance-near-one",
    "rounded down": "zero-mean",
    "dtype": "returns-the-dtype-asked",
    "one width": "output-variance-near-one",
    "odd widths": "output-variance-near-one",
}


def smallest(kind: str) -> Defect:
    """The mildest size under a normal law that the right claim found in every run, in the table."""
    lines = [a for a in LINES if (a["kind"], a["law"]) == (kind, "normal")]
    size = next(a["size"] for a in lines if a["by"].get(RIGHT_CLAIM[kind], 0) == a["runs"])
    return Defect(kind, size, "normal")


def test_every_kind_has_its_right_claim_and_the_table_knows_only_what_the_generator_makes() -> None:
    assert set(RIGHT_CLAIM) | {SOUND} == set(KINDS)
    made = {(d.kind, d.size, d.law) for d in every()}
    stored = Counter((a["kind"], a["size"], a["law"]) for a in LINES)
    assert set(stored) <= made
    assert set(stored.values()) == {1}
    assert {(d.kind, d.size) for d in every()} == {(kind, size) for kind, size, law in stored if law == "normal"}
    assert {claim for a in LINES for claim in a["by"]} <= set(checks())


def test_nothing_sound_was_found() -> None:
    sound = [a for a in LINES if a["kind"] == SOUND]
    assert sound
    assert all(a["found"] == 0 for a in sound)


@pytest.mark.parametrize("kind", RIGHT_CLAIM)
def test_the_smallest_defect_of_the_table_is_found_now_by_the_right_claim(kind: str) -> None:
    claim = RIGHT_CLAIM[kind]
    assert verdicts(smallest(kind), 1, "quick", (claim,))[claim] is Verdict.FAILS


@pytest.mark.parametrize("claim", sorted(set(RIGHT_CLAIM.values())))
def test_the_right_claim_finds_nothing_in_sound_weights(claim: str) -> None:
    """The direction of the lines above: the same generator, no defect."""
    assert verdicts(Defect(SOUND, None, "normal"), 1, "quick", (claim,))[claim] is Verdict.HOLDS


@pytest.mark.parametrize("kind", [k for k in RIGHT_CLAIM if KINDS[k].ordered])
def test_a_graver_defect_of_an_ordered_kind_is_found_too(kind: str) -> None:
    lines = [a for a in LINES if (a["kind"], a["law"]) == (kind, "normal")]
    shares = [a["found"] / a["runs"] for a in lines]
    assert shares == sorted(shares)


def test_explain_says_the_smallest_sizes() -> None:
    lines = list(measured_power("zero-mean"))
    mild = smallest("mean").size
    [line] = [a for a in lines if a.startswith(f"a mean of {mild:g} standard deviations: ")]
    assert "normal" in line
    assert line.endswith(" runs)")
    assert f"              {line}" in list(in_words(find("zero-mean")))


def test_explain_says_nothing_of_a_claim_that_found_nothing() -> None:
    assert list(measured_power("owns-its-memory")) == []
    assert not any("smallest defects" in line for line in in_words(find("owns-its-memory")))
