"""Position-wise permutation at every look: false alarms at 0.2, 0.05 and 0.01, and HOLDS of what tops half the time."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import average_log_e, rarely_top_log_e, tops_log_e
from initcheck.statistics.permutation import CALLS_A_BATCH, Positions, position_tops

RUNS, BATCHES, SHAPE = 250, 40, (6, 6)

LAWS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal, a scale a position": lambda rng, size: rng.normal(size=size) * np.linspace(0.01, 5, 36).reshape(6, 6),
    "signs, half of them masked": lambda rng, size: rng.choice([-1.0, 1.0], size) * (np.arange(6) % 2),
    "Cauchy": lambda rng, size: rng.standard_cauchy(size),
}


@pytest.mark.parametrize("name", LAWS)
def test_false_alarms_are_as_rare_as_said(name: str) -> None:
    rng = np.random.default_rng(5)
    draw, n = LAWS[name], np.arange(1, BATCHES + 1)
    largest = np.empty(RUNS)
    for run in range(RUNS):
        positions = Positions.learnt(draw(rng, (60, *SHAPE)))
        calls = draw(rng, (BATCHES * CALLS_A_BATCH, *SHAPE)).reshape(BATCHES, CALLS_A_BATCH, *SHAPE)
        tops = position_tops(calls, positions, rng)
        largest[run] = average_log_e(list(tops_log_e(np.cumsum(tops, axis=1), n))).max()
    for alpha in (0.2, 0.05, 0.01):
        alarms = int((largest >= -math.log(alpha)).sum())
        assert stats.binomtest(alarms, RUNS, alpha, alternative="greater").pvalue > 1e-4, (alpha, alarms)


def test_what_tops_in_half_the_batches_is_hardly_ever_said_to_hold() -> None:
    rng = np.random.default_rng(6)
    n = np.arange(1, 97)
    wrong = rarely_top_log_e(np.cumsum(rng.random((20_000, 96)) < 0.5, axis=1), n).max(axis=1)
    for beta in (0.2, 0.05, 0.01):
        count = int((wrong >= -math.log(beta)).sum())
        assert stats.binomtest(count, len(wrong), beta, alternative="greater").pvalue > 1e-4, (beta, count)
