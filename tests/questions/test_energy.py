"""Depth: what is asked where a gain is declared alone, and where no gain of the activation can serve."""

import numpy as np
import pytest

import initcheck
from initcheck import Verdict
from initcheck.draws.chains import ideal_ratios
from initcheck.networks import activation

DEPTH = ["signal-survives-depth", "gradient-survives-depth"]


def normal(gain):
    def draw(shape, rng):
        return rng.normal(0, gain / np.sqrt(shape[1]), shape)

    return draw


def verdicts(gain, contract):
    report = initcheck.check(normal(gain), contract={"layout": "out_in", **contract}, profile="quick", claims=DEPTH)
    return {claim: (report[claim].verdict, report[claim].reason or "") for claim in DEPTH}


@pytest.mark.long
def test_a_gain_alone_says_nothing_of_what_lies_between_the_layers():
    for verdict, reason in verdicts(2**0.5, {"gain": 2**0.5}).values():
        assert verdict is Verdict.NOT_APPLICABLE
        assert reason.startswith("a gain is declared and no activation")
    for verdict, _ in verdicts(2**0.5, {"gain": 2**0.5, "activation": "relu"}).values():
        assert verdict is Verdict.HOLDS


@pytest.mark.long
def test_silu_at_its_ideal_gain_is_not_blamed_for_what_no_gain_can_keep():
    found = verdicts(activation("silu").gain, {"activation": "silu"})
    verdict, reason = found["gradient-survives-depth"]
    assert verdict is Verdict.NOT_APPLICABLE
    assert reason.startswith("no gain of silu keeps a gradient through 20 layers")


@pytest.mark.long
@pytest.mark.parametrize("name", ["silu", "gelu", "relu"])
def test_half_the_ideal_gain_is_blamed_all_the_same(name):
    found = verdicts(activation(name).gain / 2, {"activation": name})
    assert all(verdict is Verdict.FAILS for verdict, _ in found.values())


def test_normal_weights_of_the_ideal_gain_keep_homogeneous_activations():
    for name in ("linear", "relu"):
        assert np.abs(ideal_ratios(activation(name), 64, 20)).max() < 0.3
    assert min(ideal_ratios(activation("silu"), 64, 20)) > 0.7
