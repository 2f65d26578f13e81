"""Two functions of a shape: shapes in the layout of each, bits first, and causes that name what B does otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest

import initcheck
from initcheck.comparison.drawn import matrix_of
from initcheck.comparison.shapes import asked_of_both
from initcheck.contract.layer import Layer
from initcheck.targets.loading import load

Shape = tuple[int, ...]


def he(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(0, math.sqrt(2 / shape[1]), shape)


def lecun(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(0, math.sqrt(1 / shape[1]), shape)


def he_of_outputs(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(0, math.sqrt(2 / shape[0]), shape)


def he_uniform(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    bound = math.sqrt(6 / shape[1])
    return rng.uniform(-bound, bound, shape)


def cut(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    w = rng.standard_normal(shape)
    while (far := np.abs(w) > 2).any():
        w[far] = rng.standard_normal(int(far.sum()))
    return w * math.sqrt(2 / shape[1])


def cut_and_corrected(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    return cut(shape, rng) / 0.87962566


def matrices_only(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    rows, columns = shape
    return rng.normal(0, math.sqrt(2 / columns), (rows, columns))


@pytest.mark.long
@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (he, lecun, "B's weights are 0.71 times A's (variance 1/channels against 2/channels)"),
        (he, he_of_outputs, "B divides by units where A divides by channels"),
        (he, he_uniform, "A is a normal, B is a uniform, of one variance"),
        (cut_and_corrected, cut, "B lacks the factor 1/0.8796 of the truncation"),
        (cut, cut_and_corrected, "A lacks the factor 1/0.8796 of the truncation"),
    ],
)
def test_the_cause_is_named(a: object, b: object, words: str) -> None:
    result = initcheck.same(a, b, profile="quick")["start-from-one-law"]
    assert result.verdict.value == "FAILS"
    assert words in (result.evidence.likely or "")


def test_what_is_not_finite_and_what_hangs_on_no_seed_is_named() -> None:
    def some_nan(shape: Shape, rng: np.random.Generator) -> np.ndarray:
        w = he(shape, rng)
        w.flat[0] = np.nan
        return w

    def seeded(shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return he(shape, np.random.default_rng(0))

    for other, words in (
        (some_nan, "% of B's weights are not finite, of A's 0 %"),
        (seeded, "every call of B gives the same weights, whatever the seed"),
    ):
        result = initcheck.same(he, other, profile="quick")["start-from-one-law"]
        assert words in (result.evidence.likely or "")


def test_the_same_code_gives_the_same_bits_and_needs_no_chance() -> None:
    report = initcheck.same(he, lambda shape, rng: he(shape, rng), profile="quick")
    assert report.ok
    assert any("same bits" in note for note in report["start-from-one-law"].notes)


def test_what_only_one_takes_is_named() -> None:
    report = initcheck.same(he, matrices_only, profile="quick")
    result = report["have-the-same-shapes"]
    assert result.verdict.value == "FAILS"
    assert result.evidence.case == (
        "B gives no weights of shape (7, 5, 3, 2): it raises ValueError: too many values to unpack (expected 2)"
    )
    assert report["start-from-one-law"].verdict.value == "HOLDS"


def test_a_layout_nobody_knows_is_that_of_the_other_and_said_so() -> None:
    a = load(he).initializers[0]
    b = load(he, contract="layout=in_out").initializers[0]
    asked = asked_of_both(a, b, "quick")
    assert [(x.shape, x.layout) for x, _ in asked.layers] == [(y.shape, y.layout) for _, y in asked.layers]
    assert "the layout of A is not known" in asked.notes[0]


@pytest.mark.long
def test_layouts_are_aligned_where_they_are_said() -> None:
    report = initcheck.same(he, he_of_outputs, profile="quick", layouts=("out_in", "in_out"))
    assert report["start-from-one-law"].verdict.value == "HOLDS"
    assert "layouts aligned: A is (out, in), B is (in, out)" in report["start-from-one-law"].notes


def test_an_entry_keeps_its_place_in_every_layout() -> None:
    kernel = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    one = matrix_of(kernel[None], Layer((2, 3, 4, 5), "oihw"))
    other = matrix_of(kernel.transpose(2, 3, 1, 0)[None], Layer((4, 5, 3, 2), "hwio"))
    assert np.array_equal(one, other)
    assert one.shape == (1, 2, 60)
