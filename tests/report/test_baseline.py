"""Known failures: read, written, compared, and at both doors."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path

import fake_engine
import pytest

from initcheck.doors.cli import main
from initcheck.errors import UsageError
from initcheck.report.baseline import UNEXPLAINED, Baseline, Known
from initcheck.report.report import Report
from initcheck.report.verdict import Result, Verdict

pytest_plugins = ["pytester"]

DAY = datetime.date(2026, 5, 4)
TODAY = datetime.date(2026, 11, 24)
HOSTILE = 'a"b\\c\n]]\t\x7f\x00<script>\u202e'


def result(claim: str = "zero-mean", verdict: Verdict = Verdict.FAILS, initializer: str = "m:he") -> Result:
    return Result(claim=claim, says="It is so.", initializer=initializer, family="f", verdict=verdict)


def known(claim: str = "zero-mean", initializer: str = "m:he", reason: str = "ticket 12") -> Known:
    return Known(initializer=initializer, claim=claim, since=DAY, reason=reason)


@pytest.mark.parametrize("text", ["ticket 12", HOSTILE, "ü 初"])
def test_what_is_written_is_read_again(tmp_path: Path, text: str) -> None:
    written = Baseline(entries=(known(initializer=text, reason=text), known("finite", "a:b")))
    path = tmp_path / "known.toml"
    written.write(path)
    assert set(Baseline.read(path).entries) == set(written.entries)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["known"][1]["reason"] in (text, "ticket 12")


def test_half_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    Baseline(entries=(known(initializer="a\ud800"),)).write(tmp_path / "b.toml")
    assert Baseline.read(tmp_path / "b.toml").entries[0].initializer == "a\\ud800"


def test_the_file_is_sorted_whatever_the_order_of_the_run() -> None:
    one, two = known("finite", "b"), known("finite", "a")
    assert Baseline(entries=(one, two)).to_toml() == Baseline(entries=(two, one)).to_toml()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("format =", "is not TOML"),
        ("x = 1", "it lacks format = 'initcheck-baseline/1' at its top"),
        ("{F}other = 1", "look at: other"),
        ("{F}[[known]]\ninitializer='a'", "number 1 of .* lacks claim"),
        ("{F}[[known]]\nclam='a'", "has no key 'clam'; did you mean 'claim'"),
        (
            "{F}[[known]]\ninitializer='a'\nclaim='zero-mean'\nreason=' '\nsince=2026-05-04",
            "reason = ' ' must be text",
        ),
        (
            "{F}[[known]]\ninitializer='a'\nclaim='zero-mean'\nreason='r'\nsince='May'",
            "must be a date without quotes",
        ),
        (
            "{F}[[known]]\ninitializer='a'\nclaim='zero-men'\nreason='r'\nsince=2026-05-04",
            "did you mean 'zero-mean'",
        ),
        ("{F}{E}{E}", "lists zero-mean of a twice; remove one"),
    ],
)
def test_a_file_that_is_wrong_says_where_and_what(tmp_path: Path, text: str, sentence: str) -> None:
    entry = "[[known]]\ninitializer='a'\nclaim='zero-mean'\nreason='r'\nsince=2026-05-04\n"
    path = tmp_path / "known.toml"
    path.write_text(text.replace("{F}", "format = 'initcheck-baseline/1'\n").replace("{E}", entry))
    with pytest.raises(UsageError, match=sentence):
        Baseline.read(path, claims=["zero-mean", "finite"])


def test_a_missing_file_is_an_error_unless_it_is_to_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist; write it once with the option baseline-update"):
        Baseline.read(tmp_path / "none.toml")
    assert Baseline.read(tmp_path / "none.toml", create=True).entries == ()


def test_a_known_failure_is_waived_and_says_since_when() -> None:
    judged = Baseline(entries=(known(),)).judged(result())
    assert (judged.verdict, judged.reason) == (Verdict.WAIVED, "known failure since 2026-05-04: ticket 12")
    assert judged.known_since == "2026-05-04"


def test_a_new_failure_stays_one() -> None:
    baseline = Baseline(entries=(known(),))
    for new in (result("finite"), result(initializer="m:other")):
        assert baseline.judged(new) is new


def test_an_entry_that_holds_is_an_error() -> None:
    judged = Baseline(entries=(known(),), name="known.toml").judged(result(verdict=Verdict.HOLDS))
    assert judged.verdict is Verdict.FAILS
    assert judged.reason.startswith(
        "known.toml lists it as failing since 2026-05-04 (ticket 12) and yet it holds: remove the entry"
    )


@pytest.mark.parametrize("verdict", [Verdict.UNDECIDED, Verdict.NOT_APPLICABLE, Verdict.WAIVED])
def test_what_was_not_shown_either_way_stays_as_it_is(verdict: Verdict) -> None:
    given = result(verdict=verdict)
    assert Baseline(entries=(known(),)).judged(given) is given


def test_an_update_keeps_dates_and_reasons_adds_the_new_and_drops_what_holds() -> None:
    before = Baseline(entries=(known(), known("finite"), known("units-differ"), known("finite", "gone:f")))
    run = [
        result(),
        result("finite", Verdict.HOLDS),
        result("owns-its-memory"),
        result("units-differ", Verdict.UNDECIDED),
    ]
    for results in (run, [before.judged(r, updating=TODAY) for r in run], [before.judged(r) for r in run]):
        after = {(e.initializer, e.claim): e for e in before.updated(results, today=TODAY).entries}
        assert after.keys() == {
            ("m:he", "zero-mean"),
            ("m:he", "units-differ"),
            ("m:he", "owns-its-memory"),
            ("gone:f", "finite"),
        }
        assert after["m:he", "zero-mean"] == known()
        assert after["m:he", "owns-its-memory"].since == TODAY
        assert after["m:he", "owns-its-memory"].reason == UNEXPLAINED


def test_the_header_counts_what_is_in_force() -> None:
    assert Baseline(entries=(known(),), name="b.toml").header == "b.toml: 1 known failure in force"
    assert Baseline(entries=(known(), known("finite"))).header == "the baseline: 2 known failures in force"


@pytest.mark.usefixtures("on_fake_engine")
def test_the_command_line_writes_it_honours_it_and_finds_what_holds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["he:HFHHH", "--baseline=b.toml", "--baseline-update"]) == 0
    assert [e.claim for e in Baseline.read("b.toml").entries] == ["fake-b"]

    capsys.readouterr()
    assert main(["he:HFHHH", "--baseline=b.toml", "--json=r.json"]) == 0
    assert "baseline b.toml: 1 known failure in force" in capsys.readouterr().out
    read = Report.from_json(Path("r.json").read_text())["fake-b"]
    assert (read.verdict, read.known_since) == (Verdict.WAIVED, datetime.date.today().isoformat())

    # The same initializer by another name: nothing of it is known.
    assert main(["she:HFHHH", "--baseline=b.toml"]) == 1

    Path("b.toml").write_text(Path("b.toml").read_text().replace("fake-b", "fake-a"))
    capsys.readouterr()
    assert main(["he:HFHHH", "--baseline=b.toml"]) == 1
    out = capsys.readouterr().out
    assert "and yet it holds: remove the entry" in out
    assert out.count("he:HFHHH  FAILS") == 2


@pytest.mark.usefixtures("on_fake_engine")
@pytest.mark.parametrize("words", ["he:HHHHH --baseline=none.toml", "he:HHHHH --baseline-update"])
def test_a_baseline_that_cannot_be_used_is_usage(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 2
    assert "baseline" in capsys.readouterr().err


def test_pytest_writes_it_honours_it_and_finds_what_holds(pytester, monkeypatch) -> None:
    fake_engine.install(monkeypatch.setattr)

    def run(*args: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess("-p", "no:benchmark", "--initcheck=he:HFHHH", *args)

    first = run("--initcheck-baseline=b.toml", "--initcheck-baseline-update")
    first.assert_outcomes(passed=4, xfailed=1)
    second = run("--initcheck-baseline=b.toml")
    second.assert_outcomes(passed=4, xfailed=1)
    second.stdout.fnmatch_lines(["initcheck: *, baseline b.toml: 1 known failure in force, seed 0; *"])
    path = pytester.path / "b.toml"
    path.write_text(path.read_text().replace("fake-b", "fake-a"))
    third = run("--initcheck-baseline=b.toml")
    third.assert_outcomes(passed=3, failed=2)
    third.stdout.fnmatch_lines(["*b.toml lists it as failing since*"])


def test_only_a_listing_of_the_items_writes_nothing(pytester, monkeypatch) -> None:
    fake_engine.install(monkeypatch.setattr)
    update = ("--initcheck-baseline=b.toml", "--initcheck-baseline-update")
    pytester.runpytest_inprocess("-p", "no:benchmark", "--initcheck=he:HFHHH", *update, "--collect-only")
    assert not (pytester.path / "b.toml").exists()
