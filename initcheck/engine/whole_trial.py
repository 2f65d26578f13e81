"""The trial of what is judged as a whole, not case by case: what a claim found, and what that comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from initcheck.engine.judging import Decided
from initcheck.report.verdict import Evidence, Verdict


@dataclass(kw_only=True)
class WholeTrial:
    """What a claim on a model, on its ranks, on two starts or on a law file says its findings to.

    Attributes:
        alpha, beta: error rates of the run.
        failures, doubts, notes: what the claim found, as sentences, in order.
        measured, allowed: of what was measured, in words; ``value`` and ``band`` as numbers.
        moot: why the claim does not apply, where it does not.
        likely, fix: the first cause that was named, and what mends it.
        series: what a picture shows.

    >>> trial = WholeTrial()
    >>> trial.doubts_that("one tensor could not be read")
    >>> trial.verdict, trial.reason
    (<Verdict.UNDECIDED: 'UNDECIDED'>, 'one tensor could not be read')
    >>> trial.fails("two tensors are equal")
    >>> trial.verdict
    <Verdict.FAILS: 'FAILS'>
    """

    alpha: float = 1e-6
    beta: float = 1e-3
    failures: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    measured: str | None = None
    allowed: str | None = None
    value: float | None = None
    band: tuple[float, float] | None = None
    moot: str | None = None
    likely: str | None = None
    fix: str | None = None
    error_spent: float | None = None
    series: dict[str, list[Any]] = field(default_factory=dict)

    listed: ClassVar[int] = 5
    """How many failures are told beside the first; the rest are counted."""

    def fails(self, sentence: str, *, likely: str | None = None, fix: str | None = None) -> None:
        """Say what is wrong: tensor, entries, call site."""
        self.failures.append(sentence)
        self.likely, self.fix = self.likely or likely, self.fix or fix

    def doubts_that(self, sentence: str) -> None:
        """Say what could not be decided, and what would decide it."""
        self.doubts.append(sentence)

    def note(self, sentence: str) -> None:
        """Say what a reader should know and nobody is blamed for."""
        self.notes.append(sentence)

    def not_applicable(self, reason: str) -> None:
        """Say why the claim has no subject here."""
        self.moot = self.moot or reason

    @property
    def verdict(self) -> Verdict:
        """What it comes to: one failure fails, one doubt leaves it open."""
        if self.failures:
            return Verdict.FAILS
        if self.doubts:
            return Verdict.UNDECIDED
        return Verdict.NOT_APPLICABLE if self.moot else Verdict.HOLDS

    @property
    def reason(self) -> str | None:
        """Why it is UNDECIDED or NOT APPLICABLE."""
        if self.verdict is Verdict.UNDECIDED:
            return "; ".join(self.doubts[:3]) + (f"; and {len(self.doubts) - 3} more" if len(self.doubts) > 3 else "")
        return self.moot if self.verdict is Verdict.NOT_APPLICABLE else None

    def decided(self, calls: int) -> Decided:
        """What was decided, and what stands behind it.

        Args:
            calls: how many calls or builds the findings rest on.
        """
        return Decided(verdict=self.verdict, reason=self.reason, evidence=self.evidence(calls), notes=tuple(self.notes))

    def evidence(self, calls: int) -> Evidence:
        """What stands behind the verdict."""
        first, shown = self.failures[:1], tuple(self.failures[1 : 1 + self.listed])
        more = len(self.failures) - len(first) - len(shown)
        return Evidence(
            measured=self.measured,
            allowed=self.allowed,
            value=self.value,
            band=self.band,
            case=first[0] if first else None,
            calls=calls,
            error_spent=self.error_spent,
            detail=(*shown, f"and {more} more") if more > 0 else shown,
            likely=self.likely,
            fix=self.fix,
            series=self.series,
        )
