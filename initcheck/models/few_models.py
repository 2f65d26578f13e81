"""What a handful of fresh models can show of a median: an exact sign test, and a clause that needs fewer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from initcheck.statistics import Decision
from initcheck.statistics.median import thresholds

__all__ = ["STRAY", "STRAY_FACTOR", "Plan", "confirm", "screen", "siblings_needed"]

STRAY = 0.05
"""The clause: a model strays beyond a factor 2 from the median of its factory at most this often.

Measured on 680 models of 12 architectures: the worst lay a factor 2.02 away.
"""

STRAY_FACTOR = 2.0


@dataclass(frozen=True)
class Plan:
    """How many models decide, at a level for FAILS and beta for HOLDS; half of each goes to the clause.

    >>> Plan(level=2.5e-7, beta=1e-3)
    Plan(level=2.5e-07, beta=0.001)
    >>> Plan(2.5e-7, 1e-3).holds_by_clause, Plan(2.5e-7, 1e-3).fails_by_clause
    (3, 6)
    >>> Plan(2.5e-7, 1e-3).holds_by_sign, Plan(2.5e-7, 1e-3).fails_by_sign
    ((12, 24), (25, 50))

    Attributes:
        level: probability of a false FAILS of one claim.
        beta: probability of a false HOLDS.
    """

    level: float
    beta: float

    @property
    def holds_by_clause(self) -> int:
        """Models that lie inside by a factor 2, all of them."""
        return _all_stray(self.beta / 2)

    @property
    def fails_by_clause(self) -> int:
        """Models beyond one edge by a factor 2, all of them."""
        return _all_stray(self.level / 2)

    @property
    def holds_by_sign(self) -> tuple[int, int]:
        """Numbers of models at which the exact sign test looks for HOLDS."""
        first = math.ceil(math.log2(4 / self.beta))
        return first, 2 * first

    @property
    def fails_by_sign(self) -> tuple[int, int]:
        """Numbers of models at which the exact sign test looks for FAILS, at both edges."""
        first = math.ceil(math.log2(8 / self.level))
        return first, 2 * first


def screen(values: Sequence[float], low: float, high: float, plan: Plan) -> Decision:
    """Look at the models so far: HOLDS, or FAILS for 'worth a confirmation', or neither yet.

    >>> screen([1.9, 1.7, 1.8], 0.25, 4.0, Plan(2.5e-7, 1e-3)).name
    'HOLDS'

    Args:
        values: one a model, positive (a growth, a perplexity over chance).
        low, high: the band of the median.
        plan: error rates.
    """
    first = list(values[: plan.holds_by_clause])
    inside = sum(low * STRAY_FACTOR <= v <= high / STRAY_FACTOR for v in first)
    if len(first) == plan.holds_by_clause == inside:
        return Decision.HOLDS
    needed = _counts(plan.holds_by_sign, plan.beta / 2)
    for n, k in zip(plan.holds_by_sign, needed, strict=True):
        if len(values) >= n and min(sum(v > low for v in values[:n]), sum(v < high for v in values[:n])) >= k:
            return Decision.HOLDS
    beyond = max(sum(v > high for v in values), sum(v < low for v in values))
    return Decision.FAILS if len(values) >= plan.holds_by_clause and 2 * beyond > len(values) else Decision.UNDECIDED


def confirm(values: Sequence[float], low: float, high: float, plan: Plan) -> Decision:
    """Look at models that no screen has seen: FAILS or nothing.

    If the median keeps the band, all of n models lie beyond twice an edge with probability at most 0.05^n (both
    edges together: p^n + q^n with p + q <= 0.05), by the clause; and at least k of n beyond an edge with the
    binomial's tail at 1/2, by nothing.
    """
    n = plan.fails_by_clause
    first = values[:n]
    if len(first) == n:
        above = all(v > high * STRAY_FACTOR for v in first)
        below = all(v < low / STRAY_FACTOR for v in first)
        if above or below:
            return Decision.FAILS
    needed = _counts(plan.fails_by_sign, plan.level / 4)
    for n, k in zip(plan.fails_by_sign, needed, strict=True):
        if len(values) >= n and max(sum(v > high for v in values[:n]), sum(v < low for v in values[:n])) >= k:
            return Decision.FAILS
    return Decision.UNDECIDED


def siblings_needed(siblings: int, level: float) -> int:
    """Models in which one and the same of n siblings must be the extreme one.

    Exchangeable siblings agree with the first model's extreme one in K - 1 further models with probability
    n^-(K-1), whatever their law and however they depend on one another.

    >>> [siblings_needed(n, 1e-6) for n in (7, 12, 200)]
    [9, 7, 4]
    """
    if siblings < 2:
        raise ValueError(f"siblings={siblings!r}: one tensor has none to be compared with")
    return 1 + math.ceil(-math.log(level) / math.log(siblings) - 1e-9)


def _all_stray(error: float) -> int:
    return math.ceil(math.log(error) / math.log(STRAY))


def _counts(sizes: tuple[int, int], error: float) -> tuple[int, ...]:
    return thresholds(sizes, error)
