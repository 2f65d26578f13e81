"""Where extremes lie and which vectors are alike: exact under independence of any laws, broken by what was moved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics.extremes import Pairs, Places
from initcheck.statistics.permutation import shuffled_by_position

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
SHAPE = (6, 8)
BATCHES = 150

INDEPENDENT: dict[str, Draw] = {
    "normal": lambda rng, size: rng.normal(size=size),
    "Cauchy": lambda rng, size: rng.standard_cauchy(size),
    "signs": lambda rng, size: rng.choice([-1.0, 1.0], size),
    "scaled by input": lambda rng, size: rng.normal(size=size) / np.arange(1, size[-1] + 1),
    "masked": lambda rng, size: rng.normal(size=size) * (np.arange(size[-2])[:, None] >= np.arange(size[-1]) % 6),
    "one position is always huge": lambda rng, size: rng.normal(size=size) + 9.0 * (np.arange(size[-1]) == 3),
}


def moved(w: np.ndarray, which: Callable[[np.ndarray], np.ndarray], to: int) -> np.ndarray:
    """The weight of each call that is the largest by some order changes places with the one that stands at ``to``."""
    flat = w.reshape(*w.shape[:-2], -1)
    at = which(flat).argmax(axis=-1)[..., None]
    largest = np.take_along_axis(flat, at, axis=-1)
    np.put_along_axis(flat, at, flat[..., to : to + 1], axis=-1)
    flat[..., to : to + 1] = largest
    return w


@pytest.mark.parametrize("draw", INDEPENDENT.values(), ids=INDEPENDENT)
def test_no_extreme_tops_its_shuffles_too_often_where_entries_are_independent(draw: Draw) -> None:
    rng = np.random.default_rng(0)
    places = Places.learnt(draw(rng, (150, *SHAPE)))
    tops = places.tops(draw(rng, (BATCHES, Places.calls, *SHAPE)), rng)
    assert tops.shape == (len(Places.names), BATCHES)
    # 12 statistics: 10^-4 of each, were it as often as it may be.
    assert tops.sum(axis=1).max() <= stats.binom.isf(1e-4, BATCHES, 1 / 20)


@pytest.mark.parametrize(
    ("which", "seen"),
    [
        (lambda w: w, "largest weight in one place"),
        (lambda w: -w, "smallest weight in one place"),
        (np.abs, "largest magnitude in one place"),
        (lambda w: -np.abs(w), "smallest magnitude in one place"),
    ],
    ids=["largest", "smallest", "largest magnitude", "smallest magnitude"],
)
@pytest.mark.parametrize("to", [0, 20])
def test_an_extreme_that_is_moved_to_one_place_tops_its_shuffles(
    which: Callable[[np.ndarray], np.ndarray], seen: str, to: int
) -> None:
    rng = np.random.default_rng(1)
    w = moved(rng.normal(size=(150 + 20 * Places.calls, *SHAPE)), which, to)
    tops = Places.learnt(w[:150]).tops(w[150:].reshape(20, Places.calls, *SHAPE), rng)
    often = dict(zip(Places.names, tops.mean(axis=1), strict=True))
    assert often[seen] > 0.6
    other_end = "smallest" if seen.startswith("largest") else "largest"
    assert max(often[name] for name in often if name.startswith(other_end)) < 0.5


def test_a_row_that_always_holds_the_largest_magnitude_tops_its_shuffles() -> None:
    rng = np.random.default_rng(2)
    w = rng.normal(size=(150 + 20 * Places.calls, *SHAPE))
    for call in w:
        row = np.abs(call).max(axis=1).argmax()
        call[[0, row]] = call[[row, 0]]
    tops = Places.learnt(w[:150]).tops(w[150:].reshape(20, Places.calls, *SHAPE), rng)
    assert tops[Places.names.index("largest magnitude in one row")].mean() > 0.5


@pytest.mark.parametrize("draw", [INDEPENDENT[name] for name in ("normal", "signs", "masked")])
def test_no_pair_tops_its_shuffles_too_often_where_entries_are_independent(draw: Draw) -> None:
    rng = np.random.default_rng(3)
    tops = Pairs().tops(draw(rng, (60, Pairs.calls, *SHAPE)), rng)
    assert tops.sum(axis=1).max() <= stats.binom.isf(1e-4, 60, 1 / 20)


@pytest.mark.parametrize("of", ["two rows", "two columns"])
@pytest.mark.parametrize("share", [1.0, -1.0, 0.9])
def test_two_vectors_that_are_alike_top_their_shuffles(of: str, share: float) -> None:
    rng = np.random.default_rng(4)
    w = rng.normal(size=(8, Pairs.calls, 40, 50))
    vectors = w if of == "two rows" else w.swapaxes(2, 3)
    vectors[..., 3, :] = share * vectors[..., 7, :] + np.sqrt(1 - share**2) * vectors[..., 3, :]
    assert Pairs().tops(w, rng)[Pairs.names.index(of)].all()


@pytest.mark.parametrize("draw", [INDEPENDENT[name] for name in ("normal", "Cauchy", "signs")])
def test_pairs_top_where_no_shuffle_of_all_nineteen_comes_as_near(draw: Draw) -> None:
    """What stops at the first shuffle that is as near says the same as a look at all of them."""
    batches = draw(np.random.default_rng(5), (30, Pairs.calls, *SHAPE))
    rng, every = np.random.default_rng(6), []
    for batch in batches:
        values = np.array([Pairs().of(w) for w in (batch, *shuffled_by_position(batch, rng))])
        every.append((np.round(values[1:] / values[0], 9) < 1).all(axis=0))
    tops = Pairs().tops(batches, np.random.default_rng(6))
    assert tops.any()
    assert np.array_equal(tops, np.transpose(every))


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_tops_no_shuffle(odd: float) -> None:
    w = np.random.default_rng(7).normal(size=(2, Pairs.calls, 6, 7))
    w[:, 1, 2, 3] = odd
    with np.errstate(invalid="ignore"):
        assert not Pairs().tops(w, np.random.default_rng(8)).any()
