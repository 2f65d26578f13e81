"""Answers as JSON or as a page, in a file or on the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from initcheck.runs.destination import PRINTED, Destination


class Answer(Protocol):
    """What has a form as plain data."""

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""


def write_json(answers: Sequence[Answer], file: str) -> None:
    """Write answers as JSON, a list where there are several.

    Args:
        answers: what was found.
        file: where to; ``-`` prints them.

    Raises:
        UsageError: nothing can be written there, or something is there that is no such answer.
    """
    plain = [answer.as_dict() for answer in answers]
    write("answers", json.dumps(plain if len(plain) != 1 else plain[0], indent=2) + "\n", file)


def write(kind: str, text: str, file: str) -> None:
    """Write an answer of a kind that ``Destination`` knows; the arguments and errors are those of ``write_json``."""
    if file == PRINTED:
        print(text, end="")
        return
    destination = Destination(kind, file)
    try:
        destination.write(text)
    except OSError as error:
        raise destination.save(text, error) from None
