"""What calls show of seeds, global generators and memory."""

import functools
import random

import numpy as np
import pytest
import torch

import initcheck
from initcheck.diagnosis.seed_behaviour import seed_behaviours


def torch_global(shape, seed):
    return torch.randn(shape).numpy()


def numpy_global(shape, seed):
    return np.random.normal(size=shape)


def seeds_python(shape, seed):
    random.seed(seed)
    return np.reshape([random.gauss(0, 1) for _ in range(shape[0] * shape[1])], shape)


def seeds_torch(shape, seed):
    torch.manual_seed(3)
    return torch.randn(shape).numpy()


@functools.cache
def kept(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def kept_by_shape(shape, seed, table={}):  # noqa: B006  # the table is meant to live on
    if shape not in table:
        table[shape] = np.random.default_rng(seed).normal(size=shape)
    return table[shape]


def one_buffer(shape, seed, table={}):  # noqa: B006
    whole = table.setdefault(shape, np.empty(shape))
    whole[:] = np.random.default_rng(seed).normal(size=shape)
    return whole


def zero_for_none(shape, seed):
    return np.random.default_rng(seed or None).normal(size=shape)


def right(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def rows_by_number(shape, seed):
    return np.stack([np.random.default_rng(seed + row).normal(size=shape[1]) for row in range(shape[0])])


def columns_by_number(shape, seed):
    return rows_by_number(shape[::-1], seed).T


def seed_added(shape, seed):
    return np.random.default_rng(1).normal(size=shape) * (-1) ** (seed // 8) + right(shape, seed)


def circulant(shape, seed):
    first = right(shape[:1], seed)
    return np.stack([np.roll(first, row) for row in range(shape[0])])


def running_sums(shape, seed):
    return np.cumsum(right(shape[1:], seed)) * np.ones(shape)


@pytest.mark.parametrize(
    ("draw", "found"),
    [
        (torch_global, ("global-generator",)),
        (numpy_global, ("global-generator",)),
        (seeds_python, ("reseeds-global-generator",)),
        (seeds_torch, ("seed-ignored", "reseeds-global-generator")),
        (kept_by_shape, ("cached", "handed-out-again")),
        (one_buffer, ("aliased",)),
        (kept, ("handed-out-again",)),
        (zero_for_none, ("zero-is-no-seed",)),
        (rows_by_number, ("moved-calls",)),
        (columns_by_number, ("moved-calls",)),
        (seed_added, ("correlated-calls",)),
        (right, ()),
    ],
)
def test_seeds_global_generators_and_memory_are_told_apart(draw, found):
    assert seed_behaviours(draw) == found


@pytest.mark.parametrize("draw", [circulant, running_sums])
def test_calls_whose_own_weights_hang_together_are_not_said_to_be_related(draw):
    assert {seed_behaviours(draw, seed) for seed in range(5)} == {()}


def takes_the_global(shape, rng):
    return np.random.normal(0, shape[1] ** -0.5, shape)


def seeds_the_global(shape, rng):
    np.random.seed(rng.integers(2**31))
    return np.random.normal(0, shape[1] ** -0.5, shape)


@pytest.mark.parametrize(
    ("init", "verb"), [(takes_the_global, "it draws from a global generator"), (seeds_the_global, "it seeds a global")]
)
def test_what_draws_from_a_global_generator_is_not_said_to_seed_it(init, verb):
    claim = "leaves-global-generators-alone"
    [result] = initcheck.check(init, claims=[claim], profile="quick")
    assert result.evidence.likely.startswith(verb)
