"""One claim against one initializer, judged: its budget, its decisions, and the evidence they leave."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.claims.subject import Subject
from initcheck.claims.trial import Stage
from initcheck.contract.case import Case
from initcheck.contract.second_moments import Statistic
from initcheck.draws.streams import SCREEN, Stream
from initcheck.engine.trials.account import Account, point
from initcheck.engine.trials.rarity import (
    BETS_SHARE,
    only_zeros_in_sight,
    rarely_not_zero,
    tail_may_carry,
    why_nothing_can_hold,
    zeros_say_nothing,
)
from initcheck.statistics import (
    GROUP_WEIGHTS,
    SCREEN_LEVEL,
    ClaimLedger,
    Decision,
    Judgement,
    first_groups,
    judge_band,
)
from initcheck.statistics.interval import of_mean
from initcheck.statistics.sign_eprocess import CLAUSE

Floats = npt.NDArray[np.float64]

# Shares of beta: a HOLDS may come from the first look at a case, or from one of two repetitions on fresh calls,
_ROUNDS = ((1, 1 / 2), (1, 1 / 6), (16, 1 / 6))
# or, at the first look at a mean, from bets, BETS_SHARE.

# Draws before a FAILS from below: outliers of one in 10,000 weights, or in 10 calls, are then among them.
_WEIGHTS_BEFORE_BELOW = 2**20
_CALLS_BEFORE_BELOW = 200


@dataclass(frozen=True)
class Effort:
    """What a case is worth.

    Attributes:
        thrift: the part of the profile's budget that is left out: 1 for all of it, 8 for an eighth.
        rounds: how often what stays open is looked at again.
        weights_before_below: weights drawn before a second moment is confirmed to be too small.
    """

    thrift: int
    rounds: int
    weights_before_below: int


OF_THE_PLAN = Effort(1, len(_ROUNDS), _WEIGHTS_BEFORE_BELOW)
SMALLER = Effort(8, 1, 0)
"""A smaller failing case is worth little: it adds little to what was shown, and one that stays open is passed over."""
BESIDE_ONE = Effort(1, len(_ROUNDS), _WEIGHTS_BEFORE_BELOW // 8)
"""A case beside one that fails is only named: what is too rare to be drawn was looked for at the first."""


class Judge(Account):
    """The trial that decides (``initcheck.claims.trial.Trial``). Nothing here knows a claim by name.

    Attributes:
        ledger: the claim's share of the error budget.
        effort: what the cases that follow are worth.
    """

    def __init__(
        self,
        subject: Subject,
        ledger: ClaimLedger,
        *,
        dtype: str | None = None,
        effort: Effort = OF_THE_PLAN,
        beside: Account | None = None,
    ) -> None:
        super().__init__(subject, dtype, beside)
        self.ledger = ledger
        self.effort = effort

    @property
    def beta(self) -> float:
        """Error rate of a HOLDS."""
        return self.ledger.ledger.beta

    @property
    def named_only(self) -> bool:
        """Whether it is named beside a case that fails."""
        return self.effort is BESIDE_ONE

    @property
    def thrift(self) -> int:
        """By how much less a case may cost than one of the plan."""
        return self.effort.thrift

    def in_dtype(self, dtype: str) -> Judge:
        """The same trial asking for another dtype: its decisions and its error budget are this one's."""
        return Judge(self.subject, self.ledger, dtype=dtype, effort=self.effort, beside=self)

    def of_smaller_cases(self) -> Judge:
        """The same trial, of cases that are worth less than those of the plan."""
        return Judge(self.subject, self.ledger, dtype=self.dtype, effort=SMALLER, beside=self)

    def of_cases_beside(self) -> Judge:
        """The same trial, of the cases beside one that fails."""
        return Judge(self.subject, self.ledger, dtype=self.dtype, effort=BESIDE_ONE, beside=self)

    def keeps(
        self,
        statistic: Statistic,
        within: tuple[float, float],
        *,
        words: Callable[[Judgement], Mapping[str, Any]] | None = None,
        unless: Callable[[], str | None] | None = None,
    ) -> None:
        """Ask whether the mean of a statistic over calls keeps a band, at its case."""
        layer, (lo, hi) = statistic.layer, within
        band = f"[{lo:.2f}, {hi:.2f}]"
        if self.subject.is_constant(layer):
            value = float(statistic.per_call(self.draws.records(layer, self.dtype, SCREEN, 1))[0])
            exact = {
                "measured": f"{value:.3g}",
                "allowed": band,
                "value": value,
                "band": within,
                "calls": 1,
                "series": point(layer, value, within),
            }
            return self.holds(layer, **exact) if lo <= value <= hi else self.fail(layer, **exact)
        if only_zeros_in_sight(self, layer):
            drawn = self.usual_calls(layer) * layer.weights
            return self.undecide(f"0; {zeros_say_nothing(self, layer, drawn)}")
        if not self.undecided and (
            hopeless := self.once(f"why nothing can hold in {within}", lambda: why_nothing_can_hold(self, within))
        ):
            self.undecide(hopeless)
        every: list[Floats] = []

        def test(stage: Stage) -> Judgement:
            return self.judge_at(statistic, within, stage, drawn=every)

        # Of a tail that is too heavy no second moment is said to hold, whatever the budget.
        rounds = len(_ROUNDS) if self.subject.second_moment_exists else 1
        level = self._level_from_the_first_call(layer, statistic)

        def hope(scale: int) -> bool:
            return scale == 1 or _alike(np.concatenate(every), scale * math.ceil(GROUP_WEIGHTS / layer.weights), within)

        judgement, stage = self.decide(layer, test, rounds=rounds, level=level, repeats=False, hope=hope)
        if judgement.decision is Decision.HOLDS and not lo <= np.concatenate(every).mean() <= hi:
            # A rare call that an earlier round saw is not forgotten because a later one saw none.
            judgement = replace(judgement, decision=Decision.UNDECIDED)
        calls = judgement.groups * _calls_a_group(layer, stage)
        shown = {
            "measured": f"{judgement.measured:.3g}",
            "allowed": band,
            "value": judgement.measured,
            "band": within,
            "interval": of_mean(statistic.per_call(self.records(layer, stage.stream, calls))),
            "series": point(layer, judgement.measured, within),
            **(words(judgement) if words is not None else {}),
        }
        open_for = None
        if judgement.decision is Decision.FAILS:
            open_for = rarely_not_zero(self, layer, judgement, calls) or tail_may_carry(self, layer, judgement, lo)
            open_for = open_for or (unless() if unless is not None else None)
        if open_for is not None:
            return self.undecide(f"{shown['measured']}; {open_for}")
        self.settle(layer, judgement, calls, **shown)

    def _level_from_the_first_call(self, layer: Case, statistic: Statistic) -> float | None:
        """The level of a case of the plan, which was fixed before any look: no screen is thrown away.

        None for cases that are asked because of what was seen of them, and for a second statistic of one case: these
        are screened and confirmed on fresh calls.
        """
        plan = self.subject.domain.plan
        first = self.once(f"first band at {layer!r}", lambda: statistic) is statistic
        if self.effort is not OF_THE_PLAN or not first or layer not in plan:
            return None
        return self.ledger.level_of_each(len(plan) * len(self.contract.dtypes))

    def judge_at(
        self,
        statistic: Statistic,
        within: tuple[float, float],
        stage: Stage,
        *,
        drawn: list[Floats] | None = None,
    ) -> Judgement:
        """Judge the mean of a statistic against a band at one stage; ``drawn`` takes the values that were looked at."""
        layer, size = statistic.layer, _calls_a_group(statistic.layer, stage)
        seen = 0
        most = self.affordable_groups(layer, size, stage, heavy_tailed=True)
        rare = self._groups_for_what_is_rare(layer, size)
        # Where dear calls are too few for what rests on rare ones, a larger layer must show it.
        enough = rare <= most or not self.subject.profile.dear

        def draw(groups: int) -> tuple[Floats, Floats]:
            nonlocal seen
            values = statistic.per_call(self.records(layer, stage.stream, (seen + groups) * size))
            fresh = values[seen * size :].reshape(groups, size)
            seen += groups
            if drawn is not None:
                drawn.append(fresh.ravel())
            return fresh, np.ones_like(fresh)

        judgement = judge_band(
            draw,
            *within,
            level=stage.level,
            beta=stage.beta,
            max_groups=most,
            fails_only=stage.confirms,
            mean_statistic=True,
            early=stage.confirms or stage.final,
            below_after=self.groups_before_below(layer, size, stage),
            at_once=stage.final,
            bets_beta=self.beta * BETS_SHARE if stage.stream == SCREEN and enough else 0.0,
            bets_after=rare,
            holds_no_more=bool(self.undecided),
            from_below=self.subject.second_moment_exists and enough,
            confirmed_at=None if stage.confirms or stage.final else self.ledger.following,
        )
        if not enough and judgement.measured < within[0]:
            return replace(judgement, decision=Decision.UNDECIDED)
        return judgement

    def decide(
        self,
        layer: Case,
        test: Callable[[Stage], Judgement],
        *,
        rounds: int = len(_ROUNDS),
        level: float | None = None,
        alone: bool = False,
        repeats: bool = True,
        hope: Callable[[int], bool] | None = None,
    ) -> tuple[Judgement, Stage]:
        """Screen, confirm what looks wrong on calls never looked at, and repeat what stays open.

        A FAILS needs a confirmation at the ledger's next level. A HOLDS may come from any of three rounds, which
        share beta with what bets say at the first. The third takes groups 16 times larger, for laws whose small groups
        say little.

        Args:
            layer: the layer drawn.
            test: looks at a stage's calls and judges them.
            rounds: how many rounds; one where a HOLDS is not what the test is for.
            level: of the ledger, where the first look is a test from the first call on, whose FAILS needs no
                confirmation.
            alone: whether the claim asks no other case: the square of the plan, which was fixed before any look, is
                then such a test too, at all of one confirmation.
            repeats: whether fresh calls of the same size may show what the first ones left open: not so where all
                that the profile pays for was drawn of them.
            hope: whether another round, of groups so many times larger, may show it as far as what was drawn tells; a
                round that is skipped makes an answer only rarer.
        """
        if alone and self.effort is OF_THE_PLAN and layer == self.subject.domain.square:
            level = self.ledger.level_of_each(len(self.contract.dtypes))
        judgement, stage = (
            Judgement(Decision.UNDECIDED, 0.0, 0.0, math.nan, 0, 0),
            Stage(Stream(""), 1.0, 1.0, 1, False),
        )
        # Where a case stayed open the claim cannot hold any more: what is left is to see whether it fails.
        most = 1 if self.undecided else min(rounds, self.effort.rounds)
        refuted = False
        for number, (scale, share) in enumerate(_ROUNDS[:most]):
            if number == 1 and not (repeats or refuted):
                continue
            beta = self.ledger.ledger.beta * share
            final = level is not None and number == 0
            following = Stage(Stream.screen(number), (final and level) or SCREEN_LEVEL, beta, scale, False, final)
            if number and hope is not None and not hope(scale):
                break
            if scale > 1 and self.affordable_groups(layer, scale, following) < first_groups(-math.log(beta)):
                break
            stage = following
            judgement = test(stage)
            if judgement.decision is Decision.FAILS and not stage.final:
                confirmed_at = self.ledger.next_confirmation()
                confirmation = Stage(Stream.confirmation(number), confirmed_at, beta, scale, True)
                confirmed = test(confirmation)
                if confirmed.decision is Decision.FAILS:
                    return confirmed, confirmation
                judgement, refuted = replace(judgement, decision=Decision.UNDECIDED), True
            if judgement.decision is not Decision.UNDECIDED:
                return judgement, stage
        return judgement, stage

    def settle(self, layer: Case, judgement: Judgement, calls: int, **shown: object) -> None:
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

    def affordable_groups(self, layer: Case, size: int, stage: Stage, *, heavy_tailed: bool = False) -> int:
        """How many groups of ``size`` calls the profile's budget pays for; a first look is always paid for."""
        profile = self.subject.profile
        # What cannot hold, as another case stayed open or the tail shows no second moment, costs an eighth: less would
        # leave a factor just beyond the edge open at every case, where the first one alone cannot show it.
        heavy = heavy_tailed and not self.subject.second_moment_exists
        thrift = max(self.effort.thrift, 8 if self.undecided or heavy else 1)
        groups = min(profile.weights // thrift // (layer.weights * size), profile.calls // thrift // size)
        least = first_groups(-math.log(stage.level if stage.confirms else stage.beta)) + 8
        return max(groups // 8 * 8, least if stage.scale == 1 else 8)

    def groups_before_below(self, layer: Case, size: int, stage: Stage) -> int:
        """How many groups of ``size`` calls a second moment is not confirmed to be too small before.

        What is too rare to be drawn may carry it.
        """
        return self._groups_for_what_is_rare(layer, size) if stage.confirms or stage.final else 0

    def _groups_for_what_is_rare(self, layer: Case, size: int) -> int:
        return math.ceil(max(self.effort.weights_before_below / layer.weights, _CALLS_BEFORE_BELOW) / size)


def _calls_a_group(layer: Case, stage: Stage) -> int:
    return math.ceil(GROUP_WEIGHTS / layer.weights) * stage.scale


def _alike(values: Floats, size: int, band: tuple[float, float]) -> bool:
    """Whether enough groups of so many calls lie on the inner side of each edge for signs to show a value inside.

    >>> _alike(np.tile([0.5, 1.5], 40), 2, (0.8, 1.25)), _alike(np.tile([0.5, 1.5], 40), 1, (0.8, 1.25))
    (True, False)
    """
    groups = values[: len(values) // size * size].reshape(-1, size).mean(axis=1)
    # The clause: of a value beyond an edge seven groups in ten may lie inside it.
    return len(groups) > 0 and bool(min((groups >= band[0]).mean(), (groups <= band[1]).mean()) > CLAUSE)
