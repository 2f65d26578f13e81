"""Two starts and a law file as pytest items, in a process of their own."""

from __future__ import annotations

import pytest

import initcheck

pytest.importorskip("torch")
pytest_plugins = ["pytester"]

INITS = """
import numpy as np, torch
def he(shape, rng):
    return rng.normal(0, np.sqrt(2 / shape[1]), shape)
def wrong(shape, rng):
    return rng.normal(0, np.sqrt(1 / shape[1]), shape)
def build():
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4))
    torch.nn.init.normal_(net[0].weight, 0.0, 0.1)
    return net
"""


def test_pytest_compares_two_starts(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(two_inits=INITS)
    words = "--initcheck-same=two_inits.py:he,two_inits.py:wrong"
    result = pytester.runpytest_subprocess(words, "--initcheck-profile=quick", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["*FAILED *::start_from_one_law*"])
    assert result.ret == 1


def test_pytest_holds_a_start_to_its_lock(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(two_inits=INITS)
    (pytester.path / "init.lock").write_text(str(initcheck.lock("two_inits.py:build")))
    words = ["--initcheck-lock=init.lock", "-p", "no:cacheprovider"]
    assert pytester.runpytest_subprocess(*words).ret == 0
    (pytester.path / "init.lock").write_text(str(initcheck.lock("two_inits.py:build")).replace("std 0.1", "std 0.3"))
    result = pytester.runpytest_subprocess(*words)
    result.stdout.fnmatch_lines(["*FAILED *::keeps_its_lock*"])
    assert result.ret == 1
