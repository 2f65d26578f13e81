"""Every run asks a property of every layer of its plan, whatever else the property draws."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcheck.claims.strategies import SELECTIONS, layers
from initcheck.engine.cases import smallest_failure
from initcheck.engine.checker import Checker, Settings
from initcheck.engine.trials.judge import Judge
from initcheck.targets.loading import load


@pytest.fixture
def trial():
    checker = Checker(Settings(profile="quick"))
    subject = checker.subject(load("initcheck.gallery:he_normal").initializers[0])
    return Judge(subject, checker.ledger.claim())


def stated(prop):
    return SimpleNamespace(id="a-claim", prop=prop, sweep="none", unasked=None, topic=None)


@pytest.mark.parametrize(
    "strategies",
    [
        {"layer": layers()},
        {"layer": layers(of="small")},
        {"layer": layers().map(lambda layer: layer)},
        {"layer": layers(), "once": st.just(1)},
    ],
    ids=["plan", "small", "derived", "more"],
)
def test_every_layer_is_asked(trial, strategies):
    asked = []

    @given(**strategies)
    def prop(trial, layer, once=1):
        asked.append(layer)

    assert smallest_failure(stated(prop), trial) is None
    domain = trial.subject.domain
    more = domain.exact if repr(strategies["layer"]) == "layers(of='small')" else ()
    assert len(asked) == len(set(asked))
    assert set(asked) == {*domain.plan, *more}


@pytest.mark.parametrize("strategy", [layers(), layers().map(lambda layer: layer)], ids=["plan", "derived"])
def test_the_smallest_failing_layer_is_found_either_way(trial, strategy):
    @given(layer=strategy)
    def prop(trial, layer):
        if layer.inputs >= 33:
            trial.fail(layer, measured="wide")

    assert smallest_failure(stated(prop), trial).evidence.shape == (1, 33)


@pytest.mark.parametrize("of", sorted(SELECTIONS))
def test_a_selection_is_asked_and_nothing_beside_it(trial, of):
    asked = []

    @given(layer=layers(of=of))
    def prop(trial, layer):
        asked.append(layer)
        trial.holds(layer)

    claim = stated(prop)
    assert smallest_failure(claim, trial) is None
    assert asked == list(SELECTIONS[of][0](trial.subject, claim))
    assert asked


def test_a_failure_of_a_selected_layer_is_not_sought_among_others(trial):
    @given(layer=layers(of="square"))
    def prop(trial, layer):
        trial.fail(layer, measured="never right")

    assert smallest_failure(stated(prop), trial).evidence.shape == trial.subject.domain.square.shape


@pytest.mark.parametrize("more", [{}, {"once": st.just(1)}], ids=["alone", "more"])
def test_where_nothing_is_selected_the_reason_is_said(trial, more):
    trial.subject.__dict__["domain"] = dataclasses.replace(trial.subject.domain, square=None)

    @given(layer=layers(of="square"), **more)
    def prop(trial, layer, once=1):
        raise AssertionError("asked of nothing")

    assert smallest_failure(stated(prop), trial) is None
    assert trial.not_asked == {"asked of one square layer, as wide as the profile allows": 1}


def test_a_selection_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"layers\(of='squares'\): there is no such selection; .*'square'"):
        layers(of="squares")


def test_smaller_cases_are_worth_an_eighth_of_the_budget(trial):
    thrift = {}

    @given(layer=layers())
    def prop(trial, layer):
        thrift[layer] = trial.thrift
        if layer.inputs >= 33:
            trial.fail(layer, measured="wide")

    smallest_failure(stated(prop), trial)
    assert {thrift[layer] for layer in trial.subject.domain.plan if layer in thrift} == {1}
    assert {t for layer, t in thrift.items() if layer not in trial.subject.domain.plan} == {8}
