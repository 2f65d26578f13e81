"""GitHub annotations: each failure at the file and line where its initializer is defined."""

from __future__ import annotations

from pathlib import PurePath

from initcheck.report.account import escaped
from initcheck.report.report import Report
from initcheck.report.summary import what_happened
from initcheck.report.verdict import Result

__all__ = ["render"]

_SHOWN = 9  # GitHub shows ten a step; the tenth says how many were left out.


def render(report: Report, *, root: str | None = None) -> str:
    """Write workflow commands that annotate at most 9 failures, and one more that counts the rest.

    >>> from initcheck.report.results import Run
    >>> render(Report(run=Run(), results=()))
    ''

    Args:
        report: the run to show.
        root: the folder of the repository; files below it are named relative to it, as GitHub wants them.
    """
    lines = [_annotation(r, root) for r in report.failures[:_SHOWN]]
    more = len(report.failures) - _SHOWN
    if more > 0:
        claims = "claim fails" if more == 1 else "claims fail"
        lines.append(_command({"title": "initcheck"}, f"{more:,} more {claims}; the summary lists them."))
    return "".join(f"{line}\n" for line in lines)


def _annotation(result: Result, root: str | None) -> str:
    where = {"title": escaped(f"{result.claim} fails for {result.initializer}", 200)}
    if result.location is not None:
        file, line = result.location
        where = {"file": escaped(_relative(file, root), 4_000), "line": str(line), **where}
    e = result.evidence
    parts = [result.says, what_happened(result) + "."]
    parts += [
        f"{label}: {text}" for label, text in (("smallest", e.case), ("likely", e.likely), ("fix", e.fix)) if text
    ]
    parts += [f"reproduce: {result.reproduce}"] if result.reproduce else []
    return _command(where, "\n".join(escaped(part, 1_000) for part in parts))


def _relative(file: str, root: str | None) -> str:
    if root is not None and PurePath(file).is_relative_to(root):
        return PurePath(file).relative_to(root).as_posix()
    return file


def _command(properties: dict[str, str], message: str) -> str:
    # A comma ends a property and a colon ends the properties, so both are escaped there too.
    listed = ",".join(
        f"{key}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items()
    )
    return f"::error {listed}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
