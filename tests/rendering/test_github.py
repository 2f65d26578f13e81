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


def test_a_failure_stands_at_its_initializer():
    properties, message = commands(github.render(sample_reports.every_verdict(), root="/home/user/project"))[0]
    assert properties == {
        "file": "myinit.py",
        "line": "12",
        "title": "output-variance-near-one fails for myinit:he",
    }
    assert message.splitlines() == [
        "A unit's pre-activation keeps second moment 1 at every width.",
        "measured 0.334, allowed [0.80, 1.25].",
        "smallest: shape (1, 1), float32: dense, fan_in 1, fan_out 1",
        "likely: variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)",
        "fix: +-sqrt(3/fan_in) has unit output variance",
        "reproduce: pytest --initcheck=myinit:he -k output_variance --initcheck-seed=0",
    ]


def test_a_file_outside_the_repository_keeps_its_path():
    properties, _ = commands(github.render(sample_reports.every_verdict(), root="/somewhere/else"))[0]
    assert properties["file"] == "/home/user/project/myinit.py"


def test_a_failure_without_a_place_is_annotated_without_one():
    report = sample_reports.report(sample_reports.variance_failure(location=None))
    properties, _ = commands(github.render(report))[0]
    assert set(properties) == {"title"}


@pytest.mark.parametrize(
    ("failures", "lines", "last"),
    [(9, 9, None), (10, 10, "1 more claim fails; the summary lists them."), (50, 10, "41 more claims fail;")],
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
