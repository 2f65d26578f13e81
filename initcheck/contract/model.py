"""A whole model under test: what builds it, and what is declared of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from initcheck.contract.tested import Tested


@dataclass(frozen=True, kw_only=True)
class Model(Tested):
    """A model, by the function that builds it anew at each call.

    Attributes:
        factory: builds it; a parameter named ``seed`` is given one. Of what is built already, hands it out.
        built: it is built already, so that only its portrait is made.
        laws: declared laws, by pattern of the tensor's path.
        batch: what it is run on: text, a function, the arguments themselves; None to guess it.
        models: most models of fresh seeds; None for a number that falls with its size.
    """

    kind: ClassVar[Literal["check", "model", "pair", "lock", "ranks"]] = "model"

    factory: Callable[..., Any]
    built: bool = False
    laws: Mapping[str, str | float] = field(default_factory=dict)
    batch: object = None
    models: int | None = None
