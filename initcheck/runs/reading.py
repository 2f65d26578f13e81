"""Targets read in a process of ours, so that what ends or stops it is known by name and costs the others nothing."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import pickle
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from initcheck.comparison.pair import Pair
from initcheck.contract.contract import Contract
from initcheck.contract.declaration import Declared, declared_contract
from initcheck.contract.initializer import Initializer
from initcheck.contract.model import Model
from initcheck.contract.tested import Tested
from initcheck.errors import AmbiguousInitializer, UnreadableTarget, UsageError
from initcheck.locks.locked import Locked
from initcheck.models.ranks.model import ShardedModel
from initcheck.report.results import NotChecked
from initcheck.runs.own_process import OwnProcess
from initcheck.runs.units import Plain
from initcheck.safe_text import relative
from initcheck.sandbox.child import Died
from initcheck.search_path import add_folder
from initcheck.targets.loading import (
    Loaded,
    T,
    load,
    load_readable,
    location_of,
    name_of,
    numbered,
    readable,
    watching_names,
)
from initcheck.targets.locks import load_locks
from initcheck.targets.models import load_models
from initcheck.targets.modules import AS_A_SCRIPT
from initcheck.targets.pairs import load_pairs
from initcheck.targets.recipes import importable, is_plain, pickled
from initcheck.targets.tables import tables

_STDLIB = sysconfig.get_path("stdlib") + os.sep
# The first that an error is an instance of is raised at the other end.
_ERRORS: Mapping[str, type[UsageError]] = {
    "ambiguous": AmbiguousInitializer,
    "unreadable": UnreadableTarget,
    "usage": UsageError,
}


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

    Those that are there and cannot be read are among what is ``unread``: the others are judged all the same.

    Args:
        targets: target texts, or what is sent in their place.
        own: reads them, and judges what died on reading by that.
        contract: what they are held to.

    Raises:
        UsageError: as ``initcheck.targets.loading.load``, of one that is not there; or none of them can be read.
    """
    declared = declared_contract(contract)
    texts = [(target.target if isinstance(target, Wanted) else target, target) for target in targets]
    return load_readable((text, partial(read_target, target, own, declared)) for text, target in texts)


def read_models(
    targets: Iterable[str], own: OwnProcess, said: Mapping[str, Any]
) -> tuple[list[Model], list[NotChecked]]:
    """The models that some target texts name, and those that cannot be read.

    Nothing of theirs runs in this process, which needs no torch.

    Args:
        targets: target texts.
        own: reads them.
        said: of all models of the run, as ``initcheck.targets.models.load_models`` takes it.

    Raises:
        UsageError: as ``initcheck.targets.models.load_models``, of one that is not there; or none can be read.
    """
    return _read_each(targets, own, {"models": dict(said)}, Model)


def read_pairs(texts: Iterable[str], own: OwnProcess, said: Mapping[str, Any]) -> tuple[list[Pair], list[NotChecked]]:
    """The pairs that some texts name, and those that cannot be read; nothing of theirs runs in this process.

    Args:
        texts: two targets each.
        own: reads them.
        said: of all pairs of the run, as ``initcheck.targets.pairs.load_pairs`` takes it.

    Raises:
        UsageError: as ``initcheck.targets.pairs.load_pairs``, of one that is not there; or none can be read.
    """
    return _read_each(texts, own, {"pairs": dict(said)}, Pair)


def read_locked(
    files: Iterable[str], own: OwnProcess, said: Mapping[str, Any]
) -> tuple[list[Locked], list[NotChecked]]:
    """What some law files lock, and those that cannot be read; nothing of the targets runs in this process.

    Args:
        files: law files; with a preset, targets.
        own: reads them.
        said: the preset, as ``initcheck.targets.locks.load_locks`` takes it.

    Raises:
        UsageError: as ``initcheck.targets.locks.load_locks``, of one that is not there; or none can be read.
    """
    return _read_each(files, own, {"locks": dict(said)}, Locked)


def _read_each(
    texts: Iterable[str], own: OwnProcess, said: Mapping[str, Any], kind: type[T]
) -> tuple[list[T], list[NotChecked]]:
    found, unread = readable((text, partial(_read, text, own, said)) for text in texts)
    return numbered(tested for each in found for tested in each[0] if isinstance(tested, kind)), unread


def read_target(target: str | Wanted, own: OwnProcess, declared: Contract) -> Loaded:
    """What one target turns out to be; members that end the process are left unread, the others are read."""
    wanted = target if isinstance(target, Wanted) else Wanted(target)
    said = {"contract": declared.said(), "notes": list(declared.notes), "options": json.loads(wanted.options)}
    found, left, unread = _read(wanted.target, own, said)
    return Loaded(tuple(i for i in found if isinstance(i, Initializer)), left, unread)


def _read(
    target: str, own: OwnProcess, said: Mapping[str, Any]
) -> tuple[list[Tested], tuple[NotChecked, ...], tuple[NotChecked, ...]]:
    request = {"read": target, **said, "path": list(sys.path), "cwd": os.getcwd()}
    died: dict[str, Died] = {}
    while True:
        at: str | None = None
        used = own.used
        try:
            for answer in own.reading({**request, "without": {name: str(death) for name, death in died.items()}}):
                at = answer.get("at", at)
        except Died as death:
            if used:
                continue  # perhaps of what another target left behind; once more in a process of its own
            if at is None or at in died:
                where = f" ({place})" if (place := _place(death.stack)) else ""
                script = f" {AS_A_SCRIPT}" if "did not return" in str(death) else ""
                raise UnreadableTarget(f"target {target!r} cannot be imported: {death}{where}.{script}") from None
            died[at] = death
            continue
        if "found" in answer:
            break
        # What was begun and did not end may have left anything behind: nobody else is read or judged there.
        own.close()
        if not used:
            break
    if "error" in answer:
        raise UnreadableTarget(f"target {target!r} cannot be read: {answer['error']}")
    if "usage" in answer:
        raise _ERRORS[answer["kind"]](answer["usage"])
    found = [_stand_in(plain) for plain in answer["found"]]
    for tested in found:
        if tested.name in died:
            own.mourn(tested.name, died[tested.name])
    left, unread = (tuple(NotChecked(**n) for n in answer[part]) for part in ("not checked", "unread"))
    return found, left, unread


def _place(stack: Sequence[str]) -> str:
    """The line of the user's file at which a process hung, or was killed; empty where nothing tells."""
    for line in stack:
        found = re.match(r'File "(.+)", line (\d+)', line)
        if found and not found[1].startswith((_STDLIB, "<")) and "site-packages" not in found[1]:
            return f"{relative(found[1])}:{found[2]}"
    return ""


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
    unread: tuple[NotChecked, ...] = ()
    try:
        if "models" in request:
            found = load_models([request["read"]], **request["models"])
        elif "pairs" in request:
            found = load_pairs([request["read"]], **request["pairs"])
        elif "locks" in request:
            found = load_locks([request["read"]], **request["locks"])
        else:
            loaded = _load_here(request, tell)
            found, left, unread = loaded.initializers, loaded.not_checked, loaded.unread
    except UsageError as error:
        kind = next(name for name, error_class in _ERRORS.items() if isinstance(error, error_class))
        return {"usage": str(error), "kind": kind}, ()
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
    said = {"not checked": [dataclasses.asdict(n) for n in left], "unread": [dataclasses.asdict(n) for n in unread]}
    return {"found": plain, **said}, found


def _load_here(request: Mapping[str, Any], tell: Any) -> Loaded:
    options = dict(request["options"])
    held: Plain = {**(options.pop("contract", None) or {}), **request["contract"]}
    said: Plain = {key: tuple(value) if isinstance(value, list) else value for key, value in held.items()}
    declared = dataclasses.replace(Contract(**said), notes=tuple(request["notes"])) if said else None
    without: Mapping[str, str] = request["without"]

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
        if isinstance(target, str) and target.strip().startswith("@"):
            listed = [(str(table["target"]), table) for table in tables(target.strip()[1:], contract=declared)]
            return load_readable((text, partial(_load_table, text, table, without, tell)) for text, table in listed)
        loaded = load(target, contract=declared, **options)
    if location is None:
        return loaded
    return Loaded(tuple(dataclasses.replace(i, location=tuple(location)) for i in loaded.initializers))


def _load_table(text: str, table: Mapping[str, Any], without: Mapping[str, str], tell: Any) -> Loaded:
    """One target of a list: told of before it is imported, so that what ends this process is known for its own."""
    imported = f"@{text}"
    if imported in without:
        raise UnreadableTarget(f"it cannot be imported: {without[imported]}.")
    tell(imported)
    return load(**table)
