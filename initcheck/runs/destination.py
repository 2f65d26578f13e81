"""A file that a run is to write: looked at before the run, written at its end, and never at the cost of another."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from initcheck.errors import UsageError
from initcheck.report.journal import replace_file

# What a file of each kind begins with; another one is not ours to replace.
_MARKS: Mapping[str, tuple[bytes, ...]] = {
    "json": (b"initcheck-report",),
    "html": (b"<!doctype html", b"<html"),
    "junit": (b"<testsuite", b"<?xml"),
    "markdown": (b"",),
    "answers": (b'"initcheck-',),
}
_SOURCES = (".py", ".pyi", ".ipynb", ".toml", ".cfg", ".ini", ".c", ".cc", ".cpp", ".h", ".rs", ".go", ".js", ".ts")


# What a shell hands in: a stream, or the end of a pipe of `>(...)`.
_DESCRIPTOR = re.compile(r"/dev/(?:std(?P<name>out|err)|fd/(?P<number>\d+))")


PRINTED = "-"
"""As the name of a file: the output of the command."""


class Destination:
    """Where one report goes.

    Args:
        kind: ``json``, ``html``, ``junit``, ``markdown`` or ``answers``.
        given: the path as it was written by the user; ``-`` prints it.

    Attributes:
        path: the file itself, behind links; whole, so that a change of the working directory moves nothing.
        regular: whether it is a file, not a device or a pipe.

    Raises:
        UsageError: nothing can be written there, or something is there that is no such report.
    """

    def __init__(self, kind: str, given: str) -> None:
        self.kind, self.given = kind, given
        self._open: int | None = None
        own = _DESCRIPTOR.fullmatch("/dev/stdout" if given == PRINTED else given)
        if own is not None:
            # Opened by its name, a pipe is not found and a file would be written over by what is printed after.
            self.path, self.regular = given, False
            try:
                self._open = os.dup({"out": 1, "err": 2}.get(own["name"]) or int(own["number"]))
            except (OSError, OverflowError) as error:
                raise self._cannot(str(error)) from None
            return
        try:
            self.path = os.path.realpath(given)
            mode = os.stat(self.path).st_mode if os.path.exists(self.path) else None
        except OSError as error:
            raise self._cannot(error.strerror) from None
        except ValueError as error:  # a null character
            raise self._cannot(str(error)) from None
        self.regular = mode is None or stat.S_ISREG(mode)
        if self.regular:
            self._look()
        try:
            if self.regular:
                with open(self.path, "ab"):
                    pass
            else:
                self._open = os.open(self.path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
                os.set_blocking(self._open, True)
        except OSError as error:
            nobody = mode is not None and stat.S_ISFIFO(mode)
            raise self._cannot("it is a pipe that nobody reads" if nobody else error.strerror) from None

    def _look(self) -> None:
        try:
            with open(self.path, "rb") as file:
                start = file.read(400).lower()
        except FileNotFoundError:
            start = b""
        except OSError as error:
            raise self._cannot(error.strerror) from None
        if Path(self.path).suffix.lower() in _SOURCES:
            raise self._cannot("that is the name of source code; give a name that ends otherwise")
        if start.strip() and not any(mark in start for mark in _MARKS[self.kind]):
            raise self._cannot("there is a file that is no such report; remove it or give another name")

    def _cannot(self, why: str | None) -> UsageError:
        return UsageError(f"the report cannot be written to {self.given!r}: {why}.")

    def write(self, text: str) -> None:
        """Write the whole; a file is replaced in one move.

        Raises:
            OSError: it cannot be written.
        """
        if self._open is None:
            replace_file(self.path, text)
            return
        # Not to be told: whoever reads what is printed may have read enough, as in `initcheck ... --json - | head`.
        heard = contextlib.suppress(BrokenPipeError) if self.given == PRINTED else contextlib.nullcontext()
        with heard, os.fdopen(self._open, "wb", closefd=True) as file:
            self._open = None
            file.write(text.encode(errors="backslashreplace"))

    def save(self, text: str, error: OSError) -> UsageError:
        """Write the report somewhere else, and say where."""
        failed = f"the report cannot be written to {self.given!r}: {error.strerror or error}"
        for folder in (os.path.dirname(self.path), tempfile.gettempdir(), os.path.expanduser("~")):
            try:
                number, name = tempfile.mkstemp(prefix="initcheck-", suffix=f".{self.kind}", dir=folder)
                with os.fdopen(number, "wb") as file:
                    file.write(text.encode(errors="backslashreplace"))
            except OSError:
                continue
            return UsageError(f"{failed}; it is in {name!r}.")
        return UsageError(f"{failed}, nor anywhere else.")


def refuse_shared_files(destinations: Mapping[str, Destination], others: Mapping[str, str]) -> None:
    """Refuse two outputs in one file.

    Args:
        destinations: by option.
        others: further files of the run by option, such as the baseline.

    Raises:
        UsageError: two options name the same file.
    """
    taken = {os.path.realpath(path): option for option, path in others.items()}
    for option, destination in destinations.items():
        if not destination.regular and destination.given != PRINTED:
            continue
        if destination.path in taken:
            raise UsageError(
                f"--{option} and --{taken[destination.path]} name the same file {destination.given!r}; give two names."
            )
        taken[destination.path] = option
