"""Hostile initializers and modules at every door: exit code, a verdict on each, the others' verdicts, whole files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hostile_matrix
import pytest

from initcheck.report.report import Report
from initcheck.report.schema import violation
from initcheck.report.verdict import Result, Verdict

XML = pytest.importorskip("lxml.etree")

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

# Each door has its share of them, between the honest ones, unless this is set: then all are at all doors. Whoever
# changes how runs end sets it.
EVERY_DOOR = "INITCHECK_EVERY_DOOR" in os.environ
# Most of a run is waiting for what hangs: so many runs wait at a time.
AT_A_TIME = 4

# What each must fail; those that only leave something behind are put right, and some keep every claim.
CONTAINED = {
    "writes_to_descriptor_one", "leaves_a_process", "forks", "returns_an_array_that_hangs_when_compared",
    "hangs_at_exit", "exits_with_zero_at_exit", "leaves_a_daemon",
}  # fmt: skip
HONEST = {"first_honest", "last_honest"}
# Its thread runs from the first trial call on, when nothing was drawn yet: whose it is cannot be told any more.
UNDECIDED = {"leaves_a_drawing_thread": "a thread that is none of its own moves numpy.random"}
SHARED = [name for name in NAMES if name not in HONEST]
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
        marker = f"INITCHECK_MARK={folder}"
        command = [sys.executable, "-m", *DOORS[door]]
        command += [f"--initcheck={target}" if in_pytest else target for target in targets]
        chosen = ("profile=quick", f"claims={','.join(CLAIMS)}", "timeout=1", "contract=activation=relu,layout=out_in")
        command += [prefix + option for option in (*chosen, f"json={self.json}", f"junit={folder / 'r.xml'}")]
        path = [str(HERE.parents[2]), str(HERE), str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
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


def share(names: Sequence[str], number: int) -> list[str]:
    """Those of some names that are the share of a door, by its number; all of them where every door has all."""
    return list(names) if EVERY_DOOR else list(names[number :: len(DOORS)])


def complaints(run: Run, names: Collection[str]) -> list[str]:
    """What is wrong with a run of some of them between the honest ones, and with what it left."""
    # A share may hold none that fails.
    found = [f"exit code {run.code}: {run.output[-2000:]}"] * (run.code != bool(set(names) & set(MEASURED)))
    found += [f"it left {run.left}"] * bool(run.left)
    found += [
        f"its output has {said!r}" for said in ("Traceback (most recent call last)", "said by") if said in run.output
    ]
    if run.report is None:
        return [*found, f"no report: {run.output[-2000:]}"]
    found += [f"its report: {wrong}" for wrong in [violation(json.loads(run.json.read_text()))] if wrong]
    schema = XML.XMLSchema(file=str(HERE.parents[1] / "rendering" / "xunit2.xsd"))
    found += [f"its JUnit file: {schema.error_log}"] * (
        not schema.validate(XML.parse(str(run.json.with_suffix(".xml"))))
    )
    for name in names:
        results = run.report.of(f"hostile_matrix:{name}")
        if {r.claim for r in results} != set(CLAIMS):
            found.append(f"{name} has no verdict on some claim: {[r.claim for r in results]}")
        else:
            found += [f"{name}: {wrong}" for wrong in wrong_verdicts(name, results)]
    return found


def wrong_verdicts(name: str, results: Sequence[Result]) -> list[str]:
    """The verdicts on one of them that are not those it should have."""
    if name in HONEST | CONTAINED:
        # On a busy machine the second that a claim may take is soon over: nothing is decided then, and nothing fails.
        held = (r.verdict is Verdict.HOLDS or "may take were over" in (r.reason or "") for r in results)
        return [f"{r.claim} {r.verdict.value}: {r.reason}" for r, keeps in zip(results, held, strict=True) if not keeps]
    if name in UNDECIDED:
        last = results[-1]
        said = (UNDECIDED[name], "may take were over")
        told = last.verdict is Verdict.UNDECIDED and any(words in (last.reason or "") for words in said)
        return [] if told else [f"{last.claim} {last.verdict.value}: {last.reason}"]
    told = "\n".join(str(r.evidence.measured) for r in results if r.verdict is Verdict.FAILS)
    return [] if re.search(MEASURED[name], told) else [f"it should fail by {MEASURED[name]!r}, and fails by {told!r}"]


@pytest.mark.parametrize("door", DOORS)
def test_a_verdict_on_each_and_none_for_the_others_at(door: str, tmp_path: Path) -> None:
    # A scan would leave most of them alone: each is named.
    names = share(SHARED, list(DOORS).index(door))
    parts = [["first_honest", *names[n::AT_A_TIME], "last_honest"] for n in range(AT_A_TIME)]

    def wrong(number: int) -> list[str]:
        folder = tmp_path / f"part{number}"
        folder.mkdir()
        return complaints(Run(folder, door, *(f"hostile_matrix:{n}" for n in parts[number])), parts[number])

    assert [one for part in at_once(wrong, range(AT_A_TIME)) for one in part] == []


def test_each_of_them_has_an_answer() -> None:
    assert set(SHARED) == CONTAINED | set(UNDECIDED) | set(MEASURED)


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


def at_once(judged: Callable[[Any], list[str]], of: Iterable[Any]) -> list[list[str]]:
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(judged, of))


def not_refused(run: Run, sentence: str) -> list[str]:
    """What is wrong with a run that should have ended in a sentence."""
    found = [f"exit code {run.code}"] * (run.code != (4 if "pytest" in DOORS[run.door] else 2))
    found += [f"{sentence!r} is not said"] * (not re.search(sentence, run.output))
    found += ["a traceback is"] * ("Traceback (most recent call last)" in run.output)
    found += [f"it left {run.left}"] * bool(run.left)
    return [f"{run.door}: {wrong}: {run.output[-1000:]}" for wrong in found]


def refused_at_its_doors(target: str, sentence: str, number: int, folder: Path) -> list[str]:
    def wrong(door: str) -> list[str]:
        own = folder / f"door{list(DOORS).index(door)}"
        own.mkdir()
        return not_refused(Run(own, door, target), sentence)

    doors = list(DOORS) if EVERY_DOOR else [list(DOORS)[number % len(DOORS)]]
    return [one for door in at_once(wrong, doors) for one in door]


@pytest.mark.parametrize("name", REFUSED)
def test_what_raises_at_every_call_is_a_sentence_and_no_exit_0(name: str, tmp_path: Path) -> None:
    number = list(REFUSED).index(name)
    assert refused_at_its_doors(f"hostile_matrix:{name}", REFUSED[name], number, tmp_path) == []


@pytest.mark.parametrize("name", MODULES)
def test_a_module_that_cannot_be_imported_is_a_sentence_and_no_exit_0(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, sentence = MODULES[name]
    (tmp_path / f"at_import_{name}.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert refused_at_its_doors(f"at_import_{name}", sentence, list(MODULES).index(name), tmp_path) == []


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
