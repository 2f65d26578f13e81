"""Every block of the README and the guide that is meant to be copied, run as it stands in a folder of its own."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from initcheck.doors import option_table
from initcheck.doors.cli import main
from initcheck.doors.options import KIND_OF_CLAIM, OPTIONS, of_kind

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "initcheck" / "guide").glob("*.md"))]
README = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
BLOCKS = [
    re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE) for page in PAGES
]


def block(language: str, first_line: str) -> str:
    """The block of the README that begins so, or else the only one of the guide: a page may begin a file anew."""
    for pages in (BLOCKS[:1], BLOCKS[1:]):
        blocks = [block for page in pages for block in page]
        found = [text for kind, text in blocks if kind == language and text.startswith(first_line + "\n")]
        if found:
            break
    assert len(found) == 1, f"{len(found)} blocks of {language} begin with {first_line!r}"
    return str(found[0])


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's repository: nothing in it but the initializer that the README shows."""
    (tmp_path / "myinit.py").write_text(block("python", "# myinit.py"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "myinit", raising=False)
    # The commands of the blocks find the environment that runs this test, and the checkout under test.
    monkeypatch.setenv("PATH", os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # Where tox runs these tests, its own settings must not reach the tox of the block.
    for name in [name for name in os.environ if name.startswith("TOX")]:
        monkeypatch.delenv(name)
    return tmp_path


def run(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the shell of a CI step does."""
    environment = {**os.environ, **environment}
    return subprocess.run(["bash", "-euo", "pipefail", "-c", command], env=environment, capture_output=True, text=True)


def test_the_tox_environment(repository: Path) -> None:
    pytest.importorskip("tox", reason="the block is run by tox")
    (repository / "tox.ini").write_text(block("ini", "# tox.ini"))
    # What cannot be so in a test: initcheck comes from the checkout, not from an index, and there is no package.
    paths = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
    instead = {
        "tox.no_package": "true",
        "testenv:initcheck.deps": "",
        "testenv:initcheck.set_env": f"PYTHONPATH={paths}",
        "testenv:initcheck.allowlist_externals": "initcheck",
    }
    words = [word for key, value in instead.items() for word in ("-x", f"{key}={value}")]
    done = run(shlex.join([sys.executable, "-m", "tox", "run", "-e", "initcheck", *words]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"1 initializer: nothing fails \([1-9]\d* claims hold, 0 undecided\)", done.stdout), done.stdout
    assert "initcheck: OK" in done.stdout


def test_the_github_workflow(repository: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="the block is read as YAML")
    workflow: dict[Any, Any] = yaml.safe_load(block("yaml", "# .github/workflows/initcheck.yml"))
    # YAML 1.1 reads the key `on` as true.
    assert workflow[True] == ["push", "pull_request"]
    (job,) = workflow["jobs"].values()
    steps = job["steps"]
    assert [s["uses"].split("@")[0] for s in steps if "uses" in s] == [
        "actions/checkout",
        "actions/setup-python",
        "actions/upload-artifact",
    ]
    install, check = (s["run"] for s in steps if "run" in s)
    pip, verb, requirement = shlex.split(install)
    assert (pip, verb) == ("pip", "install")
    name, _, extra = requirement.rstrip("]").partition("[")
    assert extra in (importlib.metadata.metadata(name).get_all("Provides-Extra") or [])
    done = run(check, GITHUB_STEP_SUMMARY=str(repository / "summary.md"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 fail" in (repository / "summary.md").read_text()
    kept = {path.name for path in repository.glob(steps[-1]["with"]["path"])}
    assert kept == {"report.html", "report.json"}


def test_the_workflow_fails_where_the_initializer_does(repository: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="the block is read as YAML")
    text = (repository / "myinit.py").read_text()
    (repository / "myinit.py").write_text(text.replace("np.sqrt(2 / shape[1])", "0.5"))
    workflow = yaml.safe_load(block("yaml", "# .github/workflows/initcheck.yml"))
    check = workflow["jobs"]["initcheck"]["steps"][3]["run"]
    done = run(check + " --claims output-variance-near-one", GITHUB_STEP_SUMMARY=str(repository / "summary.md"))
    assert done.returncode == 1
    assert "::error file=myinit.py,line=5" in done.stdout


def test_the_pre_commit_hook(repository: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="the block is read as YAML")
    (repo,) = yaml.safe_load(block("yaml", "# .pre-commit-config.yaml"))["repos"]
    (hook,) = repo["hooks"]
    assert repo["repo"] == "local"
    assert {"id", "name", "entry", "language", "files"} <= set(hook)
    assert re.search(hook["files"], "myinit.py")
    assert not hook["pass_filenames"]
    # pre-commit splits an entry into words and runs it without a shell.
    done = subprocess.run(shlex.split(hook["entry"]), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_test_file_of_ones_own(repository: Path) -> None:
    (repository / "test_myinit.py").write_text(block("python", "# test_myinit.py"))
    done = run(f"{shlex.quote(sys.executable)} -m pytest -q test_myinit.py -k 'zero or output or finite'")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def shown_by(cell_text: str) -> str:
    """What a notebook shows below a cell: the value of its last expression, as HTML."""
    cell = ast.parse(cell_text)
    *statements, last = cell.body
    assert isinstance(last, ast.Expr)
    names: dict[str, Any] = {}
    exec(compile(ast.Module(statements, []), "cell", "exec"), names)
    return str(eval(compile(ast.Expression(last.value), "cell", "eval"), names)._repr_html_())


def test_the_notebook_cell_says_that_nothing_fails(repository: Path) -> None:
    shown = shown_by(block("python", "# a notebook cell"))
    assert re.search(r"<strong>No claim fails</strong>: \d+ claims = [1-9]\d* hold \+ 0 fail", shown)
    assert "<table>" not in shown


def test_the_notebook_cell_shows_a_table_where_the_initializer_fails(repository: Path) -> None:
    text = (repository / "myinit.py").read_text()
    (repository / "myinit.py").write_text(text.replace("np.sqrt(2 / shape[1])", "0.5"))
    shown = shown_by(block("python", "# a notebook cell"))
    assert "claims fail</strong>" in shown
    assert "<strong>✗ myinit:he</strong> <small>myinit.py:5</small>" in shown
    assert "<table>" in shown
    assert "output-variance-near-one" in shown


def test_the_lines_of_python(repository: Path) -> None:
    names: dict[str, Any] = {}
    exec(block("python", "# from Python").replace('"myinit:he"', '"myinit:he", profile="quick"'), names)
    assert names["report"].ok


def test_the_configuration(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "pyproject.toml").write_text(block("toml", "# pyproject.toml\n[tool.initcheck]"))
    assert main(["@pyproject.toml"]) == 0
    said = capsys.readouterr().out
    # Three claims of two initializers, of which one is waived.
    assert "2 initializers: nothing fails (5 claims hold, 0 undecided)" in said
    one = "initcheck.gallery:uniform_one_over_sqrt_fan"
    assert f"waived: output-variance-near-one of {one}: old checkpoints need it (until 2099-12-31)" in said
    assert "profile quick" in said


def test_every_option_belongs_to_a_run_of_the_command_line() -> None:
    # So that the help of the four runs, which the next test but one reads, leaves out no option.
    assert {option for kind in KIND_OF_CLAIM for option in of_kind(kind)} == set(OPTIONS)


def test_the_table_of_options_is_what_the_options_say() -> None:
    match = re.search(r"<!-- options: .*? -->\n\n(\|.*?\n)\n", README, re.DOTALL)
    assert match is not None
    # Where this fails: python -m initcheck.doors.option_table
    assert match[1] == option_table.table()


@pytest.mark.parametrize("door", ["initcheck", "initcheck model", "initcheck same", "initcheck lock", "pytest"])
def test_every_option_stands_in_the_help_with_the_words_of_the_table(
    door: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    if door == "pytest":
        pytest.main(["--help", "-p", "no:cacheprovider"])
        options = [option for option in OPTIONS if option.door == "both"]
    else:
        with pytest.raises(SystemExit):
            main([*door.split()[1:], "--help"])
        kinds = {"initcheck model": "models", "initcheck same": "pairs", "initcheck lock": "locks"}
        options = list(of_kind(kinds.get(door, "initializers")))
    told = " ".join(capsys.readouterr().out.split())
    for option in options:
        flag = f"--initcheck-{option.name}" if door == "pytest" else f"--{option.name}"
        placed = f"{flag} {option.metavar}" if door != "pytest" and option.metavar else flag
        assert re.search(rf"{re.escape(placed)}(?!\w)", told), flag
        assert option.help in told


def test_every_block_to_copy_is_run_here_or_told_apart() -> None:
    known = {"# myinit.py", "# from Python", "# test_myinit.py", "# a notebook cell", "# tox.ini", "# pyproject.toml"}
    known |= {"# .github/workflows/initcheck.yml", "# .pre-commit-config.yaml"}
    known |= {
        "# lesson.py",
        "# scheme.py",
        "# gpt.py",
        "# port.py",
        "# ourclaims.py",
    }  # tests/long/guide follows those pages
    known.add("[[tool.initcheck.same]]")  # tests/comparison/test_same_doors.py has such a table
    firsts = {
        text.splitlines()[0] for page in BLOCKS for kind, text in page if kind in ("python", "ini", "yaml", "toml")
    }
    assert firsts == known
