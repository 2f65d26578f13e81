"""A target and the law file that it is held to, as a thing under test: light, since every run knows the kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from initcheck.contract.initializer import Initializer
from initcheck.contract.tested import Tested
from initcheck.locks.lines import Lock


@dataclass(frozen=True, kw_only=True)
class Locked(Tested):
    """A target with its lines of a law file.

    Attributes:
        target: the initializer or the model.
        lock: what it is held to; None where a preset is meant.
        file: where the lock stands.
        like: the name of a preset.
        as_initializer: makes an initializer of the function that draws a line's law.
    """

    kind: ClassVar[Literal["check", "model", "pair", "lock"]] = "lock"

    target: Tested
    lock: Lock | None = None
    file: str = ""
    like: str | None = None
    as_initializer: Callable[[Any, str, str], Initializer] | None = None
