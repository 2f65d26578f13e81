"""The cause of what is packed and drawn at once, against its pieces drawn apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from initcheck.comparison.causes.difference import cause_of_difference
from initcheck.comparison.causes.differing import Sides
from initcheck.comparison.causes.sides import Side
from initcheck.comparison.exchange import compare
from initcheck.contract.layer import Layer

SHAPE, WHOLE = (24, 24), (72, 24)


def _said(one: Any, other: Any, packed: tuple[str, tuple[int, ...]] | None = None) -> str:
    shown = compare(lambda i, j: one[i:j], lambda i, j: other[i:j], first=32, most=64, same=False)
    shape = one.shape[1:]
    ratio = float(np.square(other).mean() / np.square(one).mean())
    a, b = (Side({Layer(shape): calls}) for calls in (one, other))
    return cause_of_difference(
        Sides(a, b, shown.feature.name, shown.kinds, ((ratio, 0.001),), shape=shape, packed=packed)
    ).sentence


@pytest.mark.parametrize(
    ("variance", "packed", "named"),
    [
        (2 / 96, ("A", WHOLE), True),  # Glorot's law of the packed matrix
        (2 / 96, None, False),  # of a matrix that is its own
        (1 / 96, ("A", WHOLE), False),  # of no formula that the pieces follow
    ],
)
def test_a_packed_matrix_drawn_at_once_is_named(
    variance: float, packed: tuple[str, tuple[int, ...]] | None, named: bool
) -> None:
    rng = np.random.default_rng(7)
    said = _said(*(math.sqrt(v) * rng.standard_normal((64, *SHAPE)) for v in (variance, 2 / 48)), packed)
    assert ("counts all pieces in A" in said) is named, said


@pytest.mark.parametrize(
    ("variances", "said"),
    [
        ((2 / 34, 2 / 106), "B draws the packed matrix (96, 10) at once, and A each of its pieces (24, 10)"),
        ((2 / 106, 2 / 58), "A draws the packed matrix (96, 10) at once, and B each of its pieces (48, 10)"),
        ((1 / 96, 2 / 96), "A's variance is 1/fan_out, B's is 2/fan_out"),  # a gain, and no pieces
    ],
)
def test_gates_that_one_side_draws_apart_are_named_where_both_hold_them_packed(
    variances: tuple[float, float], said: str
) -> None:
    rng = np.random.default_rng(9)
    assert said in _said(*(math.sqrt(v) * rng.standard_normal((64, 96, 10)) for v in variances))


@pytest.mark.parametrize(("pieces", "said"), [(4, "as 4 orthogonal pieces under one another"), (0, "gain of A is 2.5")])
def test_orthogonal_gates_under_one_another_are_a_larger_gain(pieces: int, said: str) -> None:
    rng = np.random.default_rng(8)
    other = np.linalg.qr(rng.standard_normal((64, 32, 8)))[0]
    gates = [np.linalg.qr(rng.standard_normal((64, 8, 8)))[0] for _ in range(4)]
    one = np.concatenate(gates, axis=1) if pieces else 2.5 * np.linalg.qr(rng.standard_normal((64, 32, 8)))[0]
    assert said in _said(one, other)
