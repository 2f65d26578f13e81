"""The account of a failure line by line, the summary of a run, and text from users kept harmless."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import pytest
import sample_reports

from initcheck.rendering.terminal import (
    Page,
    account_lines,
    in_encoding,
    painted,
    report_lines,
    result_line,
    summary_lines,
)
from initcheck.report.account import failure_text, page_lines
from initcheck.report.report import Report
from initcheck.report.results import NotChecked, Run
from initcheck.report.verdict import Evidence, Result, Verdict
from initcheck.safe_text import escaped

WHOLE = Evidence(
    measured="0.334",
    allowed="[0.80, 1.25]",
    value=0.334,
    band=(0.8, 1.25),
    case="shape (1, 1), float32: dense, fan_in 1, fan_out 1",
    calls=96,
    weights=24_576,
    e_value_log10=9.3,
    error_spent=5e-7,
    likely="variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)",
    fix="+-sqrt(3/fan_in) has unit output variance",
)


def judged(verdict: Verdict = Verdict.FAILS, claim: str = "output-variance-near-one", **fields: object) -> Result:
    told = {
        "says": "A unit's pre-activation keeps second moment 1 at every width.",
        "initializer": "myinit:he",
        "family": "scale",
        "reproduce": "pytest --initcheck=myinit:he -k output_variance --initcheck-seed=0",
    }
    return Result(claim=claim, verdict=verdict, **{**told, **fields})  # type: ignore[arg-type]


def summary(*results: Result, **fields: object) -> list[str]:
    return summary_lines(Report(run=Run(claims=23), results=results, **fields))  # type: ignore[arg-type]


def test_account_has_the_anatomy_line_by_line() -> None:
    assert failure_text(judged(evidence=WHOLE)).splitlines() == [
        "output-variance-near-one  FAILS  for myinit:he",
        "  A unit's pre-activation keeps second moment 1 at every width.",
        "    measured    0.334        allowed [0.80, 1.25]",
        "    smallest    shape (1, 1), float32: dense, fan_in 1, fan_out 1",
        "    evidence    24,576 weights in 96 calls; e-value 10^9.3; error rate spent 5e-07",
        "    likely      variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)",
        "    fix         +-sqrt(3/fan_in) has unit output variance",
        "    reproduce   pytest --initcheck=myinit:he -k output_variance --initcheck-seed=0",
    ]


def test_a_line_with_nothing_to_say_is_not_printed() -> None:
    assert failure_text(judged(reproduce=None)).splitlines() == [
        "output-variance-near-one  FAILS  for myinit:he",
        "  A unit's pre-activation keeps second moment 1 at every width.",
    ]


def test_account_gives_reason_traceback_shape_and_notes_where_there_are_any() -> None:
    evidence = Evidence(
        measured="raises ZeroDivisionError at fan_in 0",
        allowed="a result",
        shape=(1, 1),
        dtype="float32",
        calls=1,
        detail=("File m.py, line 3", "ZeroDivisionError"),
    )
    result = judged(evidence=evidence, reason="it is waived (old) and yet it holds", notes=("contract inferred: relu",))
    assert failure_text(result).splitlines()[2:-1] == [
        "    reason      it is waived (old) and yet it holds",
        "    measured    raises ZeroDivisionError at fan_in 0",
        "    allowed     a result",
        "    smallest    shape (1, 1), float32",
        "    evidence    1 call",
        "                File m.py, line 3",
        "                ZeroDivisionError",
        "    note        contract inferred: relu",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 中", "plain é 中"),
        ("a\nb\r\t", "a\\nb\\r\\t"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("lone \ud800", "lone \\ud800"),
        ("null \x00", "null \\x00"),
    ],
)
def test_text_of_users_is_printable(text: str, shown: str) -> None:
    assert escaped(text) == shown
    for line in failure_text(judged(initializer=text)).splitlines():
        assert line.isprintable()


def test_long_names_keep_both_ends() -> None:
    shown = escaped("a" * 5_000 + "b" * 5_000)
    assert len(shown) < 200
    assert "(10,000 characters)" in shown
    assert shown.startswith("aaa")
    assert shown.endswith("bbb")


def test_colour_only_where_wanted() -> None:
    line = "zero-mean  FAILS  for he"
    assert painted(line, False) == line
    assert painted(line, True) == "zero-mean  \x1b[1;31mFAILS\x1b[0m  for he"
    assert painted("nothing here", True) == "nothing here"


def test_result_line_says_verdict_claim_initializer_and_value() -> None:
    words = result_line(judged(evidence=WHOLE)).split("  ")
    assert [w.strip() for w in words if w.strip()] == [
        "FAILS",
        "output-variance-near-one",
        "myinit:he",
        "0.334; allowed [0.80, 1.25]",
    ]
    assert "(needs finite)" in result_line(judged(Verdict.NOT_APPLICABLE, reason="needs finite"))


def test_denominator_adds_up_and_names_every_verdict_that_occurs() -> None:
    results = [judged(v, claim=f"claim-{n}", reason="why") for n, v in enumerate(Verdict)]
    assert summary(*results)[0] == "5 claims = 1 hold + 1 fail + 1 undecided + 1 waived + 1 not applicable"
    assert summary(judged(Verdict.HOLDS))[0] == "1 claim = 1 hold + 0 fail"


def test_error_bound_is_summed_over_initializers() -> None:
    two = [judged(initializer=name) for name in ("a", "b")]
    assert "P(any false FAIL) <= 1e-06; a HOLDS is wrong with probability <= 0.001; seed 0, profile default" in (
        summary(two[0])
    )
    assert any(
        line.startswith("P(any false FAIL) <= 1e-06 for each initializer (2e-06 in this run);")
        for line in summary(*two)
    )


def test_what_was_not_checked_is_folded_by_reason() -> None:
    skipped = [
        judged(Verdict.NOT_APPLICABLE, claim=claim, reason=reason)
        for claim, reason in [("a-b", "needs finite"), ("a-c", "needs finite"), ("a-d", "no convolutions")]
    ]
    left = [
        NotChecked(name="m:scaled", reason="needs std", call_to_write="m:scaled(std=0.02)"),
        NotChecked(name="m:other", reason="is no initializer"),
        NotChecked(name="m:third", reason="is no initializer"),
    ]
    lines = summary(judged(Verdict.HOLDS), *skipped, not_checked=tuple(left))
    assert lines[1:6] == [
        "not applicable: a-b, a-c: needs finite",
        "not applicable: a-d: no convolutions",
        "not checked: m:scaled: needs std; write m:scaled(std=0.02)",
        "not checked: m:other, m:third: is no initializer",
        "P(any false FAIL) <= 1e-06; a HOLDS is wrong with probability <= 0.001; seed 0, profile default",
    ]


def test_undecided_claims_are_folded_though_their_figures_differ() -> None:
    results = [
        judged(Verdict.UNDECIDED, initializer=f"f{n}", claim="zero-mean", reason=f"0.0{n} measured") for n in range(9)
    ]
    lines = [line for line in summary(*results) if line.startswith("undecided")]
    assert lines == ["undecided: zero-mean of 9 initializers: 0.00 measured"]


def test_inferred_contracts_are_said() -> None:
    contracts = {
        "a": {
            "activation": "relu",
            "fan": "fan_in",
            "origins": {"activation": "declared", "fan": "inferred"},
        },
        "b": {"fan": "fan_in", "origins": {"fan": "inferred"}, "notes": ["Assumed (out, in)."]},
        "c": {"fan": "fan_in", "origins": {"fan": "declared"}},
    }
    lines = [line for line in summary(judged(), contracts=contracts) if line.startswith("contract")]
    assert lines == [
        "contract of a inferred: fan=fan_in",
        "contract of b inferred: fan=fan_in",
        "contract of b note: Assumed (out, in).",
    ]


def test_last_line_reproduces_the_first_failure() -> None:
    lines = summary(judged(Verdict.HOLDS, reproduce="no"), judged(reproduce="first"), judged(reproduce="second"))
    assert lines[-1] == "reproduce the first failure: first"


def test_a_run_that_decided_nothing_says_so() -> None:
    said = "Nothing was decided: a run that shows nothing cannot pass."
    assert said in summary(judged(Verdict.UNDECIDED, reason="why"))
    assert said not in summary(judged(Verdict.HOLDS))


def test_a_hundred_initializers_fit_a_screen() -> None:
    claims = [f"claim-{n}" for n in range(23)]
    results = []
    for n in range(100):
        for c, claim in enumerate(claims):
            fails = n % 5 == 0 and c in (n % 7, n % 11)
            verdict = Verdict.FAILS if fails else Verdict.NOT_APPLICABLE if c == 22 else Verdict.HOLDS
            results.append(judged(verdict, claim=claim, initializer=f"package.module:initializer_{n}", reason="why"))
    lines = summary(*results)
    assert len(lines) <= 24
    assert max(map(len, lines)) < 250
    assert any("nothing fails" in line for line in lines)
    assert sum("FAILS" in line for line in lines) >= 5


def test_accounts_of_many_failures_stand_together_by_claim() -> None:
    many = [judged(initializer=f"m:f{n}", claim=c, evidence=WHOLE) for n in range(50) for c in ("a-b", "a-c")]
    heads = [line for line in account_lines(many) if "FAILS  for" in line]
    assert len(heads) == 100
    assert all(line.startswith("a-b") for line in heads[:50])


def finding_of(**fields: object) -> Result:
    told = {"evidence": WHOLE, "topic": "scale", "location": ("myinit.py", 5), "seconds": 12.0}
    return judged(**{**told, **fields})  # type: ignore[arg-type]


DEPTH = Evidence(
    measured="a factor 2.6e-10",
    allowed="[0.1, 10] through 20 layers",
    value=-9.6,
    band=(-1.0, 1.0),
    likely=WHOLE.likely,
    fix=WHOLE.fix,
    weights=9_000_000,
    series={"signal_by_depth": [[0, 0.0], [20, -9.6]]},
)
WIDTHS = [[fan, 0.334, 0.8, 1.25] for fan in (1, 16, 128)]
UNIFORM = Evidence(**{**vars(WHOLE), "series": {"variance_by_width": WIDTHS}})


def test_one_cause_is_five_lines_and_how_to_see_it_again() -> None:
    page = report_lines(
        Report(
            run=Run(claims=23),
            results=(
                finding_of(claim="signal-survives-depth", topic="depth", evidence=DEPTH),
                finding_of(evidence=UNIFORM),
                finding_of(claim="gradient-variance-near-one", evidence=UNIFORM, backward=True),
                finding_of(claim="zero-mean", topic="centering", verdict=Verdict.HOLDS),
                finding_of(claim="haar-distributed", verdict=Verdict.NOT_APPLICABLE, reason="not orthogonal"),
            ),
            contracts={"myinit:he": {"layout": "out_in", "origins": {"layout": "assumed"}}},
        ),
        seconds=24.0,
    )
    assert page == [
        "myinit.py:5  he  FAILS",
        "  output variance is 0.33 at every width; it should be 1 (0.80 to 1.25)",
        "  cause   variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)",
        "  fix     +-sqrt(3/fan_in) has unit output variance",
        "  hence   output-variance-near-one, gradient-variance-near-one; after 20 layers 3e-10 of the signal is left",
        "  again   initcheck myinit:he --claims output-variance-near-one",
        "",
        "assumed: layout=out_in (declare layout= to have swapped fans found); -v says more",
        "1 initializer: 1 fails (3 claims of 4)     24 s, seed 0; false alarm <= 1 in 1,000,000; -v for the evidence",
    ]


def test_a_run_without_a_failure_is_its_last_line() -> None:
    results = [finding_of(initializer=f"m:f{n}", verdict=Verdict.HOLDS) for n in range(24)]
    assert report_lines(Report(run=Run(), results=tuple(results)), seconds=58.0) == [
        "24 initializers: nothing fails (24 claims hold, 0 undecided)     58 s, seed 0;"
        " wrong with probability <= 0.001 a claim"
    ]


def test_many_initializers_have_three_lines_each_and_every_failing_name_is_printed() -> None:
    names = [f"package.module:initializer_{n}" for n in range(100)]
    results = [
        finding_of(initializer=name, verdict=Verdict.FAILS if n % 2 else Verdict.HOLDS, evidence=UNIFORM)
        for n, name in enumerate(names)
    ]
    lines = report_lines(Report(run=Run(), results=tuple(results)))
    assert [word for line in lines for word in line.split() if word in names] == names[1::2]
    assert len(lines) <= 3 * 50 + 3
    assert lines[-1].startswith("100 initializers: 50 fail (50 causes, 50 claims), 50 keep all     ")


def test_what_is_undecided_of_one_initializer_is_one_block_and_waits_for_what_fails() -> None:
    claims = ("output-variance-near-one", "zero-mean")
    open_ = [finding_of(claim=c, verdict=Verdict.UNDECIDED, reason=f"{c} is not shown") for c in claims]
    more = [
        finding_of(claim=c, verdict=Verdict.UNDECIDED, reason="nor here", initializer="myinit:xavier") for c in claims
    ]
    lines = report_lines(Report(run=Run(profile="quick"), results=(*open_, *more)))
    assert lines[:3] == [
        "myinit:he, myinit:xavier  UNDECIDED  output-variance-near-one, zero-mean",
        "  seen    output-variance-near-one is not shown",
        "  do      initcheck myinit:he --claims output-variance-near-one,zero-mean --profile default"
        "        (--strict would fail them)",
    ]
    failing = finding_of(verdict=Verdict.FAILS, evidence=UNIFORM, claim="units-differ")
    lines = report_lines(Report(run=Run(profile="quick"), results=(failing, *open_)))
    assert "  do      mend what fails first" in lines
    assert sum("UNDECIDED" in line for line in lines) == 1


def test_what_nobody_said_is_asked_of_each_initializer_and_not_looked_at_longer() -> None:
    reasons = {
        "myinit:he(uniform=False)": "variance 1/fan_in: its name speaks of He. Declare activation=linear, or relu.",
        "myinit:sine": "that of a sine network. Declare gain=0.047 to have it held to that.",
    }
    open_ = [finding_of(verdict=Verdict.UNDECIDED, reason=r, initializer=name) for name, r in reasons.items()]
    lines = report_lines(Report(run=Run(), results=tuple(open_)))
    assert [line for line in lines if line.startswith("  seen")] == [f"  seen    {r}" for r in reasons.values()]
    asked = "  do      declare what is meant: no number of draws tells        (--strict would fail it)"
    assert [line for line in lines if line.startswith("  do")] == [asked, asked]


def test_a_call_in_a_target_is_quoted_where_it_is_to_be_typed() -> None:
    open_ = finding_of(verdict=Verdict.UNDECIDED, reason="0.99 is not shown", initializer="my:he(uniform=False)")
    assert "initcheck 'my:he(uniform=False)' --claims" in "\n".join(report_lines(Report(run=Run(), results=(open_,))))


def test_what_is_undecided_says_what_was_seen_and_what_to_do() -> None:
    open_ = finding_of(verdict=Verdict.UNDECIDED, reason="0.993 is not shown to lie in [0.80, 1.25]")
    assert report_lines(Report(run=Run(), results=(open_,)), seconds=8.0) == [
        "myinit.py:5  he  UNDECIDED  output-variance-near-one",
        "  seen    0.993 is not shown to lie in [0.80, 1.25]",
        "  do      initcheck myinit:he --claims output-variance-near-one --profile thorough"
        "        (--strict would fail it)",
        "",
        "nothing was decided: a run that shows nothing cannot pass",
        "1 initializer: nothing fails (0 claims hold, 1 undecided)     8.0 s, seed 0",
    ]


def test_what_waits_for_a_claim_that_was_not_asked_says_what_to_type() -> None:
    waits = finding_of(
        verdict=Verdict.NOT_APPLICABLE, initializer="my:he(mode='in')", waits_for="finite", reason="needs it"
    )
    [line] = [line for line in report_lines(Report(run=Run(), results=(waits,))) if line.startswith("not judged")]
    assert line.endswith("""; write 'my:he(mode='"'"'in'"'"')' --claims finite""")


def test_what_waits_is_said_once_by_the_finding() -> None:
    waiting = [
        finding_of(claim=f"claim-{n}", verdict=Verdict.NOT_APPLICABLE, waits_for="output-variance-near-one",
                   reason="needs output-variance-near-one, which fails")
        for n in range(2)
    ]  # fmt: skip
    page = "\n".join(report_lines(Report(run=Run(), results=(finding_of(), *waiting))))
    assert "not judged before it is mended: claim-0, claim-1" in page
    assert "needs" not in page


def test_a_report_prints_as_its_page() -> None:
    report = sample_reports.every_verdict()
    assert str(report).splitlines() == report_lines(report)


def test_findings_are_printed_when_the_last_claim_of_their_initializer_is_decided() -> None:
    out = io.StringIO()
    page = Page(out, Run(), {"myinit:he": 2, "m:other": 2}, {})
    page.take(finding_of())
    assert out.getvalue() == ""
    page.take(finding_of(claim="zero-mean", verdict=Verdict.HOLDS))
    assert out.getvalue().startswith("myinit.py:5  he  FAILS\n")
    page.take(finding_of(initializer="m:other"))
    before = out.getvalue()
    results = (finding_of(), finding_of(initializer="m:other"))
    page.close(Report(run=Run(), results=results), seconds=1.0)
    assert "m:other  FAILS" in out.getvalue()[len(before) :], "an initializer that was cut short is told at the end"
    assert out.getvalue().count("myinit.py:5  he  FAILS") == 1


def test_verbose_has_everything_that_is_known() -> None:
    out = io.StringIO()
    report = sample_reports.every_verdict()
    page = Page(out, report.run, dict.fromkeys(report.initializers, 99), {}, verbose=True)
    for result in report:
        page.take(result)
    page.close(report, seconds=1.0)
    text = out.getvalue()
    for line in [*summary_lines(report), *(result_line(r) for r in report)]:
        assert line in text
    for result in report.failures:
        assert failure_text(result) in text


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_every_stream_gets_the_page_in_signs_that_it_has(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "page.txt"
    with open(file, "w", encoding=encoding) as stream:
        page = Page(stream, Run(), {}, {})
        page.line("growth \u2581\u2584\u2588 of 3 \u00d7 4: \u4e2d")
        page.close(sample_reports.hostile(), seconds=1.0)
    written = file.read_text(encoding=encoding)
    first = "growth \u2581\u2584\u2588 of 3 \u00d7 4: \u4e2d" if encoding == "utf-8" else "growth _-# of 3 x 4: \\u4e2d"
    assert written.splitlines()[0] == first


def test_a_dumb_terminal_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert in_encoding("\u2588", "utf-8") == "#"


def test_a_reader_that_has_gone_stops_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    page = Page(Gone(), Run(), {"myinit:he": 1}, {})
    page.take(finding_of())
    page.close(Report(run=Run(), results=(finding_of(),)), seconds=1.0)
    assert page.gone


def test_text_of_users_takes_no_colour() -> None:
    assert painted("  cause   FAILS is its name", True) == "  cause   FAILS is its name"


def test_whose_claim_is_waived_is_named_in_a_run_on_several() -> None:
    waived = judged(Verdict.WAIVED, initializer="myinit:old", reason="why")
    others = [judged(Verdict.HOLDS, initializer=name) for name in ("myinit:he", "myinit:new")]
    line = "waived: output-variance-near-one"
    assert f"{line} of myinit:old: why" in page_lines(sample_reports.report(waived, *others), [])
    assert f"{line}: why" in page_lines(sample_reports.report(waived), [])
    second = dataclasses.replace(waived, initializer="myinit:older")
    assert f"{line} of 2 initializers: why" in page_lines(sample_reports.report(waived, second, *others), [])
