"""The second moments of layers with something between input and matrix, right ones and wrong ones, beside the truth."""

import math

import numpy as np
import pytest
import torch
from response_layers import AfterSilu, Layer, Sine
from torch import nn

from initcheck.contract.profile import PROFILES
from initcheck.draws.streams import SCREEN
from initcheck.layers.recognition import layer_initializer


class SineNotDivided(Sine):
    power = 2.0


class Kronecker(nn.Module):
    right = True

    def __init__(self, in_features, out_features, n=4):
        super().__init__()
        self.rule = nn.Parameter(torch.randn(n, n, n) * (n**-0.5 if self.right else 1))
        shape = (n, out_features // n, in_features // n)
        self.w = nn.Parameter(torch.randn(shape) * math.sqrt(1 / in_features) * (1 if self.right else n**0.5))

    def forward(self, x):
        full = torch.einsum("iab,iod->aobd", self.rule, self.w).reshape(4 * self.w.shape[1], -1)
        return nn.functional.linear(x, full)


class KroneckerOfItsFactors(Kronecker):
    right = False


class Equalised(Layer):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.inner = lambda x: x / math.sqrt(in_features)


class EqualisedTwice(Equalised):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        self.inner = lambda x: x / in_features


class EqualisedRectified(Equalised):
    factor = 2.0
    outer = staticmethod(torch.relu)

    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        self.weight.data *= math.sqrt(self.factor)


class EqualisedRectifiedOfLecun(EqualisedRectified):
    factor = 1.0


class Bumps(nn.Module):
    """Six Gaussian bumps of every input: an input of zero is no rest, for the bumps answer to it."""

    power = 1.0

    def __init__(self, in_features, out_features):
        super().__init__()
        self.register_buffer("grid", torch.linspace(-2, 2, 6))
        energy = float(self.basis(torch.linspace(-4, 4, 4001)[:, None]).square().sum(-1) @ self.density())
        self.weight = nn.Parameter(
            torch.randn(out_features, in_features * 6) * (self.power / in_features / energy) ** 0.5
        )
        self.bias = nn.Parameter(torch.full((out_features,), 5.0))

    @staticmethod
    def density():
        density = torch.exp(-(torch.linspace(-4, 4, 4001) ** 2) / 2)
        return density / density.sum()

    def basis(self, x):
        return torch.exp(-(((x[..., None] - self.grid) / 0.7) ** 2)).flatten(-2)

    def forward(self, x):
        return nn.functional.linear(self.basis(x), self.weight, self.bias)


class LouderBumps(Bumps):
    power = 1.29


def subject_of(cls):
    initializer = layer_initializer(cls, cls.__name__, {})
    return initializer.subject(initializer, PROFILES["quick"], 0)


@pytest.mark.parametrize(
    ("cls", "low", "high"),
    [
        (Sine, 0.93, 1.05), (SineNotDivided, 850, 960), (AfterSilu, 0.9, 1.1), (Bumps, 0.97, 1.03),
        (LouderBumps, 1.24, 1.34), (Kronecker, 0.85, 1.15), (KroneckerOfItsFactors, 12, 20),
        (Equalised, 0.9, 1.1), (EqualisedTwice, 0.01, 0.02),
    ],
)  # fmt: skip
def test_the_second_moment_is_that_of_the_pre_activation(cls, low, high):
    subject = subject_of(cls)
    assert subject.problem is None
    [whole] = [w for w in subject.structure.wholes if (w.size.inputs, w.size.outputs) == (64, 64)]
    drawn = subject.draws.records(whole, "float32", SCREEN, 96)
    assert low < float(np.mean(subject.output_second_moment(whole).per_call(drawn))) < high


@pytest.mark.parametrize(
    ("cls", "low", "high"), [(EqualisedRectified, 0.9, 1.1), (EqualisedRectifiedOfLecun, 0.4, 0.6)]
)
def test_the_gradient_passes_the_slope_of_what_the_layer_ends_in(cls, low, high):
    subject = subject_of(cls)
    [whole] = [w for w in subject.structure.wholes if (w.size.inputs, w.size.outputs) == (64, 64)]
    statistic = subject.gradient_second_moment(whole)
    drawn = subject.draws.records(statistic.layer, "float32", SCREEN, 24)
    assert low < float(np.mean(statistic.per_call(drawn))) < high
