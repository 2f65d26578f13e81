"""A run that is ended, that cannot print, or that goes on where another stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from initcheck.report.report import Report

ROOT = Path(__file__).parents[3]
SLOW = """
import time


def slow(shape, rng):
    time.sleep(0.02)
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


def he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)
"""
# Where this suite itself was started with Ctrl-C ignored (nohup, a job of a script), what it starts must hear it.
HEARING = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL);"
    " os.execv(sys.executable, [sys.executable, '-m', 'initcheck', *sys.argv[1:]])"
)
OPTIONS = ("--profile=quick", "--contract=activation=relu,layout=out_in", "--json=r.json")
CLAIMS = "--claims=accepts-every-shape,returns-the-shape-asked,returns-the-dtype-asked"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slowinit.py").write_text(SLOW)
    return tmp_path


def started(folder: Path, *words: str, **options: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "INITCHECK_MARK": str(folder), **options.pop("env", {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([sys.executable, "-c", HEARING, *words], cwd=folder, env=environment, **options)


def left(folder: Path) -> list[int]:
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and f"INITCHECK_MARK={folder}\0".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def judging(folder: Path) -> None:
    """Wait until the first results are written."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (folder / "r.json").exists() and Report.from_json((folder / "r.json").read_text()).results:
            return
        time.sleep(0.2)
    pytest.fail("no result was written")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 130), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
@pytest.mark.parametrize("options", [(), ("-j2",), ("--isolate",)])
def test_a_run_that_is_ended_leaves_no_process_and_says_what_was_lost(
    number: signal.Signals, code: int, options: tuple[str, ...], folder: Path
) -> None:
    run = started(folder, "slowinit:he", "slowinit:slow", *OPTIONS, *options)
    judging(folder)
    run.send_signal(number)
    _, errors = run.communicate(timeout=300)
    assert run.returncode == code, errors
    assert b"Traceback" not in errors
    deadline = time.monotonic() + 10
    while left(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left(folder) == []
    report = Report.from_json((folder / "r.json").read_text())
    lost = {n.name: n.reason for n in report.not_checked}
    assert "claims were not reached" in lost["slowinit:slow"]


def test_a_second_sigterm_does_not_cut_the_end_short(folder: Path) -> None:
    """timeout(1) sends one to the process and one to its group."""
    run = started(folder, "slowinit:he", "slowinit:slow", "--markdown=r.md", *OPTIONS)
    judging(folder)
    run.send_signal(signal.SIGTERM)
    time.sleep(0.05)
    run.send_signal(signal.SIGTERM)
    _, errors = run.communicate(timeout=300)
    assert run.returncode == 130, errors
    assert b"interrupted after" in errors
    assert (folder / "r.md").read_text()


def test_a_run_goes_on_where_another_stopped(folder: Path) -> None:
    first = started(folder, "slowinit:he", "slowinit:slow", *OPTIONS, CLAIMS)
    judging(folder)
    first.kill()
    first.communicate()
    (folder / "r.json").rename(folder / "before.json")
    before = Report.from_json((folder / "before.json").read_text())
    again = started(folder, "slowinit:he", "slowinit:slow", *OPTIONS, CLAIMS, "--resume=before.json")
    _, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    report = Report.from_json((folder / "r.json").read_text())
    assert len(report) == 6
    # The same seconds: it was not made again.
    kept = {(r.initializer, r.claim): r.seconds for r in before}
    assert kept
    assert {key: report[key].seconds for key in kept} == kept
    other = started(folder, "slowinit:he", *OPTIONS, "--seed=1", "--resume=before.json")
    _, errors = other.communicate(timeout=300)
    assert other.returncode == 2
    assert b"was made with seed 0, this run is with 1" in errors


ODD = """
def h\u00e9(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


def h\u4e2d(shape, rng):
    if max(shape) > 16:
        raise ValueError("\u00e9 \u4e2d \U0001f600 \\ud800")
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)
"""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_any_name_is_printed_on_any_terminal(encoding: str, folder: Path) -> None:
    (folder / "oddinit.py").write_text(ODD, encoding="utf-8")
    names = ["oddinit:h\u00e9", "oddinit:h\u4e2d"]
    environment = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    run = started(folder, *names, *OPTIONS, CLAIMS, "-v", env=environment)
    output, errors = run.communicate(timeout=300)
    assert (run.returncode, errors) == (1, b"")
    assert b"oddinit:h" in output
    assert Report.from_json((folder / "r.json").read_text(encoding="utf-8")).initializers == tuple(names)


def test_a_closed_or_broken_stdout_costs_no_file(folder: Path) -> None:
    words = " ".join(["slowinit:he", *OPTIONS, CLAIMS])
    closed = subprocess.run(
        f"{sys.executable} -m initcheck {words} >&- 2>&-",
        shell=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert closed.returncode == 0
    assert len(Report.from_json((folder / "r.json").read_text())) == 3
    (folder / "r.json").unlink()
    reading, writing = os.pipe()
    os.close(reading)
    broken = started(folder, *words.split(), stdout=writing)
    os.close(writing)
    _, errors = broken.communicate(timeout=300)
    assert errors == b""
    assert broken.returncode == 0  # as the guide says: a closed pipe is no verdict
    assert len(json.loads((folder / "r.json").read_text())["results"]) == 3


def test_a_full_device_as_output_is_a_sentence_and_costs_no_file(folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        run = started(folder, "slowinit:he", *OPTIONS, CLAIMS, stdout=full)
        _, errors = run.communicate(timeout=300)
    assert run.returncode == 2
    assert errors.startswith(b"initcheck: the output cannot be written: No space left")
    assert len(Report.from_json((folder / "r.json").read_text())) == 3


def test_a_folder_that_was_removed_is_a_sentence(folder: Path) -> None:
    gone = folder / "gone"
    gone.mkdir()
    script = f"rmdir {gone}; exec {sys.executable} -m initcheck slowinit:he"
    run = subprocess.run(
        script, shell=True, cwd=gone, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert run.returncode == 2
    assert run.stderr == "initcheck: the current folder no longer exists; go to one that does.\n"


@pytest.mark.parametrize("path", [".", "slowinit.py", "nowhere/r.json"])
def test_what_cannot_be_written_is_said_before_the_run(path: str, folder: Path) -> None:
    run = started(folder, "slowinit:slow", f"--json={path}")
    _, errors = run.communicate(timeout=300)
    assert run.returncode == 2
    assert errors.startswith(b"initcheck: the report cannot be written to")
    assert (folder / "slowinit.py").read_text() == SLOW


KILLS_THE_WORKER = """
import os, signal, subprocess


def kills_its_parent(shape, rng):
    if max(shape) > 16:
        subprocess.Popen(["sleep", "600"], start_new_session=True)
        os.kill(os.getppid(), signal.SIGKILL)
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


def he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)
"""


def test_what_a_killed_worker_of_xdist_has_started_is_ended_with_the_run(tmp_path: Path) -> None:
    (tmp_path / "killing.py").write_text(KILLS_THE_WORKER)
    options = [f"--initcheck-{word}" for word in ("profile=quick", "claims=finite", "json=r.json")]
    targets = [f"--initcheck=killing:{name}" for name in ("he", "kills_its_parent")]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n2", *targets, *options]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}", "INITCHECK_MARK": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr
    report = Report.from_json((tmp_path / "r.json").read_text())
    assert [(r.initializer, r.verdict.value) for r in report.failures] == [("killing:kills_its_parent", "FAILS")]
    assert report["killing:he", "finite"].verdict.value == "HOLDS"
    time.sleep(0.5)
    assert left(tmp_path) == []
