"""A glance at every width: where a claim that the plan could not break is asked once more."""

from __future__ import annotations

import copy

import numpy as np

from initcheck.claims.statement import Claim
from initcheck.contract.layer import Layer
from initcheck.draws.draws import BrokenCall
from initcheck.draws.glances import Far
from initcheck.engine.trial import NotAsked, Trial
from initcheck.sandbox.global_generators import isolated

__all__ = ["suspects"]

# Of a thousand glances at a sound law the worst few lie a little outside the band; each is then judged like any layer.
_MOST = 3


def suspects(claim: Claim, trial: Trial) -> list[Layer]:
    """The layers of the sweep at which a claim looks wrong: calls that broke first, then the values furthest out.

    One width wrong among all others, such as 100 alone, is in no plan that a run can afford to judge; a few hundred
    weights of every width are cheap. They decide nothing: the claim is asked of these layers as of the plan's, where
    a FAILS is confirmed on fresh calls.
    """
    broken, glancing = [], copy.copy(trial)
    glancing.far = found = Far()
    body = claim.prop.hypothesis.inner_test  # type: ignore[attr-defined]
    with isolated(0), np.errstate(all="ignore"):
        for layer in trial.subject.domain.sweep:
            try:
                trial.glance_at(layer)
                if claim.sweep == "values":
                    body(glancing, layer=layer)
            except BrokenCall:
                broken.append(layer)
            except NotAsked:
                continue
    far = {layer: by for layer, by in found.items() if by > 0}
    return [*broken[:_MOST], *sorted(far, key=lambda layer: (-far[layer], layer.weights, layer))[:_MOST]]
