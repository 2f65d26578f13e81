"""Functions that return the parameters of a layer or of a network: the one array of the shape asked for is meant."""

from __future__ import annotations

from itertools import pairwise

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
    return [(he(i, o, rng), np.zeros(o)) for i, o in pairwise(layer_dims)]


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


def from_one_seed(layer_dims, seed):
    return [(he(i, o, np.random.default_rng(seed)), np.zeros(o)) for i, o in pairwise(layer_dims)]


def from_seeds_of_their_own(layer_dims, seed):
    children = np.random.SeedSequence(seed).spawn(len(layer_dims) - 1)
    return [
        (he(i, o, np.random.default_rng(child)), np.zeros(o))
        for (i, o), child in zip(pairwise(layer_dims), children, strict=True)
    ]


@pytest.mark.parametrize("function", [of_a_network, from_seeds_of_their_own])
def test_a_network_whose_layers_differ_holds(function):
    result = initcheck.check(function, claims=["calls-are-independent"], profile="quick")["calls-are-independent"]
    assert result.verdict is Verdict.HOLDS


def of_sizes_from_one_seed(seed, sizes):
    return from_one_seed(sizes, seed)


@pytest.mark.parametrize("function", [from_one_seed, of_sizes_from_one_seed])
def test_a_network_of_one_seed_for_all_its_layers_fails(function):
    report = initcheck.check(function, claims=["calls-are-independent"], profile="quick")
    assert report.failures[0].evidence.measured == "5 of 5 layers of one network are equal"
    assert "drawn from one key" in report.findings[0].cause


def test_a_function_of_two_widths_alone_is_asked_no_network():
    def pair(layer_dims, rng):
        n_in, n_out = layer_dims
        return {"W": he(n_in, n_out, rng), "b": np.zeros(n_out)}

    assert initcheck.check(pair, claims=["calls-are-independent"], profile="quick").ok
