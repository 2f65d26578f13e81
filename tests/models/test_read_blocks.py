"""Blocks that are also read by something else: the gradient through the blocks, not what enters between them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from initcheck.models.modules.live_module import LiveModule
from initcheck.models.signals.listener import Listener
from initcheck.models.signals.signal import ChainSignal

_BLOCKS, _WIDTH = 8, 24


class Read(nn.Module):
    """Residual blocks, each read by a head of its own, the early ones the louder."""

    def __init__(self, gain: float, loudness: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(_WIDTH, _WIDTH, bias=False) for _ in range(_BLOCKS))
        self.heads = nn.ModuleList(nn.Linear(_WIDTH, 4, bias=False) for _ in range(_BLOCKS))
        self.loudness = loudness
        for block in self.blocks:
            nn.init.orthogonal_(block.weight, gain)

    def forward(self, x: Tensor) -> Tensor:
        read: list[Tensor] = []
        for block, head in zip(self.blocks, self.heads, strict=True):
            x = block(x)
            read.append(head(x))
        return sum((self.loudness ** (_BLOCKS - i) * r for i, r in enumerate(read[:-1])), read[-1])


@pytest.mark.parametrize(("gain", "loudness", "low", "high"), [
    (1.0, 0.0, 0.99, 1.01),
    (1.0, 1.9, 0.99, 1.01),  # heads of early blocks are read 1.9 times as loud: nothing of it comes through the blocks
    (1.9, 0.0, 1.9**8 * 0.99, 1.9**8 * 1.01),
    (1.9, 1.9, 1.9**8 * 0.99, 1.9**8 * 1.01),  # and what grows through the blocks is not hidden by what enters
    (0.4, 1.9, 0.4**8 * 0.99, 0.4**8 * 1.01),
])  # fmt: skip
def test_the_growth_of_a_gradient_is_that_of_the_blocks(gain: float, loudness: float, low: float, high: float) -> None:
    torch.manual_seed(1)
    (chain,) = Listener(None).hear(LiveModule(Read(gain, loudness))).chains
    growth = chain.growth("backward")
    assert growth is not None
    assert low < growth < high


def test_the_whole_gradient_of_what_is_read_elsewhere_would_have_grown() -> None:
    torch.manual_seed(1)
    model = Read(1.0, 1.9)
    made: list[Tensor] = []
    for block in model.blocks:
        block.register_forward_hook(lambda _module, _given, out: made.append(out))
    output = model(torch.randn(8, _WIDTH))
    middle, last = torch.autograd.grad((output * torch.randn_like(output)).sum(), [made[3], made[7]])
    assert float(middle.square().mean() / last.square().mean()) > 4


def test_a_stream_explains_a_growing_gradient_and_blocks_that_add_nothing_to_one_do_not() -> None:
    names, back = tuple("abcd"), (64.0, 8.0, 2.0, 1.0)
    stream, chain = (ChainSignal("net", names, ahead, back) for ahead in ((1.0, 2.0, 3.0, 4.0), (1.0, 1.0, 1.0, 1.0)))
    assert (stream.growth("backward"), stream.unexplained("backward"), chain.unexplained("backward")) == (8.0, 2.0, 8.0)
