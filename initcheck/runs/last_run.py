"""The report of the last run in a folder, kept among the user's caches, so that its failures can be asked again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from initcheck.errors import UsageError
from initcheck.report.journal import replace_file
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict


@dataclass(frozen=True)
class FailedBefore:
    """What is asked again.

    Attributes:
        words: of the command line of that run, without the program's name.
        failed: initializer or model, and the claim that failed of it.
    """

    words: tuple[str, ...]
    failed: frozenset[tuple[str, str]]


def keep_last_run(report: Report, kind: str) -> None:
    """Keep the report of a run in the current folder; nothing is said where that cannot be done.

    Args:
        report: of the run.
        kind: of what it judged: runs on initializers and on models are kept apart.
    """
    with contextlib.suppress(OSError):
        path = _path(kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, report.to_json(indent=None))


def last_run(kind: str) -> Report:
    """The report of the last run in the current folder.

    Raises:
        UsageError: there was none, or it was made by another version.
    """
    try:
        return Report.from_json(_path(kind).read_text(encoding="utf-8"))
    except (OSError, ValueError, UsageError):
        raise UsageError(
            "failed: no earlier run in this folder is known. Run initcheck TARGET first, or name the JSON report of a"
            " run with the option previous."
        ) from None


def failed_before(report: Report, *, strict: bool) -> FailedBefore:
    """What failed in a report, and with which words its run was asked for.

    >>> from initcheck.report.results import Run
    >>> from initcheck.report.verdict import Result
    >>> fails = Result(claim="finite", says=".", initializer="m:f", family="promises", verdict=Verdict.FAILS)
    >>> failed_before(Report(run=Run(command="initcheck m --profile=quick"), results=(fails,)), strict=False)
    FailedBefore(words=('m', '--profile=quick'), failed=frozenset({('m:f', 'finite')}))

    Args:
        report: of the run.
        strict: whether UNDECIDED fails too.

    Raises:
        UsageError: nothing failed.
    """
    wanted = (Verdict.FAILS, Verdict.UNDECIDED) if strict else (Verdict.FAILS,)
    failed = [r for r in report.results if r.verdict in wanted or r.broke]
    if not failed:
        what = report.run.command or ", ".join(report.initializers)
        raise UsageError(f"failed: nothing failed in the last run, {what}; there is nothing to ask again.")
    try:
        words: Sequence[str] = shlex.split(report.run.command or "")
    except ValueError:  # read from a file, it may be no command
        words = ()
    if list(words[:1]) != ["initcheck"]:
        words = ["initcheck", *dict.fromkeys(r.initializer for r in failed)]  # asked for in pytest, or in Python
    words = words[2:] if words[1:2] and words[1] in ("model", "same", "lock") else words[1:]
    return FailedBefore(tuple(words), frozenset((r.initializer, r.claim) for r in failed))


def _path(kind: str) -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or str(Path.home() / ".cache")
    folder = hashlib.blake2b(os.getcwd().encode(errors="surrogateescape"), digest_size=8).hexdigest()
    return Path(home, "initcheck", folder, f"last-{kind}.json")
