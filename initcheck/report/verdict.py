"""What was decided about one claim of one initializer, and what stands behind it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from initcheck.safe_text import relative, without_folders

BROKEN = "the claim's own code broke"  # how the reason of such an UNDECIDED begins


class Verdict(enum.StrEnum):
    """The five verdicts; only HOLDS and FAILS say that something was shown."""

    HOLDS = "HOLDS"
    FAILS = "FAILS"
    UNDECIDED = "UNDECIDED"
    WAIVED = "WAIVED"
    NOT_APPLICABLE = "NOT APPLICABLE"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What stands behind a verdict; plain data, so that it travels between processes and into JSON.

    Attributes:
        measured: the measured value, worded (``0.334``, ``raises ZeroDivisionError``).
        allowed: the allowed band or value, worded (``[0.8, 1.25]``).
        value: the measured value as a number, where it is one.
        band: the allowed band as two numbers, where there is one.
        interval: where ``value`` lies at confidence 0.999 (``initcheck.statistics.interval``): a mean over calls plus
            and minus 3.29 standard errors, or order statistics around a median. It is drawn for the eye and holds at
            the moment the test ended; the verdict rests on ``e_value_log10``. None where the value is exact.
        case: the smallest failing case, or the decisive one, worded.
        shape, dtype: of that case.
        calls, weights: how much was drawn.
        e_value_log10: log10 of the e-value behind the decision.
        error_spent: the error rate this verdict was decided at (alpha_k of a FAIL, beta of a HOLDS).
        detail: further lines, such as a traceback.
        likely, fix: the likely cause and its fix.
        series: data for pictures, by name; ``initcheck.report.series`` lists the names and their shapes.
    """

    measured: str | None = None
    allowed: str | None = None
    value: float | None = None
    band: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None
    case: str | None = None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    calls: int = 0
    weights: int = 0
    e_value_log10: float | None = None
    error_spent: float | None = None
    detail: tuple[str, ...] = ()
    likely: str | None = None
    fix: str | None = None
    series: dict[str, list[Any]] = field(default_factory=dict)

    def without_folders(self) -> Evidence:
        """The same, and no folder of this machine named in what is measured and in a traceback."""
        measured = without_folders(self.measured) if self.measured is not None else None
        return replace(self, measured=measured, detail=tuple(map(without_folders, self.detail)))


class Asked(Protocol):
    """What a result takes of the claim that was asked."""

    @property
    def id(self) -> str:
        """Its stable id."""

    @property
    def says(self) -> str:
        """It in one sentence."""

    @property
    def family(self) -> str:
        """The module it stands in."""

    @property
    def topic(self) -> str | None:
        """What it is about, where its author said so."""

    @property
    def label(self) -> str:
        """It in two or three words, or its id."""

    @property
    def backward(self) -> bool:
        """Whether it speaks of what goes backward."""


class ResultSubject(Protocol):
    """What a result takes of the thing that was judged."""

    @property
    def name(self) -> str:
        """Its target text."""

    @property
    def location(self) -> tuple[str, int] | None:
        """File and line, where there are some."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """The verdict on one claim of one initializer.

    Attributes:
        claim: the claim's stable id.
        says: the claim in one sentence.
        initializer: the initializer's name (its target text).
        family: the module of ``properties`` the claim stands in (``scale``).
        verdict: see ``Verdict``.
        reason: why it is UNDECIDED, WAIVED or NOT APPLICABLE.
        evidence: what stands behind it.
        notes: what a reader must know, such as an inferred contract.
        reproduce: the command that repeats exactly this verdict.
        seconds: wall-clock time it took.
        location: file, relative to the project, and line of the initializer.
        known_since: the date (ISO 8601) since which the baseline lists it as a known failure.
        topic: what the claim is about (``scale``, ``depth``): failures of one cause, or one implying another, are
            told by it.
        label: the claim in two or three words, where its author gave some.
        waits_for: the failing claim without which this one could not be judged; it is NOT APPLICABLE then.
        backward: whether the claim speaks of what goes backward, a gradient; left out of plain data where it does not.
        unread: whether what was to be judged could not be made or run at all, so that no claim was asked of it; left
            out of plain data where it was.
    """

    claim: str
    says: str
    initializer: str
    family: str
    verdict: Verdict
    reason: str | None = None
    evidence: Evidence = field(default_factory=Evidence)
    notes: tuple[str, ...] = ()
    reproduce: str | None = None
    seconds: float = 0.0
    location: tuple[str, int] | None = None
    known_since: str | None = None
    topic: str = ""
    label: str = ""
    waits_for: str | None = None
    backward: bool = False
    unread: bool = False

    @classmethod
    def of(
        cls,
        claim: Asked,
        judged: ResultSubject,
        verdict: Verdict,
        reason: str | None,
        *,
        reproduce: str | None,
        evidence: Evidence | None = None,
        notes: tuple[str, ...] = (),
        seconds: float = 0.0,
        waits_for: str | None = None,
        unread: bool = False,
    ) -> Result:
        """The result of a claim asked of an initializer or a model; the one place where the fields are spelled out.

        Args:
            claim: what was asked.
            judged: of what.
            verdict: the answer.
            reason: why it is that answer, where the evidence does not say so.
            reproduce: the command that repeats this verdict; None where nothing was decided.
            evidence: what stands behind it.
            notes: what a reader must know.
            seconds: wall-clock time it took.
            waits_for: the failing claim that it needs, where it was not judged for that.
            unread: whether what was to be judged could not be made or run at all.
        """
        if waits_for is not None and reason is None:
            reason = f"needs {waits_for}, which fails"
        return cls(
            claim=claim.id,
            says=claim.says,
            initializer=judged.name,
            family=claim.family,
            verdict=verdict,
            reason=without_folders(reason) if reason is not None else None,
            evidence=(evidence or Evidence()).without_folders(),
            notes=notes,
            reproduce=reproduce,
            seconds=seconds,
            location=placed(judged.location),
            topic=claim.topic or claim.family,
            label=claim.label,
            waits_for=waits_for,
            backward=claim.backward,
            unread=unread,
        )

    @property
    def broke(self) -> bool:
        """Whether nothing was decided because of a bug in the claim: then the run fails."""
        return self.verdict is Verdict.UNDECIDED and (self.reason or "").startswith(BROKEN)


def placed(location: tuple[str, int] | None) -> tuple[str, int] | None:
    """File and line with the file as everybody can find it.

    >>> placed(("myinit.py", 5))
    ('myinit.py', 5)
    """
    return (relative(location[0]), location[1]) if location is not None else None
