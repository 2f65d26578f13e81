"""Doors that lead on: what failed is asked again, the project's targets need no name, and a question finds a claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from initcheck.doors.answers.claim_search import claims_on, is_question
from initcheck.doors.cli import main
from initcheck.errors import UsageError
from initcheck.report.report import Report


@pytest.mark.usefixtures("on_fake_engine")
def test_only_what_failed_is_asked_again_as_it_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["one:HFHHF", "two:HHHHH", "--seed=7", "--json=r.json"]) == 1
    whole = Path("r.json").read_text()
    capsys.readouterr()
    assert main(["--failed", "--json=again.json"]) == 1
    report = Report.from_json(Path("again.json").read_text())
    assert [(r.initializer, r.claim) for r in report] == [("one:HFHHF", "fake-b"), ("one:HFHHF", "fake-e")]
    assert report.run.seed == 7
    assert Path("r.json").read_text() == whole
    assert "1 initializer: 1 fails (2 causes, 2 claims of 2)" in capsys.readouterr().out
    # The failures of that one are asked again, and of a report that is named, whatever ran since.
    assert main(["--failed"]) == 1
    assert "2 claims of 2)" in capsys.readouterr().out
    assert main(["three:HHHHH"]) == 0
    assert main(["--failed", "--previous=r.json"]) == 1
    assert "2 claims of 2)" in capsys.readouterr().out


@pytest.mark.usefixtures("on_fake_engine")
def test_where_nothing_failed_nothing_is_asked_and_no_exit_code_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--failed"]) == 2
    assert "no earlier run in this folder is known" in capsys.readouterr().err
    assert main(["two:HHHHH"]) == 0
    assert main(["--failed"]) == 2
    assert "nothing failed in the last run, initcheck two:HHHHH" in capsys.readouterr().err


@pytest.mark.usefixtures("on_fake_engine")
def test_without_a_target_the_tables_of_the_project_are_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "no pyproject.toml here has a table [[tool.initcheck.targets]]" in capsys.readouterr().err
    Path("pyproject.toml").write_text("[[tool.initcheck.targets]]\ntarget = 'he:HHHHH'\n")
    Path("src").mkdir()
    # The fake engine calls an initializer by its target; each letter of its end is a verdict.
    assert main(["--json=r.json", "--claims=fake-a"]) in (0, 1)
    assert Report.from_json(Path("r.json").read_text()).run.command == "initcheck --json=r.json --claims=fake-a"
    assert "@pyproject.toml" in capsys.readouterr().out
    assert main(["model"]) == 2
    assert "[[tool.initcheck.models]]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("question", "claim"),
    [
        ("is a normal between -1/sqrt(d) and 1/sqrt(d)?", "a-normal-is-not-bounded-by-one-over-sqrt-d"),
        ("why not zero?", "zero-init-never-learns"),
        ("does the signal vanish in depth", "signal-survives-depth"),
        ("does the seed matter", "same-seed-same-weights"),
        ("what if all weights are the same", "constant-init-trains-as-width-one"),
        ("why not start with zero?", "zero-init-never-learns"),
        ("why do we initialize weights randomly?", "small-different-numbers-break-symmetry"),
        ("why are my gradients vanishing?", "gradient-survives-depth"),
        ("my init is not reproducible", "same-seed-same-weights"),
        ("what happens with nan", "finite"),
        ("same weights on every gpu", "replicas-are-equal"),
    ],
)
def test_a_question_finds_a_claim(question: str, claim: str) -> None:
    assert is_question(question)
    assert claim in [c.id for c in claims_on(question)][:2]


@pytest.mark.parametrize("question", ["why sqrt(d)", "why 1/sqrt(n)?", "why divide by sqrt(fan_in)?"])
def test_who_asks_why_is_told_what_is_true_first_and_then_the_myth(question: str) -> None:
    told = [c.id for c in claims_on(question)]
    assert {"output-variance-grows-with-d", "output-variance-near-one"} <= set(told[:3])
    assert told.index("a-normal-is-not-bounded-by-one-over-sqrt-d") > 0


def test_a_question_that_no_claim_is_about_is_said() -> None:
    with pytest.raises(UsageError, match="no claim speaks of 'blorb flarb'"):
        claims_on("blorb flarb")


def test_explaining_a_question_prints_the_claim_and_its_kin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--no-examples", "why not zero?"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("why not zero?: zero-init-never-learns\n")
    assert "see also\n    initcheck explain zero-mean" in said


def test_the_gallery_is_listed_with_what_each_mistake_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "gallery"]) == 0
    said = capsys.readouterr().out
    correct, _, mistakes = said.partition("classic mistakes")
    assert "\n  he_normal\n      ReLU halves the second moment" in correct
    assert "\n  swapped_fans  fails output-variance-near-one\n" in mistakes


@pytest.mark.long
def test_an_explanation_is_a_page_with_both_examples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("jinja2")
    file = tmp_path / "e.html"
    assert main(["explain", "finite", f"--html={file}"]) == 0
    page = file.read_text()
    assert '<h2 id="words">What it says</h2><pre>finite  (check)' in page
    assert "initcheck.gallery:" in page
    assert "2 examples with their pictures" in capsys.readouterr().out
    assert main(["explain", "zero-init-never-learns", f"--html={file}"]) == 2
