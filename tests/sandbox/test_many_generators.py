"""Generators made together are those that NumPy makes one by one, in every respect that a user's code can see."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest

from initcheck.sandbox import many_generators
from initcheck.sandbox.many_generators import generators

SEEDS = [0, 1, 2**31 - 1, 2**32 - 1, *np.random.default_rng(5).integers(0, 2**32, 500).tolist()]


@pytest.mark.parametrize("number", [1, 3, len(SEEDS)], ids=["one", "few", "many"])
def test_a_generator_is_that_of_its_seed(number):
    """Bit for bit the state of ``default_rng(seed)``, so that a user can repeat any call."""
    for seed, made in zip(SEEDS[:number], generators(SEEDS[:number]), strict=True):
        assert made.bit_generator.state == np.random.default_rng(seed).bit_generator.state


@pytest.mark.parametrize("in_memory", [True, False])
def test_half_a_draw_that_is_left_over_is_dropped(monkeypatch, in_memory):
    """Whether the state is written to memory, as most compilers lay it out, or set as a state."""
    monkeypatch.setattr(many_generators, "_lies_as_here", lambda: in_memory)
    for seed, made in zip(SEEDS, generators(SEEDS), strict=True):
        own = np.random.default_rng(seed)
        drawn = [rng.integers(2**32, size=3, dtype=np.uint32).tolist() for rng in (made, own)]
        assert drawn[0] == drawn[1]
        assert made.bit_generator.state == own.bit_generator.state


def nth(number):
    """The generator of that number, which is in use until the next one is asked for."""
    return next(itertools.islice(generators(SEEDS), number, None))


def test_children_are_those_of_the_seed():
    """``spawn`` gives the same children, and others the second time."""
    made, own = nth(4), np.random.default_rng(SEEDS[4])
    for _ in range(2):
        assert [g.random() for g in made.spawn(3)] == [g.random() for g in own.spawn(3)]


def test_the_seed_can_be_asked_for():
    """Code that derives generators of its own reads the entropy, or asks for more words."""
    made, own = nth(7).bit_generator.seed_seq, np.random.SeedSequence(SEEDS[7])
    assert made.entropy == own.entropy
    assert made.spawn_key == own.spawn_key
    assert np.array_equal(made.generate_state(9), own.generate_state(9))
    with pytest.raises(AttributeError):
        _ = made.no_such_thing


@pytest.mark.parametrize("again", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))], ids=["copy", "pickle"])
def test_a_copy_goes_on_where_the_generator_stands(again):
    """A copied generator has the state and the children of the one it was made from."""
    made, own = nth(9), np.random.default_rng(SEEDS[9])
    made.random(), own.random(), made.spawn(1), own.spawn(1)
    twin = again(made)
    assert twin.random() == own.random()
    assert twin.spawn(1)[0].random() == own.spawn(1)[0].random()


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("number", [1, 3, 20])
def test_a_generator_of_a_large_seed_is_that_of_its_seed(monkeypatch, number, in_memory):
    monkeypatch.setattr(many_generators, "_lies_as_here", lambda: in_memory)
    seeds = [0, 2**127 + 5, 2**32, 2**64 - 1, 7, *(k << 90 | k for k in range(15))][-number:]
    drawn = [rng.integers(0, 2**31, size=3).tolist() for rng in generators(seeds)]
    assert drawn == [np.random.Generator(np.random.PCG64(seed)).integers(0, 2**31, size=3).tolist() for seed in seeds]
