"""Answers as JSON, in a file or on the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol


class Answer(Protocol):
    """What has a form as plain data."""

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""


def write_json(answers: Sequence[Answer], file: str) -> None:
    """Write answers as JSON, a list where there are several.

    Args:
        answers: what was found.
        file: where to; ``-`` prints them.
    """
    plain = [answer.as_dict() for answer in answers]
    text = json.dumps(plain if len(plain) != 1 else plain[0], indent=2) + "\n"
    if file == "-":
        print(text, end="")
    else:
        Path(file).write_text(text, encoding="utf-8")
