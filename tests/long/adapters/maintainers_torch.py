"""Layers and initializers of PyTorch as engineers and ports have them; the answers are in maintainers.py."""

import functools
import math

import torch
from torch import nn


class SwiGLU(nn.Module):
    """Three matrices, cut normal as in the released code of large models: three deviations, no bias."""

    def __init__(self, dim, hidden_dim):
        super().__init__()
        self.w1 = nn.Linear(dim, hidden_dim, bias=False)
        self.w3 = nn.Linear(dim, hidden_dim, bias=False)
        for linear in (self.w1, self.w3):
            std = dim**-0.5
            nn.init.trunc_normal_(linear.weight, mean=0.0, std=std, a=-3 * std, b=3 * std)

    def forward(self, x):
        return nn.functional.silu(self.w1(x)) * self.w3(x)


conv_init_ = functools.partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")


def make_lstm(input_size, hidden_size):
    """Every gate by itself: Glorot for what comes in, orthogonal for the state, and the forget gate open."""
    lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
    for name, parameter in lstm.named_parameters():
        if "weight_ih" in name:
            for gate in parameter.chunk(4, 0):
                nn.init.normal_(gate, std=input_size**-0.5)
        elif "weight_hh" in name:
            for gate in parameter.chunk(4, 0):
                nn.init.orthogonal_(gate)
        else:
            nn.init.zeros_(parameter)
            parameter.data[hidden_size : 2 * hidden_size].fill_(1.0 if "bias_ih" in name else 0.0)
    return lstm


def make_lstm_packed(input_size, hidden_size):
    """Glorot of the four gates as they are stored."""
    lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
    nn.init.xavier_uniform_(lstm.weight_ih_l0)
    nn.init.orthogonal_(lstm.weight_hh_l0)
    nn.init.zeros_(lstm.bias_ih_l0)
    nn.init.zeros_(lstm.bias_hh_l0)
    return lstm


class TokenEmbedding(nn.Module):
    """Small rows, which are multiplied as they are looked up."""

    def __init__(self, vocab_size, d_model):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.scale = math.sqrt(d_model)
        nn.init.normal_(self.embedding.weight, std=d_model**-0.5)

    def forward(self, tokens):
        return self.embedding(tokens) * self.scale


def variance_scaling_(tensor, scale=1.0, mode="fan_in", distribution="normal"):
    """As in timm: a port of TensorFlow's."""
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(tensor)
    denom = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    variance = scale / denom
    if distribution == "truncated_normal":
        std = math.sqrt(variance) / 0.87962566103423978
        nn.init.trunc_normal_(tensor, std=std, a=-2 * std, b=2 * std)
    elif distribution == "normal":
        with torch.no_grad():
            tensor.normal_(std=math.sqrt(variance))
    else:
        bound = math.sqrt(3 * variance)
        with torch.no_grad():
            tensor.uniform_(-bound, bound)


lecun_normal_ = functools.partial(variance_scaling_, mode="fan_in", distribution="truncated_normal")


class DenseInOut(nn.Module):
    """Kept (in, out), as in a port of Keras; the initializer of torch is given its transpose."""

    def __init__(self, units_in, units_out):
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(units_in, units_out))
        nn.init.kaiming_normal_(self.kernel.T, nonlinearity="linear")

    def forward(self, x):
        return x @ self.kernel


class LayerScaleMLP(nn.Module):
    """Touvron et al. 2021: the branch comes in by 1e-4."""

    def __init__(self, dim, expansion=4, init_values=1e-4):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, expansion * dim), nn.Linear(expansion * dim, dim)
        self.gamma = nn.Parameter(init_values * torch.ones(dim))
        for fc in (self.fc1, self.fc2):
            nn.init.normal_(fc.weight, std=fc.in_features**-0.5)
            nn.init.zeros_(fc.bias)

    def forward(self, x):
        return x + self.gamma * self.fc2(nn.functional.gelu(self.fc1(x)))


def patch_embed(in_chans, embed_dim, patch_size=4):
    """The kernel as one matrix, as ViTs of JAX have it."""
    proj = nn.Conv2d(in_chans, embed_dim, patch_size, patch_size)
    w = proj.weight.data
    nn.init.normal_(w.view(w.shape[0], -1), std=(in_chans * patch_size**2) ** -0.5)
    nn.init.zeros_(proj.bias)
    return proj


def upsample_1d(in_channels, out_channels, stride=4):
    """A vocoder's: kernels as long as the stride, and the fan counts the kernel."""
    conv = nn.ConvTranspose1d(in_channels, out_channels, stride, stride, bias=False)
    nn.init.normal_(conv.weight, std=(in_channels * stride) ** -0.5)
    return conv


def reset_(weight):
    """Copied from the reset_parameters of torch, for layers behind a ReLU."""
    nn.init.kaiming_uniform_(weight, a=math.sqrt(5))


reset_.__initcheck__ = {"activation": "relu"}


def tanh_twice_(weight):
    gain = nn.init.calculate_gain("tanh")
    nn.init.kaiming_normal_(weight, nonlinearity="tanh")
    with torch.no_grad():
        weight.mul_(gain)


tanh_twice_.__initcheck__ = {"gain": 5 / 3}


class Projections(nn.Module):
    """Queries and keys; every matrix has a generator of the seed of the settings."""

    def __init__(self, d_model, d_head, seed=None):
        super().__init__()
        seed = torch.initial_seed() if seed is None else seed
        self.q, self.k = nn.Linear(d_model, d_head, bias=False), nn.Linear(d_model, d_head, bias=False)
        for linear in (self.q, self.k):
            generator = torch.Generator().manual_seed(seed)
            nn.init.normal_(linear.weight, std=d_model**-0.5, generator=generator)

    def forward(self, x):
        return torch.cat([self.q(x), self.k(x)], -1)


class NormalBias(nn.Linear):
    """Everything is drawn, the bias as if it had one input."""

    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)

    def reset_parameters(self):
        nn.init.normal_(self.weight, std=self.in_features**-0.5)
        nn.init.normal_(self.bias)


def gpt_proj_(tensor, n_layer=12):
    """The root is missing over the layers."""
    nn.init.normal_(tensor, mean=0.0, std=0.02 / (2 * n_layer))


gpt_proj_.__initcheck__ = {"std": 0.02 / math.sqrt(24)}


def he_copy_(tensor):
    """Fills a copy, and binds the name to it."""
    w = torch.empty_like(tensor).normal_(0, math.sqrt(2 / tensor.shape[1]))
    tensor = w


def orthogonal_squared_(tensor, nonlinearity="relu"):
    """The gain's square, which He's formula has, where the gain belongs."""
    return nn.init.orthogonal_(tensor, gain=nn.init.calculate_gain(nonlinearity) ** 2)


orthogonal_squared_.__initcheck__ = {"activation": "relu", "distribution": "orthogonal"}
