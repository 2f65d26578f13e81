"""What can be judged anywhere: some claims of one initializer, plain data in and plain data out."""

from __future__ import annotations

import dataclasses
import pickle
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis.statistics import collector, describe_statistics

from initcheck.claims.registry import find
from initcheck.contract.tested import Tested
from initcheck.engine.broken_claim import judged_or_broken
from initcheck.engine.checker import Checker, loaded_libraries
from initcheck.engine.judging import Tell, unheard
from initcheck.engine.settings import Settings
from initcheck.grouping import grouped
from initcheck.report.report import result_from_plain, result_to_plain
from initcheck.report.verdict import Result, placed
from initcheck.sandbox.surroundings import stuck
from initcheck.sandbox.threads import others
from initcheck.targets.recipes import recipe_of
from initcheck.targets.remade import Remade

Plain = dict[str, Any]


@dataclass(frozen=True)
class Unit:
    """Some claims of one initializer or model.

    Attributes:
        recipe: how it is made again.
        settings: how the run is made, as plain data; every seed derives from them.
        claim_ids: the claims.
        run: tells this run from the next one in the same process, which must not be given this one's answers.
    """

    recipe: Mapping[str, Any]
    settings: Mapping[str, Any]
    claim_ids: tuple[str, ...]
    run: str = ""

    @classmethod
    def of(cls, tested: Tested, settings: Settings, claim_ids: Sequence[str], run: str = "") -> Unit:
        """The unit of claims of an initializer or a model.

        Raises:
            UsageError: it exists in this process only.
        """
        return cls(dict(recipe_of(tested)), dataclasses.asdict(settings), tuple(claim_ids), run)


@dataclass(frozen=True)
class UnitOutcome:
    """What came of a unit.

    Attributes:
        results: one a claim, as plain data.
        held_to: what was tested was held to.
        libraries: the versions of what its process has loaded.
        spoilt: whether it left something there that cannot be put back, or a thread that runs.
        statistics: what Hypothesis says of its runs.
    """

    results: list[Plain]
    held_to: Plain
    libraries: dict[str, str]
    spoilt: bool = False
    statistics: list[str] = field(default_factory=list)

    def of(self, tested: Tested) -> list[Result]:
        """The results; where the code stands is known best where the target was read."""
        return [dataclasses.replace(result_from_plain(r), location=placed(tested.location)) for r in self.results]


class Judged:
    """The claims of an initializer or a model that was made again here, with what was drawn or built of it so far."""

    def __init__(self, remade: Remade, settings: Mapping[str, Any]) -> None:
        self.tested = remade.tested
        self.checker = Checker(_settings(settings))

    def judge(self, claim_ids: Sequence[str], tell: Tell = unheard) -> UnitOutcome:
        """The verdicts on some claims; ``tell`` hears what takes long on the way."""
        self.checker.tell = tell
        statistics: list[Any] = []
        heard: Any = collector
        with heard.with_value(statistics.append):
            results = [result_to_plain(judged_or_broken(self.checker, self.tested, c)) for c in claim_ids]
        return UnitOutcome(
            results,
            self.checker.held_to(self.tested),
            loaded_libraries(),
            bool(stuck() or others()),
            [describe_statistics(run) for run in statistics],
        )


def _settings(plain: Mapping[str, Any]) -> Settings:
    claims = plain["claims"]
    lists = {"claims": None if claims is None else tuple(claims), "kinds": tuple(plain["kinds"])}
    return Settings(**{**plain, **lists})


# Users' code runs with the global generators, the warnings and the output of its process redirected, so that units
# in two threads of one process (a Dask worker has several) would see each other's.
_one_at_a_time = threading.Lock()
_last: list[tuple[bytes, Judged]] = []


def judge(unit: Unit) -> UnitOutcome:
    """Judge a unit wherever this is called.

    Raises:
        UsageError: the initializer cannot be made here.
    """
    with _one_at_a_time:
        # The last initializer judged here is kept: its next family of claims reads the same draws.
        key = pickle.dumps((unit.run, unit.settings, unit.recipe))
        if not _last or _last[0][0] != key:
            _last[:] = [(key, Judged(Remade(unit.recipe), unit.settings))]
        return _last[0][1].judge(unit.claim_ids)


def units_of(checker: Checker, initializers: Sequence[Tested], workers: int) -> list[tuple[Tested, tuple[str, ...]]]:
    """An initializer's claims share its draws, so they stay together unless workers would idle; a model's always do.

    Args:
        checker: which claims are asked.
        initializers: what is judged.
        workers: how many units can be judged at a time.
    """
    found = []
    for tested in initializers:
        # What a model's claims share, its builds, is nearly all that they cost.
        together = len(initializers) >= workers or tested.kind != "check"
        families = grouped(
            ("" if together else find(claim_id).family, claim_id) for claim_id in checker.claims_of(tested)
        )
        found += [(tested, tuple(claim_ids)) for claim_ids in families.values()]
    return found
