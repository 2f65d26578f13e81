"""Every example in a docstring of the statistics runs and says what it shows."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from initcheck import statistics

MODULES = [f"{statistics.__name__}.{found.name}" for found in pkgutil.iter_modules(statistics.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0


def test_table_of_contents_is_complete() -> None:
    assert set(statistics.__all__) <= set(dir(statistics))
    assert sorted(statistics.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n)) == statistics.__all__
