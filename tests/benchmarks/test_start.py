"""What starting costs: which modules are loaded, of ours and of others, and how many CPU seconds that takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

LOADED = """
import json, os, sys
{run}
named = [name.partition(".")[0] for name in sys.modules if not name.startswith(("_", "cython_runtime"))]
others = sorted(set(named) - set(sys.stdlib_module_names) - {{"initcheck", "test_nothing"}})
spent = os.times()
sys.__stdout__.write("\\n" + json.dumps([named.count("initcheck"), others, spent.user + spent.system]))
"""
HELP = """
import contextlib, io
from initcheck.doors.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["--help"])
"""
PYTEST = "import pytest; pytest.main(['-q', '-p', 'no:cacheprovider', {more}'test_nothing.py'])"
CHECK = "import initcheck; initcheck.check('initcheck.gallery:he_normal', claims=['finite'], profile='quick')"


def loaded(run: str, folder: Path) -> tuple[int, list[str], float]:
    """How many modules of ours, which packages of others, and CPU seconds since the process began."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(run=run)],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
    )
    number, others, seconds = json.loads(done.stdout.splitlines()[-1])
    return number, others, seconds


def note(benchmark: Any, found: tuple[int, list[str], float]) -> None:
    benchmark.extra_info["modules of ours"], benchmark.extra_info["packages of others"], seconds = found
    benchmark.extra_info["CPU seconds"] = round(seconds, 2)


def test_help_loads_nothing_of_others(benchmark: Any, tmp_path: Path) -> None:
    """No NumPy, no Hypothesis, no framework: the options alone."""
    found = benchmark.pedantic(lambda: loaded(HELP, tmp_path), rounds=3)
    note(benchmark, found)
    assert found[0] <= 40
    assert found[1] == []


def test_pytest_with_the_plugin_loads_what_it_loads_without(benchmark: Any, tmp_path: Path) -> None:
    """Unused, the plugin adds two dozen small modules of its own, and no package of others."""
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    runs = [PYTEST.format(more=more) for more in ("", "'-p', 'no:initcheck', ")]
    found, without = benchmark.pedantic(lambda: [loaded(run, tmp_path) for run in runs], rounds=3)
    note(benchmark, found)
    benchmark.extra_info["CPU seconds without"] = round(without[2], 2)
    assert 0 < found[0] <= 30
    assert without[0] == 0
    assert found[1] == without[1]


def test_a_first_check_loads_no_framework(benchmark: Any, tmp_path: Path) -> None:
    """Of a function of NumPy: NumPy and Hypothesis, with what they need."""
    found = benchmark.pedantic(lambda: loaded(CHECK, tmp_path), rounds=1)
    note(benchmark, found)
    assert {"numpy", "hypothesis"} <= set(found[1]) <= {"numpy", "hypothesis", "sortedcontainers", "typing_extensions"}
