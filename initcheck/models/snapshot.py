"""What is built already, a module or its tensors alone: the facts that one model tells, without a build."""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NoReturn

import torch

from initcheck.errors import UsageError
from initcheck.models.builds.build import Build, tensors_of
from initcheck.models.builds.record import TensorRecord, record
from initcheck.models.builds.roles import Place, places
from initcheck.models.factory.facts import Facts, Layout
from initcheck.models.factory.promises import promises_of
from initcheck.models.signals.block_signal import Signal

__all__ = ["Snapshot", "Weights"]

# Buffers of torch's own layers; a state dict does not tell a buffer from a parameter.
_BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


@dataclasses.dataclass(frozen=True)
class Weights:
    """The tensors of a model by path, without the model.

    Attributes:
        what: where they come from, in words.
        tensors: gives them one after the other, so that a file need not fit into memory.
        alive: whether all of them are in memory at once: two in one place are tied then.
    """

    what: str
    tensors: Callable[[], Iterable[tuple[str, torch.Tensor]]]
    alive: bool = False


class Snapshot(Facts):
    """The facts about one model that is there; no other is ever built.

    Args:
        built: a module, or the tensors of one.
        name: the target's text.
    """

    def __init__(self, built: torch.nn.Module | Weights, name: str) -> None:
        super().__init__(_no_build, name, 0, None, None)
        self.built = built

    @cached_property
    def first(self) -> Build:
        """The one that is there, recorded and not run."""
        records, tied, unread, layout = (
            _module(self.built) if isinstance(self.built, torch.nn.Module) else _file(self.built)
        )
        looks = {"layout": layout, "signal": Signal(problem="what is built already is not run")}
        return Build(0, records, tied, unread, looks=looks)


def _no_build() -> NoReturn:
    raise UsageError("what is built already is not built again; name the function that builds the model.")


def _module(model: torch.nn.Module) -> tuple[dict[str, TensorRecord], dict[str, str], dict[str, str], Layout]:
    records, tied, unread = tensors_of(model, units=True)
    where = places(model)
    declared = getattr(getattr(model, "config", None), "initializer_range", None)
    layout = Layout(
        name=type(model).__name__,
        parameters=sum(r.count for r in records.values() if r.parameter),
        places=where,
        blocks=max((p.blocks or 0 for p in where.values()), default=0),
        initializer_range=float(declared) if isinstance(declared, (int, float)) else None,
        promises=promises_of(model),
    )
    return records, tied, unread, layout


def _file(weights: Weights) -> tuple[dict[str, TensorRecord], dict[str, str], dict[str, str], Layout]:
    records: dict[str, TensorRecord] = {}
    tied: dict[str, str] = {}
    unread: dict[str, str] = {}
    seen: dict[tuple[int, int, tuple[int, ...]], str] = {}
    for name, tensor in weights.tensors():
        try:
            place = (tensor.untyped_storage()._cdata, int(tensor.storage_offset()), tuple(tensor.shape))
            if place in seen and tensor.numel():
                tied[name] = seen[place]
                continue
            found = record(name, tensor, "", None, None, units=True)
        except (NotImplementedError, RuntimeError, TypeError) as error:
            unread[name] = f"{type(tensor).__name__} of {tensor.dtype}: {str(error).splitlines()[0][:120]}"
            continue
        if weights.alive:
            seen[place] = name
        records[name] = dataclasses.replace(found, parameter=_is_parameter(name, found))
    where = _places(records)
    layout = Layout(
        name=weights.what,
        parameters=sum(r.count for r in records.values() if r.parameter),
        places=where,
        blocks=max((p.blocks or 0 for p in where.values()), default=0),
    )
    return records, tied, unread, layout


def _is_parameter(name: str, found: TensorRecord) -> bool:
    return found.dtype.is_floating_point and not name.endswith(_BUFFERS)


def _places(records: Mapping[str, TensorRecord]) -> dict[str, Place]:
    """The place of every tensor: a number is starred where what stands under it stands under another number too.

    >>> shapes = {"h.0.w": (3, 3), "h.1.w": (3, 3), "mlp.0.w": (6, 3), "mlp.2.w": (3, 6)}
    >>> [p.path for p in _starred(shapes).values()]
    ['h.*.w', 'h.*.w', 'mlp.0.w', 'mlp.2.w']
    """
    return _starred({name: r.shape for name, r in records.items()})


def _starred(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Place]:
    under: dict[tuple[str, str], set[tuple[str, tuple[int, ...]]]] = defaultdict(set)
    for name, shape in shapes.items():
        for parent, number, rest in _splits(name):
            under[parent, number].add((rest, shape))
    blocks: dict[str, list[str]] = defaultdict(list)
    for parent, number in under:
        blocks[parent].append(number)
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
    for match in re.finditer(r"(?:^|\.)(\d+)\.", name):
        yield name[: match.start(1)], match[1], name[match.end() :]
