"""`initcheck TARGET...`, `initcheck model TARGET...`, `initcheck same A B`: the run without pytest."""

from __future__ import annotations

import argparse
import difflib
import errno
import os
import pkgutil
import re
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from initcheck.doors import options
from initcheck.doors.commands import COMMANDS
from initcheck.doors.configuration import option_values
from initcheck.doors.process import (
    end_in_spite_of_threads,
    ended_by_sigterm,
    flushed,
    unheard,
    unwritten,
    whole_streams,
)
from initcheck.errors import ClaimFailed, UsageError
from initcheck.report.results import installed_version
from initcheck.sandbox.threads import cap_threads
from initcheck.search_path import add_folder

if TYPE_CHECKING:
    from initcheck.rendering.terminal import Page
    from initcheck.report.verdict import Result
    from initcheck.runs.plan import Plan
    from initcheck.targets.tables import Section


USAGE = """initcheck TARGET... [options]
       initcheck --failed
       initcheck list [gallery]
       initcheck explain CLAIM, or "a question"
       initcheck infer TARGET
       initcheck gain ACT
       initcheck what TARGET
       initcheck fix TARGET
       initcheck guide [PAGE]
       initcheck model TARGET
       initcheck same A B
       initcheck lock TARGET... -o FILE"""

EPILOG = """A TARGET is a module or myinit.py in this folder (every public initializer in it), pkg.mod:attr,
path/to/file.py:attr, a name with keyword arguments, torch.nn.init.kaiming_normal_(nonlinearity="relu"),
or @pyproject.toml. Exit code: 0 nothing fails, 1 a claim fails or nothing was decided, 2 usage."""

MODEL_EPILOG = """A TARGET is pkg.mod:build_model or path/to/file.py:build_model, with arguments as literals,
build_model(layers=200), or @pyproject.toml for its tables [[tool.initcheck.models]] with the keys
target, laws, batch, waive, models, name. It is called several times and must build a new model each time.
A config of transformers builds its model: transformers:LlamaConfig(hidden_size=64), or path/to/config.json.
What is built already (a module or a state dict, pkg.mod:model; a file, model.safetensors, checkpoint.pt) gets
a portrait: values, copies and ties, without the claims that compare builds.
Exit code: 0 nothing fails, 1 a claim fails or nothing was decided, 2 usage."""


SAME_EPILOG = """A and B are two targets, as in initcheck TARGET or initcheck model TARGET: functions of a shape,
layers, or functions that build a model, of one framework or of two. Or @pyproject.toml for its tables
[[tool.initcheck.same]] with the keys a, b, layouts, world, waive, name.
SAME is wrong with probability <= 0.001, DIFFERENT false with probability <= 0.000001, else UNDECIDED.
Exit code: 0 the same, 1 different or nothing was decided, 2 usage."""

LOCK_EPILOG = """initcheck lock TARGET -o init.lock writes the laws of initializers and models, one line a role.
initcheck lock --check init.lock fails on any change of law, with the old and the new line, never on chance.
initcheck lock --update init.lock writes it anew. initcheck lock m:build --like gpt2 holds a model to a preset.
Exit code: 0 kept or written, 1 a law changed, 2 usage."""


class _Kind(NamedTuple):
    """What is run on one kind of targets."""

    word: str
    """The first of the command line."""
    tables: Section
    """Of pyproject.toml, where no target is named."""
    written: str
    """A target, as an example."""
    says: str
    epilog: str


_KINDS: Mapping[options.TargetKind, _Kind] = {
    "initializers": _Kind(
        "", "targets", "myinit", "Check weight initializers against the claims about weight initialization.", EPILOG
    ),
    "models": _Kind(
        "model",
        "models",
        "pkg.mod:build_model",
        "Check what a built model of PyTorch, Flax, Equinox or Keras starts from.",
        MODEL_EPILOG,
    ),
    "pairs": _Kind(
        "same", "same", "A B", "Say whether two initializers, layers or models start from one law.", SAME_EPILOG
    ),
    "locks": _Kind(
        "lock",
        "locks",
        "TARGET -o init.lock",
        "Write the laws of a start into a file for review, and hold it to them.",
        LOCK_EPILOG,
    ),
}
# Without that of initializers, which has none: an empty target is no command.
_KIND_OF: Mapping[str, options.TargetKind] = {run.word: kind for kind, run in _KINDS.items() if run.word}
# As every page of the guide names it.
_LOCK_FILE = "init.lock"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0 nothing fails, 1 a claim fails, 2 usage.

    Args:
        argv: the words after ``initcheck``; those of the process where None.
    """
    if argv is None:
        # The process is ours: one BLAS thread here too, so that sums are added up in one order everywhere.
        cap_threads()
        whole_streams()
        code = flushed(_main(list(sys.argv[1:])))
        end_in_spite_of_threads(code)
        return code
    return _main(list(argv))


def _main(words: list[str]) -> int:
    try:
        os.getcwd()
    except OSError:
        print("initcheck: the current folder no longer exists; go to one that does.", file=sys.stderr)
        return 2
    # Targets in the current folder are found from any entry point, and a statistics.py there takes nobody's place.
    if "" not in sys.path:
        add_folder(os.getcwd())
    try:
        with ended_by_sigterm():
            if words and words[0] in COMMANDS:
                return int(pkgutil.resolve_name(COMMANDS[words[0]])(words[1:]))
            if words and words[0] in _KIND_OF:
                return _run(words[1:], _KIND_OF[words[0]])
            return _run(words, "initializers")
    except UsageError as error:
        print(f"initcheck: {error}{_command_meant(words, str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("initcheck: interrupted before anything was judged", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return unheard()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EBADF):
            raise
        return unwritten(error)


def _command_meant(words: Sequence[str], said: str) -> str:
    """Where a target that is not found is nearly a command, that one; ``initcheck modle m:f``."""
    if len(words) > 1 and words[0] in ("check", "run", "test", "verify") and repr(words[0]) in said:
        return f" To check is no word of its own: initcheck {' '.join(words[1:])}"
    if words and words[0] in {"help", "version", "failed", *(option.name for option in options.OPTIONS)}:
        return f" Or the option --{words[0]}?"
    near = difflib.get_close_matches(words[0], (*COMMANDS, *_KIND_OF), n=1, cutoff=0.7) if words else []
    return f" Or the command {near[0]!r}?" if near and repr(words[0]) in said else ""


class _Parser(argparse.ArgumentParser):
    """Says of an option without its value what it wants."""

    def error(self, message: str) -> NoReturn:
        """End with the usage and the sentence."""
        alone = re.fullmatch(r"argument (?:.*/)?(--\S+): expected one argument", message)
        action = self._option_string_actions[alone[1]] if alone else None
        super().error(f"{action.option_strings[-1]} wants {action.metavar}: {action.help}" if action else message)


def _arguments(words: Sequence[str], kind: options.TargetKind) -> argparse.Namespace:
    command = _KINDS[kind].word
    named = "A B" if kind == "pairs" else "TARGET..."
    parser = _Parser(
        prog=f"initcheck {command}".strip(),
        usage=f"initcheck {command} {named} [options]" if command else USAGE,
        description=_KINDS[kind].says,
        epilog=_KINDS[kind].epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="what to check; see below")
    parser.add_argument("--version", action="version", version=f"initcheck {installed_version()}")
    parser.add_argument("-v", "--verbose", action="store_true", help="every verdict, every account")
    options.add_to_argparse(parser, kind)
    # Targets may stand between the options.
    arguments, left = parser.parse_known_intermixed_args(words)
    if left:
        parser.error(options.unknown(left, kind))
    if kind == "pairs":
        targets = arguments.targets
        if len(targets) not in (0, 2) and not (len(targets) == 1 and targets[0].startswith("@")):
            raise UsageError(
                "two targets are compared. Write initcheck same A B, such as initcheck same m:mine"
                " torch.nn.init:kaiming_normal_, or initcheck same --help."
            )
        arguments.targets = [",".join(targets)] if targets else []
    return arguments


def _run(words: Sequence[str], kind: options.TargetKind) -> int:
    arguments = _arguments(words, kind)
    only = None
    if arguments.failed:
        arguments, words, only = _failed(arguments, words, kind)
    values = option_values(vars(arguments), Path.cwd(), (kind,))
    if not arguments.targets and not values["theorems"]:
        arguments.targets = _configured_targets(kind, values)
    if other := kind == "locks" and values["update"] and next((n for n in ("check", "like") if values[n]), None):
        raise UsageError(f"--{other} holds the code to what is said, --update writes it anew: give one of the two.")
    if kind == "locks" and not (values["check"] or values["like"]):
        # as below
        from initcheck.doors.lock import write_locks

        return write_locks(arguments.targets, values["output"], seed=values["seed"], update=bool(values["update"]))
    # --help, a wrong word and another command load nothing of what a run needs.
    from initcheck.claims.registry import as_stated
    from initcheck.doors.request import plan as plan_of
    from initcheck.rendering.portrait_lines import portrait_lines
    from initcheck.rendering.terminal import Page
    from initcheck.report.account import unshown_lines
    from initcheck.runs.last_run import keep_last_run
    from initcheck.runs.outputs import Outputs
    from initcheck.runs.pool import judge_all
    from initcheck.runs.progress import progress

    started = time.perf_counter()
    command = ["initcheck", *filter(None, [_KINDS[kind].word]), *words]
    plan = plan_of({kind: arguments.targets}, values, shlex.join(command), only=only)
    outputs = Outputs(values, plan.run(), not_checked=plan.not_checked)
    outputs.expect(plan.planned)
    # A report that is asked for there has the output for itself.
    page = Page(
        sys.stderr if outputs.printed else sys.stdout,
        plan.run(),
        plan.planned,
        plan.contracts,
        verbose=arguments.verbose,
    )
    if plan.baseline is not None:
        page.line(f"baseline {plan.baseline.header}")
    results: list[Result] = []
    interrupted = False
    try:
        with progress(plan) as advance:
            for result in map(plan.known, judge_all(plan, jobs=values["jobs"])):
                results.append(result)
                outputs.append(result, plan.contracts.get(result.initializer))
                page.take(result)
                advance(result)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        plan.close()
    report = plan.report(results, planned=plan.planned if interrupted else None)
    if arguments.targets:
        keep_last_run(report, kind)
    # Written before the end is printed: whatever the terminal does, the files are there.
    problem: UsageError | None = None
    try:
        outputs.close(report)
        plan.write_baseline(report)
    except UsageError as error:
        problem = error  # said last: what was found is worth more
    disproved = 0 if interrupted else _theorems(plan, page)
    if arguments.targets:
        listed = {name: bool(getattr(arguments, name, False)) for name in ("laws", "writes")}
        portraits = portrait_lines(report, as_stated("model"), every=arguments.verbose, **listed)
        page.close(report, seconds=time.perf_counter() - started, portraits=portraits)
    unshown = unshown_lines(report)
    for line in [*unshown, *outputs.annotations(report).splitlines()]:
        page.line(line)
    if problem is None and plan.problem:
        problem = UsageError(plan.problem)
    if problem is not None:
        raise problem
    if interrupted:
        print(f"initcheck: interrupted after {len(results)} of {plan.total} verdicts", file=sys.stderr)
        return 130
    failing = [r for r in report.results if plan.failing(r)]
    undecided = bool(arguments.targets) and (not report.decided or bool(unshown)) and not plan.shows_only
    return 1 if failing or disproved or undecided or plan.unanswered(report) else 0


def _configured_targets(kind: options.TargetKind, values: Mapping[str, Any]) -> list[str]:
    """What the tables of the project's pyproject.toml name, where no TARGET is.

    Raises:
        UsageError: there is none.
    """
    # as in `_run`: only what this run needs
    from initcheck.doors.configuration import find_configuration
    from initcheck.targets.tables import has_tables

    path = find_configuration(Path.cwd())
    section = _KINDS[kind].tables
    if kind == "locks" and values["check"] and not (path and has_tables(path, section)) and Path(_LOCK_FILE).is_file():
        return [_LOCK_FILE]
    if path is not None and has_tables(path, section):
        return [f"@{os.path.relpath(path)}"]
    command = f"initcheck {_KINDS[kind].word}".strip()
    raise UsageError(
        f"no TARGET is named, and no pyproject.toml here has a table [[tool.initcheck.{section}]], so there is nothing"
        f" to check. Write {command} {_KINDS[kind].written}, or {command} --help."
    )


def _failed(
    arguments: argparse.Namespace, words: Sequence[str], kind: options.TargetKind
) -> tuple[argparse.Namespace, Sequence[str], frozenset[tuple[str, str]]]:
    """The arguments of the last run, those given now before them, both as words, and what failed in it.

    Raises:
        UsageError: there was no such run, or nothing failed.
    """
    # as in `_run`: only what this run needs
    from initcheck.runs.last_run import failed_before, last_run
    from initcheck.runs.outputs import read_report

    previous = arguments.previous
    report = read_report(previous, "previous report") if previous else last_run(kind)
    once = failed_before(report, strict=bool(arguments.strict) or "--strict" in (report.run.command or "").split())
    then = _arguments(once.words, kind)
    for name in ("failed", *(name for name in options.FILE_OPTIONS if name != "baseline")):
        setattr(then, name, None)  # what it wrote is not written over by a part of it
    for name, value in vars(arguments).items():
        if name != "failed" and not (value is None or value is False or value == []):
            setattr(then, name, value)
    given = [word for word in words if word not in ("--failed", "-v", "--verbose")]
    return then, given if arguments.targets else [*once.words, *given], once.failed


def _theorems(plan: Plan, page: Page) -> int:
    # as in `_run`: only what this run needs
    from initcheck.claims.theorems import prove

    failed = 0
    for claim in plan.theorems:
        try:
            prove(claim)
        except ClaimFailed as error:
            failed += 1
            for line in str(error).splitlines():
                page.line(line)
        else:
            shown = "refuted" if claim.kind == "myth" else "shown"
            page.line(f"{shown:<8} {claim.kind:<8} {claim.id}: {claim.says}")
    return failed
