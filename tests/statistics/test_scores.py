"""Bets on bounded scores: calibrated on the edge of what is tolerated, and able to find what is beyond."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import average_log_e, betting_log_e, scores_log_e, shares_log_e

RUNS = 2_000


def signs(rng: np.random.Generator, mean: float, calls: int, scores: int) -> np.ndarray:
    """The law of largest variance on [-1, 1] with that mean: the hardest to tell from its edge."""
    return np.where(rng.random((calls, scores)) < (1 + mean) / 2, 1.0, -1.0)


@pytest.mark.long
@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01])
def test_a_mean_on_the_edge_is_accused_no_more_often_than_alpha_at_any_look(alpha: float) -> None:
    rng = np.random.default_rng(11)
    accused = sum(
        scores_log_e(signs(rng, 0.1, 60, 3), 0.1, 0.5).against.max() >= math.log(1 / alpha) for _ in range(RUNS)
    )
    assert accused <= RUNS * alpha + 4 * math.sqrt(RUNS * alpha)


@pytest.mark.long
@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01])
def test_a_mean_on_the_excluded_edge_is_cleared_no_more_often_than_alpha(alpha: float) -> None:
    rng = np.random.default_rng(12)
    cleared = 0
    for _ in range(RUNS):
        scores = np.concatenate([np.zeros((60, 2)), -signs(rng, 0.4, 60, 1)], axis=1)
        cleared += scores_log_e(scores, 0.1, 0.4).inside.max() >= math.log(1 / alpha)
    assert cleared <= RUNS * alpha + 4 * math.sqrt(RUNS * alpha)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_mean_beyond_what_is_tolerated_is_found_in_either_direction(sign: int) -> None:
    scores = np.zeros((700, 8))
    scores[:, 3] = sign * 0.05
    evidence = scores_log_e(scores, 0.01, 0.03)
    assert evidence.against[-1] > math.log(1e8)
    assert evidence.inside[-1] < 0


def test_a_share_is_found_from_few_calls() -> None:
    # One weight in 1,000 outside a support where one in 10,000 is tolerated.
    share = np.full((20, 1), 1e-3)
    assert scores_log_e(share, 1e-4, 0.03, lowest=0.0).against[-1] > math.log(1e8)


def test_a_missing_number_counts_for_the_initializer() -> None:
    assert scores_log_e(np.full((100, 2), np.nan), 0.01, 0.03).against[-1] < 0


def test_contradictory_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="lowest < tolerated < excluded < 1"):
        scores_log_e(np.zeros((3, 2)), 0.03, 0.03)
    with pytest.raises(ValueError, match="excluded < 1"):
        scores_log_e(np.zeros((3, 2)), 0.03, 1.0)
    with pytest.raises(ValueError, match="lowest < tolerated"):
        scores_log_e(np.zeros((3, 2)), 0.0, 0.03, lowest=0.0)


def test_every_bet_stakes_all_that_the_bounds_allow() -> None:
    """Each process is scaled so that its worst value is -1 exactly: a smaller stake would be safe, and slow."""
    scores = np.random.default_rng(13).uniform(0.1, 1.0, (40, 2))
    evidence = scores_log_e(scores, [0.1, 0.2], 0.4, lowest=[0.0, 0.1])
    against = [
        betting_log_e((s - t) / (t - low), 1.0) for s, t, low in zip(scores.T, [0.1, 0.2], [0.0, 0.1], strict=True)
    ]
    against += [betting_log_e((-s - t) / (1 + t), 1.0) for s, t in zip(scores.T, [0.1, 0.2], strict=True)]
    inside = [betting_log_e((0.4 - sign * s) / 0.6, 1.0) for s in scores.T for sign in (1, -1)]
    assert evidence.against == pytest.approx(average_log_e(against))
    assert evidence.inside == pytest.approx(np.min(inside, axis=0))
    assert scores_log_e(-scores, 0.1, 0.4).inside == pytest.approx(evidence.inside)


def shares_of(scales: np.ndarray, calls: int, seed: int = 0) -> np.ndarray:
    energy = np.random.default_rng(seed).chisquare(8, (calls, len(scales))) * scales
    return np.asarray(energy / energy.sum(axis=1, keepdims=True))


def test_equal_shares_are_inside_and_a_loud_or_a_quiet_unit_is_found() -> None:
    equal, loud, quiet = np.ones(16), np.ones(16), np.ones(16)
    loud[5], quiet[9] = 4.0, 0.01
    lo, hi = 1 / 32, 1 / 8
    evidence = shares_log_e(shares_of(equal, 300), lo, hi)
    assert evidence.inside[-1] > math.log(1e3)
    assert evidence.against.max() < math.log(20)
    for scales in (loud, quiet):
        evidence = shares_log_e(shares_of(scales, 1_500), lo, hi)
        assert evidence.against[-1] > math.log(1e8)
        assert evidence.inside[-1] < 0


def test_units_on_the_edge_alarm_and_hold_as_rarely_as_said() -> None:
    """Shares whose means lie exactly on the edges: one unit at twice, one at half of its part."""
    rng = np.random.default_rng(1)
    lo, hi = 1 / 8, 1 / 2
    mean = np.array([hi, lo, 0.1875, 0.1875])
    against, inside = [], []
    for _ in range(250):
        shares = rng.dirichlet(6 * mean, 120)
        evidence = shares_log_e(shares, lo, hi)
        against.append(evidence.against.max())
        inside.append(evidence.inside.max())
    for alpha in (0.2, 0.05, 0.01):
        allowed = stats.binom.isf(1e-6, 250, alpha)
        assert np.sum(np.array(against) >= -math.log(alpha)) <= allowed
        assert np.sum(np.array(inside) >= -math.log(alpha)) <= allowed


def test_two_units_cannot_have_more_than_twice_their_share() -> None:
    evidence = shares_log_e(np.tile([0.98, 0.02], (60, 1)), 0.25, 1.0)
    assert evidence.against[-1] > math.log(1e3)
    with pytest.raises(ValueError, match="expected"):
        shares_log_e(np.array([[1.2, -0.2]]), 0.25, 0.5)
