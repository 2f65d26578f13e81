"""What can be judged anywhere: some claims of one initializer, plain data in and plain data out."""

from __future__ import annotations

import dataclasses
import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis.statistics import collector, describe_statistics

from initcheck.claims.registry import find
from initcheck.contract.initializer import Initializer
from initcheck.contract.tested import Tested
from initcheck.diagnosis.evidence.inference import infer_initializer
from initcheck.draws.draws import digest
from initcheck.engine.broken_claim import judged_or_broken
from initcheck.engine.checker import Checker, loaded_libraries
from initcheck.engine.judging import Tell, unheard
from initcheck.engine.settings import Settings
from initcheck.report.report import result_from_plain, result_to_plain
from initcheck.report.verdict import Result, placed
from initcheck.sandbox.containment import InitializerRaised
from initcheck.sandbox.containment import contained as user_code
from initcheck.sandbox.global_generators import isolated
from initcheck.sandbox.surroundings import stuck
from initcheck.sandbox.threads import others
from initcheck.targets.loading import rebuild
from initcheck.targets.locks import locked_again
from initcheck.targets.models import model_again
from initcheck.targets.pairs import pair_again
from initcheck.targets.recipes import recipe_of

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


_AGAIN: Mapping[str, Callable[[Mapping[str, Any]], Tested]] = {
    "model": model_again,
    "pair": pair_again,
    "lock": locked_again,
}


class Remade:
    """An initializer or a model made again in this process, with what was drawn or built of it so far.

    Raises:
        UsageError: it cannot be made here.
    """

    def __init__(
        self,
        recipe: Mapping[str, Any],
        settings: Mapping[str, Any] | None = None,
        tested: Tested | None = None,
    ) -> None:
        if tested is None:
            with user_code(put_back=False):
                again = next((make for key, make in _AGAIN.items() if key in recipe), rebuild)
                tested = again(recipe)
        self.tested = tested
        self.checker = Checker(_settings(settings)) if settings is not None else None

    def judge(self, claim_ids: Sequence[str], tell: Tell = unheard) -> UnitOutcome:
        """The verdicts on some claims; ``tell`` hears what takes long on the way."""
        assert self.checker is not None
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

    def inferred(self) -> list[str]:
        """The contract that it seems to keep, in the words of ``initcheck infer``."""
        assert isinstance(self.tested, Initializer)
        initializer, sampler = self.tested, self.tested.sampler
        if initializer.subject is not None:
            # Here, as few runs have a layer: what layers start from takes a tenth of all modules.
            from initcheck.layers.sampler import LayerSampler
            from initcheck.starts.layer import laws_of_layer

            assert isinstance(sampler, LayerSampler)
            laws = [line for law in laws_of_layer(sampler) for line in law.lines()]
            return ["a layer, judged by what it does; its parameters start from:", *(f"  {line}" for line in laws)]

        def draw(shape: tuple[int, ...], seed: int) -> npt.NDArray[Any]:
            with user_code():
                drawn = sampler.calls(shape, [seed], "float32")[0]
            return np.asarray(sampler.to_numpy(drawn), dtype=np.float64)

        return infer_initializer(initializer, draw).lines()

    def digests(self, plan: Sequence[Any], dtype: str, global_seed: int) -> list[str]:
        """Digests of calls (shape to ask for, seed, shape expected), or in which way one is broken."""
        assert isinstance(self.tested, Initializer)
        sampler, found = self.tested.sampler, []
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
    lists = {"claims": None if claims is None else tuple(claims), "kinds": tuple(plain["kinds"])}
    return Settings(**{**plain, **lists})


# Users' code runs with the global generators, the warnings and the output of its process redirected, so that units
# in two threads of one process (a Dask worker has several) would see each other's.
_one_at_a_time = threading.Lock()
_last: list[tuple[bytes, Remade]] = []


def judge(unit: Unit) -> UnitOutcome:
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
        families: dict[str, list[str]] = {}
        for claim_id in checker.claims_of(tested):
            families.setdefault("" if together else find(claim_id).family, []).append(claim_id)
        found += [(tested, tuple(claim_ids)) for claim_ids in families.values()]
    return found
