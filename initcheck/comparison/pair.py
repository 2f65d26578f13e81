"""Two things under test that are to start from one law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from initcheck.contract.tested import Tested


@dataclass(frozen=True, kw_only=True)
class Pair(Tested):
    """A and B, two initializers, layers or models.

    Attributes:
        a, b: the two; their names differ.
        layouts: of the weights of A and of B, where they are said for this run.
        world: how many ranks hold a model whose factory builds the shard of one.
    """

    kind: ClassVar[Literal["check", "model", "pair", "lock", "ranks"]] = "pair"

    a: Tested
    b: Tested
    layouts: tuple[str, str] | None = None
    world: int | None = None
