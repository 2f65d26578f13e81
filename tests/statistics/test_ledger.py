"""The error budget adds up, and no confirmation is given the same level twice."""

from __future__ import annotations

import pytest

from initcheck.statistics import SCREEN_LEVEL, ClaimLedger, Ledger


def test_all_confirmations_of_all_claims_spend_less_than_alpha() -> None:
    ledger = Ledger(alpha=1e-6, claims=17)
    one_claim = sum(ledger.confirmation_level(k) for k in range(1, 100_001))
    assert 0.99998e-6 < 17 * one_claim < 1e-6


def test_a_claim_counts_its_confirmations() -> None:
    account = Ledger(alpha=1e-6, claims=10).claim()
    levels = [account.next_confirmation() for _ in range(5)]
    assert levels == sorted(levels, reverse=True)
    assert len(set(levels)) == 5
    assert sum(levels) == pytest.approx(1e-6 / 10 * 5 / 6)


def test_accounts_are_separate() -> None:
    ledger = Ledger()
    first, second = ledger.claim(), ledger.claim()
    first.next_confirmation()
    assert second.next_confirmation() == ledger.confirmation_level(1)
    assert ClaimLedger().ledger == Ledger(1e-6, 1e-3, 17)


def test_screen_level_is_liberal_and_no_part_of_the_budget() -> None:
    assert Ledger.SCREEN_LEVEL == SCREEN_LEVEL == 1e-2


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"alpha": 0.0}, "alpha=0.0"),
        ({"alpha": 1.0}, "alpha=1.0"),
        ({"beta": 1.5}, "beta=1.5"),
        ({"claims": 0}, "claims=0"),
    ],
)
def test_wrong_budget_is_refused_by_name(wrong: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Ledger(**wrong)


def test_confirmations_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        Ledger().confirmation_level(0)


def test_one_claim_has_the_whole_budget() -> None:
    ledger = Ledger(alpha=1e-6, claims=1)
    assert (ledger.confirmation_level(1), ledger.confirmation_level(2)) == (1e-6 / 2, 1e-6 / 6)


def test_cases_that_are_tested_from_their_first_call_on_share_one_confirmation() -> None:
    account = Ledger(alpha=1e-6, claims=10).claim()
    account.next_confirmation()
    level = account.level_of_each(30)
    assert 30 * level == pytest.approx(Ledger(alpha=1e-6, claims=10).confirmation_level(2))
    assert account.level_of_each(30) == level
    assert account.next_confirmation() == Ledger(alpha=1e-6, claims=10).confirmation_level(3)
    with pytest.raises(ValueError, match="cases=0"):
        account.level_of_each(0)
