"""Nothing correct is blamed: a small sample of the count, at other seeds, and the counts that are stored."""

from __future__ import annotations

import json

import pytest
from false_alarms import COUNTS, EVERYDAY, SUBJECTS, at_most, judged, name_of, summary

from initcheck.engine.checker import Checker, Settings
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load

# The gallery has a test of its own (test_gallery_matrix.py), and what compiles its shapes takes too long here.
SAMPLE = [("everyday", target) for target in SUBJECTS["everyday"][0]]
SAMPLE += [("torch", target) for target in SUBJECTS["torch"][0][::4]]
SEED = 90_000_000


@pytest.mark.parametrize(("library", "target"), SAMPLE, ids=[name_of(target) for _, target in SAMPLE])
def test_a_correct_initializer_is_shown_to_be_correct(library: str, target: str) -> None:
    run = judged(library, target, SEED + SAMPLE.index((library, target)))
    assert run["not shown"] == []
    assert run["verdicts"]["HOLDS"] >= 15


@pytest.mark.parametrize("name", ["he_from_shape", "init_weights"])
def test_the_same_code_under_a_promise_that_it_does_not_keep_fails(name: str) -> None:
    """The direction: gains that differ by sqrt(2), and fans that agree on squares alone."""
    false = {"he_from_shape": "activation=linear,fan=fan_in", "init_weights": "activation=linear,fan=fan_in"}[name]
    [initializer] = load(f"{EVERYDAY}:{name}", contract=f"{false},layout=out_in").initializers
    claim = "output-variance-near-one"
    assert Checker(Settings(profile="quick", claims=(claim,))).judge(initializer, claim).verdict is Verdict.FAILS


def test_a_run_that_blames_is_counted() -> None:
    run = {"library": "torch", "initializer": "a", "verdicts": {"FAILS": 1, "HOLDS": 20}}
    counts = summary([run, {**run, "verdicts": {"HOLDS": 20, "UNDECIDED": 1}}])["all"]
    assert (counts["runs"], counts["runs with a FAILS"], counts["runs with an UNDECIDED"]) == (2, 1, 1)
    assert counts["verdicts"] == {"FAILS": 1, "HOLDS": 40, "UNDECIDED": 1}


def test_bounds_are_exact() -> None:
    assert at_most(0, 299) == pytest.approx(0.01, rel=0.02)  # 0.99^299 = 0.05
    assert at_most(3, 3) == 1.0


def test_the_stored_counts_hold_no_false_alarm() -> None:
    stored = json.loads(COUNTS.read_text())
    of_rates = [said for name, said in stored.items() if name.startswith("alpha")]
    for counts in of_rates:
        assert counts["all"]["runs"] == sum(counts[library]["runs"] for library in SUBJECTS if library in counts) > 50
        assert counts["all"]["runs with a FAILS"] == 0
    assert stored["both"]["all"]["runs"] == sum(counts["all"]["runs"] for counts in of_rates)
