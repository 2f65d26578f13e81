"""The page on a claim of your own, followed as a reader would; its entry point is installed by hand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

from test_outputs_of_the_guide import _but_for_seconds

PAGE = (files("initcheck") / "guide" / "own-claim.md").read_text(encoding="utf-8")


def test_the_claims_of_the_page_are_asked_and_say_what_it_shows(tmp_path: Path) -> None:
    blocks = re.findall(r"```(?:python|toml)\n# ([\w.]+)\n(.*?)```", PAGE, re.DOTALL)
    for name, code in blocks:
        (tmp_path / name).write_text(code, encoding="utf-8")
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [(group, points)] = project["entry-points"].items()
    info = tmp_path / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n" + "".join(f"{n} = {m}\n" for n, m in points.items()))
    [(command, shown)] = re.findall(r"\$ pip install -e \.\n\$ initcheck ([^\n]+)\n(.*?)```", PAGE, re.DOTALL)
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    words = [sys.executable, "-m", "initcheck", *shlex.split(command)]
    done = subprocess.run(words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert _but_for_seconds(done.stdout) == _but_for_seconds(shown)
