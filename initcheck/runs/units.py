"""What can be judged anywhere: some claims of one initializer, plain data in and plain data out."""

from __future__ import annotations

import dataclasses
import pickle
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from initcheck.claims.registry import find
from initcheck.contract.initializer import Initializer
from initcheck.draws.draws import digest
from initcheck.engine.broken_claim import contained
from initcheck.engine.checker import Checker, loaded_libraries
from initcheck.engine.settings import Settings
from initcheck.report.report import result_from_plain, result_to_plain
from initcheck.report.verdict import Result, placed
from initcheck.sandbox.containment import InitializerRaised
from initcheck.sandbox.containment import contained as user_code
from initcheck.sandbox.global_generators import isolated
from initcheck.targets.loading import rebuild
from initcheck.targets.recipes import recipe_of

__all__ = ["Judged", "Remade", "Unit", "judge", "units_of"]

Plain = dict[str, Any]


@dataclass(frozen=True)
class Unit:
    """Some claims of one initializer.

    Attributes:
        recipe: how the initializer is made again.
        settings: how the run is made, as plain data; every seed derives from them.
        claim_ids: the claims.
        run: tells this run from the next one in the same process, which must not be given this one's answers.
    """

    recipe: Mapping[str, Any]
    settings: Mapping[str, Any]
    claim_ids: tuple[str, ...]
    run: str = ""

    @classmethod
    def of(cls, initializer: Initializer, settings: Settings, claim_ids: Sequence[str], run: str = "") -> Unit:
        """The unit of claims of an initializer.

        Raises:
            UsageError: the initializer exists in this process only.
        """
        return cls(dict(recipe_of(initializer)), dataclasses.asdict(settings), tuple(claim_ids), run)


@dataclass(frozen=True)
class Judged:
    """What came of a unit: a result a claim, what the initializer was held to, and the libraries that it loaded."""

    results: list[Plain]
    held_to: Plain
    libraries: dict[str, str]

    def of(self, initializer: Initializer) -> list[Result]:
        """The results; where the code stands is known best where the initializer was read."""
        return [dataclasses.replace(result_from_plain(r), location=placed(initializer.location)) for r in self.results]


class Remade:
    """An initializer made again in this process, with what was drawn of it so far.

    Raises:
        UsageError: it cannot be made here.
    """

    def __init__(
        self,
        recipe: Mapping[str, Any],
        settings: Mapping[str, Any] | None = None,
        initializer: Initializer | None = None,
    ) -> None:
        if initializer is None:
            with user_code(put_back=False):
                initializer = rebuild(recipe)
        self.initializer = initializer
        self.checker = Checker(_settings(settings)) if settings is not None else None

    def judge(self, claim_ids: Sequence[str]) -> Judged:
        """The verdicts on some claims."""
        assert self.checker is not None
        results = [result_to_plain(contained(self.checker, self.initializer, c)) for c in claim_ids]
        return Judged(results, self.checker.held_to(self.initializer), loaded_libraries())

    def digests(self, plan: Sequence[Any], dtype: str, global_seed: int) -> list[str]:
        """Digests of calls (shape to ask for, seed, shape expected), or in which way one is broken."""
        sampler, found = self.initializer.sampler, []
        with isolated(global_seed):
            for asked, seed, shape in plan:
                try:
                    with user_code():
                        result = sampler.calls(tuple(asked), [seed], dtype)[0]
                    array = sampler.to_numpy(result)
                    broken = None if array.shape == tuple(shape) else "shape"
                except (InitializerRaised, TypeError) as error:
                    broken = "type" if isinstance(error, TypeError) else "raises"
                found.append(f"broken: {broken}" if broken else digest(array).hex())
        return found


def _settings(plain: Mapping[str, Any]) -> Settings:
    claims = plain["claims"]
    return Settings(**{**plain, "claims": None if claims is None else tuple(claims)})


# Users' code runs with the global generators, the warnings and the output of its process redirected, so that units
# in two threads of one process (a Dask worker has several) would see each other's.
_one_at_a_time = threading.Lock()
_last: list[tuple[bytes, Remade]] = []


def judge(unit: Unit) -> Judged:
    """Judge a unit wherever this is called.

    Raises:
        UsageError: the initializer cannot be made here.
    """
    with _one_at_a_time:
        # The last initializer judged here is kept: its next family of claims reads the same draws.
        key = pickle.dumps((unit.run, unit.settings, unit.recipe))
        if not _last or _last[0][0] != key:
            _last[:] = [(key, Remade(unit.recipe, unit.settings))]
        return _last[0][1].judge(unit.claim_ids)


def units_of(
    initializers: Sequence[Initializer], claim_ids: Sequence[str], workers: int
) -> list[tuple[Initializer, tuple[str, ...]]]:
    """An initializer's claims share its draws, so they stay together unless workers would idle.

    Args:
        initializers: what is judged.
        claim_ids: of what.
        workers: how many units can be judged at a time.
    """
    if len(initializers) >= workers:
        return [(i, tuple(claim_ids)) for i in initializers]
    families: dict[str, list[str]] = {}
    for claim_id in claim_ids:
        families.setdefault(find(claim_id).family, []).append(claim_id)
    return [(i, tuple(claims)) for i in initializers for claims in families.values()]
