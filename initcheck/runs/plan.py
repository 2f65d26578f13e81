"""What a door was asked to run: which initializers and models, which claims, what each is held to."""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from initcheck.claims.registry import asked_of, checks, find
from initcheck.claims.statement import Claim
from initcheck.claims.theorems import theorems as every_theorem
from initcheck.contract.declaration import Declared
from initcheck.contract.model import Model
from initcheck.contract.tested import Tested
from initcheck.engine.checker import Checker, check_waivers
from initcheck.engine.judging import Tell
from initcheck.engine.settings import Settings
from initcheck.errors import UsageError
from initcheck.report.baseline import Baseline
from initcheck.report.journal import lost
from initcheck.report.report import Report
from initcheck.report.results import NotChecked, Run
from initcheck.report.verdict import Result, Verdict
from initcheck.runs.own_process import OwnProcess, died
from initcheck.runs.reading import Wanted, read_all, read_each
from initcheck.safe_text import escaped
from initcheck.targets.loading import numbered


class Plan:
    """The initializers, models and claims of one run, and what is known of them on the way.

    Args:
        targets: target texts of initializers, in the order given, or what is sent in place of objects.
        settings: how claims are judged.
        contract: what these targets are held to, where their own does not say otherwise.
        models: target texts of models.
        of_models: what was said for this run of all of them: ``laws``, ``batch``, ``models``, as
            ``initcheck.targets.models.load_models`` takes them.
        pairs: texts of two targets each, ``A,B``.
        layouts: of A and of B, of all pairs.
        locks: law files; with a preset, targets.
        like: the preset that these targets are held to.
        command: the command line that asked for the run.
        strict: whether UNDECIDED fails too.
        baseline: the file of known failures.
        updating: whether that file is written anew.
        theorems: whether theorems and myths are shown too: those that the settings name among their claims, else all.
        isolate: whether each target is read and judged in a process of its own; else in one beside this, which
            another takes the place of when it dies.
        only: of what is judged and of the claims, the pairs that are asked; all where None.
        resumed: the report of a run that did not come to its end, whose results are not made again.

    Raises:
        UsageError: a target, claim, profile, contract or waiver that does not exist, or a baseline that
            cannot be read.
    """

    def __init__(
        self,
        targets: Iterable[str | Wanted],
        settings: Settings,
        *,
        contract: Declared = None,
        models: Iterable[str] = (),
        of_models: Mapping[str, Any] | None = None,
        pairs: Iterable[str] = (),
        layouts: Sequence[str] | None = None,
        locks: Iterable[str] = (),
        like: str | None = None,
        command: str = "",
        strict: bool = False,
        baseline: str | None = None,
        updating: bool = False,
        theorems: bool = False,
        isolate: bool = False,
        only: Collection[tuple[str, str]] | None = None,
        resumed: Report | None = None,
    ) -> None:
        shown = every_theorem() if theorems else {}
        named = [shown[name] for name in settings.claims or () if name in shown]
        others = tuple(name for name in settings.claims or () if name not in shown)
        if named and (others or not any((targets, models, pairs, locks))):
            settings = dataclasses.replace(settings, claims=others or None)
        self.theorems: list[Claim] = named or list(shown.values())
        self.checker = Checker(settings)
        self.command = command
        self.strict = strict
        self.contracts: dict[str, dict[str, Any]] = {}
        # The same text named twice is the same initializer: its verdicts would be the same, bit for bit.
        texts = dict.fromkeys(targets)
        self.own = OwnProcess(settings, self.contracts, alone=isolate)
        loaded = read_all(texts, self.own, contract=contract)
        built, no_models = read_each("models", models, self.own, of_models or {})
        # A builder of a model that is named as an initializer too must not be taken for it.
        names = [i.name for i in loaded.initializers]
        self.only = None if only is None else frozenset(only)
        laid = {"layouts": layouts, "world": (of_models or {}).get("world")}
        compared, no_pairs = read_each("pairs", pairs, self.own, laid)
        locked, no_locks = read_each("locks", locks, self.own, {"like": like})
        every: Sequence[Tested] = (*loaded.initializers, *numbered(built, names), *compared, *locked)
        self.initializers: Sequence[Tested] = tuple(i for i in every if self.claims_of(i))
        left = (n for n in loaded.not_checked if n.needed or only is None)
        self.not_checked: Sequence[NotChecked] = (*left, *no_models, *no_pairs, *no_locks)
        if only is not None and not self.initializers:
            raise UsageError(f"of what failed, {', '.join(sorted({n for n, _ in only}))}, nothing is there any more.")
        here = {i.kind for i in self.initializers}
        self.claims = [c for c in map(find, self.checker.claim_ids) if c.kind in here]
        self.updating = datetime.date.today() if updating else None
        self.baseline: Baseline | None = None
        if baseline:
            self.baseline = Baseline.read(
                baseline,
                claims=(*checks(), *(c for kind in ("model", "pair", "lock", "ranks") for c in asked_of(kind))),
                create=updating,
            )
        for tested in self.initializers:
            check_waivers(tested, tested.contract.waive)
        self.done: dict[tuple[str, str], Result] = {}
        if resumed is not None:
            self._take(resumed)

    def _take(self, resumed: Report) -> None:
        """Take over the results of a run that was made as this one is."""
        mine, theirs = self.run(), resumed.run
        for what in ("seed", "profile", "alpha", "beta", "claims", "version"):
            if getattr(mine, what) != getattr(theirs, what):
                raise UsageError(
                    f"the report to resume was made with {what} {getattr(theirs, what)!r}, this run is with"
                    f" {getattr(mine, what)!r}: give the same, or leave out resume."
                )
        # A process that died may have been killed from outside: such verdicts are reached anew.
        asked = {(i.name, claim_id) for i in self.initializers for claim_id in self.claims_of(i)}
        for result in resumed.results:
            key = (result.initializer, result.claim)
            if key in asked and result.known_since is None and not result.broke and not died(result):
                self.done[key] = result
        self.contracts.update({name: dict(held_to) for name, held_to in resumed.contracts.items()})

    def claims_of(self, tested: Tested) -> tuple[str, ...]:
        """The claims that are asked of an initializer or a model in this run."""
        every = self.checker.claims_of(tested)
        return every if self.only is None else tuple(c for c in every if (tested.name, c) in self.only)

    @property
    def planned(self) -> dict[str, int]:
        """Name -> how many verdicts it is to get."""
        return {i.name: len(self.claims_of(i)) for i in self.initializers}

    @property
    def total(self) -> int:
        """How many verdicts there will be."""
        return sum(len(self.claims_of(i)) for i in self.initializers)

    @property
    def shows_only(self) -> bool:
        """Whether all that is asked for is portraits of what is built already: nothing needs to be decided then."""
        return bool(self.initializers) and all(isinstance(i, Model) and i.built for i in self.initializers)

    @property
    def unread(self) -> Sequence[NotChecked]:
        """What was named, or promises something, and could not be read."""
        return [n for n in self.not_checked if n.needed]

    @property
    def problem(self) -> str | None:
        """The sentence by which a run ends in an error where something that was named could not be judged."""
        if not self.unread:
            return None
        names = ", ".join(escaped(n.name, 120) for n in self.unread)
        return f"nothing is known of {names}: named, and not read, or without anything to check; see 'not checked'."

    def judge(self, tested: Tested, claim_id: str) -> Result:
        """Decide one claim."""
        if (tested.name, claim_id) in self.done:
            return self.done[tested.name, claim_id]
        return self.own.judge(tested, claim_id)

    def another_process(self, *, alone: bool) -> OwnProcess:
        """One more process to judge in, which knows what died when it was read."""
        another = OwnProcess(self.checker.settings, self.contracts, alone=alone)
        another.mourned, another.libraries = self.own.mourned, self.own.libraries
        another.tell = self.own.tell
        return another

    def told_to(self, tell: Tell) -> None:
        """Have somebody told what is being done, where a claim takes long: the builds of a model."""
        self.own.tell = tell

    def known(self, result: Result) -> Result:
        """A result in the light of the baseline, where there is one; wherever it was decided."""
        return result if self.baseline is None else self.baseline.judged(result, updating=self.updating)

    def write_baseline(self, report: Report) -> None:
        """Write the baseline anew, where the options ask for it.

        Raises:
            UsageError: the file cannot be written.
        """
        if self.baseline is not None and self.updating is not None:
            self.baseline.updated(report, today=self.updating).write(self.baseline.name)

    def run(self, results: Sequence[Result] = ()) -> Run:
        """How the run is made, with its command line, and with results what it could find."""
        run = self.checker.run(results)
        return dataclasses.replace(run, command=self.command, libraries={**run.libraries, **self.own.libraries})

    def close(self) -> None:
        """End the process beside this one, if there is one."""
        self.own.close()

    def report(self, results: Iterable[Result], *, planned: Mapping[str, int] | None = None) -> Report:
        """Put results into a report, in the order of the plan whatever order they came in.

        Args:
            results: what was decided.
            planned: of a run that did not come to its end, how many verdicts each was to get: what was lost is said
                among what was not checked.
        """
        order = {i.name: n for n, i in enumerate(self.initializers)}
        rank = {claim.id: n for n, claim in enumerate(self.claims)}
        ordered = sorted(results, key=lambda r: (order.get(r.initializer, 0), rank.get(r.claim, 0)))
        contracts = {name: self.contracts[name] for name in order if name in self.contracts}
        whole = Counter(planned or {})
        missing = whole - Counter(r.initializer for r in ordered)
        left = (*self.not_checked, *(lost(n, k, whole[n]) for n, k in missing.items()))
        report = self.checker.report(self.initializers, left, ordered, contracts)
        return dataclasses.replace(report, run=self.run(ordered))

    def failing(self, result: Result) -> bool:
        """Whether a result makes the run fail: FAILS, a claim that broke, UNDECIDED under strict."""
        undecided = self.strict and result.verdict is Verdict.UNDECIDED
        return result.verdict is Verdict.FAILS or undecided or result.broke

    def unanswered(self, report: Report) -> list[Result]:
        """What waits for a claim that fails, and that no word of the user's speaks of: no run ends well with it."""
        known = self.baseline.find if self.baseline is not None else lambda result: None
        return [r for r in report.unanswered if known(dataclasses.replace(r, claim=r.waits_for or "")) is None]
