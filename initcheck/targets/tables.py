"""``@pyproject.toml``: the targets under ``[[tool.initcheck.targets]]`` with their contracts and waivers."""

from __future__ import annotations

import dataclasses
import datetime
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.contract.declaration import declared_contract
from initcheck.contract.waiver import contract_of
from initcheck.errors import UsageError, closest

__all__ = ["tables"]

_KEYS = ("target", "contract", "waive", "signature", "args", "parameter", "name")


def tables(file: str, *, contract: Contract | Mapping[str, Any] | str | None = None) -> Iterator[dict[str, Any]]:
    """The arguments of ``targets.load``, one dict per table of the file.

    Args:
        file: the path, ``pyproject.toml`` or any TOML file with the same tables.
        contract: declared for the whole run; a table's own contract is then refused as said twice.

    Raises:
        UsageError: no such file, no such table, an unknown key (with the closest), a wrong type.
    """
    path = Path(file).expanduser()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"target '@{file}' cannot be read: {error.strerror or error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"target '@{file}' is not TOML: {error}.") from None
    listed = data.get("tool", {}).get("initcheck", {}).get("targets", [])
    if not isinstance(listed, list) or not listed:
        raise UsageError(f"target '@{file}': it has no table [[tool.initcheck.targets]] with a key 'target' in it.")
    for number, table in enumerate(listed, start=1):
        yield _checked(table, f"[[tool.initcheck.targets]] number {number} of {file}", contract)


def _checked(table: Any, where: str, contract: Any) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        raise UsageError(f"{where} is {table!r}; it must be a table with a key 'target'.")
    for key in table:
        if key not in _KEYS:
            raise UsageError(f"{where} has no key {key!r}; {closest(key, _KEYS)}")
    if not isinstance(table.get("target"), str):
        raise UsageError(f"{where} needs target = 'module:name'; given: {table.get('target')!r}.")
    for key in ("signature", "parameter", "name"):
        if not isinstance(table.get(key, ""), str):
            raise UsageError(f"{where}: {key}={table[key]!r} must be text.")
    for key in ("args", "waive"):
        if not isinstance(table.get(key, {}), Mapping):
            raise UsageError(f"{where}: {key}={table[key]!r} must be a table.")
    own = table.get("contract", {})
    if isinstance(own, str):
        own = Contract.from_text(own).said()
    if not isinstance(own, Mapping):
        raise UsageError(f"{where}: contract={own!r} must be a table or text such as 'activation=relu'.")
    if own and contract is not None:
        raise UsageError(f"{where} declares a contract, and so does the run; say it once.")
    waive = {**own.get("waive", {}), **table.get("waive", {})}
    held_to = contract
    if own or waive:
        held_to = contract_of({**own, "waive": waive}, where, today=datetime.date.today())
    if waive and contract is not None:
        # The run declares the rest of the contract, this table its waivers.
        run = declared_contract(contract)
        held_to = dataclasses.replace(run, waive={**run.waive, **held_to.waive}, notes=(*run.notes, *held_to.notes))
    said = {key: table[key] for key in ("signature", "args", "parameter", "name") if key in table}
    return {"target": table["target"], "contract": held_to, **said}
