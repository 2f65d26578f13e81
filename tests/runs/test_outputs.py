"""Several outputs in one run, at both doors; what cannot be written is said before the run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import fake_engine
import pytest

from initcheck.doors.cli import main
from initcheck.report.schema import SCHEMA

pytest_plugins = ["pytester"]

FILES = ("json", "html", "junit", "markdown")


@pytest.fixture
def folder(on_fake_engine: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    return tmp_path


def starts(folder: Path) -> dict[str, str]:
    return {name: (folder / f"report.{name}").read_text(encoding="utf-8")[:18] for name in FILES}


WRITTEN = {
    "json": '{\n  "format": "ini',
    "html": "<!doctype html>\n<h",
    "junit": '<?xml version="1.0',
    "markdown": "### initcheck: 1 c",
}


def test_one_run_of_the_command_line_writes_everything(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [f"--{name}=report.{name}" for name in FILES]
    assert main(["he:HFUWN", "he:HHHHH", *options, "--github"]) == 1
    assert starts(folder) == WRITTEN
    annotations = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    assert len(annotations) == 1
    assert annotations[0].startswith("::error title=he%3AHFUWN%3A 0.334 (allowed%3A [0.8%2C 1.25])::0.334 (allowed: ")


def test_one_run_of_pytest_writes_everything(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_engine.install(monkeypatch.setattr)
    options = [f"--initcheck-{name}=report.{name}" for name in FILES]
    result = pytester.runpytest_inprocess("-p", "no:benchmark", "--initcheck=he:HFUWN", *options, "--initcheck-github")
    assert starts(pytester.path) == WRITTEN
    result.stdout.fnmatch_lines(["::error title=he%3AHFUWN%3A 0.334 *"])


def test_the_json_of_a_run_is_valid_under_the_schema(folder: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    main(["he:HFUWN", "--json=r.json"])
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads((folder / "r.json").read_text()))


def test_the_file_of_the_last_run_may_be_the_one_that_is_written(folder: Path) -> None:
    main(["he:HFHHH", "--json=r.json"])
    main(["he:HFHHH", "she:FHHHH", "--json=r.json", "--previous=r.json", "--markdown=s.md", "--html=r.html"])
    assert "Since the last run: 5 new" in (folder / "s.md").read_text()
    assert "5 new" in (folder / "r.html").read_text()


def test_strict_reaches_the_junit_file(folder: Path) -> None:
    main(["he:HHUHH", "--junit=j.xml", "--strict"])
    assert 'failures="1"' in (folder / "j.xml").read_text()


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (
            "--html=nowhere/r.html",
            "the report cannot be written to 'nowhere/r.html': No such file or directory.",
        ),
        ("--junit=.", "the report cannot be written to '.': Is a directory."),
        ("--previous=none.json", "the previous report 'none.json' cannot be read"),
    ],
)
def test_what_cannot_be_written_or_read_is_said_before_the_run(
    folder: Path, option: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # This initializer would end the process, were it asked.
    assert main(["he:IIIII", option]) == 2
    assert sentence in capsys.readouterr().err


def test_a_page_that_cannot_be_made_is_said_before_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["he:IIIII", "--html=r.html"]) == 2
    assert "run: pip install 'initcheck[report]'" in capsys.readouterr().err


def test_a_previous_report_that_is_none_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "p.json").write_text("{}")
    assert main(["he:HHHHH", "--previous=p.json"]) == 2
    assert "the previous report 'p.json': this JSON is no report in the format" in capsys.readouterr().err
