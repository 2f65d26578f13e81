"""Hostile initializers and modules at every door: exit code, a verdict on each, the others' verdicts, whole files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

import hostile_matrix
import pytest

from initcheck.report.report import Report
from initcheck.report.schema import violation
from initcheck.report.verdict import Verdict

HERE = Path(__file__).parent
# Code that raises at every call is not read as an initializer: a sentence, and nothing is judged.
REFUSED = {
    "exits": r"os\._exit\(0\) would have ended the process",
    "raises_system_exit": "SystemExit",
    "raises_keyboard_interrupt": "KeyboardInterrupt",
    "recurses": "RecursionError",
    "returns_what_raises": "cannot be read",
    "returns_what_exits": "where an array is expected",
    "returns_what_hangs": "where an array is expected",
    "has_a_metaclass_that_answers_nothing": "SIGINT",
    "returns_a_deep_list": "where an array is expected",
}
EVERY = [name for name, value in vars(hostile_matrix).items() if callable(value) and name[0] != "_"]
NAMES = [name for name in EVERY if name not in REFUSED]
CLAIMS = ("accepts-every-shape", "returns-the-shape-asked", "finite", "leaves-global-generators-alone")
DOORS = {
    "plain": ["initcheck"],
    "--isolate": ["initcheck", "--isolate"],
    "-j 2": ["initcheck", "-j2"],
    "pytest": ["pytest", "-p", "no:cacheprovider"],
    "-n 2": ["pytest", "-p", "no:cacheprovider", "-n2"],
}

# All of them at all doors wait for half an hour: each door has its share here, between the honest ones, unless this is
# set. Whoever changes how runs end sets it.
EVERY_DOOR = "INITCHECK_EVERY_DOOR" in os.environ

# What each must fail; those that only leave something behind are put right, and some keep every claim.
CONTAINED = {
    "writes_to_descriptor_one", "leaves_a_process", "forks", "returns_an_array_that_hangs_when_compared",
    "hangs_at_exit", "exits_with_zero_at_exit", "leaves_a_daemon",
}  # fmt: skip
HONEST = {"first_honest", "last_honest"}
# Its thread runs from the first trial call on, when nothing was drawn yet: whose it is cannot be told any more.
UNDECIDED = {"leaves_a_drawing_thread": "a thread that is none of its own moves numpy.random"}
SHARED = [name for name in NAMES if name not in HONEST]
OF_DOOR = {
    door: [n for n in NAMES if n in HONEST or EVERY_DOOR or n in SHARED[number :: len(DOORS)]]
    for number, door in enumerate(DOORS)
}
MEASURED = {
    "exits_by_libc": "exit code 0",
    "becomes_another_program": "exit code 0",
    "kills_itself": "SIGKILL",
    "kills_its_group": "SIGKILL",
    "segfaults": "SIGSEGV",
    "aborts": "SIGABRT",
    "hangs": "did not return within",
    "hangs_in_c": "did not return within",
    "raises_what_never_says_why": "did not return within",
    "returns_what_ends_on_any_attribute": "exit code 0",
    "returns_an_endless_mapping": "did not return within",
    "returns_objects_that_exit_as_numbers": "no real numbers",
    "is_made_by_a_metaclass_that_exits": "exit code 0",
    "is_killed_later_by_a_thread": "SIGKILL",
    "waits_for_a_lock": "did not return within",
    "lets_a_fork_go_on": "exit code 0",
    "exits_when_large": "exit code 0",
    "hangs_when_large": "did not return within",
    "segfaults_at_width_one": "SIGSEGV",
    "closes_descriptors": "standard descriptors",
    "removes_its_folder": "working directory",
    "clears_modules": "sys.modules",
    "clears_path": "sys.path",
    "replaces_builtins": "functions of builtins",
    "replaces_numpy": "functions of numpy",
    "sets_an_alarm": "timers|SIGALRM",
    "ignores_signals": "signal handlers",
    "changes_the_process": "NumPy print options.*locale|exception hooks",
}


def descendants(marker: str) -> list[str]:
    """Command lines of the processes that carry a marker in their environment."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and marker.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


class Run:
    """One run at a door, with what it left."""

    def __init__(self, folder: Path, door: str, *targets: str) -> None:
        self.door = door
        self.json = folder / "r.json"
        in_pytest = "pytest" in DOORS[door]
        prefix = "--initcheck-" if in_pytest else "--"
        marker = f"INITCHECK_MARK={folder.name}-{os.getpid()}"
        command = [sys.executable, "-m", *DOORS[door]]
        command += [f"--initcheck={target}" if in_pytest else target for target in targets]
        chosen = ("profile=quick", f"claims={','.join(CLAIMS)}", "timeout=1", "contract=activation=relu,layout=out_in")
        command += [prefix + option for option in (*chosen, f"json={self.json}", f"junit={folder / 'r.xml'}")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[2]), str(HERE), str(folder)])}
        environment |= {marker.partition("=")[0]: marker.partition("=")[2], "OPENBLAS_NUM_THREADS": "1"}
        started = time.monotonic()
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", cwd=folder, env=environment, timeout=900
        )
        self.seconds = time.monotonic() - started
        self.code, self.output = done.returncode, done.stdout + done.stderr
        time.sleep(0.5)
        self.left = descendants(marker)
        self.report = Report.from_json(self.json.read_text()) if self.json.exists() else None


@pytest.fixture(scope="module", params=DOORS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    # A scan would leave most of them alone: each is named.
    targets = [f"hostile_matrix:{name}" for name in OF_DOOR[request.param]]
    return Run(tmp_path_factory.mktemp("matrix"), request.param, *targets)


def at_doors(names: Collection[str]) -> pytest.MarkDecorator:
    """Each of these at each door that has it."""
    pairs = [(door, name) for door in DOORS for name in OF_DOOR[door] if name in names]
    return pytest.mark.parametrize(("run", "name"), pairs, indirect=["run"])


def verdicts(run: Run, name: str) -> dict[str, str]:
    assert run.report is not None, run.output
    return {r.claim: r.verdict.value for r in run.report.of(f"hostile_matrix:{name}")}


def test_the_run_comes_to_its_end_and_says_that_claims_fail(run: Run) -> None:
    assert run.code == 1, run.output[-3000:]
    assert not re.search(r"Traceback \(most recent call last\)", run.output), run.output[-3000:]
    assert "said by" not in run.output
    assert run.left == []


def test_every_one_has_every_verdict_and_the_files_are_whole(run: Run) -> None:
    names = OF_DOOR[run.door]
    assert {name: set(verdicts(run, name)) for name in names} == {name: set(CLAIMS) for name in names}
    assert violation(json.loads(run.json.read_text())) is None
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(file=str(HERE.parents[1] / "rendering" / "xunit2.xsd"))
    schema.assertValid(etree.parse(str(run.json.with_suffix(".xml"))))


@at_doors(HONEST | CONTAINED)
def test_what_is_honest_or_contained_keeps_its_verdicts(run: Run, name: str) -> None:
    assert run.report is not None
    # On a busy machine the second that a claim may take is soon over: then nothing is decided, and nothing fails.
    for result in run.report.of(f"hostile_matrix:{name}"):
        slow = result.verdict is Verdict.UNDECIDED and "may take were over" in (result.reason or "")
        assert result.verdict is Verdict.HOLDS or slow, result


@at_doors(UNDECIDED)
def test_what_cannot_be_told_is_not_decided(run: Run, name: str) -> None:
    assert run.report is not None
    last = run.report[f"hostile_matrix:{name}", CLAIMS[-1]]
    assert last.verdict is Verdict.UNDECIDED
    assert UNDECIDED[name] in (last.reason or "")


@at_doors(MEASURED)
def test_what_misbehaves_fails_and_is_told_why(run: Run, name: str) -> None:
    assert run.report is not None
    failing = [r for r in run.report.of(f"hostile_matrix:{name}") if r.verdict is Verdict.FAILS]
    assert failing
    told = "\n".join(str(r.evidence.measured) for r in failing)
    assert re.search(MEASURED[name], told), told


MODULES = {
    "exits": ("import os\nos._exit(0)", r"os\._exit\(0\) would have ended"),
    "exits_by_libc": ("import ctypes\nctypes.CDLL(None).exit(0)", "exit code 0"),
    "kills_itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    "hangs": ("import time\ntime.sleep(3600)", "did not return within"),
    "system_exit": ("import sys\nsys.exit(0)", "SystemExit"),
    "replaces_itself": (
        "import sys\nclass M:\n    def __getattr__(self, n): raise SystemExit(0)\nsys.modules[__name__] = M()",
        "exit code 0",
    ),
    "forks": ("import ctypes, os\nif os.fork(): ctypes.CDLL(None)._exit(0)", "exit code 0"),
    "interrupts": ("import _thread\n_thread.interrupt_main()\nfor _ in range(10**7): pass", "SIGINT"),
    "mute": ("class E(Exception):\n    def __str__(self): raise KeyboardInterrupt\nraise E", "cannot be shown"),
}


def refused(run: Run, door: str, sentence: str) -> None:
    assert run.code == (4 if "pytest" in DOORS[door] else 2), run.output
    assert re.search(sentence, run.output), run.output
    assert "Traceback (most recent call last)" not in run.output
    assert run.left == []


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_raises_at_every_call_is_a_sentence_and_no_exit_0(name: str, door: str, tmp_path: Path) -> None:
    refused(Run(tmp_path, door, f"hostile_matrix:{name}"), door, REFUSED[name])


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", MODULES)
def test_a_module_that_cannot_be_imported_is_a_sentence_and_no_exit_0(name: str, door: str, tmp_path: Path) -> None:
    source, sentence = MODULES[name]
    (tmp_path / f"at_import_{name}.py").write_text(source)
    refused(Run(tmp_path, door, f"at_import_{name}"), door, sentence)


LINGERS = """
import atexit, threading, time

atexit.register(time.sleep, 3600)
threading.Thread(target=time.sleep, args=(3600,)).start()


def he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)
"""


@pytest.mark.parametrize("door", ["plain", "pytest"])
def test_a_module_that_would_linger_at_its_exit_is_judged_and_left(door: str, tmp_path: Path) -> None:
    (tmp_path / "lingers.py").write_text(LINGERS)
    run = Run(tmp_path, door, "lingers:he")
    assert run.code == 0, run.output
    assert run.left == []
