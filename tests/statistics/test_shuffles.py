"""Ranks among shuffles."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initcheck.statistics import SHUFFLES, rarely_top_log_e, tops, tops_log_e


def test_only_the_strictly_largest_is_a_top() -> None:
    shuffled = np.tile(np.arange(19.0), (4, 1))
    assert tops(np.array([18.5, 18.0, 3.0, np.nan]), shuffled).tolist() == [True, False, False, False]


def test_shapes_must_belong_together() -> None:
    with pytest.raises(ValueError, match=r"expected \(calls,\) and \(calls, 19\)"):
        tops(np.zeros(3), np.zeros((3, 18)))
    with pytest.raises(ValueError, match="expected"):
        tops(np.zeros((3, 1)), np.zeros((3, 19)))


def test_permutations_of_independent_entries_top_one_call_in_twenty() -> None:
    """On real shuffles: variance of the row means, of independent and of row-wise shifted entries."""
    rng = np.random.default_rng(0)
    calls = 400

    def share(shift: float) -> float:
        draws = rng.normal(size=(calls, 6, 6)) + shift * rng.normal(size=(calls, 6, 1))
        flat = np.repeat(draws.reshape(calls, 1, 36), SHUFFLES, axis=1)
        shuffled = rng.permuted(flat, axis=2).reshape(calls, SHUFFLES, 6, 6)
        return float(tops(draws.mean(axis=2).var(axis=1), shuffled.mean(axis=3).var(axis=2)).mean())

    assert share(0.0) < 0.05 + 5 * math.sqrt(0.05 * 0.95 / calls)
    assert share(1.0) > 0.8


def test_directions_of_the_two_processes() -> None:
    assert tops_log_e(6, 6) > math.log(1e7)
    assert tops_log_e(0, 60) < 0
    assert rarely_top_log_e(0, 11) > math.log(1e3)
    assert rarely_top_log_e(11, 11) < 0
