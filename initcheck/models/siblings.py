"""Do tensors of one role follow one law? Exact where the trace names it, by exchangeability where it does not."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Role, ordered_with_depth
from initcheck.models.facts import Facts
from initcheck.models.few_models import siblings_needed
from initcheck.models.wording import listed, place

__all__ = ["Finding", "far_entries", "is_traced", "overwritten", "traced_deviants", "untraced_deviants"]

_NAMED = ("normal", "uniform", "truncated_normal")


@dataclass(frozen=True)
class Finding:
    """One finding: ``fails``, ``doubt`` or ``note``, and its sentence."""

    kind: str
    sentence: str


def is_traced(record: TensorRecord) -> bool:
    """Whether the trace tells the tensor's law, and its entries do not contradict it."""
    return record.law.family not in ("untraced", "fixed") and not overwritten(record)


def overwritten(record: TensorRecord) -> bool:
    """Whether the entries cannot have come from the traced law: something that is not torch wrote them later."""
    law = record.law
    if law.family == "constant":
        return record.low != record.high and not record.partial and not math.isnan(record.low)
    if law.family not in _NAMED or not law.named or record.partial or record.missing or not record.count:
        return False
    if record.far > max(1, record.count // 100):
        return True
    if record.far:
        return False
    expected = (law.std or 0.0) ** 2 + (law.mean or 0.0) ** 2
    # The fourth moment of the normal bounds those of the other two; eight standard deviations never happen.
    allowed = 0.05 + 8 * math.sqrt(2 / record.count)
    return abs(record.second_moment / expected - 1) > allowed


def far_entries(record: TensorRecord) -> Iterator[Finding]:
    """Entries beyond twelve standard deviations of the law they were drawn from."""
    if record.far and not overwritten(record):
        worst = max(abs(record.low), abs(record.high))
        yield Finding(
            "fails",
            f"{record.name}: {record.far:,} of {record.count:,} entries lie outside the law they were drawn from"
            f" ({record.law.text}), the largest at {worst:.3g} ({place(record.law.site)})",
        )


def traced_deviants(role: Role) -> Iterator[Finding]:
    """Siblings that were drawn with other arguments than the rest."""
    known = [(d, r) for d, r in zip(role.depths, role.members, strict=True) if is_traced(r)]
    by_law: dict[tuple[object, ...], list[tuple[int, TensorRecord]]] = defaultdict(list)
    for depth, record in known:
        by_law[record.law.signature].append((depth, record))
    if len(by_law) < 2:
        return
    common = max(by_law.values(), key=len)
    deviants = [(d, r) for members in by_law.values() if members is not common for d, r in members]
    if len(known) == 2:
        one, two = (r for _, r in known)
        yield Finding("note", f"{one.name} has {one.law.text}, {two.name} {two.law.text}: two make no rule")
        return
    if len(deviants) >= 3 and _follows_depth(known):
        first, last = known[0][1].law, known[-1][1].law
        yield Finding("note", f"{role.path}: a law of depth, from {first.text} to {last.text}")
        return
    if 2 * len(common) <= len(known):
        laws = listed([members[0][1].law.text for members in by_law.values()])
        yield Finding(
            "doubt",
            f"{role.path}: {len(by_law)} laws among {len(known)} siblings, none is the rule ({laws}); declare them",
        )
        return
    rule = common[0][1].law
    for _, record in deviants:
        yield Finding(
            "fails",
            f"{record.name}: drawn as {record.law.text}, its {len(common)} siblings as {rule.text}"
            f" ({place(record.law.site)})",
        )


def untraced_deviants(role: Role, facts: Facts, level: float) -> Iterator[Finding]:
    """One and the same sibling is the extreme one in every model: exchangeable siblings would take turns."""
    names = [r.name for r in role.members if r.name in facts.random and not is_traced(r)]
    if len(names) < 3 or len(names) < len(role.members):
        return
    needed = siblings_needed(len(names), level)
    extreme = _extreme(facts.first.records, names)
    for number in range(1, needed):
        if number >= facts.budget:
            yield Finding(
                "doubt",
                f"{extreme} is the extreme one of {len(names)} untraced siblings in {number} models;"
                f" {needed} models decide (models={needed})",
            )
            return
        if _extreme(facts.other(number).records, names) != extreme:
            yield Finding(
                "doubt",
                f"{role.path}: nothing of torch wrote its {len(names)} siblings; no one of them stands out,"
                " and that all share one law is not shown by so few models",
            )
            return
    record = facts.first.records[extreme]
    others = sorted(facts.first.records[n].std for n in names if n != extreme)
    yield Finding(
        "fails",
        f"{extreme}: standard deviation {record.std:.4g}, its {len(others)} siblings about"
        f" {others[len(others) // 2]:.4g}; the extreme one in all of {needed} models",
    )


def _extreme(records: dict[str, TensorRecord], names: Sequence[str]) -> str:
    sizes = {n: math.log(max(records[n].second_moment, 1e-300)) for n in names}
    middle = sorted(sizes.values())[len(sizes) // 2]
    return max(names, key=lambda n: abs(sizes[n] - middle))


def _follows_depth(known: Iterable[tuple[int, TensorRecord]]) -> bool:
    pairs = [(d, r.law.std if r.law.named else r.law.mean) for d, r in known]
    if len({r.law.family for _, r in known}) > 1 or any(v is None for _, v in pairs):
        return False
    return ordered_with_depth([abs(v) for _, v in pairs if v is not None], [d for d, _ in pairs])
