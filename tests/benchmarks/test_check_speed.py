"""What the plugin costs a run of pytest that does not use it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

@pytest.mark.parametrize("plugin", ["with", "without"])
def test_start_of_pytest(benchmark: Any, plugin: str, tmp_path: Any) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    if plugin == "without":
        command[3:3] = ["-p", "no:initcheck"]
    benchmark.pedantic(lambda: subprocess.run(command, check=True, capture_output=True, cwd=tmp_path), rounds=5)
