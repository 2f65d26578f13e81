"""The smallest defect that a run could have found: worked out from its budget and its error rate."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

from initcheck.profile import Profile
from initcheck.statistics import Ledger, ScaledSignProcess, looks
from initcheck.statistics.median import thresholds
from initcheck.trial import GROUP_WEIGHTS
from initcheck.verdict import Result, Verdict

__all__ = ["factor_beyond_an_edge", "share_of_networks", "smallest_defects"]

# Calls a group in the last round of a trial, as a multiple of the usual.
_LARGER_GROUPS = 16
_FACTORS = 1 + np.geomspace(1e-3, 9.0, 800)
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
            small = factor_beyond_an_edge(1, ledger.confirmation_level(1), budget)
            sizes = (GROUP_WEIGHTS, budget.largest)
            large = max(factor_beyond_an_edge(w, ledger.confirmation_level(1), budget) for w in sizes)
            found[result.claim] = (
                f"a second moment {small:.3g} times beyond an edge at 1 weight a call, {large:.3g} times at"
                f" {GROUP_WEIGHTS} and more (normal weights)"
            )
    return found


@functools.lru_cache(maxsize=64)
def factor_beyond_an_edge(weights: int, level: float, budget: Profile) -> float:
    """How far beyond an edge the second moment of normal weights must lie for a FAILS in at least half of the runs.

    >>> from initcheck.profile import profile
    >>> round(factor_beyond_an_edge(256, 1e-6 / 34, profile("default")), 3)
    1.008

    A group of W weights then falls beyond the edge with probability Phi((1 - 1/r) sqrt(W/2)); r is the smallest factor
    at which the expected number of such groups, in all that the budget pays for, reaches the e-value asked for.
    Looks on the way, and bets above the upper edge, find somewhat more.

    Args:
        weights: of one call.
        level: error rate of the FAILS.
        budget: of a case.
    """
    process, needed = ScaledSignProcess(), math.log(2 / level)
    smallest = math.inf
    for larger in (1, _LARGER_GROUPS):
        size = math.ceil(GROUP_WEIGHTS / weights) * larger
        groups = min(budget.weights // (weights * size), budget.calls // size) // 8 * 8
        deviations = (1 - 1 / _FACTORS) * math.sqrt(weights * size / 2)
        shares = [_phi(deviations * math.sqrt(scale)) for scale in process.scales]
        reached = process.expected(shares, groups) >= needed
        if reached.any():
            smallest = min(smallest, float(_FACTORS[int(reached.argmax())]))
    return smallest


def share_of_networks(level: float) -> float:
    """The share of networks outside the band at which half of the runs at least find the median to be outside.

    >>> round(share_of_networks(1e-6 / 34), 2)
    0.75
    """
    sizes = looks(level)
    # Half of the level an edge, as the test of the median has it.
    needed = thresholds(sizes, level / 2)
    return min(k / n for k, n in zip(needed, sizes, strict=True))


def _phi(z: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in z])
