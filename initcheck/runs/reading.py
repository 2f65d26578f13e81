"""Targets read in a process of ours, so that what ends or stops it is known by name and costs the others nothing."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from initcheck.targets.recipes import here, importable, is_plain, pickled, unpickled
from initcheck.targets.tables import beside, tables

_STDLIB = sysconfig.get_path("stdlib") + os.sep
# What is named beside initializers, and what finds it.
_KINDS: Mapping[str, Callable[..., Sequence[Tested]]] = {
    "models": load_models,
    "pairs": load_pairs,
    "locks": load_locks,
}
# Kind of what is judged elsewhere -> its class, and what of it is not here.
_STANDS_IN: Mapping[str, tuple[type[Tested], tuple[str, ...]]] = {
    "check": (Initializer, ("sampler",)),
    "model": (Model, ("factory",)),
    "ranks": (ShardedModel, ("factory",)),
    "pair": (Pair, ("a", "b")),
    "lock": (Locked, ("target",)),
}
# What a stand-in of a model has of it.
_MORE = ("built", "world", "mesh")
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

    Those that are there and cannot be read are among what is not checked, and needed: the others are judged all the
    same.

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


def read_each(
    kind: str, texts: Iterable[str], own: OwnProcess, said: Mapping[str, Any]
) -> tuple[Sequence[Tested], Sequence[NotChecked]]:
    """What some texts of a kind name, and those that cannot be read.

    Args:
        kind: ``models``, ``pairs`` or ``locks``.
        texts: target texts; of pairs two targets each; law files, or with a preset targets.
        own: reads them, so that nothing of theirs runs in this process.
        said: of all of them for this run, as what loads them takes it.

    Raises:
        UsageError: as what loads them, of one that is not there; or none of them can be read.
    """
    texts = dict.fromkeys(texts)
    found, unread = readable((text, partial(_read, text, own, {kind: dict(said)})) for text in texts)
    return numbered(tested for each in found for tested in each[0]), unread


def read_target(target: str | Wanted, own: OwnProcess, declared: Contract) -> Loaded:
    """What one target turns out to be; members that end the process are left unread, the others are read."""
    wanted = target if isinstance(target, Wanted) else Wanted(target)
    said = {"contract": declared.said(), "notes": list(declared.notes), "options": json.loads(wanted.options)}
    found, left = _read(wanted.target, own, said)
    return Loaded(tuple(i for i in found if isinstance(i, Initializer)), left)


def _read(target: str, own: OwnProcess, said: Mapping[str, Any]) -> tuple[list[Tested], tuple[NotChecked, ...]]:
    request = {"read": target, **said, **here()}
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
    return found, tuple(NotChecked(**n) for n in answer["not checked"])


def _place(stack: Sequence[str]) -> str:
    """The line of the user's file at which a process hung, or was killed; empty where nothing tells."""
    for line in stack:
        found = re.match(r'File "(.+)", line (\d+)', line)
        if found and not found[1].startswith((_STDLIB, "<")) and "site-packages" not in found[1]:
            return f"{relative(found[1])}:{found[2]}"
    return ""


def _stand_in(plain: Mapping[str, Any]) -> Tested:
    """The initializer or the model as far as it needs to be known here: it is judged elsewhere."""
    location = plain["location"]
    made, absent = _STANDS_IN[plain["kind"]]
    parts: dict[str, Any] = {**dict.fromkeys(absent), **plain["more"]}
    return made(
        name=plain["name"],
        contract=Contract(waive=plain["waive"]),
        location=(location[0], location[1]) if location else None,
        recipe=plain["recipe"],
        words=tuple(plain["words"]),
        bystander=plain["bystander"],
        **parts,
    )


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
        asked = next((kind for kind in _KINDS if kind in request), None)
        if asked is not None:
            found = tuple(_KINDS[asked]([request["read"]], **request[asked]))
        else:
            loaded = _load_here(request, tell)
            found, left = loaded.initializers, loaded.not_checked
    except UsageError as error:
        kind = next(name for name, error_class in _ERRORS.items() if isinstance(error, error_class))
        return {"usage": str(error), "kind": kind}, ()
    plain = [
        {
            "name": i.name,
            "waive": dict(i.contract.waive),
            "location": i.location,
            "recipe": i.recipe,
            "words": list(i.words),
            "bystander": i.bystander,
            "kind": i.kind,
            "more": {name: vars(i)[name] for name in _MORE if name in vars(i)} if isinstance(i, Model) else {},
        }
        for i in found
    ]
    return {"found": plain, "not checked": [dataclasses.asdict(n) for n in left]}, found


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
        target, options["args"] = unpickled(packed)
    location = options.pop("location", None)
    with watching_names(watch):
        if isinstance(target, str) and target.strip().startswith("@"):
            file = target.strip()[1:]
            listed = [(str(table["target"]), table) for table in tables(file, contract=declared)]
            with beside(file):
                return load_readable((text, partial(_load_table, text, table, without, tell)) for text, table in listed)
        loaded = load(target, contract=declared, **options)
    if location is None:
        return loaded
    placed = (dataclasses.replace(i, location=tuple(location)) for i in loaded.initializers)
    return dataclasses.replace(loaded, initializers=tuple(placed))


def _load_table(text: str, table: Mapping[str, Any], without: Mapping[str, str], tell: Any) -> Loaded:
    """One target of a list: told of before it is imported, so that what ends this process is known for its own."""
    imported = f"@{text}"
    if imported in without:
        raise UnreadableTarget(f"it cannot be imported: {without[imported]}.")
    tell(imported)
    return load(**table)
