"""`check()`: initializers x claims -> Report, one verdict at a time and each independent of the others."""

from __future__ import annotations

import dataclasses
import platform
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.claims.claim import Claim, checks, find, in_order
from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer
from initcheck.contract.profile import Profile, profile
from initcheck.diagnosis.causes import Cause
from initcheck.draws.draws import OutOfTime
from initcheck.engine.broken_claim import contained
from initcheck.engine.cases import smallest_failure
from initcheck.engine.pictures import failure_series
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

__all__ = ["Checker", "Settings", "check"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is made.

    Attributes:
        seed: every draw derives from it; the same seed gives the same verdicts, bit for bit.
        profile: ``quick``, ``default`` or ``thorough``; it never changes an error rate.
        alpha: bound on the probability of any false FAIL, per initializer.
        beta: bound on the probability that a HOLDS is wrong, per verdict.
        claims: claim ids; every claim that is asked by default where None.
        timeout: seconds of wall clock a claim may take before it ends UNDECIDED.
    """

    seed: int = 0
    profile: str = "default"
    alpha: float = 1e-6
    beta: float = 1e-3
    claims: tuple[str, ...] | None = None
    timeout: float | None = None


def check(
    target: Any,
    *,
    contract: Contract | dict[str, Any] | str | None = None,
    claims: Sequence[str] | None = None,
    seed: int = 0,
    profile: str = "default",
    signature: str | None = None,
    args: dict[str, Any] | None = None,
    parameter: str | None = None,
    timeout: float | None = None,
    executor: Executor | None = None,
) -> Report:
    """Check an initializer against the claims.

    >>> import initcheck
    >>> report = initcheck.check("initcheck.gallery:zeros", claims=["units-differ"])
    >>> report.ok, report["units-differ"].verdict.value
    (False, 'FAILS')

    Args:
        target: a target text (``myinit``, ``pkg.mod:attr``), or the initializer itself.
        contract: what it promises; else its own ``__initcheck__``, else what is known or inferred.
        claims: claim ids; every claim asked by default where None.
        seed: the run seed.
        profile: ``quick``, ``default`` or ``thorough``.
        signature: how to call it, such as ``"(shape, rng)"``, where it cannot be read.
        args: fixed keyword arguments.
        parameter: which of several returned arrays is meant.
        timeout: seconds a claim may take.
        executor: where to judge: a ``ProcessPoolExecutor``, Dask's ``client.get_executor()``; in this process where
            None. The verdicts are the same, bit for bit, and the executor is not shut down.

    Raises:
        UsageError: an unknown target, claim, profile or contract value; a signature that cannot be read; an executor
            of threads; a function that cannot be sent to another process.
    """
    from initcheck.runs.executor import Spread, require_executor
    from initcheck.targets.loading import load

    if executor is not None:
        require_executor(executor)
    checker = Checker(
        Settings(seed=seed, profile=profile, claims=tuple(claims) if claims is not None else None, timeout=timeout)
    )
    loaded = load(target, contract=contract, signature=signature, args=args, parameter=parameter)
    if executor is None:
        return checker.report(loaded.initializers, loaded.not_checked)
    spread = Spread(checker, loaded.initializers)
    results = spread.results(executor)
    return checker.report(loaded.initializers, loaded.not_checked, results, spread.contracts)


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
            results = [contained(self.judge, i, c) for i in initializers for c in self.claim_ids]
        contracts: dict[str, Mapping[str, Any]] = {}
        for initializer in initializers:
            if known is not None:
                # Not inferred here: an initializer that killed its worker would kill this process too.
                if initializer.name in known:
                    contracts[initializer.name] = known[initializer.name]
                continue
            contract = self.subject(initializer).contract
            contracts[initializer.name] = {
                **contract.said(),
                "origins": dict(contract.origins),
                "notes": list(contract.notes) + list(initializer.notes),
                "signature": initializer.signature,
            }
        left = tuple(NotChecked(name=n.name, reason=n.reason, call_to_write=n.call_to_write) for n in not_checked)
        return Report(run=self.run(results), results=tuple(results), contracts=contracts, not_checked=left)

    def run(self, results: Sequence[Result] = ()) -> Run:
        """How this run is made, and with its results the smallest defects that it could find."""
        settings = self.settings
        libraries = {"python": platform.python_version(), "numpy": np.__version__}
        for name in ("hypothesis", "torch", "jax", "keras", "flax", "equinox"):
            if name in sys.modules and hasattr(sys.modules[name], "__version__"):
                libraries[name] = str(sys.modules[name].__version__)
        return Run(
            seed=settings.seed,
            profile=settings.profile,
            alpha=settings.alpha,
            beta=settings.beta,
            claims=self.ledger.claims,
            version=installed_version(),
            libraries=libraries,
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
            return self._result(subject, claim, Verdict.NOT_APPLICABLE, f"needs {ended[0]}, which fails")
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
            reason = f"needs {failed_needs[0]}, which fails" if failed_needs else trial.moot[0]
            return self._result(subject, claim, Verdict.NOT_APPLICABLE, reason, trial)
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
        reason: str | None,
        trial: Trial | None = None,
        evidence: Evidence | None = None,
    ) -> Result:
        initializer = subject.initializer
        settings = self.settings
        options = [
            f"--initcheck={initializer.name}",
            "-k",
            claim.prop.__name__,
            f"--initcheck-seed={settings.seed}",
        ]
        if settings.profile != "default":
            options.append(f"--initcheck-profile={settings.profile}")
        return Result(
            claim=claim.id,
            says=claim.says,
            initializer=initializer.name,
            family=claim.family,
            verdict=verdict,
            reason=reason,
            evidence=evidence or Evidence(),
            notes=(*subject.contract.notes, *_notes(trial, verdict)),
            reproduce="pytest " + " ".join(shlex.quote(o) for o in options),
            location=initializer.location,
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
        return subject.likely_cause(claim.id, evidence)
    except Exception as error:
        trial.note(f"looking for the cause broke, which is a fault of initcheck, not of yours: {one_line(error)}")
        return None


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
