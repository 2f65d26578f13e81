"""``initcheck model TARGET``: the claims on whole models from the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from initcheck.doors.model_options import add_model_options
from initcheck.errors import UsageError
from initcheck.report.report import NotChecked, Report
from initcheck.report.verdict import Verdict

__all__ = ["main", "merged_report"]

EPILOG = """A TARGET is pkg.mod:build_model or path/to/file.py:build_model, with arguments as literals,
build_model(layers=200), or @pyproject.toml for its tables [[tool.initcheck.models]] with the keys
target, laws, batch, waive, models, name. It is called several times and must build a new model each time.
Exit code: 0 nothing fails, 1 a claim fails or nothing was decided, 2 usage."""


def main(words: Sequence[str]) -> int:
    """Run the command; return its exit code.

    Args:
        words: what follows ``initcheck model``.

    Raises:
        UsageError: a target, claim, law or batch cannot be read.
    """
    arguments = _parser().parse_args(words)
    if not arguments.targets:
        raise UsageError("no TARGET is named. Write initcheck model pkg.mod:build_model, or initcheck model --help.")
    from initcheck.models.run import ModelRun, model_headings
    from initcheck.rendering.model_lines import model_lines
    from initcheck.rendering.terminal import account_lines, painted
    from initcheck.targets.models import load_models, read_law_options

    targets = load_models(
        arguments.targets,
        laws=read_law_options(arguments.law),
        batch=arguments.batch,
        models=arguments.models,
    )
    if arguments.html:
        from initcheck.rendering.html import html

        html.require()
    colour = bool(sys.stdout.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    reports = []
    for target in targets:
        run = ModelRun(
            target.factory, target.batch, target.laws, arguments.seed,
            name=target.name, claims=arguments.claims, models=target.models, waive=target.waive,
        )  # fmt: skip
        for claim in run.claims:
            run.judge(claim.id)
        report = run.report()
        reports.append(report)
        for line in model_lines(report, model_headings()):
            print(painted(line, colour))
        if arguments.verbose:
            for line in account_lines(report.results, every=True):
                print(painted(line, colour))
    whole = merged_report(reports, command="initcheck model " + " ".join(words))
    if arguments.json:
        _write(arguments.json, whole.to_json())
    if arguments.html:
        _write(arguments.html, html.render(whole))
    undecided = arguments.strict and any(r.verdict is Verdict.UNDECIDED for r in whole)
    return 1 if whole.failures or not whole.decided or undecided else 0


def merged_report(reports: Sequence[Report], command: str | None = None) -> Report:
    """One report of several models of one run."""
    import dataclasses

    contracts: dict[str, Any] = {}
    left: dict[str, NotChecked] = {}
    for report in reports:
        contracts.update(report.contracts)
        left.update({n.name: n for n in report.not_checked})
    results = tuple(r for report in reports for r in report.results)
    run = dataclasses.replace(reports[0].run, command=command)
    return Report(run=run, results=results, contracts=contracts, not_checked=tuple(left.values()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="initcheck model",
        description="Check what a built PyTorch model starts from.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="what builds the model; see below")
    parser.add_argument("--claims", type=_names, default=None, metavar="A,B", help="ask only these claims")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="seed of the run (default 0)")
    parser.add_argument("--strict", action="store_true", help="let UNDECIDED fail too")
    parser.add_argument("--json", metavar="FILE", help="write the report there as JSON")
    parser.add_argument("--html", metavar="FILE", help="write the report there as one HTML page")
    parser.add_argument("-v", "--verbose", action="store_true", help="every verdict with its whole account")
    add_model_options(parser.add_argument)
    return parser


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed: give a whole number from 0 on.")
    return int(text)


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the report cannot be written to {file!r}: {error.strerror or error}.") from None
