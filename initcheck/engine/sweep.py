"""Glances at layers that no plan can afford to judge: where a claim that the plan could not break is asked again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from initcheck.claims.generated import lighter_layers
from initcheck.claims.statement import Claim
from initcheck.claims.trial import CaseFailed, NotAsked, body_of
from initcheck.contract.case import Case
from initcheck.contract.layer import Layer
from initcheck.draws.call import BrokenCall
from initcheck.engine.search import generated_layers
from initcheck.engine.trials.account import Account
from initcheck.engine.trials.onlookers import Glance
from initcheck.sandbox.global_generators import isolated

# Of a thousand glances at a sound law the worst few lie a little outside the band; each is then judged like any layer.
_MOST = 3
# So many are looked at again, as closely as a judgement looks first.
_LOOKED_AT_AGAIN = 16
# Glances at layers lighter than one that fails, heaviest of some 250 weights; and how many of them are judged.
_LIGHTER = 1_500
_MOST_LIGHTER = 6
_TOGETHER = 100


def suspects(claim: Claim, trial: Account) -> list[Case]:
    """The cases at which a claim looks wrong: calls that broke first, then the values furthest out.

    Of the sweep, every width once, and of what Hypothesis generates. One width wrong among all others, such as 100
    alone, or one rectangle in a hundred, is in no plan that a run can afford to judge; a few hundred weights of each
    are cheap. They decide nothing: the claim is asked of these cases as of the plan's, where a FAILS is confirmed on
    fresh calls.
    """
    found: dict[Case, None] = {}
    eye = _Eye(claim, trial)
    generated = generated_layers(trial)
    with isolated(0), np.errstate(all="ignore"):
        for layers in (trial.subject.domain.sweep, generated):
            found.update(dict.fromkeys(eye.furthest(layers)))
    return list(found)


def lighter_suspects(claim: Claim, trial: Account, than: Layer) -> Iterator[Case]:
    """The layers of fewer weights than one that fails at which a claim looks wrong too, the lightest first.

    Hypothesis shrinks one number at a time, and what is wrong where in + out is divisible by 97 is wrong at no layer
    beside another: so all of them are glanced at, as far as that is cheap.
    """
    if not trial.subject.domain.sweep:
        return
    eye = _Eye(claim, trial)
    layers = lighter_layers(than, trial.subject.domain, squares=trial.subject.initializer.squares)
    cheap, wrong = itertools.islice(layers, _LIGHTER), 0
    while (some := tuple(itertools.islice(cheap, _TOGETHER))) and wrong < _MOST_LIGHTER:
        for layer in eye.wrong(some):
            wrong += 1
            yield layer


class _Eye:
    """Glances for one claim: how far beyond its band it is at a layer, infinitely where a call breaks."""

    def __init__(self, claim: Claim, trial: Account) -> None:
        self._claim = claim
        self._body: Callable[..., Any] = body_of(claim)
        self._glance = Glance(trial)
        self._closer = Glance(trial, closer=True)

    def furthest(self, layers: Iterable[Case]) -> list[Case]:
        """Those that look wrong at first sight and at a second one, the furthest out first."""
        layers = tuple(layers)
        self._glance.draw(layers)
        far = {layer: by for layer in layers if (by := self.sees(layer)) > 0}
        worst = sorted(far, key=lambda layer: (-far[layer], layer.weights, layer))
        broken = [layer for layer in worst if far[layer] == math.inf][:_MOST]
        valued = [layer for layer in worst if far[layer] < math.inf][:_LOOKED_AT_AGAIN]
        again = [layer for layer in valued if self.sees_again(layer) > 0]
        return [*broken, *again[:_MOST]]

    def wrong(self, layers: Sequence[Case]) -> list[Case]:
        """Those that look wrong at first sight and at a second one, in their order."""
        self._glance.draw(layers)
        return [layer for layer in layers if self.sees(layer) > 0 and self.sees_again(layer) > 0]

    def sees(self, layer: Case) -> float:
        """From a few hundred weights."""
        return self._sees(self._glance, layer)

    def sees_again(self, layer: Case) -> float:
        """From as many as a judgement reads first."""
        return self._sees(self._closer, layer)

    def _sees(self, glance: Glance, layer: Case) -> float:
        try:
            glance.at(layer)
            if self._claim.sweep == "values":
                self._body(glance, layer=layer)
        except (BrokenCall, CaseFailed):
            return math.inf
        except NotAsked:
            # What is not asked has no place there; where a claim asks for a glance alone it has.
            pass
        return glance.far.get(layer, -math.inf)
