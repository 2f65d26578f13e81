"""Values that nobody starts from: NaN, infinities, entries that the law of their tensor excludes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from initcheck.models.builds.build import Build
from initcheck.models.builds.record import TensorRecord
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.trial import RuleFinding
from initcheck.models.factory.wording import folded, place
from initcheck.models.rules.siblings import overwritten

_CONTINUOUS = ("normal", "uniform", "truncated_normal")


def _underflows(record: TensorRecord) -> bool:
    """A law with a density has no zeros but by rounding; a few are chance in a narrow dtype."""
    return record.own.count >= 16 and record.own.zeros > max(2, record.own.count // 20) and (record.law.std or 1) < 1e-4


def absurd_in_build(facts: Facts, build: Build, left_out: Collection[str] = ()) -> Iterator[RuleFinding]:
    """Every entry of one build.

    Infinities in a buffer are a mask more often than a mistake: a note.

    Args:
        facts: to which role a tensor belongs.
        build: whose entries are meant.
        left_out: names of tensors that are not looked at.
    """
    found: dict[str, list[tuple[str, str, str]]] = {"fails": [], "note": []}
    for name, record in build.records.items():
        said = _absurd(record) if name not in left_out else None
        if said is not None:
            masks = not record.parameter and not record.sums.nan and bool(record.sums.infinite)
            found["note" if masks else "fails"].append((name, facts.role_of(name), said))
    for kind, sentences in found.items():
        yield from (RuleFinding(kind, sentence) for sentence in folded(sentences))


def _absurd(record: TensorRecord) -> str | None:
    at = f" ({place(record.law.site)})" if record.law.site is not None else ""
    bad = record.sums.nan + record.sums.infinite
    if bad:
        kinds = [w for w, n in (("NaN", record.sums.nan), ("infinite", record.sums.infinite)) if n]
        where = (
            f", the first at {list(record.first_bad)}" if record.first_bad is not None and bad < record.count else ""
        )
        return f"{bad:,} of {record.count:,} entries are {' or '.join(kinds)}{where}{at}"
    if record.far and not overwritten(record):
        worst = record.high if abs(record.high) > abs(record.low) else record.low
        size = f" ({abs(worst) / record.law.std:.3g} standard deviations)" if record.law.std else ""
        where = f", the first at {list(record.first_far)}" if record.first_far is not None else ""
        return (
            f"{record.far:,} of {record.count:,} entries lie outside the law they were drawn from"
            f" ({record.law.text}), the farthest at {worst:.4g}{size}{where}{at}"
        )
    if record.law.family in _CONTINUOUS and record.law.named and _underflows(record):
        return (
            f"{record.own.zeros:,} of {record.own.count:,} entries are 0, though they were drawn as"
            f" {record.law.text}: smaller than their dtype can hold{at}"
        )
    return None
