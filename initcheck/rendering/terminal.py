"""A report as lines of plain text: the account of one failure, and the summary of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from initcheck.report.account import _count, escaped, failure_text
from initcheck.report.report import Report
from initcheck.report.verdict import Result, Verdict

__all__ = ["account_lines", "painted", "result_line", "summary_lines"]

_WORDS = {
    Verdict.HOLDS: "hold",
    Verdict.FAILS: "fail",
    Verdict.UNDECIDED: "undecided",
    Verdict.WAIVED: "waived",
    Verdict.NOT_APPLICABLE: "not applicable",
}
_COLOURS = {"HOLDS": "32", "FAILS": "1;31", "UNDECIDED": "33", "WAIVED": "36", "NOT APPLICABLE": "2"}
_SHOWN = 12  # groups of initializers in a summary: with the other lines it fits a screen
_WHOLE = 6  # accounts given whole before they are folded by claim
_NAMES = 3  # names spelled out where several share one line


def painted(line: str, colour: bool) -> str:
    """Colour the first verdict word of a line, where colour is wanted."""
    if colour and not line.startswith("P("):  # the error bound speaks of HOLDS, it is none
        found = [(line.find(word), word) for word in _COLOURS if word in line]
        if found:
            at, word = min(found)
            return f"{line[:at]}\x1b[{_COLOURS[word]}m{word}\x1b[0m{line[at + len(word) :]}"
    return line


def account_lines(failing: Sequence[Result], *, every: bool = False) -> Iterator[str]:
    """The accounts of a run's failures: whole for a few, then one a claim with the others beside it.

    Args:
        failing: the results that make the run fail.
        every: whether to give the whole account of all.
    """
    by_claim: dict[str, list[Result]] = {}
    for r in failing:
        by_claim.setdefault(r.claim, []).append(r)
    for results in by_claim.values():
        whole = results if every or len(failing) <= _WHOLE else results[:1]
        for r in whole:
            yield from failure_text(r).splitlines()
            yield ""
        rest = results[len(whole) :]
        if rest:
            yield f"  the same claim FAILS for {_measured(rest)}"
            yield ""


def _measured(results: Sequence[Result]) -> str:
    shown = [
        escaped(r.initializer, 60) + (f" ({escaped(r.evidence.measured, 90)})" if r.evidence.measured else "")
        for r in results[:_NAMES]
    ]
    return ", ".join(shown) + (f" and {len(results) - _NAMES:,} more" if len(results) > _NAMES else "")


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
    lines = [_denominator(report)]
    lines += _by_initializer(report)
    lines += _undecided_and_waived(report)
    lines += _not_checked(report)
    lines += _contracts(report.contracts)
    lines.append(_bound(report))
    if not report.decided:
        lines.append("Nothing was decided: a run that shows nothing cannot pass.")
    first = next((r.reproduce for r in report.failures if r.reproduce), None)
    if first:
        lines.append(f"reproduce the first failure: {escaped(first, 20_000)}")
    return lines


def _denominator(report: Report) -> str:
    counts = report.counts
    always = (Verdict.HOLDS, Verdict.FAILS)
    terms = " + ".join(f"{n:,} {_WORDS[v]}" for v, n in counts.items() if n or v in always)
    names = len(report.initializers)
    claims = len({r.claim for r in report.results})
    if names <= 1:
        return f"{_count(len(report), 'claim')} = {terms}"
    return f"{_count(len(report), 'verdict')} ({_count(claims, 'claim')} x {names:,} initializers) = {terms}"


def _by_initializer(report: Report) -> list[str]:
    """Equal outcomes folded into one line, the deviating ones shown first."""
    if len(report.initializers) <= 1:
        return []
    deviations: dict[str, list[Result]] = {name: [] for name in report.initializers}
    for r in report.results:
        if r.verdict is Verdict.FAILS:
            deviations[r.initializer].append(r)
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, results in deviations.items():
        groups.setdefault(tuple(r.claim for r in results), []).append(name)
    whole = groups.pop((), [])
    ordered = sorted(groups.items(), key=lambda g: (len(g[1]), -len(g[0])))
    lines = [f"  {_names(names)}: FAILS {_listed(claims, 6)}" for claims, names in ordered[:_SHOWN]]
    rest = ordered[_SHOWN:]
    if rest:
        lines.append(f"  and {sum(len(names) for _, names in rest):,} more initializers that fail in other ways")
    if whole:
        lines.append(f"  {_names(whole)}: nothing fails")
    return lines


def _undecided_and_waived(report: Report) -> list[str]:
    # The reason of an UNDECIDED holds figures, no two alike: one line a claim, with the first reason.
    by_claim: dict[str, list[Result]] = {}
    for r in report.results:
        if r.verdict is Verdict.UNDECIDED:
            by_claim.setdefault(r.claim, []).append(r)
    lines = [line for found in by_claim.values() for line in _folded("undecided", found, first_reason=True)]
    return lines + _folded("waived", (r for r in report.results if r.verdict is Verdict.WAIVED))


def _not_checked(report: Report) -> list[str]:
    lines = _folded("not applicable", (r for r in report.results if r.verdict is Verdict.NOT_APPLICABLE))
    reasons: dict[tuple[str, str | None], list[str]] = {}
    for n in report.not_checked:
        reasons.setdefault((n.reason, n.call_to_write), []).append(n.name)
    for (reason, call), names in list(reasons.items())[:_SHOWN]:
        write = f"; write {escaped(call)}" if call else ""
        lines.append(f"not checked: {_names(names)}: {escaped(reason)}{write}")
    if len(reasons) > _SHOWN:
        lines.append(f"not checked: {len(reasons) - _SHOWN:,} more reasons; the JSON report has them all")
    return lines


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
        lines.append(f"{label}: {_listed(claims, 4)}{of}: {escaped(reason)}")
    if len(reasons) > _SHOWN:
        lines.append(f"{label}: {len(reasons) - _SHOWN:,} more reasons; the JSON report has them all")
    return lines


def _contracts(contracts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What was not declared but read off draws, or assumed, must be said."""
    said: dict[tuple[str, ...], list[str]] = {}
    for name, contract in contracts.items():
        lines = tuple(_guesses(contract))
        if lines:
            said.setdefault(lines, []).append(name)
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
    if len(names) <= _NAMES:
        return ", ".join(escaped(n, 60) for n in names)
    first = ", ".join(escaped(n, 60) for n in names[: _NAMES - 1])
    return f"{first} and {len(names) - _NAMES + 1:,} more"


def _listed(claims: Sequence[str], most: int) -> str:
    shown = ", ".join(escaped(c) for c in claims[:most])
    return shown + (f" and {len(claims) - most:,} more" if len(claims) > most else "")
