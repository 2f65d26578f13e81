"""The verdicts on a model as at most 25 lines of text, however many layers it has."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from initcheck.rendering.terminal import result_line
from initcheck.report.report import Report
from initcheck.report.summary import amount
from initcheck.report.verdict import Result, Verdict
from initcheck.safe_text import escaped

LINES = 25


_BARS = "▁▂▃▄▅▆▇█"


def model_lines(report: Report, name: str, order: Sequence[str] = (), limit: int = LINES) -> list[str]:
    """The report on one model of a run.

    Growth is drawn beside a claim on ``depth``, the first loss stands for one on the ``loss``, and the laws of all
    roles are listed below one on the ``law``.

    Args:
        report: of ``check_model``, or of a run on several.
        name: of the model.
        order: ids of claims in the order of their lines; others come last.
        limit: most lines; what does not fit is counted.
    """
    place = {claim: n for n, claim in enumerate(order)}
    results = sorted(report.of(name), key=lambda r: place.get(r.claim, len(place)))
    shown = report.contracts.get(name)
    if shown is None:
        # Its process died before it could tell what it had built.
        return [f"initcheck model {escaped(name, 60)}   no build was told of", *map(result_line, results)]
    built = "portrait of what is built: " if shown.get("built") else ""
    head = (
        f"initcheck model {escaped(name, 60)}   {built}{amount(shown['parameters'])} parameters,"
        f" {shown['tensors']} tensors, {len(shown['roles'])} groups, {shown['blocks']} blocks"
    )
    failing = sum(r.verdict is Verdict.FAILS for r in results)
    foot = (
        f"{failing} of {len(results)} fail; {shown['builds']} builds, {shown['seeds']} seeds, {shown['seconds']:.1f} s"
    )
    if built:
        asked = [r for r in results if r.verdict is not Verdict.NOT_APPLICABLE]
        foot = (
            f"{failing} fail; {len(results) - len(asked)} of {len(results)} claims compare builds: name the function"
            f" that builds it; {shown['seconds']:.1f} s"
        )
        results = asked
    heads = {r.claim: _headline(r, shown) for r in results}
    # Head, foot and one line a claim are kept; findings share what is left, and the laws of the roles the rest.
    room = limit - 2 - len(results)
    findings = {r.claim: [f"    {escaped(s, 200)}" for s in _findings(r)] for r in results}
    room = _shorten(findings, room)
    facts = [escaped(line, 200) for line in _facts(shown)]
    room -= len(facts)
    tables = [f"    {escaped(line, 200)}" for line in _roles(shown["roles"])]
    if len(tables) > room:
        tables = [*tables[: max(0, room - 1)], f"    and {len(tables) - room + 1} more groups"] if room > 0 else []
    lines = [head]
    for result in results:
        lines.append(escaped(heads[result.claim], 200))
        lines += findings[result.claim]
        if result.topic == "law":
            lines += tables
            tables = []
    return [*lines, *facts, *(tables if built else []), foot]


def note_lines(results: Iterable[Result], most: int = 5) -> list[str]:
    """What a reader of a model should know and nobody is blamed for, a line each, and how many more there are."""
    notes = list(dict.fromkeys(note for r in results for note in r.notes))
    more = [f"note    {len(notes) - most:,} more; --json has them all"] if len(notes) > most else []
    return [f"note    {escaped(note, 400)}" for note in notes[:most]] + more


def _facts(shown: Mapping[str, Any]) -> Iterator[str]:
    """What a portrait says that no claim does: the first tie, the first tensor that is unread, and how many more."""
    for label in ("ties", "unread"):
        found = shown.get(label) or ()
        if found:
            more = f"  (and {len(found) - 1} more)" if len(found) > 1 else ""
            yield f"{label:<10} {found[0]}{more}"


def is_portrait(shown: Mapping[str, Any]) -> bool:
    """Whether what was held to is a model's portrait, and no contract.

    >>> is_portrait({"activation": "relu"})
    False
    """
    return "roles" in shown and "chains" in shown


def laws_lines(shown: Mapping[str, Any]) -> list[str]:
    """The table of laws, a line a group of tensors: how many, which, their shape, the law; those that are drawn first.

    >>> role = {"path": "h.*.w", "tensors": 2, "shape": [8, 8], "random": True, "law": "normal std 0.02", "laws": 1}
    >>> laws_lines({"roles": [{**role, "formula": None, "width_slope": None}]})
    ['   2 h.*.w  (8,8)          normal std 0.02']
    """
    fixed = [r for r in shown["roles"] if not r["random"]]
    width = min(46, max((len(r["path"]) for r in shown["roles"]), default=0))
    shapes = {r["path"]: "(" + ",".join(map(str, r["shape"])) + ")" for r in fixed}
    rest = [f"{r['tensors']:>4} {r['path']:<{width}}  {shapes[r['path']]:<14} {r['law']}" for r in fixed]
    return [*_roles(shown["roles"]), *rest]


def writes_lines(shown: Mapping[str, Any]) -> list[str]:
    """The table of writers, a line a role: how many tensors, what was written last and where, and over what.

    >>> row = {"role": "h.*.w", "tensors": 2, "law": "normal std 0.02", "by": "net.py:7", "default": False}
    >>> writes_lines({"writes": [{**row, "over": ["uniform +-0.1 at linear.py:114 (default)"]}]})
    ['   2 h.*.w  normal std 0.02 at net.py:7, over uniform +-0.1 at linear.py:114 (default)']
    """
    rows = shown.get("writes") or ()
    width = min(46, max((len(row["role"]) for row in rows), default=0))
    lines = []
    for row in rows:
        default = " (default)" if row["default"] else ""
        over = f", over {'; '.join(row['over'])}" if row["over"] else ""
        lines.append(f"{row['tensors']:>4} {row['role']:<{width}}  {row['law']} at {row['by']}{default}{over}")
    return lines


def _headline(result: Result, shown: Mapping[str, Any]) -> str:
    said = result.reason or result.evidence.measured or ""
    directions = {"signal_by_depth": "forward", "gradient_by_depth": "backward"}
    way = next((way for series, way in directions.items() if series in result.evidence.series), None)
    if result.topic == "depth" and result.reason is None and way is not None:
        said = f"growth over the second half {result.evidence.measured}, allowed {result.evidence.allowed}"
        longest = max(shown["chains"], key=lambda c: len(c[way]), default=None)
        if longest is not None and longest[way]:
            said += f"   {sparkline(longest[way])}"
    if result.topic == "loss" and result.reason is None and shown["loss"] is not None:
        said = f"first loss {shown['loss']:.2f}, ln({shown['classes']}) = {math.log(shown['classes']):.2f}"
    return f"{result.label or result.claim:<10} {result.verdict.value:<8}  {said}"


def _findings(result: Result) -> list[str]:
    e = result.evidence
    if result.verdict not in (Verdict.FAILS, Verdict.WAIVED):
        return []
    return [s for s in (e.case, *e.detail) if s]


def _shorten(findings: dict[str, list[str]], room: int) -> int:
    """Cut the longest lists until they fit, and say how much was cut; return the lines that are left."""
    whole = {c: sum(map(_stands_for, lines)) for c, lines in findings.items()}
    count = {c: len(lines) for c, lines in findings.items()}
    while sum(map(len, findings.values())) > max(room - 4, 1):
        claim = max(findings, key=lambda c: len(findings[c]))
        if len(findings[claim]) <= 1:
            break
        findings[claim].pop()
    for claim, lines in findings.items():
        if len(lines) < count[claim] and lines:
            lines[-1] += f"  (and {whole[claim] - len(lines):,} more)"
    return room - sum(map(len, findings.values()))


def _stands_for(line: str) -> int:
    """How many findings a line tells of: the evidence ends in "and 6 more" where it names only the first."""
    rest = re.fullmatch(r"\s*and (\d+) more", line)
    return int(rest[1]) if rest else 1


def _roles(roles: Sequence[dict[str, Any]]) -> Iterator[str]:
    random = sorted((r for r in roles if r["random"]), key=lambda r: -r["tensors"] * math.prod(r["shape"]))
    if not random:
        return
    width = min(46, max(len(r["path"]) for r in random))
    for role in random:
        shape = "(" + ",".join(map(str, role["shape"])) + ")"
        formula = f"  = {role['formula']}" if role["formula"] else ""
        if role["width_slope"] is not None and abs(role["width_slope"]) > 0.05:
            formula += f"  ~ width^{role['width_slope']:.2g}"
        several = f"  ({role['laws']} laws)" if role["laws"] > 1 else ""
        yield f"{role['tensors']:>4} {role['path']:<{width}}  {shape:<14} {role['law']}{formula}{several}"


def sparkline(values: Sequence[float], width: int = 24) -> str:
    """Second moments by block as bars on a logarithmic scale of at least a factor 16.

    >>> sparkline([1.0, 4.0, 16.0])
    '▁▄█'
    """
    logs = [math.log(v) if v > 0 and math.isfinite(v) else math.nan for v in values]
    if len(logs) > width:
        logs = [logs[i * (len(logs) - 1) // (width - 1)] for i in range(width)]
    known = [v for v in logs if not math.isnan(v)]
    if not known:
        return ""
    span = max(max(known) - min(known), math.log(16.0))
    return "".join("x" if math.isnan(v) else _BARS[int((v - min(known)) / span * 7 + 1e-9)] for v in logs)
