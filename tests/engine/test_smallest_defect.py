"""The smallest defect that is printed is one that half of the runs find at least; much less is not found."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import initcheck
from initcheck.contract.profile import PROFILES, Profile
from initcheck.engine.smallest_defect import excluded, factor_beyond_an_edge, share_of_networks
from initcheck.report.verdict import Evidence
from initcheck.statistics import Decision, judge_band, judge_median

LEVEL = 1e-6 / 40
WEIGHTS = 256
GROUPS = 400
BUDGET = dataclasses.replace(PROFILES["quick"], weights=WEIGHTS * GROUPS, calls=GROUPS)


def found(factor: float, runs: int = 40) -> float:
    """The share of runs that confirm normal weights whose second moment lies so far below the lower edge."""
    rng = np.random.default_rng(11)

    def fails() -> bool:
        def draw(groups: int) -> tuple[np.ndarray, np.ndarray]:
            return 0.8 / factor * rng.chisquare(WEIGHTS, groups) / WEIGHTS, np.ones(groups)

        judgement = judge_band(draw, 0.8, 1.25, level=LEVEL, max_groups=GROUPS, fails_only=True, mean_statistic=True)
        return judgement.decision is Decision.FAILS

    return sum(fails() for _ in range(runs)) / runs


def test_the_smallest_defect_is_found_and_a_smaller_one_is_not() -> None:
    smallest = factor_beyond_an_edge(WEIGHTS, LEVEL, BUDGET)
    assert 1.05 < smallest < 1.15
    assert found(1 + 1.4 * (smallest - 1)) > 0.9
    assert found(smallest) > 0.5
    assert found(1 + 0.6 * (smallest - 1)) < 0.1


def test_the_share_of_networks_is_where_half_of_the_runs_find_the_median_outside() -> None:
    rng = np.random.default_rng(12)

    def share_found(outside: float) -> float:
        runs = [
            judge_median(lambda n: 2.0 * (rng.random(n) < outside), -1, 1, level=LEVEL, screen=False) for _ in range(60)
        ]
        return sum(j.decision is Decision.FAILS for j in runs) / 60

    share = share_of_networks(LEVEL)
    assert share_found(share - 0.08) < 0.3
    assert 0.25 < share_found(share) < 0.8
    assert share_found(share + 0.08) > 0.8


@pytest.mark.parametrize("weights", [1, 16, 256, 4_096])
def test_more_weights_find_smaller_defects(weights: int) -> None:
    def factor(budget: Profile) -> float:
        return factor_beyond_an_edge(weights, LEVEL, budget)

    quick, default, thorough = (factor(PROFILES[name]) for name in ("quick", "default", "thorough"))
    assert 1 < thorough < default < quick < 1.2
    assert factor_beyond_an_edge(weights, LEVEL**2, PROFILES["quick"]) > quick


@pytest.mark.long
def test_a_report_says_it_of_the_claims_that_judge_a_band() -> None:
    claims = ["finite", "output-variance-near-one", "signal-survives-depth"]
    report = initcheck.check("initcheck.gallery:he_normal", claims=claims, profile="quick")
    said = report.run.smallest_defect
    assert set(said) == set(claims[1:])
    assert said["signal-survives-depth"] == "75% of the networks outside [0.1, 10] through 20 layers"
    assert said["output-variance-near-one"].startswith("a second moment 1.05 times beyond")


def test_a_claim_that_holds_says_what_it_excludes() -> None:
    exact = [Evidence(shape=(2, 3), calls=1000), Evidence(shape=(3, 3), calls=1000)]
    assert excluded(exact, 1e-3) == (
        "seen in 2,000 calls of 2 layers: what shows in more than 1 in 290 calls of all shapes is excluded,"
        " at error 0.001"
    )
    banded = [Evidence(shape=(64, 64), calls=24, band=(0.8, 1.25), value=1.0, e_value_log10=3.2)]
    assert excluded(banded, 1e-3).startswith("a value outside its band is excluded at 1 layer of up to 4,096 weights")
    curve = [Evidence(shape=(64, 64), allowed="[0.1, 10] through 20 layers", series={"signal_by_depth": [[0, 1]]})]
    assert excluded(curve, 1e-3) == (
        "that half of the networks or more lie outside [0.1, 10] through 20 layers is excluded at 1 layer,"
        " at error 0.001"
    )
