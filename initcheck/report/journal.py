"""A JSON report that is whole after every claim, so that a crash costs one claim."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from initcheck.errors import UsageError
from initcheck.report.report import REPORT_FORMAT, Report, result_to_plain
from initcheck.report.results import NotChecked, Run
from initcheck.report.verdict import Result


def lost(name: str, missing: int, of: int) -> NotChecked:
    """The entry of an initializer whose verdicts were not all reached."""
    return NotChecked(
        name=name,
        reason=f"{missing} of its {of} claims were not reached: the run had not come to its end",
        call_to_write="the same command with --resume and this file",
        needed=True,
    )


def replace_file(path: str | Path, text: str) -> None:
    """Write a file beside another and move it over, behind links: neither a crash nor a full disk costs what is there.

    What is no file, a device, is written as it is, and so is one whose folder takes no other.

    Raises:
        OSError: it cannot be written; the other is as it was.
    """
    whole = Path(os.path.realpath(path))
    data = text.encode(errors="backslashreplace")
    beside = Path(f"{whole}.{os.getpid()}.part")
    try:
        if whole.exists() and not whole.is_file():
            whole.write_bytes(data)
            return
        beside.write_bytes(data)
        if whole.exists():
            shutil.copymode(whole, beside)
        beside.replace(whole)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EBUSY):
            raise
        whole.write_bytes(data)


class Journal:
    """Writes results as they come; what is on disk can be read by ``Report.from_json`` at any moment.

    Args:
        path: the file to write; its folder must exist.
        run: how the run is made.
        not_checked: what was named and not looked at.

    Attributes:
        problem: why the file could not take all results, where it could not.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        run: Run,
        *,
        not_checked: Sequence[NotChecked] = (),
    ) -> None:
        self._planned: dict[str, int] = {}
        self._missing: dict[str, int] = {}
        self._not_checked = tuple(not_checked)
        self._contracts: dict[str, Any] = {}
        self.problem: OSError | None = None
        text = json.dumps({"format": REPORT_FORMAT, "run": dataclasses.asdict(run)}, ensure_ascii=False)[:-1]
        head = (text + ', "results": [').encode(errors="backslashreplace")
        self.path = Path(path)
        self._at = 0
        self._length = 0
        self._waiting = head
        self._first = True
        try:
            self._file = open(path, "wb", buffering=0)  # noqa: SIM115 - held open for the whole run
            self._put()
        except OSError as error:
            raise UsageError(f"the report cannot be written to {str(path)!r}: {error.strerror}.") from None

    def expect(self, planned: Mapping[str, int]) -> None:
        """Say in the file, until they have come, how many verdicts are missing.

        Args:
            planned: initializer's name -> how many verdicts it is to get.
        """
        self._planned, self._missing = dict(planned), dict(planned)
        try:
            self._put()
        except OSError as error:
            self.problem = error

    def append(self, result: Result, held_to: Mapping[str, Any] | None = None) -> None:
        """Write one more result over the end of the file, and a new end behind it, in one system call.

        Args:
            result: the result.
            held_to: what its initializer is held to, as plain data, where that is known.
        """
        name = result.initializer
        self._missing[name] = self._missing.get(name, 0) - 1
        if held_to is not None:
            self._contracts[name] = held_to
        text = json.dumps(result_to_plain(result), ensure_ascii=False, allow_nan=False)
        self._waiting += ("\n" if self._first else ",\n").encode() + text.encode(errors="backslashreplace")
        self._first = False
        try:
            self._put()
        except OSError as error:
            # The disk is full, say. What is there stays whole; the rest is tried again with the next result.
            self.problem = error

    def close(self, report: Report | None = None) -> None:
        """Replace the file by the finished report, or leave what was written so far.

        Raises:
            OSError: the report could be written neither in its place nor as it came, result by result.
        """
        try:
            if report is not None:
                try:
                    replace_file(self.path, report.to_json() + "\n")
                except OSError:
                    self._put()
                    if not self.path.exists():
                        raise
        finally:
            self._file.close()

    def _put(self) -> None:
        """Write what waits, and an end that says what is missing; never a shorter file than before."""
        left = [lost(n, k, self._planned[n]) for n, k in self._missing.items() if k > 0 and n in self._planned]
        tail = {
            "contracts": self._contracts,
            "not_checked": [dataclasses.asdict(n) for n in (*self._not_checked, *left)],
        }
        end = ("\n], " + json.dumps(tail, ensure_ascii=False)[1:]).encode(errors="backslashreplace")
        whole = self._waiting + end
        padded = whole.ljust(self._length - self._at - 1) + b"\n"
        before = self._at
        try:
            self._write(before, padded)
        except OSError:
            self._restore(before)
            raise
        self._at += len(self._waiting)
        self._length = before + len(padded)
        self._waiting = b""
        self._end = end
        self.problem = None

    def _restore(self, at: int) -> None:
        if at:
            old = self._end.ljust(self._length - at - 1) + b"\n"
            self._write(at, old)
            self._file.truncate(at + len(old))

    def _write(self, at: int, data: bytes) -> None:
        self._file.seek(at)
        view = memoryview(data)
        while view:  # a disk that is nearly full takes a part
            view = view[self._file.write(view) or 0 :]
