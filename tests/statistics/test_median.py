"""The exact sign test of the median: tails, looks, thresholds, decisions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from initcheck.statistics import Decision, judge_median, looks, median_log_p
from initcheck.statistics.median import thresholds


@pytest.mark.parametrize("n", [1, 2, 7, 12, 101, 800])
def test_tail_is_the_binomial_tail(n: int) -> None:
    for k in {0, 1, n // 4, n // 2, n // 2 + 1, 3 * n // 4, n - 1, n, n + 1}:
        exact = sum(math.comb(n, i) for i in range(k, n + 1))
        expected = math.log(exact) - n * math.log(2) if exact else -math.inf
        assert median_log_p(k, n) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_tail_of_ten_million_values() -> None:
    assert median_log_p(5_005_000, 10**7) == pytest.approx(stats.binom.logsf(5_004_999, 10**7, 0.5), rel=1e-6)
    assert median_log_p(4_800_000, 10**7) == 0.0  # past the middle the terms rise: the other tail is summed


def test_looks_fit_the_error() -> None:
    assert looks(1e-3) == (12, 26, 56)
    assert looks(1e-6) == (22, 48, 102)
    assert looks(1e-6 / 17 / 2)[0] == 28


@pytest.mark.parametrize("error", [0.2, 0.01, 1e-3, 5e-7, 1.5e-8])
def test_errors_of_the_looks_add_up_to_at_most_the_whole(error: float) -> None:
    sizes = looks(2 * error)
    counts = thresholds(sizes, error)
    spent = sum(math.exp(median_log_p(k, n)) for k, n in zip(counts, sizes, strict=True))
    assert 0.5 * error < spent <= error
    assert counts[0] <= sizes[0]


def test_all_inside_holds_at_12_and_all_beyond_fails_at_the_first_look() -> None:
    held = judge_median(np.zeros, -1.0, 1.0, level=1e-2)
    assert (held.decision, held.groups, held.looks, held.error_spent) == (Decision.HOLDS, 12, 1, 1e-3)
    for sign in (-1.0, 1.0):
        failed = judge_median(lambda n, s=sign: np.full(n, 2.0 * s), -1.0, 1.0, level=1e-6, screen=False)
        assert (failed.decision, failed.groups, failed.measured) == (Decision.FAILS, 22, 2.0 * sign)
        assert failed.e_value_log10 == pytest.approx(21 * math.log10(2))  # two edges share the evidence
        assert failed.error_spent == 1e-6
        assert judge_median(lambda n, s=sign: np.full(n, 2.0 * s), -1.0, 1.0, level=1e-2).groups == 12


def test_values_on_the_edge_and_split_values_stay_undecided() -> None:
    for edge in (-1.0, 1.0):
        on_edge = judge_median(lambda n, v=edge: np.full(n, v), -1.0, 1.0, level=1e-2)
        assert (on_edge.decision, on_edge.e_value_log10, on_edge.error_spent) == (Decision.UNDECIDED, 0.0, 1e-2)
    split = judge_median(lambda n: np.tile([-2.0, 2.0], n)[:n], -1.0, 1.0, level=1e-2)
    assert (split.decision, split.groups, split.looks) == (Decision.UNDECIDED, 26, 2)  # no look at 56 could decide


def test_confirmation_never_holds_and_a_dry_draw_ends_it() -> None:
    assert judge_median(np.zeros, -1.0, 1.0, level=1e-6, screen=False).decision is Decision.UNDECIDED
    dry = judge_median(lambda n: np.zeros(5), -1.0, 1.0, level=1e-6, screen=False)
    assert (dry.decision, dry.groups, dry.looks, dry.e_value_log10) == (Decision.UNDECIDED, 5, 0, 0.0)


def well_mixed(count: int, of_one: int, one: float, other: float) -> np.ndarray:
    return np.where(np.diff(np.arange(count + 1) * of_one // count) > 0, one, other)


@pytest.mark.parametrize(("screen", "outside"), [(True, 36), (True, 20), (False, 76), (False, 70)])
def test_what_stays_open_is_reported_with_its_stronger_evidence(screen: bool, outside: int) -> None:
    """Too few on either side to decide; in a confirmation, values inside are no evidence."""
    last = looks(1e-3 if screen else 1e-6)[-1]
    order = iter(well_mixed(last, outside, 2.0, 0.0))
    judgement = judge_median(
        lambda n: np.array([next(order) for _ in range(n)]), -1.0, 1.0, level=1e-2 if screen else 1e-6, screen=screen
    )
    assert (judgement.decision, judgement.groups) == (Decision.UNDECIDED, last)
    against = max(0.0, -stats.binom.logsf(outside - 1, last, 0.5) / math.log(10) - math.log10(2))
    in_favour = -stats.binom.logsf(last - outside - 1, last, 0.5) / math.log(10) if screen else 0.0
    assert judgement.e_value_log10 == pytest.approx(max(against, in_favour))


def test_vanished_and_exploded_signals_lie_outside_and_nan_nowhere() -> None:
    assert judge_median(lambda n: np.full(n, -np.inf), -1.0, 1.0, level=1e-2).decision is Decision.FAILS
    assert judge_median(lambda n: np.full(n, np.inf), -1.0, 1.0, level=1e-2).decision is Decision.FAILS
    nowhere = judge_median(lambda n: np.full(n, np.nan), -1.0, 1.0, level=1e-2)
    assert nowhere.decision is Decision.UNDECIDED
    assert math.isnan(nowhere.measured)
    assert math.isnan(judge_median(lambda n: np.tile([-np.inf, np.inf], n)[:n], -1.0, 1.0, level=1e-2).measured)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="lower edge comes first"):
        judge_median(np.zeros, 1.0, -1.0, level=1e-2)
    with pytest.raises(ValueError, match="lower edge comes first"):
        judge_median(np.zeros, 1.0, 1.0, level=1e-2)
    for error in (0, 1):
        with pytest.raises(ValueError, match=f"error={error}"):
            looks(error)


@pytest.mark.parametrize("spare", [0, 1])
def test_last_look_decides_at_exactly_its_share_of_the_error(spare: int) -> None:
    """Half of the level an edge for FAILS, all of beta for HOLDS; one value fewer decides nothing."""
    for screen, level, wanted in ((False, 1e-6, Decision.FAILS), (True, 1e-12, Decision.HOLDS)):
        sizes = looks(1e-3 if screen else level)
        needed = thresholds(sizes, 1e-3 if screen else level / 2)[-1]
        values = iter(well_mixed(sizes[-1], needed - spare, *((0.0, 2.0) if screen else (2.0, 0.0))))
        judgement = judge_median(
            lambda n, v=values: np.array([next(v) for _ in range(n)]), -1.0, 1.0, level=level, screen=screen
        )
        assert judgement.decision is (Decision.UNDECIDED if spare else wanted)
        assert judgement.groups == sizes[-1]


def test_a_final_screen_fails_as_soon_as_a_confirmation_and_holds_as_soon_as_a_screen() -> None:
    options = {"level": 1e-6, "beta": 1e-3, "final": True}
    held, failed = (judge_median(lambda n, v=v: np.full(n, v), -1.0, 1.0, **options) for v in (0.0, 2.0))
    assert (held.decision, held.groups, held.error_spent) == (Decision.HOLDS, 12, 1e-3)
    assert (failed.decision, failed.groups, failed.error_spent) == (Decision.FAILS, 22, 1e-6)


@pytest.mark.parametrize(("inside", "final"), [(0.5, True), (0.45, True), (0.55, False), (0.0, False)])
def test_giving_up_costs_hardly_any_answer(monkeypatch: pytest.MonkeyPatch, inside: float, final: bool) -> None:
    """What no later look was likely to decide is given up, and hardly anything else."""

    def answers() -> tuple[list[Decision], int]:
        judged = []
        for seed in range(400):
            rng = np.random.default_rng(seed)
            share = rng.choice([inside, 0.7, 0.3])
            judged.append(
                judge_median(
                    lambda n, r=rng, p=share: np.where(r.random(n) < p, 0.0, 2.0),
                    -1.0,
                    1.0,
                    level=1e-6 if final else 1e-2,
                    final=final,
                )
            )
        return [j.decision for j in judged], sum(j.groups for j in judged)

    with_it, drawn = answers()
    monkeypatch.setattr("initcheck.statistics.median._in_reach", lambda *_, **__: True)
    without, all_drawn = answers()
    lost = sum(a is not b for a, b in zip(with_it, without, strict=True))
    assert lost <= 4
    assert all(a in (b, Decision.UNDECIDED) for a, b in zip(with_it, without, strict=True))
    assert drawn < (0.9 if final else 1) * all_drawn
