"""What is said to show a failure again, of a function that no command line can name."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import initcheck


@pytest.mark.parametrize("with_cloudpickle", [True, False])
def test_a_cell_s_function_is_shown_again_from_python(with_cloudpickle: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if with_cloudpickle:
        pytest.importorskip("cloudpickle")
    else:
        monkeypatch.setitem(sys.modules, "cloudpickle", None)

    def mine(shape: tuple[int, ...], rng: Any) -> Any:
        return np.full(shape, np.nan)

    # As IPython's kernel has it.
    mine.__module__, mine.__qualname__ = "__main__", "mine"
    report = initcheck.check(mine, claims=["finite"], profile="quick")
    [found] = report.findings
    assert found.again is not None
    assert found.again.startswith("initcheck.check(mine, claims=['finite']")
