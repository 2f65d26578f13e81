"""Numbers that recur within a call are the cause of a difference, and no factor is named that was not shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import initcheck
from initcheck.comparison.weights.copies import copied_by_one, drawn_alike
from initcheck.report.verdict import Verdict

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


def _block(seed: int, *, one_key: tuple[str, ...] = (), scale: float = 1.0) -> dict[str, np.ndarray]:
    """Two blocks of three projections and an output, which is smaller; those of one key are drawn anew from it."""
    found = {}
    for k in range(2):
        for n, name in enumerate(("q", "k", "v", "out")):
            rng = np.random.default_rng([seed, k, 9 if name in one_key else n])
            std = 0.5 if name == "out" else scale
            found[f"h.{k}.{name}.weight"] = rng.normal(0, std, (8, 8) if name != "out" else (12, 8))
    return found


def _apart_by_seed(seed: int) -> dict[str, np.ndarray]:
    return _block(seed + 2**40)


@pytest.mark.parametrize(
    ("one_key", "said"),
    [
        (("q", "k"), "4 tensors of B hold the same random numbers (h.*.q.weight, h.*.k.weight), those of A are"),
        # Of another size and shape: the numbers begin alike.
        (("v", "out"), "4 tensors of B hold the same random numbers (h.*.v.weight, h.*.out.weight), those of A are"),
    ],
)
def test_tensors_of_several_roles_that_one_key_gives_are_told(one_key: tuple[str, ...], said: str) -> None:
    report = initcheck.same(_apart_by_seed, lambda seed: _block(seed, one_key=one_key))
    result = report["start-from-one-law"]
    assert result.verdict is Verdict.FAILS
    assert said in (result.evidence.likely or "")
    assert result.evidence.fix == "split the key, or draw on from one generator, for each of them"
    [shown] = report.contracts.values()
    assert [part["answer"] for part in shown["compared"]].count("DIFFERENT") == 2


def test_what_the_measure_copies_is_copied() -> None:
    def copied(seed: int) -> dict[str, np.ndarray]:
        return _block(seed, one_key=("q", "k"))

    result = initcheck.same(copied, _apart_by_seed)["start-from-one-law"]
    assert result.evidence.fix == "copy in B what A copies, or draw them apart in both"
    assert initcheck.same(copied, lambda seed: copied(seed + 2**40)).ok
    assert initcheck.same(_block, _apart_by_seed).ok


def test_a_size_that_differs_is_told_beside_the_copies() -> None:
    report = initcheck.same(_apart_by_seed, lambda seed: _block(seed, one_key=("q", "k", "v"), scale=3.0))
    likely = report["start-from-one-law"].evidence.likely or ""
    assert "B's weights are 3 times A's; and 6 tensors" in likely


def test_tensors_that_are_alike_in_some_builds_alone_are_no_copies() -> None:
    always, sometimes, never = (b"x", b"y"), (b"x", b"z"), (b"v", b"w")
    assert copied_by_one({(0, 0): always, (1, 0): sometimes}, {(0, 0): never, (1, 0): never}) == ([], [])
    assert copied_by_one({(0, 0): always, (1, 0): never}, {(0, 0): never, (1, 0): never}) == ([], [[(0, 0), (1, 0)]])
    assert drawn_alike([{(0, 0): b"x", (1, 0): None, (2, 0): b"y"}, {(0, 0): b"x", (1, 0): b"z", (2, 0): b"v"}]) == {
        (2, 0): (b"y", b"v")
    }
