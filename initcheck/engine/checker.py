"""Initializers x claims -> Report, one verdict at a time and each independent of the others."""

from __future__ import annotations

import dataclasses
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from initcheck.claims.registry import checks, find, in_order
from initcheck.claims.statement import Claim
from initcheck.contract.initializer import Initializer
from initcheck.contract.profile import Profile, profile
from initcheck.diagnosis.causes import Cause
from initcheck.draws.draws import OutOfTime
from initcheck.engine.broken_claim import contained
from initcheck.engine.cases import smallest_failure
from initcheck.engine.pictures import failure_series
from initcheck.engine.settings import Settings
from initcheck.engine.smallest_defect import smallest_defects
from initcheck.engine.subject import Subject
from initcheck.engine.trial import CaseFailed, Trial
from initcheck.errors import UsageError, closest
from initcheck.report.report import NotChecked, Report
from initcheck.report.results import Run, installed_version
from initcheck.report.verdict import Evidence, Result, Verdict
from initcheck.sandbox.blas import one_thread
from initcheck.sandbox.containment import one_line
from initcheck.statistics import Ledger

__all__ = ["Checker", "Settings", "loaded_libraries"]


class Checker:
    """Decides claims one at a time; a verdict depends on the settings and the initializer alone.

    Raises:
        UsageError: an unknown claim or profile.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.profile = profile(settings.profile)
        every = checks()
        for name in settings.claims or ():
            if name not in every:
                raise UsageError(f"there is no claim {name!r} to ask of an initializer; {closest(name, every)}")
        asked = [c for c in every.values() if settings.claims is None or c.id in settings.claims]
        self.claim_ids = tuple(c.id for c in in_order(asked))
        self.ledger = Ledger(alpha=settings.alpha, beta=settings.beta, claims=len(every))
        self._subjects: dict[str, Subject] = {}
        self._verdicts: dict[tuple[str, str], Result] = {}

    def subject(self, initializer: Initializer) -> Subject:
        """What the claims about this initializer share."""
        if initializer.name not in self._subjects:
            # One at a time: the records of the last initializer are of no use to the next.
            self._subjects = {initializer.name: subject_of(initializer, self.profile, self.settings.seed)}
        return self._subjects[initializer.name]

    def judge(self, initializer: Initializer, claim_id: str) -> Result:
        """Decide one claim of one initializer, waivers applied; kept, and never raises for the initializer's faults.

        Raises:
            UsageError: there is no such claim, or a waiver names none.
        """
        result = self._decide(initializer, find(claim_id))
        waive = self.subject(initializer).contract.waive
        for name in waive:
            if name not in checks():
                raise UsageError(f"the contract of {initializer.name} waives {name!r}; {closest(name, checks())}")
        if claim_id not in waive:
            return result
        if result.verdict is Verdict.HOLDS:
            why = f"it is waived ({waive[claim_id]}) and yet it holds: remove the waiver"
            return dataclasses.replace(result, verdict=Verdict.FAILS, reason=why)
        if result.verdict is Verdict.FAILS:
            return dataclasses.replace(result, verdict=Verdict.WAIVED, reason=waive[claim_id])
        return result

    def held_to(self, initializer: Initializer) -> dict[str, Any]:
        """What the claims hold an initializer to, where each part of it comes from, and how it is called."""
        contract = self.subject(initializer).contract
        return {
            # Lists, as JSON has them: the same whether this was worked out here or in another process.
            **{key: list(value) if isinstance(value, tuple) else value for key, value in contract.said().items()},
            "origins": dict(contract.origins),
            "notes": list(contract.notes) + list(initializer.notes),
            "signature": initializer.signature,
        }

    def report(
        self,
        initializers: Sequence[Initializer],
        not_checked: Sequence[Any] = (),
        results: Sequence[Result] | None = None,
        known: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Report:
        """Decide every claim of every initializer, or put given results into a report.

        Args:
            initializers: in the order of the report.
            not_checked: what was named and not looked at.
            results: those decided elsewhere.
            known: name -> contract as plain data, of those that were inferred elsewhere.
        """
        if results is None:
            results = [contained(self, i, c) for i in initializers for c in self.claim_ids]
        contracts: dict[str, Mapping[str, Any]] = {}
        for initializer in initializers:
            if known is not None:
                # Not inferred here: an initializer that killed its worker would kill this process too.
                if initializer.name in known:
                    contracts[initializer.name] = known[initializer.name]
                continue
            contracts[initializer.name] = self.held_to(initializer)
        left = tuple(NotChecked(name=n.name, reason=n.reason, call_to_write=n.call_to_write) for n in not_checked)
        return Report(run=self.run(results), results=tuple(results), contracts=contracts, not_checked=left)

    def run(self, results: Sequence[Result] = ()) -> Run:
        """How this run is made, and with its results the smallest defects that it could find."""
        settings = self.settings
        return Run(
            seed=settings.seed,
            profile=settings.profile,
            alpha=settings.alpha,
            beta=settings.beta,
            claims=self.ledger.claims,
            version=installed_version(),
            libraries=loaded_libraries(),
            smallest_defect=smallest_defects(results, self.ledger, self.profile),
        )

    def _decide(self, initializer: Initializer, claim: Claim) -> Result:
        key = (initializer.name, claim.id)
        if key not in self._verdicts:
            started = time.perf_counter()
            with one_thread():
                result = self._decided(initializer, claim)
            self._verdicts[key] = dataclasses.replace(result, seconds=time.perf_counter() - started)
        return self._verdicts[key]

    def _decided(self, initializer: Initializer, claim: Claim) -> Result:
        subject = self.subject(initializer)
        reason = subject.not_asked(claim) or _unasked(subject, claim)
        if reason is not None:
            return self._result(subject, claim, Verdict.NOT_APPLICABLE, reason)
        failed_needs = [n for n in claim.needs if self._decide(initializer, find(n)).verdict is Verdict.FAILS]
        ended = [n for n in failed_needs if find(n).kind == "check" and not self._goes_on(subject, claim, n)]
        if ended:
            return self._result(subject, claim, Verdict.NOT_APPLICABLE, waits_for=ended[0])
        trial = Trial(subject, self.ledger.claim())
        timeout = self.settings.timeout
        subject.draws.deadline = None if timeout is None else time.monotonic() + timeout
        try:
            failure = smallest_failure(claim, trial)
        except OutOfTime:
            reason = f"the {timeout:g} s that a claim may take were over after {subject.draws.calls:,} calls"
            return self._result(subject, claim, Verdict.UNDECIDED, reason, trial)
        finally:
            subject.draws.deadline = None
        if failure is not None:
            evidence = failure.evidence if isinstance(failure, CaseFailed) else Evidence(measured=str(failure))
            cause = _cause(subject, claim, evidence, trial)
            if cause is not None:
                evidence = dataclasses.replace(evidence, likely=cause.sentence, fix=cause.fix)
            evidence = failure_series(claim, subject, self.ledger.claim(), evidence)
            return self._result(subject, claim, Verdict.FAILS, None, trial, evidence)
        if trial.undecided:
            return self._result(subject, claim, Verdict.UNDECIDED, trial.undecided[0], trial)
        if trial.moot:
            if failed_needs:
                return self._result(subject, claim, Verdict.NOT_APPLICABLE, trial=trial, waits_for=failed_needs[0])
            return self._result(subject, claim, Verdict.NOT_APPLICABLE, trial.moot[0], trial)
        if not trial.decided:
            reason = _why_not(trial.not_asked)
            return self._result(subject, claim, Verdict.NOT_APPLICABLE, reason, trial)
        return self._result(subject, claim, Verdict.HOLDS, None, trial, _worst(trial.decided))

    def _goes_on(self, subject: Subject, claim: Claim, need: str) -> bool:
        """Whether a claim can still be judged though one it needs fails."""
        # Shape by shape: what one shape breaks, the others may still show.
        return find(need).shape_by_shape or (claim.exact_on_constants and subject.constant)

    def _result(
        self,
        subject: Subject,
        claim: Claim,
        verdict: Verdict,
        reason: str | None = None,
        trial: Trial | None = None,
        evidence: Evidence | None = None,
        waits_for: str | None = None,
    ) -> Result:
        return Result.of(
            claim,
            subject.initializer,
            verdict,
            reason,
            evidence=evidence,
            notes=(*subject.contract.notes, *_notes(trial, verdict)),
            reproduce=self.settings.command(subject.initializer.name, claim),
            waits_for=waits_for,
        )


def _notes(trial: Trial | None, verdict: Verdict) -> list[str]:
    """What a property noted; what the cases that hold exclude is not said beside one that fails."""
    notes = trial.notes if trial else {}
    return [note for topic, note in notes.items() if verdict is not Verdict.FAILS or topic not in ("rate", "excluded")]


def _why_not(not_asked: Mapping[str, int]) -> str:
    """The commonest reason; one that says more than of which layers the claim is asked goes first.

    >>> _why_not({"asked of square layers": 29, "no gain keeps it": 1})
    'no gain keeps it'
    """
    return max(
        not_asked,
        key=lambda reason: (not reason.startswith("asked of "), not_asked[reason]),
        default="it was asked of no case",
    )


def _unasked(subject: Subject, claim: Claim) -> str | None:
    """Why no contract of a layer asks the claim; said before what the claim needs, which may fail."""
    if claim.unasked is None:
        return None
    reasons = [claim.unasked(subject.contract_of(layer)) for layer in subject.plan_of(claim)]
    return reasons[0] if reasons and None not in reasons else None


def _cause(subject: Subject, claim: Claim, evidence: Evidence, trial: Trial) -> Cause | None:
    """The likely cause of a failure; None where nothing fits. What was proven stands, whatever happens here."""
    try:
        return subject.likely_cause(claim, evidence)
    except Exception as error:
        trial.note(f"looking for the cause broke, which is a fault of initcheck, not of yours: {one_line(error)}")
        return None


def loaded_libraries() -> dict[str, str]:
    """The versions of what this process has loaded of the libraries that a verdict may hang on."""
    found = {"python": platform.python_version(), "numpy": np.__version__}
    for name in ("hypothesis", "torch", "jax", "keras", "flax", "equinox"):
        if name in sys.modules and hasattr(sys.modules[name], "__version__"):
            found[name] = str(sys.modules[name].__version__)
    return found


def subject_of(initializer: Initializer, budget: Profile, seed: int) -> Subject:
    """The subject of its kind: shapes of an initializer, or the weights of a layer."""
    made: Subject = (initializer.subject or Subject)(initializer, budget, seed)
    return made


_MOST_POINTS = 60


def _worst(decided: Sequence[Evidence]) -> Evidence:
    """The case nearest to an edge of its band, with the calls and weights of all cases."""

    def distance(evidence: Evidence) -> float:
        if evidence.value is None or evidence.band is None:
            return float("inf")
        lo, hi = evidence.band
        return min(evidence.value - lo, hi - evidence.value) / (hi - lo) if np.isfinite(hi - lo) else float("inf")

    series: dict[str, list[Any]] = {}
    for one in decided:
        for name, values in one.series.items():
            series.setdefault(name, []).extend(values)
    for name, values in series.items():
        # A report of 100 initializers must stay small, and no picture shows more points.
        if all(isinstance(row, list) for row in values):
            series[name] = sorted(values)[:: -(-len(values) // _MOST_POINTS)]
    return dataclasses.replace(
        min(decided, key=distance),
        calls=sum(e.calls for e in decided),
        weights=sum(e.weights for e in decided),
        series=series,
    )
