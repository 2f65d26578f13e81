"""He's and Glorot's schemes are read off the weights of a layer that promises nothing, and nothing else is."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

import initcheck
from initcheck.contract.contract import Contract
from initcheck.report.verdict import Verdict

SCALE = ["output-variance-near-one", "gradient-variance-near-one"]
Fill = Callable[[torch.Tensor], torch.Tensor]


def layer_of(fill: Fill) -> Callable[[int, int], nn.Module]:
    def build(inputs: int, units: int) -> nn.Module:
        layer = nn.Linear(inputs, units)
        fill(layer.weight)
        return layer

    return build


def convolution_of(fill: Fill) -> Callable[..., nn.Module]:
    def build(in_channels: int, out_channels: int, kernel_size: int = 3) -> nn.Module:
        layer = nn.Conv2d(in_channels, out_channels, kernel_size)
        fill(layer.weight)
        return layer

    return build


def judged(build: Callable[..., nn.Module], **contract: object) -> initcheck.Report:
    declared = Contract(**contract) if contract else None  # type: ignore[arg-type]
    return initcheck.check(build, claims=SCALE, profile="quick", contract=declared)


def he(mode: str) -> Fill:
    return lambda w: nn.init.kaiming_normal_(w, mode=mode, nonlinearity="relu")


@pytest.mark.parametrize("of", [layer_of, convolution_of], ids=["dense", "convolution"])
@pytest.mark.parametrize(
    ("fill", "activation", "fan"),
    [
        (he("fan_in"), "relu", "fan_in"),
        (he("fan_out"), "relu", "fan_out"),
        (nn.init.xavier_uniform_, "linear", "fan_avg"),
    ],
    ids=["he", "he fan_out", "glorot"],
)
def test_a_scheme_is_read_off_at_every_size(of: Callable[..., object], fill: Fill, activation: str, fan: str) -> None:
    report = judged(of(fill))
    [contract] = report.contracts.values()
    assert (contract["activation"], contract["fan"]) == (activation, fan)
    assert contract["origins"]["fan"] == contract["origins"]["activation"] == "inferred"
    assert report.ok


@pytest.mark.parametrize("variance", [1 / 3, 2.3, 3.0])
def test_another_constant_is_measured_against_one(variance: float) -> None:
    report = judged(layer_of(lambda w: nn.init.normal_(w, 0, math.sqrt(variance / w.shape[1]))))
    [contract] = report.contracts.values()
    assert contract["origins"]["activation"] == "assumed"
    assert report[SCALE[0]].verdict is Verdict.FAILS


def test_one_size_off_is_no_scheme() -> None:
    def off(w: torch.Tensor) -> torch.Tensor:
        return nn.init.normal_(w, 0, math.sqrt((3 if w.shape[1] == 64 else 2) / w.shape[1]))

    assert judged(layer_of(off))[SCALE[0]].verdict is Verdict.FAILS


def test_what_is_declared_is_not_excused() -> None:
    report = judged(layer_of(he("fan_in")), activation="linear", fan="fan_in")
    assert report[SCALE[0]].verdict is Verdict.FAILS


def test_glorot_of_the_stored_shape_of_a_depthwise_layer_is_no_scheme() -> None:
    def depthwise(channels: int, kernel_size: int = 3) -> nn.Module:
        layer = nn.Conv2d(channels, channels, kernel_size, groups=channels)
        nn.init.xavier_uniform_(layer.weight)
        return layer

    assert judged(depthwise)[SCALE[0]].verdict is Verdict.FAILS


def depthwise_of(variance: float) -> Callable[..., nn.Module]:
    def depthwise(channels: int, kernel_size: int = 3) -> nn.Module:
        layer = nn.Conv2d(channels, channels, kernel_size, groups=channels)
        nn.init.normal_(layer.weight, 0, math.sqrt(variance / kernel_size**2))
        return layer

    return depthwise


def test_he_is_read_off_a_depthwise_layer_whose_one_fan_its_units_see() -> None:
    report = judged(depthwise_of(2.0))
    [contract] = report.contracts.values()
    assert (contract["activation"], contract["origins"]["activation"]) == ("relu", "inferred")
    assert report.ok
    assert judged(depthwise_of(3.0))[SCALE[0]].verdict is Verdict.FAILS


def test_orthogonal_blocks_are_known_for_what_they_are() -> None:
    def lstm(input_size: int, hidden_size: int) -> nn.Module:
        layer = nn.LSTM(input_size, hidden_size, bias=False)
        for block in layer.weight_ih_l0.data.chunk(4):
            nn.init.xavier_normal_(block)
        for block in layer.weight_hh_l0.data.chunk(4):
            nn.init.orthogonal_(block)
        return layer

    claim = "entries-are-independent"
    # The input blocks are asked and the recurrent ones are not.
    assert initcheck.check(lstm, claims=[claim], profile="quick")[claim].verdict is Verdict.HOLDS
    report = initcheck.check(layer_of(nn.init.orthogonal_), claims=[claim], profile="quick")
    assert report[claim].verdict is Verdict.NOT_APPLICABLE
    assert report[claim].reason == "the contract says that entries depend on one another"
    declared = Contract(entries="independent")
    report = initcheck.check(layer_of(nn.init.orthogonal_), claims=[claim], profile="quick", contract=declared)
    assert report[claim].verdict is not Verdict.NOT_APPLICABLE


def test_a_layer_with_a_row_repeated_is_not_excused() -> None:
    def repeats(w: torch.Tensor) -> torch.Tensor:
        nn.init.orthogonal_(w)
        with torch.no_grad():
            w[-1] = w[0]
        return w

    claim = "entries-are-independent"
    report = initcheck.check(layer_of(repeats), claims=["units-differ", claim], profile="quick")
    assert not report.ok


def test_one_std_at_every_width_is_named() -> None:
    result = judged(layer_of(lambda w: nn.init.normal_(w, std=0.01)))[SCALE[0]]
    assert result.verdict is Verdict.FAILS
    assert result.evidence.likely == "the std is 0.01 at every width"
