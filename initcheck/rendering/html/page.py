"""What the HTML page shows, worked out from a report before any markup is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from initcheck.grouping import grouped
from initcheck.rendering.html import pictures
from initcheck.rendering.html.strip import Strip, room, strip
from initcheck.rendering.model_lines import is_portrait
from initcheck.rendering.pair_lines import pair_rows
from initcheck.report import changes
from initcheck.report.account import evidence_text
from initcheck.report.finding import Finding
from initcheck.report.report import Report
from initcheck.report.summary import MARKS, Mark, amount, by_claim_and_reason
from initcheck.report.verdict import Result, Verdict

_MOST_CARDS = 150
_MOST_PICTURES = 40
_MOST_SVG_BYTES = 1_500_000
_NEAREST = 25
_URGENT_FIRST = (Verdict.FAILS, Verdict.UNDECIDED, Verdict.WAIVED, Verdict.HOLDS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True, kw_only=True)
class Card:
    """A failing claim with its evidence, or a passed claim near its edge."""

    anchor: str
    result: Result
    evidence: str
    strip: Strip | None
    pictures: tuple[pictures.Picture, ...]
    changed: str | None
    room: float | None


@dataclass(frozen=True, kw_only=True)
class FindingCard:
    """One finding with the one picture that shows its symptom, and the evidence of every claim behind it."""

    finding: Finding
    picture: pictures.Picture | None
    claims: list[Card]
    changed: str | None


class Allowance:
    """How many pictures a page may still hold: a page of 100 failing initializers must stay small."""

    def __init__(self, draw: Callable[[Result, str | None], tuple[pictures.Picture, ...]]) -> None:
        self.draw = draw
        self.pictures = _MOST_PICTURES
        self.bytes = _MOST_SVG_BYTES
        self.left_out = 0

    def spend(self, result: Result, only: str | None = None) -> tuple[pictures.Picture, ...]:
        """Draw a result's pictures, or the one of a series, if the page still has room for them."""
        if not result.evidence.series:
            return ()
        if self.pictures <= 0 or self.bytes <= 0:
            self.left_out += 1
            return ()
        drawn = self.draw(result, only)
        self.pictures -= len(drawn)
        self.bytes -= sum(len(p.svg) for p in drawn)
        return drawn


def cards(report: Report, previous: Report | None, allowance: Allowance) -> tuple[list[FindingCard], list[Finding]]:
    """The findings to show in full, and those beyond the first 150, which are listed."""
    before = previous.by_key if previous is not None else {}
    now = report.by_key
    without = Allowance(lambda result, only: ())
    shown = []
    for finding in report.findings[:_MOST_CARDS]:
        results = [now[finding.initializer, claim] for claim in finding.claims]
        evidence = [
            _card(f"{finding.name}--{n}", r, before.get((r.initializer, r.claim)), without)
            for n, r in enumerate(results, 1)
        ]
        drawn = allowance.spend(results[0], finding.picture) if finding.picture is not None else ()
        shown.append(
            FindingCard(
                finding=finding,
                picture=drawn[0] if drawn else None,
                claims=evidence,
                changed=next((c.changed for c in evidence if c.changed), None),
            )
        )
    return shown, list(report.findings[_MOST_CARDS:])


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
    before = previous.by_key if previous is not None else {}
    without = Allowance(lambda result, only: ())
    held = [r for r in report if r.verdict is Verdict.HOLDS]
    ranked = sorted(
        (r for r in held if room(r.evidence) is not None),
        key=lambda r: (room(r.evidence), r.claim, r.initializer),
    )
    exact = grouped(((r.claim, r.says), r.initializer) for r in held if room(r.evidence) is None)
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
    ordered = sorted(by_claim_and_reason(results, verdict).items(), key=lambda item: -len(item[1]))
    return [Group(claim=claim, reason=reason, names=names) for (claim, reason), names in ordered]


@dataclass(frozen=True, kw_only=True)
class ClaimMatrix:
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

    @property
    def occurring(self) -> set[str]:
        """The classes of the verdicts that are in the table: the others need no legend."""
        return {cell[0] for row in self.cells for cell in row if cell is not None}

    @property
    def by_verdict(self) -> list[tuple[Mark, list[tuple[str, str | None]]]]:
        """Of a single column: the verdicts, what asks for a hand first, each with its rows and their anchors."""
        rows = zip(self.rows, self.cells, strict=True)
        found = grouped((cell[0], (row, cell[3])) for row, (cell,) in rows if cell is not None)
        return [(MARKS[v], found[MARKS[v].css]) for v in _URGENT_FIRST if MARKS[v].css in found]


def matrix(report: Report, shown: Iterable[FindingCard]) -> ClaimMatrix:
    """Lay every result out in a table."""
    anchors = {(c.finding.initializer, claim): c.finding.name for c in shown for claim in c.finding.claims}
    found = report.by_key
    names = list(report.initializers)
    # What fails somewhere stands first: a phone shows the first third of the table.
    failing = {r.claim for r in report if r.verdict is Verdict.FAILS}
    claims = sorted(dict.fromkeys(r.claim for r in report), key=lambda claim: claim not in failing)
    by_claim = len(names) <= 4
    rows, columns = (claims, names) if by_claim else (names, claims)

    def cell(row: str, column: str) -> tuple[str, str, str, str | None] | None:
        key = (column, row) if by_claim else (row, column)
        r = found.get(key)
        return (*MARKS[r.verdict][:3], anchors.get(key)) if r else None

    return ClaimMatrix(
        axis="claim" if by_claim else "initializer",
        rows=rows,
        columns=columns,
        cells=[[cell(row, column) for column in columns] for row in rows],
    )


def defects(report: Report) -> list[tuple[list[str], str]]:
    """The smallest defects that the run could find, each with the claims that find it."""
    found = grouped((defect, claim) for claim, defect in report.run.smallest_defect.items())
    return [(claims, defect) for defect, claims in found.items()]


@dataclass(frozen=True, kw_only=True)
class ModelTable:
    """What is known of a model beside the verdicts: its size, and the law of each group of random tensors."""

    name: str
    facts: str
    laws: list[tuple[str, str, str, str, str]]
    growth: pictures.Picture | None


def models(report: Report, draw: Callable[..., pictures.Picture | None]) -> list[ModelTable]:
    """The models of a run, with their laws and how signal and gradient grow through the blocks."""
    found = []
    for name, shown in report.contracts.items():
        if not is_portrait(shown):
            continue
        facts = "".join(f"{shown[key]} {key}, " for key in ("tensors", "blocks") if shown[key])
        facts += f"{amount(shown['parameters'])} parameters; {shown['builds']} builds, {shown['seeds']} seeds"
        laws = [
            (
                str(role["tensors"]),
                str(role["path"]),
                " x ".join(map(str, role["shape"])),
                str(role["law"]) + (f", {role['laws']} laws" if role["laws"] > 1 else ""),
                str(role["formula"] or ""),
            )
            for role in shown["roles"]
            if role["random"]
        ]
        longest = max(shown["chains"], key=lambda c: len(c["forward"]), default=None)
        growth = draw(name, longest["forward"], longest["backward"]) if longest is not None else None
        found.append(ModelTable(name=name, facts=facts, laws=laws, growth=growth))
    return found


@dataclass(frozen=True, kw_only=True)
class PairTable:
    """Two starts side by side: each part with its answer, what A and B are there, and on what that rests."""

    name: str
    a: str
    b: str
    notes: list[str]
    rows: list[tuple[str, str, str, str, str]]


def pairs(report: Report) -> list[PairTable]:
    """The pairs of a run, part by part; what differs first."""
    found = []
    order = ("DIFFERENT", "UNDECIDED", "SAME")
    for name, shown in report.contracts.items():
        parts = pair_rows(shown)
        if parts is not None:
            kept = sorted(parts, key=lambda row: order.index(row[1]))
            notes = [*shown["missing"], *shown["notes"]]
            found.append(PairTable(name=name, a=shown["a"], b=shown["b"], notes=notes, rows=kept))
    return found


def contracts(report: Report) -> list[tuple[str, list[tuple[str, str, str]], list[str]]]:
    """What each initializer was held to: name, (field, value, where it comes from), notes."""
    found = []
    for name, contract in report.contracts.items():
        if is_portrait(contract) or pair_rows(contract) is not None:
            continue  # a model has a section of its own, and so have two starts
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


def difference(report: Report, previous: Report | None) -> changes.Changes | None:
    """What changed since the last run, where there was one."""
    return changes.compare(previous, report) if previous is not None else None
