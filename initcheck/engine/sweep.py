"""A glance at every width: where a claim that the plan could not break is asked once more."""

from __future__ import annotations

import math

import numpy as np

from initcheck.claims.statement import Claim
from initcheck.claims.trial import CaseFailed, NotAsked, body_of
from initcheck.contract.case import Case
from initcheck.draws.draws import BrokenCall
from initcheck.engine.account import Account
from initcheck.engine.onlookers import Glance
from initcheck.sandbox.global_generators import isolated

__all__ = ["suspects"]

# Of a thousand glances at a sound law the worst few lie a little outside the band; each is then judged like any layer.
_MOST = 3


def suspects(claim: Claim, trial: Account) -> list[Case]:
    """The cases of the sweep at which a claim looks wrong: calls that broke first, then the values furthest out.

    One width wrong among all others, such as 100 alone, is in no plan that a run can afford to judge; a few hundred
    weights of every width are cheap. They decide nothing: the claim is asked of these cases as of the plan's, where
    a FAILS is confirmed on fresh calls.
    """
    broken, glance = [], Glance(trial)
    body = body_of(claim)
    with isolated(0), np.errstate(all="ignore"):
        glance.draw(trial.subject.domain.sweep)
        for layer in trial.subject.domain.sweep:
            try:
                glance.at(layer)
                if claim.sweep == "values":
                    body(glance, layer=layer)
            except BrokenCall:
                broken.append(layer)
            except CaseFailed:
                glance.far[layer] = math.inf
            except NotAsked:
                continue
    far = {layer: by for layer, by in glance.far.items() if by > 0}
    return [*broken[:_MOST], *sorted(far, key=lambda layer: (-far[layer], layer.weights, layer))[:_MOST]]
