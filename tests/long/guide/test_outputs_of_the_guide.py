"""Every output that the README or a page of the guide shows is what its command prints now."""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from pathlib import Path

import pytest

from initcheck.doors.cli import main
from initcheck.doors.guide import PAGES

TEXTS = {
    "README": (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8"),
    **{page: (files("initcheck") / "guide" / f"{page}.md").read_text(encoding="utf-8") for page in PAGES},
}
SHOWN = [
    (page, match[1], match[2])
    for page, text in TEXTS.items()
    for match in re.finditer(r"<!-- output of: initcheck (.+) -->\n\n```text\n(.*?)```", text, re.DOTALL)
]


def test_some_output_is_shown() -> None:
    assert {"README", "first-bug"} <= {page for page, _, _ in SHOWN}


@pytest.mark.parametrize(("page", "command", "shown"), SHOWN)
def test_shown_output_is_what_the_command_prints(
    page: str, command: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(shlex.split(command))
    assert _but_for_seconds(capsys.readouterr().out) == _but_for_seconds(shown)


def _but_for_seconds(text: str) -> str:
    return re.sub(r"     [\d.]+ s, seed", "     N s, seed", text)
