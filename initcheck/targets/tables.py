"""``@pyproject.toml``: targets with their contracts, models with their declared laws, waivers of both."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from initcheck.contract.contract import Contract
from initcheck.contract.declaration import declared_contract
from initcheck.contract.waiver import contract_of
from initcheck.errors import UsageError, refuse_unknown
from initcheck.search_path import add_folder

Section = Literal["targets", "models", "same", "locks"]

# Key -> what it must be.
_KEYS: Mapping[Section, Mapping[str, type]] = {
    "targets": {
        "target": str, "name": str, "signature": str, "parameter": str, "args": Mapping, "waive": Mapping,
        "contract": object,
    },
    "models": {"target": str, "name": str, "batch": str, "models": int, "laws": Mapping, "waive": Mapping},
    "same": {"a": str, "b": str, "name": str, "layouts": list, "world": int, "waive": Mapping},
    "locks": {"file": str},
}  # fmt: skip
_NEEDED: Mapping[Section, tuple[str, ...]] = {
    "targets": ("target",),
    "models": ("target",),
    "same": ("a", "b"),
    "locks": ("file",),
}
_WORDS = {str: "text", int: "a whole number from 1 on", Mapping: "a table", list: "a list of two layouts"}


def tables(file: str, *, contract: Contract | Mapping[str, Any] | str | None = None) -> Iterator[dict[str, Any]]:
    """The arguments of ``targets.load``, one dict per table of the file.

    Args:
        file: the path, ``pyproject.toml`` or any TOML file with the same tables.
        contract: declared for the whole run; a table's own contract is then refused as said twice.

    Raises:
        UsageError: no such file, no such table, an unknown key (with the closest), a wrong type.
    """
    for table, where in _checked(file, "targets"):
        said = {key: table[key] for key in ("signature", "args", "parameter", "name") if key in table}
        listed = f"@{file}" if said or "waive" in table or is_elsewhere(file) else None
        yield {"target": table["target"], "contract": _held_to(table, where, contract), "listed": listed, **said}


def waived_tables(file: str, section: Literal["models", "same"], *, needed: bool = True) -> list[dict[str, Any]]:
    """What each table on a model, or on two starts, says, its waivers read: an expired one is a note of its contract.

    Its ``listed`` is how a command line in the current folder names it, where its own words would not: the whole file.

    Args:
        file: the path.
        section: which of the two.
        needed: whether a file without such a table, or no file at all, is an error.

    Raises:
        UsageError: as ``tables``.
    """
    found = []
    for table, where in _checked(file, section, needed=needed):
        waived = contract_of({"waive": table.get("waive", {})}, where, today=datetime.date.today())
        listed = [f"@{file}"] if is_elsewhere(file) else None
        found.append({**table, "contract": waived, "listed": listed})
    return found


def has_tables(path: Path, section: Section) -> bool:
    """Whether a file that configures us has tables of that section.

    Raises:
        UsageError: the file is no TOML, or a table is not as it must be.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    return f"initcheck.{section}" in text and any(True for _ in _checked(str(path), section, needed=False))


def lock_tables(file: str) -> list[str]:
    """The law files that the tables of a file name.

    Raises:
        UsageError: as ``tables``.
    """
    folder = Path(file).expanduser().parent
    return [str(folder / table["file"]) for table, _ in _checked(file, "locks")]


@contextlib.contextmanager
def beside(file: str) -> Iterator[None]:
    """Let what a file of tables names, a module or a path, be found beside it, from whatever folder it is read."""
    path = Path(file).expanduser()
    folder = path.resolve().parent
    if path.is_file():
        add_folder(str(folder))
    with contextlib.chdir(folder) if is_elsewhere(file) else contextlib.nullcontext():
        yield


def is_elsewhere(file: str) -> bool:
    """Whether a file of tables lies in another folder than the current one."""
    path = Path(file).expanduser()
    return path.is_file() and path.resolve().parent != Path.cwd()


def _checked(file: str, section: Section, *, needed: bool = True) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Every table of a section, its keys and their types checked, and its place."""
    path = Path(file).expanduser()
    if not needed and not path.is_file():
        return
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"target '@{file}' cannot be read: {error.strerror or error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"target '@{file}' is not TOML: {error}.") from None
    own: Any = data
    for key in ("tool", "initcheck"):
        own = own.get(key, {}) if isinstance(own, Mapping) else {}
    listed: Any = own.get(section, []) if isinstance(own, Mapping) else []
    if not isinstance(listed, list) or (needed and not listed):
        named = " and ".join(map(repr, _NEEDED[section]))
        near = difflib.get_close_matches(section, [k for k in own if k not in get_args(Section)], n=1, cutoff=0.8)
        hint = f" [[tool.initcheck.{near[0]}]] is nearly that." if near else ""
        raise UsageError(
            f"target '@{file}': it has no table [[tool.initcheck.{section}]] with a key {named} in it.{hint}"
        )
    keys = _KEYS[section]
    for number, table in enumerate(listed, start=1):
        where = f"[[tool.initcheck.{section}]] number {number} of {file}"
        if not isinstance(table, Mapping):
            key = _NEEDED[section][0]
            raise UsageError(
                f"{where} is {table!r}; it must be a table: a line [[tool.initcheck.{section}]], and below it"
                f" {key} = {json.dumps(table) if isinstance(table, str) else '...'}"
            )
        refuse_unknown(table, keys, f"{where} has no key")
        for key in _NEEDED[section]:
            if not isinstance(table.get(key), str):
                raise UsageError(f"{where} needs {key} = 'module:name'; given: {table.get(key)!r}.")
        for key, value in table.items():
            number_below_one = keys[key] is int and (isinstance(value, bool) or (isinstance(value, int) and value < 1))
            if not isinstance(value, keys[key]) or number_below_one:
                such = ', such as waive = {zero-mean = "why it is meant"}' if key == "waive" else ""
                raise UsageError(f"{where}: {key}={value!r} must be {_WORDS[keys[key]]}{such}.")
        yield table, where


def _held_to(table: Mapping[str, Any], where: str, contract: Any) -> Any:
    """The contract of a table of a target, with its waivers."""
    own = table.get("contract", {})
    if isinstance(own, str):
        own = Contract.from_text(own).said()
    if not isinstance(own, Mapping):
        raise UsageError(f"{where}: contract={own!r} must be a table or text such as 'activation=relu'.")
    run = declared_contract(contract)
    if own and any(key != "waive" for key in run.said()):
        raise UsageError(f"{where} declares a contract, and so does the run; say it once.")
    waive = {**own.get("waive", {}), **table.get("waive", {})}
    if not own and not waive:
        return contract
    held_to = contract_of({**own, "waive": waive}, where, today=datetime.date.today())
    # The run declares the rest of the contract, this table its waivers.
    whole = held_to if own or not run.said() else run
    return dataclasses.replace(whole, waive={**run.waive, **held_to.waive}, notes=(*run.notes, *held_to.notes))
