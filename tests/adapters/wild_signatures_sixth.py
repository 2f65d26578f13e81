"""A sixth sample of public forms: its answers were written, and committed, before the first run.

Of 140 forms 131 were read at first sight as their answers say (94 %, interval 88 to 97). Missed: a number of weights
was taken for a shape (``portfolio_weights``), a list of modules for something that only its user knows (``he_layers``),
a class whose widths have defaults for an initializer (``SimplePolicy``), and an object of another kind was not told
from a number (``create_weights``): these kinds are mended. Five answers are corrected below. Three were wrong by the
rules: a matrix with a column for the bias is read, and fails the claim on its shape; a network of two layers whose
widths are told by name is judged by its parts; ``config`` is named without quotes. Two are left as they are: a kernel
that fits one shape by accident is read (``difference_kernel``), and a vector of scales is a layer (``LayerScale``).
"""

import functools
import itertools
import math
import random

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import random as jrandom
from torch import nn
from wild_answers import CONVOLUTION, DENSE, KERNELS_LAST, LAYER, OTHER, REFUSED, SQUARE

SIXTH = []


def sixth(expected):
    """Add an object with its answer: shapes that it draws, words of its refusal, or ``LAYER``."""

    def add(obj):
        SIXTH.append((obj, expected))
        return obj

    return add


# NumPy, by widths


@sixth(DENSE)
def random_init(in_dim, out_dim):
    return np.random.randn(in_dim, out_dim) * 0.01


@sixth(DENSE)
def xavier_init(in_dim: int, out_dim: int) -> np.ndarray:
    scale = np.sqrt(2.0 / (in_dim + out_dim))
    return (np.random.randn(in_dim, out_dim) * scale).astype(np.float32)


@sixth(DENSE)
def he_init(nin, nout=None, uniform=True):
    nout = nin if nout is None else nout
    scale = np.sqrt(1.0 / nin)
    return np.random.uniform(-scale, scale, (nin, nout)) if uniform else np.random.randn(nin, nout) * scale


@sixth(DENSE)
def kaiming_rows(fan_in, fan_out):
    std = math.sqrt(2.0 / fan_in)
    return [[random.gauss(0, std) for _ in range(fan_in)] for _ in range(fan_out)]


@sixth(DENSE)
def zero_init(fan_in, fan_out):
    return [[0.0 for _ in range(fan_in)] for _ in range(fan_out)]


@sixth(DENSE)
def gauss_init(fan_in, fan_out, scale=1.0):
    return [[random.gauss(0, scale) for _ in range(fan_in)] for _ in range(fan_out)]


@sixth(DENSE)
def lecun_normal(d, h, *, rng, **kwargs):
    return rng.normal(0, np.sqrt(1 / d), (h, d))


@sixth(DENSE)
def he_uniform_of_inputs(num_inputs, num_neurons):
    limit = np.sqrt(6 / num_inputs)
    return np.random.uniform(-limit, limit, size=(num_inputs, num_neurons))


@sixth(DENSE)  # a weight a call: as many calls as a matrix has
def glorot_number(fan_in, fan_out):
    limit = math.sqrt(6 / (fan_in + fan_out))
    return np.random.uniform(-limit, limit)


@sixth(DENSE)
def lecun_number(fan_in):
    return np.random.normal(0, math.sqrt(1 / fan_in))


@sixth(DENSE)
def make_weights(n_in, n_out):
    rng = np.random.RandomState(5678)
    return rng.normal(scale=1 / np.sqrt((n_in + n_out) / 2), size=(n_in, n_out))


@sixth(DENSE)
def random_matrix_of(a, b):
    out = np.zeros((a, b))
    for i in range(a):
        for j in range(b):
            out[i][j] = random.random()
    return np.matrix(out)


@sixth(r"TypeError")
def orthagonal(n_in, n_out):
    q, _ = np.linalg.qr(np.random.Generator.normal(size=(n_out, n_in)))
    return q[:n_out]


@sixth(DENSE)
def rand_uniform(rows, cols, low=-1.0, high=1.0):
    return low + (high - low) * np.random.rand(rows, cols)


@sixth(OTHER)
def rand_initialize_weights(L_in, L_out):  # noqa: N803
    epsilon = 0.12
    return np.random.rand(L_out, 1 + L_in) * 2 * epsilon - epsilon


@sixth(DENSE)
def init_layer(input_units, output_units, rng=None):
    rng = np.random.default_rng() if rng is None else rng
    return rng.standard_normal((output_units, input_units)) * math.sqrt(1 / input_units)


# NumPy, by shape


@sixth(DENSE)
def weight_init(img_shape):
    return np.zeros(img_shape)


@sixth(DENSE + KERNELS_LAST)
def glorot_kernel(kernel_shape):
    receptive = np.prod(kernel_shape[:-2])
    limit = np.sqrt(6 / ((kernel_shape[-2] + kernel_shape[-1]) * receptive))
    return np.random.uniform(-limit, limit, size=kernel_shape)


@sixth(DENSE)
def variance_scaling(shape, scale=1.0, mode="fan_in", distribution="normal", seed=None):
    rng = np.random.RandomState(seed)
    n = {"fan_in": shape[0], "fan_out": shape[1], "fan_avg": sum(shape) / 2}[mode]
    if distribution == "uniform":
        limit = math.sqrt(3 * scale / n)
        return rng.uniform(-limit, limit, shape)
    return rng.normal(0, math.sqrt(scale / n), shape)


@sixth(DENSE)
def orthogonal(shape, scale=1.1):
    flat = (shape[0], int(np.prod(shape[1:])))
    u, _, v = np.linalg.svd(np.random.normal(0.0, 1.0, flat), full_matrices=False)
    q = u if u.shape == flat else v
    return (scale * q).reshape(shape)


@sixth(r"'max_time'")
def random_weights_until(weights_shape, max_time, rand_type="uniform"):
    weights = np.random.uniform(-0.1, 0.1, weights_shape)
    weights[:, -1] = np.random.uniform(0, max_time, weights_shape[0])
    return weights if rand_type == "uniform" else weights * 2


@sixth(DENSE)
def make_centered_weights(shape):
    magnitude = max(min(1 / shape[0] * 50, 1.16), 0.06)
    return np.random.uniform(-magnitude, magnitude, shape)


@sixth(DENSE)
def small_random(size):
    return np.random.uniform(-0.12, 0.12, size)


@sixth(DENSE)
def log_uniform(shape, low=1e-3, high=1.0):
    return np.clip(np.exp(np.random.uniform(np.log(low), np.log(high), size=shape)), low, high)


@sixth(DENSE)
def lecun_of_pair(shape):
    if isinstance(shape, int):
        return [random.gauss(0, math.sqrt(1.0 / shape)) for _ in range(shape)]
    fan_in, fan_out = shape
    std = math.sqrt(1.0 / fan_in)
    return [[random.gauss(0, std) for _ in range(fan_out)] for _ in range(fan_in)]


@sixth(DENSE)
def sparse_init(shape, rng, connections=3):
    w = np.zeros(shape)
    for column in w.T:
        chosen = rng.choice(shape[0], min(connections, shape[0]), replace=False)
        column[chosen] = rng.normal(size=len(chosen))
    return w


# NumPy: networks, squares, vectors, and what needs more than its shape


@sixth(SQUARE)
def random_weights(N_units, rng):  # noqa: N803
    a = np.sqrt(3.0 / N_units)
    upper = np.triu(rng.uniform(-a, a, size=(N_units, N_units)), 1)
    return upper + upper.T


@sixth(REFUSED)
def random_network(layers):
    w, b = {}, {}
    for i in range(1, len(layers)):
        w[i] = np.random.randn(layers[i], layers[i - 1])
        b[i] = np.random.randn(layers[i], 1)
    return w, b


@sixth(REFUSED)
def portfolio_weights(num_weights):
    weights = np.random.random(num_weights)
    return weights / np.sum(weights)


@sixth(r"parameter=|[Pp]ass a function")
def lstm_weights(input_size, hidden_size, seed=0):
    rng = np.random.default_rng(seed)
    w_ih = rng.normal(scale=0.5, size=(4 * hidden_size * input_size,))
    w_hh = rng.normal(scale=0.5, size=(4 * hidden_size * hidden_size,))
    return w_ih, w_hh, rng.normal(scale=0.1, size=4 * hidden_size)


@sixth(r"an object of another kind")
def create_weights(G, num_nodes):  # noqa: N803
    matrix = np.random.rand(num_nodes, num_nodes)
    return matrix / np.maximum(matrix.sum(axis=0), 1e-9) * len(G.nodes)


@sixth(r"parameter=|signature=|[Pp]ass a function")
def init_params(layer_sizes: list[int], seed: int):
    rng = np.random.default_rng(seed)
    params = {}
    for i, (n_in, n_out) in enumerate(itertools.pairwise(layer_sizes)):
        params[f"W{i}"] = rng.normal(0, np.sqrt(2.0 / n_in), (n_in, n_out)).astype(np.float32)
        params[f"b{i}"] = np.zeros(n_out, np.float32)
    return params


@sixth(DENSE)
def init_weights_of_network(input_size, hidden_sizes, output_size):
    layers = [input_size, *hidden_sizes, output_size]
    weights, biases = [], []
    for m, n in itertools.pairwise(layers):
        weights.append(np.random.randn(m, n) * np.sqrt(1.0 / m))
        biases.append(np.zeros(n))
    return weights, biases


@sixth(REFUSED)
def make_folding_weights(rng, c_s, c_z, heads, head_dim, hidden, bins):
    def w(i, o, s=1.0):
        return rng.standard_normal((i, o)) * (s / np.sqrt(i))

    return {"s": w(c_s, heads * head_dim), "z": w(c_z, hidden), "out": w(hidden, bins)}


@sixth(REFUSED)
def xavier_nodes(node_num):
    return np.random.randn(node_num) / np.sqrt(node_num)


@sixth(REFUSED)
def weights_of_data(X, initialization="orthogonal"):  # noqa: N803
    n_samples, _ = X.shape
    w = X.T @ np.random.randn(n_samples)
    return w / np.linalg.norm(w)


@sixth(r"'fan'")
def xavier_with_fan(gain=1):
    def init(shape, fan):
        bound = gain * np.sqrt(3.0 / np.mean(fan))
        return np.random.uniform(-bound, bound, shape)

    return init


@sixth(DENSE)
def seeded_glorot(seed=None):
    rng = np.random.default_rng(seed)

    def init(shape):
        limit = np.sqrt(6 / sum(shape))
        return rng.uniform(-limit, limit, shape)

    return init


# NumPy classes


@sixth(DENSE)
class Xavier:
    def __init__(self) -> None:
        pass

    def initialize(self, weights_shape, fan_in, fan_out):
        return np.random.normal(0, np.sqrt(2 / (fan_in + fan_out)), size=weights_shape)


@sixth(REFUSED)
class XavierNumber:
    def __init__(self, fan_in: int) -> None:
        self.fan_in = fan_in

    def __call__(self) -> float:
        return random.normalvariate(0, 1.0 / self.fan_in)


class Initializer:
    @staticmethod
    def compute_fans(shape):
        return (shape[0], shape[1]) if len(shape) == 2 else (shape[1], shape[0])

    def __call__(self, shape):
        raise NotImplementedError


@sixth(DENSE)
class XavierInitializer(Initializer):
    def __call__(self, shape: tuple[int, int]) -> np.ndarray:
        fan_in, fan_out = self.compute_fans(shape)
        print(shape)
        r = np.sqrt(6 / (fan_in + fan_out))
        return np.random.uniform(-r, r, size=shape)


class SmartScaler:
    def __init__(self, kind, mode, factor):
        self.kind, self.mode, self.factor = kind, mode, factor

    def __call__(self, shape):
        n = {"in": shape[0], "out": shape[1], "avg": sum(shape) / 2}[self.mode]
        return np.random.normal(0, math.sqrt(self.factor / n), shape)


@sixth(DENSE)
def he_normal():
    return SmartScaler("normal", "in", 2)


class Variable:
    def __init__(self, data, requires_grad=True):
        self.data, self.grad, self.requires_grad = data, None, requires_grad


@sixth(DENSE)
def kaiming_param(shape):
    bound = 1 / np.sqrt(shape[0])
    return Variable(np.random.uniform(-bound, bound, shape))


@sixth(DENSE)
class SimplePolicy:
    def __init__(self, obs_dim=3, action_dim=1, learning_rate=0.01):
        self.W = np.random.randn(obs_dim, action_dim) * 0.1
        self.b = np.zeros((1, action_dim))
        self.lr = learning_rate

    def predict(self, obs):
        return obs @ self.W + self.b


@sixth(r"'stride'|'H_f'")
class ConvolutionByHand:
    def __init__(self, C_in, C_out, H_f, W_f, stride):  # noqa: N803
        self.stride = stride
        self.W = np.random.randn(C_out, C_in, H_f, W_f) * np.sqrt(2.0 / (C_in * H_f * W_f))
        self.b = np.zeros((C_out, 1))


@sixth(r"parameter=")
class CharRNN:
    def __init__(self, input_size, hidden_size, sig=0.01):
        self.U = np.random.randn(hidden_size, input_size) * sig
        self.W = np.random.randn(hidden_size, hidden_size) * sig
        self.V = np.random.randn(input_size, hidden_size) * sig


@sixth(REFUSED)
class WorldModel:
    def __init__(self, n_hidden=32, lam=0.01, lr=0.01):
        self.lam, self.lr = lam, lr
        self.W = np.random.randn(n_hidden, 4) * 0.1
        self.h = np.zeros(n_hidden)


@sixth(REFUSED)
class ThreeLayers:
    def __init__(self, D: int, N: int, middle_dim: int):  # noqa: N803
        self.V = np.random.randn(D, middle_dim) / np.sqrt(D / 2)
        self.W = np.random.randn(middle_dim + 1, N) / np.sqrt(middle_dim + 1 / 2)


@sixth(REFUSED)
class SimpleNet:
    def __init__(self):
        self.W = np.random.randn(2, 3)

    def predict(self, x):
        return np.dot(x, self.W)


@sixth(r"'initFunction'")
class LayerByName:
    def __init__(self, inputSize, numberOfNeurons, initFunction):  # noqa: N803
        self.inputSize, self.numberOfNeurons = inputSize, numberOfNeurons
        self.weights = {"uniform": self.uniform_init}[initFunction]()

    def uniform_init(self):
        return np.random.uniform(-0.05, 0.05, size=(self.inputSize, self.numberOfNeurons))


@sixth(DENSE)
class LayerDense:
    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.01 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs):
        self.output = np.dot(inputs, self.weights) + self.biases


@sixth(DENSE)
class LinearOf:
    def __init__(self, in_dim, out_dim, rng):
        self.w = rng.normal(0, in_dim**-0.5, (in_dim, out_dim))
        self.b = np.zeros(out_dim)


@sixth(REFUSED)
class Affine:
    def __init__(self, W, b):  # noqa: N803
        self.W, self.b, self.x = W, b, None

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b


@sixth(DENSE)
class EmbeddingByHand:
    def __init__(self, vocab_size, embed_dim, scale=0.01):
        self.W = np.random.randn(vocab_size, embed_dim) * scale

    def forward(self, ids):
        return self.W[ids]


# torch: functions of a module


@sixth(DENSE)
def init_weights(m):
    if m.__class__.__name__.find("Linear") != -1:
        nn.init.kaiming_normal_(m.weight)


@sixth(DENSE + CONVOLUTION)
def initialize_weights(m):
    if hasattr(m, "weight") and m.weight.dim() > 1:
        nn.init.xavier_uniform_(m.weight.data)


@sixth(CONVOLUTION)
def initialize_gan(model: nn.Module) -> None:
    for m in model.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)):
            nn.init.normal_(m.weight.data, 0.0, 0.02)


@sixth(r"'init'")
def init_model(model, init):
    if init not in ("zeros", "normal", "xavier"):
        raise ValueError(f"Unknown initialization: {init}")
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            {"zeros": nn.init.zeros_, "normal": nn.init.normal_, "xavier": nn.init.xavier_normal_}[init](layer.weight)


@sixth(DENSE + CONVOLUTION)
def init_children(module):
    for _name, m in module.named_children():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(m.weight, mode="fan_in", nonlinearity="relu")
            if m.bias is not None:
                nn.init.zeros_(m.bias)
        elif isinstance(m, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.ones_(m.weight)
        else:
            init_children(m)


@sixth(DENSE)
def init_of_type(init_type="gaussian"):
    def init_fun(m):
        name = m.__class__.__name__
        if (name.find("Conv") == 0 or name.find("Linear") == 0) and hasattr(m, "weight"):
            if init_type == "gaussian":
                nn.init.normal_(m.weight.data, 0.0, 0.02)
            elif init_type == "xavier":
                nn.init.xavier_normal_(m.weight.data, gain=math.sqrt(2))
            if m.bias is not None:
                nn.init.constant_(m.bias.data, 0.0)

    return init_fun


@sixth(REFUSED)
def bounds_of(layer):
    bound = 1.0 / np.sqrt(layer.weight.data.size()[0])
    return (-bound, bound)


@sixth(DENSE + CONVOLUTION)
def weights_by_name(m):
    name = m.__class__.__name__
    if name.find("Conv") != -1:
        nn.init.kaiming_normal_(m.weight)
    elif name.find("BatchNorm") != -1:
        nn.init.ones_(m.weight)
    elif name.find("Linear") != -1:
        nn.init.xavier_uniform_(m.weight)
    if getattr(m, "bias", None) is not None:
        nn.init.zeros_(m.bias)


@sixth(DENSE)
def he_layers(layers, normal=True, **kaiming_params):
    method = nn.init.kaiming_normal_ if normal else nn.init.kaiming_uniform_
    for layer in layers:
        if hasattr(layer, "weight"):
            method(layer.weight, **kaiming_params)
            layer.bias.data.zero_()


@sixth(DENSE)
def xavier_module(module: nn.Module, gain: int | float = 1, bias: int | float = 0, distribution: str = "normal"):
    if distribution not in {"normal", "uniform"}:
        raise NotImplementedError(distribution)
    if hasattr(module, "weight") and module.weight is not None:
        (nn.init.xavier_uniform_ if distribution == "uniform" else nn.init.xavier_normal_)(module.weight, gain=gain)
    if hasattr(module, "bias") and module.bias is not None:
        nn.init.constant_(module.bias, bias)


@sixth(DENSE)
def xavier_linear(module, gain=1.0):
    assert isinstance(module, nn.Linear)
    nn.init.xavier_normal_(module.weight, gain)
    return module


@sixth(DENSE)
def kaiming_factory(a=0, zero_bias=False, exceptions=None, verbose=1):
    exceptions = exceptions or set()

    def kaiming(m):
        if type(m) in {nn.Linear, nn.Conv2d} - exceptions:
            nn.init.kaiming_normal_(m.weight, a)
            if m.bias is not None and zero_bias:
                nn.init.zeros_(m.bias)
        elif verbose > 1:
            print("left", m)

    return kaiming


@sixth(DENSE)
def kaiming_module(module, a=0, mode="fan_out", nonlinearity="relu", bias=0, distribution="normal"):
    assert distribution in ["uniform", "normal"]
    method = nn.init.kaiming_uniform_ if distribution == "uniform" else nn.init.kaiming_normal_
    method(module.weight, a=a, mode=mode, nonlinearity=nonlinearity)
    if hasattr(module, "bias") and module.bias is not None:
        nn.init.constant_(module.bias, bias)


@sixth(DENSE)
def orthogonal_module(module, gain=nn.init.calculate_gain("relu")):  # noqa: B008
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.orthogonal_(module.weight.data, gain)
        nn.init.constant_(module.bias.data, 0)
    return module


@sixth(DENSE)
def layer_init(layer, std=np.sqrt(2), bias_const=0.0):  # noqa: B008
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


@sixth(REFUSED)
def layer_init_inside(layer: nn.Module, std: float = 1.4, bias_const: float = 0.0) -> nn.Module:
    torch.nn.init.orthogonal_(layer.model.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


@sixth(REFUSED)
def siren_of_keywords(**kwargs):
    module, n, omega = kwargs["module"], kwargs["n"], kwargs["omega"]
    if isinstance(module, nn.Linear):
        module.weight.data.uniform_(-np.sqrt(6 / n) / omega, np.sqrt(6 / n) / omega)


class SirenInitializer:
    @staticmethod
    def siren_linear(linear_layer, in_features, is_first=False, omega_0=30.0):
        with torch.no_grad():
            bound = 1 / in_features if is_first else math.sqrt(6 / in_features) / omega_0
            linear_layer.weight.uniform_(-bound, bound)


sixth(DENSE)(SirenInitializer.siren_linear)


@sixth(DENSE)
def siren_layer(layer, w0=30.0, is_first=False):
    with torch.no_grad():
        in_dim = layer.weight.size(-1)
        bound = 1.0 / in_dim if is_first else math.sqrt(6.0 / in_dim) / w0
        layer.weight.uniform_(-bound, bound)


@sixth(DENSE)
def siren_model(model):
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, torch.nn.Linear):
                n = m.weight.size(-1)
                m.weight.uniform_(-np.sqrt(6 / n), np.sqrt(6 / n))


@sixth(DENSE)
def trunc_normal_init(module: nn.Module, mean: float = 0, std: float = 1, a: float = -2, b: float = 2, bias: float = 0):
    if hasattr(module, "weight") and module.weight is not None:
        nn.init.trunc_normal_(module.weight, mean, std, a, b)
    if hasattr(module, "bias") and module.bias is not None:
        nn.init.constant_(module.bias, bias)


@sixth(r"'mean'")
def normal_init(m, mean, std):
    if isinstance(m, (nn.ConvTranspose2d, nn.Conv2d, nn.Linear)):
        m.weight.data.normal_(mean, std)
        m.bias.data.zero_()


@sixth(r"'mean'")
def normal_or_truncated(m, mean, stddev, truncated=False):
    if truncated:
        m.weight.data.normal_().fmod_(2).mul_(stddev).add_(mean)
    else:
        m.weight.data.normal_(mean, stddev)
        m.bias.data.zero_()


@sixth(DENSE)
def normal_node(node: nn.Module, mean: float = 0.0, std: float = 1.0, **kwargs) -> None:
    with torch.no_grad():
        for param in node.parameters():
            if param.requires_grad:
                param.normal_(mean, std)


@sixth(REFUSED)
def hidden_init(layer):
    fan_in = layer.weight.data.size()[0]
    lim = 1.0 / np.sqrt(fan_in)
    return (-lim, lim)


@sixth(r"'weight_init'")
def init_with(module, weight_init, bias_init, gain=1):
    weight_init(module.weight.data, gain=gain)
    bias_init(module.bias.data)
    return module


@sixth(DENSE)
def weights_init_(m):
    if isinstance(m, nn.Linear):
        torch.nn.init.xavier_uniform_(m.weight, gain=1)
        torch.nn.init.constant_(m.bias, 0)


@sixth(DENSE)
def init_by_flag(net, init_gain=0.02):
    def init_func(m):
        if hasattr(m, "weight") and ("Conv" in type(m).__name__ or "Linear" in type(m).__name__):
            nn.init.normal_(m.weight.data, 0.0, init_gain)
            if m.bias is not None:
                nn.init.constant_(m.bias.data, 0.0)

    net.apply(init_func)


# torch: functions of a tensor or a shape


@sixth(DENSE)
def torch_params(size, std=1.0):
    return (torch.randn(size) * std).requires_grad_()


@sixth(DENSE)
def lecun_weight(weight: torch.Tensor) -> torch.Tensor:
    fan_in = nn.init._calculate_correct_fan(weight, "fan_in")
    return nn.init.normal_(weight, 0.0, (1.0 / fan_in) ** 0.5)


@sixth(DENSE)
def glorot_with_generator(shape: tuple[int, int], generator: torch.Generator) -> torch.Tensor:
    limit = (6.0 / (shape[0] + shape[1])) ** 0.5
    return torch.empty(shape).uniform_(-limit, limit, generator=generator)


@sixth(DENSE)
def glorot_on_device(shape, gain=1.0, dtype=torch.float32, device=None):
    tensor = torch.empty(shape, dtype=dtype, device=device)
    torch.nn.init.xavier_uniform_(tensor, gain=gain)
    return tensor


@sixth(DENSE)
def siren_tensor(tensor, use_this_fan_in=None):
    fan_in = use_this_fan_in if use_this_fan_in is not None else nn.init._calculate_correct_fan(tensor, "fan_in")
    bound = math.sqrt(6.0 / fan_in)
    with torch.no_grad():
        return tensor.uniform_(-bound, bound)


@sixth(DENSE)
def glorot(tensor):
    if tensor is not None:
        stdv = math.sqrt(6.0 / (tensor.size(-2) + tensor.size(-1)))
        tensor.data.uniform_(-stdv, stdv)


@sixth(r"'size'|signature=|[Pp]ass a function")
def uniform_of(size, tensor):
    bound = 1.0 / math.sqrt(size)
    if tensor is not None:
        tensor.data.uniform_(-bound, bound)


@sixth(r"'fan'")
def kaiming_uniform_of(tensor, fan, a):
    if tensor is not None:
        bound = math.sqrt(6 / ((1 + a**2) * fan))
        tensor.data.uniform_(-bound, bound)


@sixth(DENSE)
def fanin_init(size, fanin=None):
    fanin = fanin or size[0]
    v = 1.0 / np.sqrt(fanin)
    return torch.Tensor(size).uniform_(-v, v)


@sixth(DENSE)
def fanin_tensor(tensor):
    size = tensor.size()
    if len(size) == 2:
        fan_in = size[0]
    elif len(size) > 2:
        fan_in = np.prod(size[1:])
    else:
        raise Exception("Shape must be have dimension at least 2.")
    bound = 1.0 / np.sqrt(fan_in)
    return tensor.data.uniform_(-bound, bound)


@sixth(DENSE)
def variance_scaling_(tensor, scale=1.0, mode="fan_in", distribution="normal"):
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(tensor)
    denom = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    if distribution == "normal":
        nn.init.normal_(tensor, std=math.sqrt(scale / denom))
    else:
        bound = math.sqrt(3 * scale / denom)
        nn.init.uniform_(tensor, -bound, bound)


@sixth(DENSE)
def quantised_init(out_features: int, in_features: int, device="cpu", dtype=torch.float32) -> torch.Tensor:
    return torch.randn(out_features, in_features, device=device, dtype=dtype).sign() / in_features**0.5


# torch: layers


@sixth(LAYER)
class NoisyLinear(nn.Module):
    def __init__(self, in_features, out_features, std_init=0.5):
        super().__init__()
        bound = 1 / math.sqrt(in_features)
        self.weight_mu = nn.Parameter(torch.empty(out_features, in_features).uniform_(-bound, bound))
        self.weight_sigma = nn.Parameter(torch.full((out_features, in_features), std_init / math.sqrt(in_features)))
        self.bias_mu = nn.Parameter(torch.empty(out_features).uniform_(-bound, bound))

    def forward(self, x):
        return nn.functional.linear(x, self.weight_mu, self.bias_mu)


@sixth(LAYER)
class EqualLinear(nn.Module):
    def __init__(self, in_dim, out_dim, bias=True, bias_init=0, lr_mul=1, activation=None):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_dim, in_dim).div_(lr_mul))
        self.bias = nn.Parameter(torch.zeros(out_dim).fill_(bias_init)) if bias else None
        self.scale, self.lr_mul = (1 / math.sqrt(in_dim)) * lr_mul, lr_mul

    def forward(self, x):
        return nn.functional.linear(x, self.weight * self.scale, self.bias * self.lr_mul)


@sixth(LAYER)
class GraphConvolution(nn.Module):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.FloatTensor(in_features, out_features))
        self.bias = nn.Parameter(torch.FloatTensor(out_features)) if bias else None
        self.reset_parameters()

    def reset_parameters(self):
        stdv = 1.0 / math.sqrt(self.weight.size(1))
        self.weight.data.uniform_(-stdv, stdv)
        if self.bias is not None:
            self.bias.data.uniform_(-stdv, stdv)

    def forward(self, x, adj):
        return adj @ (x @ self.weight) + self.bias


@sixth(LAYER)
class MaskedLinear(nn.Linear):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__(in_features, out_features, bias)
        self.register_buffer("mask", torch.ones(out_features, in_features))

    def forward(self, x):
        return nn.functional.linear(x, self.mask * self.weight, self.bias)


@sixth(LAYER)
class LayerScale(nn.Module):
    def __init__(self, dim: int, init_values: float = 1e-5, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace
        self.gamma = nn.Parameter(init_values * torch.ones(dim))

    def forward(self, x):
        return x.mul_(self.gamma) if self.inplace else x * self.gamma


@sixth(LAYER)
class CausalConv1d(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, dilation=1):
        super().__init__()
        self.pad = (kernel_size - 1) * dilation
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, dilation=dilation)

    def forward(self, x):
        return self.conv(nn.functional.pad(x, (self.pad, 0)))


@sixth(LAYER)
class Regressor(nn.Module):
    def __init__(self, in_dim, hidden_dim, out_dim):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(in_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, out_dim))

    def forward(self, x):
        return self.net(x)


@sixth(REFUSED)
class Actor(nn.Module):
    def __init__(self, state_size, action_dim, fc1_width, fc2_width, seed):
        super().__init__()
        self.seed = torch.manual_seed(seed)
        self.fc1 = nn.Linear(state_size, fc1_width)
        self.fc2 = nn.Linear(fc1_width, fc2_width)
        self.fc3 = nn.Linear(fc2_width, action_dim)

    def forward(self, x):
        return torch.tanh(self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x))))))


# JAX


@sixth(DENSE)
def kaiming_key(key, shape, dtype):
    return jrandom.normal(key, shape, dtype) * jnp.sqrt(2 / shape[0])


@sixth(DENSE)
def constant_key(key, shape, dtype, c=0.0):
    return c * jnp.ones(shape, dtype)


@sixth(r"AttributeError")
def xavier_key(key, shape, dtype):
    bound = jnp.sqrt(6 / (shape[0] + shape[1]))
    return jnp.random.uniform(key, shape, dtype, minval=-bound, maxval=bound)


@sixth(r"'scale'")
def kernel_init(scale):
    return jax.nn.initializers.variance_scaling(max(scale, 1e-10), "fan_avg", "uniform")


@sixth(DENSE)
def cells_kernel(rng_key, kernel_shape):
    k = jax.random.uniform(rng_key, shape=kernel_shape)
    return k / k.sum()


@sixth(r"'std'")
def truncated_key(key: jax.Array, shape: tuple, std: float, dtype: jnp.dtype) -> jnp.ndarray:
    return std * jrandom.truncated_normal(key, -2, 2, shape=shape, dtype=dtype)


@sixth(r"'scale'")
def nd_dense_init(scale, mode, distribution):
    def init_fn(key, shape, dtype, in_axis, out_axis):
        return jax.nn.initializers.variance_scaling(scale, mode, distribution, in_axis, out_axis)(key, shape, dtype)

    return init_fn


@sixth(r"in_axis")
def nd_dense_default(scale=1.0, mode="fan_in", distribution="truncated_normal"):
    return nd_dense_init(scale, mode, distribution)


@sixth(r"parameter=")
def siren_pair(key, d_in, d_out, is_first=False):
    bound = 1 / d_in if is_first else jnp.sqrt(6 / d_in)
    w = jrandom.uniform(key, (d_in, d_out), minval=-bound, maxval=bound)
    return w, jnp.zeros((d_out,))


@sixth(r"'omega'")
def siren_scheme(in_dim, out_dim, omega, is_first, key):
    bound = 1 / in_dim if is_first else math.sqrt(6 / in_dim) / omega
    return jrandom.uniform(key, (out_dim, in_dim), minval=-bound, maxval=bound), jnp.zeros(out_dim)


@sixth(DENSE)
def siren_factory(omega=30, in_axis=-2, out_axis=-1, dtype=jnp.float32):
    def init(key, shape, dtype=dtype):
        bound = jnp.sqrt(6 / shape[in_axis]) / omega
        return jrandom.uniform(key, shape, dtype, minval=-bound, maxval=bound)

    return init


@sixth(r"parameter=")
def random_layer_params(m, n, key, scale=1e-2):
    w_key, b_key = jrandom.split(key)
    return scale * jrandom.normal(w_key, (n, m)), scale * jrandom.normal(b_key, (n,))


@sixth(r"parameter=|signature=|[Pp]ass a function")
def init_network_params(sizes, key):
    keys = jrandom.split(key, len(sizes))
    return [random_layer_params(m, n, k) for m, n, k in zip(sizes[:-1], sizes[1:], keys, strict=False)]


@sixth(DENSE)
class KeyedZeros:
    def __call__(self, key, shape, dtype=None):
        return jax.nn.initializers.zeros(key, shape, "float32" if dtype is None else dtype)


@sixth(REFUSED)
def Dense(out_dim, w_init=jax.nn.initializers.glorot_normal(), b_init=jax.nn.initializers.normal()):  # noqa: B008, N802
    def init_fun(rng, input_shape):
        k1, k2 = jrandom.split(rng)
        return (*input_shape[:-1], out_dim), (w_init(k1, (input_shape[-1], out_dim)), b_init(k2, (out_dim,)))

    def apply_fun(params, inputs):
        w, b = params
        return jnp.dot(inputs, w) + b

    return init_fun, apply_fun


@sixth(r"'r_max'|'r_min'")
def nu_init(key, shape, r_min, r_max, dtype=jnp.float32):
    u = jrandom.uniform(key, shape=shape, dtype=dtype)
    return jnp.log(-0.5 * jnp.log(u * (r_max**2 - r_min**2) + r_min**2))


@sixth(DENSE)
def matrix_init(key, shape, dtype=jnp.float32, normalization=1):
    return jrandom.normal(key=key, shape=shape, dtype=dtype) / normalization


@sixth(SQUARE)
def orthogonal_key(key, n):
    return jnp.linalg.qr(jrandom.normal(key, (n, n)))[0]


@sixth(DENSE)
def uniform_key(key, shape, minval=-0.1, maxval=0.1):
    return jrandom.uniform(key, shape, minval=minval, maxval=maxval)


@sixth(DENSE)
def torch_like(rng, shape, dtype=jnp.float32):
    bound = 1 / jnp.sqrt(shape[0])
    return jrandom.uniform(rng, shape, dtype, -bound, bound)


@sixth(DENSE)
def glorot_or_fixed(shape, key=None):
    key = jrandom.PRNGKey(0) if key is None else key
    return jrandom.normal(key, shape) * jnp.sqrt(2 / (shape[0] + shape[1]))


sixth(DENSE)(functools.partial(uniform_key, minval=-1.0, maxval=1.0))
