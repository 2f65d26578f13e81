"""A framework that changes a default shows in the atlas as a cell that differs; one that does not, in none."""

from __future__ import annotations

from importlib.resources import files

import pytest

from initcheck.starts import atlas

torch = pytest.importorskip("torch")

PAGE = (files("initcheck") / "guide" / "atlas.md").read_text(encoding="utf-8")


def test_a_planted_change_is_one_red_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(atlas.LAYERS, "torch.nn", "Linear LayerNorm PReLU")
    assert atlas.changes(PAGE, ["torch.nn"]) == []

    def he(layer: torch.nn.Linear) -> None:
        torch.nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        torch.nn.init.zeros_(layer.bias)

    monkeypatch.setattr(torch.nn.Linear, "reset_parameters", he)
    weight, bias = sorted(atlas.changes(PAGE, ["torch.nn"]), reverse=True)
    said = "torch.nn.Linear weight: the page says uniform +-1/sqrt(fan_in): variance 1/(3 fan_in), installed is"
    assert weight == f"{said} uniform +-sqrt(6/fan_in): variance 2/fan_in"
    assert bias.endswith("installed is zero")


def test_a_parameter_that_is_new_or_gone_is_a_red_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(atlas.LAYERS, "torch.nn", "PReLU")
    without = "\n".join(line for line in PAGE.splitlines() if "`torch.nn.PReLU`" not in line)
    assert atlas.changes(without, ["torch.nn"]) == [
        "torch.nn.PReLU weight: the page says nothing, installed is every entry is 0.25"
    ]
