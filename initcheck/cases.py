"""Hypothesis walking a property through its cases: the whole plan, then down to the smallest that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from initcheck.claim import Claim
from initcheck.draws import BrokenCall
from initcheck.layer import Layer
from initcheck.strategies import smaller_layers, walking
from initcheck.trial import NotAsked, Trial

__all__ = ["smallest_failure"]


def smallest_failure(claim: Claim, trial: Trial) -> AssertionError | None:
    """Ask a claim of every case of its domain; return the failure of the smallest failing one, or None.

    The plan is a finite set, which Hypothesis walks to its end; so every run visits all of it. A verdict on a case
    is kept, so that shrinking asks no case twice and a replay cannot disagree with the first answer.
    """
    cases = _Cases(claim, trial)
    domain = trial.subject.domain
    plan = st.sampled_from(domain.plan)
    every = st.sampled_from(sorted({*domain.plan, *domain.exact}, key=lambda layer: (layer.weights, layer)))
    failure = cases.run(plan, every, len(domain.plan) + len(domain.exact) + 8, (Phase.generate,))
    if failure is None:
        return None
    failed = next((value for value in cases.last_failed.values() if isinstance(value, Layer)), None)
    if failed is None:
        return failure
    trial.shrinking = True
    around = smaller_layers(failed, domain.layouts, domain.widths[0])
    smaller = cases.run(around, around, trial.subject.profile.shrink, (Phase.generate, Phase.shrink))
    return smaller or failure


class _Cases:
    """The body of a property with its answers kept: one fresh ``given`` a run, as DESIGN 4 found necessary."""

    def __init__(self, claim: Claim, trial: Trial) -> None:
        self.trial = trial
        self.inner: Callable[..., Any] = claim.prop.hypothesis.inner_test  # type: ignore[attr-defined]
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
                self.inner(self.trial, **drawn)
        except NotAsked as reason:
            self.trial.not_asked[str(reason)] = self.trial.not_asked.get(str(reason), 0) + 1
        except BrokenCall as broken:
            self.trial.moot.append(broken.message)
        except AssertionError as error:
            return error
        return None
