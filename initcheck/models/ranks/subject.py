"""A sharded model as a run sees it: what its ranks told, once, and the unsharded build beside them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from initcheck.claims.statement import Claim
from initcheck.contract.profile import Profile
from initcheck.engine.judging import Decided, Judging
from initcheck.engine.whole_trial import WholeTrial
from initcheck.models.ranks.families import as_shards
from initcheck.models.ranks.launch import launched
from initcheck.models.ranks.model import ShardedModel
from initcheck.models.ranks.told import RankTold
from initcheck.seeds import Seeds
from initcheck.statistics import Ledger


@dataclass
class RankTrial(WholeTrial):
    """What a claim on a sharded model is given.

    Attributes:
        ranks: what each rank told.
        whole: what a build by one process told; None where it built none.
        why_not: why it built none.
    """

    ranks: list[RankTold]
    whole: RankTold | None = None
    why_not: str | None = None

    @property
    def alive(self) -> list[RankTold]:
        """The ranks that built a model."""
        return [told for told in self.ranks if told.problem is None]


class ShardedSubject(Judging):
    """One model and its ranks.

    Args:
        model: what was named.
        profile: not asked: nothing is drawn by shape.
        seed: of the run.
    """

    def __init__(self, model: ShardedModel, profile: Profile, seed: int) -> None:
        self.model = model
        self.contract = model.contract
        self._seeds = Seeds("model", model.name, seed)
        self._timeout: float | None = None
        self.seconds = 0.0
        self._launches = 0

    @cached_property
    def ranks(self) -> list[RankTold]:
        """What each rank told."""
        self.tell(f"{self.model.name}, {self.model.world} ranks")
        return self._launched(self.model.world, dict(self.model.mesh))

    @cached_property
    def alone(self) -> RankTold:
        """What one process told that built the model by itself."""
        if self.model.world == 1:
            return self.ranks[0]
        self.tell(f"{self.model.name}, one rank")
        return self._launched(1, dict.fromkeys(self.model.mesh, 1))[0]

    def _launched(self, world: int, mesh: dict[str, int]) -> list[RankTold]:
        self._launches += 1
        job = {"recipe": dict(self.model.recipe or {}), "seeds": self._seeds.upto(2), "mesh": mesh}
        return launched(job, world, self._timeout)

    def decide(self, claim: Claim, ledger: Ledger, timeout: float | None) -> Decided:
        """Judge one claim; each is a fact about one build of every rank."""
        self._timeout = timeout
        started = time.perf_counter()
        ranks = self.ranks
        whole = self.alone if any(told.problem is None for told in ranks) else None
        why_not = whole.problem if whole is not None else None
        trial = RankTrial(
            as_shards(ranks, whole if why_not is None else None),
            whole if why_not is None else None,
            why_not,
            alpha=ledger.alpha,
            beta=ledger.beta,
        )
        claim.prop(trial)
        self.seconds += time.perf_counter() - started
        return trial.decided(self._launches)

    def held_to(self) -> dict[str, Any]:
        """Size of the model, and who built it."""
        alone = self.alone if self.alone.problem is None else next((t for t in self.ranks if not t.problem), None)
        pieces = list(alone.pieces.values()) if alone is not None else []
        return {
            "model": alone.model if alone is not None else "",
            "parameters": sum(p.count for p in pieces if p.parameter),
            "tensors": len(pieces),
            "blocks": 0,
            "world": self.model.world,
            "mesh": dict(self.model.mesh),
            "builds": 3 * self._launches,
            "seconds": round(self.seconds, 2),
            "cpu_seconds": round(sum(t.seconds for t in self.ranks), 2),
        }
