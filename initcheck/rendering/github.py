"""GitHub annotations: each finding at the file and line where its initializer is defined."""

from __future__ import annotations

from pathlib import PurePath

from initcheck.report.account import finding_lines
from initcheck.report.finding import Finding
from initcheck.report.report import Report
from initcheck.safe_text import escaped

_SHOWN = 9  # GitHub shows ten a step; the tenth says how many were left out.


def render(report: Report, *, root: str | None = None, folder: str | None = None) -> str:
    """Write workflow commands that annotate at most 9 findings, and one more that counts the rest.

    What was named and not checked is one, behind the failures.

    One finding is one annotation, whatever number of claims it explains; no initializer has a second one before every
    other has its first.

    >>> from initcheck.report.results import Run
    >>> render(Report(run=Run(), results=()))
    ''

    Args:
        report: the run to show.
        root: the folder of the repository; files below it are named relative to it, as GitHub wants them.
        folder: the folder of the run, which the files of the report are named from.
    """
    firsts: list[Finding] = []
    later: list[Finding] = []
    seen: set[str] = set()
    for found in report.findings:
        (later if found.initializer in seen else firsts).append(found)
        seen.add(found.initializer)
    ordered = [*firsts, *later]
    lines = [_annotation(f, root, folder) for f in ordered]
    lines += [_command({"title": escaped(f"{n.name}: not checked", 200)}, escaped(n.reason)) for n in report.unshown]
    more = len(lines) - _SHOWN
    lines = lines[:_SHOWN]
    if more > 0:
        said = "1 more finding" if more == 1 else f"{more:,} more findings"
        lines.append(_command({"title": "initcheck"}, f"{said}; the summary lists them."))
    return "".join(f"{line}\n" for line in lines)


def _annotation(found: Finding, root: str | None, folder: str | None) -> str:
    where = {"title": escaped(f"{found.initializer}: {found.symptom}", 200)}
    if found.place is not None:
        file, line = found.place
        where = {"file": escaped(_relative(file, root, folder), 4_000), "line": str(line), **where}
    return _command(where, "\n".join(line.strip() for line in finding_lines(found)[1:]))


def _relative(file: str, root: str | None, folder: str | None) -> str:
    path = PurePath(folder or "") / file
    if root is not None and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return file


def _command(properties: dict[str, str], message: str) -> str:
    # A comma ends a property and a colon ends the properties, so both are escaped there too.
    listed = ",".join(
        f"{key}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items()
    )
    return f"::error {listed}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
