"""Values that were meant for a weight and went into a copy of it, or into a new tensor that nobody took."""

from __future__ import annotations

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
