"""A layer with something between its input and its matrix, or behind it, is judged by its answer to its weights."""

import numpy as np
import pytest
import torch
from response_layers import AfterSilu, Layer, Rectified, Sine
from torch import nn

from initcheck.contract.profile import PROFILES
from initcheck.layers.bench.bench import Bench
from initcheck.layers.bench.feeds import Feed
from initcheck.layers.bench.response import is_of_degree_one, response_of
from initcheck.layers.bench.sizes import Size
from initcheck.layers.functions.torch_function import TorchFunction
from initcheck.layers.recognition import layer_initializer


def bench_of(layer):
    size = Size((("in_features", 48), ("out_features", 32)), 48, 32)
    return Bench(TorchFunction(layer), Feed("rows", "torch"), size, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("outer", "power"),
    [
        (torch.tanh, 1), (lambda x: torch.tanh(3 * x), 9), (lambda x: torch.sin(30 * x), 900), (torch.relu, 1),
        (nn.functional.silu, 1), (nn.functional.gelu, 1), (nn.functional.elu, 1), (torch.sigmoid, 1),
        (lambda x: nn.functional.leaky_relu(x, 0.2), 1), (lambda x: torch.relu(2 * x), 4),
    ],
)  # fmt: skip
def test_what_scales_a_pre_activation_is_measured_behind_any_nonlinearity(outer, power):
    torch.manual_seed(0)
    layer = Layer(48, 32)
    layer.outer = outer
    found = response_of(bench_of(layer), 48)
    assert abs(found.power / power - 1) < 0.12


def test_what_is_linear_in_its_weights_is_a_pre_activation():
    torch.manual_seed(0)
    for cls, linear in ((AfterSilu, True), (Layer, True), (Rectified, False), (Sine, False)):
        assert is_of_degree_one(bench_of(cls(48, 32))) is linear, cls


def subject_of(cls):
    initializer = layer_initializer(cls, cls.__name__, {})
    return initializer.subject(initializer, PROFILES["quick"], 0)


def test_a_plain_layer_is_read_off_its_weights_as_before():
    subject = subject_of(Rectified)
    assert subject.structure.wholes == []
    assert subject.contract_of(subject.structure.parts[0]).activation == "relu"
