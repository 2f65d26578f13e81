"""One claim against one initializer: its cases, its budget, its decisions, and the evidence they leave."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

from initcheck.contract.layer import Layer
from initcheck.contract.second_moments import Statistic
from initcheck.draws.draws import BrokenCall, FirstCall
from initcheck.draws.glances import Far
from initcheck.draws.streams import SCREEN, Stream
from initcheck.engine.subject import Subject
from initcheck.errors import ClaimFailed
from initcheck.report.verdict import Evidence
from initcheck.statistics import (
    GROUP_WEIGHTS,
    SCREEN_LEVEL,
    ClaimLedger,
    Decision,
    Judgement,
    Record,
    first_groups,
    judge_band,
)
from initcheck.statistics.interval import of_mean

__all__ = ["CaseFailed", "NotAsked", "Stage", "Trial"]

Floats = npt.NDArray[np.float64]
Kept = TypeVar("Kept")

# A fan that reads the same whichever axis is the input.
_SYMMETRIC = ("fan_avg", "fan_max")

# Shares of beta: a HOLDS may come from the first look at a case, or from one of two repetitions on fresh calls.
_ROUNDS = ((1, 2 / 3), (1, 1 / 6), (16, 1 / 6))

# Weights of a look at one layer for a picture: the point is then within a few per cent of the truth.
_GLANCE = 4_096

# Draws before a FAILS from below: outliers of one in 10,000 weights, or in 10 calls, are then among them.
_WEIGHTS_BEFORE_BELOW = 2**20
_CALLS_BEFORE_BELOW = 200


class CaseFailed(ClaimFailed):
    """A case on which the claim was shown to be false, with the evidence."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__(f"{evidence.measured} measured at {evidence.case}")
        self.evidence = evidence


class NotAsked(Exception):
    """The claim is not asked of this case, or of this initializer; the message says why."""


@dataclass(frozen=True)
class Stage:
    """What a test is asked to do now.

    Attributes:
        stream: the stream of calls to look at; a confirmation's were never looked at.
        level: error rate of a FAILS.
        beta: error rate of a HOLDS.
        scale: calls a group, as a multiple of the usual.
        confirms: a confirmation: only FAILS matters.
    """

    stream: Stream
    level: float
    beta: float
    scale: int
    confirms: bool


class Trial:
    """What a property is given to decide its claim with.

    A property returns where its case holds. The methods below fail the case, leave it undecided, or set it aside;
    the engine adds up the cases to a verdict. Nothing here knows a claim by name.
    """

    def __init__(self, subject: Subject, ledger: ClaimLedger) -> None:
        self.subject = subject
        self.ledger = ledger
        self.initializer = subject.initializer
        self.contract = subject.contract
        self.draws = subject.draws
        self.dtype = self.contract.dtypes[0]
        self.decided: list[Evidence] = []
        self.undecided: list[str] = []
        self.not_asked: dict[str, int] = {}
        self.moot: list[str] = []
        self.notes: dict[str, str] = {}
        self.shrinking = False
        self.looking = False
        self.far: Far | None = None
        self._kept: dict[str, Any] = {}

    # -- what a property says of a case ------------------------------------------------------------------------

    def asks(self, condition: bool, otherwise: str) -> None:
        """Go on only where ``condition`` is true; else the claim is not asked here, and the report says why.

        Raises:
            NotAsked: the condition is false.
        """
        if not condition:
            raise NotAsked(otherwise)

    def fail(self, layer: Layer | None = None, **evidence: object) -> NoReturn:
        """Fail this case; ``evidence`` are fields of ``Evidence``, such as measured and allowed.

        Raises:
            CaseFailed: always.
        """
        raise CaseFailed(self._evidence(layer, **evidence))

    def holds(self, layer: Layer | None = None, **evidence: object) -> None:
        """Say that this case was decided and holds, with what it rests on."""
        self.decided.append(self._evidence(layer, **evidence))

    def undecide(self, why: str) -> None:
        """Say that this case was not decided; the verdict is then never HOLDS."""
        self.undecided.append(why)

    def note(self, sentence: str, *, topic: str | None = None) -> None:
        """Tell the reader something beside the verdict; a later note on the same topic takes its place."""
        self.notes[topic or sentence] = sentence

    def asks_layout(self, layer: Layer) -> None:
        """Go on only where the meaning of the axes does not matter or is more than assumed.

        Raises:
            NotAsked: the layer is a rectangle and its layout was only assumed.
        """
        assumed = self.contract.origins.get("layout") == "assumed" and self.contract.fan not in _SYMMETRIC
        self.asks(not assumed or layer.is_square, "the layout was assumed: which axis is the input cannot be known")

    def needs_second_moment(self) -> None:
        """Leave the case open where the tail of the weights does not show that a second moment exists.

        Asked after a test of a second moment: a value shown to be too large fails whatever the tail, but inside the
        band it says nothing, as rare huge weights may not have been seen.
        """
        if not self.subject.second_moment_exists:
            self.undecide("a second moment is not shown to exist: the tail of the weights is too heavy")

    def once(self, what: str, make: Callable[[], Kept]) -> Kept:
        """Make something on first use in this trial, and keep it."""
        if what not in self._kept:
            self._kept[what] = make()
        kept: Kept = self._kept[what]
        return kept

    def in_dtype(self, dtype: str) -> Trial:
        """The same trial asking for another dtype: its decisions and its error budget are this one's."""
        other = copy.copy(self)
        other.dtype = dtype
        other._kept = self.once(f"kept in {dtype}", dict)
        return other

    # -- calls ---------------------------------------------------------------------------------------------------

    @property
    def beta(self) -> float:
        """Error rate of a HOLDS."""
        return self.ledger.ledger.beta

    def first_call(self, layer: Layer, dtype: str | None = None) -> FirstCall:
        """What the first call on a layer gave, beside its weights; the call is made once a run.

        Raises:
            BrokenCall: the code raised.
        """
        return self.draws.first_call(layer, dtype or self.dtype)

    def usual_calls(self, layer: Layer) -> int:
        """How many calls a first look at a band takes: 24 groups of at least 256 weights."""
        return 24 * math.ceil(GROUP_WEIGHTS / layer.weights)

    # -- tests ---------------------------------------------------------------------------------------------------

    def keeps(
        self,
        statistic: Statistic,
        within: tuple[float, float],
        *,
        holds_within: tuple[float, float] | None = None,
    ) -> None:
        """Ask whether the mean of a statistic over calls keeps a band, at this layer.

        Groups of calls of at least 256 weights under a sign e-process, in two stages (see ``decide``); exactly,
        from one call, where every call gives the same weights.

        Raises:
            CaseFailed: the mean is shown to leave the band.
        """
        layer, (lo, hi) = statistic.layer, within
        if self.far is not None:
            return self.far.add(layer, float(statistic.centred(self.glance_at(layer)).mean()), within)
        if self.looking:
            return self._look(statistic, within)
        band = f"[{lo:.2f}, {hi:.2f}]"
        if self.subject.is_constant(layer):
            value = float(statistic.per_call(self.draws.records(layer, self.dtype, SCREEN, 1))[0])
            exact = {
                "measured": f"{value:.3g}",
                "allowed": band,
                "value": value,
                "band": within,
                "calls": 1,
                "series": _point(layer, value, within),
            }
            return self.holds(layer, **exact) if lo <= value <= hi else self.fail(layer, **exact)
        per_group = math.ceil(GROUP_WEIGHTS / layer.weights)
        inner_lo, inner_hi = holds_within or within
        every: list[Floats] = []

        def test(stage: Stage) -> Judgement:
            size = per_group * stage.scale
            drawn = 0

            def draw(groups: int) -> tuple[Floats, Floats]:
                nonlocal drawn
                values = statistic.per_call(self.records(layer, stage.stream, (drawn + groups) * size))
                fresh = values[drawn * size :].reshape(groups, size)
                drawn += groups
                every.append(fresh.ravel())
                return fresh, np.ones_like(fresh)

            return judge_band(
                draw,
                lo,
                hi,
                level=stage.level,
                beta=stage.beta,
                max_groups=self.affordable_groups(layer, size, stage),
                fails_only=stage.confirms,
                mean_statistic=True,
                holds_within=holds_within,
                below_after=self.groups_before_below(layer, size, stage),
            )

        judgement, stage = self.decide(layer, test)
        if judgement.decision is Decision.HOLDS and not inner_lo <= np.concatenate(every).mean() <= inner_hi:
            # A rare call that an earlier round saw is not forgotten because a later one saw none.
            judgement = replace(judgement, decision=Decision.UNDECIDED)
        calls = judgement.groups * per_group * stage.scale
        shown = {
            "measured": f"{judgement.measured:.3g}",
            "allowed": band,
            "value": judgement.measured,
            "band": within,
            "interval": of_mean(statistic.per_call(self.records(layer, stage.stream, calls))),
            "series": _point(layer, judgement.measured, within),
        }
        self.settle(layer, judgement, calls, **shown)

    def _look(self, statistic: Statistic, within: tuple[float, float]) -> None:
        """Measure without deciding, from a few calls that other claims read too: one point of a picture."""
        layer = statistic.layer
        calls = 1 if self.subject.is_constant(layer) else math.ceil(_GLANCE / layer.weights)
        values = statistic.per_call(self.records(layer, SCREEN, calls))
        self.holds(layer, value=float(values.mean()), series=_point(layer, float(values.mean()), within))

    def glance_at(self, layer: Layer) -> Record:
        """The sums of a few hundred weights, drawn once for all claims.

        Raises:
            BrokenCall: a call gave no finite weights.
        """
        return self.subject.glances.at(layer, self.dtype, constant=self.subject.constant)

    def decide(
        self, layer: Layer, test: Callable[[Stage], Judgement], *, rounds: int = len(_ROUNDS)
    ) -> tuple[Judgement, Stage]:
        """Screen, confirm what looks wrong on calls never looked at, and repeat what stays open.

        A FAILS needs a confirmation at the ledger's next level. A HOLDS may come from any of three rounds, which
        share beta. The third takes groups 16 times larger, for laws whose small groups say little.

        Args:
            layer: the layer drawn.
            test: looks at a stage's calls and judges them.
            rounds: how many rounds; one where a HOLDS is not what the test is for.
        """
        judgement, stage = (
            Judgement(Decision.UNDECIDED, 0.0, 0.0, math.nan, 0, 0),
            Stage(Stream(""), 1.0, 1.0, 1, False),
        )
        for number, (scale, share) in enumerate(_ROUNDS[: 1 if self.shrinking else rounds]):
            beta = self.ledger.ledger.beta * share
            following = Stage(Stream.screen(number), SCREEN_LEVEL, beta, scale, False)
            if scale > 1 and self.affordable_groups(layer, scale, following) < first_groups(-math.log(beta)):
                break
            stage = following
            judgement = test(stage)
            if judgement.decision is Decision.FAILS:
                level = self.ledger.next_confirmation()
                confirmation = Stage(Stream.confirmation(number), level, beta, scale, True)
                confirmed = test(confirmation)
                if confirmed.decision is Decision.FAILS:
                    return confirmed, confirmation
                judgement = replace(judgement, decision=Decision.UNDECIDED)
            if judgement.decision is Decision.HOLDS:
                return judgement, stage
        return judgement, stage

    def settle(self, layer: Layer, judgement: Judgement, calls: int, **shown: object) -> None:
        """Turn a judgement on a layer into what it means for the case.

        Raises:
            CaseFailed: the judgement is FAILS.
        """
        evidence = {
            **shown,
            "calls": calls,
            "e_value_log10": judgement.e_value_log10,
            "error_spent": judgement.error_spent,
        }
        if judgement.decision is Decision.FAILS:
            self.fail(layer, **evidence)
        if judgement.decision is Decision.HOLDS:
            self.holds(layer, **evidence)
        else:
            self.undecide(
                f"{shown.get('measured')} measured at {layer.described(self.dtype)}, allowed {shown.get('allowed')}:"
                f" not shown either way within {calls:,} calls"
            )

    def affordable_groups(self, layer: Layer, size: int, stage: Stage) -> int:
        """How many groups of ``size`` calls the profile's budget pays for; a first look is always paid for."""
        profile = self.subject.profile
        # A smaller failing case is worth little of the budget: one that stays open is passed over.
        share = 8 if self.shrinking else 1
        groups = min(profile.weights // share // (layer.weights * size), profile.calls // share // size)
        least = first_groups(-math.log(stage.level if stage.confirms else stage.beta)) + 8
        return max(groups // 8 * 8, least if stage.scale == 1 else 8)

    def groups_before_below(self, layer: Layer, size: int, stage: Stage) -> int:
        """How many groups of ``size`` calls a second moment is not confirmed to be too small before.

        What is too rare to be drawn may carry it. A smaller failing case adds little to what was shown already.
        """
        if not stage.confirms:
            return 0
        weights = 0 if self.shrinking else _WEIGHTS_BEFORE_BELOW
        return math.ceil(max(weights / layer.weights, _CALLS_BEFORE_BELOW) / size)

    def records(self, layer: Layer, stream: Stream, calls: int) -> Record:
        """The sums of the first calls of a stream.

        Raises:
            NotAsked: a weight is not finite, so no moment has a meaning here.
            BrokenCall: a call gave no weights.
        """
        record = self.draws.records(layer, self.dtype, stream, calls)
        if (layer, self.dtype) in self.draws.nonfinite:
            raise BrokenCall("not finite", self.draws.nonfinite[layer, self.dtype])
        return record

    def _evidence(self, layer: Layer | None, **fields: object) -> Evidence:
        if layer is not None:
            fields.setdefault("case", layer.described(self.dtype))
            fields.setdefault("shape", layer.shape)
            fields.setdefault("dtype", self.dtype)
            fields.setdefault("weights", int(fields.get("calls", 0) or 0) * layer.weights)  # type: ignore[call-overload]
        return Evidence(**fields)  # type: ignore[arg-type]


def _point(layer: Layer, ratio: float, band: tuple[float, float]) -> dict[str, list[Any]]:
    """One point of the picture of variance against width."""
    return {"variance_by_width": [[layer.fan_in, float(f"{ratio:.4g}"), *band]]}
