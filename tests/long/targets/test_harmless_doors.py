"""A module of harmless-looking dangerous functions at every door: not one of them is called, and no file is made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODULE = ROOT / "tests" / "targets" / "harmless_looking.py"
TAKEN = {"he", "xavier_", "_lecun", "Sender.xavier", "Backbone._init_weights"}
OPTIONS = ("profile=quick", "claims=finite", "contract=layout=out_in,widths=2:8")
CHECK = (
    "import sys, json, initcheck; sys.path.insert(0, '.'); given = dict(profile='quick', claims=['finite'],"
    " contract='layout=out_in,widths=2:8'); "
)
KEPT = "; print('NAMES', json.dumps(list(report.initializers)))"
DOORS = {
    "command line": ["-m", "initcheck", "harmless_looking", *(f"--{o}" for o in OPTIONS)],
    "a file": ["-m", "initcheck", "harmless_looking.py", *(f"--{o}" for o in OPTIONS)],
    "--isolate": ["-m", "initcheck", "harmless_looking", "--isolate", *(f"--{o}" for o in OPTIONS)],
    "-j 2": ["-m", "initcheck", "harmless_looking", "-j2", *(f"--{o}" for o in OPTIONS)],
    "infer": ["-m", "initcheck", "infer", "harmless_looking"],
    "pytest": ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:benchmark", "--initcheck=harmless_looking"]
    + [f"--initcheck-{o}" for o in OPTIONS],
    "pytest -n 2": [
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:benchmark",
        "-n2",
        "--initcheck=harmless_looking",
    ]
    + [f"--initcheck-{o}" for o in OPTIONS],
    "check of the text": ["-c", f"{CHECK}report = initcheck.check('harmless_looking', **given){KEPT}"],
    "check of the module": [
        "-c",
        f"{CHECK}import harmless_looking; report = initcheck.check(harmless_looking, **given){KEPT}",
    ],
    "check in a process": [
        "-c",
        f"{CHECK}import harmless_looking; report = initcheck.check([harmless_looking], isolate=True, **given){KEPT}",
    ],
}


def names_of(door: str, folder: Path, output: str) -> set[str]:
    if (folder / "r.json").exists():
        found = json.loads((folder / "r.json").read_text())["contracts"]
    elif "NAMES " in output:
        found = json.loads(output.partition("NAMES ")[2].splitlines()[0])
    else:
        found = [line for line in output.splitlines() if line.startswith("harmless_looking")]
    return {name.rpartition(":")[2] for name in found}


@pytest.mark.parametrize("door", DOORS)
def test_no_door_calls_what_does_harm(door: str, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    shutil.copy(MODULE, work)
    marks = tmp_path / "marks"
    command = [sys.executable, *DOORS[door]]
    if "initcheck-" in command[-1]:
        command.append(f"--initcheck-json={tmp_path / 'r.json'}")
    elif command[1] == "-m" and "infer" not in command:
        command.append(f"--json={tmp_path / 'r.json'}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MARKS": str(marks), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=600)
    assert not marks.exists(), marks.read_text()
    assert [p.name for p in work.iterdir()] == [MODULE.name]
    assert done.returncode == 0, done.stdout + done.stderr
    assert names_of(door, tmp_path, done.stdout) == TAKEN
