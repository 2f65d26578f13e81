"""Targets read in a process of ours, so that what ends or stops it is known by name and costs the others nothing."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import pickle
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from initcheck.comparison.pair import Pair
from initcheck.contract.contract import Contract
from initcheck.contract.declaration import Declared, declared_contract
from initcheck.contract.initializer import Initializer
from initcheck.contract.model import Model
from initcheck.contract.tested import Tested
from initcheck.errors import AmbiguousInitializer, UsageError
from initcheck.locks.locked import Locked
from initcheck.models.ranks.model import ShardedModel
from initcheck.report.results import NotChecked
from initcheck.runs.own_process import OwnProcess
from initcheck.runs.units import Plain
from initcheck.sandbox.child import Died
from initcheck.search_path import add_folder
from initcheck.targets.loading import Loaded, load, location_of, name_of, numbered, told_apart, watching_names
from initcheck.targets.locks import load_locks
from initcheck.targets.models import load_models
from initcheck.targets.pairs import load_pairs
from initcheck.targets.recipes import importable, is_plain, pickled


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A target that is no text alone, as it is sent to the process that reads it.

    Attributes:
        target: its text, or what it is called where it travels as a pickle.
        options: how to read it, as JSON: ``signature``, ``args``, ``parameter``, ``pickle``.
    """

    target: str
    options: str = "{}"

    @classmethod
    def of(cls, target: Any, *, args: Mapping[str, Any] | None = None, **options: str | None) -> Wanted | None:
        """A target text or an object, with the options of ``check``; None where it cannot leave this process.

        Nothing of it is called: what is importable goes by its name, anything else by what cloudpickle makes of it.
        """
        said: Plain = {key: value for key, value in options.items() if value is not None}
        if isinstance(target, Initializer):
            recipe = target.recipe
            if recipe is None or said or args:
                return None
            kept = {key: recipe.get(key) for key in ("signature", "args", "parameter", "pickle", "name")}
            held = {"contract": recipe["contract"]} if recipe.get("contract") else {}
            return cls(recipe.get("target") or target.name, json.dumps({**kept, **held}))
        text = target if isinstance(target, str) else _text_of(target)
        if text is not None and is_plain(dict(args or {})):
            return cls(text, json.dumps({**said, "args": dict(args or {})}))
        packed = pickled((target, dict(args or {}))) if not isinstance(target, str) else None
        if packed is None:
            return None
        # A pickle by value forgets the file of the code.
        return cls(name_of(target), json.dumps({**said, "pickle": packed, "location": location_of(target)}))


def _text_of(obj: Any) -> str | None:
    if isinstance(obj, ModuleType):
        return obj.__name__ if sys.modules.get(obj.__name__) is obj and obj.__name__ != "__main__" else None
    return importable(obj)


def read_all(targets: Iterable[str | Wanted], own: OwnProcess, *, contract: Declared = None) -> Loaded:
    """What some targets turn out to be; nothing of theirs runs in this process.

    Args:
        targets: target texts, or what is sent in their place.
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


def read_pairs(texts: Iterable[str], own: OwnProcess, said: Mapping[str, Any]) -> list[Pair]:
    """The pairs that some texts name; nothing of theirs runs in this process.

    Args:
        texts: two targets each.
        own: reads them.
        said: of all pairs of the run, as ``initcheck.targets.pairs.load_pairs`` takes it.

    Raises:
        UsageError: as ``initcheck.targets.pairs.load_pairs``; or the process that imported a target died.
    """
    found = [tested for text in texts for tested in _read(text, own, {"pairs": dict(said)})[0]]
    return numbered(p for p in found if isinstance(p, Pair))


def read_locked(files: Iterable[str], own: OwnProcess, said: Mapping[str, Any]) -> list[Locked]:
    """What some law files lock; nothing of the targets runs in this process.

    Args:
        files: law files; with a preset, targets.
        own: reads them.
        said: the preset, as ``initcheck.targets.locks.load_locks`` takes it.

    Raises:
        UsageError: as ``initcheck.targets.locks.load_locks``; or the process that imported a target died.
    """
    found = [tested for text in files for tested in _read(text, own, {"locks": dict(said)})[0]]
    return numbered(p for p in found if isinstance(p, Locked))


def read_target(target: str | Wanted, own: OwnProcess, declared: Contract) -> Loaded:
    """What one target turns out to be; members that end the process are left unread, the others are read."""
    wanted = target if isinstance(target, Wanted) else Wanted(target)
    said = {"contract": declared.said(), "notes": list(declared.notes), "options": json.loads(wanted.options)}
    found, left = _read(wanted.target, own, said)
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
    if plain["pair"]:
        kinds: dict[str, Any] = {"pair": Pair, "lock": Locked}
        parts = {"a": elsewhere, "b": elsewhere} if plain["pair"] == "pair" else {"target": elsewhere}
        made: Tested = kinds[plain["pair"]](**parts, words=tuple(plain["words"]), **known)
        return made
    if plain["ranks"] is not None:
        return ShardedModel(factory=elsewhere, words=tuple(plain["words"]), **plain["ranks"], **known)
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
        elif "pairs" in request:
            found = load_pairs([request["read"]], **request["pairs"])
        elif "locks" in request:
            found = load_locks([request["read"]], **request["locks"])
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
            "words": list(i.words) if isinstance(i, (Model, Pair, Locked)) else None,
            "pair": i.kind if isinstance(i, (Pair, Locked)) else "",
            "built": isinstance(i, Model) and i.built,
            "ranks": {"world": i.world, "mesh": dict(i.mesh)} if isinstance(i, ShardedModel) else None,
        }
        for i in found
    ]
    return {"found": plain, "not checked": [dataclasses.asdict(n) for n in left]}, found


def _load_here(request: Mapping[str, Any], tell: Any) -> Loaded:
    options = dict(request["options"])
    held: Plain = {**(options.pop("contract", None) or {}), **request["contract"]}
    said: Plain = {key: tuple(value) if isinstance(value, list) else value for key, value in held.items()}
    declared = dataclasses.replace(Contract(**said), notes=tuple(request["notes"])) if said else None
    without = set(request["without"])

    def watch(name: str) -> bool:
        if name not in without:
            tell(name)
        return name not in without

    target: Any = request["read"]
    packed = options.pop("pickle", None)
    if packed is not None:
        options["name"] = options.get("name") or target
        target, options["args"] = pickle.loads(base64.b64decode(packed))
    location = options.pop("location", None)
    with watching_names(watch):
        loaded = load(target, contract=declared, **options)
    if location is None:
        return loaded
    return Loaded(tuple(dataclasses.replace(i, location=tuple(location)) for i in loaded.initializers))
