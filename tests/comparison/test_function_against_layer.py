"""A function of a shape against a layer: each weight of the layer is a shape that the function is asked for."""

from __future__ import annotations

import pytest

import initcheck
from initcheck.comparison.layers import asked_of_layer
from initcheck.errors import UsageError
from initcheck.targets.pairs import one_target

pytest.importorskip("torch")


def test_what_a_layer_calls_gives_its_bits() -> None:
    report = initcheck.same("torch.nn.init:kaiming_uniform_(a=2.23606797749979)", "torch.nn:Linear", profile="quick")
    assert report.ok
    notes = report["start-from-one-law"].notes
    assert notes[0] == "B is a layer: its weight as A's law; its other parameters are not compared"
    assert any("the same bits" in note for note in notes)


def test_what_it_does_not_call_is_told_by_its_formula() -> None:
    result = initcheck.same("torch.nn.init:xavier_uniform_", "torch.nn:Linear", profile="quick")["start-from-one-law"]
    assert result.verdict.value == "FAILS"
    assert "B divides by fan_in where A divides by fan_avg" in (result.evidence.likely or "")


def test_every_weight_of_a_layer_is_compared_in_the_layout_of_the_function() -> None:
    function, layer = one_target("torch.nn.init:xavier_uniform_"), one_target("torch.nn:LSTM")
    asked = asked_of_layer(function, layer, "quick", layer_first=True)
    assert [(x.path, x.shape, y.shape) for x, y in asked.layers[:2]] == [  # type: ignore[attr-defined]
        ("weight_ih_l0", (32, 32), (32, 32)),
        ("weight_hh_l0", (32, 8), (32, 8)),
    ]
    turned = one_target(lambda shape, rng: rng.normal(0, shape[0] ** -0.5, shape))
    asked = asked_of_layer(turned, layer, "quick", layer_first=False)
    assert "the layout of A is not known" in asked.notes[1]


def test_a_function_that_takes_no_weight_of_the_layer_is_refused() -> None:
    with pytest.raises(UsageError, match=r"dirac_ takes none of the shapes of the weights of torch\.nn:Linear"):
        initcheck.same("torch.nn.init:dirac_", "torch.nn:Linear")


def test_a_model_is_no_function() -> None:
    import torch

    with pytest.raises(UsageError, match="cannot be compared"):
        initcheck.same("torch.nn.init:xavier_uniform_", lambda: torch.nn.Sequential(torch.nn.Linear(2, 2)))
