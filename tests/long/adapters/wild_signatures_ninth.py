"""A ninth sample of public forms: its answers were written, and committed, before the first run.

The forms are those that a search of public code for the names of initializers gave, in words of our own: one draw from
what is there rather than from what we know. An answer says what the door should make of it, in the words of the
seventh sample.

Of 169 forms 155 were made at first sight what their answers say (91.7 %, interval 86.5 to 95.4). Mended by kind: one
number where an array is asked for (``he_factor``), rows that are ``array.array`` (``compact_layer``), arrays that say
themselves what NumPy makes of them (``Lazy``), a width that may be left out (``LazyWidth``), the depth of a kernel
(``volumes``), what stands before ``*size`` (``on_gpu``), ``*modules``, Keras initializers whose configuration does not
build them (``ICNR``), a whole Equinox model (``TwoLayers``). Not misread: ``random_matrix``, whose class warned where
the test made errors of warnings. Five answers were changed after the run: ``compact_layer`` keeps one matrix, and is
read; a method of a whole model does to a layer what it would do to those inside (``WholeModel.init_weights``); the
sentences for ``CharRNN``, ``of_experts`` and ``EinsumDense`` say what to do in other words than were expected. One was
changed since: ``Invertible1x1Conv(c)`` was to be refused, and is read now that one width may have any name.
"""

import abc
import array
import dataclasses
import enum
import functools
import itertools
import math
import random
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch import nn
from wild_answers import CONVOLUTION, DENSE, KERNELS_LAST, LAYER, REFUSED, SQUARE

NINTH = []


def ninth(expected):
    def add(obj):
        NINTH.append((obj, expected))
        return obj

    return add


# -- NumPy and plain Python: courses, notebooks, networks from scratch


@ninth(SQUARE)
def identity_init(size):
    return np.eye(size)


@ninth(DENSE)
def random_flat(size):
    return np.random.uniform(-0.12, 0.12, size)


@ninth(REFUSED)
def he_factor(input_size, output_size):
    return np.sqrt(2.0 / input_size)


@ninth(REFUSED)
def he_mapped(W, fan_in):  # noqa: N803
    bound = np.sqrt(6 / fan_in)
    return np.array(W) * 2 * bound - bound


@ninth(r"'alpha'")
def he_leaky(fan_in, fan_out, alpha, rng):
    return rng.standard_normal((fan_out, fan_in)) * np.sqrt(2.0 / ((1.0 + alpha**2) * fan_in))


@ninth(DENSE)  # a weight a call: as many calls as a matrix has
def one_weight(fan_in: int, fan_out: int, rng: random.Random) -> float:
    return rng.gauss(0.0, math.sqrt(1.0 / fan_in))


@ninth(DENSE)
def random_matrix(a, b):
    out = np.zeros((a, b))
    for i in range(a):
        for j in range(b):
            out[i][j] = random.random()
    return np.matrix(out)


@ninth(DENSE)
def compact_layer(input_dim, output_dim):
    return {
        "weights": [array.array("f", [random.uniform(-1, 1) for _ in range(output_dim)]) for _ in range(input_dim)],
        "biases": array.array("f", [random.uniform(-1, 1) for _ in range(output_dim)]),
    }


@ninth(DENSE)
def scaled_truncated(shape, fan_in, factor=2.0, seed=None):
    sigma = np.sqrt(factor / fan_in)
    return np.clip(np.random.default_rng(seed).normal(0, sigma, shape), -2 * sigma, 2 * sigma)


class Tensor:
    """An array with its gradient, as who writes autograd anew has it."""

    def __init__(self, data, name=""):
        self.data, self.grad, self.name = data, None, name


@ninth(DENSE)
def xavier_named(shape, name: str = ""):
    bound = np.sqrt(6) / np.sqrt(sum(shape))
    return Tensor(np.random.uniform(-bound, bound, shape), name)


@ninth(DENSE)
def normal_named(shape, name: str = "", loc=0.0, scale=0.01):
    return Tensor(np.random.normal(loc, scale, shape), name=name)


class Setter:
    def __init__(self, mean=0, stddev=0.1):
        self.mean, self.stddev = mean, stddev

    def init_layer(self, layer, nvis=1, nhid=1):
        layer.set_weights(np.random.normal(self.mean, self.stddev, (nvis, nhid)))


ninth(REFUSED)(Setter().init_layer)


@ninth(r"parameter='W0'")
def numbered_params(layer_sizes: list[int], seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    params = {}
    for i, (n_in, n_out) in enumerate(itertools.pairwise(layer_sizes)):
        params[f"W{i}"] = (rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)).astype(np.float32)
        params[f"b{i}"] = np.zeros(n_out, np.float32)
    return params


@ninth(DENSE)
def he_with_choices(n_in: int, n_out: int, mode: str = "fan_in", distribution: str = "normal", seed: int = None):  # noqa: RUF013
    rng = np.random.default_rng(seed)
    fan = n_in if mode == "fan_in" else n_out
    return rng.normal(0, np.sqrt(2 / fan), (n_in, n_out))


@ninth(DENSE)
def zeros_of_image(img_shape):
    return np.zeros(img_shape)


class WithBackend:
    def __init__(self, backend=np):
        self.backend = backend

    def lecun_normal(self, fan_in, fan_out, rng):
        xp = self.backend
        return rng.standard_normal((fan_out, fan_in)) * xp.sqrt(1.0 / fan_in)

    def he_uniform(self, alpha, fan_in, fan_out, rng, xp):
        limit = xp.sqrt(6.0 / ((1.0 + alpha**2) * fan_in))
        return rng.uniform(-limit, limit, size=(fan_out, fan_in))


ninth(DENSE)(WithBackend().lecun_normal)
ninth(r"'alpha'")(WithBackend().he_uniform)


@ninth(REFUSED)
def in_complement(X, initialization="orthogonal"):  # noqa: N803
    n_samples, n_features = X.shape
    if initialization == "zero":
        return np.zeros(n_features)
    kernel = np.linalg.svd(X)[2][n_samples:]
    w = np.random.randn(n_features)
    return w - kernel.T @ (kernel @ w)


@ninth(DENSE)
class DenseOfCourse:
    def __init__(self, n_inputs, n_neurons, weight_regularizer_l1=0, bias_regularizer_l1=0):
        self.weights = 0.01 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))
        self.weight_regularizer_l1, self.bias_regularizer_l1 = weight_regularizer_l1, bias_regularizer_l1

    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases


@ninth(r"'activation'")
class LayerOfActivation:
    def __init__(self, input_size, output_size, activation):
        self.w = np.random.randn(input_size, output_size) * activation.gain / np.sqrt(input_size)


@ninth(REFUSED)
class OfData:
    def __init__(self, x, y):
        self.weights1 = np.random.rand(x.shape[1], 4)
        self.weights2 = np.random.rand(4, 1)


@ninth(REFUSED)
class Conv3x3:
    def __init__(self, num_filters):
        self.filters = np.random.randn(num_filters, 3, 3) / 9


@ninth(r"lambda fan_in, fan_out: CharRNN\(\.\.\.\)\.Wxh")
class CharRNN:
    def __init__(self, input_size, output_size, hidden_size=64):
        self.Wxh = np.random.randn(hidden_size, input_size) / 1000
        self.Whh = np.random.randn(hidden_size, hidden_size) / 1000
        self.Why = np.random.randn(output_size, hidden_size) / 1000

    def forward(self, inputs):
        h = np.zeros((self.Whh.shape[0], 1))
        for x in inputs:
            h = np.tanh(self.Wxh @ x + self.Whh @ h)
        return self.Why @ h


@ninth(REFUSED)
class Perceptron:
    def __init__(self, no_of_inputs, learning_rate=0.01):
        self.weights = np.zeros(no_of_inputs + 1)


@ninth(REFUSED)
def self_organising(x, y, input_len, random_seed=None):
    rng = np.random.RandomState(random_seed)
    return rng.rand(x, y, input_len) * 2 - 1


@ninth(r"parameter='0'")
def word_vectors(N, V, random_seed=1):  # noqa: N803
    np.random.seed(random_seed)
    return np.random.rand(N, V), np.random.rand(V, N), np.random.rand(N, 1), np.random.rand(V, 1)


@ninth(DENSE)
def vectors(vocab_size, emb_size):
    return np.random.randn(vocab_size, emb_size) * 0.01


@ninth(DENSE)
def between_nodes(nodes_prev, nodes_next):
    return np.random.randn(nodes_prev, nodes_next) / np.sqrt(nodes_prev)


@ninth(r"'scale'")
def random_params(scale, layer_sizes, rs=None):
    rs = rs or np.random.RandomState(0)
    return [(scale * rs.randn(m, n), scale * rs.randn(n)) for m, n in itertools.pairwise(layer_sizes)]


ninth(r"parameter='0\.0'")(functools.partial(random_params, 0.1))


class Lazy:
    """A tensor that is computed when it is asked for."""

    def __init__(self, compute, shape):
        self._compute, self.shape = compute, shape

    def numpy(self):
        return self._compute()

    @staticmethod
    def glorot_uniform(*shape, **kwargs):
        bound = math.sqrt(6 / (shape[0] + math.prod(shape[1:])))
        value = np.random.uniform(-bound, bound, shape).astype(np.float32)
        return Lazy(lambda: value, shape)


ninth(DENSE)(Lazy.glorot_uniform)


@ninth(DENSE)
class LazyWidth:
    """Its input width may be left for the first call."""

    def __init__(self, out_size, nobias=False, dtype=np.float32, in_size=None):
        self.in_size, self.out_size, self.dtype = in_size, out_size, dtype
        self.W = None if in_size is None else np.random.randn(in_size, out_size).astype(dtype) / np.sqrt(in_size)
        self.b = None if nobias else np.zeros(out_size, dtype=dtype)

    def forward(self, x):
        return x @ self.W + self.b


@ninth(DENSE)
class FillsArrays:
    def __init__(self, scale=1.0, dtype=None, **kwargs):
        self.scale, self.dtype = scale, dtype

    def __call__(self, array):
        fan_in = array.shape[1]
        array[...] = np.random.normal(0, self.scale * np.sqrt(2 / fan_in), array.shape)


@ninth(REFUSED)
class OfDescription:
    """Whose weight it is is told by a string that carries attributes."""

    def __call__(self, desc, arr):
        getattr(self, f"_init_{desc.attrs['kind']}")(arr)

    def _init_weight(self, arr):
        arr[:] = np.random.uniform(-0.07, 0.07, arr.shape)


class Estimator:
    def __init__(self, activation="relu", random_state=0):
        self.activation, self._random_state = activation, np.random.RandomState(random_state)

    def _init_coef(self, fan_in, fan_out, dtype):
        bound = np.sqrt((2.0 if self.activation == "logistic" else 6.0) / (fan_in + fan_out))
        coef = self._random_state.uniform(-bound, bound, (fan_in, fan_out)).astype(dtype, copy=False)
        return coef, self._random_state.uniform(-bound, bound, fan_out).astype(dtype, copy=False)


ninth(r"parameter='0'")(Estimator()._init_coef)


@ninth(DENSE)
class Glorot:
    def __init__(self, gain=1.0, c01b=False):
        self.gain, self.c01b = gain, c01b

    def __call__(self, shape):
        return self.sample(shape)

    def sample(self, shape):
        bound = self.gain * math.sqrt(6 / (shape[0] + shape[1]))
        return np.random.uniform(-bound, bound, shape)


@ninth(DENSE)
class IsotropicGaussian:
    def __init__(self, std=1, mean=0):
        self.std, self.mean = std, mean

    def generate(self, rng, shape):
        return rng.normal(self.mean, self.std, shape).astype("float32")


@ninth(SQUARE)
def reservoir(n, spectral_radius=0.9, sparsity=0.2, rng=None):
    rng = np.random.default_rng() if rng is None else rng
    w = rng.normal(size=(n, n)) * (rng.random((n, n)) > sparsity)
    return w * spectral_radius / np.abs(np.linalg.eigvals(w)).max()


@ninth(REFUSED)
def one_after_another(shape):
    while True:
        yield np.random.randn(*shape)


@ninth(DENSE)
@functools.lru_cache
def remembered(shape):
    return np.random.normal(0, np.sqrt(2 / shape[0]), shape)


@ninth(DENSE)
class Scheme(enum.Enum):
    HE = 2.0
    LECUN = 1.0

    def __call__(self, shape, rng):
        return rng.normal(0, math.sqrt(self.value / shape[0]), shape)


NINTH[-1] = (Scheme.HE, DENSE)


@ninth(REFUSED)
class Abstract(abc.ABC):
    @abc.abstractmethod
    def __call__(self, shape): ...


@ninth(DENSE)
def either_or(shape, rng_or_seed=None):
    rng = rng_or_seed if isinstance(rng_or_seed, np.random.Generator) else np.random.default_rng(rng_or_seed)
    return rng.normal(0, math.sqrt(1 / shape[0]), shape)


@ninth(DENSE)
def of_the_module(size, rng=np.random):
    return rng.standard_normal(size) / math.sqrt(size[0])


@ninth(DENSE)
def of_python(n_in, n_out, rng=random):
    return [[rng.gauss(0, 1 / math.sqrt(n_in)) for _ in range(n_out)] for _ in range(n_in)]


@ninth(r"'bits'")
def quantised(shape, bits: int):
    return np.round(np.random.randn(*shape) * 2**bits) / 2**bits


TABLE = {"he": lambda shape: np.random.randn(*shape) * np.sqrt(2 / shape[0])}
ninth(DENSE)(TABLE["he"])


@ninth(((3, 5, 7),))
def conv1d_filters(kernel_size, in_channels, out_channels):
    return np.random.randn(kernel_size, in_channels, out_channels) * np.sqrt(2 / (kernel_size * in_channels))


@ninth(((5, 7, 3, 2, 2),))
def volumes(out_channels, in_channels, depth, height, width):
    fan_in = in_channels * depth * height * width
    return np.random.randn(out_channels, in_channels, depth, height, width) * np.sqrt(2 / fan_in)


@ninth(REFUSED)
def depthwise(kernel_size, channels, multiplier):
    return np.random.randn(kernel_size, kernel_size, channels, multiplier) / kernel_size


@ninth(CONVOLUTION)
def filters_of_shape(num_filters, num_channels, filter_size):
    bound = np.sqrt(6 / (num_channels * filter_size**2))
    return np.random.uniform(-bound, bound, (num_filters, num_channels, filter_size, filter_size))


# -- torch: modules and tensors


@ninth(REFUSED)
def bounds(layer):
    fan_in = layer.weight.data.size()[0]
    return -1 / np.sqrt(fan_in), 1 / np.sqrt(fan_in)


@ninth(DENSE)
def leaf(size, std=1.0):
    return (torch.randn(size) * std).requires_grad_()


@ninth(r"'if_gpu'")
def on_gpu(if_gpu, *size):
    var = nn.init.xavier_normal_(torch.empty(*size))
    return nn.Parameter(var.cuda() if if_gpu else var)


@ninth(DENSE + CONVOLUTION)
def xavier_module(
    module: nn.Module, gain: int | float = 1, bias: int | float = 0, distribution: str = "normal"
) -> None:
    if distribution not in ("normal", "uniform"):
        raise NotImplementedError(distribution)
    if hasattr(module, "weight") and module.weight is not None:
        nn.init.xavier_normal_(module.weight, gain=gain)
    if hasattr(module, "bias") and module.bias is not None:
        nn.init.constant_(module.bias, bias)


@ninth(DENSE)
def reassigned(module, gain=1.0):
    assert isinstance(module, nn.Linear)
    module.weight = nn.init.xavier_normal_(module.weight, gain=gain)
    return module


@ninth(DENSE + CONVOLUTION)
def orthogonal_layer(layer, gain=np.sqrt(2), bias_const=0.0):  # noqa: B008
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.constant_(layer.bias, bias_const)
    return layer


@ninth(CONVOLUTION)
def of_children(module):
    for _name, m in module.named_children():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_in", nonlinearity="relu")
        elif isinstance(m, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.ones_(m.weight)
        elif len(list(m.children())):
            of_children(m)


@ninth(DENSE + CONVOLUTION)
def by_type(init_type="gaussian"):
    def init_fun(m):
        classname = m.__class__.__name__
        if (classname.find("Conv") == 0 or classname.find("Linear") == 0) and hasattr(m, "weight"):
            if init_type == "gaussian":
                nn.init.normal_(m.weight.data, 0.0, 0.02)
            elif init_type == "xavier":
                nn.init.xavier_normal_(m.weight.data, gain=math.sqrt(2))

    return init_fun


@ninth(DENSE + CONVOLUTION)
def by_classname(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.kaiming_normal_(m.weight)
        if m.bias is not None:
            nn.init.zeros_(m.bias)
    elif classname.find("BatchNorm") != -1:
        nn.init.ones_(m.weight)
    elif classname.find("Linear") != -1:
        nn.init.xavier_uniform_(m.weight)


@ninth(DENSE + CONVOLUTION)
def truncated_module(module: nn.Module, mean: float = 0, std: float = 1, a: float = -2, b: float = 2, bias: float = 0):
    if hasattr(module, "weight") and module.weight is not None:
        nn.init.trunc_normal_(module.weight, mean, std, a, b)
    if hasattr(module, "bias") and module.bias is not None:
        nn.init.constant_(module.bias, bias)


@ninth(DENSE)
def truncated_by_erf_(t: torch.Tensor, std: float = 1.0):
    with torch.no_grad():
        if std == 0:
            return t.zero_()
        a, b = math.erf(-2 / math.sqrt(2)), math.erf(2 / math.sqrt(2))
        t.uniform_(a, b).erfinv_().mul_(math.sqrt(2) * std).clip_(-2 * std, 2 * std)
    return t


@ninth(DENSE)
def evoformer_(weights, scale=1.0, fan="fan_in"):
    fan_out, fan_in = weights.shape
    std = math.sqrt(scale / max(1, fan_in if fan == "fan_in" else fan_out))
    samples = np.clip(np.random.normal(0, std, math.prod(weights.shape)), -2 * std, 2 * std)
    with torch.no_grad():
        weights.copy_(torch.tensor(samples.reshape(weights.shape), device=weights.device))


@ninth(DENSE)
def gating_(weights):
    with torch.no_grad():
        weights.fill_(0.0)


@ninth(DENSE)
def clamped(shape, std=1.0):
    return torch.clamp(torch.randn(shape) * std, -2 * std, 2 * std)


@ninth(DENSE)
def told_both_fans_(weight: torch.Tensor, fan_in: int, fan_out: int) -> None:
    if weight.numel() == 0:
        return
    std = math.sqrt(2.0 / (fan_in + fan_out))
    nn.init.trunc_normal_(weight, std=std, a=-3 * std, b=3 * std)


@ninth(DENSE + CONVOLUTION)
def if_matrix(m):
    if hasattr(m, "weight") and m.weight.dim() > 1:
        nn.init.xavier_uniform_(m.weight.data)


@ninth(CONVOLUTION)
def of_critic(model: nn.Module) -> None:
    for m in model.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)):
            nn.init.normal_(m.weight.data, 0.0, 0.02)


@ninth(DENSE)
def exactly_linear(m):
    if type(m) == nn.Linear:  # noqa: E721
        nn.init.kaiming_normal_(m.weight)
        if m.bias is not None:
            nn.init.constant_(m.bias, 0)


@ninth(DENSE)
def linear_returned(linear: torch.nn.Linear, std: float = math.sqrt(2), bias: float = 0.0) -> torch.nn.Linear:
    torch.nn.init.orthogonal_(linear.weight, std)
    torch.nn.init.constant_(linear.bias, bias)
    return linear


@ninth(DENSE)
def tanh_linears(module):
    for m in module.modules():
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight, nn.init.calculate_gain("tanh"))


@ninth(r"'wmean'")
def sequence_of(nnseq, wmean, wstd, bval):
    for mod in nnseq:
        if type(mod) is nn.Linear:
            mod.weight.data.normal_(wmean, wstd)
            mod.bias.data.fill_(bval)


@ninth(r"'gain'")
def orthogonal_needs_(layer: nn.Linear, gain: float) -> None:
    nn.init.orthogonal_(layer.weight, gain=gain)
    nn.init.zeros_(layer.bias)


@ninth(DENSE + CONVOLUTION)
def by_parameter_name(layer, gain=1.0):
    for name, params in layer.named_parameters():
        if "bias" in name:
            nn.init.constant_(params, 0)
        elif "weight" in name:
            nn.init.orthogonal_(params, gain=gain)


@ninth(DENSE + CONVOLUTION)
def three_kinds(m):
    if isinstance(m, nn.Linear):
        nn.init.orthogonal_(m.weight.data, 1.0)
        nn.init.constant_(m.bias.data, 0)
    elif isinstance(m, nn.Conv2d):
        nn.init.orthogonal_(m.weight.data, nn.init.calculate_gain("relu"))
        nn.init.constant_(m.bias.data, 0)
    elif isinstance(m, nn.LayerNorm):
        nn.init.constant_(m.weight.data, 1)


@ninth(CONVOLUTION)
def graph_conv_(conv):
    nn.init.kaiming_normal_(conv.weight, mode="fan_out")
    nn.init.constant_(conv.bias, 0)


@ninth(r"'branches'")
def branches_(conv, branches):
    n, k1, k2 = conv.weight.size(0), conv.weight.size(1), conv.weight.size(2)
    nn.init.normal_(conv.weight, 0, math.sqrt(2.0 / (n * k1 * k2 * branches)))


@ninth(REFUSED)
def norm_(bn, scale):
    nn.init.constant_(bn.weight, scale)
    nn.init.constant_(bn.bias, 0)


@ninth(CONVOLUTION)
def of_its_fields(module):
    n = module.out_channels
    for k in module.kernel_size:
        n *= k
    module.weight.data.normal_(0, math.sqrt(2.0 / n))


@ninth(CONVOLUTION)
def only_with_bias(m):
    class_name = m.__class__.__name__
    if class_name.find("Conv") != -1 and m.bias is not None:
        nn.init.xavier_uniform_(m.weight, gain=np.sqrt(2))
        nn.init.constant_(m.bias, 0)


@ninth(DENSE)
def tagger_embedding(input_embedding):
    bound = np.sqrt(3.0 / input_embedding.size(1))
    nn.init.uniform_(input_embedding, -bound, bound)


@ninth(r"'glove_lookup'")
def of_glove(glove_lookup, token_lookup, num_tokens, embed_len):
    weights = nn.Parameter(torch.empty(num_tokens, embed_len).normal_(0, 1 / math.sqrt(embed_len)))
    for token, index in token_lookup.items():
        weights.data[index] = glove_lookup[token]
    return nn.Embedding.from_pretrained(weights)


@ninth(DENSE)
def normalized_columns(weights, std=1.0):
    out = torch.randn(weights.size())
    out *= std / torch.sqrt(out.pow(2).sum(1, keepdim=True).expand_as(out))
    return out


@ninth(DENSE)
def normalized_columns_of(std: float = 1.0):
    def _initializer(shape, dtype=None, partition_info=None):
        out = np.random.randn(*shape).astype(np.float32)
        out *= std / np.sqrt(np.square(out).sum(axis=0, keepdims=True))
        return out

    return _initializer


@ninth(r"'scale'")
def ported_scaling(scale, mode, distribution, in_axis=1, out_axis=0, dtype=torch.float32, device="cpu"):
    def init(shape, dtype=dtype, device=device):
        fan = math.prod(shape) / shape[out_axis] if mode == "fan_in" else sum(shape) / 2
        if distribution == "normal":
            return torch.randn(*shape, dtype=dtype, device=device) * math.sqrt(scale / fan)
        return (torch.rand(*shape, dtype=dtype, device=device) * 2 - 1) * math.sqrt(3 * scale / fan)

    return init


@ninth(DENSE + CONVOLUTION)
def default_of_score(scale=1.0):
    return ported_scaling(scale or 1e-10, "fan_avg", "uniform")


@ninth(DENSE + CONVOLUTION)
def optional_gain(module: nn.Module, gain: float | None = None) -> None:
    gain = nn.init.calculate_gain("relu") if gain is None else gain
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.orthogonal_(module.weight, gain=gain)
        if module.bias is not None:
            nn.init.constant_(module.bias, 0)


@ninth(r"'std'")
def cut_off(module, std: float, init_cutoff_factor: float | None = None):
    if init_cutoff_factor is not None:
        cut = init_cutoff_factor * std
        nn.init.trunc_normal_(module.weight, mean=0.0, std=std, a=-cut, b=cut)
    else:
        nn.init.normal_(module.weight, mean=0.0, std=std)


ninth(DENSE + CONVOLUTION)(functools.partial(cut_off, std=0.02, init_cutoff_factor=3))


@ninth(DENSE + CONVOLUTION)
def he_of_model(model):
    def init_weights(m):
        if isinstance(m, nn.Linear) or isinstance(m, nn.Conv2d):  # noqa: SIM101
            nn.init.kaiming_uniform_(m.weight)
            m.bias.data.fill_(0.01)

    model.apply(init_weights)


# -- torch: language models, diffusion, audio, graphs, reinforcement learning


class WholeModel(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def init_weights(self):
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, 0, 0.02)


ninth(DENSE)(WholeModel.init_weights)


@ninth(r"'config'")
def of_olmo(config, module, d=None, layer_id=None, std_factor=1.0):
    nn.init.normal_(module.weight, std=config.init_std * std_factor)


@ninth(DENSE)
def depth_scaled(module, *, std: float = 0.02, depth: int = 12):
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=std / math.sqrt(2 * depth))


@ninth(r"num_experts=\.\.\.")
def of_experts(num_experts, d_model, d_ff):
    return nn.Parameter(torch.randn(num_experts, d_model, d_ff) * d_model**-0.5)


@ninth(r"'num_experts'")
class Experts(nn.Module):
    def __init__(self, num_experts, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_experts, in_features, out_features) * in_features**-0.5)

    def forward(self, x):
        return torch.bmm(x, self.weight)


@ninth(LAYER)
class LoRALinear(nn.Module):
    def __init__(self, in_features, out_features, rank=4, alpha=1):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features, bias=False)
        self.A = nn.Parameter(torch.empty(rank, in_features))
        self.B = nn.Parameter(torch.zeros(out_features, rank))
        self.scaling = alpha / rank
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))

    def forward(self, x):
        return self.linear(x) + self.scaling * (x @ self.A.T @ self.B.T)


@ninth(DENSE)
def lora_(A):  # noqa: N803
    nn.init.kaiming_uniform_(A, a=math.sqrt(5))


@ninth(SQUARE)
def hippo(N):  # noqa: N803
    p = np.sqrt(1 + 2 * np.arange(N))
    a = p[:, np.newaxis] * p[np.newaxis, :]
    return -(np.tril(a) - np.diag(np.arange(N)))


@dataclasses.dataclass
class Config:
    initializer_range: float = 0.02


class PreTrained(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config

    def _init_weights(self, module):
        std = self.config.initializer_range
        if isinstance(module, nn.Linear):
            module.weight.data.normal_(mean=0.0, std=std)
            if module.bias is not None:
                module.bias.data.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.data.normal_(mean=0.0, std=std)


ninth(DENSE)(PreTrained(Config())._init_weights)


@ninth(DENSE + CONVOLUTION)
def zero_module(module):
    for p in module.parameters():
        p.detach().zero_()
    return module


def of_edm(shape, mode, fan_in, fan_out):
    if mode == "xavier_uniform":
        return np.sqrt(6 / (fan_in + fan_out)) * (torch.rand(*shape) * 2 - 1)
    if mode == "kaiming_normal":
        return np.sqrt(1 / fan_in) * torch.randn(*shape)
    raise ValueError(f'Invalid init mode "{mode}"')


ninth(r"'mode'")(of_edm)
ninth(DENSE)(functools.partial(of_edm, mode="kaiming_normal"))


@ninth(LAYER)
class EdmLinear(nn.Module):
    def __init__(self, in_features, out_features, bias=True, init_mode="kaiming_normal", init_weight=1, init_bias=0):
        super().__init__()
        given = {"mode": init_mode, "fan_in": in_features, "fan_out": out_features}
        self.weight = nn.Parameter(of_edm([out_features, in_features], **given) * init_weight)
        self.bias = nn.Parameter(of_edm([out_features], **given) * init_bias) if bias else None

    def forward(self, x):
        x = x @ self.weight.to(x.dtype).t()
        return x if self.bias is None else x.add_(self.bias.to(x.dtype))


@ninth(LAYER)
class Invertible1x1Conv(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = nn.Conv1d(c, c, kernel_size=1, bias=False)
        self.conv.weight.data = torch.linalg.qr(torch.randn(c, c))[0].view(c, c, 1)

    def forward(self, z):
        return self.conv(z)


@ninth(CONVOLUTION)
def of_vocoder(m, mean=0.0, std=0.01):
    if m.__class__.__name__.find("Conv") != -1:
        m.weight.data.normal_(mean, std)


@ninth(LAYER)
class LinearNorm(nn.Module):
    def __init__(self, in_dim, out_dim, bias=True, w_init_gain="linear"):
        super().__init__()
        self.linear_layer = nn.Linear(in_dim, out_dim, bias=bias)
        nn.init.xavier_uniform_(self.linear_layer.weight, gain=nn.init.calculate_gain(w_init_gain))

    def forward(self, x):
        return self.linear_layer(x)


@ninth(LAYER)
class ConvNorm(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=1, stride=1, padding=None, w_init_gain="linear"):
        super().__init__()
        padding = (kernel_size - 1) // 2 if padding is None else padding
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, stride, padding)
        nn.init.xavier_uniform_(self.conv.weight, gain=nn.init.calculate_gain(w_init_gain))

    def forward(self, signal):
        return self.conv(signal)


@ninth(LAYER)
class UpConv(nn.ConvTranspose2d):
    def reset_parameters(self):
        nn.init.kaiming_normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


@ninth(r"'init'")
def espnet_initialize(model: nn.Module, init: str):
    for p in model.parameters():
        if p.dim() > 1:
            {"xavier_uniform": nn.init.xavier_uniform_, "kaiming_normal": nn.init.kaiming_normal_}[init](p.data)


@ninth(DENSE + CONVOLUTION)
def pixels(m):
    """The kernel's middle is orthogonal, what lies around it is nothing."""
    if isinstance(m, nn.Linear):
        nn.init.orthogonal_(m.weight.data)
        m.bias.data.fill_(0.0)
    elif isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
        assert m.weight.size(2) == m.weight.size(3)
        m.weight.data.fill_(0.0)
        mid = m.weight.size(2) // 2
        nn.init.orthogonal_(m.weight.data[:, :, mid, mid], nn.init.calculate_gain("relu"))


@ninth(r"'given_scale'")
def dreamer_uniform(given_scale):
    def f(m):
        if isinstance(m, nn.Linear):
            limit = np.sqrt(3 * given_scale / ((m.in_features + m.out_features) / 2.0))
            nn.init.uniform_(m.weight.data, a=-limit, b=limit)

    return f


@ninth(DENSE + CONVOLUTION)
def dreamer(m):
    if isinstance(m, nn.Linear):
        std = np.sqrt(2.0 / (m.in_features + m.out_features)) / 0.87962566103423978
        nn.init.trunc_normal_(m.weight.data, mean=0.0, std=std, a=-2.0 * std, b=2.0 * std)
    elif isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
        space = m.kernel_size[0] * m.kernel_size[1]
        std = np.sqrt(2.0 / (space * (m.in_channels + m.out_channels))) / 0.87962566103423978
        nn.init.trunc_normal_(m.weight.data, mean=0.0, std=std, a=-2.0, b=2.0)


@ninth(DENSE)
def of_graphs(value: Any):
    if isinstance(value, torch.Tensor):
        stdv = math.sqrt(6.0 / (value.size(-2) + value.size(-1)))
        value.data.uniform_(-stdv, stdv)
    else:
        for v in value.parameters() if hasattr(value, "parameters") else []:
            of_graphs(v)


@ninth(r"'a'")
def kaiming_of_graphs(value: Any, fan: int, a: float):
    bound = math.sqrt(6 / ((1 + a**2) * fan))
    value.data.uniform_(-bound, bound)


@ninth(r"'size'")
def uniform_of_graphs(size: int, value: Any):
    bound = 1.0 / math.sqrt(size)
    value.data.uniform_(-bound, bound)


@ninth(LAYER)
class GraphConvolution(nn.Module):
    """It is fed features and the graph."""

    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.empty(out_features)) if bias else None
        stdv = 1.0 / math.sqrt(self.weight.size(1))
        self.weight.data.uniform_(-stdv, stdv)

    def forward(self, input, adj):
        return torch.spmm(adj, input @ self.weight)


@ninth(LAYER)
class CosineLinear(nn.Module):
    def __init__(self, in_features, out_features, sigma=True):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.sigma = nn.Parameter(torch.ones(1)) if sigma else None
        stdv = 1.0 / math.sqrt(self.weight.size(1))
        self.weight.data.uniform_(-stdv, stdv)

    def forward(self, x):
        out = nn.functional.linear(nn.functional.normalize(x, dim=1), nn.functional.normalize(self.weight, dim=1))
        return out if self.sigma is None else self.sigma * out


@ninth(LAYER)
class NoisyLinear(nn.Module):
    def __init__(self, in_features, out_features, std_init=0.5):
        super().__init__()
        self.weight_mu = nn.Parameter(torch.empty(out_features, in_features))
        self.weight_sigma = nn.Parameter(torch.full((out_features, in_features), std_init / math.sqrt(in_features)))
        self.register_buffer("weight_epsilon", torch.empty(out_features, in_features).normal_())
        bound = 1 / math.sqrt(in_features)
        self.weight_mu.data.uniform_(-bound, bound)

    def forward(self, x):
        weight = self.weight_mu + self.weight_sigma * self.weight_epsilon if self.training else self.weight_mu
        return nn.functional.linear(x, weight)


ninth(LAYER)(nn.EmbeddingBag)
ninth(REFUSED)(nn.LazyLinear)


@ninth(DENSE)
@functools.singledispatch
def dispatched(m):
    """Nothing is to be done for modules of other kinds."""


@dispatched.register(nn.Linear)
def _(m):
    nn.init.kaiming_normal_(m.weight, nonlinearity="relu")


@ninth(DENSE)
def of_device(shape: tuple[int, int], device: torch.device = torch.device("cpu"), dtype=None, generator=None):  # noqa: B008
    return torch.randn(shape, device=device, dtype=dtype, generator=generator) * math.sqrt(2 / shape[0])


@ninth(DENSE)
def of_size(*size, device=None, requires_grad=True):
    t = torch.empty(*size, device=device)
    nn.init.kaiming_uniform_(t, a=math.sqrt(5))
    return t.requires_grad_(requires_grad)


@ninth(DENSE)
def of_letters(n, m):
    w = nn.Parameter(torch.Tensor(n, m))
    nn.init.xavier_uniform_(w)
    return w


@ninth(DENSE)
def jaxtyped_(w: "Float[Tensor, 'out in']"):  # noqa: F722, F821
    return nn.init.kaiming_normal_(w)


@ninth(DENSE)
def every_parameter(params: Iterable[nn.Parameter]):
    for p in params:
        if p.dim() > 1:
            nn.init.xavier_normal_(p)


@ninth(DENSE)
def of_modules(*modules):
    for m in modules:
        nn.init.xavier_uniform_(m.weight)


@ninth(REFUSED)
def left_over(self, m):
    nn.init.normal_(m.weight, 0, self.std)


# -- JAX


@ninth(DENSE)
def normalised_kernel(rng_key, kernel_shape):
    k = jax.random.uniform(rng_key, shape=kernel_shape)
    return k / k.sum()


@ninth(DENSE)
def dtype_before_key(mean=0.0, stddev=1.0):
    def _init(shape, dtype, rng_key):
        return mean + stddev * jax.random.normal(key=rng_key, shape=shape, dtype=dtype)

    return _init


@ninth(r"'scale'")
def of_axes(key: jax.Array, *, scale: float, mode: str, input_axes: dict[str, int], output_axes: dict[str, int]):
    shape = (*input_axes.values(), *output_axes.values())
    return jax.random.normal(key, shape) * math.sqrt(scale / math.prod(input_axes.values()))


@ninth(r"'kl'")
def msra(kl, dl):
    std = math.sqrt(2.0 / (kl**2 * dl))
    return lambda shape: np.random.normal(0, std, shape)


@ninth(r"'scale'")
def lecun_scaled(scale):
    return jax.nn.initializers.variance_scaling(scale, "fan_in", "truncated_normal")


@ninth(r"'has_biases'|'output_dims'")
def several_outputs(input_dim: int, output_dims: tuple[int, ...], has_biases: bool, *, key: jax.Array):
    bound = 1 / math.sqrt(input_dim)
    weights = jax.random.uniform(key, (sum(output_dims), input_dim), minval=-bound, maxval=bound)
    return (weights, jnp.zeros(sum(output_dims))) if has_biases else weights


@ninth(r"'scale'")
def nd_dense(scale, mode, distribution):
    def init_fn(key, shape, dtype, in_axis, out_axis):
        return jax.nn.initializers.variance_scaling(scale, mode, distribution, in_axis, out_axis)(key, shape, dtype)

    return init_fn


ninth(r"'in_axis'")(functools.partial(nd_dense, 1.0, "fan_in", "truncated_normal"))
ninth(DENSE)(functools.partial(jax.nn.initializers.he_normal(), dtype=jnp.float32))


@ninth(KERNELS_LAST)
def conv_of_key(key, kh, kw, cin, cout):
    return jax.random.normal(key, (kh, kw, cin, cout)) * jnp.sqrt(2.0 / (kh * kw * cin))


@ninth(DENSE)
def prior(rng_key, D_X, D_H):  # noqa: N803
    return jax.random.normal(rng_key, (D_X, D_H)) / jnp.sqrt(D_X)


@ninth(((5, 7, 3),))
def stacked(key, shape):
    return jax.vmap(lambda k: jax.nn.initializers.he_normal()(k, shape[1:]))(jax.random.split(key, shape[0]))


@ninth(DENSE)
@dataclasses.dataclass(frozen=True)
class NormalInit:
    stddev: float = 0.02

    def __call__(self, key, shape, dtype=jnp.float32):
        return self.stddev * jax.random.normal(key, shape, dtype)


@ninth(REFUSED)
def of_named_axes(In: "Axis", Out: "Axis", *, key):  # noqa: F821, N803
    return jax.random.normal(key, (Out.size, In.size)) / math.sqrt(In.size)


@ninth(DENSE)
def annotated(key: "PRNGKeyArray", shape: tuple[int, ...]) -> "Float[Array, '...']":  # noqa: F821
    return jax.random.normal(key, shape) * math.sqrt(1 / shape[0])


@ninth(DENSE)
def xavier_of_weight(weight: jax.Array, key: jax.Array, scale: float = 1.0) -> jax.Array:
    out, in_ = weight.shape
    bound = scale * math.sqrt(6 / (in_ + out))
    return jax.random.uniform(key, weight.shape, minval=-bound, maxval=bound)


@ninth(r"parameter='w'")
def transformer_linear(key, n_in, n_out, use_bias=True):
    wkey, _ = jax.random.split(key)
    params = {"w": jax.random.normal(wkey, (n_in, n_out)) * 0.02}
    return params | {"b": jnp.zeros(n_out)} if use_bias else params


@ninth(r"'desc'")
def described(desc: Mapping[str, Any], seed: int):
    return np.random.default_rng(seed).normal(0, desc["std"], desc["shape"])
