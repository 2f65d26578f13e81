"""Functions that return the parameters of a layer or of a network: the one array of the shape asked for is meant."""

from __future__ import annotations

import numpy as np
import pytest

import initcheck
from initcheck.adapters.recognition import recognise
from initcheck.errors import UsageError
from initcheck.report.verdict import Verdict

SCALE = "output-variance-near-one"


def he(rows, columns, rng):
    return rng.normal(0, np.sqrt(2 / rows), (rows, columns))


def of_a_layer(n_in, n_out, rng):
    return {"W": he(n_in, n_out, rng), "b": np.zeros((1, n_out))}


def units_first(n_in, n_out, rng):
    return he(n_in, n_out, rng).T, np.zeros(n_out)


def of_a_network(layer_dims, rng):
    return [(he(i, o, rng), np.zeros(o)) for i, o in zip(layer_dims[:-1], layer_dims[1:], strict=True)]


def with_heads(rng, d_in, h):
    return {"w1": he(d_in, h, rng), "b1": np.zeros(h), "policy": he(h, 2, rng), "value": he(h, 1, rng)}


def of_gates(n_in, n_out, rng):
    return {"i": he(n_in, n_out, rng), "f": he(n_in, n_out, rng), "b": np.zeros(n_out)}


@pytest.mark.parametrize(
    ("function", "meant", "not_asked"),
    [
        (of_a_layer, "W", "b"),
        (units_first, "0", "1"),
        (of_a_network, "0.0", "0.1"),
        (with_heads, "w1", "b1, policy, value"),
    ],
)
def test_the_one_of_the_shape_asked_for_is_checked_and_the_others_are_named(function, meant, not_asked):
    initializer = recognise(function, name="f")
    assert initializer.sampler.parameter == meant
    assert any(f"{meant} is checked" in n and f"not asked: {not_asked}." in n for n in initializer.notes)
    contract = {"activation": "relu", "fan": "fan_in"}
    assert initcheck.check(function, contract=contract, claims=[SCALE], profile="quick")[SCALE].verdict is Verdict.HOLDS


def test_its_mistakes_are_found():
    def too_small(n_in, n_out, rng):
        return {"W": rng.normal(0, 0.01, (n_in, n_out)), "b": np.zeros(n_out)}

    assert initcheck.check(too_small, claims=[SCALE], profile="quick")[SCALE].verdict is Verdict.FAILS


def test_of_two_that_have_it_the_user_says_which():
    with pytest.raises(UsageError, match=r"say which one is checked: parameter='i' or parameter='f'"):
        recognise(of_gates, name="of_gates")
