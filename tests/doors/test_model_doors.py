"""The command line and pytest: targets, options, exit codes, items."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from initcheck.doors.cli import main
from initcheck.errors import UsageError
from initcheck.report.report import Report
from initcheck.targets.models import load_models, read_law_options

pytest_plugins = ["pytester"]

MODULE = """
import torch
from torch import nn

def net(width=16, depth=4, off=1.0):
    model = nn.ModuleDict({"h": nn.ModuleList(nn.Linear(width, width) for _ in range(depth))})
    for i, layer in enumerate(model["h"]):
        nn.init.normal_(layer.weight, std=0.25 * (off if i == 1 else 1.0))
    return model

def needs(width):
    return nn.Linear(width, width)

made = nn.Linear(2, 2)
"""

TABLE = """
[[tool.initcheck.models]]
target = "nets:net(off=2.0)"
name = "the odd net"
waive = { "siblings-share-one-law" = "by design" }

[[tool.initcheck.models]]
target = "nets:net"
laws = { "h.*.weight" = "1/sqrt(fan_in)" }
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nets.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_the_command_prints_the_portrait_and_ends_with_the_exit_code(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model", "nets:net", "--json", "r.json"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("initcheck model nets:net   1.088 k parameters, 8 tensors, 2 groups, 4 blocks\n")
    assert "1/sqrt(fan_in)" in out
    assert json.loads((here / "r.json").read_text())["contracts"]["nets:net"]["blocks"] == 4
    assert main(["model", "nets:net(off=2.0)"]) == 1
    assert "h.1.weight: drawn as normal std 0.5, its 3 siblings as normal std 0.25" in capsys.readouterr().out


def test_a_law_is_declared_as_an_option_and_in_the_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "nets.py:net", "--law", "h.*.weight=1/sqrt(fan_out)"]) == 0
    assert main(["model", "nets:net", "--law", "h.*.weight=0.02"]) == 1
    assert "drawn as normal std 0.25, declared 0.02 = 0.02" in capsys.readouterr().out
    (here / "pyproject.toml").write_text(TABLE)
    assert main(["model", "nets:net"]) == 0
    assert "declared   HOLDS" in capsys.readouterr().out
    assert main(["model", "@pyproject.toml"]) == 0
    assert "law        WAIVED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no TARGET is named"),
        (["nets"], "is a module; name what builds the model, as in nets:build_model. Its functions: needs, net."),
        (["nets:nett"], "net"),
        (["nets:needs"], "needs width; write them as literals, such as nets:needs(width=...)"),
        (["nets:net(depht=3)"], "it takes no 'depht'; did you mean 'depth'?"),
        (["nets:made"], "is a built model"),
        (["nets:net", "--law", "h"], "is not PATTERN=LAW"),
        (["@absent.toml"], "cannot be read"),
    ],
)
def test_a_wrong_command_is_a_usage_error(
    words: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model", *words]) == 2
    assert said in capsys.readouterr().err


def test_an_unknown_key_of_a_table_names_the_closest(here: Path) -> None:
    (here / "pyproject.toml").write_text('[[tool.initcheck.models]]\ntarget = "nets:net"\nlawz = {}\n')
    with pytest.raises(UsageError, match=r"has no key 'lawz'; did you mean 'laws'\?"):
        load_models(["@pyproject.toml"])


def test_options_win_over_a_table(here: Path) -> None:
    (here / "pyproject.toml").write_text(TABLE)
    [model] = load_models(["nets:net"], laws=read_law_options(["h.*.weight=0.02"]), batch="2x16", models=7)
    assert (model.laws, model.batch, model.models) == ({"h.*.weight": "0.02"}, "2x16", 7)


def test_explain_says_what_is_not_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "every-tensor-is-written"]) == 0
    assert "Not seen:" in capsys.readouterr().out


def test_pytest_has_one_item_a_claim(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(nets=MODULE)
    pytester.makepyfile(test_own="def test_own(): pass")
    result = pytester.runpytest_subprocess(
        "--initcheck-model=nets:net(off=2.0)", "--initcheck-law=h.*.weight=0.25", "-v", "-p", "no:cacheprovider"
    )
    result.assert_outcomes(passed=3, failed=2, skipped=3)
    result.stdout.fnmatch_lines(
        [
            "*models_provenance.py::siblings_share_one_law?nets:net(off=2.0)? FAILED*",
            "*h.1.weight: drawn as normal std 0.5, its 3 siblings as normal std 0.25*",
            "initcheck model nets:net(off=2.0)   1.088 k parameters*",
            "2 of 8 fail; *",
        ]
    )
    assert "test_own" not in result.stdout.str()


def test_pytest_writes_the_files_of_a_run_on_models(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(nets=MODULE)
    files = [f"--initcheck-{kind}=r.{kind}" for kind in ("json", "html", "junit", "markdown")]
    words = ["--initcheck-model=nets:net(off=2.0)", "--initcheck-model=nets:net", *files, "-p", "no:cacheprovider"]
    pytester.runpytest_subprocess(*words)
    report = Report.from_json((pytester.path / "r.json").read_text())
    assert report.initializers == ("nets:net(off=2.0)", "nets:net")
    assert set(report.contracts) == set(report.initializers)
    assert report.run.command is not None
    assert "'--initcheck-model=nets:net(off=2.0)' --initcheck-model=nets:net" in report.run.command
    for kind in ("html", "junit", "markdown"):
        assert "siblings-share-one-law" in (pytester.path / f"r.{kind}").read_text()


def test_pytest_writes_no_file_twice(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(nets=MODULE)
    both = ["--initcheck-model=nets:net", "--initcheck=initcheck.gallery:he_normal", "--initcheck-json=r.json"]
    result = pytester.runpytest_subprocess(*both)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*run pytest once for the initializers and once for the models*"])


def test_pytest_refuses_a_wrong_target_as_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(nets=MODULE)
    result = pytester.runpytest_subprocess("--initcheck-model=nets:nothing")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*initcheck: *nothing*"])


def test_the_page_shows_groups_and_pictures_of_the_signal(here: Path) -> None:
    assert main(["model", "nets:net(depth=6, off=2.0)", "--batch", "2x16", "--html", "r.html"]) == 1
    page = (here / "r.html").read_text()
    assert "6 h.*.weight (16,16) normal std 0.25 = 1/sqrt(fan_in) (2 laws)" in page
    assert "&#39;path&#39;" not in page


def test_the_words_of_a_report_are_read_without_torch() -> None:
    code = (
        "import sys, initcheck.rendering.model_lines, initcheck.rendering.html.page; assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
