"""User code that ends its process, or forks it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


FORKS = """
import os, multiprocessing, sys
from initcheck.sandbox.containment import contained
with contained():
    for _ in range(8):
        os.fork()
        with open("seen", "a") as file:
            file.write(f"{os.getpid()}\\n")
with contained():
    worker = multiprocessing.get_context("fork").Process(target=lambda: open("worked", "w").write("yes"))
    worker.start()
    worker.join()
    sys.__stdout__.write(f"exit code {worker.exitcode}")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_a_fork_in_each_call_gives_one_process_a_call_and_a_worker_its_work(tmp_path):
    """Every one of them doubled at the next call: 256 of eight."""
    where = {"env": {**os.environ, "PYTHONPATH": str(ROOT)}, "cwd": tmp_path}
    ended = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=100, **where)
    assert (ended.returncode, ended.stdout) == (0, "exit code 0")
    assert len(set((tmp_path / "seen").read_text().split())) == 9
    assert (tmp_path / "worked").read_text() == "yes"
