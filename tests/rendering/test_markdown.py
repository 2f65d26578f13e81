"""The Markdown summary: complete, within a comment's size, and inert whatever the names are."""

from __future__ import annotations

import re

import pytest
import sample_reports

from initcheck.rendering import markdown

markdown_it = pytest.importorskip("markdown_it", reason="the Markdown is read back with markdown-it")


def html(text: str) -> str:
    """What a reader of GitHub-flavoured Markdown makes of it; raw HTML passes, as on GitHub."""
    return markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").render(text)


def test_says_outcome_denominator_bound_and_the_command():
    text = markdown.render(sample_reports.every_verdict(), previous=sample_reports.last_run())
    lines = text.splitlines()
    assert lines[0] == "### initcheck: 3 claims fail in 3 of 3 initializers"
    assert lines[2] == (
        "19 verdicts (16 claims x 3 initializers) = 12 hold + 3 fail + 1 undecided + 1 waived + 2 not applicable"
    )
    assert lines[4] == "Since the last run: 1 worse, 1 new (seed 7, now 0)"
    assert "  again   initcheck myinit:he --claims output-variance-near-one" in lines
    assert "P(any false FAIL) is at most 1e-06 per initializer, 3e-06 over all 3" in lines[-1]
    assert "- `myinit:from_config`: needs an argument 'config'; write `myinit:from_config(config=...)`" in lines
    assert "- not applicable: `haar-distributed` of 2 initializers: the contract is not orthogonal" in lines


def test_every_finding_has_a_row_with_its_cause_and_fix_and_its_evidence():
    shown = html(markdown.render(sample_reports.every_verdict()))
    assert shown.count("<tr>") == 1 + 3
    assert shown.count("<details>") == shown.count("</details>") == 3
    assert "<td>+-sqrt(3/fan_in) has unit output variance</td>" in shown
    assert "smallest    shape (1, 1), float32: dense, fan_in 1, fan_out 1" in shown


def test_a_name_stays_text():
    text = markdown.render(sample_reports.hostile())
    shown = html(text)
    assert "<script" not in shown
    assert "\x1b" not in text
    assert "\u202e" not in text
    # Outside code nobody is mentioned.
    outside = re.sub(r"<(code|pre)\b.*?</\1>", "", shown, flags=re.DOTALL)
    assert "@team" not in outside
    assert "@\u200bteam" in outside
    rows = re.findall(r"<tr>(.*?)</tr>", shown, flags=re.DOTALL)
    assert [row.count("<t") for row in rows] == [4, 4]


def test_a_fence_in_a_name_does_not_end_the_block():
    report = sample_reports.report(sample_reports.variance_failure("a```\n````b", reproduce="`````"))
    shown = html(markdown.render(report))
    assert shown.count("<pre>") == 1
    assert "`````" in shown


def test_fits_a_comment_and_says_what_does_not():
    for sample in (sample_reports.many(), sample_reports.many(failing=1.0)):
        text = markdown.render(sample)
        assert len(text) <= 60_000
        assert re.search(r"and [\d,]+ more, of ", text)
    short = markdown.render(sample_reports.many(), limit=3_000)
    assert len(short) <= 3_000
    assert "further parts do not fit here; the JSON report has everything." in short


def test_a_run_that_decided_nothing_says_so():
    assert markdown.render(sample_reports.report()).startswith("### initcheck: Nothing was decided\n")
