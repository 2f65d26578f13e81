"""Targets -> initializers: text, callables, modules, tables; each with contract and recipe."""

from __future__ import annotations

import contextlib
import datetime
import inspect
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, TypeVar

from initcheck.adapters.classes import Method
from initcheck.adapters.declared_samplers import as_declared
from initcheck.adapters.recognition import recognise
from initcheck.adapters.refusals import ComplexWeights
from initcheck.adapters.signatures.frameworks import FRAMEWORKS, home
from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.contract.contract import Contract
from initcheck.contract.declaration import Declared, declared_contract, declares, merged, own_declaration
from initcheck.contract.initializer import Initializer
from initcheck.contract.tested import Tested
from initcheck.contract.waiver import contract_of
from initcheck.errors import UnreadableTarget, UsageError
from initcheck.layers.recognition import layer_initializer
from initcheck.report.results import NotChecked
from initcheck.targets.activations import carried, resolved
from initcheck.targets.modules import find_object, put_back_after_import
from initcheck.targets.recipes import here, importable, is_plain, pickled, there, unpickled
from initcheck.targets.scan import saying, scan
from initcheck.targets.text import parse

T = TypeVar("T", bound=Tested)
R = TypeVar("R")


Watch = Callable[[str], bool]
_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextlib.contextmanager
def watching_names(watch: Watch) -> Iterator[None]:
    """Be told of each name before anything of it is looked at; where the answer is no, it is left unread.

    What is left unread has its place among the initializers, with a recipe and without a sampler.
    """
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


@dataclass(frozen=True)
class Loaded:
    """What a target turned out to be.

    Attributes:
        initializers: ready to be checked; no two share a name.
        not_checked: members of a module that were not made into one, why, and what to write instead; needed where it
            was named, or has an ``__initcheck__``, and could not be read or shows nothing to check.
    """

    initializers: tuple[Initializer, ...]
    not_checked: tuple[NotChecked, ...] = ()

    def some(self, target: object) -> tuple[Initializer, ...]:
        """The initializers, for a question whose answer would say nothing without one.

        Raises:
            UsageError: there is none, and why.
        """
        if not self.initializers:
            why = "; ".join(f"{left.name}: {left.reason.rstrip('.')}" for left in self.not_checked)
            raise UsageError(f"target {str(target)!r} shows no initializer. {why}.")
        return self.initializers


def load(
    target: str | Callable[..., Any] | object,
    *,
    contract: Declared = None,
    signature: str | None = None,
    args: Mapping[str, Any] | None = None,
    parameter: str | None = None,
    name: str | None = None,
    listed: str | None = None,
) -> Loaded:
    """Make initializers of a target.

    >>> import numpy as np
    >>> def he(shape, rng):
    ...     return rng.normal(0, np.sqrt(2 / shape[0]), shape)
    >>> [one] = load(he, contract="activation=relu,layout=in_out").initializers
    >>> one.signature, one.contract.activation
    ('(shape, rng)', 'relu')

    Args:
        target: ``myinit``, ``pkg.mod:attr``, ``pkg.mod.attr``, ``path/to/file.py:attr``, each with keyword
            arguments as literals, or ``@pyproject.toml``; or a callable, a class, an instance, a module.
            The two options below may stand among the arguments: ``f(parameter="W1")``, ``f(signature="(n, m)")``.
        contract: what it promises, as a ``Contract``, a dict or text; it wins over ``f.__initcheck__``,
            and that over what is known of a library's object.
        signature: how to call it, such as ``(shape, rng)``, where it cannot be read.
        args: keyword arguments that never change.
        parameter: which of several returned arrays is meant, such as ``0`` or ``kernel``.
        name: what to call it in messages; the target text by default.
        listed: the file of tables that says of it what no command line can, such as ``@pyproject.toml``.

    Raises:
        UsageError: there is no such target, its module raises, or it cannot be read as an initializer.
    """
    declared = declared_contract(contract)
    if isinstance(target, Initializer):
        recipe = target.recipe
        if recipe is not None and declared.said():
            earlier = _contract_carried(recipe) or Contract()
            recipe = _with_contract(recipe, declared.filled_by(earlier, "declared"))
        contract = resolved(merged(declared, Contract(), target.contract))
        return Loaded((replace(target, contract=contract, recipe=recipe),))
    if isinstance(target, str) and target.strip().startswith("@"):
        from initcheck.targets.tables import beside, tables  # only where a table of pyproject is named

        file = target.strip()[1:]
        of_tables = list(tables(file, contract=contract))
        with beside(file):
            return told_apart(load(**said) for said in of_tables)
    if not isinstance(target, str):
        return _load_object(target, name or name_of(target), declared, signature, dict(args or {}), parameter)
    text = parse(target)
    obj, _ = find_object(text)
    given = {**text.args, **(args or {})}
    written = {key: _option(key, given, obj) for key in ("signature", "parameter")}
    signature, parameter = signature or written["signature"], parameter or written["parameter"]
    recipe = {
        "target": target, "signature": signature, "args": dict(args or {}), "parameter": parameter,
        "name": name, "listed": listed, **here(),
    }  # fmt: skip
    if isinstance(obj, ModuleType):
        if given or signature or parameter:
            raise UsageError(f"target {target!r} is a module; arguments and signature go with one initializer in it.")
        return _load_module(obj, target, declared, recipe)
    try:
        return _parts(obj, name or target, declared, signature, given, parameter, recipe)
    except UnreadableTarget:
        raise
    except UsageError as error:
        raise UnreadableTarget(str(error)) from error.__cause__


def _option(key: str, given: dict[str, Any], obj: Any) -> str | None:
    """What ``name(parameter="W1")`` says of how to read the target, where the target itself has no such argument."""
    is_number = key == "parameter" and type(given.get(key)) is int  # parameter=0
    if not (isinstance(given.get(key), str) or is_number) or isinstance(obj, ModuleType):
        return None
    if key in (parameters_of(obj) or {}):
        return None
    return str(given.pop(key))


def rebuild(recipe: Mapping[str, Any]) -> Initializer:
    """Make an initializer again in a fresh process from the plain data of ``Initializer.recipe``.

    Raises:
        UsageError: as ``load``; or the recipe needs cloudpickle, which is not installed here.
    """
    options = {key: recipe.get(key) for key in ("signature", "args", "parameter", "listed")}
    with there(recipe):
        target = recipe.get("target")
        if "pickle" in recipe:
            target, options["args"] = unpickled(recipe["pickle"])
        loaded = load(target, contract=_contract_carried(recipe), name=recipe.get("name"), **options)
    [initializer] = loaded.initializers
    return initializer


def _with_contract(recipe: Mapping[str, Any], declared: Contract) -> dict[str, Any] | None:
    """A recipe with the contract in it; None where that names a function that only this process has."""
    said = carried(declared)
    return None if said is None else {**recipe, "contract": said or None}


def _contract_carried(recipe: Mapping[str, Any]) -> Contract | None:
    """The contract of a recipe, where it has one."""
    if not recipe.get("contract"):
        return None
    # Where the recipe came as JSON, its tuples are lists.
    said: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in recipe["contract"].items()
    }
    if isinstance(said.get("activation"), Mapping):
        said["activation"] = unpickled(said["activation"]["pickle"])
    return Contract(**said)


def name_of(obj: Any) -> str:
    """The target text of an object: ``module:qualname``; of an instance its class, never its ``repr``."""
    named = obj if hasattr(obj, "__qualname__") else getattr(obj, "func", None)
    if named is None or not hasattr(named, "__qualname__"):
        named = type(obj)
    if inspect.ismodule(obj):
        return obj.__name__
    module = getattr(named, "__module__", None) or "__main__"
    qualname = str(named.__qualname__).replace("<locals>.", "")
    return qualname if module == "__main__" else f"{module}:{qualname}"


def _one(
    obj: Any, name: str, declared: Contract, signature: str | None, args: Mapping[str, Any],
    parameter: str | None, recipe: Mapping[str, Any] | None,
) -> Initializer:  # fmt: skip
    if recipe is not None:
        recipe = _with_contract(recipe, declared)
    watch = _watch.get()
    if watch is not None and not watch(name):
        unread: Any = None
        return Initializer(name=name, sampler=unread, contract=declared, location=location_of(obj), recipe=recipe)
    keys = own_declaration(*saying(obj), name=name)
    signature = signature or keys.pop("signature", None)
    parameter = parameter or keys.pop("parameter", None)
    args = {**keys.pop("args", {}), **args}
    layer = layer_initializer(obj, name, args) if signature is None and parameter is None else None
    initializer = layer or recognise(obj, name, signature=signature, args=args, parameter=parameter)
    own = contract_of(keys, f"{name}.__initcheck__", today=datetime.date.today())
    contract = _told(obj, resolved(merged(declared, own, initializer.contract)))
    initializer = replace(initializer, contract=contract, location=location_of(obj), recipe=recipe)
    return as_declared(initializer, contract) if layer is None else initializer


def _told(obj: Any, contract: Contract) -> Contract:
    """The contract, with a note where the module of an object is judged without what it did to all other code."""
    module = getattr(obj, "__module__", None)
    changed = put_back_after_import(module) if isinstance(module, str) else ""
    if not changed:
        return contract
    note = f"{module} changes {changed} for all other code as it is imported; that was put back"
    return replace(contract, notes=(*contract.notes, note))


def _parts(
    obj: Any, name: str, declared: Contract, signature: str | None, args: Mapping[str, Any],
    parameter: str | None, recipe: Mapping[str, Any] | None,
) -> Loaded:  # fmt: skip
    """One initializer; of complex weights two, the real and the imaginary part."""
    try:
        return Loaded((_one(obj, name, declared, signature, args, parameter, recipe),))
    except ComplexWeights as error:
        made = []
        for part in error.parts:
            whole = part if parameter is None else f"{parameter}.{part}"
            own = None if recipe is None else {**recipe, "parameter": whole, "name": f"{name}.{part}"}
            made.append(_one(obj, f"{name}.{part}", declared, signature, args, whole, own))
        return Loaded(tuple(made))


def _load_module(module: ModuleType, text: str, declared: Contract, recipe: Mapping[str, Any] | None) -> Loaded:
    def read(member: Any, name: str) -> Initializer:
        whole = f"{text}:{name}"
        own = {**recipe, "target": whole} if recipe is not None else None
        made = _one(member, whole, declared, None, {}, None, own)
        return replace(made, bystander=not declares(*saying(member)))

    taken, left = scan(module, text, read)
    return Loaded(tuple(taken), tuple(left))


def _load_object(
    obj: Any,
    name: str,
    declared: Contract,
    signature: str | None,
    args: dict[str, Any],
    parameter: str | None,
) -> Loaded:
    if isinstance(obj, ModuleType):
        return _load_module(obj, name, declared, here())
    parts: dict[str, Any] = {
        "signature": signature, "args": args, "parameter": parameter, "name": name, "path": list(sys.path),
    }  # fmt: skip
    found = importable(obj) if is_plain(args) else None
    if found is not None:
        recipe: dict[str, Any] | None = {**parts, "target": found}
    else:
        packed = pickled((obj, args))
        recipe = {**parts, "args": None, "pickle": packed} if packed is not None else None
    return _parts(obj, name, declared, signature, args, parameter, recipe)


def location_of(obj: Any) -> tuple[str, int] | None:
    """File and line of the user's code; None for a framework's own object and for what has no source.

    A cell of a notebook has a file by name (``/tmp/ipykernel_7/3795733200.py``) that nobody can open: it is no place.
    """
    obj = obj.function if isinstance(obj, Method) else obj
    obj = inspect.unwrap(getattr(obj, "func", obj)) if callable(obj) else type(obj)
    if home(obj) in FRAMEWORKS:
        return None
    code = getattr(obj, "__code__", None)
    if code is not None:
        return (code.co_filename, code.co_firstlineno) if os.path.exists(code.co_filename) else None
    try:
        cls = obj if isinstance(obj, type) else type(obj)
        file = inspect.getsourcefile(cls)
        return (file, inspect.getsourcelines(cls)[1]) if file else None
    except (OSError, TypeError):
        return None


def told_apart(several: Iterable[Loaded]) -> Loaded:
    """All of them as one; initializers that would share a name are told apart by a number.

    What a target that shows nothing to check leaves is needed where others show something: a run would pass that never
    looked at it.
    """
    each = list(several)
    initializers = numbered(i for loaded in each for i in loaded.initializers)
    left = [
        replace(n, needed=n.needed or bool(initializers and not loaded.initializers))
        for loaded in each
        for n in loaded.not_checked
    ]
    return Loaded(tuple(initializers), tuple(left))


def load_readable(several: Iterable[tuple[str, Callable[[], Loaded]]]) -> Loaded:
    """All of them as one, without those that are there and cannot be read; the arguments are those of ``readable``."""
    each, unread = readable(several)
    whole = told_apart(each)
    return replace(whole, not_checked=(*whole.not_checked, *unread))


def readable(several: Iterable[tuple[str, Callable[[], R]]]) -> tuple[list[R], list[NotChecked]]:
    """What can be read, and what is there and cannot be: one broken target never takes the others' verdicts.

    Args:
        several: each target text, and what reads it.

    Raises:
        UsageError: one of them is not there; or none of them can be read.
    """
    each, unread = [], []
    first: UnreadableTarget | None = None
    for text, reads in several:
        try:
            each.append(reads())
        except UnreadableTarget as error:
            first = first or error
            reason = str(error).removeprefix(f"target {text!r}").removeprefix(f"{text} ").removeprefix(":").strip()
            unread.append(NotChecked(name=text, reason=reason, needed=True))
    if first is not None and not each:
        raise first
    return each, unread


def numbered(several: Iterable[T], taken: Sequence[str] = ()) -> list[T]:
    """The same initializers or models, those that would share a name told apart by a number.

    Args:
        several: in the order of the run.
        taken: names that the run has given already.
    """
    seen = Counter(taken)
    found = []
    for tested in several:
        seen[tested.name] += 1
        count = seen[tested.name]
        if count == 1:
            found.append(tested)
            continue
        name = f"{tested.name} #{count}"
        recipe = {**tested.recipe, "name": name} if tested.recipe else None
        found.append(replace(tested, name=name, recipe=recipe))
    return found
