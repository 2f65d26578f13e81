"""A JSON report that is whole after every claim, so that a crash costs one claim."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

from initcheck.errors import UsageError
from initcheck.report.report import FORMAT, Report, result_to_plain
from initcheck.report.results import Run
from initcheck.report.verdict import Result

__all__ = ["Journal"]

_END = b"\n]}\n"


class Journal:
    """Writes results as they come; what is on disk can be read by ``Report.from_json`` at any moment.

    Args:
        path: the file to write; its folder must exist.
        run: how the run is made.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, path: str | Path, run: Run) -> None:
        head = {"format": FORMAT, "run": dataclasses.asdict(run), "contracts": {}, "not_checked": []}
        text = json.dumps(head, ensure_ascii=False)[:-1] + ', "results": ['
        try:
            self._file = open(path, "wb", buffering=0)  # noqa: SIM115 - held open for the whole run
        except OSError as error:
            raise UsageError(f"the report cannot be written to {str(path)!r}: {error.strerror}.") from None
        self.path = Path(path)
        self._at = self._file.write(text.encode())
        self._file.write(_END)
        self._written = 0

    def append(self, result: Result) -> None:
        """Write one more result over the end of the file, and a new end behind it, in one system call."""
        text = json.dumps(result_to_plain(result), ensure_ascii=False, allow_nan=False)
        entry = (",\n" if self._written else "\n").encode() + text.encode(errors="backslashreplace")
        self._file.seek(self._at)
        self._file.write(entry + _END)
        self._at += len(entry)
        self._written += 1

    def close(self, report: Report | None = None) -> None:
        """Replace the file by the finished report, contracts and all, or leave what was written so far."""
        self._file.close()
        if report is not None:
            # Written beside and moved over: a crash here must not cost what is already there.
            beside = self.path.with_name(self.path.name + ".part")
            beside.write_bytes((report.to_json() + "\n").encode(errors="backslashreplace"))
            os.replace(beside, self.path)
