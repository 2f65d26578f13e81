"""The smallest failing case of every target and claim, kept in Hypothesis' database and tried first next time."""

from __future__ import annotations

import contextlib
import json
import warnings
from dataclasses import dataclass

from hypothesis import settings
from hypothesis.database import ExampleDatabase

from initcheck.claims.statement import Claim
from initcheck.claims.subject import Subject
from initcheck.contract.case import Case
from initcheck.contract.contract import LAYOUTS
from initcheck.contract.layer import Layer

_FORMAT = "initcheck-case/1"


@dataclass(frozen=True)
class KeptCase:
    """A case that failed, and how it was judged: judged so again, it leaves the same evidence.

    Attributes:
        layer: the case.
        smaller: whether it was asked while a failing case was made smaller.
        confirmations: how many confirmations the claim had run before.
        shared: the number of that which the layers of the plan share, where it was taken.
    """

    layer: Layer
    smaller: bool
    confirmations: int
    shared: int | None

    def as_bytes(self) -> bytes:
        """What the database holds."""
        layer = self.layer
        said = {"format": _FORMAT, "shape": layer.shape, "layout": layer.layout, "groups": layer.groups}
        how = {"smaller": self.smaller, "confirmations": self.confirmations, "shared": self.shared}
        return json.dumps({**said, **how}).encode()

    @classmethod
    def of_bytes(cls, text: bytes) -> KeptCase | None:
        """What the database holds, read; None where it is of another version, or of nobody here."""
        try:
            said = json.loads(text)
            shape = tuple(int(n) for n in said["shape"])
            layer = Layer(shape, str(said["layout"]), int(said["groups"]))
            numbers = [int(said["confirmations"]), int(said["shared"] or 1)]
            if layer.layout not in LAYOUTS or len(layer.axes) != len(shape) or min(*shape, layer.groups) < 1:
                return None
            return cls(layer, bool(said["smaller"]), numbers[0], numbers[1] if said["shared"] else None)
        except (ValueError, KeyError, TypeError):
            return None


def kept_cases(subject: Subject, claim: Claim) -> list[KeptCase]:
    """What was kept of a target and a claim, as far as its contract still asks for it."""
    database = _database()
    if database is None:
        return []
    with contextlib.suppress(OSError):
        read = (KeptCase.of_bytes(text) for text in database.fetch(_key(subject, claim)))
        return sorted((case for case in read if case is not None and _fits(case.layer, subject)), key=_order)
    return []


def keep(subject: Subject, claim: Claim, case: KeptCase) -> None:
    """Keep the smallest failing case of a target and a claim, and no other."""
    database, key = _database(), _key(subject, claim)
    if database is None:
        return
    # A folder that cannot be written takes nothing from the verdict.
    with contextlib.suppress(OSError):
        for other in list(database.fetch(key)):
            if other != case.as_bytes():
                database.delete(key, other)
        database.save(key, case.as_bytes())


def forget(subject: Subject, claim: Claim, case: KeptCase) -> None:
    """Drop a case that fails no more."""
    database = _database()
    if database is not None:
        with contextlib.suppress(OSError):
            database.delete(_key(subject, claim), case.as_bytes())


def _database() -> ExampleDatabase | None:
    # Whatever the profile of Hypothesis says that is loaded: none in its profile "ci". Where its folder cannot be
    # written Hypothesis warns and keeps cases in memory, which is no matter of the verdict.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return settings().database


def _key(subject: Subject, claim: Claim) -> bytes:
    return f"initcheck {claim.id} {subject.initializer.name}".encode(errors="surrogatepass")


def _fits(layer: Layer, subject: Subject) -> bool:
    domain = subject.domain
    smallest, widest = domain.widths
    widths = (layer.channels, layer.units // layer.groups)
    in_layout = layer.layout in domain.layouts and layer.groups == domain.groups
    return in_layout and domain.takes_kernel(layer) and all(smallest <= w <= widest for w in widths)


def _order(case: KeptCase) -> tuple[int, Case]:
    return case.layer.weights, case.layer
