"""One hostile initializer never takes the others' verdicts away, nor makes a report that cannot be read."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import hostile_initializers
import numpy as np
import process_killers
import pytest

import initcheck
from initcheck.rendering import junit, markdown
from initcheck.rendering.html import html
from initcheck.rendering.terminal import account_lines, result_line, summary_lines
from initcheck.report import schema
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

HERE = Path(__file__).parent
CLAIMS = (
    "accepts-every-shape",
    "returns-the-shape-asked",
    "finite",
    "leaves-global-generators-alone",
    "same-seed-same-weights",
    "calls-are-independent",
    "output-variance-near-one",
)


def peak_kib(process: subprocess.Popen[bytes]) -> int:
    """The most memory that a process has taken since its program started; 0 where it is about to end.

    What `wait4` tells would not do: it starts at the size of the process that forked, here the whole test session.
    """
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    peak = re.search(r"VmHWM:\s+([0-9]+) kB", status)
    return int(peak.group(1)) if peak else 0


class Run:
    """One run of the command line in a process of its own, with its files read back."""

    def __init__(self, folder: Path, targets: Sequence[str], *options: str, claims: tuple[str, ...] = CLAIMS) -> None:
        self.json, self.junit, self.html = (folder / name for name in ("r.json", "r.xml", "r.html"))
        command = [sys.executable, "-m", "initcheck", *targets, "--profile=quick", f"--claims={','.join(claims)}"]
        command += ["--contract=activation=relu,layout=out_in", *options]
        command += [f"--json={self.json}", f"--junit={self.junit}", f"--html={self.html}"]
        environment = {**os.environ, "PYTHONPATH": f"{HERE.parents[2]}{os.pathsep}{HERE}", "OPENBLAS_NUM_THREADS": "1"}
        with open(folder / "out", "w+b") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder, env=environment)
            self.peak_mib = 0.0
            while process.poll() is None:
                self.peak_mib = max(self.peak_mib, peak_kib(process) / 1024)
                time.sleep(0.05)
            out.seek(0)
            self.output = out.read().decode()
        self.code = process.returncode
        assert self.json.exists(), self.output
        self.report = Report.from_json(self.json.read_text(encoding="utf-8"))

    def of(self, name: str) -> dict[str, str]:
        return {
            r.claim: r.verdict.value for r in self.report.of(f"{self.report.initializers[0].partition(':')[0]}:{name}")
        }


def readable(report: Report) -> tuple[str, str, str]:
    """Read a report back from JSON and JUnit, both valid; its HTML, its Markdown and its lines for the terminal."""
    text = report.to_json()
    assert Report.from_json(text).results == report.results
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator(schema.SCHEMA).validate(json.loads(text))
    etree = pytest.importorskip("lxml.etree")
    written = junit.render(report)
    etree.XMLSchema(file=str(HERE.parents[1] / "rendering" / "xunit2.xsd")).assertValid(
        etree.fromstring(written.encode())
    )
    assert len(ET.fromstring(written).findall(".//testcase")) == len(report)
    lines = [*summary_lines(report), *account_lines(report.failures), *map(result_line, report)]
    return html.render(report), markdown.render(report), "\n".join(lines)


def named(module: ModuleType) -> list[str]:
    """Each function by its name: a scan would leave most of them alone."""
    own = [n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__]
    return [f"{module.__name__}:{name}" for name in own if not name.startswith("_")]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("hostile"), named(hostile_initializers))


@pytest.fixture(scope="module")
def killers(tmp_path_factory: pytest.TempPathFactory) -> Run:
    options = ("--isolate", "-j2", "--timeout=3")
    return Run(tmp_path_factory.mktemp("killers"), named(process_killers), *options, claims=CLAIMS[:3])


def test_every_initializer_has_every_verdict_and_the_reports_are_valid(hostile: Run, killers: Run) -> None:
    for run, claims in ((hostile, CLAIMS), (killers, CLAIMS[:3])):
        assert run.code == 1, run.output
        assert {tuple(r.claim for r in run.report.of(i)) for i in run.report.initializers} == {
            tuple(r.claim for r in run.report.of(run.report.initializers[0]))
        }
        assert len(run.report) == len(run.report.initializers) * len(claims)
        assert "\x1b" not in run.output
        readable(run.report)


def test_honest_ones_before_and_behind_are_judged_as_if_alone(hostile: Run, killers: Run, tmp_path: Path) -> None:
    assert set(hostile.of("he").values()) == set(killers.of("he").values()) == {"HOLDS"}
    alone = Run(tmp_path, ["hostile_initializers:honest"]).report
    assert [replace(r, seconds=0) for r in hostile.report.of("hostile_initializers:honest")] == [
        replace(r, seconds=0) for r in alone
    ]


@pytest.mark.parametrize(
    ("name", "claim", "measured"),
    [
        ("raises_mute", "accepts-every-shape", "raises Mute: <its message cannot be shown"),
        ("raises_keyboard_interrupt", "accepts-every-shape", "raises KeyboardInterrupt"),
        ("raises_generator_exit", "accepts-every-shape", "raises GeneratorExit"),
        ("raises_stop_iteration", "accepts-every-shape", "raises StopIteration"),
        ("raises_usage_error", "accepts-every-shape", "raises UsageError: not yours to raise"),
        ("recurses", "accepts-every-shape", "raises RecursionError: maximum recursion depth exceeded"),
        ("returns_a_trap", "returns-the-shape-asked", "returns a Shapeless, which is no array of numbers"),
        ("rewinds_generator", "calls-are-independent", ""),
        ("replaces_default_rng", "leaves-global-generators-alone", "the call changes functions of numpy.random"),
        ("replaces_numpy_functions", "leaves-global-generators-alone", "functions of numpy, functions of random"),
        ("lowers_recursion_limit", "leaves-global-generators-alone", "the call changes recursion limit"),
        ("changes_everything", "leaves-global-generators-alone", "environment, np.errstate, working directory"),
    ],
)
def test_misbehaviour_fails_the_claim_that_names_it(hostile: Run, name: str, claim: str, measured: str) -> None:
    result = hostile.report[f"hostile_initializers:{name}", claim]
    assert result.verdict is Verdict.FAILS
    assert measured in str(result.evidence.measured)


@pytest.mark.parametrize(
    "name",
    [
        "closes_stdout",
        "drops_stdout",
        "floods",
        "leaves_threads",
        "returns_strange_array",
        "warns",
    ],
)
def test_what_is_contained_costs_no_verdict(hostile: Run, name: str) -> None:
    assert set(hostile.of(name).values()) == {"HOLDS"}


def test_a_gigabyte_of_output_is_not_kept(hostile: Run) -> None:
    assert 40 < hostile.peak_mib < 400
    assert len(hostile.output) < 100_000


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("exits", "os._exit(0) would have ended the process"),
        ("segfaults", "the process died of SIGSEGV"),
        ("recurses_in_c", ""),  # which of a crash and an exception it is depends on the Python
        ("hogs", "raises MemoryError"),
        ("hangs", "a call did not return within 16 s"),
    ],
)
def test_a_process_that_ends_or_stops_is_a_verdict_on_its_initializer(killers: Run, name: str, measured: str) -> None:
    result = killers.report[f"process_killers:{name}", "accepts-every-shape"]
    assert result.verdict is Verdict.FAILS
    assert measured in str(result.evidence.measured)


NAMES = {
    "terminal escapes": "he\x1b[2J\x1b]0;owned\x07\x9b31m",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)>&\"'",
    "newlines": "he\nFAILS\r\n::error::owned\n</testcase>]]>",
    "null and surrogate": "he\x00\ud800\uffff",
    "right to left": "he\u202efdp.exe",
    "long": "x" * 10_000,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("works", [True, False])
def test_any_name_and_any_message_can_be_shown(name: str, works: bool) -> None:
    def function(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        if not works and max(shape) > 16:
            raise ValueError(name)
        return rng.normal(0, np.sqrt(2 / shape[1]), shape)

    function.__qualname__ = name
    contract = {"activation": "relu", "layout": "out_in"}
    report = initcheck.check(function, contract=contract, profile="quick", claims=CLAIMS[:2])
    assert report.ok is works
    page, text, lines = readable(report)
    assert not {"\x1b", "\x9b", "\x07", "\x00", "\ud800"} & set(page + text + lines)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "\n::error::" not in text + lines
    # Only the command that repeats a failure must be whole to work.
    assert all(len(line) < 2_500 for line in lines.splitlines() if "reproduce" not in line)
