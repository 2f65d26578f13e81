"""What differs between two runs: verdicts that changed, results that came or went."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.report.report import Report
from initcheck.report.verdict import Result, Verdict


@dataclass(frozen=True, kw_only=True)
class Change:
    """One result whose verdict is another than in the last run."""

    before: Result
    now: Result

    @property
    def worse(self) -> bool:
        """It fails and did not, or was shown to hold and no longer is."""
        return self.now.verdict is Verdict.FAILS or self.before.verdict is Verdict.HOLDS


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The difference of two runs.

    Attributes:
        changed: results whose verdict changed, the worse ones first.
        came: results the last run did not have; ``went``: results this run does not have.
        conditions: what was different about the runs themselves (seed, profile, version), worded.
    """

    changed: tuple[Change, ...] = ()
    came: tuple[Result, ...] = ()
    went: tuple[Result, ...] = ()
    conditions: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """The difference in one sentence."""
        worse = sum(c.worse for c in self.changed)
        parts = [
            f"{n} {word}"
            for n, word in (
                (worse, "worse"),
                (len(self.changed) - worse, "otherwise changed"),
                (len(self.came), "new"),
                (len(self.went), "no longer asked"),
            )
            if n
        ]
        return ", ".join(parts) if parts else "no verdict changed"


def compare(previous: Report, report: Report) -> Changes:
    """Compare two reports result by result.

    >>> from initcheck.report.results import Run
    >>> compare(Report(run=Run(seed=0), results=()), Report(run=Run(seed=1), results=())).conditions
    ('seed 0, now 1',)
    """
    old, new = previous.by_key, report.by_key
    changed = [Change(before=old[k], now=r) for k, r in new.items() if k in old and old[k].verdict is not r.verdict]
    conditions = [
        f"{word} {was}, now {now}"
        for word, was, now in (
            ("seed", previous.run.seed, report.run.seed),
            ("profile", previous.run.profile, report.run.profile),
            ("initcheck", previous.run.version, report.run.version),
        )
        if was != now
    ]
    return Changes(
        changed=tuple(sorted(changed, key=lambda c: not c.worse)),
        came=tuple(r for k, r in new.items() if k not in old),
        went=tuple(r for k, r in old.items() if k not in new),
        conditions=tuple(conditions),
    )
