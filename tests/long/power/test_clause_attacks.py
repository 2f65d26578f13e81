"""Laws that most groups belie: that they do, what keeps a verdict honest then, and where nothing does."""

from __future__ import annotations

import dataclasses

import pytest
from clause_attacks import ATTACKS, Attack, groups, rare, results, wrong_side

from initcheck.contract.profile import PROFILES
from initcheck.statistics.sign_eprocess import CLAUSE

CLAIM = "output-variance-near-one"
# Two thirds of the groups of 256: within the clause at that size, beyond it at other sizes, or with a tail like none.
BARELY = {"skewed, sigma 2, twice", "a tenth of the calls zero, below", "a tenth of the calls nearly zero, below"}


@pytest.mark.parametrize("name", ATTACKS)
def test_most_groups_are_on_the_wrong_side(name: str) -> None:
    attack = ATTACKS[name]
    assert wrong_side(attack, groups(attack, 1000)) > (0.6 if name in BARELY else CLAUSE)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_checker_says_of_it_what_the_list_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attack = ATTACKS[name]
    if (attack.wrong, attack.said) == ("FAILS", "UNDECIDED"):
        # Four layers in the place of twelve: what stays open spends its whole budget on each.
        monkeypatch.setitem(PROFILES, "quick", dataclasses.replace(PROFILES["quick"], layers=4))
    assert results(attack, 1, (CLAIM,))[CLAIM] == attack.said
    # A guard is named where, and only where, the false verdict was kept away.
    assert (attack.said == attack.wrong) == (not attack.guard)


def test_where_the_clause_is_kept_nothing_is_wrong() -> None:
    """The direction: half of the moment in outliers that a group does see is neither failed nor a reason to fail."""
    seen = Attack(rare(0.05, 0.5, 1.0), 1.0, "FAILS", "HOLDS", "the clause itself")
    assert wrong_side(seen, groups(seen, 1000)) < CLAUSE
    assert results(seen, 1, (CLAIM,))[CLAIM] == "HOLDS"
