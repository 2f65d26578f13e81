"""`initcheck TARGET...`: the run without pytest, and the commands that explain it."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initcheck.doors import options
from initcheck.doors.commands import COMMANDS
from initcheck.doors.configuration import values_of
from initcheck.errors import ClaimFailed, UsageError
from initcheck.sandbox.threads import cap_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from initcheck.report.verdict import Result
    from initcheck.runs.plan import Plan

__all__ = ["main"]

USAGE = """initcheck TARGET... [options]
       initcheck list
       initcheck explain CLAIM
       initcheck infer TARGET
       initcheck model TARGET"""

EPILOG = """A TARGET is a module or myinit.py in this folder (every public initializer in it), pkg.mod:attr,
path/to/file.py:attr, a name with keyword arguments, torch.nn.init.kaiming_normal_(nonlinearity="relu"),
or @pyproject.toml. Exit code: 0 nothing fails, 1 a claim fails or nothing was decided, 2 usage."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0 nothing fails, 1 a claim fails, 2 usage.

    Args:
        argv: the words after ``initcheck``; those of the process where None.
    """
    if argv is None:
        # The process is ours: one BLAS thread here too, so that sums are added up in one order everywhere.
        cap_threads()
        code = _main(list(sys.argv[1:]))
        _end_in_spite_of_threads(code)
        return code
    return _main(list(argv))


def _end_in_spite_of_threads(code: int) -> None:
    """End the process where an initializer left a thread that it would wait for, perhaps for ever."""
    left = [t for t in threading.enumerate() if not t.daemon and t is not threading.current_thread()]
    if left:
        print(f"initcheck: {len(left)} threads that initializers left running are ended", file=sys.stderr)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # the reader may have gone
                stream.flush()
        os._exit(code)


def _main(words: list[str]) -> int:
    # As with `python -m`: targets in the current folder are found from any entry point.
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        if words and words[0] in COMMANDS:
            return COMMANDS[words[0]](words[1:])
        return _run(words)
    except UsageError as error:
        print(f"initcheck: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader has gone, as in `initcheck list | head`; nothing is left to be told to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    from initcheck.report.results import installed_version

    parser = argparse.ArgumentParser(
        prog="initcheck",
        usage=USAGE,
        description="Check weight initializers against the claims about weight initialization.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="what to check; see below")
    parser.add_argument("--version", action="version", version=f"initcheck {installed_version()}")
    parser.add_argument("-v", "--verbose", action="store_true", help="every verdict, every account")
    options.add_to_argparse(parser)
    return parser


def _run(words: Sequence[str]) -> int:
    arguments = _parser().parse_args(words)
    values = values_of(vars(arguments), Path.cwd())
    if not arguments.targets and not values["theorems"]:
        raise UsageError(
            "no TARGET is named, so there is nothing to check. Write initcheck myinit, or initcheck --help."
        )
    from initcheck.rendering.terminal import account_lines, painted, result_line, summary_lines
    from initcheck.runs.outputs import Outputs
    from initcheck.runs.pool import judge_all

    plan = options.plan(arguments.targets, values, shlex.join(["initcheck", *words]))
    outputs = Outputs(values, plan.run())
    if plan.baseline is not None:
        print(f"baseline {plan.baseline.header}")
    results: list[Result] = []
    interrupted = False
    total = len(plan.initializers) * len(plan.claims)
    try:
        with _progress(total) as advance:
            for result in map(plan.known, judge_all(plan, jobs=values["jobs"])):
                results.append(result)
                outputs.append(result)
                advance(result)
    except KeyboardInterrupt:
        interrupted = True
    report = plan.report(results)
    outputs.close(report)
    plan.write_baseline(report)
    colour = _colour(sys.stdout)
    failing = [r for r in report.results if plan.failing(r)]
    if arguments.verbose:
        _print((result_line(r) for r in report.results), colour)
    _print(account_lines(failing, every=arguments.verbose), colour)
    disproved = _theorems(plan, colour)
    if arguments.targets:
        _print((painted(line, colour) for line in summary_lines(report)), False)
    print(outputs.annotations(report), end="")
    if interrupted:
        print(f"initcheck: interrupted after {len(results)} of {total} verdicts", file=sys.stderr)
        return 130
    undecided = bool(arguments.targets) and not report.decided
    return 1 if failing or disproved or undecided else 0


def _theorems(plan: Plan, colour: bool) -> int:
    from initcheck.claims.theorems import prove
    from initcheck.rendering.terminal import painted

    failed = 0
    for claim in plan.theorems:
        try:
            prove(claim)
        except ClaimFailed as error:
            failed += 1
            print(painted(str(error), colour))
        else:
            shown = "refuted" if claim.kind == "myth" else "shown"
            print(f"{shown:<8} {claim.kind:<8} {claim.id}: {claim.says}")
    return failed


def _print(lines: Any, colour: bool) -> None:
    from initcheck.rendering.terminal import painted

    for line in lines:
        print(painted(line, colour))


def _colour(stream: Any) -> bool:
    # https://no-color.org: any value but the empty one.
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Result], None]]:
    """A bar on stderr where that is a terminal, else nothing."""
    if not sys.stderr.isatty() or not total:
        yield lambda result: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from initcheck.report.account import escaped

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("initcheck", total=total)
        failed = 0

        def advance(result: Result) -> None:
            nonlocal failed
            failed += result.verdict.value == "FAILS"
            what = f"{escaped(result.initializer, 30)} {result.claim}"
            progress.update(task, advance=1, description=f"{what} ({failed} fail)" if failed else what)

        yield advance
