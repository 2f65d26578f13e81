"""Every run asks a property of every layer of its plan, whatever else the property draws."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcheck.claims.strategies import layers, walked
from initcheck.engine.cases import smallest_failure
from initcheck.engine.checker import Checker, Settings
from initcheck.engine.trial import Trial
from initcheck.targets.loading import load


@pytest.fixture
def trial():
    checker = Checker(Settings(profile="quick"))
    subject = checker.subject(load("initcheck.gallery:he_normal").initializers[0])
    return Trial(subject, checker.ledger.claim())


@pytest.mark.parametrize(
    "strategies",
    [
        {"layer": layers()},
        {"layer": layers(every=True)},
        {"layer": layers().map(lambda layer: layer)},
        {"layer": layers(), "once": st.just(1)},
    ],
    ids=["plan", "every", "derived", "more"],
)
def test_every_layer_is_asked(trial, strategies):
    asked = []

    @given(**strategies)
    def prop(trial, layer, once=1):
        asked.append(layer)

    assert smallest_failure(SimpleNamespace(prop=prop, sweep="none", unasked=None), trial) is None
    domain = trial.subject.domain
    more = domain.exact if walked(strategies["layer"]) == "every" else ()
    assert len(asked) == len(set(asked))
    assert set(asked) == {*domain.plan, *more}


@pytest.mark.parametrize("strategy", [layers(), layers().map(lambda layer: layer)], ids=["plan", "derived"])
def test_the_smallest_failing_layer_is_found_either_way(trial, strategy):
    @given(layer=strategy)
    def prop(trial, layer):
        if layer.inputs >= 33:
            trial.fail(layer, measured="wide")

    assert smallest_failure(SimpleNamespace(prop=prop, sweep="none", unasked=None), trial).evidence.shape == (1, 33)
