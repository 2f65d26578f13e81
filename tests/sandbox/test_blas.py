"""Judging takes one thread of BLAS, gives the rest back, and its verdicts do not depend on how many there were."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from initcheck.engine.checker import Checker, Settings
from initcheck.report.verdict import Verdict
from initcheck.sandbox import blas
from initcheck.targets.loading import load

KNOWN = blas._openblas()

RUN = """
import initcheck
from initcheck.sandbox import blas

report = initcheck.check("initcheck.gallery:orthogonal", profile="quick")
found = blas._openblas()
print(None if found is None else found[0]())
for result in report:
    print(result.claim, result.verdict, result.evidence)
"""


@pytest.mark.parametrize("before", [1, 2])
def test_threads_are_one_inside_and_as_before_afterwards(before: int) -> None:
    if KNOWN is None:
        assert "openblas" not in str(np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"])
        return
    get, set_to = KNOWN
    at_first = get()
    set_to(before)
    try:
        with blas.one_thread(), blas.one_thread():
            assert get() == 1
        assert get() == before
        with pytest.raises(ZeroDivisionError), blas.one_thread():
            raise ZeroDivisionError
        assert get() == before
    finally:
        set_to(at_first)


def test_another_blas_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_openblas", lambda: None)
    with blas.one_thread():
        assert (np.ones((3, 3)) @ np.ones((3, 3))).sum() == 27


def test_an_initializer_is_judged_on_one_thread() -> None:
    seen = set()

    def he(shape: tuple[int, ...], rng: np.random.Generator) -> object:
        seen.add(KNOWN[0]() if KNOWN else 1)
        return rng.standard_normal(shape)

    [initializer] = load(he).initializers
    seen.clear()  # how it is called was found out before
    assert Checker(Settings(profile="quick")).judge(initializer, "finite").verdict is Verdict.HOLDS
    assert seen == {1}


@pytest.mark.long
def test_the_report_is_the_same_on_any_number_of_threads() -> None:
    """Orthogonal matrices come from a decomposition whose last bits depend on the threads."""
    printed = []
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-c", RUN]
        output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        printed.append(output.splitlines())
    assert printed[0][1:] == printed[1][1:]
    if KNOWN is not None:
        assert [lines[0] for lines in printed] == ["1", "2"]
