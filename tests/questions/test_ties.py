"""Ties: counted over all calls, confirmed where they are frequent, never forgotten, and their excluded rate said."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.questions.ties import _rare
from initcheck.report.verdict import Verdict
from initcheck.statistics import Decision, Ledger

CONTRACT = {"activation": "linear", "fan": "fan_in", "layout": "out_in"}


def tied_once_in(calls: int) -> Callable[..., Any]:
    def tied(shape: tuple[int, int], rng: np.random.Generator) -> Any:
        w = (rng.standard_normal(shape) / np.sqrt(shape[1])).astype(np.float32)
        if shape[0] >= 2 and rng.random() < 1 / calls:
            w[1] = w[0]
        return w

    tied.__initcheck__ = CONTRACT  # type: ignore[attr-defined]
    return tied


def counted(ties: Callable[[str], list[bool]], calls: int = 7_598, most: int = 4_000) -> Any:
    trial: Any = SimpleNamespace(beta=1e-3, ledger=Ledger(claims=34).claim())
    return _rare(trial, lambda stream, count: iter([np.array(ties(stream)[:count])]), calls=calls, most=most)


@pytest.mark.long
def test_a_unit_copied_in_one_call_of_fifty_fails() -> None:
    result = initcheck.check(tied_once_in(50), claims=["units-differ"], profile="quick")["units-differ"]
    assert result.verdict is Verdict.FAILS
    assert result.evidence.measured.startswith("unit 1 equals unit 0, in ")
    assert result.evidence.allowed == "at most 1 in 1,000 draws"


def test_units_that_never_tie_hold_and_the_rate_is_said() -> None:
    result = initcheck.check(tied_once_in(10**9), claims=["units-differ"], profile="quick")["units-differ"]
    assert result.verdict is Verdict.HOLDS
    [note] = [note for note in result.notes if note.startswith("a tie in more than 1 draw in ")]
    assert int(note.split()[8].replace(",", "")) >= 100
    assert note.endswith("no layer of more than 256 units was looked at")


@pytest.mark.long
def test_copies_far_down_a_wide_layer_are_glanced_at_and_shown_at_the_narrowest() -> None:
    def copied(shape: tuple[int, int], rng: np.random.Generator) -> Any:
        block = rng.standard_normal((min(shape[0], 200), shape[1])) / np.sqrt(shape[1])
        return block[np.arange(shape[0]) % 200].astype(np.float32)

    copied.__initcheck__ = CONTRACT  # type: ignore[attr-defined]
    result = initcheck.check(copied, claims=["units-differ"], profile="quick")["units-differ"]
    assert (result.verdict, result.evidence.shape) == (Verdict.FAILS, (201, 64))


def test_equal_units_that_only_their_outgoing_weights_tell_apart_are_left_open() -> None:
    claim = "gradients-tell-units-apart"
    result = initcheck.check(tied_once_in(20), claims=[claim], profile="quick")[claim]
    assert result.verdict is Verdict.UNDECIDED
    assert "their outgoing weights alone tell them apart" in str(result.reason)


def draws(rate: float, seed: int, calls: int) -> Callable[[str], list[bool]]:
    def of(stream: str) -> list[bool]:
        rng = np.random.default_rng([seed, len(stream)])
        return (rng.random(calls) < rate).tolist()

    return of


@pytest.mark.parametrize(("rate", "decision"), [(0.01, Decision.FAILS), (1.0, Decision.FAILS), (0.0, Decision.HOLDS)])
def test_what_is_frequent_fails_and_what_never_happens_holds(rate: float, decision: Decision) -> None:
    count = counted(draws(rate, 1, 7_598))
    assert count.decision is decision
    assert (count.rate <= 1e-3) == (decision is Decision.HOLDS)


def test_one_event_that_was_seen_is_not_forgotten() -> None:
    def once(stream: str) -> list[bool]:
        return [False] * 200 + [stream == "screen"] + [False] * 99

    count = counted(once, calls=300, most=300)
    assert (count.decision, count.events, count.calls) == (Decision.UNDECIDED, 1, 600)
    assert count.rate > 0.01


def test_no_rate_of_one_in_a_thousand_or_more_is_said_to_be_excluded_beyond_beta() -> None:
    """At the edge: an event in exactly 1 of 1,000 calls; FAILS at alpha, HOLDS at beta = 0.001 at most."""
    wrong = sum(counted(draws(1e-3, seed, 11_598)).decision is not Decision.UNDECIDED for seed in range(300))
    assert wrong <= 3
