"""The files a run writes: the JSON report claim by claim, the others when it ends."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from initcheck.errors import UsageError
from initcheck.rendering import github, junit, markdown
from initcheck.report.journal import Journal
from initcheck.report.report import Report
from initcheck.report.results import NotChecked, Run
from initcheck.report.schema import violation
from initcheck.report.verdict import Result
from initcheck.runs.destination import PRINTED, Destination, refuse_shared_files

FILES = ("json", "html", "junit", "markdown")
"""The options that name a file to write."""


class Outputs:
    """Every file that the options ask for.

    Args:
        values: the options by name.
        run: how the run is made.
        not_checked: what was named and not looked at.

    Raises:
        UsageError: a file cannot be written, the previous report cannot be read, or the HTML page needs what
            is not installed; said now, not after an hour's run.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        run: Run,
        *,
        not_checked: Sequence[NotChecked] = (),
    ) -> None:
        self._values = values
        # Before the journal is begun: the report of the last run is often the file that this one replaces.
        self._previous = read_report(values["previous"], "previous report") if values["previous"] else None
        if values["html"]:
            from initcheck.rendering.html import html  # pictures and NumPy, only where a page is asked for

            html.require()
        self._files = {name: Destination(name, values[name]) for name in FILES if values[name]}
        refuse_shared_files(self._files, {"baseline": values["baseline"]} if values.get("baseline") else {})
        self._journal: Journal | None = None
        report = self._files.get("json")
        if report is not None and report.regular:
            self._journal = Journal(report.path, run, not_checked=not_checked)

    @property
    def printed(self) -> bool:
        """Whether one of them is what the command prints, so that nothing else may be printed there."""
        return any(file.given == PRINTED for file in self._files.values())

    def expect(self, planned: Mapping[str, int]) -> None:
        """Take how many verdicts each initializer is to get, by name: a report says what is missing of them."""
        if self._journal is not None:
            self._journal.expect(planned)

    def append(self, result: Result, held_to: Mapping[str, Any] | None = None) -> None:
        """Take one more result, and what its initializer is held to."""
        if self._journal is not None:
            self._journal.append(result, held_to)

    def close(self, report: Report) -> None:
        """Write what needs the whole report; every file that can be written is.

        Raises:
            UsageError: a file can no longer be written; the sentence says where its content is instead.
        """
        problems = []
        for name, file in self._files.items():
            text = self._rendered(name, report)
            try:
                if name == "json" and self._journal is not None:
                    self._journal.close(report)
                else:
                    file.write(text)
            except OSError as error:
                problems.append(str(file.save(text, error)))
        if problems:
            raise UsageError(" ".join(problems))

    def annotations(self, report: Report) -> str:
        """GitHub's annotations, where they are asked for; they are printed, since GitHub reads them there."""
        if not self._values["github"]:
            return ""
        folder = ""
        with contextlib.suppress(OSError):  # the folder was removed
            folder = os.getcwd()
        return github.render(report, root=os.environ.get("GITHUB_WORKSPACE") or folder, folder=folder)

    def _rendered(self, name: str, report: Report) -> str:
        from initcheck.rendering.html import html  # as above

        if name == "json":
            return report.to_json() + "\n"
        if name == "html":
            return html.render(report, previous=self._previous)
        if name == "junit":
            return junit.render(report, strict=bool(self._values["strict"]))
        return markdown.render(report, previous=self._previous)


def read_report(path: str, what: str) -> Report:
    """Read a report that an earlier run wrote.

    Args:
        path: the file.
        what: what it is for, for messages: ``previous report``.

    Raises:
        UsageError: it cannot be read, or is no report of this version.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"the {what} {path!r} cannot be read: {error}.") from None
    try:
        report = Report.from_json(text)
    except (UsageError, RecursionError) as error:
        raise UsageError(f"the {what} {path!r}: {error}") from None
    wrong = violation(json.loads(text))
    if wrong is not None:
        raise UsageError(f"the {what} {path!r} is not as a report must be: {wrong}.")
    return report
