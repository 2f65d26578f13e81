"""Two starts side by side, in lines for the terminal: the answer, part by part, and what was not looked at."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from initcheck.safe_text import escaped

_MOST = 16
_WIDE = 110


def pair_rows(shown: Mapping[str, Any]) -> list[tuple[str, str, str, str, str]] | None:
    """Of two starts one row a part: name, answer, what A is, what B is, on what it rests; None of anything else.

    >>> pair_rows({"activation": "relu"}) is None
    True
    """
    if "compared" not in shown:
        return None
    return [(_name(part), part["answer"], part["a"], part["b"], _rests_on(part)) for part in shown["compared"]]


def pair_lines(name: str, shown: Mapping[str, Any], *, every: bool = False) -> Iterator[str]:
    """The answer on two starts, then a line a part.

    Args:
        name: of the pair.
        shown: what the report tells of it.
        every: every part, in place of the first sixteen.
    """
    parts = shown["compared"]
    counts = {answer: sum(p["answer"] == answer for p in parts) for answer in ("DIFFERENT", "UNDECIDED", "SAME")}
    whole = next((answer for answer, count in counts.items() if count), "UNDECIDED")
    said = ", ".join(f"{count} {answer}" for answer, count in counts.items() if count)
    heading = "SAME in what both have" if whole == "SAME" and shown["missing"] else whole
    yield f"{escaped(name, 200)}  {heading}  ({said or 'nothing in common'})"
    for side, label in (("a", "A"), ("b", "B")):
        words = {p[side] for p in parts if p[side]}
        law = f"  {words.pop()}" if len(words) == 1 else ""
        yield f"  {label}  {escaped(shown[side], 200)}{escaped(law, 300)}"
    if shown["same_bits"]:
        yield f"  the same bits at {shown['same_bits']} seeds in every part: one function of the seed, no chance in it"
    else:
        order = sorted(parts, key=lambda p: ("DIFFERENT", "UNDECIDED", "SAME").index(p["answer"]))
        kept = order if every else order[:_MOST]
        width = min(60, max((len(_name(p)) for p in kept), default=0))
        for part in kept:
            yield f"  {escaped(_name(part), 120):<{width}}  {part['answer']:<9}  {escaped(_rests_on(part), 300)}"
        if len(kept) < len(order):
            yield f"  and {len(order) - len(kept)} more; -v names them"
        if whole == "SAME":
            yield from textwrap.wrap(f"{shown['not_seen']}", _WIDE, initial_indent="  ", subsequent_indent="  ")
    for note in shown["notes"]:
        yield f"  {escaped(note, 300)}"


def _name(part: Mapping[str, Any]) -> str:
    return part["name"] if part["partner"] in ("", part["name"]) else f"{part['name']} = {part['partner']}"


def _rests_on(part: Mapping[str, Any]) -> str:
    if not part["pairs"]:
        return str(part["why"])
    if part["answer"] == "SAME" and part["a"] == part["b"] and part["a"].startswith("every weight is"):
        return f"{part['a']} in both, {part['pairs']} pairs"
    if part["answer"] == "SAME":
        return f"within {100 * (part['within'] - 1):.2g} % of a standard deviation, {part['pairs']} pairs"
    most = "most " if part["answer"] == "UNDECIDED" else ""
    return f"{most}{part['in']}, {part['pairs']} pairs"
