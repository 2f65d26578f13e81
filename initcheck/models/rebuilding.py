"""Does a second build, a second initialisation or another dtype give the same law?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Role

__all__ = ["changed_laws", "unchanged_by_seed"]

_MOMENT = 0.05
_MEAN = 0.02
_SIGMAS = 8.0
_FEWEST = 16


def unchanged_by_seed(random: Mapping[str, TensorRecord], other: Mapping[str, TensorRecord]) -> Iterator[TensorRecord]:
    """Random tensors of at least 16 entries that are the same at another seed."""
    for name, record in random.items():
        if record.count >= _FEWEST and name in other and other[name].digest == record.digest:
            yield record


def changed_laws(roles: list[Role], later: Mapping[str, TensorRecord], *, mean_too: bool = False) -> Iterator[str]:
    """Roles whose second moment moved by more than 5 %, or whose mean by more than 2 % of the standard deviation.

    The entries of a role are pooled, then each tensor is asked alone; what chance explains at eight standard
    deviations is never blamed.
    """
    for role in roles:
        pairs = [(r, later[r.name]) for r in role.members if r.name in later and r.dtype.is_floating_point]
        pairs = [(a, b) for a, b in pairs if not (a.missing or b.missing) and a.shape == b.shape and a.count]
        whole = _change(pairs, mean_too) if pairs else None
        if whole is not None:
            yield f"{role.path}: {whole}"
            continue
        for pair in pairs if len(pairs) > 1 else ():
            one = _change([pair], mean_too)
            if one is not None:
                yield f"{pair[0].name}: {one}"


def _change(pairs: Sequence[tuple[TensorRecord, TensorRecord]], mean_too: bool) -> str | None:
    """How the pooled entries of a few tensors moved, or None where they did not."""
    entries = sum(a.count for a, _ in pairs)
    before = sum(a.squares for a, _ in pairs) / entries
    after = sum(b.squares for _, b in pairs) / entries
    constant = all(a.constant for a, _ in pairs)
    allowed = _MOMENT + (0.0 if constant else _SIGMAS * math.sqrt(4.0 / entries))
    if not math.isfinite(after) or abs(after - before) > allowed * before:
        ratio = f"x{math.sqrt(after / before):.3g}" if before and math.isfinite(after) else f"to {after:.3g}"
        return f"root mean square moves {ratio}, from {math.sqrt(before):.4g}"
    far = sum(b.far for a, b in pairs if not a.far)
    if far and mean_too:
        worst = max(max(abs(b.low), abs(b.high)) for a, b in pairs if b.far and not a.far)
        return f"{far} of {entries:,} entries lie at up to {worst / math.sqrt(before):.3g} standard deviations"
    if mean_too and not constant:
        shift = abs(sum(b.total for _, b in pairs) - sum(a.total for a, _ in pairs)) / entries
        if shift > (_MEAN + _SIGMAS * math.sqrt(2.0 / entries)) * math.sqrt(before):
            return f"mean moves by {shift / math.sqrt(before):.3g} standard deviations"
    return None
