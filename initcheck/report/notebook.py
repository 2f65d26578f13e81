"""The report as a compact piece of HTML, shown by Jupyter where a report is the value of a cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from initcheck.report.finding import Finding
from initcheck.report.series import rows
from initcheck.report.summary import MARKS, false_alarms, headline, sum_of_verdicts, what_happened
from initcheck.report.verdict import Result, Verdict
from initcheck.safe_text import escaped

if TYPE_CHECKING:
    from initcheck.report.results import Results


_SHOWN = 40
_PICTURES = 12
_OPEN = (Verdict.UNDECIDED, Verdict.WAIVED)
_WIDTH, _HEIGHT = 220, 70
# Of each series that is drawn: whether its numbers are ratios, and what stands below the drawing.
_DRAWN = {
    "variance_by_width": (True, "width"),
    "signal_by_depth": (False, "layers"),
    "gradient_by_depth": (False, "layers from the output"),
}


def render(report: Results, found: Sequence[Finding]) -> str:
    """Write the findings, each with its picture, and what is open; it takes its colours from the notebook.

    >>> from initcheck.report.results import Results, Run
    >>> render(Results(run=Run(), results=()), ()).startswith("<div>")
    True
    """
    roots = report.by_key
    parts = [f"<p><strong>{escape(headline(report))}</strong>: {escape(sum_of_verdicts(report))}</p>"]
    for number, one in enumerate(found[:_SHOWN]):
        root = roots.get((one.initializer, one.claims[0]))
        parts.append(_finding(one, root if number < _PICTURES else None))
    if len(found) > _SHOWN:
        names = ", ".join(escape(escaped(n)) for n in dict.fromkeys(f.initializer for f in found[_SHOWN:]))
        parts.append(f"<p>and {len(found) - _SHOWN:,} more, of {names}; <code>print(report)</code> tells them all</p>")
    opened = [r for r in report if r.verdict in _OPEN]
    if opened:
        listed = "".join(f"<tr>{''.join(map(_cell, _open_row(r)))}</tr>" for r in opened[:_SHOWN])
        parts.append(
            '<table><caption style="text-align:left">Open</caption><thead><tr><th scope="col">Verdict</th>'
            '<th scope="col">Claim</th><th scope="col">Initializer</th><th scope="col">What was found</th></tr></thead>'
            f"<tbody>{listed}</tbody></table>"
        )
    return f"<div>{''.join(parts)}<p>{escape(false_alarms(report))}.</p></div>"


def _finding(found: Finding, root: Result | None) -> str:
    place = f" <small>{escape(escaped(f'{found.place[0]}:{found.place[1]}'))}</small>" if found.place else ""
    told = [("cause", found.cause), ("fix", found.fix), ("hence", found.hence), ("again", found.again)]
    terms = "".join(f'<tr><td style="text-align:left">{label}</td>{_cell(text)}</tr>' for label, text in told if text)
    return (
        f"<p><strong>✗ {escape(escaped(found.initializer))}</strong>{place}<br>"
        f"{escape(escaped(found.symptom, 1_000))}</p>"
        f"{sketch(found, root) if root is not None else ''}<table><tbody>{terms}</tbody></table>"
    )


def sketch(found: Finding, root: Result) -> str:
    """The picture of a finding as a line over its allowed band, without a drawing library; empty where none fits.

    Args:
        found: the finding.
        root: the result of its first claim, which carries the series.
    """
    if found.picture not in _DRAWN:
        return ""
    ratios, below = _DRAWN[found.picture]
    points = sorted((row[0], row[1]) for row in rows(root.evidence.series[found.picture], at_least=2))
    if ratios:
        points = [(math.log2(x), math.log10(y)) for x, y in points if x > 0 and y > 0]
    band = root.evidence.band
    edges = [math.log10(b) for b in band if b > 0] if ratios and band else list(band or ())
    if len(points) < 2 or len(edges) != 2:
        return ""
    heights = [y for _, y in points] + edges
    low, high = min(heights), max(heights)
    left, right = points[0][0], points[-1][0]

    def at(x: float, y: float) -> str:
        across = 4 + (_WIDTH - 8) * (x - left) / ((right - left) or 1)
        return f"{across:.1f},{_HEIGHT - 4 - (_HEIGHT - 8) * (y - low) / ((high - low) or 1):.1f}"

    top, bottom = (float(at(left, edge).split(",")[1]) for edge in (edges[1], edges[0]))
    said = f"{escaped(found.symptom)}; the band is what is allowed"
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT + 12}" role="img" aria-label="{escape(said)}">'
        f'<rect x="0" y="{top:.1f}" width="{_WIDTH}" height="{max(bottom - top, 2):.1f}" fill="currentColor"'
        ' opacity="0.15"/>'
        f'<polyline points="{" ".join(at(x, y) for x, y in points)}" fill="none" stroke="currentColor"'
        f' stroke-width="2"/><text x="4" y="{_HEIGHT + 10}" font-size="10" fill="currentColor">{below}</text></svg>'
    )


def _open_row(result: Result) -> tuple[str, ...]:
    mark = f"{MARKS[result.verdict].sign} {result.verdict.value}"
    return mark, result.claim, result.initializer, what_happened(result)


def _cell(text: str) -> str:
    return f'<td style="text-align:left">{escape(escaped(text, 1_000))}</td>'
