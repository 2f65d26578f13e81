"""Position-wise permutation: exact under independence of any laws, and broken by every kind of dependence."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import average_log_e, rarely_top_log_e, tops_log_e
from initcheck.statistics.permutation import (
    CALLS_A_BATCH,
    STATISTICS,
    Positions,
    excluded_structure,
    position_tops,
    shuffled_by_position,
)

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
SHAPE = (8, 12)


def masked(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=size) * (np.arange(size[-2])[:, None] >= np.arange(size[-1]) % 8)


def scaled(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=size) / np.arange(1, size[-1] + 1)


def shifted(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=size) + np.arange(size[-1])


def signs(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return rng.choice([-1.0, 1.0], size)


def sparse(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=size) * (rng.random(size) < 0.2)


INDEPENDENT: dict[str, Draw] = {
    "normal": lambda rng, size: rng.normal(size=size),
    "Cauchy": lambda rng, size: rng.standard_cauchy(size),
    "skewed": lambda rng, size: rng.lognormal(size=size),
    "masked": masked,
    "scaled by input": scaled,
    "a mean by input": shifted,
    "signs": signs,
    "sparse": sparse,
}


def gain(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=size) * np.exp(0.5 * rng.normal(size=(size[0], 1, 1)))


def gain_of_rows(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=size) * np.exp(0.5 * rng.normal(size=(*size[:2], 1)))


def centred_rows(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    w = rng.normal(size=size)
    return w - w.mean(axis=2, keepdims=True)


def columns_of_one_length(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    w = rng.normal(size=size)
    return w / np.sqrt(np.square(w).sum(axis=1, keepdims=True))


def orthogonal_rows(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    q = np.linalg.qr(rng.normal(size=(size[0], size[2], size[1])))[0].swapaxes(1, 2)
    return q * rng.exponential(size=(*size[:2], 1))


def balanced_signs(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    n = size[1] * size[2]
    half = np.tile(np.repeat([-1.0, 1.0], n // 2), (size[0], 1))
    return rng.exponential(size=size) * rng.permuted(half, axis=1).reshape(size)


def parity_of_neighbours(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    w = rng.normal(size=size)
    w[..., 2::3] = np.abs(w[..., 2::3]) * np.sign(w[..., 0::3] * w[..., 1::3])
    return w


def parity_of_far_columns(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    w = rng.normal(size=size)
    w[..., 11] = np.abs(w[..., 11]) * np.sign(w[..., 0] * w[..., 5])
    w[..., 10] = np.abs(w[..., 10]) * np.sign(w[..., 3] * w[..., 8])
    return w


def parity_of_rows(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    w = rng.normal(size=size)
    w[..., -1] = np.abs(w[..., -1]) * np.sign(w[..., :-1]).prod(axis=-1)
    return w


def as_many_zeros_a_column(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    kept = rng.permuted(np.broadcast_to(np.arange(size[1])[:, None] < 3, size), axis=1)
    return rng.normal(size=size) * kept


def shared_magnitudes(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    w = rng.normal(size=size)
    w[:, 1] = np.abs(w[:, 0]) * rng.choice([-1.0, 1.0], (size[0], size[2]))
    return w


DEPENDENT: dict[str, Draw] = {
    "one gain a call": gain,
    "a gain a row": gain_of_rows,
    "centred rows": centred_rows,
    "columns of one length": columns_of_one_length,
    "orthogonal rows of any length": orthogonal_rows,
    "balanced signs": balanced_signs,
    "parity of neighbours": parity_of_neighbours,
    "parity of far columns": parity_of_far_columns,
    "parity of rows": parity_of_rows,
    "as many zeros a column": as_many_zeros_a_column,
    "two rows share magnitudes": shared_magnitudes,
}


def tops_of(draw: Draw, batches: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    positions = Positions.learnt(draw(rng, (150, *SHAPE)))
    return position_tops(
        draw(rng, (batches * CALLS_A_BATCH, *SHAPE)).reshape(batches, CALLS_A_BATCH, *SHAPE), positions, rng
    )


@pytest.mark.parametrize("name", INDEPENDENT)
def test_no_statistic_tops_more_often_than_one_batch_in_twenty(name: str) -> None:
    batches = 160
    counts = tops_of(INDEPENDENT[name], batches).sum(axis=1)
    assert len(counts) == len(STATISTICS)
    for statistic, count in zip(STATISTICS, counts, strict=True):
        assert stats.binomtest(int(count), batches, 0.05, alternative="greater").pvalue > 1e-5, statistic


@pytest.mark.parametrize("name", INDEPENDENT)
def test_independent_entries_are_shown_to_be_so(name: str) -> None:
    tops = tops_of(INDEPENDENT[name], 64, seed=1)
    k, n = tops.sum(axis=1), 64
    assert rarely_top_log_e(k, n).min() > math.log(1e3)
    assert average_log_e(list(tops_log_e(k, n))) < math.log(20)


@pytest.mark.parametrize("name", DEPENDENT)
def test_dependence_is_found_in_32_batches(name: str) -> None:
    tops = tops_of(DEPENDENT[name], 32)
    n = np.arange(1, 33)
    assert average_log_e(list(tops_log_e(np.cumsum(tops, axis=1), n))).max() > math.log(1e8)


def test_a_shuffle_keeps_the_values_of_each_position_and_breaks_up_calls() -> None:
    rng = np.random.default_rng(3)
    batch = rng.normal(size=(CALLS_A_BATCH, 5, 7))
    many = np.stack(list(shuffled_by_position(batch, rng)))
    assert np.array_equal(np.sort(many, axis=1), np.broadcast_to(np.sort(batch, axis=0), many.shape))
    first = many[:, 0] == batch[0]
    # Each position keeps its first value in one order of four, and no two positions do so together.
    assert abs(first.mean() - 0.25) < 0.06
    assert abs((first[:, 0, 0] & first[:, 1, 1]).mean() - 1 / 16) < 0.2


def test_what_never_differs_from_its_shuffles_tops_nothing() -> None:
    constant = np.broadcast_to(np.arange(12.0), (32, *SHAPE)).reshape(8, CALLS_A_BATCH, *SHAPE)
    positions = Positions.learnt(np.broadcast_to(np.arange(12.0), (20, *SHAPE)).astype(float))
    assert not position_tops(constant, positions, np.random.default_rng(0)).any()


def test_the_spread_that_is_said_to_be_excluded_tops_in_half_the_batches() -> None:
    spread, correlation = excluded_structure(*SHAPE)

    def spreads(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        energy = 1 + spread * np.sqrt(3) * rng.uniform(-1, 1, (size[0], 1, 1))
        return rng.normal(size=size) * np.sqrt(energy)

    def correlates(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        w = rng.normal(size=(size[0], size[1], size[2] + 1))
        share = correlation / 2
        return (w[..., 1:] + 2 * share * w[..., :-1]) / np.sqrt(1 + 4 * share**2)

    calls = STATISTICS.index("energies of calls too far apart")
    assert 0.35 < tops_of(spreads, 150)[calls].mean() < 0.65
    along = STATISTICS.index("neighbours along a row")
    assert 0.35 < tops_of(correlates, 150)[along].mean() < 0.65
