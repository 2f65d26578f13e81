"""The report as Markdown, for a GitHub job summary or a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from initcheck.report import changes
from initcheck.report.account import failure_text, finding_lines
from initcheck.report.finding import Finding
from initcheck.report.report import Report
from initcheck.report.summary import by_claim_and_reason, false_alarms, headline, sum_of_verdicts
from initcheck.report.verdict import Verdict
from initcheck.safe_text import escaped

_MOST_ROWS = 50
_MOST_ACCOUNTS = 20


def render(report: Report, *, previous: Report | None = None, limit: int = 60_000) -> str:
    """Write the outcome, a row a finding with its cause and fix, their evidence folded away, and what was not checked.

    >>> from initcheck.report.results import Run
    >>> print(render(Report(run=Run(), results=())).splitlines()[0])
    ### initcheck: Nothing was decided

    Args:
        report: the run to show.
        previous: the run before it, for a line that says what changed.
        limit: characters at most: a comment on GitHub holds 65,536. What does not fit is counted.
    """
    written, left_out = "", 0
    for block in _blocks(report, previous):
        # Room is kept for the sentence that says what is missing.
        if len(written) + len(block) + 120 > limit:
            left_out += 1
        else:
            written += block
    if left_out:
        written += f"\n{left_out:,} further parts do not fit here; the JSON report has everything.\n"
    return written


def _blocks(report: Report, previous: Report | None) -> Iterator[str]:
    yield f"### initcheck: {headline(report)}\n\n{_text(sum_of_verdicts(report))}\n"
    if previous is not None:
        changed = changes.compare(previous, report)
        under = f" ({'; '.join(changed.conditions)})" if changed.conditions else ""
        yield f"\nSince the last run: {_text(changed.said + under)}\n"
    found = report.findings
    if found:
        yield "\n| initializer | what is wrong | cause | fix |\n|---|---|---|---|\n"
        for f in found[:_MOST_ROWS]:
            place = f"<br>{_code(f'{f.place[0]}:{f.place[1]}')}" if f.place is not None else ""
            cells = (_code(f.initializer) + place, _text(f.symptom), _text(f.cause or ""), _text(f.fix or ""))
            yield f"| {' | '.join(cells)} |\n"
        if len(found) > _MOST_ROWS:
            rest = ", ".join(_code(name) for name in dict.fromkeys(f.initializer for f in found[_MOST_ROWS:]))
            yield f"\nand {len(found) - _MOST_ROWS:,} more, of {rest}\n"
        for f in found[:_MOST_ACCOUNTS]:
            yield _account(f, report)
    yield from _not_checked(report)
    how = f"{false_alarms(report)}; seed {report.run.seed}, profile {report.run.profile}."
    yield f"\n{_text(how)}\n"


def _account(found: Finding, report: Report) -> str:
    """The finding in full, and the evidence of the claim that shows it best."""
    title = f"{_code_html(found.initializer)}: {_code_html(found.claims[0])}"
    root = report.by_key[found.initializer, found.claims[0]]
    text = "\n".join([*finding_lines(found), "", failure_text(root)])
    return f"\n<details><summary>{title}</summary>\n{_fenced(text)}\n</details>\n"


def _not_checked(report: Report) -> Iterator[str]:
    lines = [
        f"- {_code(n.name)}: {_text(n.reason)}" + (f"; write {_code(n.call_to_write)}" if n.call_to_write else "")
        for n in report.not_checked
    ]
    for verdict in (Verdict.UNDECIDED, Verdict.WAIVED, Verdict.NOT_APPLICABLE):
        for (claim, reason), names in by_claim_and_reason(report, verdict).items():
            of = _code(names[0]) if len(names) == 1 else f"{len(names):,} initializers"
            lines.append(f"- {verdict.value.lower()}: {_code(claim)} of {of}: {_text(reason)}")
    if lines:
        shown, more = lines[:_MOST_ROWS], len(lines) - _MOST_ROWS
        yield ("\n#### Not checked\n\n" + "\n".join(shown) + "\n" + (f"- and {more:,} more\n" if more > 0 else ""))


_PUNCTUATION = re.compile(r"([\\`*_\[\]|~$])")


def _text(text: str) -> str:
    """Text of which nothing is read as Markdown or HTML, and that mentions nobody."""
    text = _PUNCTUATION.sub(r"\\\1", escaped(text).replace("&", "&amp;").replace("<", "&lt;"))
    # A character of no width keeps GitHub from notifying the person or linking the issue of that name.
    for sign, kept in (("#", "#\u200b"), ("@", "@\u200b"), ("://", ":\u200b//")):
        text = text.replace(sign, kept)
    return text


def _code(text: str) -> str:
    """A code span: nothing in it is read as Markdown; a pipe would still end the cell of a table."""
    text = escaped(text)
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    room = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{room}{text}{room}{ticks}".replace("|", "\\|")


def _code_html(text: str) -> str:
    # Inside <summary> GitHub still reads Markdown, so that what it could read is written as entities.
    named = "".join(c if c.isalnum() or c in " .,:-/" else f"&#{ord(c)};" for c in escaped(text))
    return f"<code>{named}</code>"


def _fenced(text: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"\n{fence}text\n{text}\n{fence}\n"
