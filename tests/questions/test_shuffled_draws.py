"""What tells four calls from their shuffles by position: too much structure, and too little; and what does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.report.verdict import Verdict

Array = np.ndarray[Any, np.dtype[np.float32]]
CLAIM = "entries-are-independent"


def normal(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    return rng.standard_normal(shape, dtype=np.float32) / np.float32(np.sqrt(shape[1]))


def rows_of_one_length(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    w = normal(shape, rng)
    return w / np.linalg.norm(w, axis=1, keepdims=True)


def columns_of_one_length(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    w = normal(shape, rng)
    return w / np.linalg.norm(w, axis=0, keepdims=True) * np.float32(np.sqrt(shape[0] / shape[1]))


def symmetric_squares(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    w = normal(shape, rng)
    return np.triu(w) + np.triu(w, 1).T if shape[0] == shape[1] else w


def signs(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    return (rng.choice([-1.0, 1.0], shape) / np.sqrt(shape[1])).astype(np.float32)


def judged(init: Callable[..., Array], profile: str = "quick") -> initcheck.Result:
    return initcheck.check(init, claims=[CLAIM], profile=profile)[CLAIM]


def one_gain_a_call(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    return normal(shape, rng) * np.float32(np.exp(0.4 * rng.standard_normal() - 0.16))


def third_sign_is_the_product_of_two(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    w = normal(shape, rng)
    k = shape[1] // 3 * 3
    w[:, 2:k:3] = np.abs(w[:, 2:k:3]) * np.sign(w[:, 0:k:3] * w[:, 1:k:3])
    return w


def masked(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    mask = np.arange(shape[0])[:, None] % shape[1] >= np.arange(shape[1])
    return (rng.standard_normal(shape) * mask / np.sqrt(mask.sum(axis=1, keepdims=True))).astype(np.float32)


def scaled_by_input(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    scale = 1 / np.arange(1, shape[1] + 1)
    return (rng.standard_normal(shape) * np.sqrt(scale / scale.sum())).astype(np.float32)


@pytest.mark.long
@pytest.mark.parametrize(
    ("init", "seen"),
    [
        (rows_of_one_length, "energies of rows too equal"),
        (columns_of_one_length, "energies of columns too equal"),
        (symmetric_squares, "pairs of weights"),
        (one_gain_a_call, "energies of"),
        (third_sign_is_the_product_of_two, "parity of neighbours along a row"),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_structure_is_found_and_named(init: Callable[..., Array], seen: str) -> None:
    result = judged(init)
    assert result.verdict is Verdict.FAILS
    assert result.evidence.measured.startswith(seen)
    assert result.evidence.allowed == "5 % by chance"


@pytest.mark.long
@pytest.mark.parametrize("init", [normal, signs, masked, scaled_by_input], ids=lambda x: x.__name__)
def test_independent_entries_hold_whatever_the_law_of_a_position(init: Callable[..., Array]) -> None:
    result = judged(init)
    assert result.verdict is Verdict.HOLDS
    assert any(note.startswith("excluded: what makes one of 57 statistics top") for note in result.notes)


def largest_in_the_corner(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    w = normal(shape, rng)
    flat = w.ravel()
    at = flat.argmax()
    flat[0], flat[at] = flat[at], flat[0]
    return w


def copied_inputs(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    w = normal(shape, rng)
    if shape[1] > 140:
        w[:, -3:] = -w[:, :3]
    return w


def nearly_copied_inputs(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    w = normal(shape, rng)
    if min(shape) > 60 and shape[1] > 140:
        w[:, 1] += 3 * w[:, 0]
    return w


@pytest.mark.long
def test_the_largest_weight_in_one_place_is_found_and_named() -> None:
    result = judged(largest_in_the_corner)
    assert result.verdict is Verdict.FAILS
    assert result.evidence.measured.startswith("largest weight in one place, in ")
    assert result.evidence.measured.endswith(" of the batches of 16 calls")
    assert result.evidence.likely == "the largest weight of a layer is put into one place"


@pytest.mark.long
@pytest.mark.parametrize("init", [copied_inputs, nearly_copied_inputs], ids=lambda x: x.__name__)
def test_inputs_that_are_alike_in_large_layers_alone_are_found(init: Callable[..., Array]) -> None:
    result = judged(init)
    assert result.verdict is Verdict.FAILS
    assert result.evidence.shape[1] > 140
    assert result.evidence.measured.startswith("two columns, in ")
