"""Every output that the README or a page of the guide shows is what its command prints now.

A page is followed as a reader would, in an empty folder: a block that begins with ``# name.py`` is that file from there
on, and a block that begins with ``$ initcheck`` is a command with what it prints.
"""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from pathlib import Path

import pytest

from initcheck.doors.cli import main
from initcheck.doors.guide import NOTEBOOKS, PAGES

TEXTS = {
    "README": (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8"),
    **{
        page: (files("initcheck") / "guide" / f"{page}.md").read_text(encoding="utf-8")
        for page in PAGES
        if page not in NOTEBOOKS  # test_notebook.py runs them
    },
}
FILE = re.compile(r"```(?:python|toml)\n# (?P<file>[\w.]+\.(?:py|toml))\n(?P<code>.*?)```", re.DOTALL)
SHOWN = re.compile(
    r"<!-- output of: initcheck (?P<hidden>[^\n]+) -->\n\n```text\n(?P<text>.*?)```"
    r"|```console\n\$ initcheck (?P<command>[^\n]+)\n(?P<output>[^$`].*?)```",
    re.DOTALL,
)


def steps(text: str) -> list[tuple[int, str, str]]:
    """Where each command with an output stands, with both."""
    return [(m.start(), m["hidden"] or m["command"], m["text"] or m["output"]) for m in SHOWN.finditer(text)]


STEPS = [(page, *step) for page, text in TEXTS.items() for step in steps(text)]


def test_some_output_is_shown() -> None:
    assert {"README", "first-bug", "lesson", "scheme", "gpt", "port", "gate"} <= {page for page, *_ in STEPS}


@pytest.mark.parametrize(
    ("page", "place", "command", "shown"), STEPS, ids=[f"{p}-{n}" for n, (p, *_) in enumerate(STEPS)]
)
def test_shown_output_is_what_the_command_prints(
    page: str,
    place: int,
    command: str,
    shown: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if command.startswith("model gpt") or "torch" in command:
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    for match in FILE.finditer(TEXTS[page], 0, place):
        (tmp_path / match["file"]).write_text(f"# {match['file']}\n{match['code']}", encoding="utf-8")
    main(shlex.split(command))
    assert _but_for_seconds(capsys.readouterr().out) == _but_for_seconds(shown)


def _but_for_seconds(text: str) -> str:
    """What a clock and a calendar say differs from run to run."""
    return re.sub(r"\d{4}-\d\d-\d\d", "DATE", re.sub(r"(?m)     [\d.]+ s(?=, seed|; |$)", "     N s", text))
