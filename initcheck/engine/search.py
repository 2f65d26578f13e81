"""Hypothesis looking for a layer at which a claim is wrong: networks that it generates, steered to the worst glance."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings, target
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.statistics import collector, note_statistics

from initcheck.claims.generated import MOST_WEIGHTS, GeneratedNetworks
from initcheck.claims.registry import checks
from initcheck.claims.trial import CaseFailed, NotAsked, body_of
from initcheck.contract.layer import Layer
from initcheck.draws.call import BrokenCall, OutOfTime
from initcheck.engine.trials.account import Account
from initcheck.engine.trials.onlookers import Glance
from initcheck.sandbox.global_generators import isolated
from initcheck.seeds import entropy

# A call that breaks, or a value that is no positive number, lies this far out: a score must be finite.
_FURTHEST = 100.0
_LABEL = "log of how far a claim looks beyond its edge"
# A law of variances is fitted to a plan, and of what lies beside it the scale says the same.
_STEERING = ("scale", "centering", "symmetry")


@dataclass(frozen=True)
class _Search:
    """What one search looked at.

    Attributes:
        layers: in the order in which Hypothesis came to them.
        statistics: what Hypothesis says of its run.
    """

    layers: tuple[Layer, ...]
    statistics: tuple[Any, ...]


def generated_layers(trial: Account) -> tuple[Layer, ...]:
    """The layers that Hypothesis generates beside the plan, the same for every claim; none where a shape is costly.

    A claim that glances at them reads calls that were drawn once. They decide nothing, so that no error rate depends
    on how they were come by: where a glance looks wrong the claim is asked, and a FAILS is confirmed on fresh calls.
    """
    if not trial.subject.domain.sweep:
        return ()
    found = trial.draws.once(("search", trial.dtype), lambda: _search(trial))
    for statistics in found.statistics:
        # Once a claim: each is an item of its own where Hypothesis' statistics are shown.
        note_statistics(statistics)
    return found.layers


@contextlib.contextmanager
def on_no_constants() -> Iterator[None]:
    """Let Hypothesis draw no numbers that it read in the modules which happen to be loaded.

    They differ between a worker, a test session and the command, and a verdict must not.
    """
    drawn = HypothesisProvider._maybe_draw_constant
    HypothesisProvider._maybe_draw_constant = lambda *_, **__: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        HypothesisProvider._maybe_draw_constant = drawn  # type: ignore[method-assign]


def _search(trial: Account) -> _Search:
    subject, contract = trial.subject, trial.contract
    eyes = [
        (body_of(claim), Glance(Account(subject, trial.dtype)))
        for claim in checks().values()
        if claim.sweep == "values" and claim.topic in _STEERING and not (claim.unasked and claim.unasked(contract))
    ]
    first = Glance(Account(subject, trial.dtype))
    seen: dict[Layer, float] = {}
    over: list[OutOfTime] = []

    def look(layer: Layer) -> float:
        try:
            first.at(layer)
        except BrokenCall:
            return _FURTHEST
        for body, glance in eyes:
            with contextlib.suppress(NotAsked, BrokenCall, CaseFailed):
                body(glance, layer=layer)
        return min(max((glance.far.get(layer, -_FURTHEST) for _, glance in eyes), default=-_FURTHEST), _FURTHEST)

    def network(layers: tuple[Layer, ...]) -> None:
        fresh = [layer for layer in layers if layer not in seen and not over]
        try:
            first.draw(fresh)
            for layer in fresh:
                seen[layer] = look(layer)
        except OutOfTime as spent:
            # Raised here it would be a failure of the network, which Hypothesis would try again.
            over.append(spent)
        target(max((seen.get(layer, -_FURTHEST) for layer in layers), default=-_FURTHEST), label=_LABEL)

    network.__module__, network.__qualname__ = __name__, f"generated layers of {subject.initializer.name}"
    statistics: list[Any] = []
    chosen = settings(
        max_examples=subject.profile.searched,
        phases=(Phase.generate, Phase.target),
        database=None,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    layers = GeneratedNetworks(
        subject.domain,
        depthwise=contract.groups == "depthwise",
        squares=subject.initializer.squares,
        most=min(subject.profile.largest, MOST_WEIGHTS),
    )
    number = entropy("search", subject.seed, subject.initializer.name)
    heard: Any = collector
    with isolated(0), np.errstate(all="ignore"), on_no_constants(), heard.with_value(statistics.append):
        chosen(seed(number)(given(layers=layers)(network)))()
    if over:
        raise over[0]
    return _Search(tuple(seen), tuple(statistics))
