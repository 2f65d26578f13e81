"""A tenth, small sample of public forms, drawn by further searches after the mends of the ninth.

Its answers were written, and committed, before the first run. They are in the words of the seventh sample.

Of 40 forms 37 were made at first sight what their answers say (92.5 %, interval 79.6 to 98.4). Missed, and mended: a
variable that tells its array by ``get_value`` (``always_one_seed``). Two answers were wrong: ``with_an_axis`` returns
another shape than is asked for, and ``of_a_matrix`` is refused for what it returns, a function.
"""

import functools
import itertools
import math
import operator
import random

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch import nn
from wild_answers import CONVOLUTION, DENSE, KERNELS_LAST, OTHER, REFUSED, SQUARE

TENTH = []


def tenth(expected):
    def add(obj):
        TENTH.append((obj, expected))
        return obj

    return add


@tenth(DENSE)  # a weight a call: as many calls as a matrix has
def one_of_a_neuron(nin, init="uniform"):
    return random.uniform(-1, 1) if init == "uniform" else random.gauss(0, math.sqrt(1 / nin))


@tenth(DENSE)
def of_blocks(blocks):
    for module in blocks:
        if isinstance(module, nn.Sequential):
            for inner in module:
                if isinstance(inner, nn.Linear):
                    nn.init.xavier_uniform_(inner.weight)
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)


@tenth(DENSE)
def lstm_too(m):
    classname = m.__class__.__name__
    if classname.find("Linear") != -1:
        m.weight.data.uniform_(-0.1, 0.1)
        if isinstance(m.bias, nn.parameter.Parameter):
            m.bias.data.fill_(0)
    if classname.find("LSTM") != -1:
        for name, param in m.named_parameters():
            if "weight" in name:
                param.data.uniform_(-0.1, 0.1)


@tenth(r"'nonlinear'")
def of_nonlinear(layer, nonlinear):
    nn.init.xavier_uniform_(layer.weight, gain=nn.init.calculate_gain(nonlinear))
    nn.init.constant_(layer.bias, 0.0)


class Captions:
    def init_weight(self, dim_in, dim_out, name=None, stddev=1.0):
        return np.random.normal(0, stddev / math.sqrt(float(dim_in)), (dim_in, dim_out))


tenth(DENSE)(Captions().init_weight)


@tenth(DENSE)
def variance_by_hand(m):
    if type(m) == nn.Linear:  # noqa: E721
        fan_out, fan_in = m.weight.size()
        m.weight.data.normal_(0.0, np.sqrt(2.0 / (fan_in + fan_out)))
        m.bias.data.fill_(0.0)


def _orthogonal(shape, scale):
    flat = (math.prod(shape[:-1]), shape[-1])
    u, _, v = np.linalg.svd(np.random.normal(0, 1, flat), full_matrices=False)
    return (scale * (u if u.shape == flat else v).reshape(shape)).astype(np.float32)


@tenth(DENSE + KERNELS_LAST)
def ortho_ignoring(scale=1.0):
    def _ortho_init(shape, *_, **_kwargs):
        return _orthogonal(shape, scale)

    return _ortho_init


@tenth(DENSE + KERNELS_LAST)
def ortho_of_dtype(scale=1.0):
    def _ortho_init(shape, dtype, partition_info=None):
        shape = tuple(shape)
        if len(shape) not in (2, 4):
            raise NotImplementedError
        return _orthogonal(shape, scale)

    return _ortho_init


@tenth(r"'scale'")
def ortho_of_rows(shape, scale, rng):
    rows, cols = shape
    q, _ = np.linalg.qr(rng.normal(0, 1, (max(rows, cols), min(rows, cols))))
    return (scale * (q.T if rows < cols else q)).astype(np.float32)


@tenth(r"'scale'")
def ortho_of_x(x, scale):
    with torch.no_grad():
        gain = math.sqrt(x.shape[0] / x.shape[1]) if x.shape[0] > x.shape[1] else 1
        return nn.init.orthogonal_(x, gain=gain * scale)


@tenth(DENSE + CONVOLUTION)
def ortho_module(module, nonlinearity=None, weight_scale=1.0, constant_bias=0.0):
    gain = weight_scale if nonlinearity is None else nn.init.calculate_gain(nonlinearity)
    if isinstance(module, (nn.RNNBase, nn.RNNCellBase)):
        for name, param in module.named_parameters():
            if "weight_" in name:
                nn.init.orthogonal_(param, gain=gain)
    else:
        nn.init.orthogonal_(module.weight, gain=gain)


@tenth(SQUARE)
def symmetric(N_units, rng):  # noqa: N803
    a = np.sqrt(3.0 / N_units)
    u = np.triu(rng.uniform(-a, a, size=(N_units, N_units)), 1)
    return u + u.T


@tenth(REFUSED)
def flat_lstm(input_size, hidden_size, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(scale=0.5, size=(4 * hidden_size * input_size,)), rng.normal(size=(4 * hidden_size**2,))


@tenth(REFUSED)
def of_symbols(seed: int, trader_index: int, symbols: list[str]) -> dict[str, float]:
    rng = random.Random(seed * 1_000_003 + trader_index)
    raw = [rng.random() for _ in symbols]
    return {s: r / sum(raw) for s, r in zip(symbols, raw, strict=True)}


@tenth(DENSE)
def glorot_both(n_in: int, n_out: int):
    sd = np.sqrt(6.0 / (n_in + n_out))
    return np.random.uniform(-sd, sd, size=(n_in, n_out))


@tenth(DENSE + CONVOLUTION)
def of_self(self):
    for m in self.modules():
        if isinstance(m, (nn.Linear, nn.Conv2d)):
            nn.init.xavier_normal_(m.weight)


@tenth(OTHER)
def with_an_axis(in_size, out_size):
    initial = torch.rand(in_size, out_size) * 2 / math.sqrt(in_size)
    return initial[None, :, :]


@tenth(DENSE)
def last_two(shape):
    bound = np.sqrt(6.0 / (shape[-2] + shape[-1]))
    return np.random.uniform(low=-bound, high=bound, size=shape).astype(np.float32)


@tenth(DENSE)
def by_magnitude(shape):
    magnitude = max(min(1 / shape[0] * 50, 1.16), 0.06)
    return np.array(2 * magnitude * np.random.random(functools.reduce(operator.mul, shape)) - magnitude).reshape(shape)


@tenth(r"'c_s'|signature=")
def of_every_layer(rng, c_s, c_z, heads):
    return {"pair": rng.standard_normal((c_s, c_z)) / np.sqrt(c_s), "bias": rng.standard_normal((c_z, heads))}


class SharedVariable:
    def __init__(self, value, name):
        self.container, self.name = [value], name

    def get_value(self):
        return self.container[0]


@tenth(DENSE)
def always_one_seed(n_in, n_out):
    rng = np.random.RandomState(5678)
    return SharedVariable(rng.normal(scale=1 / np.sqrt((n_in + n_out) / 2), size=(n_in, n_out)), name="w")


@tenth(r"'name'")
def by_required_name(name):
    if name == "xavier_normal":
        return functools.partial(nn.init.xavier_normal_)
    if name == "kaiming_uniform":
        return functools.partial(nn.init.kaiming_uniform_)
    raise ValueError(name)


tenth(DENSE)(functools.partial(by_required_name, "xavier_normal"))


class RandInt:
    def __call__(self, low, high=None, shape=None):
        return np.random.randint(low=low, high=high, size=shape)


tenth(r"'low'")(RandInt())


@tenth(r"returns a function where an array is expected")
def of_a_matrix(matrix):
    def _initializer(shape, dtype=None, partition_info=None, **kwargs):
        return matrix

    return _initializer


@tenth(r"parameter='0\.0'")
def mlp_of_sizes(sizes, rng):
    params = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        limit = np.sqrt(6.0 / (fan_in + fan_out))
        params.append([rng.uniform(-limit, limit, (fan_out, fan_in)), np.zeros(fan_out)])
    return params


@tenth(r"parameter='1\.0\.0'")
def mlp_with_key(key, sizes):
    params = []
    for nin, nout in itertools.pairwise(sizes):
        key, kw, kb = jax.random.split(key, 3)
        params.append((jax.random.normal(kw, (nin, nout)) * 0.02, jax.random.normal(kb, (nout,)) * 0.02))
    return key, params


@tenth(r"'widths'")
def mlp_between(din, dout, widths, seed):
    g = np.random.default_rng(seed)
    dims = [din, *widths, dout]
    return [[g.standard_normal((m, n)) * np.sqrt(2.0 / m), np.zeros(n)] for m, n in itertools.pairwise(dims)]


@tenth(r"'hidden_dim'")
def mlp_module(in_dim, out_dim, hidden_dim, num_layers, non_linearity=None):
    return nn.Sequential(nn.Linear(in_dim, hidden_dim), nn.Tanh(), nn.Linear(hidden_dim, out_dim))


@tenth(r"parameter='W0'")
def mlp_of_optional(sizes: tuple[int, ...], rng: np.random.Generator | None = None) -> dict[str, np.ndarray]:
    rng = np.random.default_rng() if rng is None else rng
    params = {}
    for i, (m, n) in enumerate(itertools.pairwise(sizes)):
        params[f"W{i}"] = rng.normal(0, math.sqrt(2 / m), (m, n))
        params[f"b{i}"] = np.zeros(n)
    return params


@tenth(r"'k'|'emb'|'hidden'")
def of_ngrams(vocab, k, emb, hidden, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((vocab, emb)), rng.standard_normal((k * emb, hidden)) / np.sqrt(k * emb)]


@tenth(DENSE + CONVOLUTION)
def of_mmcv(module, a=0, mode="fan_out", nonlinearity="relu", bias=0, distribution="normal"):
    assert distribution in ("uniform", "normal")
    if hasattr(module, "weight") and module.weight is not None:
        fill = nn.init.kaiming_uniform_ if distribution == "uniform" else nn.init.kaiming_normal_
        fill(module.weight, a=a, mode=mode, nonlinearity=nonlinearity)
    if hasattr(module, "bias") and module.bias is not None:
        nn.init.constant_(module.bias, bias)


@tenth(DENSE + CONVOLUTION)
def told_of_it(a=0, zero_bias=False, exceptions=None, verbose=1):
    exceptions = exceptions or set()

    def kaiming(m):
        if type(m) in {nn.Linear, nn.Conv2d} - exceptions:
            nn.init.kaiming_normal_(m.weight, a)
            if verbose:
                print("kaiming", m)

    return kaiming


@tenth((*DENSE, (5, 7, 3)))
def one_dimension_too(m):
    if isinstance(m, (nn.Linear, nn.Conv1d, nn.Conv2d)):
        nn.init.kaiming_normal_(m.weight)
        if m.bias is not None:
            m.bias.data.fill_(0)
    elif isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
        m.weight.data.fill_(1)


class ModuleParam:
    def __init__(self, data, requires_grad=False):
        self._data, self.requires_grad = data, requires_grad

    @classmethod
    def uniform(cls, shape, low, high, requires_grad=False):
        return cls(np.random.uniform(low, high, shape), requires_grad)

    @property
    def shape(self):
        return self._data.shape

    def numpy(self):
        return self._data


@tenth(DENSE)
def of_own_tensor(shape):
    bound = 1 / np.sqrt(shape[0])
    return ModuleParam.uniform(shape, -bound, bound, requires_grad=True)


@tenth(REFUSED)
class OwnNetwork:
    def __init__(self, n_input, n_hidden, n_output):
        self.n_input, self.n_hidden, self.n_output = n_input, n_hidden, n_output

    def kaiming_init(self, bs):
        self.w1 = np.random.normal(0, 1, (self.n_hidden, self.n_input)) * math.sqrt(2.0 / self.n_input)


@tenth(DENSE)
def scaled_rows(key, shape, dtype=jnp.float32):
    w = jax.random.normal(key, shape, dtype)
    return w / jnp.linalg.norm(w, axis=-1, keepdims=True)


@tenth(KERNELS_LAST)
def of_kernel_and_channels(rng, kernel_size, c_in, c_out):
    fan_in = kernel_size[0] * kernel_size[1] * c_in
    return rng.normal(0, np.sqrt(2 / fan_in), (*kernel_size, c_in, c_out))


@tenth(CONVOLUTION)
def upsampling(in_channels, out_channels, kernel_size):
    return torch.randn(in_channels, out_channels, kernel_size, kernel_size) / (kernel_size * math.sqrt(in_channels))


@tenth(r"num_heads=\.\.\.|'num_heads'")
def of_heads(num_heads, d_in, d_head, rng):
    return rng.normal(0, d_in**-0.5, (num_heads, d_in, d_head))
