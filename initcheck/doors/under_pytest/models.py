"""``pytest --initcheck-model=TARGET``: one item a claim and model, and the portrait of each model at the end."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterable, Mapping
from typing import Any

import pytest

from initcheck.claims.statement import Claim
from initcheck.doors.configuration import values_of
from initcheck.doors.model_command import merged_report
from initcheck.doors.options import OPTIONS
from initcheck.doors.under_pytest.items import ClaimModule, PropertyItem, module_id
from initcheck.doors.under_pytest.outcome import raise_for
from initcheck.errors import UsageError
from initcheck.models.run import ModelRun, model_headings
from initcheck.rendering.model_lines import model_lines
from initcheck.rendering.terminal import painted
from initcheck.report.account import escaped
from initcheck.report.report import Report, result_from_plain, result_to_plain
from initcheck.report.verdict import Result
from initcheck.runs.outputs import FILES, Outputs
from initcheck.targets.models import load_models, read_law_options

__all__ = ["ModelItem", "ModelSession"]


class ModelItem(PropertyItem):
    """One claim asked of one model."""

    run: ModelRun
    strict: bool
    result: Result | None = None

    @classmethod
    def of(cls, parent: ClaimModule, claim: Claim, run: ModelRun, strict: bool) -> ModelItem:
        """Make the item."""
        ident = escaped(run.name, 120)
        name = f"{claim.prop.__name__}[{ident}]"
        item: ModelItem = cls.from_parent(parent, name=name, nodeid=f"{parent.nodeid}::{name}")
        item.claim, item.run, item.strict = claim, run, strict
        item.extra_keyword_matches |= {claim.id, "model"}
        if item.config.pluginmanager.hasplugin("xdist"):
            # Under `--dist loadgroup` one worker builds the model; its claims share the builds.
            item.add_marker(pytest.mark.xdist_group(name=ident))
        return item

    def runtest(self) -> None:
        """Judge the claim and raise what the verdict means."""
        self.result = self.run.judge(self.claim.id)
        raise_for(self.result, strict=self.strict)


class ModelSession:
    """The models that ``--initcheck-model`` named.

    Args:
        config: pytest's, with the options read.

    Raises:
        UsageError: a target, law, batch or claim that cannot be read, or a file that cannot be made.
    """

    def __init__(self, config: pytest.Config) -> None:
        option = config.option
        values = values_of({o.name: config.getoption(o.dest, None) for o in OPTIONS}, config.rootpath)
        self.config = config
        self.command = shlex.join(["pytest", *map(str, config.invocation_params.args)])
        self.strict = bool(values["strict"])
        targets = load_models(
            option.initcheck_model_targets,
            laws=read_law_options(option.initcheck_law),
            batch=option.initcheck_batch,
            models=option.initcheck_models,
        )
        workerinput = getattr(config, "workerinput", None)
        self.worker = workerinput is not None
        self.seed: int = workerinput["initcheck_model_seed"] if workerinput is not None else values["seed"]
        self.runs = [
            ModelRun(
                t.factory, t.batch, t.laws, self.seed,
                name=t.name, claims=values["claims"], models=t.models, waive=t.waive,
            )
            for t in targets
        ]  # fmt: skip
        self.results: dict[str, Result] = {}
        self.portraits: dict[str, Any] = {}
        self.outputs = self._outputs(values)
        if config.args_source is not pytest.Config.ArgsSource.ARGS:
            # `--initcheck-model=x` alone runs the claims alone, not what `testpaths` or the folder holds.
            config.args[:] = []

    def _outputs(self, values: Mapping[str, Any]) -> Outputs | None:
        """The files that are asked for; written by the process that gathers the results."""
        files = [name for name in FILES if values[name]]
        if files and self.config.option.initcheck_targets:
            raise UsageError(
                f"--initcheck and --initcheck-model would both write the file of --initcheck-{files[0]}; run pytest"
                " once for the initializers and once for the models."
            )
        return Outputs(values, self.runs[0].run) if self.runs and not self.worker else None

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Put the claims on models behind what the session collects itself."""
        report = yield
        if isinstance(collector, pytest.Session):
            report.result = [*report.result, *self._modules(collector)]
        return report

    def _modules(self, session: pytest.Session) -> Iterable[ClaimModule]:
        families: dict[str, list[Claim]] = {}
        for claim in self.runs[0].claims if self.runs else ():
            families.setdefault(module_id(claim), []).append(claim)
        for _, claims in sorted(families.items()):
            yield ClaimModule.of(session, claims, self._items)

    def _items(self, parent: ClaimModule) -> Iterable[pytest.Item]:
        for run in self.runs:
            for claim in parent.claims:
                yield ModelItem.of(parent, claim, run, self.strict)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """One model after the other: its claims share its builds."""
        order = {run.name: n for n, run in enumerate(self.runs)}
        ours = sorted((i for i in items if isinstance(i, ModelItem)), key=lambda i: order[i.run.name])
        items[:] = [i for i in items if not isinstance(i, ModelItem)] + list(ours)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist the seed: it reads the command line again, where 'random' would differ."""
        node.workerinput["initcheck_model_seed"] = self.seed

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Send the result along with pytest's report, which travels from a worker as plain data."""
        report = yield
        if isinstance(item, ModelItem) and call.when == "call" and item.result is not None:
            sent = {"result": result_to_plain(item.result), "portrait": dict(item.run.report().contracts)}
            report.__dict__["initcheck_model"] = sent
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a result and write it down at once."""
        sent = getattr(report, "initcheck_model", None)
        if sent is not None and self.outputs is not None:
            self.results[report.nodeid] = result = result_from_plain(sent["result"])
            self.outputs.append(result)
            self.portraits.update(sent["portrait"])

    def reports(self) -> list[Report]:
        """One report a model, of what was judged so far."""
        found = []
        for run in self.runs:
            results = tuple(r for r in self.results.values() if r.initializer == run.name)
            if results and run.name in self.portraits:
                shown = {run.name: self.portraits[run.name]}
                found.append(Report(run=run.run, results=results, contracts=shown))
        return found

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Finish the files; a run that decided nothing is an error."""
        reports = self.reports()
        if self.outputs is None or not reports:
            return
        whole = merged_report(reports, command=self.command)
        self.outputs.close(whole)
        if exitstatus == pytest.ExitCode.OK and not whole.decided:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The portrait of every model, at most 25 lines each."""
        for report in self.reports():
            terminalreporter.section("initcheck model")
            for line in model_lines(report, model_headings()):
                terminalreporter.write_line(painted(line, bool(terminalreporter.hasmarkup)))
        whole = merged_report(self.reports()) if self.outputs is not None and self.results else None
        for line in self.outputs.annotations(whole).splitlines() if self.outputs is not None and whole else ():
            terminalreporter.write_line(line)
