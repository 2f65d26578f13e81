"""The scale of a norm that an init function draws around zero; draws around one, and scales to which one is added."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Verdict

LOST = "nothing-special-is-lost"


class OnePlus(nn.Module):
    """A norm by root mean squares that adds one to its scale, which starts at zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * (1 + self.weight)


class RMSNorm(OnePlus):
    """The same with a scale of ones, nothing added."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


def every_parameter(model: nn.Module) -> None:
    for p in model.parameters():
        nn.init.normal_(p, std=0.02)


def every_matrix(model: nn.Module) -> None:
    for p in model.parameters():
        if p.dim() > 1:
            nn.init.normal_(p, std=0.1)


def around(mean: float) -> Callable[[nn.Module], None]:
    def init(model: nn.Module) -> None:
        for module in model.modules():
            if "Norm" in type(module).__name__ or isinstance(module, OnePlus):
                nn.init.normal_(module.weight, mean, 0.02)

    return init


def net(norm: Callable[[int], nn.Module], init: Callable[[nn.Module], None]) -> nn.Module:
    model = nn.Sequential(*(m for _ in range(3) for m in (norm(24), nn.Linear(24, 24), nn.GELU())))
    init(model)
    return model


@pytest.mark.parametrize("norm", [nn.LayerNorm, nn.BatchNorm1d, RMSNorm])
@pytest.mark.parametrize("init", [every_parameter, around(0.0)], ids=["every parameter", "of norms"])
def test_a_scale_that_is_drawn_around_zero_fails(norm, init) -> None:
    result = initcheck.check_model(lambda: net(norm, init), batch="8x24", claims=[LOST])[LOST]
    assert result.verdict is Verdict.FAILS
    assert "the ones that a norm starts from are lost, normal std 0.02" in result.evidence.case
    assert "p.dim() > 1" in result.evidence.fix


@pytest.mark.parametrize(
    ("norm", "init"),
    [(nn.LayerNorm, every_matrix), (nn.BatchNorm1d, around(1.0)), (RMSNorm, every_matrix), (OnePlus, every_parameter)],
)
def test_a_scale_that_is_left_alone_drawn_around_one_or_added_to_one_holds(norm, init) -> None:
    result = initcheck.check_model(lambda: net(norm, init), batch="8x24", claims=[LOST])[LOST]
    assert result.verdict is Verdict.HOLDS
