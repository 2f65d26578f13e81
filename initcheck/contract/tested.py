"""What a run asks its claims of, whatever it is: an initializer, a layer, a whole model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from initcheck.contract.contract import Contract
from initcheck.contract.profile import Profile


@dataclass(frozen=True, kw_only=True)
class Tested:
    """One thing under test.

    Attributes:
        kind: of the claims that are asked of it.
        name: the target text; it appears in every message and seeds every draw.
        contract: what was declared or is known of it; what is missing is inferred later. Of a model, its waivers.
        location: file and line of the user's code, where there is one.
        recipe: plain data from which a fresh process makes it again (``initcheck.targets``); None where only this
            process has it (a lambda, a closure).
        notes: what a reader must know, such as how the signature was read.
        words: how a command line names it: the target text, and the options that were said for this run.
        bystander: it was found in a module that was named, and promises nothing by its own word: a run that could not
            look at it may pass.
        subject: makes what its claims share, from (itself, profile, seed), where it is no plain function of a shape:
            a layer, a model; None for the plain one.
    """

    kind: ClassVar[Literal["check", "model", "pair", "lock", "ranks"]] = "check"

    name: str
    contract: Contract = field(default_factory=Contract)
    location: tuple[str, int] | None = None
    recipe: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    bystander: bool = False
    subject: Callable[[Any, Profile, int], Any] | None = None

    @property
    def noun(self) -> str:
        """What it is called in a sentence."""
        return {"check": "initializer", "lock": "locked target", "ranks": "sharded model"}.get(self.kind, self.kind)

    def __str__(self) -> str:
        return self.name
