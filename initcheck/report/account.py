"""One result in words."""

from __future__ import annotations

from collections.abc import Iterator

from initcheck.report.verdict import Evidence, Result
from initcheck.safe_text import clean, escaped

__all__ = ["clean", "escaped", "evidence_text", "failure_text"]


def failure_text(result: Result) -> str:
    """The whole account of one verdict, in the order in which a reader asks.

    Claim, verdict and initializer; the sentence; measured against allowed; the smallest case; the evidence;
    the likely cause; its fix; how to reproduce it. A line that has nothing to say is not printed.
    """
    head = f"{escaped(result.claim)}  {result.verdict.value}  for {escaped(result.initializer)}"
    lines = [head, f"  {escaped(result.says)}"]
    for label, text in _account(result):
        lines.append(f"    {label:<12}{text}".rstrip())
    return "\n".join(lines)


def _account(result: Result) -> Iterator[tuple[str, str]]:
    e = result.evidence
    if result.reason:
        yield "reason", escaped(result.reason, 2_000)
    if e.measured is not None and e.allowed is not None and len(e.measured) <= 12:
        yield "measured", f"{escaped(e.measured):<12} allowed {escaped(e.allowed)}"
    else:
        if e.measured is not None:
            yield "measured", escaped(e.measured)
        if e.allowed is not None:
            yield "allowed", escaped(e.allowed)
    if case := _case(e):
        yield "smallest", case
    if evidence := evidence_text(e):
        yield "evidence", evidence
    for line in e.detail:
        yield "", escaped(line)
    if e.likely:
        yield "likely", escaped(e.likely)
    if e.fix:
        yield "fix", escaped(e.fix)
    for note in result.notes:
        yield "note", escaped(note, 1_000)
    if result.reproduce:
        yield "reproduce", escaped(result.reproduce, 20_000)


def _case(evidence: Evidence) -> str:
    if evidence.case:
        return escaped(evidence.case)
    if evidence.shape is None:
        return ""
    return f"shape {evidence.shape}" + (f", {evidence.dtype}" if evidence.dtype else "")


def evidence_text(evidence: Evidence) -> str:
    """How much was drawn and how sure that makes us, as one line; empty where nothing was drawn."""
    parts = []
    if evidence.weights:
        parts.append(f"{_count(evidence.weights, 'weight')} in {_count(evidence.calls, 'call')}")
    elif evidence.calls:
        parts.append(_count(evidence.calls, "call"))
    if evidence.e_value_log10 is not None:
        parts.append(f"e-value 10^{evidence.e_value_log10:.1f}")
    if evidence.error_spent:
        parts.append(f"error rate spent {evidence.error_spent:.2g}")
    return "; ".join(parts)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")
