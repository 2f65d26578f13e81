"""Every example in a docstring runs and says what it shows."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

import initcheck

PACKAGE = Path(initcheck.__file__).parent
WITH_EXAMPLES = {
    ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text()
}


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_are_true(name: str) -> None:
    for framework in re.findall(r">>> import (torch|jax|flax|keras|equinox)", WITH_EXAMPLES[name].read_text()):
        pytest.importorskip(framework)
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.attempted > 0
    assert found.failed == 0


def test_hundreds_of_modules_have_one() -> None:
    assert len(WITH_EXAMPLES) > 200
