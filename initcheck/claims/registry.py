"""Every claim there is: built-in ones and those of other distributions, found by id."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Iterable

from initcheck.claims.statement import STATED, Claim, ClaimKind
from initcheck.errors import UsageError, closest


@functools.cache
def _load_all() -> None:
    """Import every module of ``initcheck.properties`` and every entry point of ``initcheck.claims``, once."""
    package = importlib.import_module("initcheck.properties")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"initcheck.properties.{module}")
    for entry in sorted(importlib.metadata.entry_points(group="initcheck.claims"), key=lambda e: e.name):
        try:
            entry.load()
        except Exception as error:
            raise UsageError(
                f"the claims of entry point {entry.name} = {entry.value} cannot be loaded:"
                f" {type(error).__name__}: {error}. Mend or uninstall that distribution."
            ) from error


def registry() -> dict[str, Claim]:
    """Every claim, built-in and from entry points, by id, sorted."""
    _load_all()
    return dict(sorted(STATED.items()))


def asked_of(kind: ClaimKind) -> dict[str, Claim]:
    """The claims of one kind, by id: a ``check`` is asked of an initializer, a ``model`` of a built model."""
    return {name: c for name, c in registry().items() if c.kind == kind}


def checks() -> dict[str, Claim]:
    """The claims that are asked of an initializer, by id."""
    return asked_of("check")


def as_stated(kind: ClaimKind) -> list[str]:
    """The ids of the claims of one kind, in the order in which their authors wrote them."""
    return [c.id for c in sorted(asked_of(kind).values(), key=lambda claim: claim.stated_at)]


def find(claim_id: str) -> Claim:
    """The claim of that id.

    Raises:
        UsageError: there is none; the sentence names the closest.
    """
    every = registry()
    if claim_id not in every:
        raise UsageError(f"there is no claim {claim_id!r}; {closest(claim_id, every)}")
    return every[claim_id]


def in_order(claims: Iterable[Claim]) -> list[Claim]:
    """The claims, each after the ones it needs, else by id: the same order in every process.

    What fresh processes answer is asked as late as may be, while they import a framework.
    """
    waiting = {c.id: c for c in sorted(claims, key=lambda c: c.id)}
    done: list[Claim] = []
    while waiting:
        ready = [c for c in waiting.values() if not any(n in waiting for n in c.needs)]
        if not ready:
            raise UsageError(f"these claims need one another in a circle: {', '.join(waiting)}.")
        for c in [c for c in ready if not c.in_fresh_processes] or ready:
            done.append(waiting.pop(c.id))
    return done
