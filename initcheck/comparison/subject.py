"""Two starts as a run sees them: one comparison, which both claims read, and what a reader wants to see of it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from initcheck.claims.statement import Claim
from initcheck.comparison.call_scores import NOT_SEEN
from initcheck.comparison.drawn import Drawn
from initcheck.comparison.exchange import Answer
from initcheck.comparison.functions import compare_functions
from initcheck.comparison.layers import asked_of_layer, compare_layers
from initcheck.comparison.models import compare_models
from initcheck.comparison.pair import Pair
from initcheck.comparison.parts import Compared, Comparison, Terms
from initcheck.comparison.shapes import Asked
from initcheck.comparison.weights.builds import Builds
from initcheck.comparison.weights.shards import Told, put_together, takes_rank
from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer
from initcheck.contract.model import Model
from initcheck.contract.profile import Profile
from initcheck.contract.tested import Tested
from initcheck.engine.judging import Decided, Judging
from initcheck.engine.whole_trial import WholeTrial
from initcheck.errors import UsageError
from initcheck.report.verdict import Evidence
from initcheck.statistics import Ledger


@dataclass
class PairTrial(WholeTrial):
    """What a claim of kind ``pair`` is given.

    Attributes:
        comparison: both starts, part by part.
        shown: the part that gives the cause, the fix and the picture.
    """

    comparison: Comparison
    shown: Compared | None = None
    listed: ClassVar[int] = 8

    def same(self) -> Sequence[Compared]:
        """The parts that have one law."""
        return self.comparison.of(Answer.SAME)

    def different(self) -> Sequence[Compared]:
        """The parts that have two, the clearest first."""
        return sorted(self.comparison.of(Answer.DIFFERENT), key=_clearness)

    def of_other_causes(self) -> Sequence[Compared]:
        """Of the parts that differ for another reason than the clearest one, the clearest of each reason."""
        found: dict[str | None, Compared] = {}
        for part in self.different():
            found.setdefault(part.cause, part)
        return list(found.values())[1:]

    def undecided(self) -> Sequence[Compared]:
        """The parts of which neither is shown."""
        return self.comparison.of(Answer.UNDECIDED)

    def differs(self, sentence: str, part: Compared | None = None) -> None:
        """Say what differs; the first part that is named gives the cause, the fix and the picture."""
        self.shown = self.shown or part
        self.fails(sentence)

    def evidence(self, calls: int) -> Evidence:
        """What stands behind the verdict."""
        shown = self.shown
        exchange = shown.exchange if shown is not None else None
        return dataclasses.replace(
            super().evidence(calls),
            weights=self.comparison.weights,
            e_value_log10=exchange.log10_e if exchange is not None else None,
            error_spent=self.alpha if self.failures else self.beta,
            likely=shown.cause if shown is not None else None,
            fix=shown.fix if shown is not None else None,
            series=dict(shown.pictures) if shown is not None else {},
        )


class PairSubject(Judging):
    """Two starts.

    Attributes:
        pair: what was named.
        contract: its waivers.
    """

    def __init__(self, pair: Pair, profile: Profile, seed: int) -> None:
        self.pair = pair
        self.contract = pair.contract
        self._profile = profile
        self._seed = seed
        self._comparison: Comparison | None = None
        self._told = _ranks_of(pair.a, pair.world), _ranks_of(pair.b, pair.world)

    def decide(self, claim: Claim, ledger: Ledger, timeout: float | None) -> Decided:
        """Judge one claim; the first that asks compares.

        Raises:
            UsageError: the two are of kinds that cannot be compared.
        """
        trial = PairTrial(self._compared(ledger, timeout), alpha=ledger.alpha, beta=ledger.beta)
        claim.prop(trial)
        for sentence in reversed(trial.comparison.notes):
            trial.notes.insert(0, sentence)
        return trial.decided(trial.comparison.calls)

    def _compared(self, ledger: Ledger, timeout: float | None) -> Comparison:
        if self._comparison is None:
            terms = Terms(
                profile=self._profile.name,
                seed=self._seed,
                alpha=ledger.alpha,
                beta=ledger.beta,
                deadline=None if timeout is None else time.monotonic() + timeout,
            )
            self._comparison = self._made(self.pair.a, self.pair.b, terms)
        return self._comparison

    def _made(self, a: Tested, b: Tested, terms: Terms) -> Comparison:
        if isinstance(a, Initializer) and isinstance(b, Initializer):
            if a.subject is not None and b.subject is not None:
                return compare_layers(a, b, terms)
            mine, theirs = (_with_layout(x, self.pair.layouts, side) for side, x in enumerate((a, b)))
            drawn = Drawn(mine, self._seed), Drawn(theirs, self._seed)
            return compare_functions(*drawn, terms, asked=_asked(mine, theirs, self._profile.name))
        if not (isinstance(a, Model) and isinstance(b, Model)):
            raise UsageError(_UNLIKE.format(a=a.name, b=b.name))
        for model in (a, b):
            if model.built:
                raise UsageError(f"{model.name} is built already; name the function that builds it.")
        one, other = (Builds(f, of.name, self._seed) for f, of in zip(self._factories(a, b), (a, b), strict=True))
        return self._with_ranks(compare_models(one, other, terms, shards=self._told))

    def _with_ranks(self, comparison: Comparison) -> Comparison:
        """With what is to be said of the shards of either side."""
        if self.pair.world is None:
            return comparison
        sides = [side for side, told in zip("AB", self._told, strict=True) if told is not None]
        notes = [f"{' and '.join(sides)}: the shards of {self.pair.world} ranks, laid side by side"]
        odd = []
        for side, told in zip("AB", self._told, strict=True):
            if told is None:
                continue
            notes += [f"{path} of {side}: {how}" for path, how in told.notes.items()]
            odd += [f"{path} of {side}: {who}, of what is one tensor in the whole" for path, who in told.odd.items()]
        return dataclasses.replace(comparison, notes=(*notes, *comparison.notes), missing=(*odd, *comparison.missing))

    def _factories(self, a: Model, b: Model) -> list[Callable[..., Any]]:
        """What builds each whole: of a sharded one all ranks, put together.

        Raises:
            UsageError: a world is said, and neither builds the shard of a rank.
        """
        world = self.pair.world
        if world is None:
            return [a.factory, b.factory]
        if not any(self._told):
            raise UsageError(
                f"--world {world}: neither {a.name} nor {b.name} has the parameters rank and world, so that none builds"
                " the shard of a rank. What needs processes for its ranks is held to its unsharded build by"
                f" initcheck model TARGET --world {world}."
            )
        return [
            put_together(one.factory, one.name, told) if told is not None else one.factory
            for one, told in zip((a, b), self._told, strict=True)
        ]

    def held_to(self) -> Mapping[str, Any]:
        """Both starts part by part, as plain data."""
        found = self._comparison
        if found is None:
            return {}
        return {
            "a": self.pair.a.name,
            "b": self.pair.b.name,
            "same_bits": found.same_bits,
            "compared": [_plain(part) for part in found.parts],
            "missing": list(found.missing),
            "not_seen": NOT_SEEN,
            "notes": list(found.notes),
        }


_UNLIKE = (
    "{a} and {b} cannot be compared: give two of functions of a shape and layers, or two functions that build a model."
)


def _ranks_of(one: Tested, world: int | None) -> Told | None:
    """What will be told of the shards of one side; None where one process builds it."""
    return Told(world) if world is not None and isinstance(one, Model) and takes_rank(one.factory) else None


def _asked(a: Initializer, b: Initializer, profile: str) -> Asked | None:
    """What both are asked for where one of them is a layer; None where both are functions of a shape."""
    if a.subject is not None:
        return asked_of_layer(b, a, profile, layer_first=True)
    return asked_of_layer(a, b, profile, layer_first=False) if b.subject is not None else None


def _with_layout(one: Initializer, layouts: tuple[str, str] | None, side: int) -> Initializer:
    if layouts is None or one.subject is not None:
        return one
    said = Contract(layout=layouts[side], origins={"layout": "declared"})
    return dataclasses.replace(one, contract=said.filled_by(one.contract, "known"))


def _plain(part: Compared) -> dict[str, Any]:
    shown = part.exchange
    return {
        "name": part.name,
        "partner": part.partner,
        "shape": list(part.shape),
        "answer": part.answer.value,
        "pairs": shown.pairs if shown is not None else 0,
        "factor": float(f"{shown.factor:.4g}") if shown is not None else None,
        "within": float(f"{shown.within:.4g}") if shown is not None else None,
        "e_value_log10": round(shown.log10_e, 2) if shown is not None else None,
        "in": shown.in_words if shown is not None else "",
        "a": part.laws[0],
        "b": part.laws[1],
        "why": part.why,
    }


def _clearness(part: Compared) -> tuple[bool, int, float]:
    """Matrices first, for what is wrong with a bias is seldom what is looked for; then what took the fewest pairs."""
    shown = part.exchange
    vector = sum(n > 1 for n in part.shape) < 2
    return (vector, shown.pairs, -shown.log10_e) if shown is not None else (vector, 0, 0.0)
