"""What a property may ask of a trial: the whole of what authors of claims and of questions need to know of the engine.

Three objects of the engine are trials: one judges, one glances at every width, one measures for a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, NoReturn, Protocol, TypeVar

from initcheck.claims.statement import Claim
from initcheck.claims.subject import Subject
from initcheck.contract.case import Case
from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer
from initcheck.contract.second_moments import Statistic
from initcheck.draws.call import FirstCall
from initcheck.draws.draws import Draws
from initcheck.draws.streams import SCREEN, Stream
from initcheck.errors import ClaimFailed
from initcheck.report.verdict import Evidence
from initcheck.statistics import ClaimLedger, Judgement, Record

Kept = TypeVar("Kept")


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
        final: whether a FAILS needs no confirmation, as ``level`` is what the ledger gave.
    """

    stream: Stream
    level: float
    beta: float
    scale: int
    confirms: bool
    final: bool = False

    def after(self, learnt: int) -> int:
        """The first call that a test looks at which has learnt from so many calls of the screen.

        >>> Stage(SCREEN, 1e-2, 1e-3, 1, confirms=False).after(150)
        150
        >>> Stage(Stream.confirmation(0), 1e-8, 1e-3, 1, confirms=True).after(150)
        0
        """
        return learnt if self.stream == SCREEN else 0


class Trial(Protocol):
    """What a property is given to decide its claim with.

    A property returns where its case holds. It fails the case, leaves it undecided or sets it aside by the methods
    below, or by a question of ``initcheck.questions``; the engine adds up the cases to a verdict.

    >>> from hypothesis import given
    >>> from initcheck.claims import claim, layers
    >>> @given(layer=layers())
    ... def weights_are_positive(trial, layer):
    ...     drawn = trial.draws.sample(layer, trial.dtype, Stream("signs"), 4)
    ...     if (drawn <= 0).any():
    ...         trial.fail(layer, measured="a weight is not positive", allowed="positive weights", calls=4)
    ...     trial.holds(layer, measured="every weight is positive", calls=4)
    """

    # -- what is on trial ----------------------------------------------------------------------------------------

    @property
    def subject(self) -> Subject:
        """What all claims about this initializer share."""

    @property
    def initializer(self) -> Initializer:
        """How it is called."""

    @property
    def contract(self) -> Contract:
        """What it is held to."""

    @property
    def dtype(self) -> str:
        """The dtype asked for."""

    @property
    def draws(self) -> Draws:
        """Its calls."""

    # -- what a property says of a case --------------------------------------------------------------------------

    def asks(self, condition: bool, otherwise: str) -> None:
        """Go on only where ``condition`` is true; else the claim is not asked here, and the report says why.

        Raises:
            NotAsked: the condition is false.
        """

    def asks_layout(self, layer: Case) -> None:
        """Go on only where the meaning of the axes does not matter or is more than assumed.

        Raises:
            NotAsked: the case is a rectangle and its layout was only assumed.
        """

    def fail(self, layer: Case | None = None, **evidence: object) -> NoReturn:
        """Fail this case; ``evidence`` are fields of ``Evidence``, such as measured and allowed.

        Raises:
            CaseFailed: always.
        """

    def holds(self, layer: Case | None = None, **evidence: object) -> None:
        """Say that this case was decided and holds, with what it rests on."""

    def undecide(self, why: str) -> None:
        """Say that this case was not decided; the verdict is then never HOLDS."""

    def note(self, sentence: str, *, topic: str | None = None) -> None:
        """Tell the reader something beside the verdict; a later note on the same topic takes its place."""

    @property
    def decided(self) -> list[Evidence]:
        """What was said to hold so far."""

    @property
    def undecided(self) -> list[str]:
        """Why cases stayed open so far: where one did, the claim cannot hold any more."""

    def glances(self, layer: Case, far: Callable[[int], float]) -> None:
        """Where there is only a glance at a case keep how far beyond its claim it looks, and go no further.

        For a claim that is swept and asks no band of a mean, which ``keeps`` does by itself. A trial that judges or
        measures goes on.

        Args:
            layer: the case.
            far: from so many calls of the screen, a logarithm that is positive where the claim looks wrong.

        Raises:
            NotAsked: there is only a glance.
        """

    def needs_second_moment(self) -> None:
        """Leave the case open where the tail of the weights does not show that a second moment exists.

        Asked after a test of a second moment: a value shown to be too large fails whatever the tail, but inside the
        band it says nothing, as rare huge weights may not have been seen.
        """

    # -- calls ---------------------------------------------------------------------------------------------------

    def first_call(self, layer: Case, dtype: str | None = None) -> FirstCall:
        """What the first call on a case gave, beside its weights; the call is made once a run.

        Raises:
            BrokenCall: the code raised.
        """

    def usual_calls(self, layer: Case) -> int:
        """How many calls a first look at a band takes: 24 groups of at least 256 weights."""

    def planned_calls(self, layer: Case) -> int:
        """How many calls of the screen every claim reads: the usual ones where calls are dear."""

    def records(self, layer: Case, stream: Stream, calls: int) -> Record:
        """The sums of the first calls of a stream.

        Raises:
            BrokenCall: a call gave no weights, or a weight is not finite, so that no moment has a meaning.
        """

    def in_dtype(self, dtype: str) -> Trial:
        """The same trial asking for another dtype: its decisions and its error budget are this one's."""

    def once(self, what: str, make: Callable[[], Kept]) -> Kept:
        """Make something on first use in this trial, and keep it."""

    # -- tests ---------------------------------------------------------------------------------------------------

    def keeps(
        self,
        statistic: Statistic,
        within: tuple[float, float],
        *,
        words: Callable[[Judgement], Mapping[str, Any]] | None = None,
        unless: Callable[[], str | None] | None = None,
    ) -> None:
        """Ask whether the mean of a statistic over calls keeps a band, at this case.

        FAILS are bets on the calls of a case of the plan from the first one on, at its share of one confirmation (see
        ``ClaimLedger.level_of_each``), elsewhere on calls that confirm a screen (see ``decide``); HOLDS is a sign
        e-process of groups of at least 256 weights, or bets where these are not alike. Exactly, from one call, where
        every call gives the same weights.

        Args:
            statistic: a number a call, over its ideal value.
            within: the band; FAILS outside it.
            words: fields of ``Evidence`` that say it otherwise.
            unless: asked before the case fails: why it is left open instead, or None.

        Raises:
            CaseFailed: the mean is shown to leave the band.
        """

    def decide(
        self,
        layer: Case,
        test: Callable[[Stage], Judgement],
        *,
        rounds: int = 3,
        alone: bool = False,
        hope: Callable[[int], bool] | None = None,
    ) -> tuple[Judgement, Stage]:
        """Screen, confirm what looks wrong on calls never looked at, and repeat what stays open.

        A FAILS needs a confirmation at the ledger's next level. A HOLDS may come from any of three rounds, which
        share beta. The third takes groups 16 times larger, for laws whose small groups say little.

        Args:
            layer: the case drawn.
            test: looks at a stage's calls and judges them.
            rounds: how many rounds; one where a HOLDS is not what the test is for.
            alone: whether the claim asks no other case than the square of the plan: a FAILS there rests on all calls
                from the first one on, and needs no screen that is thrown away.
            hope: whether another round, of groups so many times larger, may show what the one before left open.
        """

    def settle(self, layer: Case, judgement: Judgement, calls: int, **shown: object) -> None:
        """Turn a judgement on a case into what it means for the verdict.

        Raises:
            CaseFailed: the judgement is FAILS.
        """

    def judge_at(self, statistic: Statistic, within: tuple[float, float], stage: Stage) -> Judgement:
        """Judge the mean of a statistic against a band at one stage."""

    @property
    def ledger(self) -> ClaimLedger:
        """The claim's share of the error budget."""

    @property
    def beta(self) -> float:
        """Error rate of a HOLDS."""

    @property
    def named_only(self) -> bool:
        """Whether the case stands beside one that was shown to fail: it is named with it, and decides nothing."""

    @property
    def thrift(self) -> int:
        """By how much less this case may cost than one of the plan: 1, or 8 while a failing case is made smaller."""


def body_of(claim: Claim) -> Callable[Concatenate[Trial, ...], Any]:
    """The property as it was written, without Hypothesis around it."""
    body: Callable[Concatenate[Trial, ...], Any] = claim.prop.hypothesis.inner_test  # type: ignore[attr-defined]
    return body
