"""DIFFERENT of one law comes no oftener than its level, whatever the law; SAME at the edge no oftener than beta."""

from __future__ import annotations

import numpy as np
import pytest
from comparison.laws_of_calls import (
    Law,
    autocorrelated,
    calls_of,
    calls_of_their_own_gain,
    cauchy,
    normal,
    orthogonal,
    rows_of_their_own_gain,
    scaled,
    sparse,
    uniform,
)
from scipy.stats import binom

from initcheck.comparison.call_scores import CallScores
from initcheck.comparison.exchange import Answer, compare

LAWS = [normal, uniform, cauchy, sparse, orthogonal, rows_of_their_own_gain, calls_of_their_own_gain, autocorrelated]
RUNS = 60
# A run whose count is above this is one that would come once in 10^6 were the level kept.
SURE = 1e-6


@pytest.mark.parametrize("law", LAWS)
def test_one_law_is_called_different_no_oftener_than_the_level(law: Law) -> None:
    rng = np.random.default_rng(17)
    found = [
        compare(calls_of(law, rng), calls_of(law, rng), alpha=0.2, first=32, most=128, same=False) for _ in range(RUNS)
    ]
    for level in (0.2, 0.05, 0.01):
        # A smaller level is reached later, never sooner: the e-value at the end bounds it.
        false = sum(run.answer is Answer.DIFFERENT and run.log10_e >= -np.log10(level) for run in found)
        assert binom.sf(false - 1, RUNS, level) > SURE, f"{false} of {RUNS} at {level}"


def test_two_at_the_edge_of_what_is_tolerated_are_called_the_same_no_oftener_than_beta() -> None:
    rng = np.random.default_rng(19)
    scores = CallScores(normal(4_000, rng), normal(4_000, rng))
    edge = scored = 1.0
    # The factor at which the energy of a call leaves its tolerance, found on many calls.
    energy = next(k for k, f in enumerate(scores.features) if f.name == "the energy of a call")
    while scored < scores.excluded[energy] or edge == 1.0:
        edge += 0.002
        scored = float(scores.of(scaled(normal, edge)(4_000, rng), normal(4_000, rng))[:, energy].mean())
    false = sum(
        compare(
            calls_of(scaled(normal, edge + 0.004), rng), calls_of(normal, rng), beta=0.2, alpha=1e-12, most=256
        ).answer
        is Answer.SAME
        for _ in range(RUNS)
    )
    assert binom.sf(false - 1, RUNS, 0.2) > SURE, f"{false} of {RUNS} at beta 0.2 and factor {edge:.3f}"


@pytest.mark.parametrize(
    ("other", "pairs"),
    [
        (scaled(normal, 1.06), 400),
        (uniform, 200),
        (autocorrelated, 200),
        (lambda k, rng: normal(k, rng) + 0.03, 600),
        (rows_of_their_own_gain, 200),
    ],
)
def test_small_differences_are_found(other: Law, pairs: int) -> None:
    rng = np.random.default_rng(23)
    found = [compare(calls_of(normal, rng), calls_of(other, rng)) for _ in range(10)]
    assert all(run.answer is Answer.DIFFERENT and run.pairs <= pairs for run in found)
