"""Zeros that were put in the place of a draw on purpose, and drawn over by a general line; and defaults of clones."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Result, Verdict

CLAIM = "nothing-special-is-lost"


def _judged(build: Callable[[], nn.Module]) -> Result:
    return initcheck.check_model(build, claims=[CLAIM], batch="8x12")[CLAIM]


class Branches(nn.Module):
    """Four branches whose last layer is to start at zero."""

    def __init__(self, before: bool, general: bool, zero: Callable[[Tensor], object] = nn.init.zeros_) -> None:
        super().__init__()
        self.ups, self.downs = (nn.ModuleList(nn.Linear(*n) for _ in range(4)) for n in ((12, 24), (24, 12)))
        self.steps: list[Callable[[], None]] = [self.shut, self.draw] if before else [self.draw, self.shut]
        self.zero = zero
        for step in self.steps if general else [self.shut]:
            step()

    def shut(self) -> None:
        for layer in self.downs:
            self.zero(layer.weight.data)

    def draw(self) -> None:
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        for up, down in zip(self.ups, self.downs, strict=True):
            x = x + down(up(x).relu())
        return x


@pytest.mark.parametrize("zero", [nn.init.zeros_, Tensor.zero_, lambda w: nn.init.constant_(w, 0)])
def test_zeros_that_a_general_line_draws_over_are_asked_about(zero: Callable[[Tensor], object]) -> None:
    result = _judged(lambda: Branches(before=True, general=True, zero=zero))
    assert result.verdict is Verdict.UNDECIDED
    assert "downs.*.weight: constant 0 at" in str(result.reason)
    assert "is lost, normal std 0.02 at" in str(result.reason)


@pytest.mark.parametrize("general", [True, False])
def test_zeros_that_stay_are_a_design(general: bool) -> None:
    assert _judged(lambda: Branches(before=False, general=general)).verdict is Verdict.HOLDS


def test_zeros_that_a_tensor_is_made_with_and_one_line_for_all_lose_nothing() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = (nn.Parameter(torch.zeros(12, 12)) for _ in range(2))
            for p in self.parameters():
                nn.init.zeros_(p)
            for p in self.parameters():
                nn.init.xavier_normal_(p)

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.one @ self.two

    assert _judged(Own).verdict is Verdict.HOLDS


def test_the_default_of_a_cloned_layer_is_a_default() -> None:
    def cloned(special: bool) -> nn.Module:
        one = nn.Linear(12, 12, bias=False)
        if special:
            nn.init.orthogonal_(one.weight, gain=0.5)
        other = copy.deepcopy(one)
        net = nn.Sequential(other, nn.Linear(12, 12), nn.Linear(12, 3))
        for m in net[:2]:
            nn.init.kaiming_normal_(m.weight)
        return net

    assert _judged(lambda: cloned(special=False)).verdict is Verdict.HOLDS
    assert _judged(lambda: cloned(special=True)).verdict is Verdict.UNDECIDED
