"""What a run excludes: the smallest defect that it could have found, and what a claim that holds has ruled out."""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Sequence

import numpy as np

from initcheck.contract.profile import Profile
from initcheck.report.verdict import Evidence, Result, Verdict
from initcheck.statistics import GROUP_WEIGHTS, Ledger, excluded_rate, looks
from initcheck.statistics.mean_bets import expected_above_log_e, expected_below_log_e
from initcheck.statistics.median import thresholds
from initcheck.wording import counted

_FACTORS: list[float] = (1 + np.geomspace(1e-3, 9.0, 800)).tolist()
_SAMPLE = 20_000
_CURVES = ("signal_by_depth", "gradient_by_depth")


def smallest_defects(results: Sequence[Result], ledger: Ledger, budget: Profile) -> dict[str, str]:
    """Claim id -> the smallest defect that half of such runs find at least, for the claims that judge a band.

    A claim counts where the run decided it: what was not asked found nothing.

    Args:
        results: of the run; which kind of band a claim judges is read off what it measured.
        ledger: the error rates of the run.
        budget: its profile.
    """
    found = {}
    for result in results:
        evidence = result.evidence
        if result.verdict not in (Verdict.HOLDS, Verdict.FAILS) or evidence.e_value_log10 is None:
            continue
        if any(name in evidence.series for name in _CURVES):
            share = share_of_networks(ledger.confirmation_level(1))
            found[result.claim] = f"{share:.0%} of the networks outside {evidence.allowed}"
        elif "variance_by_width" in evidence.series:
            # The layers of the plan share one confirmation.
            level = ledger.confirmation_level(1) / budget.layers
            small = factor_beyond_an_edge(1, level, budget)
            sizes = (GROUP_WEIGHTS, budget.largest)
            large = max(factor_beyond_an_edge(w, level, budget) for w in sizes)
            found[result.claim] = (
                f"a second moment {small:.3g} times beyond an edge at 1 weight a call, {large:.3g} times at"
                f" {GROUP_WEIGHTS} and more (normal weights)"
            )
    return found


def excluded(decided: Sequence[Evidence], beta: float) -> str:
    """What the cases of a claim that holds exclude, in numbers; for a claim that does not say it in its own words.

    >>> excluded([Evidence(shape=(2, 3), calls=1), Evidence(shape=(3, 3), calls=1)], 1e-3)
    'seen in 2 calls of 2 layers: what shows in more than 97% of the calls of all shapes is excluded, at error 0.001'

    Args:
        decided: the evidence of every case.
        beta: error of a HOLDS.
    """
    layers = len({(e.shape, e.dtype) for e in decided})
    where = f"at {counted(layers, 'layer')}"
    statistical = [e for e in decided if e.e_value_log10 is not None and e.band is not None]
    if any(name in e.series for e in decided for name in _CURVES):
        outside = f"outside {decided[0].allowed}"
        return f"that half of the networks or more lie {outside} is excluded {where}, at error {beta:g}"
    if statistical:
        heaviest = max(math.prod(e.shape or (1,)) for e in statistical)
        return (
            f"a value outside its band is excluded {where} of up to {heaviest:,} weights, at error {beta:g} each, where"
            f" it shows in three tenths of the groups of {GROUP_WEIGHTS} weights"
        )
    calls = max(1, sum(e.calls for e in decided))
    share = excluded_rate(calls, beta)
    often = f"{share:.0%} of the" if share > 0.1 else f"1 in {1 / share:,.0f}"
    return (
        f"seen in {counted(calls, 'call')} of {counted(layers, 'layer')}: what shows in more than {often} calls of all"
        f" shapes is excluded, at error {beta:g}"
    )


@functools.lru_cache(maxsize=64)
def factor_beyond_an_edge(weights: int, level: float, budget: Profile) -> float:
    """How far beyond an edge the second moment of normal weights must lie for a FAILS in at least half of the runs.

    >>> from initcheck.contract.profile import profile
    >>> round(factor_beyond_an_edge(256, 1e-6 / 34, profile("default")), 3)
    1.002

    The smallest factor r of a geometric grid at which the bets of either edge are expected to reach the e-value asked
    for, in all calls that the budget pays for; looks on the way find somewhat more.

    Args:
        weights: of one call.
        level: error rate of the FAILS.
        budget: of a case.
    """
    group = math.ceil(GROUP_WEIGHTS / weights)
    calls = min(budget.weights // (weights * group), budget.calls // group) // 8 * 8 * group
    needed = math.log(2 / level)
    # Values of one call whose mean is 1, as many as carry over to any number of calls.
    values = np.random.default_rng(0).chisquare(weights, _SAMPLE) / weights
    values /= values.mean()

    def enough(factor: float) -> bool:
        return (
            expected_above_log_e(values * factor, 1.0, calls) >= needed
            and expected_below_log_e(values / factor, 1.0, calls) >= needed
        )

    found = bisect.bisect_left(_FACTORS, True, key=enough)
    return _FACTORS[found] if found < len(_FACTORS) else math.inf


def share_of_networks(level: float) -> float:
    """The share of networks outside the band at which half of the runs at least find the median to be outside.

    >>> round(share_of_networks(1e-6 / 34), 2)
    0.75
    """
    sizes = looks(level)
    # Half of the level an edge, as the test of the median has it.
    needed = thresholds(sizes, level / 2)
    return min(k / n for k, n in zip(needed, sizes, strict=True))
