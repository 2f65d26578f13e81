"""Two calls on each of some generators, drawn together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from initcheck.adapters.recognition import recognise
from initcheck.contract.layer import Layer
from initcheck.draws.call import BrokenCall
from initcheck.draws.draws import Draws
from initcheck.draws.streams import SCREEN

LAYER = Layer((5, 7), "out_in")  # the shape at which a function is tried out


def plain(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    return rng.standard_normal(shape)


def one_buffer() -> Callable[..., Any]:
    kept = np.empty(LAYER.shape)

    def init(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        kept[:] = rng.standard_normal(shape)
        return kept

    return init


def two_buffers() -> Callable[..., Any]:
    """In turn: the two calls on one generator lie apart, those on the next lie where they did."""
    kept = [np.empty(LAYER.shape), np.empty(LAYER.shape)]

    def init(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        kept.reverse()
        kept[0][:] = rng.standard_normal(shape)
        return kept[0]

    return init


def drawn(init: Callable[..., Any]) -> tuple[Draws, Any, Any]:
    draws = Draws(recognise(init, "init"), 0)
    return draws, *draws.pairs(LAYER, "float64", SCREEN, 0, 20)


@pytest.mark.parametrize("make", [lambda: plain, two_buffers], ids=["plain", "two buffers"])
def test_a_pair_is_two_calls_on_the_generator_of_its_seed(make: Callable[[], Any]) -> None:
    draws, first, second = drawn(make())
    seeds = draws.seeds(LAYER, "float64", SCREEN, 0, 20)
    for one, other, seed in zip(first, second, seeds, strict=True):
        rng = np.random.default_rng(seed)
        assert np.array_equal(one, rng.standard_normal(LAYER.shape))
        assert np.array_equal(other, rng.standard_normal(LAYER.shape))


def test_what_shares_one_buffer_is_taken_at_neighbouring_seeds() -> None:
    draws, first, second = drawn(one_buffer())
    seeds = draws.seeds(LAYER, "float64", SCREEN, 0, 20)
    for one, other, seed in zip(first, second, seeds, strict=True):
        assert np.array_equal(one, np.random.default_rng(seed).standard_normal(LAYER.shape))
        assert np.array_equal(other, np.random.default_rng(seed + 1).standard_normal(LAYER.shape))


def test_what_raises_at_the_second_call_is_a_broken_call() -> None:
    drawn_of: set[int] = set()

    def once_a_generator(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        state = int(rng.bit_generator.state["state"]["inc"])
        if state in drawn_of:
            raise ValueError("spent")
        drawn_of.add(state)
        return rng.standard_normal(shape)

    with pytest.raises(BrokenCall, match="raises ValueError: spent on a second call"):
        drawn(once_a_generator)
