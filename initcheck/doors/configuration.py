"""``[tool.initcheck]`` in pyproject.toml: the options of a run, said once for everybody who runs it."""

from __future__ import annotations

import argparse
import datetime
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.contract.waiver import contract_of
from initcheck.doors.options import KIND_OF_CLAIM, OPTIONS, Option, TargetKind, of_kind
from initcheck.errors import UsageError, closest, refuse_unknown

# Tables of their own, read where their targets are: `initcheck.targets.tables`.
_TABLES = ("targets", "models", "same", "locks")
_INITIALIZERS: tuple[TargetKind, ...] = ("initializers",)


def find_configuration(start: Path) -> Path | None:
    """The pyproject.toml that configures a folder: the nearest one above it, as other tools look for theirs."""
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file():
            return folder / "pyproject.toml"
    return None


def configured(start: Path) -> dict[str, Any]:
    """The options that ``[tool.initcheck]`` sets for a run in a folder, by name; empty where it says nothing.

    Raises:
        UsageError: the file is no TOML, or the table holds an unknown key or a wrong value.
    """
    path = find_configuration(start)
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None
    if "initcheck" not in text:
        # A project that never heard of us must not fail for what another tool tolerates.
        return {}
    try:
        tool = tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}.") from None
    # `tool = []` is no fault of ours to tell.
    return options_of(tool.get("initcheck", {}) if isinstance(tool, Mapping) else {}, path)


def options_of(table: Any, path: Path) -> dict[str, Any]:
    """Check the table and read its values as the command line reads them.

    >>> options_of({"profile": "quick", "claims": ["finite"], "strict": True}, Path("pyproject.toml"))
    {'profile': 'quick', 'claims': ('finite',), 'strict': True}

    Args:
        table: the content of ``[tool.initcheck]``.
        path: the file it stands in; files that it names are looked for beside it.

    Raises:
        UsageError: an unknown key (with the closest one) or a wrong value (with what is valid).
    """
    where = f"[tool.initcheck] in {path}"
    if not isinstance(table, Mapping):
        raise UsageError(f"{where} is {table!r}; it must be a table.")
    known = {o.name: o for o in OPTIONS if o.configured}
    found: dict[str, Any] = {}
    for key, value in table.items():
        refuse_unknown([key], (*known, *_TABLES), f"{where} has no key")
        if key in known:
            found[key] = _read(known[key], value, where, path.parent)
    return found


def _read(option: Option, value: Any, where: str, folder: Path) -> Any:
    said = f"{where}: {option.name} = {value!r}"
    if option.metavar is None:
        if not isinstance(value, bool):
            raise UsageError(f"{said} must be true or false.")
        return value
    if isinstance(value, Mapping) and option.name == "contract":
        return contract_of(value, f"{where}: contract", today=datetime.date.today())
    if isinstance(value, (list, tuple)) and option.name == "claims":
        if not all(isinstance(v, str) for v in value):
            raise UsageError(f"{said} must be a list of claim ids.")
        text = ",".join(value)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        text = str(value)
    else:
        raise UsageError(f"{said} must be {_wanted(option)}.")
    try:
        read = option.read(text)
    except (argparse.ArgumentTypeError, ValueError) as error:
        raise UsageError(f"{where}: {option.name}: {error}") from None
    if option.metavar == "FILE":
        return str(folder / text)
    _check(option, read, where)
    return read


def _wanted(option: Option) -> str:
    return {"N": "a number", "SECONDS": "a number of seconds", "A,B": "a list of claim ids"}.get(
        option.metavar or "", f"text ({option.help})"
    )


def _check(option: Option, value: Any, where: str) -> None:
    """What the run would refuse later is refused here, where the place can be named."""
    if option.name == "profile":
        # read at the start of every pytest: only where it is configured
        from initcheck.contract.profile import PROFILES

        if value not in PROFILES:
            raise UsageError(f"{where}: there is no profile {value!r}; {closest(value, PROFILES)}")
    elif option.name == "claims":
        # loads every property: only where claims are configured
        from initcheck.claims.registry import asked_of

        every = {name for kind in KIND_OF_CLAIM.values() for name in asked_of(kind)}
        for name in value:
            if name not in every:
                raise UsageError(f"{where}: there is no claim {name!r}; {closest(name, every)}")
    elif option.name == "contract":
        try:
            Contract.from_text(value)
        except UsageError as error:
            raise UsageError(f"{where}: contract: {error}") from None


def option_values(
    given: Mapping[str, Any], folder: Path, kinds: Collection[TargetKind] = _INITIALIZERS
) -> dict[str, Any]:
    """Every option's value: given, else configured in ``[tool.initcheck]``, else its default.

    Args:
        given: option name -> value; None or absent where nothing was given.
        folder: the folder of the run, whose ``pyproject.toml`` or the nearest one above it counts.
        kinds: of what the run judges: what is configured for another kind is none of its business.

    Raises:
        UsageError: the table holds an unknown key or a wrong value, or options contradict one another.
    """
    known = {o.name for kind in kinds for o in of_kind(kind)}
    here = {name: value for name, value in configured(folder).items() if name in known}
    if here.get("claims"):
        here["claims"] = _claims_of(here["claims"], kinds)
    said = {**{o.name: o.default for o in OPTIONS}, **here}
    values = {name: value if given.get(name) is None else given[name] for name, value in said.items()}
    if values["baseline-update"] and not values["baseline"]:
        raise UsageError("baseline-update needs to know which file to write: name it with the option baseline.")
    return values


def _claims_of(claims: Sequence[str], kinds: Collection[TargetKind]) -> tuple[str, ...] | None:
    """Of the claims that are configured, those that can be asked of what the run judges; None where there are none."""
    from initcheck.claims.registry import find  # as above: it loads every property

    asked = {KIND_OF_CLAIM[kind] for kind in kinds}
    return tuple(name for name in claims if find(name).kind in asked) or None
