"""Tensors of one role: the same class, path and shape, apart from the number of their block."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import correlation, mean

from initcheck.grouping import grouped
from initcheck.models.builds.record import TensorRecord

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Role:
    """The tensors that play one part in a model, in order of depth.

    Attributes:
        path: their path with the block's number starred, such as ``h.*.mlp.c_fc.weight``.
        members: their records.
        depths: the numbers that the stars stand for, counted from 0, in the order of the members.
    """

    path: str
    members: tuple[TensorRecord, ...]
    depths: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Their shape."""
        return self.members[0].shape

    @property
    def law_std(self) -> float:
        """Standard deviation of the law of the first, before it was cut; 0 where that is not known."""
        law = self.members[0].law
        return law.sigma or law.std or 0.0


@dataclass(frozen=True)
class Place:
    """Where a parameter stands.

    Attributes:
        path: its path with the numbers of repeated blocks starred.
        block: the number of its block, from 1; None outside of blocks.
        blocks: how many there are.
    """

    path: str
    block: int | None = None
    blocks: int | None = None


def blocks_of(places: Mapping[str, Place]) -> int:
    """The number of blocks of the longest list of them; 0 where there is none."""
    return max((place.blocks or 0 for place in places.values()), default=0)


def roles(records: Mapping[str, TensorRecord], where: Mapping[str, Place]) -> list[Role]:
    """Group parameters by class, starred path and shape; a vector also by the shape of its module's weight."""
    groups: dict[tuple[object, ...], list[TensorRecord]] = defaultdict(list)
    for name, record in records.items():
        if not record.parameter:
            continue
        path = where[name].path if name in where else name
        beside = _matrix_beside(records, name.rpartition(".")[0]) if len(record.shape) < 2 else None
        groups[(path, record.owner, record.shape, beside)].append(record)
    for (starred, *_), members in groups.items():
        if "*" in str(starred):  # a dict may hold its blocks in any order
            members.sort(key=lambda record: [int(number) for number in _NUMBER.findall(record.name)])
    return [Role(str(key[0]), tuple(members), tuple(range(len(members)))) for key, members in groups.items()]


def by_inner_number(role: Role) -> list[Role]:
    """A role of several starred numbers, parted by the last of them: the layers of one place in every block.

    >>> def tensor(name):
    ...     return type("", (), {"name": name})()
    >>> names = [f"blocks.{i}.net.{j}.weight" for i in range(2) for j in (0, 2)]
    >>> whole = Role("blocks.*.net.*.weight", tuple(map(tensor, names)), (0, 1, 2, 3))
    >>> [(part.path, part.depths) for part in by_inner_number(whole)]
    [('blocks.*.net.0.weight', (0, 1)), ('blocks.*.net.2.weight', (0, 1))]
    """
    before, _, behind = role.path.rpartition("*")
    numbered = re.compile(re.escape(role.path).replace(r"\*", r"(\d+)"))
    read = [numbered.fullmatch(record.name) for record in role.members]
    if "*" not in before or not all(read):
        return [role]
    parted = grouped((match[match.re.groups], r) for match, r in zip(read, role.members, strict=True) if match)
    return [Role(f"{before}{n}{behind}", tuple(found), tuple(range(len(found)))) for n, found in parted.items()]


_OF_A_WEIGHT = (
    "weight",
    "parametrizations.weight.original",
    "parametrizations.weight.original1",
    "weight_orig",
    "weight_v",
)
"""Where a layer keeps its matrix: as it is, or what a parametrization or the older hooks of norms compute it from."""


def _matrix_beside(records: Mapping[str, TensorRecord], layer: str) -> tuple[int, ...] | None:
    """The shape of the weight of a layer: its bias is drawn by the weight's fan."""
    found = (records.get(f"{layer}.{name}") for name in _OF_A_WEIGHT)
    return next((r.shape for r in found if r is not None), None)


def ordered_with_depth(values: Sequence[float], depths: Sequence[int]) -> bool:
    """Whether values rise or fall with depth: in steps, or with a rank correlation above 0.9.

    >>> ordered_with_depth([0.02, 0.02, 0.01, 0.01], [0, 1, 2, 3]), ordered_with_depth([2, 1, 2, 1], [0, 1, 2, 3])
    (True, False)
    """
    pairs = sorted(zip(depths, values, strict=True))
    steps = [b[1] - a[1] for a, b in pairwise(pairs)]
    if all(s >= 0 for s in steps) or all(s <= 0 for s in steps):
        return True
    a, b = _ranks([p[0] for p in pairs]), _ranks([p[1] for p in pairs])
    return abs(correlation(a, b)) > 0.9


def _ranks(values: Sequence[float]) -> list[float]:
    places = grouped((v, i) for i, v in enumerate(sorted(values)))
    return [mean(places[v]) for v in values]


def starred(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Place]:
    """The place of every tensor by its path and shape alone.

    A number is starred where what stands under it stands under another number too.

    >>> shapes = {"h.0.w": (3, 3), "h.1.w": (3, 3), "mlp.0.w": (6, 3), "mlp.2.w": (3, 6)}
    >>> [p.path for p in starred(shapes).values()]
    ['h.*.w', 'h.*.w', 'mlp.0.w', 'mlp.2.w']
    """
    under: dict[tuple[str, str], set[tuple[str, tuple[int, ...]]]] = defaultdict(set)
    for name, shape in shapes.items():
        for parent, number, rest in _splits(name):
            under[parent, number].add((rest, shape))
    blocks = grouped(under)
    found = {}
    for name in shapes:
        path, block, of = name, None, None
        for parent, number, rest in reversed(list(_splits(name))):
            alike = [n for n in blocks[parent] if under[parent, n] == under[parent, number]]
            if len(alike) > 1:
                path = f"{path[: len(parent)]}*.{path[len(parent) + len(number) + 1 :]}" if rest else path
                block, of = sorted(map(int, alike)).index(int(number)) + 1, len(alike)
        found[name] = Place(path, block, of)
    return found


def _splits(name: str) -> Iterator[tuple[str, str, str]]:
    """Every number in a path, with what stands before it and behind it."""
    for match in re.finditer(r"(?:^|\.)(\d+)(?=\.)", name):
        yield name[: match.start(1)], match[1], name[match.end() + 1 :]
