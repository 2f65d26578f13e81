"""`initcheck model TARGET` and `pytest --initcheck-model`: the same run as on initializers, on models."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch  # noqa: F401  # pytester forgets what a run imports, and torch dies when it is imported twice
from in_this_process import InThisProcess

import initcheck.runs.plan
from initcheck.claims import registry, statement
from initcheck.doors.cli import main
from initcheck.doors.options import OPTIONS
from initcheck.doors.request import plan
from initcheck.errors import UsageError
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict
from initcheck.targets.models import load_models

pytest_plugins = ["pytester"]

MODULE = """
import torch
from torch import nn

def net(width=16, depth=4, off=1.0):
    model = nn.ModuleDict({"h": nn.ModuleList(nn.Linear(width, width) for _ in range(depth))})
    for i, layer in enumerate(model["h"]):
        nn.init.normal_(layer.weight, std=0.25 * (off if i == 1 else 1.0))
    return model

class Odd(nn.Module):
    # No batch that anybody could guess goes through.
    def __init__(self):
        super().__init__()
        self.h = net()["h"]

    def forward(self, graph):
        return self.h[0](graph.nodes)

def needs(width):
    return nn.Linear(width, width)

def breaks():
    raise RuntimeError("no weights today")

def he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)

he.__initcheck__ = {"activation": "relu", "layout": "out_in"}
"""

DEEP = """
import nets
from torch import nn

class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.h = nets.net(depth=6, off=3.0)["h"]

    def forward(self, x):
        for layer in self.h:
            x = layer(x)
        return x
"""

TABLE = """
[[tool.initcheck.models]]
target = "nets:net(off=3.0)"
name = "the odd net"
waive = { "siblings-share-one-law" = "by design" }

[[tool.initcheck.models]]
target = "nets:net"
laws = { "h.*.weight" = "1/sqrt(fan_in)" }
"""

LAW, WRITTEN = "siblings-share-one-law", "every-tensor-is-written"
ONE = ["--claims", LAW]


@pytest.fixture(autouse=True)
def judged_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge in this process, which has imported torch already; `tests/long/doors` judges in another."""
    monkeypatch.setattr(initcheck.runs.plan, "OwnProcess", InThisProcess)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nets.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "nets", raising=False)
    return tmp_path


def read(file: str = "r.json") -> Report:
    return Report.from_json(Path(file).read_text())


def test_the_command_prints_the_portrait_and_ends_with_the_exit_code(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model", "nets:net", "--json", "r.json", "-v"]) == 0
    out = capsys.readouterr().out
    assert "initcheck model nets:net   1.088 k parameters, 8 tensors, 2 groups, 4 blocks\n" in out
    assert "1/sqrt(fan_in)" in out
    assert json.loads((here / "r.json").read_text())["contracts"]["nets:net"]["blocks"] == 4
    assert main(["model", "nets:net(off=3.0)"]) == 1
    assert "h.1.weight: drawn as normal std 0.75, its 3 siblings as normal std 0.25" in capsys.readouterr().out


def test_a_law_is_declared_as_an_option_and_in_the_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "nets.py:net", "--law", "h.*.weight=1/sqrt(fan_out)"]) == 0
    assert main(["model", "nets:net", "--law", "h.*.weight=0.02"]) == 1
    assert "drawn as normal std 0.25, declared 0.02 = 0.02" in capsys.readouterr().out
    (here / "pyproject.toml").write_text(TABLE)
    assert main(["model", "nets:net", "-v"]) == 0
    assert "declared   HOLDS" in capsys.readouterr().out
    assert main(["model", "@pyproject.toml", "-v"]) == 0
    assert "law        WAIVED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no TARGET is named"),
        (["nets"], "is a module; name what builds the model, as in nets:build_model. Its functions: breaks, he, n"),
        (["nets:nett"], "did you mean 'net'?"),
        (["nets:needs"], "needs width; write them as literals, such as nets:needs(width=...)"),
        (["nets:net(depht=3)"], "it takes no 'depht'; did you mean 'depth'?"),
        (["nets:breaks"], "nets:breaks builds no model: it raises RuntimeError: no weights today"),
        (["nets:net", "--law", "h.*=0.02/squrt(2)"], "calls 'squrt'; did you mean 'sqrt'?"),
        (["nets:net", "--batch", "4xx3"], "the batch '4xx3' cannot be read"),
        (["nets:net", "--claims", "finite"], "there is no claim 'finite' to ask of a model"),
        (["@absent.toml"], "target '@absent.toml' cannot be read"),
    ],
)
def test_a_wrong_command_is_a_usage_error(
    words: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("lawz = {}", r"number 1 of pyproject.toml has no key 'lawz'; did you mean 'laws'\?"),
        ("models = 0", "models=0 must be a whole number from 1 on"),
        ("waive = ['x']", "must be a table"),
        ("waive = { 'starts-at-chanc' = 'why not' }", "waives 'starts-at-chanc'; did you mean 'starts-at-chance'"),
        ("waive = { 'starts-at-chance' = '' }", "the waiver of 'starts-at-chance' needs a reason"),
    ],
)
def test_a_mistake_in_a_table_is_told_as_it_is_of_an_initializer(here: Path, table: str, said: str) -> None:
    (here / "pyproject.toml").write_text(f'[[tool.initcheck.models]]\ntarget = "nets:net"\n{table}\n')
    values = {o.name: o.default for o in OPTIONS}
    with pytest.raises(UsageError, match=said):
        plan({"models": ["@pyproject.toml"]}, values, "")


def test_options_win_over_a_table(here: Path) -> None:
    (here / "pyproject.toml").write_text(TABLE)
    [model] = load_models(["nets:net"], laws={"h.*.weight": "0.02"}, batch="2x16", models=7)
    assert (model.laws, model.batch, model.models) == ({"h.*.weight": "0.02"}, "2x16", 7)


def test_two_tables_on_one_target_are_two_models(here: Path) -> None:
    (here / "pyproject.toml").write_text(2 * "[[tool.initcheck.models]]\ntarget = 'nets:net'\n")
    assert [m.name for m in load_models(["@pyproject.toml"])] == ["nets:net", "nets:net #2"]


def test_a_waiver_that_expired_is_a_note_and_one_that_holds_fails(here: Path) -> None:
    (here / "pyproject.toml").write_text(
        "[[tool.initcheck.models]]\ntarget = 'nets:net'\n[tool.initcheck.models.waive]\n"
        f"{LAW} = {{ reason = 'ticket 1', until = 2020-01-01 }}\n{WRITTEN} = 'ticket 2'\n"
    )
    assert main(["model", "@pyproject.toml", "--json=r.json", f"--claims={LAW},{WRITTEN}"]) == 1
    report = read()
    assert report[LAW].notes[0] == f"the waiver of {LAW!r} (ticket 1) expired on 2020-01-01"
    assert report[WRITTEN].reason == "it is waived (ticket 2) and yet it holds: remove the waiver"


def test_known_failures_stand_in_a_baseline(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["model", "nets:net(off=3.0)", *ONE, "--baseline=known.toml"]
    assert main([*words, "--baseline-update"]) == 0
    assert 'initializer = "nets:net(off=3.0)"' in (here / "known.toml").read_text()
    capsys.readouterr()
    assert main(words) == 0
    out = capsys.readouterr().out
    assert out.startswith("baseline known.toml: 1 known failure in force\n")
    assert f"waived: {LAW}: known failure since " in out


def test_every_file_of_a_run_is_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [f"--{kind}=r.{kind}" for kind in ("json", "html", "junit", "markdown")]
    assert main(["model", "nets:net(off=3.0)", "nets:net", *ONE, *files, "--github"]) == 1
    report = read()
    assert report.initializers == ("nets:net(off=3.0)", "nets:net")
    assert set(report.contracts) == set(report.initializers)
    assert str(report.run.command).startswith("initcheck model 'nets:net(off=3.0)' nets:net --claims")
    for kind in ("html", "junit", "markdown"):
        assert LAW in (here / f"r.{kind}").read_text()
    assert "::error file=nets.py,line=5" in capsys.readouterr().out


def test_undecided_fails_where_the_run_is_strict(here: Path) -> None:
    words = ["model", "nets:Odd", f"--claims=signal-survives-the-blocks,{LAW}"]
    assert main(words) == 0
    assert main(["model", "nets:Odd", "--claims=signal-survives-the-blocks"]) == 1
    assert main([*words, "--strict"]) == 1


def test_a_claim_that_is_out_of_time_is_undecided(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "nets:net", *ONE, "--timeout=1e-9", "--json=r.json"]) == 1
    assert read()[LAW].verdict is Verdict.UNDECIDED
    assert read()[LAW].reason == "the 1e-09 s that a claim may take were over after 0 builds"


def test_a_claim_on_models_whose_own_code_breaks_is_undecided_and_fails_the_gate(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.registry()
    stated = dict(registry.STATED)
    monkeypatch.setattr(registry, "STATED", stated)
    monkeypatch.setattr(statement, "STATED", stated)

    @statement.claim("breaks-on-models", says="It breaks.", source="nobody 2026", kind="model")
    def breaks_on_models(trial: object) -> None:
        raise AttributeError("a bug in the claim")

    assert main(["model", "nets:net", f"--claims=breaks-on-models,{LAW}", "--json=r.json"]) == 1
    broken = read()["breaks-on-models"]
    assert (broken.verdict, broken.broke) == (Verdict.UNDECIDED, True)
    assert read()[LAW].verdict is Verdict.HOLDS
    assert "the claim's own code broke: AttributeError: a bug in the claim" in capsys.readouterr().out


def test_whoever_waits_is_told_of_every_build(here: Path) -> None:
    told: list[str] = []
    made = plan({"models": ["nets:net"]}, {o.name: o.default for o in OPTIONS}, "")
    made.told_to(told.append)
    made.judge(made.initializers[0], WRITTEN)
    assert told == ["nets:net, build 1", "nets:net, build 2"]


def test_the_command_that_repeats_a_verdict_says_what_was_said(here: Path) -> None:
    words = ["--batch=2x16", "--law=h.*.weight=1/sqrt(fan_in)", "--seed=3", *ONE]
    assert main(["model", "nets:net(off=3.0)", *words, "--json=r.json"]) == 1
    assert read()[LAW].reproduce == (
        f"initcheck model 'nets:net(off=3.0)' '--law=h.*.weight=1/sqrt(fan_in)' --batch=2x16 --claims={LAW} --seed=3"
    )


def test_explain_says_what_is_not_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", WRITTEN]) == 0
    assert "Not seen:" in capsys.readouterr().out


@pytest.fixture
def in_process(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run pytest in this process, beside the module of models."""
    pytester.makepyfile(nets=MODULE)
    monkeypatch.delitem(sys.modules, "nets", raising=False)

    def run(*args: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:benchmark", *args)

    return run


def test_pytest_has_one_item_a_claim(in_process, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own="def test_own(): pass")
    result = in_process("--initcheck-model=nets:net(off=3.0)", "--initcheck-law=h.*.weight=0.25", "-v")
    assert result.parseoutcomes()["failed"] == 2
    result.stdout.fnmatch_lines(
        [
            "initcheck: * claims x 1 model, seed 0; the project's own tests are not run: *",
            "nets:net(off=3.0)::siblings_share_one_law FAILED*",
            "*h.1.weight: drawn as normal std 0.75, its 3 siblings as normal std 0.25*",
            "initcheck model nets:net(off=3.0)   1.088 k parameters*",
            "2 of * fail; *",
        ]
    )
    assert "test_own" not in result.stdout.str()


@pytest.mark.long
def test_pytest_writes_one_file_of_initializers_and_models(in_process, pytester: pytest.Pytester) -> None:
    claims = f"--initcheck-claims=finite,{LAW}"
    files = [f"--initcheck-{kind}=r.{kind}" for kind in ("json", "html", "junit", "markdown")]
    both = ["--initcheck=nets:he", "--initcheck-model=nets:net(off=3.0)", "--initcheck-profile=quick"]
    result = in_process(*both, claims, *files)
    result.assert_outcomes(passed=1, failed=1)
    report = Report.from_json((pytester.path / "r.json").read_text())
    assert [(r.initializer, r.claim, r.verdict.value) for r in report] == [
        ("nets:he", "finite", "HOLDS"),
        ("nets:net(off=3.0)", LAW, "FAILS"),
    ]
    assert list(report.contracts) == ["nets:he", "nets:net(off=3.0)"]
    for kind in ("html", "junit", "markdown"):
        text = (pytester.path / f"r.{kind}").read_text()
        assert LAW in text
        assert kind == "markdown" or "nets:he" in text  # a summary names what fails
    result.stdout.fnmatch_lines(
        [
            "initcheck: 1 claim x 1 initializer, 1 claim x 1 model*",
            "1 initializer: nothing fails (1 claim holds, 0 undecided)*",
            "*1 of 1 fail*",
        ]
    )


def test_claims_of_one_kind_alone_are_refused_where_both_are_tested(in_process) -> None:
    result = in_process("--initcheck=nets:he", "--initcheck-model=nets:net", "--initcheck-claims=finite")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*none of the claims finite is asked of a model; name one that is: *"])


def test_pytest_refuses_a_wrong_target_as_a_usage_error(in_process) -> None:
    result = in_process("--initcheck-model=nets:nothing")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*initcheck: *nothing*"])


def test_a_builder_that_raises_is_a_sentence_in_pytest(in_process) -> None:
    result = in_process("--initcheck-model=nets:breaks", f"--initcheck-claims={LAW}")
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["nets:breaks builds no model: it raises RuntimeError: no weights today*"])
    result.stdout.no_fnmatch_line("*tell its author*")


def test_the_page_shows_groups_and_pictures_of_the_signal(here: Path) -> None:
    (here / "deep.py").write_text(DEEP)
    assert main(["model", "deep:Deep", "--batch", "2x16", "--html", "r.html"]) == 1
    page = (here / "r.html").read_text()
    rows = [re.sub("<[^>]+>", "|", row) for row in re.findall("<tr>.*?</tr>", page)]
    words = [[cell for cell in row.split("|") if cell] for row in rows]
    assert ["6", "h.*.weight", "16 x 16", "normal std 0.25, 2 laws", "1/sqrt(fan_in)"] in words
    assert "&#39;path&#39;" not in page
    assert "Signal and gradient through the blocks" in page


def test_the_words_of_a_report_are_read_without_torch() -> None:
    code = (
        "import sys, initcheck.rendering.model_lines, initcheck.rendering.html.page; assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
