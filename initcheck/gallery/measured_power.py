"""Which defects a claim was measured to find: a table of runs on deliberately broken initializers."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterator
from importlib import resources
from itertools import takewhile
from typing import Any

from initcheck.grouping import grouped


def measured_power(claim: str) -> Iterator[str]:
    """Say for each kind of defect what the smallest size is that a claim found in every run, and under which laws.

    A size counts where every run found it, and every run of the graver sizes too. Kinds without an order, such as the
    wrong fan, list all sizes found. Laws that were not measured, or not found at any size, are not named. First come
    the defects that were measured in many runs. Every line states the exact lower bound on the share of runs that find
    the defect, at confidence 95 %; over several laws, on the mean of their shares: as prod(p) <= mean(p)^n, it is no
    larger than what n runs of one law would show.

    >>> next(measured_power("units-differ"))
    'one pair of the units copies of others: normal (300 of 300 runs: 99 % or more, at confidence 95 %)'
    """
    table = _table()
    for line in table["often"]:
        if line["claim"] == claim:
            says = _worded(table["kinds"][line["kind"]]["says"], line["size"])
            yield f"{says}: {line['law']} ({_bounded(line['found'], line['runs'])})"
    for kind, about in table["kinds"].items():
        laws = _by_law(table["lines"], kind)
        of_size = grouped(
            (line["size"], (law, line["runs"]))
            for law, lines in laws.items()
            for line in _found(lines, claim, ordered=about["ordered"])
        )
        for size, found in of_size.items():
            runs = sum(n for _, n in found)
            yield f"{_worded(about['says'], size)}: {', '.join(law for law, _ in found)} ({_bounded(runs, runs)})"


def at_least(found: int, runs: int) -> float:
    """The exact lower bound on a share, one-sided, at confidence 95 % (Clopper and Pearson 1934).

    >>> round(at_least(300, 300), 4), round(at_least(3, 3), 2), at_least(0, 3)
    (0.9901, 0.37, 0.0)
    """

    def as_many(share: float) -> float:
        return sum(math.comb(runs, k) * share**k * (1 - share) ** (runs - k) for k in range(found, runs + 1))

    low, high = 0.0, 1.0
    if not found:
        return low
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if as_many(middle) < 0.05 else (low, middle)
    return low


def _bounded(found: int, runs: int) -> str:
    share = math.floor(1000 * at_least(found, runs) + 1e-5) / 10
    return f"{found} of {runs} runs: {share:g} % or more, at confidence 95 %"


def measured_how() -> str:
    """The profile and the command of the table."""
    table = _table()
    return f"{table['profile']} profile, {table['command']}"


def _found(lines: list[dict[str, Any]], claim: str, *, ordered: bool) -> list[dict[str, Any]]:
    """The lines a claim found in every run; of kinds with an order the mildest that no graver one contradicts."""

    def always(line: dict[str, Any]) -> bool:
        return bool(line["by"].get(claim, 0) == line["runs"])

    if not ordered:
        return [line for line in lines if always(line)]
    return list(takewhile(always, reversed(lines)))[-1:]


def _by_law(lines: list[dict[str, Any]], kind: str) -> dict[str, list[dict[str, Any]]]:
    return grouped((line["law"], line) for line in lines if line["kind"] == kind)


def _worded(says: str, size: Any) -> str:
    if isinstance(size, str):  # a name fills a field that is laid out for numbers
        return re.sub(r"\{.*\}", size, says)
    return says.format(size)


@functools.cache
def _table() -> dict[str, Any]:
    text = resources.files("initcheck.gallery").joinpath("power.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table
