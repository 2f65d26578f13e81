"""What is trained and no parameter of the model, and models of which nothing is trained; with their sound kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Result, Verdict

CLAIM = "gradient-reaches-every-tensor"


def _judged(build: Callable[[], nn.Module]) -> Result:
    return initcheck.check_model(build, claims=[CLAIM], batch="8x12")[CLAIM]


class Heads(nn.Module):
    """Two heads, kept as ``keep`` keeps them."""

    def __init__(self, keep: Callable[[list[nn.Linear]], Any]) -> None:
        super().__init__()
        self.trunk = nn.Linear(12, 16)
        self.heads = keep([nn.Linear(16, 3), nn.Linear(16, 2)])

    def forward(self, x: Tensor) -> list[Tensor]:
        heads = self.heads.values() if isinstance(self.heads, dict) else self.heads
        return [head(self.trunk(x)) for head in heads]


@pytest.mark.parametrize(
    "keep", [list, tuple, lambda heads: {"one": heads[0], "two": heads[1]}, lambda heads: [heads[:1]]]
)
def test_layers_in_a_list_of_python_are_no_parameters(keep: Callable[[list[nn.Linear]], Any]) -> None:
    class Net(Heads):
        def forward(self, x: Tensor) -> list[Tensor]:
            if isinstance(self.heads, list) and isinstance(self.heads[0], list):
                return [head(self.trunk(x)) for head in self.heads[0]]
            return super().forward(x)

    result = _judged(lambda: Net(keep))
    assert result.verdict is Verdict.UNDECIDED
    assert "trainable, and no parameter of the model" in str(result.reason)
    assert "keep heads in a ModuleList" in str(result.reason)


def test_layers_in_a_list_of_modules_are() -> None:
    assert _judged(lambda: Heads(nn.ModuleList)).verdict is Verdict.HOLDS


def test_layers_that_stand_in_a_list_and_in_the_model_are() -> None:
    def build() -> nn.Module:
        net = Heads(list)
        for number, head in enumerate(net.heads):
            net.add_module(f"head_{number}", head)
        return net

    assert _judged(build).verdict is Verdict.HOLDS


class Scaled(nn.Module):
    """A scale that is kept as it is, or as what a factor makes of it."""

    def __init__(self, factor: float | None) -> None:
        super().__init__()
        self.line = nn.Linear(12, 12)
        scale = nn.Parameter(torch.ones(12))
        self.scale = scale if factor is None else scale * factor

    def forward(self, x: Tensor) -> Tensor:
        return self.line(x) * self.scale


def test_a_parameter_times_a_factor_is_none() -> None:
    result = _judged(lambda: Scaled(0.5))
    assert result.verdict is Verdict.UNDECIDED
    assert "scale: trainable, and no parameter" in str(result.reason)
    assert _judged(lambda: Scaled(None)).verdict is Verdict.HOLDS


class Remembers(nn.Module):
    """Keeps what it made, and adds it the next time."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(12, 12)
        self.state: Tensor | None = None
        self.teacher = [nn.Linear(12, 12)]

    def forward(self, x: Tensor) -> Tensor:
        made = self.line(x if self.state is None else x + 0.1 * self.state)
        self.state = made
        with torch.no_grad():
            target = self.teacher[0](x)
        return made - target


def test_a_state_of_the_run_before_and_a_teacher_without_gradient_are_no_parameters_by_design() -> None:
    assert _judged(Remembers).verdict is Verdict.HOLDS


def test_of_a_model_that_is_frozen_whole_nothing_is_decided() -> None:
    def frozen() -> nn.Module:
        return nn.Sequential(nn.Linear(12, 16), nn.Linear(16, 3)).requires_grad_(False)

    def with_a_head() -> nn.Module:
        net = frozen()
        net.append(nn.Linear(3, 2))
        return net

    result = _judged(frozen)
    assert result.verdict is Verdict.UNDECIDED
    assert "no parameter is trainable" in str(result.reason)
    assert _judged(with_a_head).verdict is Verdict.HOLDS
