"""Hypothesis walking a property through its cases: the whole plan, then down to the smallest that fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from initcheck.claims.statement import Claim
from initcheck.claims.strategies import smaller_layers, walked, walking
from initcheck.contract.layer import Layer
from initcheck.draws.draws import BrokenCall
from initcheck.engine.sweep import suspects
from initcheck.engine.trial import CaseFailed, NotAsked, Trial
from initcheck.sandbox.global_generators import isolated

__all__ = ["smallest_failure"]


def smallest_failure(claim: Claim, trial: Trial) -> AssertionError | None:
    """Ask a claim of every case of its domain; return the failure of the smallest failing one, or None.

    The plan is a finite set, and every run visits all of it: from the smallest layer on where the layer is all that
    the property draws, in Hypothesis' order where it draws more. Down from a failure it is Hypothesis that walks. A
    verdict on a case is kept, so that shrinking asks no case twice and a replay cannot disagree with the first answer.
    """
    cases = _Cases(claim, trial)
    domain = trial.subject.domain
    chosen = trial.subject.plan_of(claim)
    if not chosen:
        return None
    every = sorted({*chosen, *domain.exact}, key=lambda layer: (layer.weights, layer))
    lists = {"plan": chosen, "every": every}
    if cases.walked is not None:
        name, which = cases.walked
        failure = cases.walk(name, lists[which])
        if failure is None and claim.sweep != "none":
            failure = cases.walk(name, suspects(claim, trial))
    else:
        plan, all_of_them = st.sampled_from(chosen), st.sampled_from(every)
        failure = cases.run(plan, all_of_them, len(every) + 8, (Phase.generate,))
    if failure is None:
        return None
    failed = next((value for value in cases.last_failed.values() if isinstance(value, Layer)), None)
    if failed is None:
        return failure
    if not trial.subject.shrinks:
        return cases.worst(chosen)
    trial.shrinking = True
    most = trial.subject.profile.shrink // (4 if trial.subject.costly_shapes else 1)
    for every_width in (False, True):
        # First along the telling widths, then through all between the smallest that failed and the next below it.
        around = smaller_layers(failed, domain.layouts, domain.widths[0], every_width=every_width)
        failure = cases.run(around, around, most, (Phase.generate, Phase.shrink)) or failure
        failed = next(value for value in cases.last_failed.values() if isinstance(value, Layer))
    return failure


_LISTED = 6


class _Cases:
    """The body of a property with its answers kept: one fresh ``given`` a run, as DESIGN 4 found necessary."""

    def __init__(self, claim: Claim, trial: Trial) -> None:
        self.trial = trial
        self.inner: Callable[..., Any] = claim.prop.hypothesis.inner_test  # type: ignore[attr-defined]
        self.unasked = claim.unasked
        self.strategies: dict[str, Any] = claim.prop.hypothesis._given_kwargs  # type: ignore[attr-defined]
        self.answers: dict[str, AssertionError | None] = {}
        self.last_failed: dict[str, Any] = {}

    def run(self, layers: Any, exact: Any, most: int, phases: tuple[Phase, ...]) -> AssertionError | None:
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
        with walking(layers, exact):
            try:
                chosen(given(**self.strategies)(body))()
            except AssertionError as error:
                return error
        return None

    @property
    def walked(self) -> tuple[str, Literal["plan", "every"]] | None:
        """The name and the list of the layer, where it is all that the property draws."""
        (name, strategy), *more = self.strategies.items()
        which = walked(strategy)
        return None if more or which is None else (name, which)

    def walk(self, name: str, chosen: Sequence[Layer]) -> AssertionError | None:
        """Ask layers one by one until one fails; as Hypothesis would, at a tenth of the time."""
        with isolated(0):
            for layer in chosen:
                try:
                    self.ask({name: layer})
                except AssertionError as error:
                    return error
        return None

    def worst(self, layers: Sequence[Layer]) -> AssertionError | None:
        """Ask every layer; the failure furthest beyond its band, the others listed beneath it."""
        drawn, failures = self.last_failed, []
        for layer in layers:
            replaced = {name: layer if isinstance(value, Layer) else value for name, value in drawn.items()}
            try:
                self.ask(replaced)
            except AssertionError as error:
                failures.append(error)
        if not all(isinstance(f, CaseFailed) for f in failures):
            return failures[0]
        found = sorted((f for f in failures if isinstance(f, CaseFailed)), key=_how_far, reverse=True)
        evidence = found[0].evidence
        lines = [f"also {f.evidence.measured} at {f.evidence.case}" for f in found[1:]]
        more = (f"and at {len(lines) - _LISTED} more",) if len(lines) > _LISTED else ()
        return CaseFailed(replace(evidence, detail=(*evidence.detail, *lines[:_LISTED], *more)))

    def ask(self, drawn: dict[str, Any]) -> None:
        key = repr(sorted(drawn.items()))
        if key not in self.answers:
            self.answers[key] = self._answer(drawn)
        error = self.answers[key]
        if error is not None:
            self.last_failed = drawn
            raise error

    def _answer(self, drawn: dict[str, Any]) -> AssertionError | None:
        try:
            # Weights may be anything: what overflows is a finding, not a warning to the user.
            with np.errstate(all="ignore"):
                self._promised(drawn)
                self.inner(self.trial, **drawn)
        except NotAsked as reason:
            self.trial.not_asked[str(reason)] = self.trial.not_asked.get(str(reason), 0) + 1
        except BrokenCall as broken:
            self.trial.moot.append(broken.message)
        except AssertionError as error:
            return error
        return None

    def _promised(self, drawn: Mapping[str, Any]) -> None:
        """Go on only where the contract of the layer asks the claim."""
        if self.unasked is None:
            return
        for layer in (value for value in drawn.values() if isinstance(value, Layer)):
            reason = self.unasked(self.trial.subject.contract_of(layer))
            self.trial.asks(reason is None, reason or "")


def _how_far(failure: CaseFailed) -> float:
    """How far beyond its band a failure lies, as a ratio of logarithms; 0 where it has no band."""
    evidence = failure.evidence
    if evidence.value is None or evidence.band is None or not (evidence.value > 0 and evidence.band[0] > 0):
        return 0.0
    lo, hi = evidence.band
    # To a tenth, so that of failures which differ by chance the first of the plan is named.
    return round(max(math.log(lo / evidence.value), math.log(evidence.value / hi)), 1)
