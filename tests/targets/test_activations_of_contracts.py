"""Activations in a contract: by name, by target text, as a function; carried to other processes, and refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from initcheck.contract.contract import Contract
from initcheck.contract.second_moments import nonlinearity, serves_both_ways
from initcheck.errors import UsageError
from initcheck.targets.loading import load, rebuild


def leaky(z, slope=0.1):
    return np.where(z > 0, z, slope * z)


def he(shape, rng):
    return rng.normal(0, math.sqrt(2 / shape[1]), shape)


def test_a_target_text_with_arguments_is_read_and_carried() -> None:
    text = f"activation={__name__}:leaky(slope=0.2),layout=out_in"
    [one] = load(he, contract=text).initializers
    assert nonlinearity(one.contract).m2 == pytest.approx(0.52, abs=1e-13)
    assert one.contract.said()["activation"] == f"{__name__}:leaky(slope=0.2)"
    again = rebuild(json.loads(json.dumps(one.recipe)))
    assert nonlinearity(again.contract).m2 == nonlinearity(one.contract).m2


def test_a_function_of_a_module_is_carried_by_its_name() -> None:
    [one] = load(he, contract=Contract(activation=leaky)).initializers
    assert one.recipe["contract"]["activation"] == f"{__name__}:leaky"
    assert nonlinearity(rebuild(dict(one.recipe)).contract).m2 == pytest.approx((1 + 0.1**2) / 2, abs=1e-13)


def test_a_lambda_is_carried_by_cloudpickle() -> None:
    pytest.importorskip("cloudpickle")
    [one] = load(he, contract={"activation": lambda z: np.maximum(z, 0)}).initializers
    again = rebuild(json.loads(json.dumps(one.recipe)))
    assert nonlinearity(again.contract).m2 == 0.5


def test_a_gate_serves_no_direction_but_its_own() -> None:
    [one] = load(he, contract="activation=swiglu").initializers
    assert one.contract.activation == "swiglu"
    assert not serves_both_ways(one.contract)
    assert nonlinearity(one.contract).streams == 2


def test_several_arguments_and_fields_are_told_apart() -> None:
    contract = Contract.from_text("activation=pkg:act(a=1,b=2),fan=fan_in,depth=3")
    assert (contract.activation, contract.fan, contract.depth) == ("pkg:act(a=1,b=2)", "fan_in", 3)


@pytest.mark.parametrize(
    ("activation", "words"),
    [
        ("relo", "'relo' is not an activation; did you mean 'relu'"),
        ("snake(b=2)", "the parameter of snake is called a"),
        ("nowhere.to:found", "there is no module 'nowhere'"),
        (f"{__name__}:leeky", "has no 'leeky'"),
        ("numpy:cumsum", "cannot be read as a function of an array"),
    ],
)
def test_what_is_no_activation_is_refused_before_anything_is_judged(activation, words) -> None:
    with pytest.raises(UsageError) as caught:
        load(he, contract={"activation": activation})
    assert words in str(caught.value)
