"""A model that is built already, as a run sees it: its portrait, and what one model alone shows of the claims."""

from __future__ import annotations

import math
import time
from typing import Any

from initcheck.claims.statement import Claim
from initcheck.contract.model import Model
from initcheck.contract.profile import Profile
from initcheck.engine.judging import Decided, Judging
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Role
from initcheck.models.factory.declared import read_laws
from initcheck.models.factory.trial import ModelTrial
from initcheck.models.portrait import portrait
from initcheck.models.snapshot import Snapshot
from initcheck.report.verdict import Verdict
from initcheck.statistics import Ledger

NEEDS_BUILDS = "it compares builds, and what was named is built already; name the function that builds it"

# Largest entry of a uniform law over its standard deviation, and how near it a thousand entries come.
_UNIFORM = math.sqrt(3.0)
_MANY = 1_000


class PortraitSubject(Judging):
    """One model that is there; its factory hands it out."""

    def __init__(self, model: Model, profile: Profile, seed: int) -> None:
        self.contract = model.contract
        self.laws = read_laws(model.laws)
        self.facts = Snapshot(model.factory(), model.name)
        self.seconds = 0.0

    def not_asked(self, claim: Claim) -> str | None:
        """Why a claim does not fit: it needs more than one model."""
        return NEEDS_BUILDS if claim.of_one_model is None else None

    def decide(self, claim: Claim, ledger: Ledger, timeout: float | None) -> Decided:
        """Judge what one model alone shows of a claim; that takes one pass over its entries."""
        assert claim.of_one_model is not None
        started = time.perf_counter()
        trial = ModelTrial(self.facts, self.laws, alpha=ledger.alpha, beta=ledger.beta)
        claim.of_one_model(trial)
        self.seconds += time.perf_counter() - started
        verdict = trial.verdict
        if verdict is Verdict.NOT_APPLICABLE:
            return Decided(verdict=verdict, reason=f"{trial.reason}; {NEEDS_BUILDS}", notes=tuple(trial.notes))
        return trial.decided(self.facts.builder.count)

    def held_to(self) -> dict[str, Any]:
        """The portrait: size, values by role, ties, and what could not be read; copies are told by their claim."""
        facts = self.facts
        shown = portrait(facts, self.laws, self.seconds)
        tied = [f"{name} = {first}" for name, first in facts.first.tied.items()]
        promised = facts.layout.promises
        return {
            **shown,
            "roles": [{**plain, **_values(role)} for plain, role in zip(shown["roles"], facts.roles, strict=True)],
            "built": True,
            "ties": [*tied, *promised.kept],
            "unread": [f"{name}: {why}" for name, why in facts.first.unread.items()],
        }


def _values(role: Role) -> dict[str, Any]:
    """What the entries of a role look like; from which law they were drawn is nowhere said."""
    stds = sorted(member.std for member in role.members)
    member = max(role.members, key=lambda m: m.count)
    if all(m.constant for m in role.members):
        values = sorted({m.low for m in role.members})
        return {"law": f"constant {values[0]:.4g}" + (f" to {values[-1]:.4g}" if len(values) > 1 else "")}
    low, high = f"{stds[0]:.4g}", f"{stds[-1]:.4g}"
    text = f"std {low}" + (f" to {high}" if low != high else "")
    if abs(member.mean) > 4 * member.std / math.sqrt(member.count):
        text += f", mean {member.mean:.2g}"
    return {"law": text + _reach(member), "formula": None}


def _reach(member: TensorRecord) -> str:
    if member.count < _MANY or not member.std:
        return ""
    reach = max(member.high - member.mean, member.mean - member.low) / member.std
    bounded = ", as a uniform" if abs(reach / _UNIFORM - 1) < 0.02 else ""
    return f", entries within {reach:.3g} std{bounded}"
