"""Two starts compared as a user does it: on the command line, with files, under pytest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import initcheck
from initcheck.doors.cli import main
from initcheck.targets.pairs import read_layouts, two_of

INITS = """
import numpy as np
def he(shape, rng):
    return rng.normal(0, np.sqrt(2 / shape[1]), shape)
def wrong(shape, rng):
    return rng.normal(0, np.sqrt(1 / shape[1]), shape)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two_inits.py").write_text(INITS)
    return tmp_path


@pytest.mark.long
def test_what_differs_is_told_with_its_cause_in_every_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--json=r.json", "--junit=r.xml", "--html=r.html", "--markdown=r.md", "--github"]
    code = main(["same", "two_inits.py:he", "two_inits.py:wrong", "--profile=quick", *files])
    said = capsys.readouterr().out
    assert code == 1
    assert "cause   B's weights are 0.71 times A's" in said
    assert "::error file=two_inits.py,line=5" in said
    report = json.loads((folder / "r.json").read_text())
    [finding] = report["findings"]
    assert finding["cause"].startswith("B's weights are 0.71 times A's")
    [shown] = report["contracts"].values()
    assert [part["answer"] for part in shown["compared"]] == ["DIFFERENT"] * 4
    page = (folder / "r.html").read_text()
    assert "Two starts" in page
    assert "both laws" in page
    for name in ("r.xml", "r.md"):
        assert "0.71 times A" in (folder / name).read_text().replace("&#x27;", "'")


def test_the_same_is_said_with_what_is_not_seen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["same", "two_inits.py:he", "two_inits.py:he", "--profile=quick"]) == 0
    assert "the same bits at 8 seeds in every part" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["same", "two_inits.py:he"], "two targets are compared. Write initcheck same A B"),
        (["same", "two_inits.py:he", "two_inits.py:hee"], "hee"),
        (["same", "two_inits.py", "two_inits.py:he"], "is not one start but 2"),
        (["same", "a", "b", "--layouts=out_in"], "give two, that of A and that of B"),
    ],
)
def test_wrong_use_is_a_sentence(folder: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.long
def test_tables_of_pyproject_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = '[[tool.initcheck.same]]\na = "two_inits.py:he"\nb = "two_inits.py:he"\nname = "port"\n'
    (folder / "pyproject.toml").write_text(table)
    assert main(["same", "@pyproject.toml", "--profile=quick"]) == 0
    assert "port  SAME" in capsys.readouterr().out


def test_two_targets_are_cut_at_the_comma_outside_of_brackets() -> None:
    assert two_of("m:f(a=(1, 2), b='x,y'),m:g") == ("m:f(a=(1, 2), b='x,y')", "m:g")
    assert read_layouts("in_out,out_in") == ("in_out", "out_in")


def test_the_line_that_repeats_a_difference_names_both(folder: Path) -> None:
    texts = initcheck.same("two_inits.py:he", "two_inits.py:wrong", profile="quick", layouts=("out_in", "out_in"))
    words = "initcheck same two_inits.py:he two_inits.py:wrong --layouts=out_in,out_in"
    assert f"again   {words} --claims=start-from-one-law --profile=quick --seed=0" in str(texts)

    def half(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.normal(0, np.sqrt(0.5 / shape[1]), shape)

    functions = initcheck.same("two_inits.py:he", half, profile="quick", layouts=("out_in", "out_in"))
    assert "again   initcheck.same(two_inits.py:he, " in str(functions)
