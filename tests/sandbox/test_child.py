"""What a process of ours leaves behind: an answer about where it died, and nothing on the disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = """
import ctypes

def he(shape, rng):
    return rng.standard_normal(shape) * (2 / shape[0]) ** 0.5

def dies(shape, rng):
    return ctypes.string_at(0)
"""


@pytest.mark.skipif(os.name != "posix", reason="a crash leaves no stack elsewhere")
def test_a_run_tells_where_its_process_died_and_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SOURCE)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    run = subprocess.run(
        [sys.executable, "-m", "initcheck", "mine.py:dies", "mine.py:he", "--claims=same-seed-same-weights"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "SIGSEGV" in run.stdout
    assert "mine.py:8" in run.stdout
    assert not list(scratch.iterdir())
