"""Convolutions as strangers write them, sound as they are."""

import torch
from torch import nn


class Convolution(nn.Module):
    """As a stranger writes one: a number for a kernel that is computed with, and no digit in the name."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, gain: float = 1.0):
        super().__init__()
        self.side = kernel_size
        std = gain / (in_channels * kernel_size**2) ** 0.5
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size) * std)

    def forward(self, x):
        return nn.functional.conv2d(x, self.weight, padding=self.side // 2)


class Depthwise(nn.Module):
    def __init__(self, channels, kernel_size, fan=9):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size, padding=1, groups=channels, bias=False)
        nn.init.normal_(self.conv.weight, std=(channels if fan is None else 1) ** -0.5 / 3)

    def forward(self, x):
        return self.conv(x)


class Causal(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size):
        super().__init__()
        self.ahead = kernel_size - 1
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, bias=False)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="linear")

    def forward(self, x):
        return self.conv(nn.functional.pad(x, (self.ahead, 0)))
