"""The files a run writes: the JSON report claim by claim, the others when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from initcheck.journal import Journal
from initcheck.report import Report, Run
from initcheck.verdict import Result

__all__ = ["Outputs"]


class Outputs:
    """Every file that the options ask for.

    Args:
        values: the options by name.
        run: how the run is made.

    Raises:
        UsageError: a file cannot be written; said now, not after an hour's run.
    """

    def __init__(self, values: Mapping[str, Any], run: Run) -> None:
        self._values = values
        self._journal = Journal(values["json"], run) if values["json"] else None

    def append(self, result: Result) -> None:
        """Take one more result."""
        if self._journal is not None:
            self._journal.append(result)

    def close(self, report: Report) -> None:
        """Write what needs the whole report."""
        if self._journal is not None:
            self._journal.close(report)
