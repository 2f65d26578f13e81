"""The JUnit file: valid under the xunit2 schema, whatever the names are."""

from __future__ import annotations

from pathlib import Path

import pytest
import sample_reports

from initcheck.rendering import github, junit
from initcheck.report.results import NotChecked
from initcheck.report.summary import headline
from initcheck.report.verdict import BROKEN, Verdict

etree = pytest.importorskip("lxml.etree", reason="the JUnit file is validated with lxml")
SCHEMA = Path(__file__).with_name("xunit2.xsd")


@pytest.fixture(scope="module")
def schema():
    return etree.XMLSchema(etree.parse(SCHEMA))


def parsed(text: str):
    return etree.fromstring(text.encode())


@pytest.mark.parametrize("sample", ["every_verdict", "hostile", "many"])
@pytest.mark.parametrize("strict", [False, True])
def test_is_valid_under_the_xunit2_schema(schema, sample, strict):
    schema.assertValid(parsed(junit.render(getattr(sample_reports, sample)(), strict=strict)))


def test_an_empty_run_is_valid_too(schema):
    schema.assertValid(parsed(junit.render(sample_reports.report())))


@pytest.mark.parametrize(
    ("text", "replacement"),
    [
        ("<testcase ", '<testcase file="a.py" '),  # known to xunit1 only
        ('time="0.3', 'time="0.31234'),
        (' failures="', ' faults="'),
        ("<skipped ", "<ignored "),
    ],
)
def test_the_schema_refuses_what_ci_servers_refuse(schema, text, replacement):
    written = junit.render(sample_reports.every_verdict())
    assert text in written
    assert not schema.validate(parsed(written.replace(text, replacement)))


def test_counts_agree_with_the_report():
    report = sample_reports.every_verdict()
    root = parsed(junit.render(report))
    assert root.get("tests") == str(len(report)) == str(len(root.findall(".//testcase")))
    assert root.get("failures") == "3" == str(len(root.findall(".//failure")))
    assert len(root.findall(".//skipped")) == 4
    assert [s.get("name") for s in root] == ["myinit:he", "myinit:tiny", "myinit:constant"]
    assert sum(int(s.get("skipped")) for s in root) == 4


def test_strict_lets_undecided_fail():
    root = parsed(junit.render(sample_reports.every_verdict(), strict=True))
    assert root.get("failures") == "4"
    assert [f.get("type") for f in root.findall(".//failure")].count(Verdict.UNDECIDED.value) == 1


def test_a_failure_carries_the_whole_account():
    root = parsed(junit.render(sample_reports.every_verdict()))
    case = root.find(".//testcase[@name='output-variance-near-one[myinit:he]']")
    failure = case.find("failure")
    assert case.get("classname") == "initcheck.scale"
    assert failure.get("message") == (
        "/home/user/project/myinit.py:12: output variance is 0.33 at every width; it should be 1 (0.80 to 1.25)"
    )
    for line in (
        "smallest    shape (1, 1)",
        "evidence    24,576 weights in 96 calls",
        "reproduce   pytest --initcheck",
    ):
        assert line in failure.text


def test_a_suite_names_the_file_and_line_of_its_initializer():
    root = parsed(junit.render(sample_reports.every_verdict()))
    told = {p.get("name"): p.get("value") for p in root.find("testsuite[@name='myinit:he']").iter("property")}
    assert (told["file"], told["line"]) == ("/home/user/project/myinit.py", "12")


def test_names_come_back_as_they_were_and_control_characters_as_escapes():
    root = parsed(junit.render(sample_reports.hostile()))
    name = root[0].get("name")
    assert name.startswith("<script>alert(1)</script>&\"'|")
    assert "\x1b" not in name
    assert "\\x1b[31m" in name


def test_an_unpaired_surrogate_and_a_null_can_be_written(schema):
    name = "a\ud800b\x00c\ufffe"
    report = sample_reports.report(sample_reports.result(initializer=name, verdict=Verdict.FAILS))
    schema.assertValid(parsed(junit.render(report)))


def test_what_was_named_and_not_looked_at_and_a_claim_that_broke_are_errors(schema):
    left = NotChecked(name="m:never", reason="it cannot be built", needed=True)
    bystander = NotChecked(name="m:other", reason="no sign of making weights")
    holds, broken = (
        sample_reports.result("finite", Verdict.HOLDS),
        sample_reports.result("zero-mean", Verdict.UNDECIDED, reason=f"{BROKEN}: a bug"),
    )
    for results, unseen, errors in (
        ((holds,), (bystander,), 0),
        ((holds,), (left, bystander), 1),
        ((holds, broken), (left,), 2),
    ):
        report = sample_reports.report(*results, not_checked=unseen)
        written = parsed(junit.render(report, strict=True))
        schema.assertValid(written)
        assert len(written.findall(".//error")) == int(written.get("errors")) == errors
        assert sum(int(suite.get("errors")) for suite in written.findall("testsuite")) == errors
        assert report.ok == (not errors)
        assert ("nothing fails, 1 not checked" in str(report)) == (left in unseen)
        assert ("::error title=m%3Anever" in github.render(report)) == (left in unseen)
        assert (headline(report) == "No claim fails") == report.ok
