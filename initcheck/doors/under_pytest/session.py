"""One pytest session with claims in it: collecting them, gathering their verdicts, summing up."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from typing import Any

import pytest

from initcheck.claims.registry import as_stated
from initcheck.claims.statement import Claim
from initcheck.contract.tested import Tested
from initcheck.doors import options, request
from initcheck.doors.configuration import option_values
from initcheck.doors.under_pytest.items import ClaimItem, ClaimModule, TheoremItem, identifiers, module_id
from initcheck.doors.under_pytest.xdist_scheduling import by_initializer
from initcheck.errors import UsageError
from initcheck.grouping import grouped
from initcheck.rendering.model_lines import model_lines
from initcheck.rendering.terminal import in_encoding, painted, report_lines, summary_lines
from initcheck.report.account import unshown_lines
from initcheck.report.report import Report, result_from_plain, result_to_plain
from initcheck.report.verdict import Evidence, Result, Verdict
from initcheck.runs.outputs import Outputs
from initcheck.sandbox.descendants import RUN, end_marked, new_mark
from initcheck.wording import counted


class ClaimSession:
    """The run that ``--initcheck`` and ``--initcheck-model`` asked for.

    Args:
        config: pytest's, with the options read.

    Raises:
        UsageError: a target, claim, profile or contract that does not exist, or a file that cannot be made.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        targets: dict[options.TargetKind, list[str]] = {
            "initializers": config.option.initcheck_targets,
            "models": config.option.initcheck_model_targets,
            "pairs": config.option.initcheck_same_targets,
            "locks": config.option.initcheck_lock_targets,
        }
        self._targets = targets
        given = {o.name: config.getoption(o.dest, None) for o in options.OPTIONS}
        values = option_values(given, config.rootpath, request.kinds_of_targets(targets))
        workerinput = getattr(config, "workerinput", None)
        self.worker = workerinput is not None
        if workerinput is not None:
            values["seed"] = workerinput["initcheck_seed"]
            os.environ[RUN] = workerinput["initcheck_run"]
        self._run: str | None = None
        self.seed: int = values["seed"]
        command = shlex.join(["pytest", *map(str, config.invocation_params.args)])
        self.plan = request.plan(targets, values, command)
        self.ids = identifiers(self.plan.initializers)
        self.only = self._take_own_arguments()
        self.results: dict[str, Result] = {}
        self.problem: str | None = None
        self._asked = {
            f"{self.ids[i.name]}::{claim.prop.__name__}": (claim, i)
            for i in self.plan.initializers
            for claim in self.plan.claims
            if claim.kind == i.kind
        }
        self._expected: Counter[str] = Counter()
        self._cut_short = False
        self.outputs = None if self.worker else Outputs(values, self.plan.run(), not_checked=self.plan.not_checked)
        if self.outputs is not None and self.outputs.printed:
            raise UsageError("pytest prints among what would be printed there: give a file in place of '-'.")

    def _take_own_arguments(self) -> list[str]:
        """Node ids of ours among the arguments, taken out: pytest would look for such a file."""
        files = {*self.ids.values(), *map(module_id, self.plan.theorems)}
        root = self.config.invocation_params.dir

        def is_ours(argument: str) -> bool:
            file = argument.partition("::")[0]
            return file in files and not (root / file).exists()

        ours = [a for a in self.config.args if is_ours(a)]
        self.config.args[:] = [a for a in self.config.args if a not in ours]
        self._beside_tests = self.config.args_source is pytest.Config.ArgsSource.ARGS and bool(self.config.args)
        if self.config.args_source is not pytest.Config.ArgsSource.ARGS:
            # `--initcheck=x` alone runs the claims alone, not what `testpaths` or the folder holds.
            self.config.args[:] = []
        return ours

    # -- collecting

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Put the families of claims behind what the session collects itself."""
        report = yield
        if isinstance(collector, pytest.Session):
            report.result = [*report.result, *self._modules(collector)]
        elif isinstance(collector, ClaimModule):
            # Once more: --lf drops the items of a file that does not lie in the root folder.
            report.result = list(collector.collect())
        return report

    def _modules(self, session: pytest.Session) -> Iterable[ClaimModule]:
        for n, tested in enumerate(self.plan.initializers):
            claims = [c for c in self.plan.claims if c.kind == tested.kind]
            yield ClaimModule.of(session, claims, self._claims_on(n, tested), self.ids[tested.name])
        families = grouped((module_id(claim), claim) for claim in self.plan.theorems)
        for name, claims in sorted(families.items()):
            yield ClaimModule.of(session, claims, self._theorems, name)

    def _claims_on(self, number: int, tested: Tested) -> Callable[[ClaimModule], Iterable[pytest.Item]]:
        def judge(tested: Tested, claim_id: str) -> Result:
            return self.plan.known(self.plan.judge(tested, claim_id))

        def items(parent: ClaimModule) -> Iterable[pytest.Item]:
            group, strict = f"initcheck-{number}", self.plan.strict
            made = (ClaimItem.of(parent, c, tested, group=group, judge=judge, strict=strict) for c in parent.claims)
            return self._asked_for(made)

        return items

    def _theorems(self, parent: ClaimModule) -> Iterable[pytest.Item]:
        return self._asked_for(TheoremItem.of(parent, claim) for claim in parent.claims)

    def _asked_for(self, items: Iterable[pytest.Item]) -> Iterable[pytest.Item]:
        return (i for i in items if not self.only or any(_within(i.nodeid, arg) for arg in self.only))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Order the claims by initializer: its claims share its draws, which are let go at the next one."""
        order = {i.name: n for n, i in enumerate(self.plan.initializers)}
        rank = {claim.id: n for n, claim in enumerate(self.plan.claims)}
        ours = [i for i in items if isinstance(i, ClaimItem)]
        ours.sort(key=lambda i: (order[i.initializer.name], rank[i.claim.id]))
        items[:] = [*(i for i in items if not isinstance(i, ClaimItem)), *ours]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know what is to be judged, after ``-k`` and its like: what a run that is cut short did not reach is said."""
        self._expect(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Iterable[str]) -> None:
        """The same, where workers collect."""
        self._expect(ids)

    def _expect(self, nodeids: Iterable[str]) -> None:
        self._expected = Counter(asked[1].name for asked in map(self._asked_at, nodeids) if asked is not None)
        if self.outputs is not None and self._expected and not self._only_planned():
            self.outputs.expect(self._expected)

    def _asked_at(self, nodeid: str) -> tuple[Claim, Tested] | None:
        """The claim of a node id, and of what it is asked; xdist's ``loadgroup`` puts a group behind it."""
        return self._asked.get(nodeid) or self._asked.get(nodeid.rpartition("@initcheck-")[0])

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist the seed: it reads the command line again, where 'random' would differ.

        And the mark of the run, by which what a killed worker has left behind is found.
        """
        self._run = self._run or new_mark()
        node.workerinput.update(initcheck_seed=self.seed, initcheck_run=self._run)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Hand out initializers whole where there are enough of them; else xdist's own choice."""
        return by_initializer(config, log, set(self.ids.values()))

    # -- gathering

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Send the result along with pytest's report, which travels from a worker as plain data."""
        report = yield
        if isinstance(item, ClaimItem) and report.nodeid != item.nodeid:
            report.nodeid = item.nodeid  # with the group of `loadgroup`: xdist compares the two
        if isinstance(item, ClaimItem) and call.when == "call" and item.result is not None:
            name = item.initializer.name
            held_to = {name: self.plan.contracts[name]} if name in self.plan.contracts else {}
            sent = {"result": result_to_plain(item.result), "contract": held_to}
            report.initcheck = sent  # type: ignore[attr-defined]  # extra attributes travel
            if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
                path, line, _ = item.reportinfo()
                report.longrepr = (str(path), line + 1, report.longrepr[2])
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a result and write it down at once."""
        if self.outputs is None:
            return
        result = None
        sent = getattr(report, "initcheck", None)
        if sent is not None:
            result = result_from_plain(sent["result"])
            self.plan.contracts.update(sent["contract"])
        elif report.when not in ("setup", "call", "teardown"):
            dead = self._of_dead_worker(report.nodeid)
            result = self.plan.known(dead) if dead is not None else None
        if result is not None:
            self.results[report.nodeid] = result
            self.outputs.append(result, self.plan.contracts.get(result.initializer))

    def _of_dead_worker(self, nodeid: str) -> Result | None:
        """What xdist reports where a worker died: the claim it was at fails, whatever killed it."""
        asked = self._asked_at(nodeid)
        if asked is None:
            return None
        claim, tested = asked
        return Result.of(
            claim,
            tested,
            Verdict.FAILS,
            "the process that judged this claim died; --initcheck-isolate tells more",
            evidence=Evidence(measured="the process died", allowed="a result"),
            reproduce=self.plan.checker.settings.command(tested, claim, isolate=True),
        )

    def report(self) -> Report:
        """Everything known so far."""
        return self.plan.report(self.results.values(), planned=self._expected if self._cut_short else None)

    # -- summing up

    def pytest_report_header(self) -> str:
        """What will be asked of how many."""
        plan = self.plan
        asked = []
        for kind, noun in (("check", "initializer"), ("model", "model"), ("pair", "pair"), ("lock", "lock")):
            claims = sum(claim.kind == kind for claim in plan.claims)
            tested = sum(i.kind == kind for i in plan.initializers)
            asked += [f"{counted(claims, 'claim')} x {counted(tested, noun)}"] if claims else []
        asked += [f"{len(plan.theorems)} theorems and myths"] if plan.theorems else []
        asked += [f"baseline {plan.baseline.header}"] if plan.baseline is not None else []
        alone = "" if self._beside_tests else "; the project's own tests are not run: name them beside"
        return f"initcheck: {', '.join(asked) or 'nothing to ask'}, seed {self.seed}{alone}"

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Finish the files; a run that decided nothing is an error."""
        self.plan.close()
        if self._run is not None:
            end_marked(RUN, self._run)
        if self.outputs is None:
            return
        cut = exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
        self._cut_short = cut or bool(session.shouldfail or session.shouldstop)  # Ctrl-C; or -x
        try:
            self.outputs.close(self.report())
        except UsageError as error:
            self.problem = str(error)
        self.problem = self.problem or self.plan.problem
        if self.problem is not None:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if not self._only_planned():
            self.plan.write_baseline(self.report())
        fine = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if exitstatus in fine and self._decided_nothing():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _decided_nothing(self) -> bool:
        if self._only_planned() or not any(self._targets.values()):
            return False
        if self.plan.shows_only:
            return False
        # Where -k or --lf left none of the claims, the user chose so; where they ran, one must be decided.
        if not self.plan.initializers or not self.results:
            return not self.plan.initializers
        report = self.report()
        return not report.decided or bool(self.plan.unanswered(report)) or bool(unshown_lines(report))

    def _only_planned(self) -> bool:
        return bool(self.config.option.collectonly or getattr(self.config.option, "setuponly", False))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was shown, what was not checked and why, also under ``-qq``."""
        if self._only_planned() or not (self.results or self.plan.not_checked):
            return
        if self.problem is not None:
            terminalreporter.section("initcheck")
            terminalreporter.write_line(f"initcheck: {self.problem}", red=True)
        whole = self.report()
        models = [i.name for i in self.plan.initializers if i.kind == "model" and whole.of(i.name)]
        if len(models) < len(whole.initializers) or self.plan.not_checked:
            terminalreporter.section("initcheck")
            told = summary_lines if self.config.option.verbose > 0 else report_lines
            self._write(terminalreporter, told(whole.without(models)))
        if models:
            terminalreporter.section("initcheck model")
            self._write(terminalreporter, (line for n in models for line in model_lines(whole, n, as_stated("model"))))
        self._write(terminalreporter, unshown_lines(whole))
        for line in self.outputs.annotations(whole).splitlines() if self.outputs is not None else ():
            terminalreporter.write_line(line)

    def _write(self, terminalreporter: Any, lines: Iterable[str]) -> None:
        for line in lines:
            shown = in_encoding(line, getattr(sys.stdout, "encoding", None))
            terminalreporter.write_line(painted(shown, bool(terminalreporter.hasmarkup)))


def _within(nodeid: str, argument: str) -> bool:
    return nodeid == argument or nodeid.startswith((argument + "::", argument + "["))
