"""A subject that judges its claims itself, since no shape is asked of it and nothing is drawn by shape: a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from initcheck.claims.statement import Claim
from initcheck.contract.contract import Contract
from initcheck.report.verdict import Evidence, Verdict
from initcheck.statistics import Ledger

Tell = Callable[[str], None]


def unheard(text: str) -> None:
    """Nobody asked to be told."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What such a subject answers: a verdict before waivers.

    Attributes:
        verdict: never WAIVED.
        reason: why it is that verdict, where the evidence does not say so.
        evidence: what stands behind it.
        notes: what a reader must know.
        waits_for: the failing claim without which this one could not be judged.
        unread: whether the subject could not be made or run at all.
    """

    verdict: Verdict
    reason: str | None = None
    evidence: Evidence = field(default_factory=Evidence)
    notes: tuple[str, ...] = ()
    waits_for: str | None = None
    unread: bool = False


class Judging(ABC):
    """A subject whose claims look at it as a whole.

    Attributes:
        contract: what it is held to beside the bands of the claims: its waivers.
        problem: why no claim can be asked of it.
        tell: is told what is being done now, in a few words, by whatever takes long.
    """

    contract: Contract
    problem: str | None = None
    tell: Tell = unheard

    def not_asked(self, claim: Claim) -> str | None:
        """Why a claim does not fit it; None where it does, as every claim of its kind but for a few."""
        return None

    @abstractmethod
    def decide(self, claim: Claim, ledger: Ledger, timeout: float | None) -> Decided:
        """Judge one claim whose needs do not fail.

        Args:
            claim: what is asked.
            ledger: the error rates of the run.
            timeout: seconds of wall clock it may take.
        """

    @abstractmethod
    def held_to(self) -> Mapping[str, Any]:
        """What a reader wants to see of it beside the verdicts, as plain data."""


def out_of_time(timeout: float | None, done: str) -> str:
    """Why a claim ended undecided, in the same words for every kind of subject.

    >>> out_of_time(2.0, "3 builds")
    'the 2 s that a claim may take were over after 3 builds'
    """
    return f"the {timeout:g} s that a claim may take were over after {done}"
