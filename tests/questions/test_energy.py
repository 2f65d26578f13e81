"""Depth: what is asked where a gain is declared alone, and where no gain of the activation can serve."""

import numpy as np
import pytest

import initcheck
from initcheck import Verdict
from initcheck.draws import chains
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


@pytest.mark.parametrize("name", ["linear", "relu", "tanh", "gelu", "silu", "selu", "elu", "mish"])
def test_few_ideal_networks_excuse_what_many_do(name, monkeypatch):
    phi = activation(name)
    few = np.array(ideal_ratios(phi, 65, 20))
    monkeypatch.setattr(chains, "_FIRST_FEW", chains._IDEAL_NETWORKS)
    many = np.array(ideal_ratios.__wrapped__(phi, 65, 20))
    assert (np.abs(few) > chains.NEAR_EDGE).tolist() == (np.abs(many) > chains.NEAR_EDGE).tolist()
    # What is told by the first few is told by them alone.
    assert (few == many).all() == (name not in ("linear", "elu"))


def networks_drawn(init):
    """Verdict by claim, and how many networks of 20 layers of 128 were drawn for both of them."""
    calls = []

    def counted(shape, rng):
        calls.append(shape == (128, 128))
        return init(shape, rng)

    contract = {"activation": "linear", "fan": "fan_in", "layout": "out_in"}
    report = initcheck.check(counted, contract=contract, profile="quick", claims=DEPTH)
    return [report[claim].verdict for claim in DEPTH], sum(calls) / 20


def test_what_loses_a_signal_fails_on_the_networks_of_the_first_look_and_no_others():
    """2^-28 is the error that one look at all of them spends; a sound one is shown in 13."""
    verdicts_of, networks = networks_drawn(normal(3**-0.5))
    assert verdicts_of == [Verdict.FAILS] * 2
    assert 28 <= networks < 32
    verdicts_of, networks = networks_drawn(normal(1.0))
    assert verdicts_of == [Verdict.HOLDS] * 2
    assert 13 <= networks < 17


def test_a_median_on_its_edge_stays_open_before_the_budget_is_spent():
    """Half of the networks lie beyond: neither answer is in reach of 130 of them, and of as many once more."""
    verdicts_of, networks = networks_drawn(normal(10 ** (-1 / 40) * np.exp(20 / 256 / 40)))
    assert verdicts_of == [Verdict.UNDECIDED] * 2
    assert networks < 70
