"""A model as a run sees it: its builds, which all its claims share, and the verdict of one claim on them."""

from __future__ import annotations

import time
from typing import Any

from initcheck.claims.statement import Claim
from initcheck.contract.model import Model
from initcheck.contract.profile import Profile
from initcheck.draws.call import OutOfTime
from initcheck.engine.judging import Decided, Judging, out_of_time
from initcheck.models.batches.batch_text import names_function, parts_of
from initcheck.models.factory.declared import DeclaredLaw, read_laws
from initcheck.models.factory.trial import ModelTrial
from initcheck.models.frameworks.recognition import facts_of
from initcheck.models.portrait import portrait
from initcheck.report.verdict import Verdict
from initcheck.statistics import Ledger


def read_model(model: Model) -> tuple[DeclaredLaw, ...]:
    """The declared laws of a model; its batch is read too.

    Raises:
        UsageError: one of them cannot be read.
    """
    if isinstance(model.batch, str) and not names_function(model.batch):
        parts_of(model.batch)
    return read_laws(model.laws)


class ModelSubject(Judging):
    """One model and its builds, each made once and only when a claim asks.

    Attributes:
        model: what was named.
        facts: the builds.
        laws: the declared laws.
        contract: its waivers.
        seconds: spent on claims so far.
    """

    def __init__(self, model: Model, profile: Profile, seed: int) -> None:
        self.model = model
        self.contract = model.contract
        self.laws = read_model(model)
        self.facts = facts_of(model, seed)
        self.seconds = 0.0

    def decide(self, claim: Claim, ledger: Ledger, timeout: float | None) -> Decided:
        """Judge one claim.

        Raises:
            UsageError: the factory builds no model or keeps it; a declared law or the batch does not fit the model.
        """
        trial = ModelTrial(self.facts, self.laws, alpha=ledger.alpha, beta=ledger.beta)
        started = time.perf_counter()
        builder = self.facts.builder
        builder.tell = lambda number: self.tell(f"{self.model.name}, build {number}")
        builder.deadline = None if timeout is None else time.monotonic() + timeout
        try:
            claim.prop(trial)
        except OutOfTime:
            if not trial.failures:  # what was found wrong is a fact, whatever was still to be looked at
                reason = out_of_time(timeout, f"{builder.count:,} builds")
                return Decided(verdict=Verdict.UNDECIDED, reason=reason, notes=tuple(trial.notes))
        finally:
            builder.deadline = None
            self.seconds += time.perf_counter() - started
        return trial.decided(self.facts.builder.count)

    def held_to(self) -> dict[str, Any]:
        """The portrait of the model: its size, its roles with their laws, its chains of blocks."""
        return portrait(self.facts, self.laws, self.seconds)
