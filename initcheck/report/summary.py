"""The sentences that sum up a run: the denominator, the bound on false alarms, the words for a result."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from initcheck.grouping import grouped
from initcheck.report.results import Results
from initcheck.report.verdict import Result, Verdict
from initcheck.wording import counted


class Mark(NamedTuple):
    """How a verdict is shown where there is no room for its name; never by colour alone."""

    css: str
    sign: str
    word: str
    many: str
    past: str


MARKS: Mapping[Verdict, Mark] = {
    Verdict.HOLDS: Mark("h", "✓", "holds", "hold", "held"),
    Verdict.FAILS: Mark("f", "✗", "fails", "fail", "failed"),
    Verdict.UNDECIDED: Mark("u", "?", "undecided", "undecided", "undecided"),
    Verdict.WAIVED: Mark("w", "~", "waived", "waived", "waived"),
    Verdict.NOT_APPLICABLE: Mark("n", "-", "not applicable", "not applicable", "not applicable"),
}


def figure(value: float) -> str:
    """Word a number for a reader: four digits, no needless zeros.

    >>> figure(0.33349), figure(1.25), figure(3e-21), figure(24576)
    ('0.3335', '1.25', '3e-21', '24,576')
    """
    if math.isfinite(value) and value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:.4g}"


def amount(count: int) -> str:
    """Word how many parameters a model has.

    >>> amount(124_439_808), amount(999)
    ('124.4 M', '999')
    """
    for size, unit in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:.4g} {unit}"
    return str(count)


def rate(value: float) -> str:
    """Word an error rate.

    >>> rate(1e-6), rate(5e-7)
    ('1e-06', '5e-07')
    """
    return f"{value:.2g}"


def sum_of_verdicts(report: Results) -> str:
    """Word the number of results as the sum of its parts.

    >>> from initcheck.report.results import Results, Run
    >>> sum_of_verdicts(Results(run=Run(), results=()))
    '0 claims checked'
    """
    total, names = len(report), len(report.initializers)
    if not total:
        return "0 claims checked"
    always = (Verdict.HOLDS, Verdict.FAILS)
    terms = " + ".join(f"{n:,} {MARKS[v].many}" for v, n in report.counts.items() if n or v in always)
    if names == 1:
        return f"{total:,} {'claim' if total == 1 else 'claims'} = {terms}"
    claims = len({r.claim for r in report})
    of = f"{claims:,} {'claim' if claims == 1 else 'claims'} x {names:,} initializers"
    return f"{total:,} verdicts ({of}) = {terms}"


def headline(report: Results) -> str:
    """The outcome in a few words: what the exit code says.

    >>> from initcheck.report.results import Results, Run
    >>> headline(Results(run=Run(), results=()))
    'Nothing was decided'
    """
    failures = len(report.failures)
    if failures:
        said = f"{failures:,} {'claim fails' if failures == 1 else 'claims fail'}"
        every, failing = len(report.initializers), len({r.initializer for r in report.failures})
        return said if every == 1 else f"{said} in {failing:,} of {every:,} initializers"
    if report.unanswered:
        return f"{counted(len(report.unanswered), 'claim')} not judged, for want of one that fails"
    if report.broken:
        return f"{counted(len(report.broken), 'claim')} not judged, for a fault of the claim's own"
    if report.decided and report.unshown:
        return f"No claim fails, and {len(report.unshown):,} of what was named not checked"
    return "No claim fails" if report.decided else "Nothing was decided"


def subject(report: Results) -> str:
    """What was checked, in a few words: its name, or the module they share and how many they are.

    >>> from initcheck.report.results import Results, Run
    >>> subject(Results(run=Run(), results=()))
    'nothing'
    """
    names = report.initializers
    if len(names) <= 1:
        return names[0] if names else "nothing"
    modules = list(dict.fromkeys(name.partition(":")[0] if ":" in name else name.rpartition(".")[0] for name in names))
    shared = modules[0] if len(modules) == 1 and modules[0] else f"{names[0]} and {len(names) - 1:,} more"
    return f"{shared} ({len(names):,} initializers)" if len(modules) == 1 and modules[0] else shared


def false_alarms(report: Results) -> str:
    """Word the bound on false alarms: per initializer, and over the run by the union bound.

    >>> from initcheck.report.results import Results, Run
    >>> false_alarms(Results(run=Run(alpha=1e-6), results=()))
    'P(any false FAIL) is at most 1e-06 per initializer; a HOLDS is wrong with probability at most 0.001'
    """
    run, n = report.run, len(report.initializers)
    over = f", {rate(min(1.0, n * run.alpha))} over all {n}" if n > 1 else ""
    return (
        f"P(any false FAIL) is at most {rate(run.alpha)} per initializer{over};"
        f" a HOLDS is wrong with probability at most {rate(run.beta)}"
    )


def by_claim_and_reason(results: Iterable[Result], verdict: Verdict) -> dict[tuple[str, str], list[str]]:
    """The initializers of the results of one verdict, under their claim and reason."""
    return grouped(
        ((r.claim, r.reason or "no reason was given"), r.initializer) for r in results if r.verdict is verdict
    )


def what_happened(result: Result) -> str:
    """Word one result on one line: what was measured against what was allowed, or the reason.

    >>> from initcheck.report.verdict import Evidence
    >>> what_happened(Result(claim="zero-mean", says=".", initializer="f", family="centering",
    ...     verdict=Verdict.FAILS, evidence=Evidence(measured="0.2", allowed="[-0.005, 0.005]")))
    'measured 0.2, allowed [-0.005, 0.005]'
    """
    e = result.evidence
    parts = [f"{word} {text}" for word, text in (("measured", e.measured), ("allowed", e.allowed)) if text]
    return ", ".join(parts) or result.reason or result.says
