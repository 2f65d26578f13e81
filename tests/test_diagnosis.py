"""Likely causes: the right one first for broken initializers, none for right ones."""

import math

import numpy as np
import pytest
from diagnosis_right import RIGHT
from diagnosis_samplers import (
    DEPTHWISE,
    LINEAR,
    OIHW,
    ORTHOGONAL,
    RELU,
    he,
    normal,
    of,
    repeat_half,
    truncated,
    uniform,
)
from diagnosis_scale import WRONG_SCALE
from diagnosis_structure import WRONG_STRUCTURE

from initcheck.causes import claim_topic
from initcheck.diagnosis import Observed, diagnose
from initcheck.layer import Layer
from initcheck.seed_behaviour import BEHAVIOURS

BROKEN = WRONG_SCALE | WRONG_STRUCTURE


def test_the_table_holds_at_least_70_broken_initializers():
    assert len(BROKEN) >= 70


@pytest.mark.parametrize("name", BROKEN)
def test_the_first_cause_of_a_broken_initializer_is_the_right_one(name):
    draw, contract, claim, sentence, fix = BROKEN[name]
    cause = diagnose(Observed(draw=draw, contract=contract, claim=claim, seed=11))
    assert cause is not None
    assert sentence in cause.sentence
    assert fix in cause.fix
    assert claim_topic(claim) is not None  # a misspelt claim would be given any cause


# Its cause is right for the claim, and not the first when any claim may have failed.
_LATER = {"orthogonal for fan_in"}


@pytest.mark.parametrize("name", [name for index, name in enumerate(BROKEN) if index % 3 == 0])
def test_without_a_claim_the_first_cause_of_any_kind_is_the_same(name):
    draw, contract, _, sentence, _ = BROKEN[name]
    cause = diagnose(Observed(draw=draw, contract=contract, seed=23))
    assert cause is not None
    assert (sentence in cause.sentence) == (name not in _LATER)


def test_the_table_holds_at_least_30_right_initializers():
    assert len(RIGHT) >= 30


@pytest.mark.parametrize("seed", [100, 20_000])
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_initializer_is_given_no_cause(name, seed):
    draw, contract = RIGHT[name]
    assert diagnose(Observed(draw=draw, contract=contract, seed=seed)) is None


def test_a_small_deviation_is_a_cause_only_of_a_claim_that_was_shown_to_fail():
    draw = truncated(lambda s: (2 / s[1]) ** 0.5, 2.5)  # 0.91 of the variance
    assert diagnose(Observed(draw=draw, contract=RELU)) is None
    proven = diagnose(Observed(draw=draw, contract=RELU, claim="signal-survives-depth"))
    assert proven is not None
    assert "truncated at 2.5 sigma, without correction" in proven.sentence


def test_a_cause_of_another_kind_is_not_said_of_a_claim():
    default = uniform(lambda s: s[1] ** -0.5)
    for claim in ("zero-mean", "entries-are-independent", "units-differ", "calls-are-independent"):
        assert diagnose(Observed(draw=default, contract=LINEAR, claim=claim)) is None


def test_of_two_causes_only_the_first_that_explains_the_claim_is_said():
    draw = of(repeat_half, std=lambda s: 0.02)
    by_claim = {
        claim: diagnose(Observed(draw=draw, contract=LINEAR, claim=claim)).sentence
        for claim in ("units-differ", "variance-follows-one-law")
    }
    assert "units are copies" in by_claim["units-differ"]
    assert "the std is 0.02 at every width" in by_claim["variance-follows-one-law"]


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_what_the_engine_saw_of_the_seeds_is_said_first(name):
    cause = diagnose(Observed(draw=normal(he), contract=RELU, behaviours={name}))
    assert cause == BEHAVIOURS[name]


def test_behaviours_explain_no_claim_about_the_scale():
    seen = Observed(draw=normal(he), contract=RELU, claim="output-variance-near-one", behaviours={"state"})
    assert diagnose(seen) is None


def test_the_failing_layer_tells_in_which_layout_to_look():
    draw = normal(lambda s: 2 / s[1])  # right for a matrix, and forgets the positions of a kernel
    conv = Layer((8, 4, 3, 3), "oihw")
    cause = diagnose(Observed(draw=draw, contract=RELU, claim="output-variance-near-one", layer=conv))
    assert cause is not None
    assert "the kernel's positions are not counted" in cause.sentence
    dense = Layer((8, 4), "out_in")
    assert diagnose(Observed(draw=draw, contract=RELU, claim="output-variance-near-one", layer=dense)) is None


def raises(s, seed):
    raise RuntimeError("no")


@pytest.mark.parametrize(
    "draw",
    [raises, lambda s, seed: np.full(s, np.nan), lambda s, seed: None, lambda s, seed: np.zeros(2)],
    ids=["raises", "nan", "nothing", "another shape"],
)
@pytest.mark.parametrize(
    "contract", [RELU, OIHW, DEPTHWISE, ORTHOGONAL], ids=["dense", "kernel", "depthwise", "orthogonal"]
)
def test_nothing_an_initializer_does_makes_diagnosis_raise(draw, contract):
    assert diagnose(Observed(draw=draw, contract=contract)) is None


def test_at_most_300_000_weights_are_drawn():
    for contract in (RELU, OIHW, DEPTHWISE):
        drawn = []

        def draw(s, seed, drawn=drawn):
            drawn.append(math.prod(s))
            return normal(he)(s, seed)

        diagnose(Observed(draw=draw, contract=contract))
        assert sum(drawn) <= 300_000


def test_every_topic_of_a_cause_is_a_topic_of_some_claim():
    for cause in BEHAVIOURS.values():
        assert cause.topics <= {"randomness", "memory", "globals"}
    assert claim_topic("no-such-claim") is None
    assert claim_topic(None) is None
