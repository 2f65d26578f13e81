"""The report as one HTML page: no network, no frame, readable without JavaScript."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from initcheck.errors import UsageError
from initcheck.rendering.html import page, pictures, svg
from initcheck.report import account, summary
from initcheck.report.report import Report
from initcheck.report.verdict import Result, Verdict
from initcheck.safe_text import clean

if TYPE_CHECKING:
    from jinja2 import Template


_WHOLE = 6  # findings up to which a page shows every card unfolded
_POWER = re.compile(r"(?<![\w.^])(\d+(?:\.\d+)?)e([+-]?)0*(\d+)(?!\w)|\b10\^(-?\d+(?:\.\d+)?)")


def require() -> None:
    """Make sure that the page can be written, before a long run is spent.

    Raises:
        UsageError: Jinja2 or Matplotlib is not installed; the sentence has the command that installs them.
    """
    _require_jinja()
    svg.require()


def render(report: Report, *, previous: Report | None = None, title: str = "", words: str = "") -> str:
    """Write a report as one self-contained HTML page.

    >>> from initcheck.report.results import Run
    >>> render(Report(run=Run(), results=())).splitlines()[0]
    '<!doctype html>'

    Every text of the report is escaped. The page holds about 40 pictures at most, those of the first failures
    first; where Matplotlib is not installed it says so in their place.

    Args:
        report: the run to show.
        previous: the run before it: the page then says what changed and marks the last value on each strip.
        title: what the page is about, where that is not its initializers.
        words: text to stand before the findings, its lines kept.

    Raises:
        UsageError: Jinja2 is not installed.
    """
    no_pictures: list[str] = []

    def draw(result: Result, only: str | None = None) -> tuple[pictures.Picture, ...]:
        try:
            return pictures.draw(result, only)
        except UsageError as error:
            # The run is spent by now: a page without pictures is worth more than no page.
            no_pictures[:] = [str(error)]
            return ()

    def growth(name: str, forward: list[float], backward: list[float]) -> pictures.Picture | None:
        try:
            return pictures.growth(name, forward, backward)
        except UsageError as error:
            no_pictures[:] = [str(error)]
            return None

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
        models=page.models(report, growth),
        pairs=page.pairs(report),
        subject=title or summary.subject(report),
        words=words,
        last_line=account.last_line(report, report.findings, terminal=False),
        prefix=_shared_module(report.initializers),
        folded=len(report.findings) > _WHOLE,
        defects=page.defects(report),
        matrix=page.matrix(report, cards),
        marks=[summary.MARKS[v] for v in Verdict],
        changes=page.difference(report, previous),
        script=_safe(script),
        style=_safe(style),
        svg=_safe,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _shared_module(names: Sequence[str]) -> str:
    """What all names begin with, up to the colon; empty where they are few or of several modules."""
    modules = {name.partition(":")[0] + ":" for name in names if ":" in name}
    return modules.pop() if len(modules) == 1 and len(names) > 1 else ""


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


def _powers(text: Any) -> Any:
    """Text in which powers of ten are written with a superscript; what it says otherwise is escaped.

    >>> str(_powers("3e-10 of <b>"))
    '3\u00d710<sup>\u221210</sup> of &lt;b&gt;'
    """
    from markupsafe import Markup, escape

    def written(match: re.Match[str]) -> str:
        mantissa, sign, exponent, bare = match.groups()
        if bare is not None:
            return f"10<sup>{bare.replace('-', chr(0x2212))}</sup>"
        return f"{mantissa}\u00d710<sup>{chr(0x2212) if sign == '-' else ''}{exponent}</sup>"

    # Escaping first: no digit, letter e, or sign of a power is changed by it.
    return Markup(_POWER.sub(written, str(escape(clean(str(text))))))


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
    environment.filters["powers"] = _powers
    return environment.from_string(_file("report.html.jinja"))
