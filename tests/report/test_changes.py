"""What changed since the last run, the interval strip, the notebook table and the sentences of a summary."""

from __future__ import annotations

import html
import math

import pytest
import sample_reports

from initcheck.rendering.html.strip import room, strip
from initcheck.report import changes, summary
from initcheck.report.verdict import Evidence, Verdict


def test_a_changed_verdict_is_found_and_the_worse_come_first():
    found = changes.compare(sample_reports.last_run(), sample_reports.every_verdict())
    (change,) = found.changed
    assert (change.before.verdict, change.now.verdict, change.worse) == (Verdict.HOLDS, Verdict.FAILS, True)
    assert [r.claim for r in found.came] == ["units-differ"]
    assert found.said == "1 worse, 1 new"
    back = changes.compare(sample_reports.every_verdict(), sample_reports.last_run())
    assert back.said == "1 otherwise changed, 1 no longer asked"
    assert [r.claim for r in back.went] == ["units-differ"]


def test_an_unchanged_run_says_so():
    run = sample_reports.every_verdict()
    assert changes.compare(run, run).said == "no verdict changed"


def test_a_strip_is_logarithmic_where_everything_is_positive():
    s = strip(Evidence(value=0.4, band=(0.8, 1.6)))
    assert s.low - s.value == pytest.approx(s.high - s.low, abs=0.2)


def test_a_strip_keeps_everything_on_its_line_and_its_band_visible():
    for value, band in (
        (1e-200, (0.1, 10.0)),
        (0.0, (0.8, 1.25)),
        (-3.0, (-1.0, 1.0)),
        (math.inf, (0.8, 1.25)),
        (1.0, (1.0, 1.0)),
    ):
        s = strip(Evidence(value=value, band=band), Evidence(value=2.0))
        assert all(0 <= at <= 400 for at in (s.low, s.high, s.value, s.last))
        assert s.high - s.low >= 13.9
    assert strip(Evidence(value=math.inf, band=(0.8, 1.25))).beyond


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(value=1.0),
        Evidence(band=(0.0, 1.0)),
        Evidence(value=math.nan, band=(0, 1)),
        Evidence(value=1.0, band=(2, 1)),
    ],
)
def test_without_a_number_and_a_band_there_is_no_strip(evidence):
    assert strip(evidence) is None


def test_room_counts_from_the_nearer_end_of_the_interval():
    assert room(Evidence(value=1.0, band=(0.8, 1.25))) == 1.0
    assert room(Evidence(value=1.0, band=(0.8, 1.25), interval=(0.9, 1.25))) == 0.0
    assert room(Evidence(value=0.5, band=(0.8, 1.25))) == 0.0
    assert room(Evidence(value=1.0)) is None


def test_a_notebook_shows_findings_with_their_picture_first_and_then_what_is_open():
    report = sample_reports.every_verdict()
    text = report._repr_html_()
    places = [text.index(f"✗ {name}") for name in ("myinit:he", "myinit:tiny", "myinit:constant")]
    assert places == sorted(places)
    assert places[-1] < text.index("? UNDECIDED") < text.index("~ WAIVED")
    assert text.count("<svg") == 2  # the variance by width, the signal by depth; ties are no line
    assert "NaN" not in text
    many = sample_reports.many()
    listed = many._repr_html_()
    assert all(html.escape(f.initializer) in listed for f in many.findings)


def test_a_name_stays_text_in_a_notebook():
    text = sample_reports.hostile()._repr_html_()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "\x1b" not in text


def test_the_denominator_is_a_sum_that_adds_up():
    assert summary.sum_of_verdicts(sample_reports.hostile()) == (
        "5 claims = 1 hold + 1 fail + 1 undecided + 1 waived + 1 not applicable"
    )
    one = sample_reports.report(sample_reports.result())
    assert summary.sum_of_verdicts(one) == "1 claim = 1 hold + 0 fail"


def test_the_bound_on_false_alarms_adds_up_over_initializers():
    assert "per initializer, 0.0001 over all 100;" in summary.false_alarms(sample_reports.many())
