"""What Hypothesis offers on its command line works for our items: statistics, observations, a database."""

from __future__ import annotations

import json

import pytest

pytest_plugins = ["pytester"]

INIT = """
import numpy as np

def odd(shape, rng):
    weights = rng.standard_normal(shape) / np.sqrt(shape[1])
    return weights * 1.5 if shape[0] == 3 * shape[1] else weights

odd.__initcheck__ = {"activation": "linear", "fan": "fan_in", "layout": "out_in"}
"""


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    pytester.makepyfile(myinit=INIT)
    common = ("--initcheck=myinit:odd", "--initcheck-profile=quick", "-k", "output_variance")
    return pytester.runpytest_subprocess(*common, *options)


def test_statistics_are_shown_and_the_failing_case_is_kept(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    result = run(pytester, "--hypothesis-show-statistics")
    result.stdout.fnmatch_lines(
        ["myinit:odd::output_variance_near_one*:", "*during generate phase*", "*Highest target score*"]
    )
    kept = [path for path in pytester.path.glob(".hypothesis/examples/*/*") if path.is_file()]
    cases = [json.loads(text) for text in (path.read_bytes() for path in kept) if text.startswith(b"{")]
    assert [case["shape"] for case in cases] == [[3, 1]]


def test_observations_are_written(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPOTHESIS_EXPERIMENTAL_OBSERVABILITY_NOCOVER", "1")
    run(pytester)
    [cases] = pytester.path.glob(".hypothesis/observed/*_testcases.jsonl")
    lines = [json.loads(line) for line in cases.read_text().splitlines()]
    assert any("layers" in line["arguments"] for line in lines)
