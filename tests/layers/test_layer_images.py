"""Layers of images: where no edge shows, found on an image no larger than that takes, and sizes too large to judge."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from initcheck.layers import fans
from initcheck.layers.bench.bench import Bench
from initcheck.layers.bench.feeds import Feed
from initcheck.layers.bench.geometry import _wide_interior, interior_of
from initcheck.layers.bench.sizes import Size
from initcheck.layers.direct import measured
from initcheck.layers.fans import structure_of
from initcheck.layers.functions.torch_function import TorchFunction
from initcheck.layers.recognition import layer_initializer
from initcheck.networks import activation


class MeanOfKernels(nn.Module):
    """Kernels of 1, 3, 5, .. side by side, and their mean."""

    def __init__(self, in_channels, out_channels, sides=4):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Conv2d(in_channels, out_channels, 2 * k + 1, padding=k, bias=False) for k in range(sides)
        )
        for branch in self.branches:
            nn.init.normal_(branch.weight, std=(sides / branch.weight[0].numel()) ** 0.5)

    def forward(self, x):
        return torch.stack([branch(x) for branch in self.branches]).mean(dim=0)


def bench_of(layer, channels=3):
    feed = Feed("image", "torch", axes=2)
    return Bench(TorchFunction(layer), feed, Size((), channels, channels), np.random.default_rng(0))


def conv(side, **options):
    return nn.Conv2d(3, 3, side, bias=False, **options)


@pytest.mark.parametrize(
    ("layer", "span"),
    [
        (conv(3, padding=1), 3),
        (conv(5, padding=2, padding_mode="circular"), 5),
        (conv(5, padding=2, padding_mode="reflect"), 5),
        (conv(5, padding=2, padding_mode="replicate"), 5),
        (nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), conv(4)), 4),
        (conv(5), 5),
        (nn.Sequential(nn.ZeroPad2d((6, 0, 6, 0)), conv(7)), 7),
    ],
    ids=["3", "circular", "reflect", "replicate", "even", "valid", "causal"],
)
def test_no_edge_shows_on_the_smaller_image_either(layer, span):
    bench = bench_of(layer)
    (wide, _), narrow = _wide_interior(bench, 4 * span + 1), interior_of(bench, 4 * span + 1)
    assert (narrow.extent < wide.extent) == (narrow.extent == span + len(wide.outputs[0]) - 1)
    assert [len(places) for places in narrow.outputs] == [len(places) for places in wide.outputs]
    ones = np.ones((1, 3, narrow.extent, narrow.extent), np.float32)
    assert np.allclose(narrow.of_output(bench.run(bench.ones, [ones]), 1), 3 * span**2)
    # The same second moment backward at every place: an edge would add to it, or take from it.
    cotangents = np.random.default_rng(1).standard_normal((1000, *bench.run(bench.ones, [ones]).shape[1:]))
    images = np.zeros((1000, *ones.shape[1:]), np.float32)
    [gradient], _ = bench.pull(bench.ones, [images], cotangents.astype(np.float32))
    energy = np.square(narrow.of_input(gradient, 1)).mean(axis=(0, 1))
    assert np.allclose(energy, 3 * span**2, rtol=0.25)


@pytest.mark.parametrize(
    "layer",
    [conv(3, dilation=2, padding=2), nn.ConvTranspose2d(3, 3, 4, stride=2, bias=False), conv(3, stride=2)],
    ids=["dilated", "transposed", "strided"],
)
def test_what_answers_to_no_window_around_each_place_keeps_its_image(layer):
    bench = bench_of(layer)
    assert interior_of(bench, 17).extent >= 17


@pytest.mark.long
def test_a_layer_is_measured_alike_on_both_images():
    bench = bench_of(MeanOfKernels(3, 3))
    (wide, _), narrow = _wide_interior(bench, 29), interior_of(bench, 29)
    assert narrow.extent < 0.6 * wide.extent
    for backward in (False, True):
        energies = [
            np.mean([
                np.square(measured(bench.function, bench.feed, bench.size, interior, activation("linear"), seed, 4,
                                   backward=backward)).mean()
                for seed in range(20)
            ])
            for interior in (wide, narrow)
        ]  # fmt: skip
        assert energies[0] == pytest.approx(energies[1], rel=0.15)


@pytest.mark.long
def test_a_size_of_millions_of_weights_is_left_out_and_that_is_said(monkeypatch):
    monkeypatch.setattr(fans, "_MOST", 84 * 32 * 8)
    sampler = layer_initializer(MeanOfKernels, "it", {}).sampler
    sizes = {(s.inputs, s.outputs): s for s in sampler.sizes}

    def judged(*asked):
        return structure_of(dataclasses.replace(sampler, sizes=tuple(sizes[widths] for widths in asked)))

    found = judged((20, 12), (8, 32), (64, 64))
    assert {(p.size.inputs, p.size.outputs) for p in found.parts} == {(8, 32)}
    assert any("in_channels=64, out_channels=64: it holds 344,064 weights there" in note for note in found.notes)
    # All by itself it is judged, however large.
    assert judged((20, 12), (64, 64)).parts
