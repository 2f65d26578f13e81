"""Values that were meant for a weight and went into a copy of it, or into a new tensor that nobody took."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Verdict

LOST = "nothing-special-is-lost"


def test_zeros_in_a_copy_of_a_weight_are_a_doubt_and_a_mask_that_is_used_is_none() -> None:
    def build(what: str) -> nn.Module:
        layer = nn.Linear(8, 12)
        kept = layer.weight.clone().detach()
        if what == "lost":
            kept.zero_()
        elif what == "written":
            layer.weight.detach().zero_()
        else:
            layer.weight.data.mul_(kept.fill_(1))
        return layer

    lost = initcheck.check_model(lambda: build("lost"), claims=[LOST])[LOST]
    assert "1 tensors such as 12x8 are copies (clone, contiguous, to), and those values are lost" in str(lost.reason)
    for what in ("written", "mask"):
        verdict = initcheck.check_model(lambda what=what: build(what), claims=[LOST])[LOST].verdict
        assert verdict in (Verdict.HOLDS, Verdict.NOT_APPLICABLE)


def _columns_of_one_length(weights: Tensor, std: float = 1.0) -> Tensor:
    out = torch.randn(weights.size())
    out *= std / torch.sqrt(out.pow(2).sum(1, keepdim=True))
    return out


def test_a_start_that_is_returned_and_left_is_a_doubt() -> None:
    def build(how: str) -> nn.Module:
        layer = nn.Linear(8, 12)
        drawn = _columns_of_one_length(layer.weight.data)
        if how == "assigned":
            layer.weight.data = drawn
        elif how == "copied":
            layer.weight.data.copy_(drawn)
        elif how == "scaled":
            layer.weight = nn.Parameter(0.1 * drawn)
        return layer

    lost = initcheck.check_model(lambda: build("left"), claims=[LOST])[LOST]
    assert "1 tensors such as 12x8 are new ones, of the shape of the weight that the function was given" in str(
        lost.reason
    )
    for how in ("assigned", "copied", "scaled"):
        verdict = initcheck.check_model(lambda how=how: build(how), claims=[LOST])[LOST].verdict
        assert verdict is not Verdict.UNDECIDED, how


def _drawn(weights: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.randn(weights.shape) / 4


def _gain(weights: Tensor) -> Tensor:
    return torch.randn_like(weights).relu().square().mean().rsqrt()


def _measured(how: str) -> nn.Module:
    """A draw in the shape of a weight that was meant for something else, or came there by other memory."""
    layer = nn.Linear(16, 16)
    kept = layer.weight.detach().clone()
    if how == "a gain":
        nn.init.normal_(layer.weight, std=_gain(layer.weight).item() / 4)
    elif how == "a gain as a tensor":
        layer.weight.data.normal_().mul_(_gain(layer.weight.data) / 4)
    elif how == "NumPy's memory":
        layer.weight.data = torch.from_numpy(_drawn(layer.weight).numpy())
    elif how == "a copy of NumPy's":
        layer.weight.data.copy_(torch.from_numpy(_drawn(layer.weight).numpy().copy()))
    elif how == "a list":
        layer.weight.data.copy_(torch.tensor(_drawn(layer.weight).tolist()))
    elif how == "an attribute":
        layer.feedback = _drawn(layer.weight)
    elif how == "zeros that count up":
        layer.importance = {"weight": kept.zero_()}
    elif how == "a noise of activations":
        _drawn(torch.zeros(16, 16))
    return layer


@pytest.mark.parametrize(
    "how",
    ["a gain", "a gain as a tensor", "NumPy's memory", "a copy of NumPy's", "a list", "an attribute",
     "zeros that count up", "a noise of activations"],
)  # fmt: skip
def test_what_is_measured_or_kept_otherwise_is_not_lost(how: str) -> None:
    found = initcheck.check_model(lambda: _measured(how), claims=[LOST])[LOST]
    assert found.verdict is not Verdict.UNDECIDED, found.reason


def test_a_copy_that_a_name_of_the_constructor_held_is_lost_with_it() -> None:
    class Beside(nn.Linear):
        def __init__(self) -> None:
            super().__init__(16, 16)
            copied = self.weight.data.to(torch.float64)
            copied.normal_()

    found = initcheck.check_model(Beside, claims=[LOST])[LOST]
    assert "are copies (clone, contiguous, to), and those values are lost" in str(found.reason)
