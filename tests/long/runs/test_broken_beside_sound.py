"""A target whose own code breaks never takes the verdicts of those that are named beside it, nor an exit code of 0."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import initcheck
from initcheck.doors.cli import main

pytest_plugins = ["pytester"]

SOUND = "def he(shape, rng):\n    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)\n"
ARGUMENTS = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--data', required={})\np.parse_args()\n"
TRACES = """import sys


def no(*_):
    raise ValueError('seen')


sys.settrace(no)
"""
PATCHES = """import json, numpy, sys, time
numpy.isfinite = json.dumps = time.perf_counter = len
sys.path.clear()
sys.meta_path.clear()
sys.setrecursionlimit(90)
"""
AUDITS = """import sys


def no(event, _):
    if event == 'open':
        raise ValueError('no file')


sys.addaudithook(no)
"""
ODD = """

class Odd:
    @property
    def __class__(self):
        raise ValueError('nobody')

    def __call__(self, shape, rng):
        return 1


init_odd = Odd()
__all__ = ['he', 'init_odd', 3]
"""
FILES = {
    "sound.py": SOUND,
    "raises.py": "raise RuntimeError('no config found')\n",
    "segfaults.py": f"import ctypes\nctypes.string_at(0)\n{SOUND}",
    "needs_arguments.py": ARGUMENTS.format(True) + SOUND,
    "takes_arguments.py": ARGUMENTS.format(False) + SOUND,
    "refuses.py": "def he(shape, rng):\n    raise RuntimeError('not today')\n",
    "promises.py": f"{SOUND}he.__initcheck__ = {{'activaton': 'relu'}}\n",
    "traced.py": TRACES + SOUND,
    "patches.py": PATCHES + SOUND,
    "audits.py": AUDITS + SOUND,
    "asked.py": SOUND + ODD,
    "list.toml": "".join(f"[[tool.initcheck.targets]]\ntarget = '{t}:he'\n" for t in ("sound", "segfaults", "raises")),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def run(*targets: str) -> tuple[int, dict[str, set[str]]]:
    code = main([*targets, "--claims=finite", "--profile=quick", "--json=r.json"])
    verdicts: dict[str, set[str]] = {}
    for result in json.loads(Path("r.json").read_text())["results"] if os.path.exists("r.json") else ():
        verdicts.setdefault(result["initializer"], set()).add(result["verdict"])
    return code, verdicts


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("raises", "it raises RuntimeError: no config found (raises.py:1"),
        ("segfaults:he", "the process died of SIGSEGV (segfaults.py:2)."),
        ("needs_arguments:he", "saying 'initcheck: error: the following arguments are required: --data'. What it does"
                               ' when it is run as a script belongs under if __name__ == "__main__":'),
        ("refuses:he", "it raises RuntimeError: not today (refuses.py:2"),
        ("promises:he", "promises:he.__initcheck__: a contract has no key 'activaton'; did you mean 'activation'?"),
        ("traced:he", "it raises ValueError: seen (traced.py:5"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
def test_what_cannot_be_read_is_said_and_the_others_are_judged(
    broken: str, said: str, first: bool, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, verdicts = run(*((broken, "sound:he") if first else ("sound:he", broken)))
    out, error = capsys.readouterr()
    assert (code, verdicts) == (2, {"sound:he": {"HOLDS"}})
    assert f"not checked: {broken}: " in out
    assert said.rstrip(".") in out
    assert f"nothing is known of {broken}" in error


def test_alone_it_is_an_error_as_it_was(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("raises") == (2, {})
    assert capsys.readouterr().err.startswith("initcheck: target 'raises': raises cannot be imported: it raises")


def test_a_word_that_names_nothing_stops_the_run_before_it_begins(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sound:he", "sound:hee") == (2, {})
    assert "did you mean 'he'?" in capsys.readouterr().err


@pytest.mark.parametrize("poison", ["patches", "takes_arguments", "asked"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
def test_what_an_import_does_to_the_process_costs_nobody_a_verdict(poison: str, first: bool, here: Path) -> None:
    code, verdicts = run(*((poison, "sound:he") if first else ("sound:he", poison)))
    assert (code, verdicts) == (0, {"sound:he": {"HOLDS"}, f"{poison}:he": {"HOLDS"}})


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
def test_what_cannot_be_judged_in_its_own_process_is_no_pass_and_stops_nobody(first: bool, here: Path) -> None:
    code, verdicts = run(*(("audits:he", "sound:he") if first else ("sound:he", "audits:he")))
    assert (code, verdicts) in [
        (1, {"sound:he": {"HOLDS"}, "audits:he": {"UNDECIDED"}}),
        (0, {"sound:he": {"HOLDS"}, "audits:he": {"HOLDS"}}),  # where nothing had to be opened any more
    ]


def test_what_was_put_back_is_a_note_of_the_contract(here: Path) -> None:
    run("patches:he")
    [note] = [n for n in json.loads(Path("r.json").read_text())["contracts"]["patches:he"]["notes"] if "import" in n]
    assert note.startswith("patches changes functions of numpy, functions of time, functions of json, import hooks")
    assert note.endswith("for all other code as it is imported; that was put back")


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_from_python_no_report_passes_for_one_of_all_that_was_named(timeout: float | None, here: Path) -> None:
    with pytest.raises(
        initcheck.UsageError, match="'raises': raises cannot be imported: it raises RuntimeError: no config"
    ):
        initcheck.check(["sound:he", "raises"], timeout=timeout, claims=["finite"], profile="quick")


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_beside_others_what_shows_nothing_to_check_is_no_pass(
    timeout: float | None, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "helpers.py").write_text("def doubled(a, b):\n    return 2 * a\n")
    assert run("helpers", "sound:he") == (2, {"sound:he": {"HOLDS"}})
    out, error = capsys.readouterr()
    assert "not checked: helpers: 1 member shows no sign of making weights" in out
    assert "nothing is known of helpers" in error
    with pytest.raises(initcheck.UsageError, match="target 'helpers': 1 member shows no sign of making weights"):
        initcheck.check(["sound:he", "helpers"], timeout=timeout, claims=["finite"], profile="quick")
    assert not initcheck.check("helpers", timeout=timeout, claims=["finite"], profile="quick").results


def test_a_list_in_a_file_is_read_entry_by_entry(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("@list.toml") == (2, {"sound:he": {"HOLDS"}})
    out, error = capsys.readouterr()
    assert "not checked: segfaults:he: it cannot be imported: the process died of SIGSEGV" in out
    assert "not checked: raises:he: raises cannot be imported: it raises RuntimeError: no config found" in out
    assert "nothing is known of segfaults:he, raises:he" in error


def test_pytest_judges_the_others_and_ends_in_an_error(here: Path, pytester: pytest.Pytester) -> None:
    for name, text in FILES.items():
        (pytester.path / name).write_text(text)
    done = pytester.runpytest_subprocess(
        "--initcheck=raises", "--initcheck=sound:he", "--initcheck-claims=finite", "--initcheck-profile=quick"
    )
    done.assert_outcomes(passed=1)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stdout.fnmatch_lines(["*nothing is known of raises: *", "not checked: raises: raises cannot be imported*"])


@pytest.mark.parametrize("needed", ["numpy", "hypothesis", "statistics"])
def test_a_script_that_is_called_as_what_we_need_takes_nobodys_place(needed: str, here: Path) -> None:
    (here / f"{needed}.py").write_text(SOUND)
    words = ["sound:he", f"{needed}.py:he", "--claims=finite", "--profile=quick"]
    done = subprocess.run([sys.executable, "-m", "initcheck", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2 initializers: nothing fails (2 claims hold" in done.stdout


def test_what_a_module_started_as_it_was_imported_ends_with_the_run(here: Path) -> None:
    mark = f"INITCHECK_TEST={here}"
    (here / "starts.py").write_text("import subprocess\nsubprocess.Popen(['sleep', '600'])\n" + SOUND)
    # This claim repeats calls in fresh processes of the process that judges: each of them imports the module.
    words = ["starts:he", "--claims=same-seed-same-weights", "--profile=quick"]
    environment = {**os.environ, "INITCHECK_TEST": str(here)}
    done = subprocess.run([sys.executable, "-m", "initcheck", *words], capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr
    left = [p for p in Path("/proc").glob("[0-9]*/environ") if mark.encode() in _read(p)]
    assert left == []


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
