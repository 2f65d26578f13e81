"""What is built already, a module or its tensors alone: the facts that one model tells, without a build."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NoReturn

import torch

from initcheck.errors import UsageError
from initcheck.models.builds.build import Build, Builder
from initcheck.models.builds.places import places
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import starred
from initcheck.models.builds.torch_build import tensors_of
from initcheck.models.builds.torch_record import record
from initcheck.models.factory.facts import Facts, Layout
from initcheck.models.frameworks.torch_promises import declared_std, promises_of
from initcheck.models.signals.signal import Signal

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
        super().__init__(Builder(_no_build, name), 0, None)
        self.built = built

    @cached_property
    def first(self) -> Build:
        """The one that is there, recorded and not run."""
        records, tied, unread, layout = (
            _module(self.built) if isinstance(self.built, torch.nn.Module) else _file(self.built)
        )
        looks = {"layout": layout, "signal": Signal(problem="what is built already is not run")}
        return Build(0, records, tied, unread, looks=looks)

    @property
    def second(self) -> Build:
        """There is none."""
        _no_build()

    def _other(self, seed: int) -> Build:
        _no_build()


def _no_build() -> NoReturn:
    raise UsageError("what is built already is not built again; name the function that builds the model.")


def _module(model: torch.nn.Module) -> tuple[dict[str, TensorRecord], dict[str, str], dict[str, str], Layout]:
    records, tied, unread = tensors_of(model, units=True)
    promised = {"initializer_range": declared_std(model), "promises": promises_of(model)}
    layout = Layout.of(type(model).__name__, records, places(model), **promised)
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
        except (RuntimeError, TypeError) as error:
            unread[name] = f"{type(tensor).__name__} of {tensor.dtype}: {str(error).splitlines()[0][:120]}"
            continue
        if weights.alive:
            seen[place] = name
        records[name] = dataclasses.replace(found, parameter=_is_parameter(name, found))
    where = starred({name: r.shape for name, r in records.items()})
    return records, tied, unread, Layout.of(weights.what, records, where)


def _is_parameter(name: str, found: TensorRecord) -> bool:
    return found.real and not name.endswith(_BUFFERS)
