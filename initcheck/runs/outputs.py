"""The files a run writes: the JSON report claim by claim, the others when it ends."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from initcheck.errors import UsageError
from initcheck.report.journal import Journal
from initcheck.report.report import Report
from initcheck.report.results import Run
from initcheck.report.verdict import Result

__all__ = ["FILES", "Outputs"]

_AT_THE_END = ("html", "junit", "markdown")
FILES = ("json", *_AT_THE_END)
"""The options that name a file to write."""


class Outputs:
    """Every file that the options ask for.

    Args:
        values: the options by name.
        run: how the run is made.

    Raises:
        UsageError: a file cannot be written, the previous report cannot be read, or the HTML page needs what
            is not installed; said now, not after an hour's run.
    """

    def __init__(self, values: Mapping[str, Any], run: Run) -> None:
        self._values = values
        # Before the journal is begun: the report of the last run is often the file that this one replaces.
        self._previous = _read(values["previous"]) if values["previous"] else None
        if values["html"]:
            from initcheck.rendering.html import html

            html.require()
        for name in _AT_THE_END:
            if values[name]:
                _write(values[name], "", append=True)
        self._journal = Journal(values["json"], run) if values["json"] else None

    def append(self, result: Result) -> None:
        """Take one more result."""
        if self._journal is not None:
            self._journal.append(result)

    def close(self, report: Report) -> None:
        """Write what needs the whole report.

        Raises:
            UsageError: a file can no longer be written.
        """
        if self._journal is not None:
            self._journal.close(report)
        for name in _AT_THE_END:
            if self._values[name]:
                _write(self._values[name], self._rendered(name, report))

    def annotations(self, report: Report) -> str:
        """GitHub's annotations, where they are asked for; they are printed, since GitHub reads them there."""
        if not self._values["github"]:
            return ""
        from initcheck.rendering import github

        return github.render(report, root=os.environ.get("GITHUB_WORKSPACE", os.getcwd()))

    def _rendered(self, name: str, report: Report) -> str:
        from initcheck.rendering import junit, markdown
        from initcheck.rendering.html import html

        if name == "html":
            return html.render(report, previous=self._previous)
        if name == "junit":
            return junit.render(report, strict=bool(self._values["strict"]))
        return markdown.render(report, previous=self._previous)


def _read(path: str) -> Report:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the previous report {path!r} cannot be read: {error}.") from None
    try:
        return Report.from_json(text)
    except UsageError as error:
        raise UsageError(f"the previous report {path!r}: {error}") from None


def _write(path: str, text: str, *, append: bool = False) -> None:
    try:
        with open(path, "ab" if append else "wb") as file:
            file.write(text.encode(errors="backslashreplace"))
    except OSError as error:
        raise UsageError(f"the report cannot be written to {path!r}: {error.strerror}.") from None
