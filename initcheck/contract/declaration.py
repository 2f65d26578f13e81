"""A contract as its author declares it, and how it wins over what is known of the initializer."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import inspect
from collections.abc import Mapping
from typing import Any

from initcheck.contract.contract import Contract, Origin
from initcheck.contract.waiver import contract_of
from initcheck.errors import UsageError

Declared = Contract | Mapping[str, Any] | str | None


def declared_contract(contract: Declared) -> Contract:
    """A contract in any of its forms, each field it says marked as declared.

    Raises:
        UsageError: an unknown key or value.
    """
    if contract is None:
        return Contract()
    if isinstance(contract, str):
        return Contract.from_text(contract)
    if isinstance(contract, Contract):
        said: dict[str, Origin] = dict.fromkeys(contract.said(), "declared")
        return dataclasses.replace(contract, origins={**said, **contract.origins})
    if isinstance(contract, Mapping):
        return contract_of(contract, "contract", today=datetime.date.today())
    raise UsageError(f"contract={contract!r} is no Contract, dict or text such as 'activation=relu'.")


def own_declaration(*objects: Any, name: str) -> dict[str, Any]:
    """What the first of these objects that says so promises in its ``__initcheck__``, a partial by its function.

    >>> def he(shape, rng): ...
    >>> he.__initcheck__ = {"activation": "relu"}
    >>> own_declaration(he, name="myinit:he")
    {'activation': 'relu'}

    Raises:
        UsageError: it is no dict.
    """
    for obj in objects:
        own = getattr(obj, "__initcheck__", None)
        if own is None:
            own = getattr(getattr(obj, "func", None), "__initcheck__", None)
        if own is not None and not isinstance(own, Mapping):
            raise UsageError(
                f"{name}.__initcheck__ is {type(own).__name__!r}; it must be a dict such as {{'fan': 'fan_in'}}."
            )
        if own is not None:
            return dict(own)
    return {}


def declares(*objects: Any) -> bool:
    """Whether one of these objects has an ``__initcheck__``, a partial by its function; no code of theirs is run.

    >>> declares(print), declares(type("He", (), {"__initcheck__": {"activation": "relu"}})())
    (False, True)
    """
    # By its type: isinstance asks an object for its ``__class__``, which may be code of theirs.
    functions = [obj.func for obj in objects if issubclass(type(obj), functools.partial)]
    return any(inspect.getattr_static(obj, "__initcheck__", None) is not None for obj in (*objects, *functions))


def merged(declared: Contract, own: Contract, known: Contract) -> Contract:
    """Declared by the user, then by the initializer's author, then known.

    What is known of the scale gives way as a whole: a declared activation says a known gain is not meant.
    """
    said = declared.filled_by(own, "declared")
    scale = {"activation", "gain", "std"}
    if scale & set(said.origins):
        dropped = scale if "std" not in said.origins else scale | {"fan"}
        cleared: dict[str, Any] = dict.fromkeys(dropped)
        known = dataclasses.replace(
            known,
            **cleared,
            origins={k: v for k, v in known.origins.items() if k not in dropped},
            notes=() if dropped & set(known.origins) else known.notes,
        )
    return said.filled_by(known, "known")
