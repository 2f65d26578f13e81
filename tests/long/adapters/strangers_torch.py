"""Initializers and layers of PyTorch as people write them; the answers are in strangers.py."""

import math

import torch
from torch import nn


def weights_init(m):
    if isinstance(m, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
        if m.bias is not None:
            nn.init.zeros_(m.bias)


def weights_init_tanh_gain(m):
    if isinstance(m, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(m.weight, nonlinearity="tanh")
        if m.bias is not None:
            nn.init.zeros_(m.bias)


weights_init_tanh_gain.__initcheck__ = {"activation": "relu"}


def all_of_them(m):
    if isinstance(m, nn.Linear):
        for p in m.parameters():
            nn.init.xavier_uniform_(p)


class Conv1D(nn.Module):
    """GPT-2's: a linear layer whose weight is stored the other way."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="linear")

    def forward(self, x):
        return x @ self.weight + self.bias


class Conv1DByItsHelper(Conv1D):
    def reset_parameters(self):
        nn.init.kaiming_normal_(self.weight, nonlinearity="linear")


def grouped_conv(in_channels, out_channels, groups=4):
    conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, groups=groups, bias=False)
    n = 9 * in_channels // groups
    conv.weight.data.normal_(0, math.sqrt(1.0 / n))
    return conv


def grouped_conv_of_all(in_channels, out_channels, groups=4):
    conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, groups=groups, bias=False)
    n = 9 * in_channels
    conv.weight.data.normal_(0, math.sqrt(1.0 / n))
    return conv


class NoisyLinear(nn.Module):
    def __init__(self, in_features, out_features, std_init=0.5):
        super().__init__()
        self.in_features, self.out_features, self.std_init = in_features, out_features, std_init
        self.weight_mu = nn.Parameter(torch.empty(out_features, in_features))
        self.weight_sigma = nn.Parameter(torch.empty(out_features, in_features))
        self.register_buffer("weight_epsilon", torch.zeros(out_features, in_features))
        self.reset_parameters()

    def reset_parameters(self):
        mu_range = 1 / math.sqrt(self.in_features)
        self.weight_mu.data.uniform_(-mu_range, mu_range)
        self.weight_sigma.data.fill_(self.std_init / math.sqrt(self.in_features))

    def forward(self, x):
        return nn.functional.linear(x, self.weight_mu + self.weight_sigma * self.weight_epsilon)


def fixup_like_(tensor, num_layers=1):
    fan_in = tensor.size(1) * tensor[0][0].numel()
    with torch.no_grad():
        return tensor.normal_(0, math.sqrt(2 / fan_in) * num_layers ** (-0.5))


def unit_energy_(tensor, generator=None):
    """Scaled so that the whole matrix has as many units of energy as rows."""
    with torch.no_grad():
        tensor.normal_(0, 1, generator=generator)
        tensor.mul_(tensor.shape[0] ** 0.5 / (tensor * tensor).sum().sqrt())
    return tensor


unit_energy_.__initcheck__ = {"dtypes": ["float32", "float16"], "entries": "dependent"}


def video_kernel_(w):
    _, ci, t, h, k = w.shape
    bound = math.sqrt(3.0) * math.sqrt(2.0 / (ci * t * h * k))
    with torch.no_grad():
        return w.uniform_(-bound, bound)


def video_kernel_without_time_(w):
    _, ci, _, h, k = w.shape
    bound = math.sqrt(3.0) * math.sqrt(2.0 / (ci * h * k))
    with torch.no_grad():
        return w.uniform_(-bound, bound)


class Attention(nn.Module):
    def __init__(self, embed_dim):
        super().__init__()
        self.q = nn.Linear(embed_dim, embed_dim, bias=False)
        self.k = nn.Linear(embed_dim, embed_dim, bias=False)
        self.v = nn.Linear(embed_dim, embed_dim, bias=False)
        self.o = nn.Linear(embed_dim, embed_dim, bias=False)
        for m in (self.q, self.k, self.v, self.o):
            nn.init.normal_(m.weight, std=embed_dim**-0.5)

    def forward(self, x):
        q, k, v = self.q(x), self.k(x), self.v(x)
        w = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)
        return self.o(w @ v)


class AttentionFused(nn.Module):
    def __init__(self, embed_dim):
        super().__init__()
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim, bias=False)
        self.o = nn.Linear(embed_dim, embed_dim, bias=False)
        nn.init.xavier_normal_(self.qkv.weight)
        nn.init.xavier_normal_(self.o.weight)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        w = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)
        return self.o(w @ v)
