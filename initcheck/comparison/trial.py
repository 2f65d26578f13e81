"""One claim against two starts: what it may ask of the comparison, and the verdict it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from initcheck.comparison.exchange import Answer
from initcheck.comparison.parts import Compared, Comparison
from initcheck.report.verdict import Evidence, Verdict

__all__ = ["PairTrial"]

_LISTED = 8


@dataclass
class PairTrial:
    """What a claim of kind ``pair`` is given.

    Attributes:
        comparison: both starts, part by part.
        alpha, beta: error rates of the run.
        failures, doubts, notes: what the claim found, as sentences, in order.
        measured, allowed: of what was measured, in words.
        moot: why the claim does not apply, where it does not.
    """

    comparison: Comparison
    alpha: float = 1e-6
    beta: float = 1e-3
    failures: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    measured: str | None = None
    allowed: str | None = None
    moot: str | None = None
    shown: Compared | None = None

    def same(self) -> Sequence[Compared]:
        """The parts that have one law."""
        return self.comparison.of(Answer.SAME)

    def different(self) -> Sequence[Compared]:
        """The parts that have two, the clearest first."""
        return sorted(self.comparison.of(Answer.DIFFERENT), key=_clearness)

    def of_other_causes(self) -> Sequence[Compared]:
        """Of the parts that differ for another reason than the clearest one, the clearest of each reason."""
        found: dict[str | None, Compared] = {}
        for part in self.different():
            found.setdefault(part.cause, part)
        return list(found.values())[1:]

    def undecided(self) -> Sequence[Compared]:
        """The parts of which neither is shown."""
        return self.comparison.of(Answer.UNDECIDED)

    def fails(self, sentence: str, part: Compared | None = None) -> None:
        """Say what differs; the first part that is named gives the cause, the fix and the picture."""
        self.failures.append(sentence)
        self.shown = self.shown or part

    def doubts_that(self, sentence: str) -> None:
        """Say what stays open."""
        self.doubts.append(sentence)

    def note(self, sentence: str) -> None:
        """Say what a reader should know."""
        self.notes.append(sentence)

    def not_applicable(self, reason: str) -> None:
        """Say why the claim has no subject here."""
        self.moot = self.moot or reason

    @property
    def verdict(self) -> Verdict:
        """What it comes to: one difference fails, one doubt leaves it open."""
        if self.failures:
            return Verdict.FAILS
        if self.doubts:
            return Verdict.UNDECIDED
        return Verdict.NOT_APPLICABLE if self.moot else Verdict.HOLDS

    @property
    def reason(self) -> str | None:
        """Why it is UNDECIDED or NOT APPLICABLE."""
        if self.verdict is Verdict.UNDECIDED:
            more = f"; and {len(self.doubts) - 3} more" if len(self.doubts) > 3 else ""
            return "; ".join(self.doubts[:3]) + more
        return self.moot if self.verdict is Verdict.NOT_APPLICABLE else None

    def evidence(self) -> Evidence:
        """What stands behind the verdict."""
        more = len(self.failures) - 1 - _LISTED
        detail = tuple(self.failures[1 : 1 + _LISTED])
        exchange = self.shown.exchange if self.shown is not None else None
        series: dict[str, list[Any]] = dict(self.shown.pictures) if self.shown is not None else {}
        return Evidence(
            measured=self.measured,
            allowed=self.allowed,
            case=self.failures[0] if self.failures else None,
            calls=self.comparison.calls,
            weights=self.comparison.weights,
            e_value_log10=exchange.log10_e if exchange is not None else None,
            error_spent=self.alpha if self.failures else self.beta,
            detail=(*detail, f"and {more} more") if more > 0 else detail,
            likely=self.shown.cause if self.shown is not None else None,
            fix=self.shown.fix if self.shown is not None else None,
            series=series,
        )


def _clearness(part: Compared) -> tuple[bool, int, float]:
    """Matrices first, for what is wrong with a bias is seldom what is looked for; then what took the fewest pairs."""
    shown = part.exchange
    vector = sum(n > 1 for n in part.shape) < 2
    return (vector, shown.pairs, -shown.log10_e) if shown is not None else (vector, 0, 0.0)
