"""The reports of subjects of every kind, field by field as they were frozen: no refactoring changes a verdict."""

from __future__ import annotations

import importlib.util

import pytest
from frozen.reports import FOLDER, FROZEN_REPORTS, differences, frozen, made


def _needs(name: str) -> str:
    framework = name.partition("_")[0]
    return framework if framework in ("torch", "jax", "keras", "flax") else "numpy"


@pytest.mark.parametrize("name", [n for n in FROZEN_REPORTS if importlib.util.find_spec(_needs(n)) is not None])
def test_report_is_as_it_was_frozen(name: str) -> None:
    assert not list(differences(frozen(name), made(name)))


def test_every_frozen_report_is_made() -> None:
    assert {p.stem for p in FOLDER.glob("*.json")} == set(FROZEN_REPORTS)


def test_a_difference_is_said() -> None:
    before = {"results": [{"verdict": "HOLDS", "value": 1.0}], "gone": 1}
    now = {"results": [{"verdict": "FAILS", "value": 1.0 + 1e-9}], "new": 2}
    assert list(differences(before, now)) == [
        ".results[0].verdict was 'HOLDS' and is 'FAILS'",
        ".gone is gone",
        ".new is new: 2",
    ]
