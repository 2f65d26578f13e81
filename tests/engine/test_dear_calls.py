"""Initializers whose calls run much Python: as many calls as a verdict needs, and the same verdicts."""

from __future__ import annotations

import numpy as np
import pytest

import initcheck
from initcheck.contract.profile import profile
from initcheck.engine.subject import InitializerSubject
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load

CONTRACT = {"activation": "relu", "fan": "fan_in", "layout": "out_in", "distribution": "normal"}
DRAWN = {"calls": 0, "weights": 0}


def drawn(shape, rng, std):
    DRAWN["calls"] += 1
    DRAWN["weights"] += int(np.prod(shape))
    checked = 0
    for number in range(600):
        checked += number % 7
    return rng.normal(0, std, shape) + 0 * checked


def he(shape, rng):
    return drawn(shape, rng, np.sqrt(2 / shape[1]))


def forgets_the_two(shape, rng):
    return drawn(shape, rng, np.sqrt(1 / shape[1]))


def explodes(shape, rng):
    return drawn(shape, rng, np.sqrt(6 / shape[1]))


def ties_its_units(shape, rng):
    weights = drawn(shape, rng, np.sqrt(2 / shape[1]))
    weights[-1] = weights[0]
    return weights


def rarely_huge(shape, rng):
    """Nine tenths of its second moment lie in one weight of 4,000, which few small calls show."""
    weights = drawn(shape, rng, np.sqrt(0.2 / shape[1]))
    return np.where(rng.random(shape) < 1 / 4_000, np.sign(weights) * np.sqrt(1.8 * 4_000 / shape[1]), weights)


def verdicts(function, **options):
    report = initcheck.check(function, contract=CONTRACT, **options)
    return {r.claim: r for r in report}


def test_a_sound_one_holds_in_a_fifth_of_the_calls_and_says_what_was_left_out():
    DRAWN.update(calls=0, weights=0)
    found = verdicts(he)
    assert not [r.claim for r in found.values() if r.verdict in (Verdict.FAILS, Verdict.UNDECIDED)]
    asked = (
        "output-variance-near-one",
        "zero-mean",
        "follows-its-distribution",
        "units-differ",
        "signal-survives-depth",
    )
    assert {found[claim].verdict for claim in asked} == {Verdict.HOLDS}
    assert DRAWN["calls"] < 22_000
    assert DRAWN["weights"] < 12_000_000
    [note] = [n for n in found["output-variance-near-one"].notes if "instructions of Python" in n]
    assert "no other width was glanced at" in note


@pytest.mark.parametrize(
    ("broken", "claim"),
    [
        (forgets_the_two, "output-variance-near-one"),
        (explodes, "output-variance-near-one"),
        (ties_its_units, "units-differ"),
    ],
    ids=lambda x: getattr(x, "__name__", x),
)
def test_a_broken_one_fails(broken, claim):
    DRAWN.update(calls=0, weights=0)
    found = verdicts(broken, profile="quick", claims=(claim,))
    assert found[claim].verdict is Verdict.FAILS
    assert DRAWN["calls"] < 40_000


def test_what_rare_weights_carry_is_not_called_too_small_where_few_calls_are_affordable():
    found = verdicts(rarely_huge, profile="quick", claims=("output-variance-near-one",))
    assert found["output-variance-near-one"].verdict is not Verdict.FAILS


def test_a_plain_one_is_asked_as_ever():
    def plain(shape, rng):
        return rng.normal(0, np.sqrt(2 / shape[1]), shape)

    [initializer] = load(plain).initializers
    subject = InitializerSubject(initializer, profile("quick"), 0)
    assert (subject.why_dear, subject.dear_calls, subject.profile) == (None, False, profile("quick"))
    assert subject.domain.sweep


@pytest.mark.parametrize("counts", [pytest.param(True, marks=pytest.mark.long), False])
def test_calls_of_jax_are_dear_where_they_must_be_made_one_by_one(counts):
    jax = pytest.importorskip("jax")
    calls = []

    def he_of_a_key(key, shape, dtype="float32"):
        return jax.random.normal(key, shape, dtype) * np.sqrt(2 / shape[0])

    def counted(key, shape, dtype="float32"):
        calls.append(shape)
        return he_of_a_key(jax.random.fold_in(key, len(calls)), shape, dtype)

    [initializer] = load(counted if counts else he_of_a_key).initializers
    assert (InitializerSubject(initializer, profile("quick"), 0).why_dear is not None) == counts
