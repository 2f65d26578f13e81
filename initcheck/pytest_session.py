"""One pytest session with claims in it: collecting them, gathering their verdicts, summing up."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import pytest

from initcheck import options
from initcheck.checking import Checker
from initcheck.claim import Claim, find
from initcheck.errors import UsageError
from initcheck.initializer import Initializer
from initcheck.journal import Journal
from initcheck.pytest_items import ClaimItem, ClaimModule, TheoremItem, identifiers, module_id
from initcheck.rendering.terminal import failure_text, painted, summary_lines
from initcheck.report import NotChecked, Report, result_from_plain, result_to_plain
from initcheck.targets import load
from initcheck.theorems import theorems
from initcheck.verdict import Evidence, Result, Verdict

__all__ = ["ClaimSession"]


class ClaimSession:
    """The run that ``--initcheck`` asked for.

    Args:
        config: pytest's, with the options read.

    Raises:
        UsageError: a target, claim, profile or contract that does not exist, or an output that cannot be written.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.worker = hasattr(config, "workerinput")
        values = {o.name: config.getoption(f"initcheck_{o.name}", o.default) for o in options.OPTIONS}
        if self.worker:
            values["seed"] = config.workerinput["initcheck_seed"]
        self.seed: int = values["seed"]
        self.strict: bool = values["strict"]
        self.initializers: list[Initializer] = []
        self.not_checked: list[NotChecked] = []
        held_to = options.contract(values)
        for target in config.option.initcheck_targets:
            loaded = load(target, contract=held_to)
            self.initializers += loaded.initializers
            self.not_checked += loaded.not_checked
        self.checker = Checker(options.settings(values))
        self.claims = [find(claim_id) for claim_id in self.checker.claim_ids] if self.initializers else []
        self.theorems = list(theorems().values()) if values["theorems"] else []
        self.ids = identifiers(self.initializers)
        self.results: dict[str, Result] = {}
        self.selected = 0
        self.only = self._take_own_arguments()
        self.journal: Journal | None = None
        if values["json"] and not self.worker:
            self.journal = Journal(values["json"], self.report().run)

    def _take_own_arguments(self) -> list[str]:
        """Node ids of ours among the arguments, taken out: pytest would look for such a file."""
        files = {module_id(c) for c in (*self.claims, *self.theorems)}
        root = self.config.invocation_params.dir
        ours = [
            a
            for a in self.config.args
            if a.partition("::")[0] in files and not (root / a.split("::")[0]).exists()
        ]
        self.config.args[:] = [a for a in self.config.args if a not in ours]
        if self.config.args_source is not pytest.Config.ArgsSource.ARGS:
            # `--initcheck=x` alone runs the claims alone, not what `testpaths` or the folder holds.
            self.config.args[:] = []
        return ours

    # Collecting

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Put the families of claims behind what the session collects itself."""
        report = yield
        if isinstance(collector, pytest.Session):
            report.result = [*report.result, *self._modules(collector)]
        elif isinstance(collector, ClaimModule):
            # Again, outside of --lf, which drops files that it does not find in the root folder.
            report.result = list(collector.collect())
        return report

    def _modules(self, session: pytest.Session) -> Iterable[ClaimModule]:
        families: dict[str, list[Claim]] = {}
        for claim in (*self.claims, *self.theorems):
            families.setdefault(module_id(claim), []).append(claim)
        for _, claims in sorted(families.items()):
            yield ClaimModule.of(session, claims, self._items)

    def _items(self, parent: ClaimModule) -> Iterable[pytest.Item]:
        for claim in parent.claims:
            if claim.kind in ("theorem", "myth"):
                items: list[pytest.Item] = [TheoremItem.of(parent, claim)]
            else:
                items = [
                    ClaimItem.of(parent, claim, i, self.ids[i.name], self.checker.judge, self.strict)
                    for i in self.initializers
                ]
            yield from (i for i in items if not self.only or any(_within(i.nodeid, arg) for arg in self.only))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count what is left after ``-k`` and ``--lf``."""
        self.selected = sum(isinstance(item, ClaimItem | TheoremItem) for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist the seed: it reads the command line again, and 'random' would differ there."""
        node.workerinput["initcheck_seed"] = self.seed

    # Gathering

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Send the result along with pytest's report, which travels from a worker as plain data."""
        report = yield
        if isinstance(item, ClaimItem) and call.when == "call" and item.result is not None:
            report.initcheck = result_to_plain(item.result)
            if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
                path, line, _ = item.reportinfo()
                report.longrepr = (str(path), line + 1, report.longrepr[2])
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a result and write it down at once."""
        if self.worker:
            return
        result = None
        if hasattr(report, "initcheck"):
            result = result_from_plain(report.initcheck)
        elif report.when not in ("setup", "call", "teardown"):
            result = self._of_dead_worker(report)
        if result is not None:
            self.results[report.nodeid] = result
            if self.journal is not None:
                self.journal.append(result)

    def _of_dead_worker(self, report: pytest.TestReport) -> Result | None:
        for claim in self.claims:
            for initializer in self.initializers:
                name = f"{module_id(claim)}::{claim.prop.__name__}[{self.ids[initializer.name]}]"
                if report.nodeid in (name, f"{name}@{self.ids[initializer.name]}"):
                    return Result(
                        claim=claim.id,
                        says=claim.says,
                        initializer=initializer.name,
                        family=claim.family,
                        verdict=Verdict.FAILS,
                        reason="the process that judged this claim died; --initcheck-isolate says more",
                        evidence=Evidence(measured="the process died", allowed="a result"),
                        location=initializer.location,
                    )
        return None

    def report(self) -> Report:
        """Everything known so far."""
        return self.checker.report(self.initializers, self.not_checked, results=tuple(self.results.values()))

    # Summing up

    def pytest_report_header(self) -> str:
        """What will be asked of how many."""
        return (
            f"initcheck: {len(self.claims)} claims x {len(self.initializers)} initializers,"
            f" {len(self.theorems)} theorems, seed {self.seed}"
        )

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Finish the report; a run that decided nothing is an error."""
        if self.worker:
            return
        if self.journal is not None:
            self.journal.close(self.report())
        if self._decided_nothing() and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _decided_nothing(self) -> bool:
        planned = self.config.option.collectonly or getattr(self.config.option, "setuponly", False)
        if planned or not self.config.option.initcheck_targets:
            return False
        if not self.initializers:
            return True
        return bool(self.results) and not any(
            r.verdict in (Verdict.HOLDS, Verdict.FAILS, Verdict.WAIVED) for r in self.results.values()
        )

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was shown, what was not checked and why, also under ``-qq``."""
        if self.config.option.collectonly or not (self.results or self.not_checked):
            return
        report = self.report()
        terminalreporter.section("initcheck")
        colour = bool(terminalreporter.hasmarkup)
        for line in summary_lines(report):
            terminalreporter.write_line(painted(line, colour))


def _within(nodeid: str, argument: str) -> bool:
    return nodeid == argument or nodeid.startswith((argument + "::", argument + "["))
