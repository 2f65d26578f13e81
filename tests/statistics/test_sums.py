"""The record of sums: exact sums in any layout and dtype, and nothing finite read as infinite."""

from __future__ import annotations

import math
import tracemalloc

import ml_dtypes
import numpy as np
import pytest

from initcheck.statistics import Record

SHAPES = [
    (1, 1, 1),
    (5, 1, 7),
    (5, 7, 1),
    (300, 16, 16),
    (9, 64, 64),
    (2, 300, 257),
    (2, 3, 70_001),
    (2, 70_001, 3),
]


def layouts(stack: np.ndarray) -> list[np.ndarray]:
    """Return the same values in memory order, transposed, and with gaps."""
    wide = np.zeros((*stack.shape[:2], 2 * stack.shape[2]), dtype=stack.dtype)
    wide[..., ::2] = stack
    return [stack, np.ascontiguousarray(stack.swapaxes(1, 2)).swapaxes(1, 2), wide[..., ::2], stack[:, ::-1]]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16"])
def test_sums_are_those_of_exact_arithmetic(shape: tuple[int, int, int], dtype: str) -> None:
    stack = (np.random.default_rng(0).normal(0.1, 1.0, shape)).astype(getattr(ml_dtypes, dtype, dtype))
    exact = stack.astype(np.longdouble)
    rows = exact.sum(axis=2)
    for view in layouts(stack):
        record = Record.of(view)
        assert record.total == pytest.approx(rows.sum(axis=1).astype(float), rel=1e-11, abs=1e-9)
        assert record.energy == pytest.approx((exact**2).sum(axis=(1, 2)).astype(float), rel=1e-12)
        assert record.row_sum_energy == pytest.approx((rows**2).sum(axis=1).astype(float), rel=1e-11)
        assert record.largest == pytest.approx(np.abs(exact).max(axis=(1, 2)).astype(float), rel=0)
        assert record.nonfinite.tolist() == [0] * shape[0]


def test_total_of_a_million_equal_float32_does_not_drift() -> None:
    stack = np.full((1, 1, 2**20), 0.1, dtype=np.float32)
    assert Record.of(stack).total[0] == pytest.approx(2**20 * float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize("shape", [(4, 16, 16), (4, 300, 300)], ids=str)
def test_nan_and_infinity_are_counted_by_call_and_left_out(shape: tuple[int, int, int]) -> None:
    stack = np.ones(shape, dtype=np.float32)
    stack[1, 0, 0], stack[1, -1, -1], stack[2, 3, 4] = np.nan, -np.inf, np.inf
    record = Record.of(stack)
    weights = shape[1] * shape[2]
    assert record.nonfinite.tolist() == [0, 2, 1, 0]
    assert record.total.tolist() == [weights, weights - 2, weights - 1, weights]
    assert record.energy.tolist() == [weights, weights - 2, weights - 1, weights]
    assert record.largest.tolist() == [1, 1, 1, 1]
    assert np.isnan(stack[1, 0, 0])  # the caller's array is left as it was
    assert record.nonfinite.dtype == np.int64


@pytest.mark.parametrize("shape", [(3, 16, 16), (3, 300, 300)], ids=str)
def test_huge_and_tiny_weights_are_finite(shape: tuple[int, int, int]) -> None:
    for size in (1e25, 1e-30):
        record = Record.of(np.full(shape, size, dtype=np.float32))
        assert record.nonfinite.sum() == 0
        assert record.energy / (shape[1] * shape[2]) == pytest.approx(size**2, rel=1e-6)
    overflown = Record.of(np.full(shape, 1e200))
    assert overflown.nonfinite.sum() == 0
    assert overflown.energy.tolist() == [math.inf] * 3
    assert overflown.largest.tolist() == [1e200] * 3
    # Sums of units that overflow to inf and to -inf have no total, and warn of nothing.
    opposed = Record.of(np.where(np.arange(shape[1])[:, None] % 2, 1e308, -1e308) * np.ones(shape))
    assert np.isnan(opposed.total).all()
    assert opposed.row_sum_energy.tolist() == [math.inf] * 3


@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 300, 300)], ids=str)
def test_largest_is_found_among_negative_weights_too(shape: tuple[int, int, int]) -> None:
    stack = np.ones(shape)
    stack[0, 2, 3] = -7.0
    assert Record.of(stack).largest.tolist() == [7.0]


def test_merging_appends_calls() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(5, 4, 6)), rng.normal(size=(2, 4, 6))
    merged, whole = Record.merged(Record.of(a), Record.of(b)), Record.of(np.concatenate([a, b]))
    assert merged.total == pytest.approx(whole.total)
    assert merged.largest == pytest.approx(whole.largest)


def test_no_calls_are_no_entries_and_no_inputs_are_sums_of_nothing() -> None:
    assert len(Record.of(np.empty((0, 4, 5)))) == 0
    empty = Record.of(np.empty((3, 4, 0)))
    assert empty.largest.tolist() == empty.total.tolist() == [0, 0, 0]


@pytest.mark.parametrize("shape", [(1, 1024, 1024), (2000, 1, 1000)], ids=str)
def test_the_float64_copy_is_small_whatever_is_read(shape: tuple[int, int, int]) -> None:
    stack = np.ones(shape, dtype=np.float32)
    tracemalloc.start()
    Record.of(stack)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**21  # a float64 copy of everything would take 2^23 and more


@pytest.mark.parametrize("stack", [np.zeros((4, 5)), np.zeros((1, 2, 3), dtype=complex), np.full((1, 1, 1), "a")])
def test_other_things_are_refused(stack: np.ndarray) -> None:
    with pytest.raises(ValueError, match=": expected real weights as"):
        Record.of(stack)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("what", ["normal", "signs and zeros", "not finite", "of two dtypes"])
def test_records_of_many_small_stacks_are_those_of_each(dtype: str, what: str) -> None:
    rng = np.random.default_rng(8)
    stacks = []
    for _ in range(60):
        weights = rng.normal(size=rng.integers(1, 7, 3)).astype(dtype)
        if what == "signs and zeros":
            # Equal rows, rows of zeros and of negative zeros.
            weights = np.sign(weights) * rng.integers(0, 2, weights.shape).astype(dtype)
        stacks.append(weights.swapaxes(1, 2) if rng.integers(2) else weights)
    if what == "not finite":
        stacks[7][0, 0, 0] = np.nan
    if what == "of two dtypes":
        stacks[7] = stacks[7].astype("float64" if dtype == "float32" else "float32")
    for one, together in zip(map(Record.of, stacks), Record.of_each(stacks), strict=True):
        for name in ("nonfinite", "may_tie", "largest"):
            assert getattr(one, name).tolist() == getattr(together, name).tolist(), name
        for name in ("total", "energy", "row_sum_energy"):
            np.testing.assert_allclose(getattr(one, name), getattr(together, name), rtol=1e-13, atol=1e-14)
