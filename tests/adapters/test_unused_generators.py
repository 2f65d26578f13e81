"""Code that is handed its randomness and draws from a global generator: no batch begins as the last did."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from initcheck.adapters.recognition import recognise
from initcheck.contract.initializer import Sampler

SHAPE = (4, 3)


def from_numpys(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    return np.random.standard_normal(shape)


def from_pythons(shape: tuple[int, ...], seed: int) -> Any:
    return np.random.default_rng(random.getrandbits(60)).standard_normal(shape)


def from_both(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    return rng.standard_normal(shape) + np.random.standard_normal(shape)


def seeds_it_itself(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    np.random.seed(5)
    return np.random.standard_normal(shape)


def sampler_of(init: Any) -> Sampler:
    return recognise(init, init.__name__).sampler


@pytest.mark.parametrize("init", [from_numpys, from_pythons, from_both])
def test_batches_of_weights_differ_and_a_call_of_the_users_own_hangs_on_the_global_generator(init: Any) -> None:
    sampler = sampler_of(init)
    batches = [sampler.weights(SHAPE, seeds, "float32") for seeds in ([1, 2], [3, 4], [1])]
    first, second, third, fourth, again = (np.asarray(w) for batch in batches for w in batch)
    assert len({w.tobytes() for w in (first, second, third, fourth)}) == 4
    assert np.array_equal(first, again)
    # What a user gets, who seeds nothing beside it: two calls from one state, whatever their seeds.
    own = [np.asarray(sampler.calls(SHAPE, [seed], "float32")[0]) for seed in (1, 2)]
    assert np.array_equal(*own) == (init is not from_both)


def test_two_calls_on_one_generator_differ_from_those_on_another() -> None:
    sampler = sampler_of(from_numpys)
    pairs = sampler.streams([SHAPE, SHAPE], [1, 2], "float32")
    drawn = [np.asarray(w).tobytes() for pair in pairs or () for w in pair]
    assert len(set(drawn)) == 4


def test_code_that_seeds_the_global_generator_itself_gives_the_same_in_every_batch() -> None:
    sampler = sampler_of(seeds_it_itself)
    (one,), (other,) = (sampler.weights(SHAPE, [seed], "float32") for seed in (1, 2))
    assert np.array_equal(one, other)
