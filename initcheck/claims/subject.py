"""What all claims about one initializer, or one layer, share; each kind of subject answers in its own way."""

from __future__ import annotations

from typing import Protocol

from initcheck.claims.statement import Claim
from initcheck.contract.case import Case
from initcheck.contract.contract import Contract
from initcheck.contract.domain import Domain
from initcheck.contract.initializer import Initializer
from initcheck.contract.profile import Profile
from initcheck.contract.second_moments import Statistic
from initcheck.diagnosis.causes import Cause
from initcheck.draws.draws import Draws
from initcheck.report.verdict import Evidence


class Subject(Protocol):
    """One initializer or layer as a run sees it: ``initcheck.engine.subject`` and ``initcheck.layers.subject``."""

    @property
    def initializer(self) -> Initializer:
        """The initializer."""

    @property
    def profile(self) -> Profile:
        """The budget."""

    @property
    def seed(self) -> int:
        """The run seed."""

    @property
    def draws(self) -> Draws:
        """Everything drawn of it, by seeds that derive from the run seed."""

    @property
    def contract(self) -> Contract:
        """What the claims hold it to: declared, else known, else inferred, else assumed."""

    def contract_of(self, layer: Case) -> Contract:
        """What this case is held to: the weights of a built layer may each have a promise of their own."""

    @property
    def problem(self) -> str | None:
        """Why no claim can be asked of it: it cannot be built, or fed; None where it can."""

    def not_asked(self, claim: Claim) -> str | None:
        """Why a claim does not fit this kind of subject; None where it does."""

    def unsettled(self, claim: Claim) -> str | None:
        """Why nothing can be said of a claim, where what is promised cannot be told; None where it can."""

    # -- which cases ---------------------------------------------------------------------------------------------

    @property
    def domain(self) -> Domain:
        """The cases it may be asked for."""

    def plan_of(self, claim: Claim) -> tuple[Case, ...]:
        """The cases that a claim walks."""

    @property
    def probes(self) -> tuple[Case, ...]:
        """Three cases, small, middling and large, for what a few calls decide."""

    @property
    def called(self) -> tuple[Case, ...]:
        """Where the user's own call is looked at: the plan, or the probes where it costs a compilation."""

    @property
    def medium(self) -> tuple[Case, ...]:
        """A few cases of 64 to 1,200 weights, for the claims that must see whole results."""

    @property
    def positioned(self) -> tuple[Case, ...]:
        """Those whose positions are looked at one by one, in thousands of calls; none where calls are too dear."""

    @property
    def dear_calls(self) -> bool:
        """Whether calls are so dear that no claim looks at more of them than a verdict needs."""

    def peers(self, layer: Case) -> tuple[Case, ...]:
        """Everything that one call draws beside this case; none where a call draws one weight."""

    @property
    def smaller(self) -> int:
        """How many smaller cases may be tried around one that fails; 0 where there are none but those of the plan."""

    # -- what its weights are ------------------------------------------------------------------------------------

    @property
    def constant(self) -> bool:
        """Whether every call of one shape gives the same few magnitudes: then one result is the whole law."""

    def is_constant(self, layer: Case) -> bool:
        """Whether this case's weights are a constant of the initializer, so that one call decides exactly."""

    @property
    def second_moment_exists(self) -> bool:
        """Whether the tail of the weights shows that a variance exists at all (Hill's index)."""

    def output_second_moment(self, layer: Case) -> Statistic:
        """The second moment of a unit's output, over the ideal."""

    def gradient_second_moment(self, layer: Case) -> Statistic:
        """The second moment of a gradient behind the case, over the ideal."""

    def likely_cause(self, claim: Claim, failed: Evidence) -> Cause | None:
        """What probably makes a claim fail, and the fix; words for what was proven, never a verdict."""
