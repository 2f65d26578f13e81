"""Do tensors of one role follow one law? Exact where a call names it, by exchangeability where it does not."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from initcheck.grouping import grouped
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Role, by_inner_number, ordered_with_depth
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.few_models import siblings_needed
from initcheck.models.factory.trial import RuleFinding
from initcheck.models.factory.wording import place
from initcheck.wording import listed

_NAMED = ("normal", "uniform", "truncated_normal", "orthogonal", "sparse")
_EXACT = (*_NAMED, "constant")

_CONTRADICTION = 1e-12
"""A tensor of the named law is taken for another one with at most this probability; 1e-8 in ten thousand tensors."""

_ALIKE = 1.2
"""Root mean squares that lie within this factor of their middle one are one size; chance is allowed for."""


def is_traced(record: TensorRecord) -> bool:
    """Whether a call or an operation names the tensor's law, and its entries do not contradict it."""
    return record.law.family in _EXACT and not overwritten(record)


def overwritten(record: TensorRecord) -> bool:
    """Whether the entries cannot have come from the traced law: something that is not torch wrote them later.

    Null: n entries of the named law, independent, or orthogonal. Their mean square over the law's, r, is above or
    below by chance with probability at most exp(-n (r - 1 - ln r) / 2) (Chernoff for the chi-squared law, which
    lies above those of bounded laws of one variance in the convex order). Five per cent are allowed for rounding.
    """
    law, own = record.law, record.own
    if law.family == "constant":
        return record.low != record.high and not record.later and not math.isnan(record.low)
    if law.family not in _NAMED or not law.named or not own.count or record.missing:
        return False
    if record.far > max(1, record.count // 100):
        return True
    if record.far or not math.isfinite(own.second_moment):
        return False
    expected = (law.std or 0.0) ** 2 + (law.mean or 0.0) ** 2
    ratio = own.second_moment / expected
    ratio = max(ratio / 1.05, min(ratio / 0.95, 1.0)) if ratio > 0 else 0.0
    filled = own.count * ((law.std or 0.0) / law.sigma) ** 2 if law.family == "sparse" and law.sigma else own.count
    if ratio == 0.0:
        return True
    return filled * (ratio - 1 - math.log(ratio)) / 2 > math.log(2 / _CONTRADICTION)


def named_deviants(role: Role) -> Iterator[RuleFinding]:
    """Siblings that were drawn with other arguments than the rest, in the whole or in the same slices."""
    parts = by_inner_number(role)
    if by_place := _laws_of_parts(parts):
        said = "; ".join(f"{law} at {listed(paths)}" for law, paths in by_place.items())
        yield RuleFinding("note", f"{role.path}: by the place in its block, {said}")
        for part in parts:
            yield from named_deviants(part)
        return
    known = [(d, r) for d, r in zip(role.depths, role.members, strict=True) if is_traced(r)]
    by_law = grouped((record.signature, (depth, record)) for depth, record in known)
    if len(by_law) < 2:
        return
    common = max(by_law.values(), key=len)
    deviants = [(d, r) for members in by_law.values() if members is not common for d, r in members]
    if len(known) == 2:
        one, two = (r for _, r in known)
        yield RuleFinding("note", f"{one.name} has {_words(one)}, {two.name} {_words(two)}: two make no rule")
        return
    if _ends_at_zero(role, [r for _, r in deviants]):
        said = f"{deviants[0][1].name}, the last of its list, starts at zero"
        if _something_between(role):
            yield RuleFinding("note", said)
        else:
            yield RuleFinding(
                "doubt", f"{said}: the end of a chain by design, or the one that a loop left out; declare it"
            )
        return
    constant = "constant" in (known[0][1].law.family, deviants[0][1].law.family)
    if _numbered_by_call(role) and (len(deviants) > 1 or constant):
        laws = listed([f"{len(m)} {_words(m[0][1])}" for m in by_law.values()])
        yield RuleFinding("note", f"{role.path}: {laws}; numbered as they were made, they may play several parts")
        return
    if _follows_depth(known) and (len(deviants) >= 3 or _on_one_curve(known)):
        first, last = known[0][1].law, known[-1][1].law
        yield RuleFinding("note", f"{role.path}: a law of depth, from {first.text} to {last.text}")
        return
    half = _half_scaled(role, known)
    if half is not None:
        yield RuleFinding("fails", half)
        return
    if 2 * len(common) <= len(known):
        laws = listed([_words(members[0][1]) for members in by_law.values()])
        yield RuleFinding(
            "doubt",
            f"{role.path}: {len(by_law)} laws among {len(known)} siblings, none is the rule ({laws}); declare them",
        )
        return
    rule, drawn_at = _words(common[0][1]), common[0][1].law.site
    for _, record in deviants:
        its_own = _place(record, common)
        likely, fix = None, f"draw it as its siblings: {rule}"
        if record.later and record.law.signature == common[0][1].law.signature:
            what = " and ".join(record.entries_of(part) for part in record.later[:2])
            likely = f"{its_own} writes {what} of it, and of none of its siblings"
            fix = "write the same entries of all of them, or of none"
        elif any(lost.site == drawn_at for lost in record.lost):
            likely = f"{its_own} overwrites what {place(drawn_at)} had drawn as for its siblings"
        elif place(drawn_at) != its_own:
            likely = f"what draws its siblings, {place(drawn_at)}, leaves it out"
        yield RuleFinding(
            "fails",
            f"{record.name}: drawn as {_words(record)}, its {len(common)} siblings as {rule} ({its_own})",
            likely=likely,
            fix=fix,
        )


def _laws_of_parts(parts: Sequence[Role]) -> dict[str, list[str]]:
    """The laws of the places in a block, where most blocks agree on that of each and places differ; else none.

    The last layer of every branch at zero, or the last of every coupling drawn small, is a design. What one block has
    at a place and the others have not, is none, whatever stands at other places; nor are a few places that are left at
    the default where the others are drawn: a loop that ends too early leaves the same one out of every list.
    """
    found: dict[str, list[str]] = {}
    signatures = set()
    defaults = 0
    for part in parts:
        laws = grouped((r.signature, r) for r in part.members if is_traced(r))
        common = max(laws.values(), key=len, default=[])
        if len(common) < 2 or 2 * len(common) <= len(part.members):
            return {}
        signatures.add(common[0].signature)
        defaults += common[0].default
        found.setdefault(_words(common[0]), []).append(part.path)
    return found if len(signatures) > 1 and not 0 < 2 * defaults < len(parts) else {}


def _ends_at_zero(role: Role, deviants: Sequence[TensorRecord]) -> bool:
    """Whether of layers in a list, and no blocks of layers, the last alone is zero: what it adds grows from nothing."""
    layers = role.path.rpartition(".")[0].endswith("*")
    law = deviants[0].law
    return layers and deviants == [role.members[-1]] and (law.family, law.mean) == ("constant", 0.0)


def _something_between(role: Role) -> bool:
    """Whether the layers of a list have others between them, as in a chain; heads and experts have none."""
    numbers = [int(re.findall(r"\d+", record.name.rpartition(".")[0])[-1]) for record in role.members]
    return all(after - before > 1 for before, after in pairwise(numbers))


def _numbered_by_call(role: Role) -> bool:
    """Whether a framework numbers these layers as they are made, so that several may play another part than the rest.

    Of a flat network of Keras, ``batch_normalization_*`` are those that end a residual branch, and all others.
    """
    layer = role.path.rpartition(".")[0].rpartition(".")[2]
    called = layer.removesuffix("_*").replace("_", "").lower()
    return layer.endswith("_*") and called == role.members[0].owner.lower()


def unnamed_deviants(role: Role, facts: Facts, level: float) -> Iterator[RuleFinding]:
    """Siblings whose law no argument names, compared by their numbers, with those beside them that have a name.

    Sizes within a factor 1.2 of the middle one are one law where operations of torch made them. Otherwise one and
    the same sibling must be the extreme one in every model: exchangeable siblings would take turns.
    """
    by_name = {r.name: r for r in role.members}
    derived = [n for n, r in by_name.items() if n in facts.random and r.law.family == "derived"]
    untraced = [n for n, r in by_name.items() if n in facts.random and n not in derived and not is_traced(r)]
    names = [n for n, r in by_name.items() if n in derived or n in untraced or (r.law.named and is_traced(r))]
    if not (derived or untraced) or len(names) < 2:
        return
    if not untraced and _one_size([by_name[n] for n in names]):
        ways = len({by_name[n].law.recipe for n in derived})
        if ways > 1 or len(names) > len(derived):
            yield RuleFinding(
                "note", f"{role.path}: computed in {ways + (len(names) > len(derived))} ways, of one size"
            )
        return
    if len(names) < 3 or len(untraced) not in (0, len(names)):
        if not untraced:
            one, two = (by_name[n] for n in names[:2])
            yield RuleFinding("note", f"{one.name} has std {one.std:.4g}, {two.name} {two.std:.4g}: two make no rule")
        return
    if not untraced and _rises_with_depth([by_name[n] for n in names]):
        yield RuleFinding("note", f"{role.path}: a law of depth, computed from draws")
        return
    yield from _persistent_extreme(role, names, bool(untraced), facts, level)


def later_notes(record: TensorRecord) -> Iterator[RuleFinding]:
    """What was written to a part of a drawn tensor afterwards: a design, said with its line."""
    if record.count < 2 or not record.parameter or record.law.family == "constant":
        return
    for part in record.later[:2]:
        if part.step.caller.default:
            continue  # torch's own zero row at padding_idx
        what = record.entries_of(part)
        text = f", now {part.law.text}" if part.law.family != "derived" else ""
        yield RuleFinding("note", f"{record.name}: {what} written later at {place(part.step.site)}{text}")


def _persistent_extreme(
    role: Role, names: Sequence[str], untraced: bool, facts: Facts, level: float
) -> Iterator[RuleFinding]:
    needed = siblings_needed(len(names), level)
    extreme = _extreme(facts.first.records, names)
    for number in range(1, needed):
        if number >= facts.budget:
            yield RuleFinding(
                "doubt",
                f"{extreme} is the extreme one of {len(names)} siblings whose law no draw names in {number} models;"
                f" {needed} models decide (models={needed})",
            )
            return
        if _extreme(facts.other(number).records, names) != extreme:
            if untraced:
                yield RuleFinding(
                    "doubt",
                    f"{role.path}: nothing of torch wrote its {len(names)} siblings; no one of them stands out,"
                    " and that all share one law is not shown by so few models",
                )
            return
    record = facts.first.records[extreme]
    others = sorted(facts.first.records[n].std for n in names if n != extreme)
    yield RuleFinding(
        "fails",
        f"{extreme}: standard deviation {record.std:.4g}, its {len(others)} siblings about"
        f" {others[len(others) // 2]:.4g}; the extreme one in all of {needed} models ({place(record.law.site)})",
    )


def _extreme(records: dict[str, TensorRecord], names: Sequence[str]) -> str:
    sizes = {n: math.log(max(records[n].own.second_moment, 1e-300)) for n in names}
    middle = sorted(sizes.values())[len(sizes) // 2]
    return max(names, key=lambda n: abs(sizes[n] - middle))


def _one_size(records: Sequence[TensorRecord]) -> bool:
    """Whether root mean squares lie within a factor of their middle one, four standard errors allowed."""
    logs = {r.name: math.log(max(r.own.second_moment, 1e-300)) / 2 for r in records}
    middle = sorted(logs.values())[len(logs) // 2]
    return all(
        abs(logs[r.name] - middle) <= math.log(_ALIKE) + 4 * math.sqrt(r.own.kurtosis / max(r.own.count, 1)) / 2
        for r in records
    )


def _rises_with_depth(records: Sequence[TensorRecord]) -> bool:
    """Whether sizes rise or fall throughout, by a step that chance does not make."""
    logs = [math.log(max(r.own.second_moment, 1e-300)) for r in records]
    return len(logs) >= 4 and (logs == sorted(logs) or logs == sorted(logs, reverse=True))


def _words(record: TensorRecord) -> str:
    parts = [f"{record.entries_of(p)} {p.law.text}" for p in record.later[:2]]
    return record.law.text + (" with " + " and ".join(parts) if parts else "")


def _place(record: TensorRecord, common: Sequence[tuple[int, TensorRecord]]) -> str:
    """Where the deviant differs: its law's line, or that of a slice that its siblings do not have."""
    if record.later and record.law.signature == common[0][1].law.signature:
        return place(record.later[-1].step.site)
    return place(record.law.site)


def _half_scaled(role: Role, known: Sequence[tuple[int, TensorRecord]]) -> str | None:
    """Two standard deviations in a ratio of 1/sqrt(L) or 1/sqrt(2L), the blocks of each in one run.

    A law of depth has more than two levels; a scaling that one part of the blocks has and the other has not was
    meant for all.
    """
    stds = [r.law.std or 0.0 for _, r in known]
    levels = sorted({float(f"{s:.6g}") for s in stds})
    if len(levels) != 2 or len({r.law.family for _, r in known}) > 1 or levels[0] <= 0:
        return None
    blocks = len(role.members)
    if not any(math.isclose(levels[1] / levels[0], math.sqrt(n), rel_tol=1e-3) for n in (blocks, 2 * blocks)):
        return None
    scaled = [r for _, r in known if math.isclose(r.law.std or 0.0, levels[0], rel_tol=1e-4)]
    rest = [r for _, r in known if r not in scaled]
    return (
        f"{role.path}: the depth scaling (std {levels[0]:.4g} for {levels[1]:.4g}) reaches {len(scaled)} of"
        f" {len(known)} blocks, not {listed([r.name for r in rest], 2)} ({place(rest[0].law.site)})"
    )


def _follows_depth(known: Iterable[tuple[int, TensorRecord]]) -> bool:
    pairs = [(d, r.law.std if r.law.named else r.law.mean) for d, r in known]
    if len({r.law.family for _, r in known}) > 1 or any(v is None for _, v in pairs):
        return False
    values = [abs(v) for _, v in pairs if v is not None]
    return len({float(f"{v:.6g}") for v in values}) > 2 and ordered_with_depth(values, [d for d, _ in pairs])


def _on_one_curve(known: Sequence[tuple[int, TensorRecord]]) -> bool:
    """Whether the sizes are c + a d of the depth d, its power -1/2 or -1, or c a^d, as no mistake makes them."""
    values = [abs((r.law.std if r.law.named else r.law.mean) or 0.0) for _, r in known]
    steps = np.diff([d for d, _ in known])
    if min(values) <= 0 or min(steps) <= 0:
        return False
    for curve in (np.array(values), 1 / np.array(values), 1 / np.array(values) ** 2, np.log(values)):
        slopes = np.diff(curve) / steps
        if np.ptp(slopes) < 1e-4 * np.abs(slopes).max():
            return True
    return False
