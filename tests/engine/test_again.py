"""What is said to show a failure again: it shows it, whoever declared what it is held to."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.doors.cli import main


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
    assert found.again == "initcheck.check(mine, claims=['finite'], seed=0, profile='quick')"


TABLES = {
    "a contract": 'contract = { activation = "linear", widths = [1, 64] }',
    "a waiver": 'name = "ours"\nwaive = { output-variance-near-one = { reason = "old" } }',
}


@pytest.mark.parametrize("said", [*TABLES, "from Python"])
def test_the_command_that_is_said_fails_again(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "declared_elsewhere", raising=False)
    gain = 1 if said == "a waiver" else 2
    text = f"def he(shape, rng):\n    return rng.normal(0, ({gain} / shape[1]) ** 0.5, shape)\n"
    (tmp_path / "declared_elsewhere.py").write_text(text)
    asked: dict[str, Any] = {"claims": "output-variance-near-one", "profile": "quick"}
    if said in TABLES:
        table = '[[tool.initcheck.targets]]\ntarget = "declared_elsewhere:he"\n' + TABLES[said]
        (tmp_path / "pyproject.toml").write_text(table)
        report = initcheck.check("@pyproject.toml", **asked)
    else:
        report = initcheck.check("declared_elsewhere:he", contract="activation=linear", **asked)
    [found] = report.findings
    assert found.again is not None
    assert main(shlex.split(found.again)[1:]) == 1
    assert f"again   {found.again}" in capsys.readouterr().out
