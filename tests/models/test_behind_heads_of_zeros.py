"""A head of zeros hides nothing of what stands before it; what a dead layer holds back is not laid to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

GRADIENT, INPUT = "gradient-survives-the-blocks", "input-reaches-the-output"
DISTINCT, TRAINED = "tensors-are-distinct", "gradient-reaches-every-tensor"


class Chain(nn.Module):
    """Eight plain layers and a head that starts at zero."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.body = nn.ModuleList(nn.Linear(64, 64) for _ in range(8))
        self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 5)
        for layer in self.body:
            nn.init.normal_(layer.weight, 0.0, gain / 8)
            nn.init.normal_(layer.bias, 0.0, 0.1)
        nn.init.zeros_(self.head.weight)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.body:
            x = torch.relu(layer(x))
        return self.head(self.norm(x))


def check(build: Callable[[], nn.Module], claims: list[str]) -> Report:
    return initcheck.check_model(build, claims=claims)


@pytest.mark.parametrize(("gain", "verdict"), [(2**0.5, Verdict.HOLDS), (0.5, Verdict.FAILS)])
def test_the_gradient_of_blocks_is_judged_behind_a_head_of_zeros(gain: float, verdict: Verdict) -> None:
    assert check(lambda: Chain(gain), [GRADIENT])[GRADIENT].verdict is verdict


class Placed(nn.Module):
    """Positions of some size beside an image's patches, a block, and a head that starts at zero."""

    def __init__(self, size: float, head: float = 0.0) -> None:
        super().__init__()
        self.patches, self.places = nn.Conv2d(3, 32, 8, 8), nn.Parameter(size * torch.randn(1, 16, 32))
        self.norm, self.body, self.head = nn.LayerNorm(32), nn.Linear(32, 32), nn.Linear(32, 5)
        nn.init.constant_(self.head.weight, head)

    def forward(self, image: Tensor) -> Tensor:
        x = self.patches(image).flatten(2).transpose(1, 2) + self.places
        return self.head(torch.relu(self.body(self.norm(x))))


@pytest.mark.parametrize(("size", "verdict"), [(0.02, Verdict.NOT_APPLICABLE), (500.0, Verdict.FAILS)])
def test_what_drowns_the_input_is_seen_behind_a_head_of_zeros(size: float, verdict: Verdict) -> None:
    found = check(lambda: Placed(size), [INPUT])[INPUT]
    assert found.verdict is verdict
    assert ("drowned on the way into norm" in str(found.evidence.case)) == (verdict is Verdict.FAILS)


class Coder(nn.Module):
    """A variational one: the matrix of its spread starts at zero, and its decoder may be dead."""

    def __init__(self, bias: float) -> None:
        super().__init__()
        self.inward, self.mean, self.spread = nn.Linear(24, 32), nn.Linear(32, 8), nn.Linear(32, 8)
        self.first, self.last = nn.Linear(8, 32), nn.Linear(32, 24)
        nn.init.zeros_(self.spread.weight)
        nn.init.constant_(self.first.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.inward(x))
        z = self.mean(h) + torch.randn(8) * torch.exp(self.spread(h) / 2)
        return self.last(torch.relu(self.first(z)))


def test_zeros_before_a_dead_layer_are_not_the_cause() -> None:
    sound = check(lambda: Coder(0.0), [DISTINCT, INPUT])
    assert [r.verdict for r in sound] == [Verdict.HOLDS, Verdict.HOLDS]
    dead = check(lambda: Coder(-50.0), [DISTINCT, INPUT])
    assert dead[DISTINCT].verdict is Verdict.HOLDS
    assert "constant, and a layer behind it lets no gradient through: spread.weight" in str(dead[DISTINCT].notes)
    assert dead[INPUT].verdict is Verdict.FAILS
    assert "lost behind first" in str(dead[INPUT].evidence.case)


def test_zeros_beside_zeros_still_are() -> None:
    def build() -> nn.Module:
        net = Coder(0.0)
        nn.init.zeros_(net.first.weight)
        nn.init.zeros_(net.last.weight)
        return net

    assert check(build, [DISTINCT])[DISTINCT].verdict is Verdict.FAILS


class Identity(nn.Module):
    """A residual block whose branch starts at zero, and which ends with a ReLU."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale, self.first, self.last = scale, nn.Linear(64, 64), nn.Linear(64, 64)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.scale * x + self.last(torch.relu(self.first(x))))


class Fixup(nn.Module):
    """Such blocks behind channels that a shortcut pads with zeros, and a head of zeros (Zhang et al. 2019).

    The ReLU of the last block sends nothing back into the channels that are zero, and those before it are sent none.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.inward, self.head = nn.Linear(24, 8), nn.Linear(64, 5)
        self.layers = nn.ModuleList(Identity(scale) for _ in range(6))
        nn.init.zeros_(self.head.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(nn.functional.pad(self.inward(x), (0, 56)))
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


@pytest.mark.parametrize(("scale", "verdict"), [(1.0, Verdict.HOLDS), (0.5, Verdict.FAILS)])
def test_what_the_relu_of_the_last_block_keeps_back_is_no_loss_of_the_blocks(scale: float, verdict: Verdict) -> None:
    assert check(lambda: Fixup(scale), [GRADIENT])[GRADIENT].verdict is verdict


class Kept(nn.Module):
    """A detector: scores that are high are kept, and of a head that starts at zero none is."""

    def __init__(self, bar: float) -> None:
        super().__init__()
        self.bar, self.body, self.head = bar, nn.Linear(24, 32), nn.Linear(32, 5)
        nn.init.zeros_(self.head.weight)
        nn.init.constant_(self.head.bias, -4.6)

    def forward(self, x: Tensor) -> Tensor:
        scores = torch.sigmoid(self.head(torch.relu(self.body(x))))
        return scores[scores > self.bar]


@pytest.mark.parametrize(("bar", "verdict"), [(0.05, Verdict.UNDECIDED), (0.0, Verdict.HOLDS)])
def test_an_empty_output_says_nothing_of_a_head_of_zeros(bar: float, verdict: Verdict) -> None:
    found = check(lambda: Kept(bar), [DISTINCT])[DISTINCT]
    assert found.verdict is verdict
    assert ("holds no number" in str(found.reason)) == (verdict is Verdict.UNDECIDED)
