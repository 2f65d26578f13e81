"""Numbers that recur within a call are the cause of a difference, and no factor is named that was not shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import initcheck

Draw = Callable[[np.random.Generator], np.ndarray]


def _likely(a: Draw, b: Draw) -> tuple[str, str]:
    report = initcheck.same(_model(a, 0), _model(b, 1))
    evidence = report["start-from-one-law"].evidence
    return evidence.likely or "", evidence.fix or ""


def _model(draw: Draw, side: int) -> Callable[[int], dict[str, np.ndarray]]:
    return lambda seed: {"bias": draw(np.random.default_rng([seed, side]))}


def _apart(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=64)


def _tiled(rng: np.random.Generator) -> np.ndarray:
    return np.tile(rng.normal(size=16), 4)


def test_a_vector_that_repeats_its_numbers_is_told_by_them() -> None:
    likely, fix = _likely(_apart, _tiled)
    assert likely == "each number of a call of B stands in it 4 times, of A once"
    assert fix == "draw every entry of B on its own, with no tiling or repeating"


def test_what_is_held_to_a_measure_that_repeats_is_told_what_the_measure_does() -> None:
    likely, fix = _likely(_tiled, _apart)
    assert likely == "each number of a call of A stands in it 4 times, of B once"
    assert fix.startswith("repeat in B what A repeats")


@pytest.mark.parametrize(
    ("b", "said"),
    [
        (lambda rng: 1.2 * rng.normal(size=64), "B's weights are 1.2"),
        (lambda rng: np.sign(rng.normal(size=64)), "B is two levels"),  # the same two in all calls are no copies
        (lambda rng: 0.5 + rng.integers(-4, 4, 64), "B's weights are 2."),  # nor are those of a grid
    ],
    ids=["factor", "signs", "grid"],
)
def test_what_repeats_nothing_is_told_by_what_it_is(b: Draw, said: str) -> None:
    likely, _ = _likely(_apart, b)
    assert said in likely
    assert "stands in it" not in likely
