"""A waiver as it is written in TOML or Python: a reason, or a reason with the last day on which it is in force."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.errors import UsageError, refuse_unknown

_KEYS = ("reason", "until")


def in_force(table: Any, where: str, *, today: datetime.date) -> tuple[dict[str, str], tuple[str, ...]]:
    """The waivers in force, and a sentence for each that has expired: its claim is judged again.

    >>> in_force({"zero-mean": {"reason": "ticket 12", "until": datetime.date(2026, 12, 31)}}, "here",
    ...          today=datetime.date(2027, 1, 1))
    ({}, ("the waiver of 'zero-mean' (ticket 12) expired on 2026-12-31",))

    Args:
        table: claim id -> reason, or claim id -> ``{reason = "...", until = 2027-01-01}``.
        where: the place in the file, for messages.
        today: a waiver holds through the day it names.

    Raises:
        UsageError: a reason is missing, a date is none, a key is unknown.
    """
    if not isinstance(table, Mapping):
        raise UsageError(f"{where}: waive={table!r} must be a table of claim ids and reasons.")
    kept: dict[str, str] = {}
    expired = []
    for claim, given in table.items():
        reason, until = _read(claim, given, where)
        if until is not None and today > until:
            expired.append(f"the waiver of {claim!r} ({reason}) expired on {until.isoformat()}")
        else:
            kept[claim] = reason if until is None else f"{reason} (until {until.isoformat()})"
    return kept, tuple(expired)


def _read(claim: str, given: Any, where: str) -> tuple[str, datetime.date | None]:
    table = given if isinstance(given, Mapping) else {"reason": given}
    refuse_unknown(table, _KEYS, f"{where}: the waiver of {claim!r} has no key")
    reason, until = table.get("reason"), table.get("until")
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError(f"{where}: the waiver of {claim!r} needs a reason, as text; given: {reason!r}.")
    if until is not None and (not isinstance(until, datetime.date) or isinstance(until, datetime.datetime)):
        raise UsageError(
            f"{where}: the waiver of {claim!r} has until = {until!r};"
            " it must be a date: 2027-01-01 without quotes in TOML, datetime.date(2027, 1, 1) in Python."
        )
    return reason, until


def contract_of(table: Mapping[str, Any], where: str, *, today: datetime.date) -> Contract:
    """A contract written as a table, its expired waivers left out and said in its notes.

    Args:
        table: the contract's fields; ``waive`` as ``initcheck.contract.waiver`` reads it.
        where: the place in the file, for messages.
        today: the day that waivers are held against.

    Raises:
        UsageError: an unknown key or value; the message begins with the place.
    """
    waive, expired = in_force(table.get("waive", {}), where, today=today)
    fields = {**table, "waive": waive} if "waive" in table else dict(table)
    try:
        contract = Contract.from_mapping(fields)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    return dataclasses.replace(contract, notes=(*contract.notes, *expired))
