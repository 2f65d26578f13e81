"""Functions that initialize one kind of layer of torch, told by an annotation or a name: that kind is built."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import initcheck
from initcheck.errors import UsageError
from initcheck.layers.recognition import layer_initializer

CLAIMS = ["finite", "units-differ", "output-variance-near-one"]


def gates(gru: nn.GRU):
    """Each gate by itself; all else is a bias."""
    for name, p in gru.named_parameters():
        if "weight" in name:
            for gate in p.chunk(3, 0):
                nn.init.orthogonal_(gate) if "_hh" in name else nn.init.xavier_uniform_(gate)
        else:
            nn.init.zeros_(p)


def of_its_name(lstm, std=1.0):
    for p in lstm.parameters():
        nn.init.normal_(p, std=std / lstm.hidden_size**0.5) if p.dim() > 1 else nn.init.zeros_(p)


def half_forgotten(gru: nn.GRU):
    for name, p in gru.named_parameters():
        nn.init.xavier_uniform_(p) if "weight_ih" in name else nn.init.zeros_(p)


def transposed(m: nn.ConvTranspose2d):
    fan_in = m.in_channels * m.kernel_size[0] * m.kernel_size[1] / (m.groups * m.stride[0] * m.stride[1])
    nn.init.normal_(m.weight, std=fan_in**-0.5)
    nn.init.zeros_(m.bias)


def transposed_too_large(m: nn.ConvTranspose2d):
    nn.init.normal_(m.weight, std=3 * (m.out_channels * m.kernel_size[0] * m.kernel_size[1]) ** -0.5)


@pytest.mark.parametrize(
    ("init", "signature"),
    [
        (gates, "gates(GRU(input_size, hidden_size)), a layer"),
        (of_its_name, "of_its_name(LSTM(input_size, hidden_size)), a layer"),
        (transposed, "transposed(ConvTranspose2d(in_channels, out_channels, kernel_size)), a layer"),
    ],
)
def test_the_kind_that_it_is_for_is_built_and_initialized(init, signature):
    made = layer_initializer(init, init.__name__, {})
    assert made.signature.replace(", stride", "").replace(", groups", "") == signature
    assert made.function is init
    size = made.sampler.sizes[0]
    [built] = made.sampler.functions(size, [3])
    assert all(not p.any() for name, p in built.layer.named_parameters() if "bias" in name)


def linear(m: nn.Linear):
    nn.init.xavier_uniform_(m.weight)


def any_module(m: nn.Module):
    nn.init.xavier_uniform_(m.weight)


def with_data(m: nn.GRU, batch):
    nn.init.xavier_uniform_(m.weight_ih_l0)


@pytest.mark.parametrize("init", [linear, any_module, with_data])
def test_what_takes_a_linear_layer_or_more_than_a_layer_is_read_as_before(init):
    assert layer_initializer(init, "init", {}) is None


def crf(m: nn.AdaptiveLogSoftmaxWithLoss):
    nn.init.zeros_(m.head.weight)


def test_a_kind_that_no_widths_build_is_refused():
    with pytest.raises(UsageError, match=r"crf initializes AdaptiveLogSoftmaxWithLoss.*initializes it and returns it"):
        layer_initializer(crf, "crf", {})


def test_arguments_are_of_the_function():
    made = layer_initializer(of_its_name, "of_its_name", {"std": 0.0})
    [built] = made.sampler.functions(made.sampler.sizes[0], [3])
    assert not any(p.any() for p in built.layer.parameters())


@pytest.mark.parametrize(
    ("init", "failing"),
    [
        (gates, set()),
        (half_forgotten, {"units-differ", "output-variance-near-one"}),
        pytest.param(transposed_too_large, {"output-variance-near-one"}, marks=pytest.mark.long),
    ],
)
def test_they_are_judged_by_what_the_layer_does(init, failing):
    torch.set_num_threads(1)
    report = initcheck.check(init, claims=CLAIMS, profile="quick")
    assert {r.claim for r in report if r.verdict.value == "FAILS"} == failing
