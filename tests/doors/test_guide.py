"""The guide in the terminal: every page that is listed is there, and every claim and gallery entry has one."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from initcheck.claims.registry import registry
from initcheck.doors.cli import main
from initcheck.doors.guide import NOTEBOOKS, PAGES, pages
from initcheck.gallery import SPECIMENS

GUIDE = Path(str(files("initcheck"))) / "guide"


def test_the_list_names_every_page_that_ships(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guide"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed[: len(PAGES)] == list(PAGES)
    assert {p.stem for p in GUIDE.glob("*.md")} == set(PAGES) - set(NOTEBOOKS)
    assert {p.stem for p in GUIDE.glob("*.ipynb")} == set(NOTEBOOKS)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in NOTEBOOKS])
def test_a_page_is_printed_as_it_is_written(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guide", page]) == 0
    assert capsys.readouterr().out == (GUIDE / f"{page}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_a_notebook_is_read_as_markdown_and_saved_as_it_is(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    book = (GUIDE / f"{page}.ipynb").read_text(encoding="utf-8")
    assert main(["guide", page]) == 0
    shown = capsys.readouterr().out
    for cell in json.loads(book)["cells"]:
        assert "".join(cell["source"]) in shown
        # What a run shows is made by whoever runs it: the site, a test, a reader.
        assert not cell.get("outputs")
    assert f"initcheck guide {page}.ipynb > {page}.ipynb" in shown
    assert main(["guide", f"{page}.ipynb"]) == 0
    assert capsys.readouterr().out == book


def test_every_claim_and_every_entry_of_the_gallery_has_a_page() -> None:
    every = dict(pages())
    assert set(every) == {*registry(), *(s.name for s in SPECIMENS)}
    for claim in registry().values():
        assert claim.says in every[claim.id]
        assert claim.source in every[claim.id]
    for specimen in SPECIMENS:
        assert f"def {specimen.function.__name__}(" in every[specimen.name]
        assert all(f in every[specimen.name] for f in specimen.fails)


def test_an_unknown_page_is_answered_with_the_closest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guide", "verdict"]) == 2
    assert "did you mean 'verdicts'?" in capsys.readouterr().err


def test_links_between_pages_lead_somewhere() -> None:
    for page in GUIDE.glob("*.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), (page.name, link)
