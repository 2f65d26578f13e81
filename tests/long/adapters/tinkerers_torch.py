"""Layers and initializers of PyTorch as repositories of one author have them; the answers are in tinkerers.py."""

import math

import torch
from torch import nn


def scaled_trunc_(w, scale=1.0):
    """LeCun's, cut at two deviations and widened for it."""
    std = math.sqrt(scale / w.shape[1]) / 0.87962566103423978
    return nn.init.trunc_normal_(w, std=std, a=-2 * std, b=2 * std)


def scaled_trunc_of_the_default_(w, scale=1.0):
    """Widened for a cut at two deviations, which a and b are not: they are -2 and 2."""
    std = math.sqrt(scale / w.shape[1]) / 0.87962566103423978
    return nn.init.trunc_normal_(w, std=std)


class Highway(nn.Module):
    """Srivastava et al. 2015: what is not changed is carried."""

    def __init__(self, size):
        super().__init__()
        self.change, self.gate = nn.Linear(size, size), nn.Linear(size, size)
        for linear in (self.change, self.gate):
            nn.init.normal_(linear.weight, std=size**-0.5)
            nn.init.zeros_(linear.bias)
        nn.init.constant_(self.gate.bias, -2.0)

    def forward(self, x):
        t = torch.sigmoid(self.gate(x))
        return t * torch.tanh(self.change(x)) + (1 - t) * x


class Projection(nn.Module):
    """The deviation is one over the width."""

    def __init__(self, dim_in, dim_out):
        super().__init__()
        self.proj = nn.Linear(dim_in, dim_out, bias=False)
        nn.init.normal_(self.proj.weight, std=1 / dim_in)

    def forward(self, x):
        return self.proj(x)


class CutProjection(Projection):
    """Cut at two deviations, and not widened for it."""

    def __init__(self, dim_in, dim_out):
        super().__init__(dim_in, dim_out)
        std = dim_in**-0.5
        nn.init.trunc_normal_(self.proj.weight, std=std, a=-2 * std, b=2 * std)
