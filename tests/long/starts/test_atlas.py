"""The atlas of the guide against what is installed: a framework that changes a default is a red cell here."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from initcheck.starts.atlas import LAYERS, changes

PAGE = (files("initcheck") / "guide" / "atlas.md").read_text(encoding="utf-8")
WRITTEN = set(re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| [^|]* \| [^|]* \|", PAGE, re.M))


def test_the_atlas_has_the_rows_that_it_says() -> None:
    assert len(WRITTEN) >= 150
    assert f"{len(WRITTEN)} parameters of {len({layer for layer, _ in WRITTEN})} layers" in PAGE


@pytest.mark.parametrize("module", LAYERS)
def test_every_cell_is_as_it_is_written(module: str) -> None:
    pytest.importorskip(module.partition(".")[0])
    changed = changes(PAGE, [module])
    assert not changed, "\n".join(changed)
