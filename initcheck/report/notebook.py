"""The report as a compact HTML table, shown by Jupyter where a report is the value of a cell."""

from __future__ import annotations

from html import escape

from initcheck.report.account import escaped
from initcheck.report.results import Results
from initcheck.report.summary import MARKS, false_alarms, headline, sum_of_verdicts, what_happened
from initcheck.report.verdict import Result, Verdict

__all__ = ["render"]

_SHOWN = 40
_FIRST = (Verdict.FAILS, Verdict.UNDECIDED, Verdict.WAIVED, Verdict.NOT_APPLICABLE, Verdict.HOLDS)


def render(report: Results) -> str:
    """Write at most 40 results as a table, failures first; it takes its colours from the notebook.

    >>> from initcheck.report.results import Results, Run
    >>> render(Results(run=Run(), results=())).startswith("<div>")
    True

    Args:
        report: the run to show.
    """
    ordered = sorted(report, key=lambda r: _FIRST.index(r.verdict))
    rows = "".join(_row(r) for r in ordered[:_SHOWN])
    left = len(ordered) - _SHOWN
    more = f"<p>and {left:,} more; <code>report.to_json()</code> has them all</p>" if left > 0 else ""
    return (
        f"<div><p><strong>{escape(headline(report))}</strong>: {escape(sum_of_verdicts(report))}</p>"
        '<table><caption style="text-align:left">Verdicts, failures first</caption>'
        '<thead><tr><th scope="col">Verdict</th><th scope="col">Claim</th><th scope="col">Initializer</th>'
        f'<th scope="col">What was found</th></tr></thead><tbody>{rows}</tbody></table>{more}'
        f"<p>{escape(false_alarms(report))}.</p></div>"
    )


def _row(result: Result) -> str:
    cells = (
        f"{MARKS[result.verdict].sign} {result.verdict.value}",
        result.claim,
        result.initializer,
        what_happened(result),
    )
    return f"<tr>{''.join(_cell(c) for c in cells)}</tr>"


def _cell(text: str) -> str:
    return f'<td style="text-align:left">{escape(escaped(text))}</td>'
