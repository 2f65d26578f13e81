"""A batch leaves every batch norm enough values to average over, where a larger one can be had."""

from __future__ import annotations

import math

import torch
from torch import nn

from initcheck.models.batches.batch import Batch
from initcheck.models.batches.inputs import fewest_averaged, well_averaged
from initcheck.models.modules.live_module import LiveModule
from initcheck.models.signals.listener import Listener


def _halved(times: int, norm: type[nn.Module] = nn.BatchNorm2d) -> nn.Module:
    layers: list[nn.Module] = []
    for i in range(times):
        layers += [nn.Conv2d(3 if i == 0 else 8, 8, 3, 2, 1), norm(8), nn.ReLU()]
    return nn.Sequential(*layers)


def test_an_image_is_larger_where_a_network_halves_it_five_times() -> None:
    assert Listener(None).hear(LiveModule(_halved(3))).batch == "4x3x32x32"
    assert Listener(None).hear(LiveModule(_halved(5))).batch == "4x3x64x64"


def test_where_no_image_is_large_enough_the_largest_comes_first_and_what_was_not_looked_at_last() -> None:
    sizes = [8, 16, 8, 8, 8, 32]
    batches = [Batch((torch.randn(2, 3, side, side),), text=f"{i}: {side}") for i, side in enumerate(sizes)]
    found = [b.text for b in well_averaged(_halved(3), batches)]
    assert found == ["1: 16", "0: 8", "2: 8", "3: 8", "4: 8", "5: 32"]


def test_other_norms_average_over_no_batch() -> None:
    class Grouped(nn.GroupNorm):
        def __init__(self, channels: int) -> None:
            super().__init__(2, channels)

    assert Listener(None).hear(LiveModule(_halved(5, Grouped))).batch == "4x3x32x32"


def test_vectors_are_not_counted_and_errors_are_left_to_the_caller() -> None:
    line = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4))
    assert fewest_averaged(line, Batch((torch.randn(8, 6),))) == math.inf
    assert fewest_averaged(_halved(2), Batch((torch.randn(4, 5, 8, 8),))) == math.inf
    assert fewest_averaged(_halved(2), Batch((torch.randn(4, 3, 8, 8),))) == 16
