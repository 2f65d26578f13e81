"""What a user may type by mistake, and the sentence that says what to type instead."""
# ruff: noqa: E501 - one sentence a row

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from initcheck.doors.cli import main
from initcheck.targets.loading import load

FILES = {
    "raising_one.py": "import os\n\nraise RuntimeError('no config found')\n",
    "needs_pkg.py": "import tensorflow_probability_of_mine\n",
    "schemes_here.py": "def goood(shape, rng):\n    return rng.normal(size=shape)\n",
    "holders.py": "import schemes_here\n\ntable = {'he': schemes_here.goood}\nlst = [schemes_here.goood]\n",
    "later_one.py": "async def later(shape, rng):\n    return rng.normal(size=shape)\n",
    "src/tinylib_of_mine/__init__.py": "",
    "src/uses_tinylib.py": "import tinylib_of_mine\n",
    "hands_on_of_mine/__init__.py": "from hands_on_of_mine.inits import he\n",
    "hands_on_of_mine/inits.py": "def he(shape, rng):\n    return rng.normal(size=shape)\n",
    "breaks_here.py": "def init(shape, rng):\n    return rng.normal(size=shape) / undefined\n",
    "src/tinylib_of_mine/inits.py": "from .other import np\n\ndef he(shape, rng):\n    return rng.normal(0, np.sqrt(2 / shape[1]), shape)\n",
    "src/tinylib_of_mine/other.py": "import numpy as np\n",
    "src/__main__.py": "",
    "no_package_here/part.py": "from .other import x\n",
    "ckpt.pt": "",
    "book.ipynb": "{}",
    "folder_here.py/notes.txt": "",
    "empty_of_mine/__init__.py": "",
    "empty_of_mine/__main__.py": "",
    "empty_of_mine/inits.py": "from .other import x\n",
    "ends_badly.py": "def init(shape, rng):\n    return (\n",
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("typed")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("raising_one", "(raising_one.py:3: raise RuntimeError('no config found'))."),
        ("needs_pkg", f"which is not installed for {sys.executable}; install it there: {sys.executable} -m pip install"),
        ("no_package_here/part.py:he", "Name it as that part, from this folder: no_package_here.part:he."),
        ("tinylib_of_mine.inits", "tinylib_of_mine lies in src/ and is not installed; pip install -e ., or set PYTHONPATH=src."),
        ("src/", "'src/' is a folder. Name a package that is installed, pkg.inits, or a file in it, such as src/uses_tinylib.py."),
        (".", "'.' is a folder. Name a package that is installed, pkg.inits, or a file in it, such as breaks_here.py."),
        ("src/tinylib_of_mine/", "'src/tinylib_of_mine/' is a folder."),
        ("src.uses_tinylib", "imports tinylib_of_mine, which lies in src/ and is not installed; pip install -e ., or set PYTHONPATH=src."),
        ("hands_on_of_mine", "It hands on what stands in hands_on_of_mine.inits: name that, or hands_on_of_mine:he."),
        ("breaks_here:init", "it raises NameError: name 'undefined' is not defined (breaks_here.py:2: return rng.normal(size=shape) / undefined)."
                             " It is called as its names say: mend what raises there."),
        ("random:choice", "Pass a function of the shape that calls it and returns the weights, such as def init(shape, rng)."),
        ("holders:lst[0]", "takes an item out of a container, and target text is never evaluated."),
        ("book.ipynb:he", "is a notebook. Check a function in a cell of it, initcheck.check(f), or move it into a file.py"),
        ("folder_here.py:he", "'folder_here.py' is no file of code: a folder, a pipe or a link to nothing."),
        ("folder_here:he", "there is no module 'folder_here', neither installed nor in"),
        ("empty_of_mine", "has no public function or class of its own. Name what is to be checked in it: empty_of_mine.inits."),
        ("empty_of_mine/inits.py", "empty_of_mine.inits imports empty_of_mine.other, and empty_of_mine has no such part; mend that import."),
        ("ends_badly", "it raises SyntaxError: '(' was never closed (ends_badly.py, line 2)."),
        (" ", "nothing is named; write a module (myinit) or module:name."),
        ("ckpt.pt", "is a file of weights, which are trained by now: nothing tells how they began."),
        ("lst", "Or the command 'list'?"),
        ("schemes_here.py:gooood", "'schemes_here.py' has no 'gooood'; did you mean 'goood'?"),
        ("holders:table", "is a dict of 1; check each of its items from Python: for f in table.values(): initcheck.check(f)."),
        ("holders:lst", "is a list of 1; check each of its items from Python: for f in lst: initcheck.check(f)."),
        ('holders:table["he"]', "takes an item out of a container, and target text is never evaluated."),
        ("holders he", "between module and name stands a colon: 'holders:he'?"),
        ("he)", "it ends in a bracket that nothing opens: 'he'?"),
        ("later_one:later", "It is a coroutine (async def): pass a plain function, which returns the weights at once."),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
def test_a_mistake_is_answered_with_what_to_write(
    typed: str, said: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main([typed, "--profile=quick"]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
    # No name of ours and none of the standard library is offered for a module of the user's.
    assert not any(f"Did you mean '{name}'" in err for name in ("ast", "crypt", "telnetlib"))


@pytest.mark.parametrize("typed", ["src/tinylib_of_mine/inits.py", "src/tinylib_of_mine/inits.py:he"])
def test_a_file_that_imports_its_neighbours_is_read_as_the_part_of_its_package(
    typed: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", list(sys.path))
    [found] = load(typed).initializers
    assert found.location is not None
    assert found.location[0].endswith("tinylib_of_mine/inits.py")


def test_a_module_that_shows_nothing_costs_what_is_named_beside_it_no_verdict(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(here)
    assert main(["empty_of_mine", "schemes_here:goood", "--claims=zero-mean", "--profile=quick"]) == 2
    out, err = capsys.readouterr()
    assert "1 initializer: nothing fails, 1 not checked (1 claim holds" in out
    assert "not checked: empty_of_mine: module 'empty_of_mine' has no public function" in out
    assert "nothing is known of empty_of_mine" in err


@pytest.mark.long
def test_a_run_fails_where_what_was_asked_needs_what_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    sound = "def sound(shape, rng):\n    return rng.normal(size=shape)\n\n\n"
    Path("small_ones.py").write_text(
        sound + "def small(shape, rng):\n    assert shape[0] < 4\n    return sound(shape, rng)\n"
    )
    asked = ["small_ones", "--claims=finite", "--profile=quick"]
    assert main(asked) == 1
    assert "small_ones:small: finite: needs accepts-every-shape, which fails" in capsys.readouterr().out
    known = 'claim = "accepts-every-shape"\nsince = 2026-11-29\nreason = "small layers only"\n'
    Path("known.toml").write_text(
        f'format = "initcheck-baseline/1"\n[[known]]\ninitializer = "small_ones:small"\n{known}'
    )
    assert main([*asked, "--baseline=known.toml"]) == 0


@pytest.mark.parametrize("asked", ["what", "fix", "infer"])
def test_a_question_on_a_module_that_shows_no_initializer_is_answered(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "adds_up", raising=False)
    Path("adds_up.py").write_text("def add(a, b):\n    return a + b\n")
    assert main([asked, "adds_up"]) == 2
    assert "adds_up: 1 member shows no sign of making weights" in "".join(capsys.readouterr())


def test_a_target_in_the_place_of_a_claim_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "initcheck.gallery:he_normal"]) == 2
    said = capsys.readouterr().err
    assert "explain takes a claim" in said
    assert "initcheck infer initcheck.gallery:he_normal" in said
    assert "Valid:" not in said


def test_a_misspelt_option_is_answered_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["schemes_here", "--claim", "finite"])
    assert "there is no option --claim; did you mean '--claims'?" in capsys.readouterr().err
