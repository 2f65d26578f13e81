"""`initcheck TARGET...` and the commands that explain it: what is printed where, and the exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from in_this_process import InThisProcess

import initcheck.runs.plan
from initcheck.doors.cli import main
from initcheck.doors.options import TargetKind, of_kind
from initcheck.report.report import Report


@pytest.mark.usefixtures("on_fake_engine")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("he:HHHHH", 0),
        ("he:HHUNW", 0),
        ("he:HFHHH", 1),
        ("he:HHUHH --strict", 1),
        ("he:HBHHH", 1),
        ("he:NNUUN", 1),
        ("nothing", 1),
        ("bad", 2),
        ("", 2),
        ("he:HHHHH --claims=fake-z", 2),
        ("he:HHHHH --contract=activation=relo", 2),
        ("he:HHHHH --json=nowhere/r.json", 2),
        ("he:HHIHH", 130),
    ],
)
def test_exit_code(words: str, code: int) -> None:
    assert main(words.split()) == code


@pytest.mark.usefixtures("on_fake_engine")
@pytest.mark.parametrize(
    "words",
    [
        "he --seed=-1",
        "he --timeout=no",
        "he --jobs=0",
        "he --prof=quick",
        "he --claims=,",
        "he --json=",
        "he --baseline=",
    ],
)
def test_unreadable_option_is_usage(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(words.split())
    assert exit_.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("he --bath=2", "there is no option --bath; did you mean"),
        ("he --seeed 3", "there is no option --seeed; did you mean '--seed'?"),
        ("he --batch=2x16", "--batch is an option of models; a run on initializers has none of that name"),
        ("model m:net --bach=2x16", "there is no option --bach; did you mean '--batch'?"),
        ("model m:net --profile=quick", "--profile is an option of initializers; a run on models has none"),
        ("model m:net --law h", "the law 'h' is not PATTERN=LAW, such as '*.c_proj.weight=0.02/sqrt(2*L)'."),
        ("model m:net --models=0", "'0' is not a number of models from 1 on."),
    ],
)
def test_an_unknown_option_names_the_closest(words: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(words.split())
    assert exit_.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_misspelt_command_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initcheck.runs.plan, "OwnProcess", InThisProcess)
    assert main(["modle", "m:net"]) == 2
    assert "there is no module 'modle'" in (said := capsys.readouterr().err)
    assert said.endswith("Or the command 'model'?\n")


@pytest.mark.usefixtures("on_fake_engine")
def test_targets_may_stand_between_options() -> None:
    assert main(["he:HHHHH", "--strict", "he:HFHHH"]) == 1


@pytest.mark.usefixtures("on_fake_engine")
def test_usage_error_is_one_sentence_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    main(["bad"])
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "initcheck: there is no target 'bad'; did you mean 'he:HHHHH'?\n"


@pytest.mark.usefixtures("on_fake_engine")
def test_output_is_the_finding_then_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(["he:HFHHH"])
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "he:HFHHH  FAILS"
    assert "  again   initcheck he:HFHHH --claims fake-b" in lines
    assert lines[-1].startswith("1 initializer: 1 fails (1 claim of 5)     ")
    assert err == ""
    assert "\x1b" not in out


@pytest.mark.usefixtures("on_fake_engine")
def test_verbose_lists_every_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    main(["he:HFUWN", "-v"])
    lines = capsys.readouterr().out.splitlines()
    first = [line.split("  ")[0] for line in lines if "  fake-" in line and not line.startswith(" ")]
    assert first[:5] == ["HOLDS", "FAILS", "UNDECIDED", "WAIVED", "NOT APPLICABLE"]


@pytest.mark.usefixtures("on_fake_engine")
def test_json_keeps_what_was_reached_before_an_interrupt(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["he:HHIHH", "ok:HHHHH", "--json=r.json"]) == 130
    report = Report.from_json(Path("r.json").read_text())
    assert len(report) == 2
    assert report.run.command == "initcheck he:HHIHH ok:HHHHH --json=r.json"
    assert "interrupted after 2 of 10 verdicts" in capsys.readouterr().err


@pytest.mark.usefixtures("on_fake_engine")
def test_a_target_named_twice_is_checked_once(capsys: pytest.CaptureFixture[str]) -> None:
    main(["he:HHHHH", "he:HHHHH"])
    assert capsys.readouterr().out.startswith("1 initializer: nothing fails (5 claims hold, 0 undecided)     ")


@pytest.mark.usefixtures("on_fake_engine")
def test_the_files_are_written_though_the_reader_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return False

        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            return None

        def fileno(self) -> int:
            return os.open(os.devnull, os.O_WRONLY)

    monkeypatch.setattr(sys, "stdout", Gone())
    # A pipe that is closed is no verdict, and takes none away.
    for letters, code in (("HFHHH", 1), ("HHHHH", 0)):
        assert main([f"he:{letters}", "--json=r.json", "--markdown=r.md"]) == code
        assert len(Report.from_json(Path("r.json").read_text())) == 5
        assert "5 claims = " in Path("r.md").read_text()
    assert main(["list"]) == 128 + signal.SIGPIPE


@pytest.mark.usefixtures("on_fake_engine")
def test_a_minus_prints_a_report_and_the_page_goes_where_errors_go(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["he:HHHHH", "--json=-"]) == 0
    said = capfd.readouterr()
    assert Report.from_json(said.out).ok
    assert "nothing fails" in said.err
    assert main(["he:HHHHH", "--json=-", "--markdown=-"]) == 2
    assert "--markdown and --json name the same file '-'" in capfd.readouterr().err
    assert not Path("-").exists()


@pytest.mark.parametrize(
    "words", [["gain", "tanh", "--json"], ["lock", "initcheck.gallery:he_normal", "-o"], ["gain", "relu", "--html"]]
)
def test_a_minus_prints_an_answer_and_a_file_of_somebody_else_is_kept(
    words: list[str], capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*words, "-"]) == 0
    assert capfd.readouterr().out.startswith(
        {"--json": "{", "-o": "# initcheck lock", "--html": "<!doctype"}[words[-1]]
    )
    assert not Path("-").exists()
    Path("package.json").write_text('{"mine": 1}')
    assert main([*words, "package.json"]) == 2
    assert Path("package.json").read_text() == '{"mine": 1}'
    assert main([*words, "nowhere/answer.json"]) == 2
    assert "nowhere/answer.json" in capfd.readouterr().err


@pytest.mark.long
def test_sigterm_ends_a_run_with_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "slow_one.py").write_text(
        "import time\n\nimport numpy\n\ncalls = []\n\n\ndef zeros(shape, rng):\n    return numpy.zeros(shape)\n\n\n"
        "def slow(shape, rng):\n    calls.append(shape)\n    time.sleep(60 if len(calls) > 40 else 0)\n"
        "    return rng.normal(0, shape[1] ** -0.5, shape)\n"
    )
    words = [sys.executable, "-m", "initcheck", "slow_one:zeros", "slow_one:slow", "--claims=units-differ"]
    with subprocess.Popen(
        [*words, "--json=r.json", "--profile=quick"], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "slow_one.py:8  zeros  FAILS\n"  # printed as it comes, into a pipe
        run.terminate()
        rest = run.stdout.read()
        assert run.wait() == 130
    assert rest.splitlines()[-1].startswith("1 initializer: 1 fails (1 claim of 1)     ")
    assert len(Report.from_json((tmp_path / "r.json").read_text())) == 1


def test_list_and_explain_cover_every_claim(capsys: pytest.CaptureFixture[str]) -> None:
    from initcheck.claims.registry import registry

    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    for claim in registry().values():
        assert f"  {claim.id}  (" in listed
        assert main(["explain", claim.id, "--no-examples"]) == 0
        text = capsys.readouterr().out
        assert claim.says in text
        assert f"source      {claim.source}" in text
    assert main(["explain", "finit"]) == 2
    assert "did you mean 'finite'?" in capsys.readouterr().err


def test_infer_says_what_contract_a_target_seems_to_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine_inferred.py").write_text(
        "def he(shape, rng):\n    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(["infer", "mine_inferred:he", "--contract=layout=out_in"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mine_inferred:he\n")
    assert "/fan_in" in out
    assert "activation relu (inferred)" in out


@pytest.mark.parametrize("kind", ["initializers", "models"])
def test_help_lists_every_option(kind: TargetKind, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*(["model"] if kind == "models" else []), "--help"])
    text = capsys.readouterr().out
    for option in of_kind(kind):
        assert f"--{option.name}" in text


def test_module_runs_as_a_script_and_survives_a_closed_pipe() -> None:
    words = [sys.executable, "-u", "-m", "initcheck", "list"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        assert run.stdout.readline().endswith(":\n")
        run.stdout.close()
        assert run.stderr.read() == ""


def test_an_empty_target_is_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a variable that the shell does not have: the tables of the project are no answer to it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[[tool.initcheck.targets]]\ntarget = "initcheck.gallery:he_normal"\n')
    asked = ["--claims", "finite", "--profile", "quick"]
    assert main(["", *asked]) == 2
    assert "nothing is named" in capsys.readouterr().err
    assert main([*asked, "--contract", ""]) == 0
