"""A model that several processes build together, under test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from initcheck.contract.model import Model


@dataclass(frozen=True, kw_only=True)
class ShardedModel(Model):
    """A model by the function that each rank calls.

    Attributes:
        world: number of processes.
        mesh: names and sizes of the dimensions of the device mesh; empty where the factory takes none.
    """

    kind: ClassVar[Literal["check", "model", "pair", "lock", "ranks"]] = "ranks"

    world: int = 1
    mesh: Mapping[str, int] = field(default_factory=dict)
