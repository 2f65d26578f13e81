"""What a door was asked to run: which initializers, which claims, what each is held to."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from initcheck.claims.claim import Claim, checks, find
from initcheck.claims.theorems import theorems
from initcheck.contract.initializer import Initializer
from initcheck.doors import options
from initcheck.engine.broken_claim import contained
from initcheck.engine.checker import Checker
from initcheck.errors import UsageError, closest
from initcheck.report.baseline import Baseline
from initcheck.report.report import NotChecked, Report
from initcheck.report.results import Run
from initcheck.report.verdict import Result, Verdict
from initcheck.targets.loading import load_all

__all__ = ["Plan"]


class Plan:
    """The initializers and claims of one run, and what is known of them on the way.

    Args:
        targets: target texts, in the order given.
        values: the options by name, as ``initcheck.doors.options`` read them.
        command: the command line that asked for the run.

    Raises:
        UsageError: a target, claim, profile, contract or waiver that does not exist, or a baseline that
            cannot be read.
    """

    def __init__(self, targets: Iterable[str], values: Mapping[str, Any], command: str) -> None:
        held_to = options.contract(values)
        self.checker = Checker(options.settings(values))
        self.command = command
        self.strict = bool(values["strict"])
        self.contracts: dict[str, dict[str, Any]] = {}
        # The same text named twice is the same initializer: its verdicts would be the same, bit for bit.
        loaded = load_all(dict.fromkeys(targets), contract=held_to)
        self.initializers: Sequence[Initializer] = loaded.initializers
        self.not_checked: list[NotChecked] = list(loaded.not_checked)
        self.claims = [find(claim_id) for claim_id in self.checker.claim_ids] if self.initializers else []
        self.updating = datetime.date.today() if values["baseline-update"] else None
        self.baseline: Baseline | None = None
        if values["baseline"]:
            create = self.updating is not None
            self.baseline = Baseline.read(values["baseline"], claims=checks(), create=create)
        self.theorems: list[Claim] = list(theorems().values()) if values["theorems"] else []
        for initializer in self.initializers:
            _check_waivers(initializer)

    def judge(self, initializer: Initializer, claim_id: str) -> Result:
        """Decide one claim in this process."""
        result = contained(self.checker.judge, initializer, claim_id)
        if initializer.name not in self.contracts:
            # Asked now, while the engine still has this initializer's inference at hand.
            self.contracts.update(contract_of(self.checker, initializer))
        return result

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
        return dataclasses.replace(self.checker.run(results), command=self.command)

    def report(self, results: Iterable[Result]) -> Report:
        """Put results into a report, in the order of the plan whatever order they came in."""
        order = {i.name: n for n, i in enumerate(self.initializers)}
        rank = {claim.id: n for n, claim in enumerate(self.claims)}
        ordered = sorted(results, key=lambda r: (order.get(r.initializer, 0), rank.get(r.claim, 0)))
        contracts = {name: self.contracts[name] for name in order if name in self.contracts}
        return Report(
            run=self.run(ordered),
            results=tuple(ordered),
            contracts=contracts,
            not_checked=tuple(self.not_checked),
        )

    def failing(self, result: Result) -> bool:
        """Whether a result makes the run fail: FAILS, a claim that broke, UNDECIDED under strict."""
        undecided = self.strict and result.verdict is Verdict.UNDECIDED
        return result.verdict is Verdict.FAILS or undecided or result.broke


def contract_of(checker: Checker, initializer: Initializer) -> dict[str, dict[str, Any]]:
    """Name -> what it is held to, as plain data."""
    return {name: dict(held_to) for name, held_to in checker.report([initializer], results=()).contracts.items()}


def _check_waivers(initializer: Initializer) -> None:
    for name in initializer.contract.waive:
        if name not in checks():
            raise UsageError(f"the contract of {initializer.name} waives {name!r}; {closest(name, checks())}")
