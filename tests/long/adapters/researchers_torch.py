"""Layers and initializers of PyTorch as research code has them; the answers are in researchers.py."""

import functools
import math

import torch
from torch import nn


class SirenLayer(nn.Module):
    """Sitzmann et al. 2020: a hidden layer, sin(w0 (W x + b))."""

    def __init__(self, in_features, out_features, w0=30.0):
        super().__init__()
        self.linear, self.w0 = nn.Linear(in_features, out_features), w0
        bound = math.sqrt(6 / in_features) / w0
        nn.init.uniform_(self.linear.weight, -bound, bound)
        nn.init.uniform_(self.linear.bias, -bound, bound)

    def forward(self, x):
        return torch.sin(self.w0 * self.linear(x))


class SirenAsTheFirst(SirenLayer):
    def __init__(self, in_features, out_features, w0=30.0):
        super().__init__(in_features, out_features, w0)
        nn.init.uniform_(self.linear.weight, -1 / in_features / w0, 1 / in_features / w0)


def deepnorm_(weight, num_layers=12):
    """The values and outputs of an encoder of twelve layers (Wang et al. 2022)."""
    return nn.init.xavier_normal_(weight, gain=(8 * num_layers) ** -0.25)


deepnorm_.__initcheck__ = {"gain": 96**-0.25, "fan": "fan_avg"}


class Experts(nn.Module):
    """Every expert's answer; each has a matrix (out, in) of its own."""

    def __init__(self, d_in, d_out, num_experts=4):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_experts, d_out, d_in))
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.normal_(self.weight, std=self.weight.shape[-1] ** -0.5)

    def forward(self, x):
        return torch.einsum("bi,eoi->beo", x, self.weight)


class ExpertsByTorch(Experts):
    def reset_parameters(self):
        nn.init.kaiming_normal_(self.weight, nonlinearity="linear")


class GateUp(nn.Module):
    def __init__(self, dim, hidden_dim):
        super().__init__()
        self.w13 = nn.Linear(dim, 2 * hidden_dim, bias=False)
        nn.init.normal_(self.w13.weight, std=dim**-0.5)

    def forward(self, x):
        gate, up = self.w13(x).chunk(2, -1)
        return nn.functional.silu(gate) * up


class GateUpTwice(GateUp):
    """Loaded from a checkpoint of one half, which was written to both."""

    def __init__(self, dim, hidden_dim):
        super().__init__(dim, hidden_dim)
        half = torch.randn(hidden_dim, dim) * dim**-0.5
        self.w13.weight.data.copy_(torch.cat([half, half]))


class LoRALinear(nn.Module):
    def __init__(self, in_features, out_features, r=8, alpha=16):
        super().__init__()
        self.base = nn.Linear(in_features, out_features, bias=False)
        nn.init.normal_(self.base.weight, std=in_features**-0.5)
        self.lora_A = nn.Parameter(torch.empty(r, in_features))
        self.lora_B = nn.Parameter(torch.zeros(out_features, r))
        self.scaling = alpha / r
        self.reset_lora()

    def reset_lora(self):
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x):
        return self.base(x) + self.scaling * (x @ self.lora_A.T @ self.lora_B.T)


class LoRAOfZeros(LoRALinear):
    def reset_lora(self):
        nn.init.zeros_(self.lora_A)
        nn.init.zeros_(self.lora_B)


def short_conv(d_inner, d_conv=4):
    """Mamba's: one filter of four taps for each channel."""
    conv = nn.Conv1d(d_inner, d_inner, d_conv, groups=d_inner, padding=d_conv - 1, bias=False)
    nn.init.normal_(conv.weight, std=d_conv**-0.5)
    return conv


def short_conv_of_all(d_inner, d_conv=4):
    conv = nn.Conv1d(d_inner, d_inner, d_conv, groups=d_inner, padding=d_conv - 1, bias=False)
    nn.init.normal_(conv.weight, std=(d_inner * d_conv) ** -0.5)
    return conv


def upsample(in_channels, out_channels):
    """Every pixel of the output is met by four of the sixteen taps of each channel."""
    conv = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
    nn.init.normal_(conv.weight, std=(4 * in_channels) ** -0.5)
    return conv


def upsample_by_torch(in_channels, out_channels):
    conv = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
    return conv


class SkipInit(nn.Module):
    """De and Smith 2020: the branch is let in by a number that starts at zero."""

    def __init__(self, dim):
        super().__init__()
        self.up, self.down = nn.Linear(dim, 2 * dim, bias=False), nn.Linear(2 * dim, dim, bias=False)
        self.alpha = nn.Parameter(torch.zeros(()))
        nn.init.kaiming_normal_(self.up.weight, nonlinearity="linear")
        nn.init.kaiming_normal_(self.down.weight)

    def forward(self, x):
        return x + self.alpha * self.down(torch.relu(self.up(x)))


def weight_normed(in_features, out_features):
    layer = nn.Linear(in_features, out_features, bias=False)
    nn.init.normal_(layer.weight, std=in_features**-0.5)
    return nn.utils.parametrizations.weight_norm(layer)


def weight_normed_and_drawn(in_features, out_features):
    """What is drawn goes into a product of the parameters, and is gone with it."""
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(in_features, out_features, bias=False))
    layer.weight.data.normal_(0, in_features**-0.5)
    return layer


class Reproducible(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.reset_parameters()

    def reset_parameters(self):
        torch.manual_seed(0)
        nn.init.normal_(self.weight, std=self.weight.shape[1] ** -0.5)

    def forward(self, x):
        return nn.functional.linear(x, self.weight)


small = functools.partial(nn.init.trunc_normal_, std=0.02, a=-0.04, b=0.04)
small.__initcheck__ = {"std": 0.02 * 0.87962566}
