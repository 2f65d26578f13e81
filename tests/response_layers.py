"""Layers with something between their input and their matrix, or behind it."""

import math

import torch
from torch import nn


class Layer(nn.Module):
    """An ``inner`` map, a matrix of variance ``power``/fan_in, an ``outer`` map."""

    inner = outer = staticmethod(lambda x: x)
    power = 1.0

    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) * math.sqrt(self.power / in_features))

    def forward(self, x):
        return self.outer(nn.functional.linear(self.inner(x), self.weight))


class Sine(Layer):
    power = 2 / 900
    outer = staticmethod(lambda x: torch.sin(30 * x))


class Rectified(Layer):
    power = 2.0
    outer = staticmethod(torch.relu)


class AfterSilu(Layer):
    power = 1 / 0.355776
    inner = staticmethod(nn.functional.silu)
