"""GitHub annotations: one line each, at most nine and a count, nothing that breaks out of its command."""

from __future__ import annotations

import re

import pytest
import sample_reports

from initcheck.rendering import github
from initcheck.report.verdict import Verdict


def unescaped(text: str) -> str:
    """What GitHub's runner makes of an escaped value."""
    for code, sign in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def commands(text: str) -> list[tuple[dict[str, str], str]]:
    """Read workflow commands as the runner does: properties up to the first '::', then the message."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"::error (.*?)::(.*)", line)
        assert match, line
        pairs = dict(part.split("=", 1) for part in match[1].split(","))
        found.append(({key: unescaped(value) for key, value in pairs.items()}, unescaped(match[2])))
    return found


def test_a_finding_stands_at_its_initializer():
    report = sample_reports.report(sample_reports.variance_failure(location=("pkg/myinit.py", 12)))
    properties, message = commands(github.render(report, root="/home/user", folder="/home/user/project"))[0]
    assert properties == {
        "file": "project/pkg/myinit.py",
        "line": "12",
        "title": "myinit:he: output variance is 0.33 at every width; it should be 1 (0.80 to 1.25)",
    }
    assert message.splitlines() == [
        "output variance is 0.33 at every width; it should be 1 (0.80 to 1.25)",
        "cause   variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)",
        "fix     +-sqrt(3/fan_in) has unit output variance",
        "hence   output-variance-near-one",
        "again   initcheck myinit:he --claims output-variance-near-one",
    ]


def test_a_file_outside_the_repository_keeps_its_name_alone():
    report = sample_reports.report(sample_reports.variance_failure(location=("torch/nn/init.py", 12)))
    properties, _ = commands(github.render(report, root="/somewhere/else", folder="/home/user"))[0]
    assert properties["file"] == "torch/nn/init.py"


def test_no_initializer_is_annotated_twice_before_every_other_is_once():
    twice = [
        sample_reports.variance_failure("m:f"),
        sample_reports.ties_failure("m:f"),
        sample_reports.variance_failure("m:g"),
    ]
    titles = [p["title"].partition(": ")[0] for p, _ in commands(github.render(sample_reports.report(*twice)))]
    assert titles == ["m:f", "m:g", "m:f"]


def test_a_failure_without_a_place_is_annotated_without_one():
    report = sample_reports.report(sample_reports.variance_failure(location=None))
    properties, _ = commands(github.render(report))[0]
    assert set(properties) == {"title"}


@pytest.mark.parametrize(
    ("failures", "lines", "last"),
    [(9, 9, None), (10, 10, "1 more finding; the summary lists them."), (50, 10, "41 more findings;")],
)
def test_at_most_nine_and_then_a_count(failures, lines, last):
    results = [sample_reports.variance_failure(f"m:f{k}") for k in range(failures)]
    found = commands(github.render(sample_reports.report(*results)))
    assert len(found) == lines
    assert last is None or found[-1][1].startswith(last)


def test_nothing_breaks_out_of_its_command():
    text = github.render(sample_reports.hostile())
    assert len(text.splitlines()) == 1
    assert "\x1b" not in text
    properties, message = commands(text)[0]
    assert set(properties) == {"file", "line", "title"}
    assert properties["file"].startswith("a:b,c%<script>")
    assert "::error::x%0A" in message


def test_only_failures_are_annotated():
    held = sample_reports.result(verdict=Verdict.HOLDS)
    undecided = sample_reports.result("finite", Verdict.UNDECIDED, reason="budget spent")
    assert github.render(sample_reports.report(held, undecided)) == ""
