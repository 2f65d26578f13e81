"""Modules of harmless-looking dangerous functions at every door: not one of them is called, and no file is made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODULES = ROOT / "tests" / "targets"
TAKEN = {
    "harmless_looking": {"he", "xavier_", "_lecun", "Sender.xavier", "Backbone._init_weights"},
    "harmless_by_indirection": {"he", "_weights"},
}
OPTIONS = ("profile=quick", "claims=finite", "contract=layout=out_in,widths=2:8")
CHECK = (
    "import sys, json, initcheck; sys.path.insert(0, '.'); given = dict(profile='quick', claims=['finite'],"
    " contract='layout=out_in,widths=2:8'); "
)
KEPT = "; print('NAMES', json.dumps(list(report.initializers)))"
DOORS = {
    "command line": ["-m", "initcheck", "MODULE", *(f"--{o}" for o in OPTIONS)],
    "a file": ["-m", "initcheck", "MODULE.py", *(f"--{o}" for o in OPTIONS)],
    "--isolate": ["-m", "initcheck", "MODULE", "--isolate", *(f"--{o}" for o in OPTIONS)],
    "-j 2": ["-m", "initcheck", "MODULE", "-j2", *(f"--{o}" for o in OPTIONS)],
    "infer": ["-m", "initcheck", "infer", "MODULE"],
    "pytest": ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:benchmark", "--initcheck=MODULE"]
    + [f"--initcheck-{o}" for o in OPTIONS],
    "pytest -n 2": [
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:benchmark",
        "-n2",
        "--initcheck=MODULE",
    ]
    + [f"--initcheck-{o}" for o in OPTIONS],
    "check of the text": ["-c", f"{CHECK}report = initcheck.check('MODULE', **given){KEPT}"],
    "check of the module": [
        "-c",
        f"{CHECK}import MODULE; report = initcheck.check(MODULE, **given){KEPT}",
    ],
    "check in a process": [
        "-c",
        f"{CHECK}import MODULE; report = initcheck.check([MODULE], isolate=True, **given){KEPT}",
    ],
}


# What a module holds is judged before a door is: the second module is at all of them only where this is set.
EVERY_DOOR = "INITCHECK_EVERY_DOOR" in os.environ
PAIRS = [("harmless_looking", door) for door in DOORS]
PAIRS += [("harmless_by_indirection", d) for d in DOORS if EVERY_DOOR or d in ("command line", "check of the module")]


def names_of(door: str, folder: Path, output: str) -> set[str]:
    if (folder / "r.json").exists():
        found = json.loads((folder / "r.json").read_text())["contracts"]
    elif "NAMES " in output:
        found = json.loads(output.partition("NAMES ")[2].splitlines()[0])
    else:
        found = [line for line in output.splitlines() if line.startswith("harmless_")]
    return {name.rpartition(":")[2] for name in found}


@pytest.mark.parametrize(("module", "door"), PAIRS)
def test_no_door_calls_what_does_harm(module: str, door: str, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    shutil.copy(MODULES / f"{module}.py", work)
    marks = tmp_path / "marks"
    command = [sys.executable, *(part.replace("MODULE", module) for part in DOORS[door])]
    if "initcheck-" in command[-1]:
        command.append(f"--initcheck-json={tmp_path / 'r.json'}")
    elif command[1] == "-m" and "infer" not in command:
        command.append(f"--json={tmp_path / 'r.json'}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MARKS": str(marks), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=600)
    assert not marks.exists(), marks.read_text()
    assert [p.name for p in work.iterdir()] == [f"{module}.py"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert names_of(door, tmp_path, done.stdout) == TAKEN[module]
