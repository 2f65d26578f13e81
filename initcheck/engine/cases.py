"""Hypothesis walking a property through its cases: the whole plan, then down to the smallest that fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from initcheck.claims.statement import Claim
from initcheck.claims.strategies import Layers, selecting, smaller_layers
from initcheck.claims.trial import CaseFailed, NotAsked, body_of
from initcheck.contract.case import Case
from initcheck.contract.layer import Layer
from initcheck.draws.call import BrokenCall
from initcheck.engine.kept import KeptCase, forget, keep, kept_cases
from initcheck.engine.search import on_no_constants
from initcheck.engine.sweep import lighter_suspects, suspects
from initcheck.engine.trials.judge import SMALLER, Judge
from initcheck.grouping import grouped
from initcheck.sandbox.global_generators import isolated
from initcheck.seeds import entropy


def smallest_failure(claim: Claim, trial: Judge) -> AssertionError | None:
    """Ask a claim of every case that its strategy selects; return the failure of the smallest failing one, or None.

    A selection is a finite set, and every run visits all of it: from the smallest case on where the case is all that
    the property draws, in Hypothesis' order where it draws more. Down from a failure it is Hypothesis that walks. A
    verdict on a case is kept, so that shrinking asks no case twice and a replay cannot disagree with the first answer.
    """
    cases = _Cases(claim, trial)
    alone = cases.alone
    failure = cases.tried_before()
    if failure is None and alone is not None:
        name, layers = alone
        failure = cases.walk(name, cases.selected(layers))
        if failure is None and claim.sweep != "none":
            failure = cases.walk(name, suspects(claim, trial))
    elif failure is None:
        failure = cases.search()
    smallest = cases.failed_at
    if failure is None or smallest is None:
        return failure
    if not trial.subject.smaller:
        return cases.worst()
    if alone is not None and not alone[1].shrinks:
        return failure
    failure = cases.lighter(failure)
    if cases.kept is None:
        failure = cases.shrunk(failure)
    cases.keep()
    return failure


_LISTED = 6
# Hypothesis repeats itself: this many more examples than cases reach all of them.
_MORE_THAN_CASES = 8


@dataclass(frozen=True)
class _Asked:
    """How a case was asked: whether as a smaller one, and what of the error budget had been taken."""

    smaller: bool
    confirmations: int
    shared: int | None


class _Cases:
    """The body of a property with its answers kept: one fresh ``given`` a run, as DESIGN 4 found necessary."""

    def __init__(self, claim: Claim, trial: Judge) -> None:
        self.trial = trial
        self.claim = claim
        self.body = body_of(claim)
        self.strategies: dict[str, Any] = claim.prop.hypothesis._given_kwargs  # type: ignore[attr-defined]
        self.answers: dict[str, tuple[AssertionError | None, _Asked]] = {}
        self.last_failed: dict[str, Any] = {}
        self.last_asked: _Asked | None = None
        self.kept: KeptCase | None = None

    @property
    def alone(self) -> tuple[str, Layers] | None:
        """The name and the strategy of the layer, where it is all that the property draws."""
        [(name, strategy), *more] = self.strategies.items()
        return None if more or not isinstance(strategy, Layers) else (name, strategy)

    @property
    def failed_at(self) -> Case | None:
        """The case that failed last."""
        return next((value for value in self.last_failed.values() if isinstance(value, Case)), None)

    def selected(self, layers: Layers) -> Sequence[Case]:
        """The cases that a strategy stands for; where there are none, that is why the claim is not asked."""
        found = layers.among(self.trial.subject, self.claim)
        if not found:
            self.trial.not_asked.setdefault(layers.where_none, 1)
        return found

    def walk(self, name: str, chosen: Iterable[Case]) -> AssertionError | None:
        """Ask cases one by one until one fails; as Hypothesis would, at a tenth of the time."""
        # A number a claim: what draws from a global generator would give the same weights to each of them.
        with isolated(entropy("walk", self.claim.id) % 2**31):
            for layer in chosen:
                try:
                    self.ask({name: layer})
                except AssertionError as error:
                    return error
        return None

    def tried_before(self) -> AssertionError | None:
        """Ask the case that failed last time, as it was asked then; one that fails no more is forgotten."""
        alone, trial = self.alone, self.trial
        if alone is None or not alone[1].shrinks or not trial.subject.smaller:
            return None
        for kept in kept_cases(trial.subject, self.claim):
            take_back = trial.marked()
            trial.ledger.resume(kept.confirmations, kept.shared)
            self.trial = trial.of_smaller_cases() if kept.smaller else trial
            failure = self.walk(alone[0], [kept.layer])
            if failure is not None:
                self.kept = kept
                return failure
            forget(trial.subject, self.claim, kept)
            # One that stays open says nothing of this run: it was asked for what it was worth in another.
            take_back()
            self.answers.clear()
            self.trial = trial
        return None

    def keep(self) -> None:
        """Keep the case that failed last, for the next run."""
        layer, asked = self.failed_at, self.last_asked
        if isinstance(layer, Layer) and asked is not None and self.alone is not None and self.kept is None:
            keep(self.trial.subject, self.claim, KeptCase(layer, asked.smaller, asked.confirmations, asked.shared))

    def lighter(self, failure: AssertionError) -> AssertionError:
        """The failure of the lightest layer that looks wrong at a glance and is; the one given where none is."""
        than = self.failed_at
        if self.claim.sweep == "none" or self.alone is None or not isinstance(than, Layer):
            return failure
        trial = self.trial
        self.trial = trial.of_smaller_cases()
        found = self.walk(self.alone[0], lighter_suspects(self.claim, trial, than))
        if found is None:
            self.trial = trial
            return failure
        self.kept = None
        return found

    def search(self) -> AssertionError | None:
        """Let Hypothesis draw from the selections, beside whatever else the property draws."""
        every = len({*self.trial.subject.plan_of(self.claim), *self.trial.subject.domain.exact})

        def among(layers: Layers) -> st.SearchStrategy[Case]:
            found = self.selected(layers)
            return st.sampled_from(found) if found else st.nothing()

        try:
            return self._run(among, every + _MORE_THAN_CASES, (Phase.generate,))
        except Unsatisfiable:
            if not self.trial.not_asked:
                raise
            return None

    def shrunk(self, failure: AssertionError) -> AssertionError:
        """The failure of the smallest case that fails, among all that are at most as large as the last one."""
        subject = self.trial.subject
        self.trial = self.trial.of_smaller_cases()
        for every_width in (False, True):
            # First along the telling widths, then through all between the smallest that failed and the next below it.
            around = self.failed_at
            if not isinstance(around, Layer):
                break
            smaller = smaller_layers(
                around,
                subject.domain.layouts,
                subject.domain.widths[0],
                every_width=every_width,
                equal_kernels=subject.domain.equal_kernels,
            )
            found = self._run(lambda layers, s=smaller: s, subject.smaller, (Phase.generate, Phase.shrink))  # type: ignore[misc]
            failure = found or failure
        return failure

    def _run(
        self, cases: Callable[[Layers], st.SearchStrategy[Case]], most: int, phases: tuple[Phase, ...]
    ) -> AssertionError | None:
        def body(**drawn: Any) -> None:
            self.ask(drawn)

        chosen = settings(
            max_examples=most,
            phases=phases,
            database=None,
            deadline=None,
            derandomize=True,
            report_multiple_bugs=False,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )
        with selecting(cases), on_no_constants():
            try:
                chosen(given(**self.strategies)(body))()
            except AssertionError as error:
                return error
        return None

    def worst(self) -> AssertionError | None:
        """Ask every case; the failure furthest beyond its band, the others listed beneath it."""
        drawn: dict[str, Any] = self.last_failed
        failures: list[tuple[Case, AssertionError]] = []
        self.trial = self.trial.of_cases_beside()
        chosen = self.selected(self.alone[1]) if self.alone else self.trial.subject.plan_of(self.claim)
        for case in chosen:
            replaced = {name: case if isinstance(value, Case) else value for name, value in drawn.items()}
            try:
                self.ask(replaced)
            except AssertionError as error:
                failures.append((case, error))
        found = [(case, error) for case, error in failures if isinstance(error, CaseFailed)]
        if len(found) < len(failures):
            return failures[0][1]
        found.sort(key=lambda one: -_how_far(one[1]))
        # Every weight once before any of them at another size.
        of_each = grouped((case.title, error) for case, error in found)
        once = [errors[0] for errors in of_each.values()]
        first, *others = [*once, *(error for _, error in found if error not in once)]
        evidence = first.evidence
        lines = [f"also {f.evidence.measured} at {f.evidence.case}" for f in others]
        more = (f"and at {len(lines) - _LISTED} more",) if len(lines) > _LISTED else ()
        return CaseFailed(replace(evidence, detail=(*evidence.detail, *lines[:_LISTED], *more)))

    def ask(self, drawn: dict[str, Any]) -> None:
        key = repr(sorted(drawn.items()))
        if key not in self.answers:
            ledger = self.trial.ledger
            asked = _Asked(self.trial.effort is SMALLER, ledger.confirmations, ledger.shared)
            self.answers[key] = (self._answer(drawn), asked)
        error, asked = self.answers[key]
        if error is not None:
            self.last_failed, self.last_asked = drawn, asked
            raise error

    def _answer(self, drawn: dict[str, Any]) -> AssertionError | None:
        try:
            # Weights may be anything: what overflows is a finding, not a warning to the user.
            with np.errstate(all="ignore"):
                self._promised(drawn)
                self.body(self.trial, **drawn)
        except NotAsked as reason:
            self.trial.not_asked[str(reason)] = self.trial.not_asked.get(str(reason), 0) + 1
        except BrokenCall as broken:
            self.trial.moot.append(broken.message)
        except AssertionError as error:
            return error
        return None

    def _promised(self, drawn: Mapping[str, Any]) -> None:
        """Go on only where the contract of the layer asks the claim."""
        unasked = self.claim.unasked
        if unasked is None:
            return
        for layer in (value for value in drawn.values() if isinstance(value, Case)):
            reason = unasked(self.trial.subject.contract_of(layer))
            self.trial.asks(reason is None, reason or "")


def _how_far(failure: CaseFailed) -> float:
    """How far beyond its band a failure lies, as a ratio of logarithms; 0 where it has no band."""
    evidence = failure.evidence
    if evidence.value is None or evidence.band is None or not (evidence.value > 0 and evidence.band[0] > 0):
        return 0.0
    lo, hi = evidence.band
    # To a tenth, so that of failures which differ by chance the first of the plan is named.
    return round(max(math.log(lo / evidence.value), math.log(evidence.value / hi)), 1)
