"""The matrix model x claim: what is expected of every model of the zoo, and the words of the failures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from model_zoo import (
    ABSURD,
    BROKEN,
    CHANCE,
    CORRECT,
    DECLARED,
    DISTINCT,
    LAW,
    REBUILD,
    SIGNAL,
    WITH_LAWS,
    WRITTEN,
    scaling_bypassed,
)
from torch import nn

from initcheck.doors.check_model import check_model
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

# Claims that a correct model may leave open: nothing of torch drew these weights, so few models show nothing.
# The encoder draws query, key and value in one matrix by a line of its own.
_OPEN = {"numpy_network": {LAW}, "encoder": {"declared-laws-are-in-force"}}


def _failing(report: Report) -> set[str]:
    return {r.claim for r in report.failures}


def _said(report: Report, claim: str) -> str:
    evidence = report[claim].evidence
    return "\n".join([evidence.case or "", *evidence.detail])


def test_the_zoo_holds_at_least_thirty_models() -> None:
    assert len(CORRECT) >= 15
    assert len(BROKEN) >= 20


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_model_is_never_blamed(name: str, seed: int) -> None:
    report = check_model(CORRECT[name], seed=seed)
    assert _failing(report) == set(), [(r.claim, r.evidence.case) for r in report.failures]
    left = {r.claim for r in report if r.verdict is Verdict.UNDECIDED}
    assert left <= _OPEN.get(name, set()) | {SIGNAL, "gradient-survives-the-blocks"}
    assert report[WRITTEN].verdict is report[REBUILD].verdict is report[DISTINCT].verdict is Verdict.HOLDS


@pytest.mark.long
@pytest.mark.parametrize("factory", BROKEN, ids=lambda f: f.__name__)
def test_a_broken_model_fails_exactly_the_claims_that_say_so(factory: Callable[[], nn.Module]) -> None:
    report = check_model(factory)
    assert _failing(report) == BROKEN[factory], [(r.claim, r.evidence.case) for r in report.failures]


@pytest.mark.long
@pytest.mark.parametrize("name", WITH_LAWS)
def test_declared_laws_are_held_against_every_tensor_they_name(name: str) -> None:
    factory, laws, expected = WITH_LAWS[name]
    report = check_model(factory, laws=laws)
    assert _failing(report) == expected
    if not expected:
        assert report[DECLARED].verdict is Verdict.HOLDS


def test_a_scaling_bypassed_by_a_name_is_undecided_and_names_the_line() -> None:
    result = check_model(scaling_bypassed)[DECLARED]
    assert result.verdict is Verdict.UNDECIDED
    assert result.reason is not None
    assert "model_zoo_parts.py:" in result.reason
    assert "name.endswith(str(scaled))" in result.reason


WORDS: dict[str, tuple[str, str]] = {
    "never_written": (WRITTEN, "h.2.mlp.c_fc.weight: 4,096 of 4,096 entries never written"),
    "rows_never_written": (WRITTEN, "wte.weight: 96 of 2,240 entries never written, the first at [67, 0]"),
    "scaled_garbage": (WRITTEN, "2.bias: its values depend on unwritten memory"),
    "buffer_never_written": (WRITTEN, "scale: 32 of 32 entries never written"),
    "one_state_for_two_shapes": (DISTINCT, "0.weight, 2.weight: 2 draws began at one state of the generator"),
    "unseeded": (REBUILD, "0.weight: other bits at the same seed"),
    "seed_inside": (REBUILD, "0.weight: the same bits at another seed"),
    "deep_copies": (DISTINCT, "0.attn.c_attn.weight, 1.attn.c_attn.weight"),
    "scaled_copy": (DISTINCT, "2.weight, 4.weight are copies up to scale and shift"),
    "equal_rows": (LAW, "4.weight: drawn as normal std 0.25 with row 5 normal std 0.25, its 5 siblings as normal"),
    "lora_both_zero": (DISTINCT, "0.lora_A: constant, and its gradient is zero"),
    "constant_layers": (DISTINCT, "2.weight: constant, and its gradient is the same for all its"),
    "one_layer_off": (LAW, "h.3.mlp.c_fc.weight: drawn as normal std 0.04, its 5 siblings as normal std 0.02"),
    "outlier": (LAW, "h.3.mlp.c_fc.weight: drawn as normal std 0.02 with entry [7, 3] constant 5, its 5 siblings"),
    "numpy_one_layer_off": (LAW, "8.weight: standard deviation"),
    "initialised_twice": (REBUILD, "body.10.weight: root mean square moves x0.5"),
    "bfloat16_cut": (
        REBUILD,
        "entries lie outside the law they were drawn from (normal std 0.125), the farthest at -2 (16 standard",
    ),
    "overconfident_head": (CHANCE, "loss over ln(67) is"),
    "exploding": (SIGNAL, "further models agree"),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failure_is_the_smallest_statement_of_what_is_wrong(name: str) -> None:
    claim, words = WORDS[name]
    factory = next(f for f in BROKEN if f.__name__ == name)
    said = _said(check_model(factory, claims=[claim]), claim)
    assert words in said


def test_what_rounds_in_bfloat16_alone_is_said_once_and_leaves_the_other_claims_to_be_judged() -> None:
    factory = next(f for f in BROKEN if f.__name__ == "bfloat16_cut")
    report = check_model(factory)
    assert [r.claim for r in report if r.verdict is Verdict.FAILS] == [REBUILD]
    assert report[ABSURD].verdict is report[LAW].verdict is report[DISTINCT].verdict is Verdict.HOLDS
    assert "in bfloat16" in str(report[REBUILD].evidence.likely)
    assert "draw in float32 and cast" in str(report[REBUILD].evidence.fix)


def test_a_failure_of_the_law_names_the_line_that_drew_it() -> None:
    factory = next(f for f in BROKEN if f.__name__ == "one_layer_off")
    assert "model_zoo.py:" in _said(check_model(factory, claims=[LAW]), LAW)
