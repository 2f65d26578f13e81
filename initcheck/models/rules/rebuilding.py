"""Does a second build, a second initialisation or another dtype give the same law?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from initcheck.models.builds.build import Build
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Role
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.trial import RuleFinding
from initcheck.models.rules.absurd import absurd_in_build

_MOMENT = 0.05
_MEAN = 0.02
_SIGMAS = 8.0
_BY_CHANCE = 1e-12
_FEWEST = 16
_ROUNDING = "rounding in bfloat16, in which this was drawn: the build as it is has none of it"
_CAST = "draw in float32 and cast what was drawn; a model that is never built in bfloat16 keeps its law"


def unchanged_by_seed(random: Mapping[str, TensorRecord], other: Mapping[str, TensorRecord]) -> Iterator[TensorRecord]:
    """Random tensors of at least 16 entries that are the same at another seed."""
    for name, record in random.items():
        if record.count >= _FEWEST and name in other and other[name].digest == record.digest:
            yield record


def changed_laws(roles: list[Role], later: Mapping[str, TensorRecord], *, mean_too: bool = False) -> Iterator[str]:
    """Roles whose second moment moved by more than 5 %, or whose mean by more than 2 % of the standard deviation.

    The entries of a role are pooled, then each tensor is asked alone. Tensors with entries that are not finite, or that
    their law excludes, are left to the rule of absurd values.
    """
    for role in roles:
        pairs = [(r, later[r.name]) for r in role.members if r.name in later and r.real]
        pairs = [(a, b) for a, b in pairs if not (a.missing or b.missing) and a.shape == b.shape and a.count]
        pairs = [(a, b) for a, b in pairs if math.isfinite(a.squares) and math.isfinite(b.squares) and not b.far]
        whole = _change(pairs, mean_too) if pairs else None
        if whole is not None:
            yield f"{role.path}: {whole}"
            continue
        for pair in pairs if len(pairs) > 1 else ():
            one = _change([pair], mean_too)
            if one is not None:
                yield f"{pair[0].name}: {one}"


def changed_in_low_precision(facts: Facts, low: Build) -> Iterator[RuleFinding]:
    """What a build under bfloat16 has that the build as it is has not: absurd entries, and laws that moved."""
    known = {n for n, r in facts.second.records.items() if r.sums.nan or r.sums.infinite or r.far}
    absurd = absurd_in_build(facts, low, known | set(facts.unwritten))
    moved = (RuleFinding("fails", sentence) for sentence in changed_laws(facts.roles, low.records, mean_too=True))
    for found in (*absurd, *moved):
        yield replace(found, sentence=f"{found.sentence}, in bfloat16", likely=_ROUNDING, fix=_CAST)


def _change(pairs: Sequence[tuple[TensorRecord, TensorRecord]], mean_too: bool) -> str | None:
    """How the pooled entries of a few tensors moved, or None where they did not."""
    entries = sum(a.count for a, _ in pairs)
    before = sum(a.squares for a, _ in pairs) / entries
    after = sum(b.squares for _, b in pairs) / entries
    constant = all(a.constant and not a.draws for a, _ in pairs)  # one drawn entry is no constant
    kurtosis = max(3.0, *(r.sums.kurtosis for pair in pairs for r in pair))
    if _moved(before, after, math.inf if constant else 2 * entries / (kurtosis - 1)):
        ratio = f"x{math.sqrt(after / before):.3g}" if before else f"to {after:.3g}"
        return f"root mean square moves {ratio}, from {math.sqrt(before):.4g}"
    if mean_too and not constant:
        shift = abs(sum(b.total for _, b in pairs) - sum(a.total for a, _ in pairs)) / entries
        spread = math.sqrt((before + after) / 2)
        if shift > (_MEAN + _SIGMAS * math.sqrt(2.0 / entries)) * spread:
            return f"mean moves by {shift / spread:.3g} standard deviations"
    return None


def _moved(before: float, after: float, entries: float) -> bool:
    """Whether two mean squares differ by more than 5 % and by more than chance.

    Null: both are mean squares of so many independent normal entries of one variance. Their ratio f lies above or
    below by chance with probability at most ((1 + f)^2 / 4f)^(-n/2) (Chernoff for the F law). Of entries of kurtosis
    K as many count as have the variance of their mean square, 2 n / (K - 1); whole numbers stay below 1e-12.
    """
    if before == after:
        return False
    if not (before > 0 and after > 0):
        return max(before, after) > 0 and entries > 24
    ratio = max(after / before, before / after) / (1 + _MOMENT)
    if ratio <= 1:
        return False
    return entries / 2 * math.log((1 + ratio) ** 2 / (4 * ratio)) > math.log(2 / _BY_CHANCE)
