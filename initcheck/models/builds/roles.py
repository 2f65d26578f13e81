"""Tensors of one role: the same class, path and shape, apart from the number of their block."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean

import torch

from initcheck.models.builds.kinds import kind_of
from initcheck.models.builds.record import TensorRecord

__all__ = ["Place", "Role", "ordered_with_depth", "places", "roles"]

_RUN = 3
_LAYER = re.compile(r"_l\d+(_reverse)?$")


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


def places(model: torch.nn.Module) -> dict[str, Place]:
    """The place of every parameter.

    A number is starred where it counts blocks of one class (a ``ModuleList``, a homogeneous ``Sequential``). In a
    mixed ``Sequential`` it is a role (``mlp.0`` and ``mlp.2`` may differ by design), unless at least three modules
    of the class stand there and no repeated block encloses it: then the ``Sequential`` is the depth of the network.
    """
    found: dict[str, Place] = {}
    for name, _ in model.named_parameters(remove_duplicate=False):
        *modules, leaf = name.split(".")
        shown: list[str] = []
        module: torch.nn.Module = model
        block = blocks = None
        inside = False
        for part in modules:
            child = module._modules[part]
            assert child is not None
            kind = _repeats(module, part)
            star = kind == "blocks" or (kind == "mixed" and not inside)
            if kind == "blocks":
                inside, block, blocks = True, int(part) + 1, len(module._modules)
            shown.append("*" if star else part)
            module = child
        if isinstance(module, torch.nn.RNNBase):
            leaf = _LAYER.sub("_l*", leaf)
        found[name] = Place(".".join([*shown, leaf]), block, blocks)
    return found


def _repeats(parent: torch.nn.Module, name: str) -> str:
    if not name.isdigit() or not isinstance(parent, (torch.nn.ModuleList, torch.nn.Sequential)):
        return ""
    classes = Counter(kind_of(m) for m in parent.children())
    if len(classes) == 1 and len(parent._modules) > 1:
        return "blocks"
    return "mixed" if classes[kind_of(parent[int(name)])] >= _RUN else ""


def roles(records: Mapping[str, TensorRecord], where: Mapping[str, Place]) -> list[Role]:
    """Group parameters by class, starred path and shape; a vector also by the shape of its module's weight."""
    groups: dict[tuple[object, ...], list[TensorRecord]] = defaultdict(list)
    for name, record in records.items():
        if not record.parameter:
            continue
        path = where[name].path if name in where else name
        weight = records.get(name.rpartition(".")[0] + ".weight")
        beside = weight.shape if weight is not None and len(record.shape) < 2 else None
        groups[(path, record.owner, record.shape, beside)].append(record)
    return [Role(str(key[0]), tuple(members), tuple(range(len(members)))) for key, members in groups.items()]


def ordered_with_depth(values: Sequence[float], depths: Sequence[int], above: float = 0.9) -> bool:
    """Whether values rise or fall with depth: in steps, or with a rank correlation above 0.9.

    >>> ordered_with_depth([0.02, 0.02, 0.01, 0.01], [0, 1, 2, 3]), ordered_with_depth([2, 1, 2, 1], [0, 1, 2, 3])
    (True, False)
    """
    pairs = sorted(zip(depths, values, strict=True))
    steps = [b[1] - a[1] for a, b in pairwise(pairs)]
    if all(s >= 0 for s in steps) or all(s <= 0 for s in steps):
        return True
    a, b = _ranks([p[0] for p in pairs]), _ranks([p[1] for p in pairs])
    return abs(_correlation(a, b)) > above


def _ranks(values: Sequence[float]) -> list[float]:
    places: dict[float, list[int]] = defaultdict(list)
    for i, v in enumerate(sorted(values)):
        places[v].append(i)
    return [mean(places[v]) for v in values]


def _correlation(a: Sequence[float], b: Sequence[float]) -> float:
    ma, mb = mean(a), mean(b)
    saa, sbb = sum((x - ma) ** 2 for x in a), sum((y - mb) ** 2 for y in b)
    if not (saa and sbb):
        return 0.0
    return sum((x - ma) * (y - mb) for x, y in zip(a, b, strict=True)) / math.sqrt(saa * sbb)
