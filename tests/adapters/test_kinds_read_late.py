"""Kinds of initializers that a sample of public forms found unread."""

import functools
import math
import re

import numpy as np
import pytest
import torch
from torch import nn
from two_seeds import one_again_other

from initcheck.errors import UsageError
from initcheck.targets.loading import load


def filters(num_filters, channels, height, width):
    return np.random.randn(num_filters, channels, height, width) / math.sqrt(channels * height * width)


def kernels(kh, kw, c_in, c_out):
    return np.random.randn(kh, kw, c_in, c_out)


def rows_in_a_tuple(shape, rng):
    return tuple(rng.normal(size=shape[1]) for _ in range(shape[0]))


def called_dtype(shape, dtype=np.float32, rng=None):
    return rng.standard_normal(shape, dtype=dtype) * dtype(0.02)


class Slotted:
    __slots__ = ("b", "w")

    def __init__(self, fan_in, fan_out, seed=None):
        self.w, self.b = np.random.default_rng(seed).normal(0, 1, (fan_in, fan_out)), np.zeros(fan_out)


class Gated(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.up, self.down = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)

    def forward(self, x):
        return self.down(torch.relu(self.up(x)))


def generator_of_another_name(formato, *, gerador):
    return gerador.normal(size=formato)


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        (filters, (5, 7, 3, 2)), (kernels, (3, 2, 5, 7)), (rows_in_a_tuple, (5, 7)), (called_dtype, (5, 7)),
        (Slotted, (5, 7)),
    ],
)  # fmt: skip
def test_it_is_read_and_the_same_seed_draws_the_same(form, shape):
    [initializer] = load(form).initializers
    one, again, other = one_again_other(initializer, shape)
    assert one.shape == shape
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_the_inner_width_of_a_feed_forward_block_is_chosen():
    [initializer] = load(Gated).initializers
    assert initializer.signature == "Gated(d_model, d_ff), a layer"


def test_a_generator_by_another_name_is_told_from_the_method_that_is_asked_of_it():
    with pytest.raises(UsageError) as refusal:
        load(generator_of_another_name)
    said = re.search(r"signature='(.*?)'", str(refusal.value))
    assert said is not None
    [initializer] = load(generator_of_another_name, signature=said[1]).initializers
    assert initializer.sampler.calls((5, 7), [1], "float32")[0].shape == (5, 7)


CALLED: list[str] = []


async def as_coroutine(shape, rng):
    CALLED.append("coroutine")
    return rng.normal(size=shape)


async def as_async_generator(shape, rng):
    CALLED.append("async generator")
    yield rng.normal(size=shape)


@pytest.mark.parametrize("function", [as_coroutine, as_async_generator, functools.partial(as_coroutine, rng=None)])
def test_what_is_to_be_awaited_is_refused_and_not_called(function):
    with pytest.raises(UsageError, match="It is a coroutine"):
        load(function)
    assert CALLED == []
