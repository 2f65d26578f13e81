"""The report as one HTML page: no network, no frame, readable without JavaScript."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from initcheck.errors import UsageError
from initcheck.rendering.html import page, pictures, svg
from initcheck.report import summary
from initcheck.report.account import clean
from initcheck.report.report import Report
from initcheck.report.verdict import Result, Verdict

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["render", "require"]


def require() -> None:
    """Make sure that the page can be written, before a long run is spent.

    Raises:
        UsageError: Jinja2 or Matplotlib is not installed; the sentence has the command that installs them.
    """
    _require_jinja()
    svg.require()


def render(report: Report, *, previous: Report | None = None) -> str:
    """Write a report as one self-contained HTML page.

    >>> from initcheck.report.results import Run
    >>> render(Report(run=Run(), results=())).splitlines()[0]
    '<!doctype html>'

    Every text of the report is escaped. The page holds about 40 pictures at most, those of the first failures
    first; where Matplotlib is not installed it says so in their place.

    Args:
        report: the run to show.
        previous: the run before it: the page then says what changed and marks the last value on each strip.

    Raises:
        UsageError: Jinja2 is not installed.
    """
    no_pictures: list[str] = []

    def draw(result: Result) -> tuple[pictures.Picture, ...]:
        try:
            return pictures.draw(result)
        except UsageError as error:
            # The run is spent by now: a page without pictures is worth more than no page.
            no_pictures[:] = [str(error)]
            return ()

    allowance = page.Allowance(draw)
    cards, listed = page.cards(report, previous, allowance)
    passed = page.passed(report, previous, allowance)
    script, style = _file("report.js"), _file("report.css")
    return _template().render(
        report=report,
        headline=summary.headline(report),
        denominator=summary.sum_of_verdicts(report),
        false_alarms=summary.false_alarms(report),
        cards=cards,
        listed=listed,
        passed=passed,
        pictures_left_out=allowance.left_out,
        no_pictures=no_pictures[0] if no_pictures else None,
        undecided=page.groups(report, Verdict.UNDECIDED),
        waived=page.groups(report, Verdict.WAIVED),
        not_applicable=page.groups(report, Verdict.NOT_APPLICABLE),
        contracts=page.contracts(report),
        defects=page.defects(report),
        matrix=page.matrix(report, cards),
        marks=[summary.MARKS[v] for v in Verdict],
        changes=page.difference(report, previous),
        happened=summary.what_happened,
        script=_safe(script),
        style=_safe(style),
        svg=_safe,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _require_jinja() -> None:
    try:
        import jinja2  # noqa: F401
    except ImportError:
        raise UsageError(
            "the HTML report needs Jinja2, which is not installed; run: pip install 'initcheck[report]'"
        ) from None


def _file(name: str) -> str:
    return (files("initcheck.rendering.html") / name).read_text(encoding="utf-8")


def _safe(text: str) -> Any:
    # Our own files and our own drawings only: nothing else may pass unescaped.
    from markupsafe import Markup

    return Markup(text)


@functools.cache
def _template() -> Template:
    _require_jinja()
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=finalize
    )
    return environment.from_string(_file("report.html.jinja"))
