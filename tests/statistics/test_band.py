"""The band and its driver: edges, schedule, decisions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from initcheck.statistics import BandEvidence, Decision, Judgement, band, band_paths, betting_log_e, judge_band
from initcheck.statistics.mean_bets import above_log_e, below_log_e


def at_the_last_look(*asked: Any, **options: Any) -> BandEvidence:
    paths = band_paths(*asked, **options)
    return BandEvidence(*(p[-1] for p in (paths.below, paths.above, paths.inside_lo, paths.inside_hi)))


def test_value_on_the_edge_is_evidence_of_nothing() -> None:
    upper = at_the_last_look(np.full(48, 1.25), np.ones(48), 0.8, 1.25)
    assert max(upper.above, upper.inside_hi) < 0
    assert upper.inside_lo > math.log(1e6)
    lower = at_the_last_look(np.full(48, 0.8), np.ones(48), 0.8, 1.25)
    assert max(lower.below, lower.inside_lo) < 0
    assert lower.inside_hi > math.log(1e6)


def test_groups_without_a_value_are_evidence_of_nothing() -> None:
    """0/0, 1/0 and NaN lie on no side of any edge, and warn of nothing."""
    for numer, denom in (
        (np.zeros(48), np.zeros(48)),
        (np.ones(48), np.zeros(48)),
        (np.full(48, np.nan), np.ones(48)),
    ):
        evidence = at_the_last_look(numer, denom, 0.8, 1.25, mean_statistic=True)
        assert max(evidence.below, evidence.above, evidence.inside_lo, evidence.inside_hi) < 0
        judgement = judge_band(
            lambda n, t=numer, d=denom: (t[:n], d[:n]), 0.8, 1.25, level=1e-2, max_groups=48, mean_statistic=True
        )
        assert judgement.decision is Decision.UNDECIDED


def test_before_the_first_look_there_is_no_evidence() -> None:
    evidence = band_paths(np.ones(7), np.ones(7), 0.8, 1.25, mean_statistic=True)
    assert {p.size for p in (evidence.below, evidence.above, evidence.inside_lo, evidence.inside_hi)} == {0}


def test_infinite_edges_leave_an_edge_out() -> None:
    evidence = at_the_last_look(np.full(48, 1e9), np.ones(48), -math.inf, 2.0)
    assert evidence.fails > math.log(1e6)
    assert at_the_last_look(np.full(48, -1e9), np.ones(48), -math.inf, 2.0).holds > math.log(1e6)


def test_of_a_mean_bets_decide_what_fails_and_signs_what_holds() -> None:
    numer = np.full(8, 125.0)
    signs, bets = (at_the_last_look(numer, np.ones(8), 0.8, 1.25, mean_statistic=m) for m in (False, True))
    assert signs.above < math.log(20)
    assert bets.above == above_log_e(numer, 1.25)[-1] > math.log(1e12)
    assert bets.below == below_log_e(numer, 0.8)[-1] < 0
    assert (bets.inside_lo, bets.inside_hi) == (signs.inside_lo, signs.inside_hi)


@pytest.mark.parametrize(
    ("band", "options", "sentence"),
    [
        ((1.25, 0.8), {}, "the lower edge comes first"),
        ((1.0, 1.0), {}, "the lower edge comes first"),
        ((-2.0, -1.0), {"mean_statistic": True}, "positive upper edge"),
        ((-2.0, 1.0), {"mean_statistic": True}, "must be >= 0"),
    ],
)
def test_impossible_bands_are_refused(band: tuple[float, float], options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        band_paths(np.full(8, -1.0), np.ones(8), *band, **options)


def test_a_mean_may_be_zero_but_its_upper_edge_may_not() -> None:
    assert band_paths(np.zeros(8), np.ones(8), 0.2, 0.5, mean_statistic=True).above[0] < 0
    with pytest.raises(ValueError, match="positive upper edge"):
        band_paths(np.zeros(8), np.ones(8), -1.0, 0.0, mean_statistic=True)


def test_evidence_against_a_mean_is_the_bets_of_every_sequence() -> None:
    numer = np.random.default_rng(1).gamma(3.0, 0.5, (2, 3, 24))
    denom = np.random.default_rng(2).uniform(0.5, 1.5, (2, 3, 24))
    paths = band_paths(numer, denom, 0.8, 1.25, mean_statistic=True)
    assert paths.above == pytest.approx(betting_log_e(numer / denom / 1.25 - 1.0, 1.0)[..., 7::8])
    assert paths.below == pytest.approx(below_log_e(numer / denom, 0.8)[..., 7::8])
    alone = at_the_last_look(numer[1, 2], denom[1, 2], 0.8, 1.25, mean_statistic=True)
    for name in ("below", "above", "inside_lo", "inside_hi"):
        assert getattr(alone, name) == pytest.approx(getattr(paths, name)[1, 2, -1])


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
        return np.resize([0.5, 2.0], n), np.ones(n)

    judgement = judge_band(undecided, 0.8, 1.25, level=1e-6, max_groups=150)
    assert asked == [24, 16, 24, 32, 48]
    assert (judgement.decision, judgement.groups, judgement.looks) == (Decision.UNDECIDED, 144, 18)
    asked.clear()
    smallest = judge_band(undecided, 0.8, 1.25, level=1e-6, first=8, max_groups=8, mean_statistic=True, early=True)
    assert (asked, smallest.looks) == ([1, 3, 4], 3)


def test_confirmation_never_holds() -> None:
    judgement = judge_band(constant(1.0), 0.8, 1.25, level=1e-6, max_groups=200, fails_only=True)
    assert judgement.decision is Decision.UNDECIDED
    assert judgement.e_value_log10 < 0


def test_a_draw_that_runs_dry_ends_the_test() -> None:
    dry = iter([(np.ones(16), np.ones(16))])
    judgement = judge_band(lambda n: next(dry), 0.8, 1.25, level=1e-2, max_groups=400)
    assert (judgement.decision, judgement.groups, judgement.looks) == (Decision.UNDECIDED, 16, 2)
    evidence = at_the_last_look(np.ones(16), np.ones(16), 0.8, 1.25)
    assert judgement.e_value_log10 == pytest.approx(evidence.holds / math.log(10))
    nothing = judge_band(lambda n: (np.empty(0), np.empty(0)), 0.8, 1.25, level=1e-2, max_groups=400)
    assert (nothing.decision, nothing.groups, nothing.looks) == (Decision.UNDECIDED, 0, 0)
    assert nothing.e_value_log10 == 0.0
    assert math.isnan(nothing.measured)


def test_only_a_mean_statistic_must_not_be_negative() -> None:
    assert judge_band(constant(-0.5), -1.0, 1.0, level=1e-2, max_groups=24).decision is Decision.HOLDS


def test_sums_of_short_floats_do_not_overflow() -> None:
    def calls(n: int) -> tuple[np.ndarray, np.ndarray]:
        return np.full((n, 2), 60_000, dtype=np.float16), np.ones((n, 2), dtype=np.float16)

    judgement = judge_band(calls, 59_000.0, 61_000.0, level=1e-2, max_groups=24, mean_statistic=True)
    assert (judgement.decision, judgement.measured) == (Decision.HOLDS, 60_000.0)


def test_inner_looks_of_a_batch_are_taken_in_order() -> None:
    """The e-value reported is that of the first look that decides, as a stopping rule demands."""
    judgement = judge_band(constant(125.0), 0.8, 1.25, level=1e-2, max_groups=400, mean_statistic=True)
    assert (judgement.decision, judgement.looks, judgement.groups) == (Decision.FAILS, 1, 24)
    evidence = at_the_last_look(np.full(8, 125.0), np.ones(8), 0.8, 1.25, mean_statistic=True)
    assert judgement.e_value_log10 == pytest.approx(evidence.fails / math.log(10))


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
    assert (judgement.decision, judgement.groups, judgement.looks, asked) == (Decision.FAILS, 4, 2, [1, 3])
    assert judgement.measured == 2.5
    # Four groups of 16 calls, each of which doubles the edge; the upper edge has half of the average.
    assert judgement.e_value_log10 == pytest.approx((betting_log_e(np.ones(64), 1.0)[-1] - math.log(2)) / math.log(10))
    asked.clear()
    judge_band(calls, 0.8, 1.25, **options)
    assert asked == [24]
    asked.clear()
    judge_band(calls, 0.8, 1.25, early=True, **options)
    assert asked == [1, 3]
    asked.clear()
    judge_band(calls, 0.8, 1.25, fails_only=True, **{**options, "mean_statistic": False})
    assert asked == [48]


def test_a_mean_is_failed_from_below_after_the_groups_asked_for_and_on_the_first_look_that_sufficed() -> None:
    options = {"level": 1e-6, "max_groups": 400, "fails_only": True, "mean_statistic": True}
    soon = judge_band(constant(0.2), 0.8, 1.25, **options)
    late = judge_band(constant(0.2), 0.8, 1.25, below_after=100, **options)
    assert soon.decision is late.decision is Decision.FAILS
    assert soon.groups < 100 <= late.groups
    assert soon.e_value_log10 == late.e_value_log10
    # No more than the budget, and nothing of what lies above.
    assert judge_band(constant(0.2), 0.8, 1.25, below_after=1000, **options).decision is Decision.FAILS
    above = judge_band(constant(9.0), 0.8, 1.25, below_after=100, **options)
    assert above == judge_band(constant(9.0), 0.8, 1.25, **options)

    # What comes late takes it back.
    values = itertools.chain([0.2] * 60, itertools.repeat(2.0))
    taken_back = judge_band(
        lambda n: (np.array([next(values) for _ in range(n)]), np.ones(n)), 0.8, 2.5, below_after=200, **options
    )
    assert taken_back.decision is Decision.UNDECIDED


def test_early_start_of_a_sound_mean_goes_on_to_the_ordinary_batches() -> None:
    asked: list[int] = []

    def calls(n: int) -> tuple[np.ndarray, np.ndarray]:
        asked.append(n)
        return np.ones((n, 2)), np.ones((n, 2))

    options = {"fails_only": True, "mean_statistic": True}
    judgement = judge_band(calls, 0.8, 1.25, level=1e-6, max_groups=80, **options)
    assert asked == [1, 3, 4, 8, 16, 16, 16, 16]
    assert (judgement.decision, judgement.groups, judgement.looks) == (Decision.UNDECIDED, 80, 2 + 10)


def test_two_edges_share_the_evidence_against_a_band() -> None:
    rng = np.random.default_rng(0)
    paths = band_paths(rng.normal(1.2, 0.3, 96), np.ones(96), 0.8, 1.25)
    assert np.exp(paths.fails) == pytest.approx((np.exp(paths.below) + np.exp(paths.above)) / 2)
    assert np.all(paths.holds <= np.minimum(paths.inside_lo, paths.inside_hi))


def cycle(usual: float, other: float) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Seven groups of one value, then one of another, over and over; of two calls each, with denominators of 2."""
    values = itertools.cycle([usual] * 7 + [other])

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        return np.outer([next(values) for _ in range(n)], [1.0, 3.0]), np.full((n, 2), 2.0)

    return draw


@pytest.mark.parametrize(
    ("usual", "other", "lo", "hi", "said"),
    [
        (2.0, 0.0, 0.5, 1.25, Decision.FAILS),  # mean 1.75
        (1.5, 0.0, 0.5, 1.375, Decision.UNDECIDED),  # most groups lie above, the mean inside
        (0.75, 4.0, 1.0, 4.0, Decision.UNDECIDED),  # most lie below, the mean inside
        (1.125, 0.125, 0.5, 1.0, Decision.UNDECIDED),  # the mean is the upper edge exactly
        (0.875, 1.875, 1.0, 4.0, Decision.UNDECIDED),  # the mean is the lower edge exactly
        (1.125, 4.0, 0.5, 1.25, Decision.UNDECIDED),  # most lie inside, the mean above
        (1.125, 0.0, 1.0, 4.0, Decision.UNDECIDED),  # most lie inside, the mean below
        (0.875, 1.875, 0.5, 1.0, Decision.HOLDS),  # most lie inside, the mean is the upper edge exactly
        (1.125, 0.125, 1.0, 4.0, Decision.HOLDS),  # most lie inside, the mean is the lower edge exactly
    ],
)
def test_a_mean_is_not_decided_against_the_mean_of_what_was_drawn(
    usual: float, other: float, lo: float, hi: float, said: Decision
) -> None:
    # Eight of these groups merged are the mean itself, and decide with more of them.
    options = {"level": 1e-2, "max_groups": 144}
    assert judge_band(cycle(usual, other), lo, hi, mean_statistic=True, **options).decision is said
    # Of another statistic the signs decide alone.
    inside = lo < usual < hi
    alone = judge_band(cycle(usual, other), lo, hi, **options)
    assert alone.decision is (Decision.HOLDS if inside else Decision.FAILS)


def test_the_mean_that_guards_a_look_is_of_no_later_group() -> None:
    held = judge_band(cycle(1.0, 1.0), 0.8, 1.25, level=1e-2, first=96, max_groups=96, mean_statistic=True)
    assert (held.decision, held.looks) == (Decision.HOLDS, 3)


def test_the_mean_that_guards_a_look_is_of_all_groups_before_it() -> None:
    """The first of eight groups is large: the mean comes down to the upper edge with the last of them."""
    values = itertools.cycle([1.875] + [0.875] * 7)
    judgement = judge_band(
        lambda n: (np.array([next(values) for _ in range(n)]), np.ones(n)),
        0.5,
        1.0,
        level=1e-2,
        max_groups=144,
        mean_statistic=True,
    )
    assert judgement.decision is Decision.HOLDS


@pytest.mark.parametrize(
    ("other", "bets_beta", "bets_after", "said"),
    [
        (1.5, 1e-3, 0, Decision.HOLDS),
        (1.5, 0.0, 0, Decision.UNDECIDED),  # the signs alone
        (1.5, 1e-3, 1_000, Decision.HOLDS),  # at the end of a smaller budget
        (2.0, 1e-3, 0, Decision.UNDECIDED),  # the mean is the upper edge exactly
        (1.1, 1e-3, 0, Decision.UNDECIDED),  # the mean is the lower edge exactly
    ],
)
def test_bets_hold_a_mean_of_groups_that_are_not_alike(
    other: float, bets_beta: float, bets_after: int, said: Decision
) -> None:
    """Every other eight groups lie below the band: the signs never say that the value does not."""
    values = itertools.cycle([0.5] * 8 + [other] * 8)

    def groups(n: int) -> tuple[np.ndarray, np.ndarray]:
        return np.array([next(values) for _ in range(n)]), np.ones(n)

    options = {"level": 1e-6, "max_groups": 400, "mean_statistic": True}
    judgement = judge_band(groups, 0.8, 1.25, bets_beta=bets_beta, bets_after=bets_after, **options)
    assert judgement.decision is said


def test_a_huge_value_after_the_look_keeps_a_mean_from_failing_from_below() -> None:
    """Nothing but zeros at the look, and in the same batch the weight that carries the mean."""
    drawn = np.zeros(40)
    options = {"level": 1e-6, "first": 40, "max_groups": 40, "mean_statistic": True, "below_after": 16}
    assert judge_band(lambda n: (drawn[:n], np.ones(n)), 0.8, 1.25, **options).decision is Decision.FAILS
    drawn[30] = 40.0
    assert judge_band(lambda n: (drawn[:n], np.ones(n)), 0.8, 1.25, **options).decision is Decision.UNDECIDED


def test_an_early_start_finds_what_is_too_small_with_all_that_was_drawn() -> None:
    def calls(n: int) -> tuple[np.ndarray, np.ndarray]:
        return np.full((n, 16), 0.2), np.ones((n, 16))

    options = {"level": 1e-6, "max_groups": 400, "mean_statistic": True, "fails_only": True}
    judgement = judge_band(calls, 0.8, 1.25, **options)
    assert (judgement.decision, judgement.groups, judgement.looks) == (Decision.FAILS, 4, 2)
    both = np.logaddexp(below_log_e(np.full(64, 0.2), 0.8)[-1], betting_log_e(np.full(64, 0.2) / 1.25 - 1, 1.0)[-1])
    assert judgement.e_value_log10 == pytest.approx((both - math.log(2)) / math.log(10))


def test_what_is_failed_from_below_after_many_groups_is_failed_at_the_last_look_of_a_smaller_budget() -> None:
    options = {"level": 1e-6, "mean_statistic": True, "fails_only": True, "below_after": 1000}
    judgement = judge_band(constant(0.2), 0.8, 1.25, max_groups=150, **options)
    assert (judgement.decision, judgement.groups) == (Decision.FAILS, 144)


@pytest.mark.parametrize(("below_after", "groups"), [(4, 4), (6, 8), (7, 8), (40, 48)])
def test_a_wait_keeps_the_evidence_of_the_early_look_that_sufficed(below_after: int, groups: int) -> None:
    def calls(n: int) -> tuple[np.ndarray, np.ndarray]:
        return np.full((n, 16), 0.2), np.ones((n, 16))

    options = {"level": 1e-6, "max_groups": 400, "mean_statistic": True, "fails_only": True}
    waited = judge_band(calls, 0.8, 1.25, below_after=below_after, **options)
    assert (waited.decision, waited.groups) == (Decision.FAILS, groups)
    assert waited.e_value_log10 == judge_band(calls, 0.8, 1.25, **options).e_value_log10


def test_what_fails_from_above_in_the_end_does_not_wait() -> None:
    """All calls of the first groups are zero, and one of the last is huge: the end of the sequence counts."""
    first = np.zeros((4, 64))
    first[3, 63] = 1e15
    drawn = iter([first])
    options = {"level": 1e-6, "max_groups": 400, "mean_statistic": True, "fails_only": True, "below_after": 1000}
    judgement = judge_band(lambda n: (next(drawn), np.ones((4, 64))), 0.8, 1.25, **options)
    assert (judgement.decision, judgement.groups) == (Decision.FAILS, 4)


def test_evidence_that_is_gone_by_the_end_is_not_reported() -> None:
    values = iter([0.01] * 8 + [1.0] * 8)
    judgement = judge_band(
        lambda n: (np.array([next(values) for _ in range(n)]), np.ones(n)),
        0.8,
        1.25,
        level=1e-2,
        max_groups=16,
        mean_statistic=True,
        fails_only=True,
        below_after=1000,
    )
    assert judgement.decision is Decision.UNDECIDED
    assert judgement.e_value_log10 < 2.0


def _groups_of(mean: float, seed: int):
    rng = np.random.default_rng(seed)
    return lambda n: (mean * rng.chisquare(256, n) / 256, np.ones(n))


@pytest.mark.parametrize("mean", [0.8, 1.25])
@pytest.mark.parametrize("fails_only", [False, True])
def test_what_neither_answer_is_in_reach_of_is_not_drawn(mean: float, fails_only: bool) -> None:
    """On an edge nothing can be shown: a part of the budget says so; near the middle of the band all may be needed."""
    drawn = []
    for seed in range(20):
        judged = judge_band(
            _groups_of(mean, seed), 0.8, 1.25, level=1e-8, max_groups=800, mean_statistic=True, fails_only=fails_only
        )
        assert judged.decision is Decision.UNDECIDED
        drawn.append(judged.groups)
    assert np.median(drawn) <= (400 if fails_only else 600)


def test_where_a_huge_value_came_early_it_is_the_mean_that_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of groups would hold: of typical values most lie inside. But the mean so far contradicts them."""
    stopped: list[float] = []
    decided = band._out_of_reach

    def heard(numer, denom, *asked):
        gives_up = decided(numer, denom, *asked)
        stopped.extend([float(numer.mean())] * gives_up)
        return gives_up

    monkeypatch.setattr(band, "_out_of_reach", heard)

    def groups(rng: np.random.Generator, n: int):
        typical = np.where(rng.random(n) < 0.12, 0.5, 0.95 + 0.05 * rng.standard_normal(n))
        return np.where(rng.random(n) < 1e-3, 150.0, typical), np.ones(n)

    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        judged = judge_band(
            lambda n, rng=rng: groups(rng, n), 0.8, 1.25, level=3e-8, max_groups=585, mean_statistic=True, early=True,
            below_after=200, at_once=True, bets_beta=1e-4, bets_after=200,
        )  # fmt: skip
        held += judged.decision is Decision.HOLDS
    assert held >= 50
    assert len(stopped) >= 3
    assert min(stopped) > 1.25


def test_giving_up_costs_hardly_any_power(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a factor beyond the edge that about half of the runs find, as many find it."""

    def found() -> int:
        judged = (
            judge_band(_groups_of(1.345, seed), 0.8, 1.25, level=1e-8, max_groups=320, mean_statistic=True, early=True)
            for seed in range(60)
        )
        return sum(j.decision is Decision.FAILS for j in judged)

    with_it = found()
    monkeypatch.setattr(band, "_out_of_reach", lambda *_: False)
    without = found()
    assert 10 <= without <= 50
    assert without - with_it <= 2


def test_a_screen_goes_on_only_where_its_confirmation_is_in_reach() -> None:
    """Beyond the edge by so little that 10^-2 is in reach of the budget and 10^-8 is not; a wide one is found."""

    def judged(mean: float, seed: int, confirmed_at: float | None) -> Judgement:
        return judge_band(
            _groups_of(mean, seed), 0.8, 1.25, level=1e-2, max_groups=320, mean_statistic=True, holds_no_more=True,
            confirmed_at=confirmed_at,
        )  # fmt: skip

    near = [[judged(1.27, seed, at).groups for seed in range(20)] for at in (None, 1e-8)]
    assert np.mean(near[1]) < 0.6 * np.mean(near[0])
    assert all(judged(1.6, seed, 1e-8).decision is Decision.FAILS for seed in range(20))


def test_no_more_is_drawn_for_a_failure_from_below_that_nobody_would_believe() -> None:
    """A heavy tail keeps the mean below its edge for ever: without it the same draws go on."""
    rng = np.random.default_rng(0)

    def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
        return 0.75 * rng.gamma(0.02, 50.0, (n, 4)), np.ones((n, 4))

    groups = [
        judge_band(
            drawn,
            0.8,
            1.25,
            level=1e-9,
            max_groups=2_000,
            mean_statistic=True,
            holds_no_more=True,
            below_after=1_900,
            from_below=believed,
        ).groups
        for believed in (True, False)
    ]
    assert groups[1] < groups[0] / 2
