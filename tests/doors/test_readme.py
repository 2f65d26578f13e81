"""The README says what is so: its output is real, its commands are CI's, its code runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from initcheck.claims.registry import checks
from initcheck.doors.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_readme_is_read_in_a_few_minutes_and_its_links_lead_somewhere() -> None:
    assert len(README.splitlines()) <= 120
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (ROOT / link).exists(), link


def test_number_of_claims_is_right() -> None:
    match = re.search(r"as (\d+) executable claims .*? and (\d+) more where it promises more", README, re.DOTALL)
    assert match is not None
    asked = [c.asked_by_default for c in checks().values()]
    assert (int(match[1]), int(match[2])) == (sum(asked), len(asked) - sum(asked))


def test_command_for_the_tests_is_one_that_ci_can_find() -> None:
    block = re.search(r"<!-- the tests -->\n\n```sh\n(.*?)```", README, re.DOTALL)
    assert block is not None
    assert "-m pytest" in block[1]
    assert "<!-- the tests -->" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.long
def test_shown_initializer_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block = re.search(r"```python\n# (readme_\w+|myinit)\.py\n(.*?)```", README, re.DOTALL)
    assert block is not None
    (tmp_path / "initializer_of_the_readme.py").write_text(block[2])
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["initializer_of_the_readme", "--profile", "quick"]) == 0
