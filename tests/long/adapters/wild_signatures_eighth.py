"""An eighth sample of public forms: its answers were written, and committed, before the first run.

The forms are those of public code, in words of our own: course code in NumPy, ports from Julia and MATLAB, fairseq,
Megatron, detectron2, mmcv, GPTs, reinforcement learning, spiking nets, flows, hypernetworks, MLX, Objax, tinygrad.
An answer says what the door should make of it, in the words of the seventh sample.

Of 91 forms 84 were made at first sight what their answers say (92 %, interval 85 to 96). Missed, and mended by kind:
layers whose weights are objects that hold an array (``ObjaxLinear``, ``TinyLinear``), partials of a layer class,
tables of embeddings made by a function (``FairEmbedding``), a ``threshold`` (``elman``). Two answers were changed
after the run: ``TinyGPT`` was refused as it should be, its config named without quotation marks, and a kernel that
needs as many inputs as outputs (``bilinear_kernel``) was refused. That one and the side of a square kernel
(``course_filters``, an advice then) are read since; their answers here are the later ones.
"""

import dataclasses
import functools
import itertools
import math
import operator
import random

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax.example_libraries import stax
from torch import nn
from wild_answers import CONVOLUTION, DENSE, KERNELS_LAST, LAYER, OTHER, REFUSED, SQUARE

EIGHTH = []
CALLED = []


def eighth(expected):
    def add(obj):
        EIGHTH.append((obj, expected))
        return obj

    return add


# -- NumPy: courses, papers in a notebook, ports


class Agent:
    def __init__(self, hidden=16):
        self.hidden = hidden

    def _xavier_init(self, input_dim, output_dim):
        bound = math.sqrt(6 / (input_dim + output_dim))
        return [[random.uniform(-bound, bound) for _ in range(output_dim)] for _ in range(input_dim)]


eighth(DENSE)(Agent()._xavier_init)


@eighth(r"'max_time'")
def random_weights_until(weights_shape, max_time, rand_type="uniform"):
    w = np.random.uniform(-0.1, 0.1, weights_shape)
    w[:, -1] = np.minimum(w[:, -1], max_time)
    return w


@eighth(REFUSED)
def flipped(N):  # noqa: N803
    v = [random.random() for _ in range(N)]
    return [x * random.choice((-1, 1)) / sum(v) for x in v]


@eighth(SQUARE)
def hopfield(N_units, rng):  # noqa: N803
    upper = np.triu(rng.normal(0, 1 / math.sqrt(N_units), (N_units, N_units)), 1)
    return upper + upper.T


@eighth(r"parameter='0\.1'|parameter=|signature='\(widths\)'")
def numbered_layers(layers):
    w, b = {}, {}
    for i in range(1, len(layers)):
        w[i] = np.random.randn(layers[i], layers[i - 1]) / math.sqrt(layers[i - 1])
        b[i] = np.zeros((layers[i], 1))
    return w, b


@eighth(r"'threshold'")
def elman(number, ext, threshold):
    return [[random.uniform(-threshold, threshold) for _ in range(ext)] for _ in range(number)]


_rng = np.random.default_rng(7)


@eighth(r"parameter='0\.0'")
def lists_of_dense(dims):
    weights = [_rng.normal(0, math.sqrt(2 / m), (m, n)) for m, n in itertools.pairwise(dims)]
    return weights, [np.zeros(n) for n in dims[1:]]


@eighth(r"'activation_fn'")
def initialise_for(n_in: int, n_out: int, activation_fn: str):
    gain = {"logistic": 1.0, "relu": 2.0}[activation_fn]
    return np.random.normal(0, math.sqrt(gain / n_in), (n_in, n_out))


@eighth(DENSE)  # the first of two matrices
def three_layers(inputnodes, hiddennodes, outputnodes):
    return {"h1": np.random.randn(hiddennodes, inputnodes), "h2": np.random.randn(outputnodes, hiddennodes)}


@eighth(SQUARE)
def row_normalised(n_neurons):
    w = np.random.rand(n_neurons, n_neurons)
    return w / w.sum(1, keepdims=True)


@eighth(DENSE)
def flat_then_reshaped(shape):
    size = functools.reduce(operator.mul, shape)
    bound = max(min(50 / shape[0], 1.16), 0.06)
    return np.array(2 * bound * np.random.rand(size) - bound, dtype="float32").reshape(shape)


class Shared:
    """What Theano's shared() returns."""

    def __init__(self, value, name):
        self._value, self.name = value, name

    def get_value(self, borrow=False):
        return self._value


@eighth(DENSE)
def theano_weights(n_in, n_out):
    return Shared(np.random.normal(0, math.sqrt(2 / (n_in + n_out)), (n_in, n_out)), "w")


@eighth(DENSE)
def fixed_seed(fan_in: int, fan_out: int, seed: int = 42) -> np.ndarray:
    np.random.seed(seed)
    limit = np.sqrt(6 / (fan_in + fan_out))
    return np.random.uniform(-limit, limit, (fan_in, fan_out))


@eighth(OTHER)
def rand_initialize_weights(L_in, L_out, epsilon_init=0.12):  # noqa: N803
    return np.random.rand(L_out, 1 + L_in) * 2 * epsilon_init - epsilon_init


@eighth(DENSE)
def flux_glorot(rng, *dims, gain=1.0):
    return gain * math.sqrt(24 / (dims[0] + dims[-1])) * (rng.random(dims) - 0.5)


@eighth(DENSE)
def lux_kaiming(dims: tuple[int, ...], /, *, rng=None, gain=2**0.5):
    rng = np.random.default_rng() if rng is None else rng
    return rng.normal(0, gain / math.sqrt(dims[-1]), dims)


@eighth(DENSE)
def initweights(nrow, ncol, scale=1.0):
    return scale * np.random.randn(nrow, ncol) / np.sqrt(ncol)


@eighth(KERNELS_LAST)
def course_filters(f, n_C_prev, n_C):  # noqa: N803
    return np.random.randn(f, f, n_C_prev, n_C) * math.sqrt(2 / (f * f * n_C_prev))


@eighth(r"hidden_dims|parameter=|signature=")
class FullyConnectedNet:
    def __init__(self, hidden_dims, input_dim=3072, num_classes=10, weight_scale=1e-2, seed=None):
        rng = np.random.default_rng(seed)
        sides = [input_dim, *hidden_dims, num_classes]
        self.params = {f"W{i}": weight_scale * rng.normal(size=s) for i, s in enumerate(itertools.pairwise(sides))}


class Value:
    def __init__(self, data):
        self.data, self.grad = data, 0.0


class Neuron:
    def __init__(self, nin):
        self.w, self.b = [Value(random.uniform(-1, 1)) for _ in range(nin)], Value(0.0)


@eighth(REFUSED)
class MicrogradLayer:
    def __init__(self, nin, nout):
        self.neurons = [Neuron(nin) for _ in range(nout)]


@eighth(DENSE)
def union_of_randomness(shape, rng: np.random.Generator | int | None = None):
    return np.random.default_rng(rng).normal(0, math.sqrt(1 / shape[0]), shape)


@eighth(DENSE)
def of_seed_sequence(shape, seed_seq: np.random.SeedSequence):
    return np.random.default_rng(seed_seq.spawn(1)[0]).normal(0, math.sqrt(1 / shape[0]), shape)


@eighth(DENSE)
def array_module(shape, xp=np):
    return xp.random.standard_normal(shape) * xp.sqrt(2 / shape[0])


@eighth(r"'xp'")
def required_module(xp, shape):
    return xp.random.standard_normal(shape) * xp.sqrt(2 / shape[0])


class Parameter:
    def __init__(self, data):
        self.data, self.grad = data, np.zeros_like(data)

    @classmethod
    def kaiming(cls, n_in, n_out):
        return cls(np.random.randn(n_in, n_out) * math.sqrt(2 / n_in))


eighth(r"parameter='data'|signature=|\w")(Parameter.kaiming)


@eighth(DENSE)
@dataclasses.dataclass
class InitSpec:
    kind: str = "he"
    gain: float = 1.0

    def sample(self, rng, shape):
        return self.gain * rng.normal(0, math.sqrt(2 / shape[0]), shape)


@eighth(r"'param_name'")
class ByName:
    def __call__(self, param_name, shape):
        return np.zeros(shape) if param_name.endswith("bias") else np.random.randn(*shape) * 0.02


@eighth(DENSE)
def options_at_will(shape, **kwargs):
    return np.random.normal(kwargs.get("mean", 0.0), kwargs.get("std", 0.02), shape)


@eighth(DENSE)
def input_weights(n_reservoir, n_inputs, input_scaling=1.0, random_state=None):
    state = np.random.RandomState(random_state)
    return input_scaling * state.uniform(-1, 1, (n_reservoir, n_inputs)) / math.sqrt(n_inputs)


@eighth(DENSE)
def entity_table(n_entities, k):
    return np.random.uniform(-6 / math.sqrt(k), 6 / math.sqrt(k), (n_entities, k))


@eighth(r"'cfg'")
def of_config(cfg, shape):
    return np.random.normal(0, cfg["std"], shape)


@eighth(r"'name'")
def weight_variable(shape, name):
    return np.clip(np.random.randn(*shape), -2, 2) * 0.1


# -- spiking nets


@eighth(REFUSED)
def between_layers(source, target):
    return 0.3 * np.random.rand(source.n, target.n)


@eighth(DENSE)
def synapses(n_pre, n_post, p_connect=0.1, w_max=1.0, rng=None):
    rng = rng or np.random.default_rng()
    return w_max * rng.random((n_pre, n_post)) * (rng.random((n_pre, n_post)) < p_connect)


# -- libraries whose arrays are of a class of their own


class TrainVar:
    def __init__(self, tensor):
        self._value = tensor

    @property
    def value(self):
        return self._value


def objax_xavier(shape):
    return np.random.normal(0, math.sqrt(2 / sum(shape)), shape)


@eighth(DENSE)
class ObjaxLinear:
    def __init__(self, nin, nout, use_bias=True, w_init=objax_xavier):
        self.b = TrainVar(np.zeros(nout)) if use_bias else None
        self.w = TrainVar(w_init((nin, nout)))

    def __call__(self, x):
        return x @ self.w.value


class Lazy:
    def __init__(self, buffer):
        self.lazydata, self.shape = buffer, buffer.shape

    @staticmethod
    def uniform(*shape, low=0.0, high=1.0):
        return Lazy(np.random.uniform(low, high, shape).astype(np.float32))

    def numpy(self):
        return self.lazydata


@eighth(DENSE)
class TinyLinear:
    def __init__(self, in_features, out_features, bias=True):
        bound = 1 / math.sqrt(in_features)
        self.weight = Lazy.uniform(out_features, in_features, low=-bound, high=bound)
        self.bias = Lazy.uniform(out_features, low=-bound, high=bound) if bias else None


@eighth(DENSE)
def mlx_normal(mean=0.0, std=1.0, dtype=np.float32):
    def initializer(a):
        return np.random.normal(mean, std, a.shape).astype(dtype)

    return initializer


# -- torch: language models


class TinyGPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)


eighth(r"config")(TinyGPT)


@eighth(DENSE)
def residual_projection(module, n_layer=12):
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, mean=0.0, std=0.02 / math.sqrt(2 * n_layer))


@eighth(DENSE)
def bert_params(module):
    def normal_(data):
        data.copy_(data.cpu().normal_(mean=0.0, std=0.02).to(data.device))

    if isinstance(module, (nn.Linear, nn.Embedding)):
        normal_(module.weight.data)
    if isinstance(module, nn.Embedding) and module.padding_idx is not None:
        module.weight.data[module.padding_idx].zero_()


@eighth(LAYER)
def FairLinear(in_features, out_features, bias=True):  # noqa: N802
    m = nn.Linear(in_features, out_features, bias)
    nn.init.xavier_uniform_(m.weight)
    return m


@eighth(r"'padding_idx'")
def FairEmbedding(num_embeddings, embedding_dim, padding_idx):  # noqa: N802
    m = nn.Embedding(num_embeddings, embedding_dim, padding_idx=padding_idx)
    nn.init.normal_(m.weight, mean=0, std=embedding_dim**-0.5)
    return m


def init_method_normal(sigma):
    def init_(tensor):
        return nn.init.normal_(tensor, mean=0.0, std=sigma)

    return init_


def scaled_init_method_normal(sigma, num_layers):
    return init_method_normal(sigma / math.sqrt(2 * num_layers))


eighth(r"'sigma'")(init_method_normal)
eighth(DENSE)(functools.partial(init_method_normal, 0.02))
eighth(r"'num_layers'")(functools.partial(scaled_init_method_normal, sigma=0.02))
eighth(DENSE)(functools.partial(scaled_init_method_normal, sigma=0.02, num_layers=12))


@eighth(r"'config'")
def palm_dense(input_tensor, config, is_embedding=False):
    return nn.init.normal_(input_tensor, std=1.0 if is_embedding else config.initializer_range)


@eighth(DENSE)
def cola_dense(linear, zero_init=False):
    d_in, _ = linear.in_features, linear.out_features
    linear.weight.data.normal_(mean=0, std=0.0 if zero_init else d_in**-0.5)


@eighth(REFUSED)
@torch.no_grad()
def told_by_the_tensor(tensor, zero_init=False):
    assert hasattr(tensor, "d_in")
    return tensor.normal_(0, tensor.d_in**-0.5)


@eighth(DENSE)
def mup_normal_(tensor, mean=0.0, std=1.0, width_mult=4.0):
    with torch.no_grad():
        return tensor.normal_(mean, std / math.sqrt(width_mult))


@eighth(LAYER)
class MuReadout(nn.Linear):
    def __init__(self, in_features, out_features, bias=True, output_mult=1.0):
        self.output_mult = output_mult
        super().__init__(in_features, out_features, bias)

    def forward(self, x):
        return super().forward(self.output_mult * x / math.sqrt(self.in_features))


# -- torch: vision and the rest


@eighth(DENSE + CONVOLUTION)
def c2_xavier(module: nn.Module) -> None:
    nn.init.kaiming_uniform_(module.weight, a=1)
    if module.bias is not None:
        nn.init.constant_(module.bias, 0)


class _BaseInit:
    def __init__(self, *, bias=0, layer=None):
        self.bias, self.layer = bias, [layer] if isinstance(layer, str) else layer or []


@eighth(DENSE)
class NormalInit(_BaseInit):
    def __init__(self, mean=0.0, std=1.0, **kwargs):
        super().__init__(**kwargs)
        self.mean, self.std = mean, std

    def __call__(self, module):
        def init(m):
            if (not self.layer and hasattr(m, "weight")) or type(m).__name__ in self.layer:
                nn.init.normal_(m.weight, self.mean, self.std)

        module.apply(init)


@eighth(DENSE)
def size_and_fanin(size, fanin=None):
    fanin = fanin or size[0]
    v = 1.0 / np.sqrt(fanin)
    return torch.Tensor(size).uniform_(-v, v)


@eighth(DENSE)
def rlkit_fanin(tensor):
    size = tensor.size()
    fan_in = size[0] if len(size) == 2 else np.prod(size[1:])
    bound = 1.0 / np.sqrt(fan_in)
    return tensor.data.uniform_(-bound, bound)


class Policy(nn.Module):
    @staticmethod
    def init_weights(module: nn.Module, gain: float = 1) -> None:
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            nn.init.orthogonal_(module.weight, gain=gain)


eighth(DENSE + CONVOLUTION)(Policy.init_weights)


@eighth(DENSE)
def normc_initializer(std=1.0):
    def initializer(tensor):
        tensor.data.normal_(0, 1)
        tensor.data *= std / torch.sqrt(tensor.data.pow(2).sum(1, keepdim=True))

    return initializer


@eighth(DENSE)
def replaces_parameter(m):
    if isinstance(m, nn.Linear):
        m.weight = nn.Parameter(torch.randn(m.weight.shape) * 0.02)


@eighth(DENSE)
def tagger_linear(linear):
    bound = np.sqrt(6.0 / (linear.weight.size(0) + linear.weight.size(1)))
    nn.init.uniform_(linear.weight, -bound, bound)
    if linear.bias is not None:
        linear.bias.data.zero_()


@eighth(LAYER)
def tagger_lstm(lstm: nn.LSTM):
    for n in range(lstm.num_layers):
        nn.init.orthogonal_(getattr(lstm, f"weight_hh_l{n}"))


@eighth(DENSE)
def told_fans_(tensor: torch.Tensor, fan_in: int, fan_out: int = None, init_method: str = "torch"):  # noqa: RUF013
    std = math.sqrt(1 / fan_in) if init_method == "torch" else math.sqrt(2 / (fan_in + fan_out))
    nn.init.uniform_(tensor, -math.sqrt(3) * std, math.sqrt(3) * std)


@eighth(DENSE)
def dive_into(tensor):
    with torch.no_grad():
        tensor.uniform_(-10, 10)
        tensor *= (tensor.abs() >= 5).float()


@eighth(DENSE)
def last_axis(param):
    std = 1 / math.sqrt(param.shape[-1])
    param.data.uniform_(-std, std)


@eighth(DENSE)
def graph_glorot(input_dim, output_dim):
    bound = np.sqrt(6.0 / (input_dim + output_dim))
    return nn.Parameter(torch.rand(input_dim, output_dim) * 2 * bound - bound)


@eighth(((6, 6, 3, 3),))
def bilinear_kernel(in_channels, out_channels, kernel_size):
    factor = (kernel_size + 1) // 2
    centre = factor - 1 if kernel_size % 2 == 1 else factor - 0.5
    line = 1 - torch.abs(torch.arange(kernel_size) - centre) / factor
    weight = torch.zeros((in_channels, out_channels, kernel_size, kernel_size))
    weight[range(in_channels), range(out_channels)] = line[:, None] * line
    return weight


@eighth(DENSE)
def spectral(module, gain=1.0):
    nn.init.xavier_uniform_(module.weight, gain)
    return torch.nn.utils.spectral_norm(module)


@eighth(DENSE + CONVOLUTION)
def pix2pix(net, init_type="normal", gain=0.02):
    def init_func(m):
        if hasattr(m, "weight") and type(m).__name__.find("Norm") == -1:
            nn.init.normal_(m.weight.data, 0.0, gain)

    net.apply(init_func)


@eighth(DENSE)
def by_name(name="kaiming"):
    return {"kaiming": nn.init.kaiming_normal_, "xavier": nn.init.xavier_normal_}[name]


@eighth(DENSE)
def on_a_device(size_in, size_out, device="cpu"):
    return torch.empty(size_in, size_out, device=device).normal_(0, size_in**-0.5)


@eighth(r"'device'")
def on_their_device(shape, device, dtype):
    return torch.randn(shape, device=device, dtype=dtype) * 0.02


@eighth(DENSE)
def all_keywords(
    shape: torch.Size, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float32, device=None
):
    return torch.randn(shape, generator=generator, dtype=dtype, device=device) * math.sqrt(2 / shape[1])


# -- flows and hypernetworks


@eighth(SQUARE)
def invertible_1x1(num_channels, rng):
    q, _ = np.linalg.qr(rng.normal(size=(num_channels, num_channels)))
    return q


@eighth(LAYER)
class MaskedLinear(nn.Linear):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__(in_features, out_features, bias)
        self.register_buffer("mask", torch.ones(out_features, in_features))

    def forward(self, x):
        return nn.functional.linear(x, self.mask * self.weight, self.bias)


@eighth(r"'z_dim'")
def hyperfan_in(weight, z_dim):
    bound = math.sqrt(3 / (z_dim * weight.size(1)))
    nn.init.uniform_(weight, -bound, bound)


# -- JAX


@eighth(r"transform")
class HaikuLike:
    def __call__(self, shape, dtype=jnp.float32):
        raise ValueError("next_rng_key must be used inside of a transform")


eighth(REFUSED)(stax.Dense)
eighth(REFUSED)(stax.Dense(7)[0])


@eighth(DENSE)
def default_init(scale=math.sqrt(2)):  # noqa: B008
    return jax.nn.initializers.orthogonal(scale)


@eighth(r"parameter='w'")
def linear_params(key: jax.Array, in_dim: int, out_dim: int, scale: float | None = None):
    scale = math.sqrt(2 / in_dim) if scale is None else scale
    return {"w": scale * jax.random.normal(key, (in_dim, out_dim)), "b": jnp.zeros(out_dim)}


@eighth(r"parameter='layers\.0\.w'")
def mlp_params(key, sizes, final_scale=None):
    keys = jax.random.split(key, len(sizes) - 1)
    return {"layers": [linear_params(k, m, n) for k, m, n in zip(keys, sizes[:-1], sizes[1:], strict=True)]}


@eighth(r"parameter='0\.weights'")
def tree_params(layer_widths: list[int], n: int = 42):
    key = jax.random.PRNGKey(n)
    params = []
    for m, out in itertools.pairwise(layer_widths):
        key, sub = jax.random.split(key)
        params.append({"weights": jax.random.normal(sub, (m, out)) * jnp.sqrt(2 / m), "biases": jnp.ones(out)})
    return params


@eighth(DENSE)  # the first of two matrices
def two_layers(in_dim, hidden_dim, out_dim, seed):
    rng = np.random.RandomState(seed)
    return rng.randn(in_dim, hidden_dim) * math.sqrt(2 / in_dim), rng.randn(hidden_dim, out_dim)


@eighth(DENSE)
def equinox_trunc(weight: jax.Array, key: jax.Array) -> jax.Array:
    out, in_ = weight.shape
    return math.sqrt(1 / in_) * jax.random.truncated_normal(key, -2, 2, (out, in_))


@eighth(r"'init_fn'")
def equinox_linear(model, init_fn, key):
    CALLED.append("equinox_linear")
    return init_fn(model.weight, key)
