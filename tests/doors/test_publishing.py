"""What publishes this project, and lets others use it, is well formed and says what the package says."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest

from initcheck.doors.options import OPTIONS

yaml = pytest.importorskip("yaml", reason="workflows, hooks and the citation are YAML")
ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read(name: str):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_citation_names_the_version_and_the_licence_of_the_package() -> None:
    citation = read("CITATION.cff")
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])


def test_the_hook_calls_the_command_with_options_that_exist() -> None:
    [hook] = read(".pre-commit-hooks.yaml")
    assert hook["entry"] in PROJECT["scripts"]
    known = {f"--{o.name}" for o in OPTIONS}
    assert {word for word in hook["args"] if word.startswith("--")} <= known
    assert hook["pass_filenames"] is False


def test_the_action_calls_the_command_with_options_that_exist() -> None:
    action = read(".github/actions/initcheck/action.yml")
    runs = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    [command] = [run for run in runs if run.startswith("initcheck ")]
    known = {f"--{o.name}" for o in OPTIONS}
    assert {word for word in shlex.split(command) if word.startswith("--")} <= known
    # What a user writes never stands in the script itself, where it would be code.
    assert not [run for run in runs if "${{" in run]


def test_only_the_job_that_publishes_may_ask_for_an_identity() -> None:
    release = read(".github/workflows/release.yml")
    assert release["permissions"] == {"contents": "read"}
    assert "permissions" not in release["jobs"]["build"]
    assert release["jobs"]["publish"]["permissions"] == {"id-token": "write", "attestations": "write"}
    assert release["jobs"]["publish"]["needs"] == "build"
