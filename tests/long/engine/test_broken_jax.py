"""Broken initializers of JAX, whose calls are compiled by the batch, are caught by the right claim."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import initcheck

jax = pytest.importorskip("jax")


def right(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    return jax.random.normal(key, shape) * math.sqrt(2 / math.prod(shape[:-1]))


def one_key_for_all(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    return right(jax.random.key(7), shape)


def half_of_the_seeds(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    return right(jax.random.key(jax.random.key_data(key)[1] // 2), shape)


def one_key_for_both_halves(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    half = right(key, (*shape[:-1], (shape[-1] + 1) // 2))
    return jax.numpy.concatenate([half, half], axis=-1)[..., : shape[-1]]


def other_fan(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    return jax.random.normal(key, shape) * math.sqrt(2 / shape[-1])


def too_small(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    return 0.5 * right(key, shape)


def no_receptive_field(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    return jax.random.normal(key, shape) * math.sqrt(2 / shape[-2])


def cut(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    return jax.random.truncated_normal(key, -2.0, 2.0, shape) * math.sqrt(2 / math.prod(shape[:-1]))


def off_centre(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    return jax.numpy.abs(right(key, shape))


def of_numpy(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    return np.random.normal(0, math.sqrt(2 / math.prod(shape[:-1])), shape).astype(np.float32)


_calls = itertools.count()


def that_forgets(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    return right(key, shape) * (1 + next(_calls) % 2)


_kept: dict[tuple[int, ...], Any] = {}


def that_keeps(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    if shape not in _kept:
        _kept[shape] = right(key, shape)
    return _kept[shape]


CONTRACT = {"activation": "relu", "fan": "fan_in", "layout": "in_out", "distribution": "normal"}
BROKEN = {
    one_key_for_all: "calls-are-independent",
    half_of_the_seeds: "calls-are-independent",
    one_key_for_both_halves: "units-differ",
    other_fan: "output-variance-near-one",
    too_small: "output-variance-near-one",
    cut: "follows-its-distribution",
    off_centre: "zero-mean",
    of_numpy: "same-seed-same-weights",
    that_forgets: "same-seed-same-weights",
    that_keeps: "same-seed-same-weights",
}


@pytest.mark.parametrize("init", BROKEN, ids=lambda init: init.__name__)
def test_a_broken_initializer_of_jax_is_caught(init: Any) -> None:
    report = initcheck.check(init, contract=CONTRACT, profile="quick", claims=[BROKEN[init]])
    assert BROKEN[init] in {r.claim for r in report.results if r.verdict == "FAILS"}


def test_a_kernel_whose_positions_were_not_counted_is_caught() -> None:
    contract = {**CONTRACT, "layout": "hwio"}
    report = initcheck.check(
        no_receptive_field, contract=contract, profile="quick", claims=["output-variance-near-one"]
    )
    assert [r.verdict for r in report.results] == ["FAILS"]


def test_a_right_one_is_not_blamed() -> None:
    report = initcheck.check(right, contract=CONTRACT, profile="quick")
    assert not [r.claim for r in report.results if r.verdict == "FAILS"]
