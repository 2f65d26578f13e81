"""A model that was read from a file: what was read, what is random beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Role
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.trial import RuleFinding
from initcheck.wording import listed


def left_random(facts: Facts) -> Iterator[RuleFinding]:
    """Random tensors whose siblings were read, and random roles beside roles that were read.

    A new head or an adapter is random by design. A block that is random while the other blocks were read was
    forgotten; so is, most likely, one layer of a class whose neighbours in the same block were read.
    """
    read, random = facts.read, facts.random
    if not read:
        return
    by_blocks: dict[tuple[int, ...], list[tuple[Role, int]]] = defaultdict(list)
    whole: list[Role] = []
    for role in facts.roles:
        if len(role.shape) < 2:
            continue
        fixed = [d for d, r in zip(role.depths, role.members, strict=True) if r.name in read]
        loose = tuple(d for d, r in zip(role.depths, role.members, strict=True) if r.name in random)
        if fixed and loose:
            by_blocks[loose].append((role, len(fixed)))
        elif loose:
            whole.append(role)
    for blocks, found in by_blocks.items():
        role, fixed_siblings = found[0]
        names = [role.members[role.depths.index(d)].name for d in blocks]
        more = f"; so are {len(found) - 1} more roles" if len(found) > 1 else ""
        yield RuleFinding("fails", f"{listed(names)} are random where their {fixed_siblings} siblings are fixed{more}")
    for role in whole:
        beside = _read_beside(role.members[0], read)
        if beside and len(role.members) > 1:
            yield RuleFinding(
                "doubt", f"{role.path} is random in every block, where {listed(beside)} beside it are fixed"
            )
    loose_names = [n for n, r in random.items() if r.parameter and r.matrix is not None]
    text = f"the same at every seed, since read: {len(read):,} of {len(read) + len(loose_names):,} matrices"
    yield RuleFinding("note", text + (f"; random: {listed(loose_names)}" if loose_names else ""))


def _read_beside(record: TensorRecord, read: dict[str, TensorRecord]) -> list[str]:
    """Tensors of the same leaf and class under the same parent that were read."""
    parts = record.name.split(".")
    if len(parts) < 3:
        return []
    parent, leaf = ".".join(parts[:-2]) + ".", parts[-1]
    return [
        n for n, r in read.items()
        if n.startswith(parent) and n.count(".") == record.name.count(".") and n.endswith("." + leaf)
        and r.owner == record.owner
    ]  # fmt: skip
