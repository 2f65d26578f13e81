"""The error budget of a run, which share of it every confirmation may spend, and what a test says in the end."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import ClassVar

SCREEN_LEVEL = 1e-2
"""Level of a screen. It only decides whether a confirmation is run, so it spends nothing of alpha."""


@dataclass(frozen=True)
class Ledger:
    """Splits alpha among claims and, within a claim, among its confirmations.

    Each of C claims has alpha/C, and its k-th confirmation is tested at alpha / (C k (k+1)). Because
    1/(k(k+1)) = 1/k - 1/(k+1), the first K confirmations of a claim spend alpha/C * (1 - 1/(K+1)) < alpha/C:
    all claims together spend less than alpha, however many confirmations are run, in whatever order.
    A confirmation must look at data that no screen has seen: then choosing what to confirm costs nothing.

    >>> ledger = Ledger(alpha=1e-6, claims=10)
    >>> ledger.confirmation_level(1), ledger.confirmation_level(2)
    (5e-08, 1.6666666666666667e-08)
    >>> claim = ledger.claim()
    >>> claim.next_confirmation(), claim.next_confirmation()
    (5e-08, 1.6666666666666667e-08)

    Attributes:
        alpha: bound on the probability of any false FAILS in one run of one initializer.
        beta: bound on the probability that one HOLDS is wrong.
        claims: number of claims that share alpha.
    """

    SCREEN_LEVEL: ClassVar[float] = SCREEN_LEVEL

    alpha: float = 1e-6
    beta: float = 1e-3
    claims: int = 17

    def __post_init__(self) -> None:
        for name, value in (("alpha", self.alpha), ("beta", self.beta)):
            if not 0.0 < value < 1.0:
                raise ValueError(f"{name}={value!r} is not a probability of error; give a number between 0 and 1")
        if self.claims < 1:
            raise ValueError(f"claims={self.claims!r}: at least one claim must share the error budget")

    def confirmation_level(self, k: int) -> float:
        """Level of a claim's k-th confirmation, k = 1, 2, ..."""
        if k < 1:
            raise ValueError(f"k={k!r}: confirmations are counted from 1")
        return self.alpha / (self.claims * k * (k + 1))

    def claim(self) -> ClaimLedger:
        """Open the account of one claim."""
        return ClaimLedger(self)


@dataclass
class ClaimLedger:
    """One claim's account: counts its confirmations, so that none is tested at a level already spent.

    Attributes:
        ledger: the budget of the run.
        confirmations: how many were run so far.
        shared: the number of the one that the cases of a plan share; None before it is taken.
    """

    ledger: Ledger = field(default_factory=Ledger)
    confirmations: int = 0
    shared: int | None = None

    @property
    def following(self) -> float:
        """The level of the next confirmation, which is not taken by looking at it."""
        return self.ledger.confirmation_level(self.confirmations + 1)

    def next_confirmation(self) -> float:
        """Count one more confirmation and return the level at which it must be tested."""
        self.confirmations += 1
        return self.ledger.confirmation_level(self.confirmations)

    def level_of_each(self, cases: int) -> float:
        """The level of each of so many cases that are tested from their first call on, without a screen.

        They share one confirmation: where each fails falsely with probability level/cases at most, over all its looks,
        some one does with probability level at most, whatever their dependence (Bonferroni). The cases must be fixed
        before anything of them is looked at; what is chosen by its looks needs a confirmation of its own.

        >>> round(ClaimLedger(Ledger(alpha=1e-6, claims=10)).level_of_each(25), 12)
        2e-09

        Raises:
            ValueError: no case.
        """
        if cases < 1:
            raise ValueError(f"cases={cases!r}: a level is shared by one case at least")
        if self.shared is None:
            self.next_confirmation()
            self.shared = self.confirmations
        return self.ledger.confirmation_level(self.shared) / cases

    def resume(self, confirmations: int, shared: int | None) -> None:
        """Go on as if so many confirmations had been run: what is passed over is not spent, so that nothing is twice.

        >>> claim = ClaimLedger(Ledger(alpha=1e-6, claims=10))
        >>> claim.resume(1, None)
        >>> claim.next_confirmation() == claim.ledger.confirmation_level(2)
        True
        """
        if confirmations >= self.confirmations:
            self.confirmations = confirmations
            self.shared = self.shared or shared


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
