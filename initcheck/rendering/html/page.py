"""What the HTML page shows, worked out from a report before any markup is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from initcheck.rendering.html import pictures
from initcheck.rendering.html.strip import Strip, room, strip
from initcheck.rendering.model_lines import portrait_fields
from initcheck.report import changes
from initcheck.report.account import evidence_text
from initcheck.report.report import Report
from initcheck.report.summary import MARKS
from initcheck.report.verdict import Result, Verdict

__all__ = ["Card", "Group", "Matrix", "Passed", "cards", "contracts", "defects", "groups", "matrix", "passed"]

_MOST_CARDS = 150
_MOST_PICTURES = 40
_MOST_SVG_BYTES = 1_500_000
_NEAREST = 25


@dataclass(frozen=True, kw_only=True)
class Card:
    """One failure in full, or one passed claim near its edge."""

    anchor: str
    result: Result
    evidence: str
    strip: Strip | None
    pictures: tuple[pictures.Picture, ...]
    changed: str | None
    room: float | None


class Allowance:
    """How many pictures a page may still hold: a page of 100 failing initializers must stay small."""

    def __init__(self, draw: Callable[[Result], tuple[pictures.Picture, ...]]) -> None:
        self.draw = draw
        self.pictures = _MOST_PICTURES
        self.bytes = _MOST_SVG_BYTES
        self.left_out = 0

    def spend(self, result: Result) -> tuple[pictures.Picture, ...]:
        """Draw a result's pictures, if the page still has room for them."""
        if not result.evidence.series:
            return ()
        if self.pictures <= 0 or self.bytes <= 0:
            self.left_out += 1
            return ()
        drawn = self.draw(result)
        self.pictures -= len(drawn)
        self.bytes -= sum(len(p.svg) for p in drawn)
        return drawn


def cards(report: Report, previous: Report | None, allowance: Allowance) -> tuple[list[Card], list[Result]]:
    """The failures to show in full, and those beyond the first 150, which are listed."""
    before = _by_key(previous)
    shown = [
        _card(f"failure-{k}", r, before.get((r.initializer, r.claim)), allowance)
        for k, r in enumerate(report.failures[:_MOST_CARDS], 1)
    ]
    return shown, list(report.failures[_MOST_CARDS:])


def _card(anchor: str, result: Result, before: Result | None, allowance: Allowance) -> Card:
    changed = None
    if before is not None and before.verdict is not result.verdict:
        changed = f"{MARKS[before.verdict].past} in the last run"
    return Card(
        anchor=anchor,
        result=result,
        evidence=evidence_text(result.evidence),
        strip=strip(result.evidence, before.evidence if before else None),
        pictures=allowance.spend(result),
        changed=changed,
        room=room(result.evidence),
    )


@dataclass(frozen=True, kw_only=True)
class Passed:
    """The claims that hold, by their distance to the edge.

    Attributes:
        nearest: the nearest ones, with strips and pictures; ``further``: the rest of those with a band.
        exact: claims decided without a band, each with the initializers it holds of.
    """

    nearest: list[Card]
    further: list[Card]
    exact: list[tuple[str, str, list[str]]]

    @property
    def count(self) -> int:
        """How many results hold."""
        return len(self.nearest) + len(self.further) + sum(len(names) for _, _, names in self.exact)


def passed(report: Report, previous: Report | None, allowance: Allowance) -> Passed:
    """Sort what holds: nearest to an edge first, then what has no edge, by claim."""
    before = _by_key(previous)
    without = Allowance(lambda _: ())
    held = [r for r in report if r.verdict is Verdict.HOLDS]
    ranked = sorted(
        (r for r in held if room(r.evidence) is not None),
        key=lambda r: (room(r.evidence), r.claim, r.initializer),
    )
    exact: dict[tuple[str, str], list[str]] = {}
    for r in held:
        if room(r.evidence) is None:
            exact.setdefault((r.claim, r.says), []).append(r.initializer)
    placed = [
        _card(f"held-{k}", r, before.get((r.initializer, r.claim)), allowance if k <= _NEAREST else without)
        for k, r in enumerate(ranked, 1)
    ]
    return Passed(
        nearest=placed[:_NEAREST],
        further=placed[_NEAREST:],
        exact=[(claim, says, names) for (claim, says), names in exact.items()],
    )


@dataclass(frozen=True, kw_only=True)
class Group:
    """Results of one verdict that share claim and reason."""

    claim: str
    reason: str
    names: list[str]


def groups(results: Iterable[Result], verdict: Verdict) -> list[Group]:
    """Fold the results of one verdict by claim and reason, the largest group first."""
    found: dict[tuple[str, str], list[str]] = {}
    for r in results:
        if r.verdict is verdict:
            found.setdefault((r.claim, r.reason or "no reason was given"), []).append(r.initializer)
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    return [Group(claim=claim, reason=reason, names=names) for (claim, reason), names in ordered]


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Initializers x claims; a few initializers stand as columns, many as rows.

    Attributes:
        axis: what the rows are, ``initializer`` or ``claim``.
        rows, columns: their names.
        cells: per row and column (class, mark, word, anchor of the failure); None where it was not asked.
    """

    axis: str
    rows: list[str]
    columns: list[str]
    cells: list[list[tuple[str, str, str, str | None] | None]]


def matrix(report: Report, shown: Iterable[Card]) -> Matrix:
    """Lay every result out in a table."""
    anchors = {(c.result.initializer, c.result.claim): c.anchor for c in shown}
    found = _by_key(report)
    names = list(report.initializers)
    claims = list(dict.fromkeys(r.claim for r in report))
    by_claim = len(names) <= 4
    rows, columns = (claims, names) if by_claim else (names, claims)

    def cell(row: str, column: str) -> tuple[str, str, str, str | None] | None:
        key = (column, row) if by_claim else (row, column)
        r = found.get(key)
        return (*MARKS[r.verdict][:3], anchors.get(key)) if r else None

    return Matrix(
        axis="claim" if by_claim else "initializer",
        rows=rows,
        columns=columns,
        cells=[[cell(row, column) for column in columns] for row in rows],
    )


def defects(report: Report) -> list[tuple[list[str], str]]:
    """The smallest defects that the run could find, each with the claims that find it."""
    found: dict[str, list[str]] = {}
    for claim, defect in report.run.smallest_defect.items():
        found.setdefault(defect, []).append(claim)
    return [(claims, defect) for defect, claims in found.items()]


def contracts(report: Report) -> list[tuple[str, list[tuple[str, str, str]], list[str]]]:
    """What each initializer was held to: name, (field, value, where it comes from), notes."""
    found = []
    for name, contract in report.contracts.items():
        if (portrait := portrait_fields(contract)) is not None:
            words, roles = portrait
            found.append((name, [(key, value, "") for key, value in words.items()], roles))
            continue
        origins: Any = contract.get("origins") or {}
        fields = [
            (key.replace("_", " "), _worded(value), str(origins.get(key, "")))
            for key, value in contract.items()
            if key not in ("origins", "notes") and value not in (None, {}, [], ())
        ]
        found.append((name, fields, [str(note) for note in contract.get("notes") or ()]))
    return found


def _worded(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {v}" for k, v in value.items())
    return ", ".join(str(v) for v in value) if isinstance(value, (list, tuple)) else str(value)


def _by_key(report: Report | None) -> dict[tuple[str, str], Result]:
    return {(r.initializer, r.claim): r for r in report} if report is not None else {}


def difference(report: Report, previous: Report | None) -> changes.Changes | None:
    """What changed since the last run, where there was one."""
    return changes.compare(previous, report) if previous is not None else None
