"""What a sequential test says in the end: the decision and the evidence behind it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Decision", "Judgement"]


class Decision(enum.Enum):
    """The three ends of a test. UNDECIDED is an answer too: the budget was spent and nothing was shown."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Judgement:
    """One decision and what stands behind it.

    >>> Judgement(Decision.HOLDS, 3.5, 1e-3, 1.01, looks=1, groups=24).decision.name
    'HOLDS'

    Attributes:
        decision: HOLDS, FAILS or UNDECIDED.
        e_value_log10: log10 of the e-value behind the decision: against the claim for FAILS, for it for
            HOLDS, the larger of the two for UNDECIDED. An exact test (``median``) gives -log10 of its
            p-value.
        error_spent: probability that a decision of this kind is wrong: ``level`` for FAILS and UNDECIDED (a
            confirmation uses up its level whatever comes out), ``beta`` for HOLDS.
        measured: the statistic over everything that was drawn.
        looks: how often the data were looked at before the decision.
        groups: how many independent groups (or values) were drawn.
    """

    decision: Decision
    e_value_log10: float
    error_spent: float
    measured: float
    looks: int
    groups: int
