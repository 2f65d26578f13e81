"""What a lock says of a tensor beside its law: what was never written, what is not its own, what hangs on no seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Records = Mapping[str, Any]


def remarks_of(first: Records, again: Records, other: Records) -> dict[str, str]:
    """A remark for each tensor that deserves one, by its path.

    Args:
        first: a traced build whose fresh memory was filled.
        again: a build at the same seed.
        other: a build at another seed.
    """
    parameters = {name: record for name, record in first.items() if record.parameter}
    numbers = Counter(record.digest for record in parameters.values() if _is_random(record))
    drawn = _drawn_alike(parameters)
    found = {}
    for name, record in first.items():
        if not (record.parameter or record.missing or record.draws):
            continue  # a counter, a mask, a table of angles
        said = list(_of_one(record, again.get(name), other.get(name)))
        if record.parameter and _is_random(record) and numbers[record.digest] > 1:
            said.append(f"the same numbers in {numbers[record.digest]} tensors")
        elif name in drawn:
            said.append(f"drawn from the same random numbers as {drawn[name]}")
        if said:
            found[name] = "; ".join(said)
    return found


def _is_random(record: Any) -> bool:
    return not (record.constant or record.missing or record.law.family in ("fixed", "constant"))


def _of_one(record: Any, again: Any, other: Any) -> Iterator[str]:
    if record.missing:
        part = "" if record.missing == record.count else f"{record.missing} of {record.count} entries "
        yield f"{part}never written"
    for part in record.later:
        yield f"{record.entries_of(part)} {part.law.text}"
    if record.twins is not None and record.draws:
        yield "some rows or columns equal"
    if not _is_random(record):
        return
    if again is not None and again.digest != record.digest:
        yield "other numbers at one seed"
    elif other is not None and other.digest == record.digest and (record.draws or not record.law.named):
        yield "the same numbers at every seed"


def _drawn_alike(parameters: Records) -> dict[str, str]:
    """Of tensors whose generator was in one state before each was drawn, the first of the others."""
    states: dict[bytes, dict[int, str]] = defaultdict(dict)
    for name, record in parameters.items():
        if record.draws:
            first = min(record.draws, key=lambda draw: draw.number)
            states[first.state].setdefault(first.number, name)
    return {
        name: next(o for o in names.values() if o != name)
        for names in states.values()
        if len(names) > 1
        for name in names.values()
    }
