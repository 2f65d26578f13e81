"""A change is proposed only where a copy that has it keeps every claim that failed, and breaks none that held."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.claims.registry import find
from initcheck.contract.case import Case
from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer
from initcheck.diagnosis.observed import Observed
from initcheck.engine.checker import Checker
from initcheck.engine.settings import Settings
from initcheck.engine.subject import InitializerSubject
from initcheck.repairs.candidates import edits, last_resorts, pairs, scale_edits
from initcheck.repairs.edits.edit import Edit
from initcheck.repairs.edits.function_source import FunctionSource, source_of, why_left
from initcheck.repairs.glance import Glance
from initcheck.repairs.repair import FINE, Draft, Repair, edited, remade
from initcheck.repairs.wrapper import wrapper_for
from initcheck.report.verdict import Result, Verdict

_MOST_JUDGED = 10
_MOST_PAIRS = 400
_MOST_UNSCALED = 12
# Edits after which the rest may be right and the scale not.
_LEAVE_A_SCALE = ("generator", "statement", "operand", "law", "fan", "root")
_OTHER_FANS = ("fan_avg", "fan_in", "fan_out")
_SHAPE = "returns-the-shape-asked"
_FEW = 3  # shapes looked at where each is compiled
_WEIGHTS = 20_000
_VALUES = frozenset(["scale", "law", "depth", "centering", "entries", "symmetry", "distribution", "orthogonality"])


@dataclass(frozen=True)
class Proposal:
    """What to change in one initializer, and how it was proven.

    Attributes:
        name: the initializer.
        failing: the claims that fail, with what was measured.
        repair: the change; None where none was found, or nothing fails.
        proven: the claims that failed and hold of the copy.
        kept: how many other claims were asked of the copy, of which none fails.
        tried: the changes that were applied and judged, and why each was not enough.
        looked_at: how many more were applied, and seen at a glance to mend nothing.
        why_none: why no change was looked for; empty where one was.
        doubted: of a model in which nothing fails: the claims that a change would decide, with what is open.
    """

    name: str
    failing: tuple[tuple[str, str], ...]
    repair: Repair | None
    proven: tuple[str, ...] = ()
    kept: int = 0
    tried: tuple[tuple[str, str], ...] = ()
    looked_at: int = 0
    why_none: str = ""
    doubted: tuple[tuple[str, str], ...] = ()


def proposal_for(
    initializer: Initializer, *, seed: int = 0, profile: str = "quick", claims: Sequence[str] | None = None
) -> Proposal:
    """Judge an initializer; where claims fail, find the smallest change that makes them hold.

    A change is applied to a copy that is held to the same contract and judged by the same claims at the same error
    rates, first by those that failed; it counts where every one of these HOLDS and no other claim FAILS.

    Args:
        initializer: of shapes, not of a layer.
        seed: of the run.
        profile: its budget.
        claims: ids of those to ask; all of them where None.
    """
    checker = Checker(Settings(seed=seed, profile=profile, claims=claims))
    results = {claim: checker.judge(initializer, claim) for claim in checker.claims_of(initializer)}
    failed = {claim: r for claim, r in results.items() if r.verdict is Verdict.FAILS}
    if not failed:
        return Proposal(initializer.name, (), None)
    return _Search(checker, initializer, results, failed).found()


def first_doubt(
    judge: Callable[[str], Result],
    wanted: Collection[str],
    every: Iterable[str],
    measured: Callable[[Result], str],
) -> str | None:
    """Why a change is not enough: something that failed does not hold, or something else fails; None where it is.

    Args:
        judge: the verdict of the copy on a claim.
        wanted: ids of the claims that failed; every: of all that are asked.
        measured: of a result, in words.
    """
    for claim in wanted:
        if (result := judge(claim)).verdict is not Verdict.HOLDS:
            return f"{claim} is then {result.verdict.value}: {measured(result)}"
    for claim in every:
        if claim not in wanted and (result := judge(claim)).verdict not in FINE:
            return f"then {claim} fails: {measured(result)}"
    return None


class _Search:
    """One initializer, its verdicts, and the changes that were tried."""

    def __init__(
        self, checker: Checker, initializer: Initializer, results: Mapping[str, Result], failed: Mapping[str, Result]
    ) -> None:
        self.checker, self.initializer, self.results, self.failed = checker, initializer, results, failed
        subject = checker.subject(initializer)
        assert isinstance(subject, InitializerSubject)
        self.contract: Contract = subject.contract
        self.topics = {find(c).topic for c in failed}
        self.compiled = subject.costly_shapes
        seed = checker.settings.seed
        self.seen = Observed(draw=_drawing(initializer), contract=self.contract, topic="scale", seed=seed)
        self.glance = Glance(_cases(subject, failed.values()), self.contract, scale=self._is_scaled())
        self.tried: list[tuple[str, str]] = []
        self.looked_at = 0
        self.known: set[bytes] = set()
        self.unscaled: list[tuple[Draft, Initializer]] = []

    def found(self) -> Proposal:
        """The smallest change that is proven."""
        if self.glance.contract.base("distribution") == "orthogonal":
            self.glance.scale = False  # a square one of unit columns says nothing by its variance
        failing = tuple((claim, _measured(r)) for claim, r in self.failed.items())
        same = self.glance.values(self.initializer)
        if same is not None and self.topics <= _VALUES:
            self.known.add(same)  # who draws the same numbers mends no claim on numbers
        source = source_of(self.initializer.function) if self.initializer.function is not None else None
        if source is not None:
            axes = max(len(case.shape) for case in self.glance.cases)
            source = dataclasses.replace(source, many_axes=axes > 2, dtype=self.glance.dtype_of(self.initializer))
        found = self._of_source(source) if source is not None else self._of_result()
        tried = tuple(self.tried)
        if found is None:
            why = "" if tried or self.looked_at else self._why_none(source)
            return Proposal(
                self.initializer.name, failing, None, tried=tried, looked_at=self.looked_at, why_none=why
            )  # fmt: skip
        others = len(self.results) - len(self.failed)
        return Proposal(
            self.initializer.name, failing, found, tuple(self.failed), others, tried, self.looked_at
        )  # fmt: skip

    def _of_source(self, source: FunctionSource) -> Repair | None:
        singles = list(edits(source, self.seen, self.topics))
        found = self._first(source, _drafts(source, singles), _MOST_JUDGED)
        if found is None:
            found = self._first(source, self._with_scale(source), _MOST_JUDGED // 2)
        if found is None and not self.compiled:
            found = self._first(
                source, _drafts(source, itertools.islice(pairs(source, singles), _MOST_PAIRS)), _MOST_JUDGED // 2
            )
        if found is None:
            last = last_resorts(source, self.seen, self.topics, self.initializer.framework)
            found = self._first(source, _drafts(source, last), _MOST_JUDGED)
        return found

    def _with_scale(self, source: FunctionSource) -> Iterator[Draft]:
        """What was wrong in nothing but the scale afterwards, with another number or a factor."""
        for draft, copy in self.unscaled[:_MOST_UNSCALED]:
            seen = dataclasses.replace(self.seen, draw=_drawing(copy))
            changed = source.rewritten(draft.text)
            for edit in scale_edits(changed, seen):
                whole = changed.changed(edit.changes)
                if whole is not None:
                    yield Draft(whole, draft.kind, f"{draft.words}; and {edit.words}")

    def _first(self, source: FunctionSource, several: Iterable[Draft], most: int) -> Repair | None:
        judged = 0
        held_to = ((draft, contract) for draft in several for contract in self._contracts(draft.kind))
        for draft, contract in held_to:
            try:
                copy = remade(self.initializer, source.run(draft.text), contract)
            except Exception:  # what is changed in user code may break in any way when it is read
                self.looked_at += 1
                continue
            wrong = self._wrong(copy, contract)
            if wrong == "scale" and draft.kind in _LEAVE_A_SCALE:
                self.unscaled.append((draft, copy))
            if wrong is not None:
                continue
            if judged == most:
                return None
            judged += 1
            repair = edited(source, draft)
            if self._holds(copy, repair):
                return repair
        return None

    def _of_result(self) -> Repair | None:
        """Of what has no source of the user's: a function around it."""
        for repair, copy in wrapper_for(self.initializer, self.seen, self.contract, self.topics):
            if self._wrong(copy, self.contract) is None and self._holds(copy, repair):
                return repair
        return None

    def _contracts(self, kind: str) -> Iterator[Contract]:
        """What a copy is held to: what the original was. Of a formula read otherwise, by any fan if none was known."""
        yield self.contract
        if kind == "grouping" and self.contract.origins.get("fan") == "assumed":
            yield from (dataclasses.replace(self.contract, fan=f) for f in _OTHER_FANS if f != self.contract.fan)
        if _SHAPE in self.failed:
            # What never had the shapes asked for did not show its law: the copy's is what its user will be told.
            yield self.initializer.contract

    def _wrong(self, copy: Initializer, contract: Contract) -> str | None:
        """What a glance shows to be wrong still; None where it is worth a judgement."""
        self.looked_at += 1
        told = contract is not self.initializer.contract
        glance = self.glance if contract is self.contract else Glance(self.glance.cases, contract, scale=told)
        wrong = glance.refuses(copy)
        if wrong is not None:
            return wrong
        values = self.glance.values(copy)
        if self.topics <= _VALUES and (values is None or values in self.known):
            return "values"
        self.known.add(values or b"")
        return None

    def _holds(self, copy: Initializer, repair: Repair) -> bool:
        """Whether all that failed holds of the copy, and nothing else fails."""
        self.looked_at -= 1
        fresh = Checker(dataclasses.replace(self.checker.settings))
        # What was short of draws is asked once more, with more of them.
        self.longer = Checker(dataclasses.replace(self.checker.settings, profile="default"))
        why = self._first_doubt(fresh, copy)
        if why is not None:
            self.tried.append((repair.code, why))
        return why is None

    def _first_doubt(self, checker: Checker, copy: Initializer) -> str | None:
        if "randomness" in self.topics and copy.recipe is None:
            return "it cannot be carried to another process to be judged there: install cloudpickle"

        def judge(claim: str) -> Result:
            result = checker.judge(copy, claim)
            short = result.verdict is Verdict.UNDECIDED and self.checker.settings.profile == "quick"
            return self.longer.judge(copy, claim) if short and claim in self.failed else result

        return first_doubt(judge, self.failed, self.results, _measured)

    def _is_scaled(self) -> bool:
        scale = [r for c, r in self.results.items() if find(c).topic == "scale"]
        return any(r.verdict in (Verdict.HOLDS, Verdict.FAILS) for r in scale)

    def _why_none(self, source: FunctionSource | None) -> str:
        if source is None:
            return why_left(self.initializer.function)
        return "nothing that is known to mend this can be written into it"


def _cases(subject: InitializerSubject, failed: Iterable[Result]) -> list[Case]:
    """The shapes to look at: where claims failed, then some of the plan, small and large, of every kind."""
    plan = [c for c in subject.domain.plan if c.weights <= _WEIGHTS]
    wanted = {r.evidence.shape for r in failed if r.evidence.shape is not None}
    first = [c for c in subject.domain.plan if c.shape in wanted]
    spread = sorted(plan, key=lambda c: -c.weights)[:: max(1, len(plan) // 9)]
    chosen = list(dict.fromkeys([*first, *spread]))
    return chosen[:_FEW] if subject.costly_shapes else chosen[:12]


def _drafts(source: FunctionSource, several: Iterable[Edit]) -> Iterator[Draft]:
    """The function with each edit; without those that overlap or change nothing."""
    for edit in several:
        text = source.changed(edit.changes)
        if text is not None and text != source.text:
            yield Draft(text, edit.kind, edit.words)


def _measured(result: Result) -> str:
    return result.evidence.measured or result.reason or ""


def _drawing(initializer: Initializer) -> Any:
    sampler = initializer.sampler

    def draw(shape: tuple[int, ...], seed: int) -> npt.NDArray[Any]:
        return np.asarray(sampler.to_numpy(sampler.calls(shape, [seed], "float32")[0]), dtype=np.float64)

    return draw
