"""Trials that decide nothing: a glance at every width, and a measurement for a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NoReturn

from initcheck.claims.trial import NotAsked, Stage
from initcheck.contract.case import Case
from initcheck.contract.second_moments import Statistic
from initcheck.draws.call import BrokenCall
from initcheck.draws.streams import SCREEN
from initcheck.engine.trials.account import Account, point
from initcheck.statistics import ClaimLedger, Judgement, Record

# Weights of a glance: 1.5 times an edge of a band is seen, in a normal law by 6 standard errors.
_GLANCE = 512
# Weights of a look at one case for a picture: the point is then within a few per cent of the truth.
_LOOK = 4_096


class _Onlooker(Account):
    """Whoever only looks sets a case aside as soon as a property wants a decision; nothing of the budget is spent."""

    thrift = 1
    named_only = False

    @property
    def ledger(self) -> ClaimLedger:
        """None: there is nothing to spend."""
        self._refuse()

    @property
    def beta(self) -> float:
        """None."""
        self._refuse()

    def decide(self, layer: Case, test: Callable[[Stage], Judgement], **_: object) -> tuple[Judgement, Stage]:
        """Set the case aside."""
        self._refuse()

    def judge_at(self, statistic: Statistic, within: tuple[float, float], stage: Stage) -> Judgement:
        """Set the case aside."""
        self._refuse()

    def settle(self, layer: Case, judgement: Judgement, calls: int, **shown: object) -> None:
        """Set the case aside."""
        self._refuse()

    def in_dtype(self, dtype: str) -> NoReturn:
        """Set the case aside: other dtypes are judged, not looked at."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotAsked("asked for a decision where there is only a look")


class Glance(_Onlooker):
    """How far beyond its band the value of a claim lies at each width, from a few hundred weights.

    Nothing is decided by it: the claim itself is asked where this is furthest.

    Attributes:
        far: the logarithm of the ratio of value and edge, of every case glanced at; negative inside the band.
    """

    def __init__(self, judge: Account, *, closer: bool = False) -> None:
        super().__init__(judge.subject, judge.dtype)
        self._closer = closer
        # Every claim glances at the same layers.
        held: dict[Case, Record | BrokenCall] = self.draws.once(("glances", self.dtype, closer), dict)
        self._held = held
        # What the property has made of the plan, such as a law that was fitted, is not made again.
        self._kept = judge.kept_in(judge.dtype)
        self.far: dict[Case, float] = {}

    def at(self, layer: Case) -> Record:
        """The sums of a few hundred weights, which a judgement of the same case reads first, or of all that it reads
        at its first look; of one call where all are alike.

        Raises:
            BrokenCall: a call gave no finite weights of the shape that was asked for.
        """
        if layer not in self._held:
            try:
                self._held[layer] = self.records(layer, SCREEN, self._calls(layer))
            except BrokenCall as broken:
                self._held[layer] = broken
        found = self._held[layer]
        if isinstance(found, BrokenCall):
            raise found
        return found

    def draw(self, cases: Iterable[Case]) -> None:
        """Draw together what ``at`` looks at in each of these cases."""
        self.draws.glance({case: self._calls(case) for case in cases if case not in self._held}, self.dtype)

    def _calls(self, layer: Case) -> int:
        if self.subject.constant:
            return 1
        return self.usual_calls(layer) if self._closer else math.ceil(_GLANCE / layer.weights)

    def glances(self, layer: Case, far: Callable[[int], float]) -> None:
        """Keep how far it looks beyond the claim, and set the case aside."""
        self.at(layer)
        self.far[layer] = far(self._calls(layer))
        self._refuse()

    def keeps(self, statistic: Statistic, within: tuple[float, float], **_: object) -> None:
        """Keep how far the value lies; infinitely far where it is no positive number."""
        lo, hi = within
        value = float(statistic.centred(self.at(statistic.layer)).mean())
        beyond = max(math.log(value / hi), math.log(lo / value)) if 0 < value < math.inf else math.inf
        self.far[statistic.layer] = beyond


class Look(_Onlooker):
    """What a claim measures at one case, from a few calls that other claims read too: one point of a picture."""

    def keeps(self, statistic: Statistic, within: tuple[float, float], **_: object) -> None:
        """Keep the value as if it held."""
        layer = statistic.layer
        calls = 1 if self.subject.is_constant(layer) else math.ceil(_LOOK / layer.weights)
        value = float(statistic.per_call(self.records(layer, SCREEN, calls)).mean())
        self.holds(layer, value=value, series=point(layer, value, within))
