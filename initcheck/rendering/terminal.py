"""The page of a run on a terminal: findings as they come, the evidence for whoever asks, and the last line."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from initcheck.grouping import grouped
from initcheck.report.account import (
    WHOLE,
    failure_text,
    foot_lines,
    not_checked_lines,
    open_lines,
    page_lines,
    told_lines,
)
from initcheck.report.finding import findings
from initcheck.report.report import Report
from initcheck.report.results import Results, Run
from initcheck.report.summary import sum_of_verdicts
from initcheck.report.verdict import Result, Verdict
from initcheck.safe_text import escaped
from initcheck.wording import listed

# Three colours by meaning, each legible on a light and on a dark ground: it is so, it is not so, nobody knows.
_GOOD, _BAD, _OPEN = "32", "1;31", "35"
_COLOURS = {
    "HOLDS": _GOOD,
    "nothing fails": _GOOD,
    "FAILS": _BAD,
    "BROKEN": _BAD,
    "UNDECIDED": _OPEN,
    "WAIVED": _OPEN,
    "NOT APPLICABLE": _OPEN,
}
# What stands for a sign that a stream cannot say.
_ASCII = str.maketrans(
    {
        **dict(zip("\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588", "_.:-=+*#", strict=True)),
        "\u00d7": "x", "\u00b1": "+-", "\u2212": "-", "\u2013": "-", "\u2014": "-", "\u2026": "...", "\u2192": "->",
        "\u2713": "ok", "\u2717": "x", "\u2264": "<=", "\u2265": ">=",
        "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"',
    }
)  # fmt: skip
_SHOWN = 12  # groups of initializers in a summary: with the other lines it fits a screen
_NAMES = 3  # names spelled out where several share one line


def coloured(stream: TextIO) -> bool:
    """Whether a stream shows colours: a terminal that can, and nobody who asked for none (https://no-color.org)."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def in_encoding(line: str, encoding: str | None) -> str:
    """A line in what a stream can say: signs that it lacks become ASCII, letters their escapes.

    >>> in_encoding("\u2581\u2588 3 \u00d7 4, \u4e2d", "ascii")
    '_# 3 x 4, \\\\u4e2d'

    Args:
        line: what is to be printed.
        encoding: the stream's; that of a terminal which is called dumb is ASCII, whatever it claims.
    """
    if os.environ.get("TERM") == "dumb":
        encoding = "ascii"
    encoding = encoding or "ascii"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        # One table for the whole line: bars of which some are signs and some letters could not be compared.
        return line.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        return line.translate(_ASCII).encode("ascii", "backslashreplace").decode()
    return line


class Page:
    """Prints the page of a run while it is made: the findings of an initializer when its last claim is decided.

    Nothing that happens to the stream stops the run: a reader that has gone is told no more, and what the stream's
    encoding lacks is written in ASCII.

    Args:
        stream: where to print.
        run: how the run is made.
        asked: initializer's name -> the number of claims asked of it.
        contracts: what is known of each beside the verdicts, by name; filled while the run goes on.
        verbose: print every verdict and every account at the end too.
    """

    def __init__(
        self,
        stream: TextIO,
        run: Run,
        asked: Mapping[str, int],
        contracts: Mapping[str, Mapping[str, Any]],
        *,
        verbose: bool = False,
    ) -> None:
        self.gone = False
        self._stream = stream
        self._run = run
        self._asked = asked
        self._contracts = contracts
        self._verbose = verbose
        self._colour = coloured(stream)
        self._results: dict[str, list[Result]] = {}
        self._said = False

    def line(self, text: str) -> None:
        """Print one line."""
        if self.gone:
            return
        try:
            encoding = getattr(self._stream, "encoding", None)
            self._stream.write(painted(in_encoding(text, encoding), self._colour) + "\n")
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            # Closed from the other side, or by whoever redirected it.
            self.gone = True

    def take(self, result: Result) -> None:
        """Take one more result; with the last one of its initializer its findings are printed."""
        results = self._results.setdefault(result.initializer, [])
        results.append(result)
        if len(results) == self._asked.get(result.initializer):
            self._tell(result.initializer)

    def close(self, report: Report, *, seconds: float, portraits: Iterable[str] = ()) -> None:
        """Print what is left: findings of initializers that were cut short, what is open, and the end.

        Args:
            report: the whole run.
            seconds: wall-clock time it took.
            portraits: what else there is to say of models.
        """
        for name in list(self._results):
            self._tell(name)
        shown = list(portraits)
        lines = [""] if self._said and (self._verbose or shown) else []
        lines += shown
        if self._verbose:
            lines += [*(result_line(r) for r in report.results), ""]
            lines += account_lines(r for r in report.results if r.verdict is Verdict.FAILS or r.broke)
            lines += [*summary_lines(report), ""]
        opened = open_lines(report)
        if opened or ((self._said or shown) and not self._verbose):
            opened.append("")
        lines += opened
        untold = dataclasses.replace(report, not_checked=()) if self._verbose else report
        lines += foot_lines(untold, report.findings, seconds)
        for line in lines:
            self.line(line)

    def _tell(self, name: str) -> None:
        results = tuple(self._results.pop(name, ()))
        found = findings(Results(run=self._run, results=results))
        if found:
            for line in told_lines(found, self._contracts.get(name), brief=len(self._asked) > WHOLE):
                self.line(line)
            self._said = True


def report_lines(report: Report, *, seconds: float | None = None) -> list[str]:
    """The page of a report that is finished."""
    return page_lines(report, report.findings, seconds)


def painted(line: str, colour: bool) -> str:
    """Colour the first verdict word of a line, where colour is wanted."""
    if colour and not line.startswith(("P(", "  ")):  # the error bound speaks of HOLDS, and users' text of anything
        found = [(line.find(word), word) for word in _COLOURS if word in line]
        if found:
            at, word = min(found)
            return f"{line[:at]}\x1b[{_COLOURS[word]}m{word}\x1b[0m{line[at + len(word) :]}"
    return line


def account_lines(failing: Iterable[Result]) -> Iterator[str]:
    """The whole account of every result that makes a run fail, claim by claim."""
    for results in grouped((r.claim, r) for r in failing).values():
        for r in results:
            yield from failure_text(r).splitlines()
            yield ""


def result_line(result: Result) -> str:
    """One line a verdict, for a list of all of them."""
    e = result.evidence
    parts = [f"{result.verdict.value:<14}  {escaped(result.claim):<34}  {escaped(result.initializer, 80)}"]
    if result.reason:
        parts.append(f"({escaped(result.reason)})")
    elif e.measured is not None:
        parts.append(escaped(e.measured) + (f"; allowed {escaped(e.allowed)}" if e.allowed is not None else ""))
    return "  ".join(parts)


def summary_lines(report: Report) -> list[str]:
    """The end of a run: the denominator, who deviates, what was not checked and why, what to type next."""
    lines = [sum_of_verdicts(report)]
    lines += _by_initializer(report)
    lines += _undecided_and_waived(report)
    lines += _folded("not applicable", (r for r in report.results if r.verdict is Verdict.NOT_APPLICABLE))
    lines += not_checked_lines(report)
    lines += _contracts(report.contracts)
    lines.append(_bound(report))
    if not report.decided:
        lines.append("Nothing was decided: a run that shows nothing cannot pass.")
    first = next((r.reproduce for r in report.failures if r.reproduce), None)
    if first:
        lines.append(f"reproduce the first failure: {escaped(first, 20_000)}")
    return lines


def _by_initializer(report: Report) -> list[str]:
    """Equal outcomes folded into one line, the deviating ones shown first."""
    if len(report.initializers) <= 1:
        return []
    failing = grouped((r.initializer, r.claim) for r in report.failures)
    groups = grouped((tuple(failing.get(name, ())), name) for name in report.initializers)
    whole = groups.pop((), [])
    ordered = sorted(groups.items(), key=lambda g: (len(g[1]), -len(g[0])))
    lines = [f"  {_names(names)}: FAILS {listed([*map(escaped, claims)], 6)}" for claims, names in ordered[:_SHOWN]]
    rest = ordered[_SHOWN:]
    if rest:
        lines.append(f"  and {sum(len(names) for _, names in rest):,} more initializers that fail in other ways")
    if whole:
        lines.append(f"  {_names(whole)}: nothing fails")
    return lines


def _undecided_and_waived(report: Report) -> list[str]:
    # The reason of an UNDECIDED holds figures, no two alike: one line a claim, with the first reason.
    by_claim = grouped((r.claim, r) for r in report.results if r.verdict is Verdict.UNDECIDED)
    lines = [line for found in by_claim.values() for line in _folded("undecided", found, first_reason=True)]
    return lines + _folded("waived", (r for r in report.results if r.verdict is Verdict.WAIVED))


def _folded(label: str, results: Iterable[Result], *, first_reason: bool = False) -> list[str]:
    reasons: dict[str, list[Result]] = {}
    for r in results:
        reason = r.reason or "no reason was given"
        reasons.setdefault(next(iter(reasons), reason) if first_reason else reason, []).append(r)
    lines = []
    for reason, found in sorted(reasons.items(), key=lambda g: -len(g[1]))[:_SHOWN]:
        claims = tuple(dict.fromkeys(r.claim for r in found))
        names = dict.fromkeys(r.initializer for r in found)
        of = f" of {len(names):,} initializers" if len(names) > 1 else ""
        lines.append(f"{label}: {listed([*map(escaped, claims)], 4)}{of}: {escaped(reason)}")
    if len(reasons) > _SHOWN:
        lines.append(f"{label}: {len(reasons) - _SHOWN:,} more reasons; the JSON report has them all")
    return lines


def _contracts(contracts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What was not declared but read off draws, or assumed, must be said."""
    said = grouped((lines, name) for name, contract in contracts.items() if (lines := tuple(_guesses(contract))))
    shown: list[str] = []
    for lines, names in list(said.items())[:_SHOWN]:
        shown += [f"contract of {_names(names)} {line}" for line in lines]
    if len(said) > _SHOWN:
        shown.append(f"and {len(said) - _SHOWN:,} more inferred contracts; the JSON report has them all")
    return shown


def _guesses(contract: Mapping[str, Any]) -> Iterator[str]:
    origins: Mapping[str, str] = contract.get("origins") or {}
    for origin in ("inferred", "assumed"):
        fields = [f"{key}={contract.get(key)}" for key, where in origins.items() if where == origin]
        if fields:
            yield f"{origin}: {', '.join(escaped(f) for f in fields)}"
    if origins.get("std") == "known":
        std = escaped(str(contract.get("std")))
        yield f"known: std={std} at every width; held to that number, not to unit output variance"
    for note in contract.get("notes") or ():
        yield f"note: {escaped(str(note), 1_000)}"


def _bound(report: Report) -> str:
    run = report.run
    names = max(1, len(report.initializers))
    whole = f" ({names * run.alpha:.2g} in this run)" if names > 1 else ""
    each = " for each initializer" if names > 1 else ""
    return (
        f"P(any false FAIL) <= {run.alpha:g}{each}{whole}; a HOLDS is wrong with probability <= {run.beta:g};"
        f" seed {run.seed}, profile {escaped(run.profile)}"
    )


def _names(names: Sequence[str]) -> str:
    if len(names) == 1:
        return escaped(names[0], 80)
    return listed([escaped(n, 60) for n in names], _NAMES if len(names) <= _NAMES else _NAMES - 1)
