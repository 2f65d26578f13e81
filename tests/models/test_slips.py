"""Numbers that are known ones but for a slip: asked about, and their sound kin are not."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Result, Verdict

CLAIM = "declared-laws-are-in-force"


def _judged(build: Callable[[], nn.Module], laws: dict[str, str] | None = None) -> Result:
    return initcheck.check_model(build, claims=[CLAIM], batch="8x17", laws=laws)[CLAIM]


def _actor(axis: int | None, gain: float = 1.0) -> nn.Module:
    net = nn.Sequential(nn.Linear(17, 40), nn.ReLU(), nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 6))
    for layer in (net[0], net[2]):
        assert isinstance(layer, nn.Linear)
        if axis is not None:
            bound = gain / math.sqrt(layer.weight.size(axis))
            layer.weight.data.uniform_(-bound, bound)
    return net


def test_a_bound_by_the_outputs_is_asked_about() -> None:
    result = _judged(lambda: _actor(axis=0))
    assert result.verdict is Verdict.UNDECIDED
    assert "0.weight, 2.weight: uniform within 1/sqrt(fan_out), as of 0.weight +-0.1581 for 40 outputs" in str(
        result.reason
    )
    declared = {"0.weight": "uniform(1/sqrt(fan_out))", "2.weight": "uniform(1/sqrt(fan_out))"}
    assert _judged(lambda: _actor(axis=0), declared).verdict is Verdict.HOLDS


@pytest.mark.parametrize(("axis", "gain"), [(1, 1.0), (0, math.sqrt(6)), (None, 1.0)])
def test_bounds_by_the_inputs_and_those_of_he_by_the_outputs_are_sound(axis: int | None, gain: float) -> None:
    assert _judged(lambda: _actor(axis, gain)).verdict is Verdict.NOT_APPLICABLE


class Detector(nn.Module):
    """A score whose bias tells how rare a positive is."""

    def __init__(self, bias: float) -> None:
        super().__init__()
        self.body, self.score = nn.Linear(17, 16), nn.Linear(16, 4)
        nn.init.constant_(self.score.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.body(x).relu())


def test_the_odds_of_a_rare_class_with_the_other_sign_are_asked_about() -> None:
    result = _judged(lambda: Detector(math.log(0.99 / 0.01)))
    assert result.verdict is Verdict.UNDECIDED
    assert "score.bias: 4.595 = log((1 - 0.01)/0.01)" in str(result.reason)
    assert "a sigmoid starts at 0.99; -4.595 starts it at 0.01" in str(result.reason)


@pytest.mark.parametrize("bias", [-math.log(0.99 / 0.01), 0.0, 1.0, 2.0, 4.6])
def test_the_right_sign_and_other_numbers_are_sound(bias: float) -> None:
    assert _judged(lambda: Detector(bias)).verdict is Verdict.NOT_APPLICABLE
