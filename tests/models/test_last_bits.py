"""What differs between two builds of one seed: rounding is noted, another draw or another order fails."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Verdict

CLAIMS = ["rebuilds-the-same", "every-tensor-is-written"]


def _moved(change: Callable[[Tensor, int], Tensor]) -> Callable[[], nn.Module]:
    """A factory whose weight is what each build's number makes of one draw."""
    numbers = itertools.count()

    def build() -> nn.Module:
        net = nn.Linear(12, 8)
        with torch.no_grad():
            net.weight.copy_(change(net.weight, next(numbers)))
        return net

    return build


def _last_bits(weight: Tensor, number: int) -> Tensor:
    return weight * (1 + 2.0**-23 * number)


def test_last_bits_are_a_note() -> None:
    report = initcheck.check_model(_moved(_last_bits), claims=CLAIMS)
    assert [report[claim].verdict for claim in CLAIMS] == [Verdict.HOLDS, Verdict.HOLDS]
    assert "weight: the last bits differ at the same seed" in " ".join(report["rebuilds-the-same"].notes)


@pytest.mark.parametrize(
    "change",
    [
        lambda weight, number: weight * (1 + 0.001 * number),
        lambda weight, number: weight.flatten().roll(number).view_as(weight),
        lambda weight, number: torch.cat((weight[:6], weight[6:].roll(number, 0))),
        lambda weight, number: weight + 1e-3 * torch.eye(8, 12) * number,
    ],
    ids=["larger", "another order", "the last rows in another order", "a few entries"],
)
def test_more_than_the_last_bits_fails(change: Callable[[Tensor, int], Tensor]) -> None:
    report = initcheck.check_model(_moved(change), claims=CLAIMS)
    assert Verdict.FAILS in {report[claim].verdict for claim in CLAIMS}


def test_memory_that_nobody_wrote_is_more_than_rounding() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(8, 12) + 1e-9 * torch.empty(8, 12))

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.weight.t()

    assert initcheck.check_model(Net, claims=CLAIMS)["every-tensor-is-written"].verdict is Verdict.FAILS
