"""Targets read in a process of ours, so that what ends or stops it is known by name and costs the others nothing."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.contract.declaration import Declared, declared_contract
from initcheck.contract.initializer import Initializer
from initcheck.contract.model import Model
from initcheck.contract.tested import Tested
from initcheck.errors import AmbiguousInitializer, UsageError
from initcheck.report.report import NotChecked
from initcheck.runs.own_process import OwnProcess
from initcheck.runs.units import Plain
from initcheck.sandbox.child import Died
from initcheck.search_path import add_folder
from initcheck.targets.loading import Loaded, load, numbered, told_apart, watching_names
from initcheck.targets.models import load_models

__all__ = ["read_all", "read_here", "read_models", "read_target"]


def read_all(targets: Iterable[str], own: OwnProcess, *, contract: Declared = None) -> Loaded:
    """What some target texts turn out to be; nothing of theirs runs in this process.

    Args:
        targets: target texts.
        own: reads them, and judges what died on reading by that.
        contract: what they are held to.

    Raises:
        UsageError: as ``initcheck.targets.loading.load``; or the process that imported a target died.
    """
    declared = declared_contract(contract)
    return told_apart(read_target(target, own, declared) for target in targets)


def read_models(targets: Iterable[str], own: OwnProcess, said: Mapping[str, Any]) -> list[Model]:
    """The models that some target texts name; nothing of theirs runs in this process, which needs no torch.

    Args:
        targets: target texts.
        own: reads them.
        said: of all models of the run, as ``initcheck.targets.models.load_models`` takes it.

    Raises:
        UsageError: as ``initcheck.targets.models.load_models``; or the process that imported a target died.
    """
    found = [tested for target in targets for tested in _read(target, own, {"models": dict(said)})[0]]
    return numbered(m for m in found if isinstance(m, Model))


def read_target(target: str, own: OwnProcess, declared: Contract) -> Loaded:
    """What one target text turns out to be; members that end the process are left unread, the others are read."""
    found, left = _read(target, own, {"contract": declared.said(), "notes": list(declared.notes)})
    return Loaded(tuple(i for i in found if isinstance(i, Initializer)), left)


def _read(target: str, own: OwnProcess, said: Mapping[str, Any]) -> tuple[list[Tested], tuple[NotChecked, ...]]:
    request = {"read": target, **said, "path": list(sys.path), "cwd": os.getcwd()}
    died: dict[str, Died] = {}
    while True:
        at: str | None = None
        used = own.used
        try:
            for answer in own.reading({**request, "without": list(died)}):
                at = answer.get("at", at)
        except Died as death:
            if used:
                continue  # perhaps of what another target left behind; once more in a process of its own
            if at is None or at in died:
                raise UsageError(f"target {target!r} cannot be imported: {death}.") from None
            died[at] = death
            continue
        break
    if "error" in answer:
        raise UsageError(f"target {target!r} cannot be read: {answer['error']}")
    if "usage" in answer:
        raise (AmbiguousInitializer if answer["ambiguous"] else UsageError)(answer["usage"])
    found = [_stand_in(plain) for plain in answer["found"]]
    for tested in found:
        if tested.name in died:
            own.mourn(tested.name, died[tested.name])
    return found, tuple(NotChecked(**n) for n in answer["not checked"])


def _stand_in(plain: Mapping[str, Any]) -> Tested:
    """The initializer or the model as far as it needs to be known here: it is judged elsewhere."""
    elsewhere: Any = None
    location = plain["location"]
    known: dict[str, Any] = {
        "name": plain["name"],
        "contract": Contract(waive=plain["waive"]),
        "location": (location[0], location[1]) if location else None,
        "recipe": plain["recipe"],
    }
    if plain["words"] is not None:
        return Model(factory=elsewhere, built=plain["built"], words=tuple(plain["words"]), **known)
    return Initializer(sampler=elsewhere, **known)


def read_here(request: Mapping[str, Any], tell: Any) -> tuple[Plain, tuple[Tested, ...]]:
    """The other end: read a target in this process.

    Args:
        request: as ``read`` makes it.
        tell: is told the name of each thing before it is looked at.

    Returns:
        what was found, as plain data and as it is.
    """
    for entry in reversed(request["path"]):
        add_folder(entry)
    os.chdir(request["cwd"])
    found: tuple[Tested, ...]
    left: tuple[NotChecked, ...] = ()
    try:
        if "models" in request:
            found = load_models([request["read"]], **request["models"])
        else:
            loaded = _load_here(request, tell)
            found, left = loaded.initializers, loaded.not_checked
    except UsageError as error:
        return {"usage": str(error), "ambiguous": isinstance(error, AmbiguousInitializer)}, ()
    plain = [
        {
            "name": i.name,
            "waive": dict(i.contract.waive),
            "location": i.location,
            "recipe": i.recipe,
            "words": list(i.words) if isinstance(i, Model) else None,
            "built": isinstance(i, Model) and i.built,
        }
        for i in found
    ]
    return {"found": plain, "not checked": [dataclasses.asdict(n) for n in left]}, found


def _load_here(request: Mapping[str, Any], tell: Any) -> Loaded:
    said: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in request["contract"].items()
    }
    declared = dataclasses.replace(Contract(**said), notes=tuple(request["notes"])) if said else None
    without = set(request["without"])

    def watch(name: str) -> bool:
        if name not in without:
            tell(name)
        return name not in without

    with watching_names(watch):
        return load(request["read"], contract=declared)
