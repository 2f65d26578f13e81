"""Layers that Hypothesis generates beside the plan: what is wrong at few of them is found, kept and tried first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis.database import InMemoryExampleDatabase

import initcheck
from initcheck.claims.generated import MOST_WEIGHTS, lighter_layers
from initcheck.claims.registry import find
from initcheck.contract.contract import Contract
from initcheck.contract.layer import Layer
from initcheck.engine import kept
from initcheck.engine.cases import smallest_failure
from initcheck.engine.checker import Checker, Settings
from initcheck.engine.search import generated_layers
from initcheck.engine.trials.account import Account
from initcheck.engine.trials.judge import Judge
from initcheck.engine.trials.rarity import rarely_not_zero
from initcheck.report.verdict import Verdict
from initcheck.statistics import Decision, Judgement, Ledger
from initcheck.targets.loading import load

CLAIM = "output-variance-near-one"
OUT_IN = Contract(activation="linear", fan="fan_in", layout="out_in")
CALLS: list[tuple[int, int]] = []


def off_where(wrong: Callable[[int, int], bool], factor: float = math.sqrt(2)):
    def off(shape: tuple[int, int], rng: np.random.Generator):
        CALLS.append(shape)
        weights = rng.standard_normal(shape, dtype=np.float32) / np.float32(math.sqrt(shape[1]))
        return weights * np.float32(factor) if wrong(*shape) else weights

    return off


def subject_of(init, contract: Contract = OUT_IN, seed: int = 0, profile: str = "quick"):
    [initializer] = load(init, contract=contract).initializers
    return Checker(Settings(profile=profile, seed=seed)).subject(initializer)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> InMemoryExampleDatabase:
    held = InMemoryExampleDatabase()
    monkeypatch.setattr(kept, "_database", lambda: held)
    return held


def test_no_side_of_a_generated_layer_is_fixed_and_none_is_dear() -> None:
    layers = generated_layers(Account(subject_of(off_where(lambda *_: False))))
    assert len(layers) > 100
    assert len({x.units for x in layers}) > 50
    assert len({x.channels for x in layers}) > 50
    assert any(x.units == 3 * x.channels for x in layers)
    assert max(x.weights for x in layers) <= MOST_WEIGHTS


def test_a_contract_is_kept_by_what_is_generated() -> None:
    conv = Contract(activation="linear", fan="fan_in", layout="oihw", groups=2, widths=(3, 40))
    layers = generated_layers(Account(subject_of(off_where(lambda *_: False), conv)))
    assert layers
    assert all(x.groups == 2 and x.units % 2 == 0 and 3 <= x.units // 2 <= 40 and 3 <= x.channels <= 40 for x in layers)


def test_another_seed_generates_other_layers_and_the_same_seed_the_same() -> None:
    first, again, other = (
        generated_layers(Account(subject_of(off_where(lambda *_: False), seed=s))) for s in (0, 0, 1)
    )
    assert first == again != other


def test_lighter_layers_are_all_there_are() -> None:
    domain = subject_of(off_where(lambda *_: False)).domain
    found = {x.shape for x in lighter_layers(Layer((4, 3), "out_in"), domain)}
    assert found == {(a, b) for a in range(1, 12) for b in range(1, 12) if a * b < 12}


@pytest.mark.long
def test_one_rectangle_in_a_hundred_is_found_and_the_lightest_shown() -> None:
    init = off_where(lambda out, into: (out + into) % 97 == 0)
    [result] = initcheck.check(init, contract=OUT_IN, claims=[CLAIM])
    assert (result.verdict, result.evidence.shape) == (Verdict.FAILS, (1, 96))


@pytest.mark.long
def test_what_failed_is_tried_first_and_leaves_the_same_evidence(database: InMemoryExampleDatabase) -> None:
    init = off_where(lambda out, into: out == 3 * into)
    initializers = load(init, contract=OUT_IN).initializers

    def judged():
        CALLS.clear()
        checker = Checker(Settings(profile="quick", claims=(CLAIM,)))
        for need in find(CLAIM).needs:
            checker.judge(initializers[0], need)
        before = len(CALLS)
        result = checker.judge(initializers[0], CLAIM)
        return result.evidence, CALLS[before]

    (first, began), (second, began_again) = judged(), judged()
    assert first == second
    assert began != (3, 1) == began_again == first.shape


@pytest.mark.long
def test_what_fails_no_more_is_forgotten(database: InMemoryExampleDatabase) -> None:
    wrong = True
    init = off_where(lambda out, into: wrong and out == 3 * into)
    assert initcheck.check(init, contract=OUT_IN, claims=[CLAIM], profile="quick")[CLAIM].verdict is Verdict.FAILS
    key = kept._key(subject_of(init), find(CLAIM))
    assert len(list(database.fetch(key))) == 1
    wrong = False
    assert initcheck.check(init, contract=OUT_IN, claims=[CLAIM], profile="quick")[CLAIM].verdict is Verdict.HOLDS
    assert not list(database.fetch(key))


@pytest.mark.parametrize("shape", [(4, 5), (32, 32)], ids=["beside the plan", "of the plan"])
def test_a_kept_case_that_stays_open_says_nothing_of_this_run(
    shape: tuple[int, int], database: InMemoryExampleDatabase
) -> None:
    """Near the edge an eighth of the budget decides nothing; the rest is asked as if nothing had been kept."""
    init = off_where(lambda *sides: sides == shape, math.sqrt(1.17))
    layer = Layer(shape, "out_in")

    def judged(*, first: bool):
        subject = subject_of(init, profile="default")
        if first:
            kept.keep(subject, find(CLAIM), kept.KeptCase(layer, True, 3, None))
            assert kept.kept_cases(subject, find(CLAIM))
        trial = Judge(subject, Ledger(alpha=1e-6, beta=1e-3, claims=20).claim())
        assert smallest_failure(find(CLAIM), trial) is None
        return trial

    plain, with_kept = judged(first=False), judged(first=True)
    assert (with_kept.undecided, with_kept.notes) == (plain.undecided, plain.notes) == ([], {})
    assert [e.case for e in with_kept.decided] == [e.case for e in plain.decided]


def test_what_cannot_be_read_is_no_case(database: InMemoryExampleDatabase) -> None:
    subject, claim = subject_of(off_where(lambda *_: False)), find(CLAIM)
    for text in (b"", b"[]", b'{"shape": [0, 1], "layout": "out_in", "groups": 1, "confirmations": 0, "shared": null}'):
        database.save(kept._key(subject, claim), text)
    assert kept.kept_cases(subject, claim) == []


def test_the_database_is_that_of_the_profile_of_hypothesis() -> None:
    assert kept._database() is settings().database is None


@pytest.mark.parametrize(("often", "open_for"), [(1e-7, True), (0.5, False)])
def test_zeros_show_no_second_moment_where_weights_are_rarely_anything_else(often: float, open_for: bool) -> None:
    def mostly_zero(shape: tuple[int, int], rng: np.random.Generator):
        return (rng.random(shape) < often).astype(np.float32)

    trial = Judge(subject_of(mostly_zero), Ledger().claim())
    zero = Judgement(Decision.FAILS, 9.0, 1e-9, 0.0, 1, 4_096)
    why = rarely_not_zero(trial, Layer((16, 16), "out_in"), zero, 4_096)
    assert (why is not None) == open_for
    assert rarely_not_zero(trial, Layer((16, 16), "out_in"), replace(zero, measured=0.1), 4_096) is None
