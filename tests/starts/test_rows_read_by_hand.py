"""The atlas against sixty rows that were read off the sources, and those against the sources that are installed."""

from __future__ import annotations

import ast
import importlib.util
import re
from importlib.resources import files
from pathlib import Path

import pytest
from rows_read_by_hand import ROWS, WIDTHS, Read

PAGE = (files("initcheck") / "guide" / "atlas.md").read_text(encoding="utf-8")
WRITTEN = {
    (layer, parameter): law
    for layer, parameter, law in re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| ([^|]*) \|", PAGE, re.M)
}
_STARTS = {"truncated": "normal truncated", "constant": "every entry is"}


def second_moment(law: str) -> float:
    """What a law of the page comes to at the widths of the table.

    >>> second_moment("uniform +-sqrt(3/fan_avg): variance 1/fan_avg"), second_moment("one")
    (0.0625, 1.0)
    """
    if law in ("zero", "one"):
        return float(law == "one")
    found = re.match(r"every entry is ([\d.]+)$", law)
    if found:
        return float(found[1]) ** 2
    found = re.search(r"std ([\d.]+) at every width", law)
    if found:
        return float(found[1]) ** 2
    formula = law.partition("variance ")[2]
    text = re.sub(r"(\d) ([a-z])", r"\1*\2", formula)
    tree = ast.parse(re.sub(r"[a-z]\w*", lambda name: str(WIDTHS[name[0]]), text), mode="eval")
    return float(eval(compile(tree, "<law>", "eval"), {"__builtins__": {}}))


def test_there_are_sixty_rows_of_five_frameworks() -> None:
    assert len({(r.layer, r.parameter) for r in ROWS}) == 60
    assert len({r.layer.rpartition(".")[0] for r in ROWS}) == 5


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r.layer} {r.parameter}")
def test_the_page_says_what_the_source_says(row: Read) -> None:
    law = WRITTEN[row.layer, row.parameter]
    assert law.startswith(_STARTS.get(row.law, row.law))
    assert second_moment(law) == pytest.approx(row.number, rel=1e-3)


@pytest.mark.long
@pytest.mark.parametrize("package", ["torch", "keras", "flax", "equinox"])
def test_the_sources_still_say_so(package: str) -> None:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"{package} is not installed")
    home = Path(found.origin).parents[1]
    changed = [
        f"{row.file}:{row.line} no longer has {row.stands!r}, by which {row.layer} {row.parameter} was read"
        for row in ROWS
        if row.file.startswith(f"{package}/") and row.stands not in (home / row.file).read_text(encoding="utf-8")
    ]
    assert not changed, "\n".join(changed)
