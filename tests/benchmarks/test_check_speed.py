"""The budgets of DESIGN 8 that are ratios within one run: a whole check against the time inside the initializer."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

import initcheck

CONTRACT = {"activation": "relu", "fan": "fan_in", "layout": "out_in", "distribution": "normal"}


def test_a_whole_check_over_the_time_inside_the_initializer(benchmark: Any) -> None:
    inside = 0.0

    def he(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray[Any, Any]:
        nonlocal inside
        started = time.perf_counter()
        drawn = rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(2 / shape[1]))
        inside += time.perf_counter() - started
        return drawn

    initcheck.check(he, contract=CONTRACT)  # what is started once a process is not what is measured
    inside = 0.0
    started = time.perf_counter()
    report = benchmark.pedantic(lambda: initcheck.check(he, contract=CONTRACT), rounds=1, iterations=1)
    whole = time.perf_counter() - started
    benchmark.extra_info["whole / inside"] = round(whole / inside, 2)
    benchmark.extra_info["seconds by claim"] = {r.claim: round(r.seconds, 3) for r in report}
    assert report.ok


@pytest.mark.parametrize("plugin", ["with", "without"])
def test_start_of_pytest(benchmark: Any, plugin: str, tmp_path: Any) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    if plugin == "without":
        command[3:3] = ["-p", "no:initcheck"]
    benchmark.pedantic(lambda: subprocess.run(command, check=True, capture_output=True, cwd=tmp_path), rounds=5)
