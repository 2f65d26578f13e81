"""The band and its driver: edges, schedule, decisions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from initcheck.statistics import Decision, band_log_e, band_paths, judge_band


def test_value_on_the_edge_is_evidence_of_nothing() -> None:
    edge = np.full(48, 1.25)
    evidence = band_log_e(edge, np.ones(48), 0.8, 1.25)
    assert evidence.above < 0
    assert evidence.inside_hi < 0
    assert evidence.inside_lo > math.log(1e6)


def test_groups_without_a_value_are_evidence_of_nothing() -> None:
    """0/0 and NaN lie on no side of any edge, and warn of nothing."""
    for numer, denom in ((np.zeros(48), np.zeros(48)), (np.full(48, np.nan), np.ones(48))):
        evidence = band_log_e(numer, denom, 0.8, 1.25, mean_statistic=True)
        assert max(evidence.below, evidence.above, evidence.inside_lo, evidence.inside_hi) < 0


def test_before_the_first_look_there_is_no_evidence() -> None:
    evidence = band_log_e(np.ones(7), np.ones(7), 0.8, 1.25)
    assert (evidence.below, evidence.above, evidence.inside_lo, evidence.inside_hi) == (0, 0, 0, 0)


def test_infinite_edges_leave_an_edge_out() -> None:
    evidence = band_log_e(np.full(48, 1e9), np.ones(48), -math.inf, 2.0)
    assert evidence.fails > math.log(1e6)
    assert band_log_e(np.full(48, -1e9), np.ones(48), -math.inf, 2.0).holds > math.log(1e6)


def test_betting_joins_the_upper_edge_only_of_a_mean() -> None:
    numer = np.full(8, 125.0)
    without, joined = (band_log_e(numer, np.ones(8), 0.8, 1.25, mean_statistic=m) for m in (False, True))
    assert without.above < math.log(20)
    assert joined.above > math.log(1e12)
    assert joined.below == without.below


@pytest.mark.parametrize(
    ("band", "options", "sentence"),
    [
        ((1.25, 0.8), {}, "lower edges come first"),
        ((0.8, 1.25), {"holds_within": (2.0, 1.0)}, "lower edges come first"),
        ((-2.0, -1.0), {"mean_statistic": True}, "positive upper edge"),
        ((-2.0, 1.0), {"mean_statistic": True}, "must be >= 0"),
    ],
)
def test_impossible_bands_are_refused(band: tuple[float, float], options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        band_paths(np.full(8, -1.0), np.ones(8), *band, **options)


def constant(value: float) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    return lambda n: (np.full(n, value), np.ones(n))


def test_sound_value_holds_at_24_groups_and_confirmation_decides_at_its_first_batch() -> None:
    held = judge_band(constant(1.0), 0.8, 1.25, level=1e-2, max_groups=400)
    assert (held.decision, held.groups, held.looks, held.error_spent) == (Decision.HOLDS, 24, 3, 1e-3)
    assert held.e_value_log10 >= 3.0
    level = 1e-6 / 17 / 2
    failed = judge_band(constant(2.0), 0.8, 1.25, level=level, max_groups=400, fails_only=True)
    assert (failed.decision, failed.groups, failed.error_spent) == (Decision.FAILS, 56, level)
    assert failed.e_value_log10 >= -math.log10(level)


def test_batches_grow_by_half_in_multiples_of_eight_up_to_the_budget() -> None:
    asked: list[int] = []

    def undecided(n: int) -> tuple[np.ndarray, np.ndarray]:
        asked.append(n)
        return np.tile([0.5, 2.0], n // 2), np.ones(n)

    judgement = judge_band(undecided, 0.8, 1.25, level=1e-6, max_groups=150)
    assert asked == [24, 16, 24, 32, 48]
    assert (judgement.decision, judgement.groups, judgement.looks) == (Decision.UNDECIDED, 144, 18)


def test_confirmation_never_holds() -> None:
    judgement = judge_band(constant(1.0), 0.8, 1.25, level=1e-6, max_groups=200, fails_only=True)
    assert judgement.decision is Decision.UNDECIDED
    assert judgement.e_value_log10 < 0


def test_wider_band_for_holds() -> None:
    """Exactly on the edge of the claim, yet well within what counts as sound: shown sound, never failed."""
    judgement = judge_band(constant(1e-4), -1e-4, 1e-4, level=1e-2, max_groups=96, holds_within=(-0.005, 0.005))
    assert judgement.decision is Decision.HOLDS


def test_a_draw_that_runs_dry_ends_the_test() -> None:
    dry = iter([(np.ones(16), np.ones(16))])
    judgement = judge_band(lambda n: next(dry), 0.8, 1.25, level=1e-2, max_groups=400)
    assert (judgement.decision, judgement.groups, judgement.looks) == (Decision.UNDECIDED, 16, 2)


def test_inner_looks_of_a_batch_are_taken_in_order() -> None:
    """The e-value reported is that of the first look that decides, as a stopping rule demands."""
    judgement = judge_band(constant(125.0), 0.8, 1.25, level=1e-2, max_groups=400, mean_statistic=True)
    assert (judgement.decision, judgement.looks, judgement.groups) == (Decision.FAILS, 1, 24)


def test_budget_below_the_first_look_is_refused() -> None:
    with pytest.raises(ValueError, match="max_groups=7"):
        judge_band(constant(1.0), 0.8, 1.25, level=1e-2, max_groups=7)


def test_confirmation_of_a_mean_starts_early_and_bets_on_single_calls() -> None:
    asked: list[int] = []

    def calls(n: int) -> tuple[np.ndarray, np.ndarray]:
        asked.append(n)
        return np.full((n, 16), 2.5), np.ones((n, 16))

    options = {"level": 1e-6, "max_groups": 400, "mean_statistic": True}
    judgement = judge_band(calls, 0.8, 1.25, fails_only=True, **options)
    assert (judgement.decision, judgement.groups, judgement.looks, asked) == (Decision.FAILS, 4, 1, [4])
    assert judgement.measured == 2.5
    asked.clear()
    judge_band(calls, 0.8, 1.25, **options)
    assert asked == [24]
    asked.clear()
    judge_band(calls, 0.8, 1.25, early=True, **options)
    assert asked == [4]
    asked.clear()
    judge_band(calls, 0.8, 1.25, fails_only=True, **{**options, "mean_statistic": False})
    assert asked == [48]


def test_early_start_of_a_sound_mean_goes_on_to_the_ordinary_batches() -> None:
    asked: list[int] = []

    def calls(n: int) -> tuple[np.ndarray, np.ndarray]:
        asked.append(n)
        return np.ones((n, 2)), np.ones((n, 2))

    options = {"fails_only": True, "mean_statistic": True}
    judgement = judge_band(calls, 0.8, 1.25, level=1e-6, max_groups=80, **options)
    assert asked == [4, 2, 2, 8, 16, 16, 24, 8]
    assert (judgement.decision, judgement.groups) == (Decision.UNDECIDED, 80)


def test_two_edges_share_the_evidence_against_a_band() -> None:
    rng = np.random.default_rng(0)
    paths = band_paths(rng.normal(1.2, 0.3, 96), np.ones(96), 0.8, 1.25)
    assert np.exp(paths.fails) == pytest.approx((np.exp(paths.below) + np.exp(paths.above)) / 2)
    assert np.all(paths.holds <= np.minimum(paths.inside_lo, paths.inside_hi))
