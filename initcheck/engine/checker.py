"""Initializers x claims -> Report, one verdict at a time and each independent of the others."""

from __future__ import annotations

import dataclasses
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from initcheck.claims.registry import asked_of, find, in_order
from initcheck.claims.statement import Claim
from initcheck.claims.subject import Subject
from initcheck.claims.trial import CaseFailed
from initcheck.contract.profile import Profile, profile
from initcheck.contract.tested import Tested
from initcheck.diagnosis.causes import Cause
from initcheck.draws.call import OutOfTime
from initcheck.draws.fresh_process import fresh_processes
from initcheck.engine.broken_claim import judged_or_broken
from initcheck.engine.cases import smallest_failure
from initcheck.engine.judging import Decided, Judging, Tell, out_of_time, unheard
from initcheck.engine.pictures import failure_series
from initcheck.engine.settings import Settings
from initcheck.engine.smallest_defect import excluded, smallest_defects
from initcheck.engine.subject import InitializerSubject
from initcheck.engine.trials.judge import Judge
from initcheck.errors import UsageError, closest, refuse_unknown
from initcheck.report.report import Report
from initcheck.report.results import NotChecked, Run, installed_version, shown_nothing
from initcheck.report.verdict import Evidence, Result, Verdict
from initcheck.sandbox.blas import one_thread
from initcheck.sandbox.containment import one_line
from initcheck.sandbox.surroundings import Surroundings
from initcheck.statistics import Ledger


class Checker:
    """Decides claims one at a time; a verdict depends on the settings and on what is tested alone.

    Attributes:
        settings: how the run is made.
        profile: its budget.
        claim_ids: what is asked, of initializers and of models, as the settings say; each after those it needs.
        ledger: the error rates.
        tell: is told what is being done, where that takes long: the builds of a model.

    Raises:
        UsageError: an unknown claim or profile, or claims of which none can be asked of a kind that is tested.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.profile = profile(settings.profile)
        every = {claim.id: claim for kind in settings.kinds for claim in asked_of(kind).values()}
        for name in settings.claims or ():
            if name not in every:
                of = " or ".join(_OF[kind] for kind in settings.kinds)
                raise UsageError(f"there is no claim {name!r} to ask of {of}; {closest(name, every)}")
        asked = [c for c in every.values() if settings.claims is None or c.id in settings.claims]
        for kind in settings.kinds:
            if not any(c.kind == kind for c in asked):
                raise UsageError(
                    f"none of the claims {', '.join(settings.claims or ())} is asked of {_OF[kind]}; name one that is:"
                    f" {', '.join(asked_of(kind))}."
                )
        self.claim_ids = tuple(c.id for c in in_order(asked))
        # Alpha is split among the claims on one thing: those on initializers, where a run has both kinds.
        self.ledger = Ledger(alpha=settings.alpha, beta=settings.beta, claims=len(asked_of(min(settings.kinds))))
        self.tell: Tell = unheard
        self._subjects: dict[str, Subject | Judging] = {}
        self._verdicts: dict[tuple[str, str], Result] = {}

    def claims_of(self, tested: Tested) -> tuple[str, ...]:
        """The claims that are asked of this kind of thing, each after those it needs."""
        return tuple(c for c in self.claim_ids if find(c).kind == tested.kind)

    def subject(self, tested: Tested) -> Subject | Judging:
        """What the claims about this initializer or model share."""
        if tested.name not in self._subjects:
            # One at a time: the records of the last one are of no use to the next.
            self._subjects = {tested.name: subject_of(tested, self.profile, self.settings.seed)}
            if any(find(claim).in_fresh_processes for claim in self.claims_of(tested)):
                fresh_processes().prepare(tested)
        subject = self._subjects[tested.name]
        if isinstance(subject, Judging):
            subject.tell = self.tell
        return subject

    def judge(self, tested: Tested, claim_id: str) -> Result:
        """Decide one claim, waivers applied; kept, and never raises for the faults of what is tested.

        Raises:
            UsageError: there is no such claim, or a waiver names none; a factory builds no model.
        """
        result = self._decide(tested, find(claim_id))
        waive = self.subject(tested).contract.waive
        check_waivers(tested, waive)
        if claim_id not in waive:
            return result
        if result.verdict is Verdict.HOLDS:
            why = f"it is waived ({waive[claim_id]}) and yet it holds: remove the waiver"
            return dataclasses.replace(result, verdict=Verdict.FAILS, reason=why)
        if result.verdict is Verdict.FAILS:
            return dataclasses.replace(result, verdict=Verdict.WAIVED, reason=waive[claim_id])
        return result

    def held_to(self, tested: Tested) -> dict[str, Any]:
        """What the claims hold an initializer to, where it comes from, how it is called; of a model its portrait."""
        subject = self.subject(tested)
        if isinstance(subject, Judging):
            return dict(subject.held_to())
        contract, initializer = subject.contract, subject.initializer
        return {
            # Lists, as JSON has them: the same whether this was worked out here or in another process.
            **{key: list(value) if isinstance(value, tuple) else value for key, value in contract.said().items()},
            "origins": dict(contract.origins),
            "notes": list(contract.notes) + list(initializer.notes),
            "signature": initializer.signature,
        }

    def report(
        self,
        initializers: Sequence[Tested],
        not_checked: Iterable[NotChecked] = (),
        results: Sequence[Result] | None = None,
        known: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Report:
        """Decide every claim of every initializer and model, or put given results into a report.

        Args:
            initializers: what is tested, in the order of the report.
            not_checked: what was named and not looked at.
            results: those decided elsewhere.
            known: name -> contract as plain data, of those that were inferred elsewhere.
        """
        if results is None:
            results = [judged_or_broken(self, i, c) for i in initializers for c in self.claims_of(i)]
        contracts: dict[str, Mapping[str, Any]] = {}
        for initializer in initializers:
            if known is not None:
                # Not inferred here: an initializer that killed its worker would kill this process too.
                if initializer.name in known:
                    contracts[initializer.name] = known[initializer.name]
                continue
            contracts[initializer.name] = self.held_to(initializer)
        left = (*not_checked, *shown_nothing(results, {i.name for i in initializers if i.bystander}))
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

    def _decide(self, tested: Tested, claim: Claim) -> Result:
        key = (tested.name, claim.id)
        if key not in self._verdicts:
            started = time.perf_counter()
            subject = self.subject(tested)
            before = Surroundings()
            try:
                with one_thread():
                    decided = self._decided(tested, subject, claim)
            finally:
                changed = before.put_back()
            if not isinstance(subject, Judging):
                subject.draws.changes.update(changed)
            result = Result.of(
                claim,
                tested,
                decided.verdict,
                decided.reason,
                evidence=decided.evidence,
                notes=(*subject.contract.notes, *decided.notes),
                reproduce=self.settings.command(tested, claim),
                waits_for=decided.waits_for,
                unread=decided.unread,
            )
            self._verdicts[key] = dataclasses.replace(result, seconds=time.perf_counter() - started)
        return self._verdicts[key]

    def _decided(self, tested: Tested, subject: Subject | Judging, claim: Claim) -> Decided:
        reason = subject.not_asked(claim) or _unasked(subject, claim)
        if reason is not None:
            return Decided(verdict=Verdict.NOT_APPLICABLE, reason=reason, unread=reason == subject.problem)
        failed_needs = [n for n in claim.needs if self._decide(tested, find(n)).verdict is Verdict.FAILS]
        ended = [n for n in failed_needs if find(n).kind == claim.kind and not _goes_on(subject, claim, n)]
        if ended:
            return Decided(verdict=Verdict.NOT_APPLICABLE, waits_for=ended[0])
        if isinstance(subject, Judging):
            return subject.decide(claim, self.ledger, self.settings.timeout)
        return self._tried(subject, claim, failed_needs)

    def _tried(self, subject: Subject, claim: Claim, failed_needs: Sequence[str]) -> Decided:
        """What comes of trying a claim case by case."""
        unsettled = subject.unsettled(claim)
        if unsettled is not None:
            return Decided(verdict=Verdict.UNDECIDED, reason=unsettled, unread=subject.problem is not None)
        trial = Judge(subject, self.ledger.claim())
        timeout = self.settings.timeout
        subject.draws.deadline = None if timeout is None else time.monotonic() + timeout
        try:
            failure = smallest_failure(claim, trial)
        except OutOfTime:
            reason = out_of_time(timeout, f"{subject.draws.calls:,} calls")
            return _of_trial(trial, Verdict.UNDECIDED, reason)
        finally:
            subject.draws.deadline = None
        if failure is not None:
            evidence = failure.evidence if isinstance(failure, CaseFailed) else Evidence(measured=str(failure))
            cause = _cause(subject, claim, evidence, trial)
            if cause is not None:
                evidence = dataclasses.replace(evidence, likely=cause.sentence, fix=cause.fix)
            evidence = failure_series(claim, subject, evidence)
            return _of_trial(trial, Verdict.FAILS, evidence=evidence)
        if trial.undecided:
            return _of_trial(trial, Verdict.UNDECIDED, trial.undecided[0])
        if trial.moot:
            if failed_needs:
                return _of_trial(trial, Verdict.NOT_APPLICABLE, waits_for=failed_needs[0])
            return _of_trial(trial, Verdict.NOT_APPLICABLE, trial.moot[0])
        if not trial.decided:
            return _of_trial(trial, Verdict.NOT_APPLICABLE, _why_not(trial.not_asked))
        if not {"rate", "excluded"} & set(trial.notes):
            trial.note(excluded(trial.decided, trial.beta), topic="excluded")
        return _of_trial(trial, Verdict.HOLDS, evidence=_worst(trial.decided))


def check_waivers(tested: Tested, waive: Iterable[str]) -> None:
    """Refuse a waiver of a claim that is never asked.

    Raises:
        UsageError: there is none of that id; the sentence names the closest.
    """
    refuse_unknown(waive, asked_of(tested.kind), f"the contract of {tested.name} waives")


def _goes_on(subject: Subject | Judging, claim: Claim, need: str) -> bool:
    """Whether a claim can still be judged though one it needs fails."""
    # Shape by shape: what one shape breaks, the others may still show.
    return find(need).shape_by_shape or (
        claim.exact_on_constants and not isinstance(subject, Judging) and subject.constant
    )


def _of_trial(
    trial: Judge,
    verdict: Verdict,
    reason: str | None = None,
    *,
    evidence: Evidence | None = None,
    waits_for: str | None = None,
) -> Decided:
    """What a property noted; what the cases that hold exclude is not said beside one that fails."""
    said = (n for topic, n in trial.notes.items() if verdict is not Verdict.FAILS or topic not in ("rate", "excluded"))
    return Decided(
        verdict=verdict, reason=reason, evidence=evidence or Evidence(), notes=tuple(said), waits_for=waits_for
    )


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


def _unasked(subject: Subject | Judging, claim: Claim) -> str | None:
    """Why no contract of a layer asks the claim; said before what the claim needs, which may fail."""
    if claim.unasked is None or isinstance(subject, Judging):
        return None
    reasons = [claim.unasked(subject.contract_of(layer)) for layer in subject.plan_of(claim)]
    return reasons[0] if reasons and None not in reasons else None


def _cause(subject: Subject, claim: Claim, evidence: Evidence, trial: Judge) -> Cause | None:
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


def subject_of(tested: Tested, budget: Profile, seed: int) -> Subject | Judging:
    """The subject of its kind: shapes of an initializer, the weights of a layer, the builds of a model."""
    makes: Callable[[Any, Profile, int], Subject | Judging] = tested.subject or InitializerSubject
    return makes(tested, budget, seed)


_OF = {
    "check": "an initializer",
    "model": "a model",
    "pair": "two starts",
    "lock": "a start and its law file",
    "ranks": "a sharded model",
}


_MOST_POINTS = 60


def _worst(decided: Sequence[Evidence]) -> Evidence:
    """The case nearest to an edge of its band, with the calls and weights of all cases."""

    def distance(evidence: Evidence) -> float:
        if evidence.value is None or evidence.band is None:
            return float("inf")
        lo, hi = evidence.band
        # Where every weight is zero the band of a mean is a point.
        # To six digits: what rounds otherwise on another processor is shown at the same case.
        return round(min(evidence.value - lo, hi - evidence.value) / (hi - lo), 6) if 0 < hi - lo < np.inf else np.inf

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
