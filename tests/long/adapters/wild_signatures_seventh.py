"""A seventh sample of public forms: its answers were written, and committed, before the first run.

Each answer is what the door should make of the object: shapes that it draws, a layer, two parts of a complex matrix, or
words of the sentence that refuses it. What is refused is refused without a call, where it says whether it was called.

Of 143 forms 135 were made at first sight what their answers say (94 %, interval 89 to 97). Missed: keyword-only
generators with a name of their own (``pesos``), rows in a tuple (``as_tuple_of_rows``), a dtype that is called as a
class (``float_of_dtype``), the height and width of a kernel (``filters``), arrays in ``__slots__`` (``Slotted``) and
``d_ff`` (``Gated``): these kinds are mended. One is left as it is: parameters with their names (``init_parameters``).
One answer was wrong: the method of a generator keeps its state between calls, and the claims say so.
"""

import dataclasses
import enum
import functools
import math
import operator
import random
from collections import namedtuple
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import random as jrandom
from torch import nn
from wild_answers import CONVOLUTION, DENSE, LAYER, OTHER, PARTS, REFUSED, SQUARE

SEVENTH = []
CALLED = []


def seventh(expected, of=None):
    """Add an object with its answer; ``of`` makes it of what is decorated."""

    def add(obj):
        SEVENTH.append((obj if of is None else of(obj), expected))
        return obj

    return add


# Names in other languages


@seventh(DENSE)
def inizializza_pesi(ingressi, uscite):
    return np.random.randn(ingressi, uscite) * np.sqrt(2 / ingressi)


@seventh(r"'zufall'|signature=")
def gewichte(eingang, ausgang, zufall):
    return zufall.normal(0, 1 / math.sqrt(eingang), (ausgang, eingang))


@seventh(DENSE)
def poids_aleatoires(forme):
    return np.random.uniform(-1, 1, forme) / math.sqrt(forme[0])


@seventh(DENSE)
def inicializar_pesos(entradas, salidas, semilla=0):
    rng = np.random.default_rng(semilla)
    return rng.normal(0, math.sqrt(1 / entradas), (entradas, salidas))


@seventh(DENSE)
def 初始化权重(输入, 输出):  # noqa: N802, N803
    return np.random.normal(0, np.sqrt(2.0 / 输入), (输入, 输出))


@seventh(DENSE)
def начальные_веса(размер):
    return np.random.standard_normal(размер) * 0.1


@seventh(r"'gerador'|signature=")
def pesos(formato, *, gerador):
    return gerador.normal(size=formato)


# NumPy by shape, in the ways that shapes are passed


@seventh(DENSE)
def keyword_generator(shape, *, rng: np.random.Generator):
    return rng.normal(0, math.sqrt(2 / shape[0]), shape)


@seventh(DENSE)
def all_keywords(*, shape, rng):
    return rng.uniform(-1, 1, shape) * math.sqrt(3 / shape[1])


@seventh(DENSE)
def keyword_widths(*, n_in, n_out, seed=None):
    return np.random.default_rng(seed).normal(0, n_in**-0.5, (n_in, n_out))


@seventh(DENSE)
def positional_only(rows, cols, /, rng):
    return rng.standard_normal((rows, cols)) / math.sqrt(cols)


@seventh(DENSE)
def of_dims(*dims):
    return np.random.randn(*dims) / math.sqrt(dims[0])


@seventh(DENSE)
def of_dims_and_generator(*dims, rng):
    return rng.standard_normal(dims) * 0.02


@seventh(DENSE)
def of_dims_scaled(*shape, scale=0.1, random_state=None):
    state = np.random.RandomState(random_state)
    return scale * state.randn(*shape)


@seventh(DENSE)
def generator_first(rng, *dims):
    return rng.normal(size=dims) / np.sqrt(dims[-1])


@seventh(DENSE)
def legacy_state(shape, random_state: np.random.RandomState):
    return random_state.randn(*shape) * np.sqrt(2.0 / shape[0])


@seventh(DENSE)
def legacy_checked(shape, random_state=None):
    if random_state is None:
        random_state = np.random.mtrand._rand
    elif isinstance(random_state, (int, np.integer)):
        random_state = np.random.RandomState(random_state)
    return random_state.normal(0, 0.05, shape)


@seventh(DENSE)
def legacy_module(shape, prng=np.random):
    return prng.normal(0, math.sqrt(1 / shape[0]), size=shape)


@seventh(DENSE)
def state_by_annotation(state: np.random.RandomState, shape: tuple):
    return state.uniform(-0.05, 0.05, size=shape)


@seventh(DENSE)
def python_generator(shape: tuple[int, int], r: random.Random):
    return [[r.gauss(0, shape[0] ** -0.5) for _ in range(shape[1])] for _ in range(shape[0])]


@seventh(DENSE)
def as_lists(n_in, n_out):
    return [[random.uniform(-1, 1) / math.sqrt(n_in) for _ in range(n_out)] for _ in range(n_in)]


@seventh(DENSE)
def as_tuple_of_rows(shape, rng):
    return tuple(rng.normal(size=shape[1]) for _ in range(shape[0]))


@seventh(DENSE)
def as_generator(n_in, n_out):
    for _ in range(n_in):
        yield [random.gauss(0, 1) for _ in range(n_out)]


@seventh(REFUSED)
async def as_coroutine(shape, rng):
    CALLED.append("as_coroutine")
    return rng.normal(size=shape)


@seventh(REFUSED)
async def as_async_generator(shape, rng):
    CALLED.append("as_async_generator")
    yield rng.normal(size=shape)


class Shape(NamedTuple):
    rows: int
    cols: int


@seventh(DENSE)
def of_named_shape(shape: Shape, rng: np.random.Generator):
    rows, cols = shape
    return rng.normal(0, cols**-0.5, (rows, cols))


@seventh(r"Dims|rows|AttributeError")
def of_shape_object(dims: "Dims", rng):
    return rng.normal(0, dims.rows**-0.5, (dims.rows, dims.cols))


@dataclasses.dataclass
class Dims:
    rows: int
    cols: int


@seventh(REFUSED)
def a_number_of_weights(n, rng):
    return rng.normal(0, 1 / math.sqrt(n), n)


@seventh(SQUARE)
def square_of_units(n_units, seed=None):
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(n_units, n_units)))
    return q * np.sign(np.diag(r))


@seventh(SQUARE)
def reservoir(size, spectral_radius=0.9, rng=None):
    rng = rng or np.random.default_rng()
    w = rng.uniform(-1, 1, (size, size))
    return w * spectral_radius / np.abs(np.linalg.eigvals(w)).max()


@seventh(DENSE)
def scalar_or_pair(size):
    size = (size, size) if np.isscalar(size) else tuple(size)
    return np.random.normal(0, math.sqrt(1 / size[0]), size)


@seventh(DENSE)
def he_in_dict(fan_in, fan_out, rng):
    return {"weight": rng.normal(0, math.sqrt(2 / fan_in), (fan_in, fan_out))}


@seventh(r"parameter='W'")
def dense_in_dict(n_in, n_out, rng):
    return {"W": rng.normal(0, n_in**-0.5, (n_in, n_out)), "b": np.zeros(n_out)}


Pair = namedtuple("Pair", "weight bias")


@seventh(r"parameter='?weight|parameter=0|parameter='0'")
def dense_in_named_tuple(n_in, n_out):
    return Pair(np.random.randn(n_in, n_out) / math.sqrt(n_in), np.zeros(n_out))


@seventh(DENSE)
def fill_array(w):
    w[:] = np.random.uniform(-0.1, 0.1, w.shape)


@seventh(DENSE)
def fill_and_return(arr, rng):
    arr[...] = rng.normal(0, 1 / math.sqrt(arr.shape[0]), arr.shape)
    return arr


@seventh(r"'gain'")
def with_gain(shape, rng, gain):
    return gain * rng.normal(0, shape[0] ** -0.5, shape)


@seventh(r"'std'")
def with_std_and_mean(n_in, n_out, mean=0.0, *, std):
    return np.random.normal(mean, std, (n_in, n_out))


class Mode(enum.Enum):
    FAN_IN = "fan_in"
    FAN_OUT = "fan_out"


@seventh(DENSE)
def of_enum(shape, rng, mode: Mode = Mode.FAN_IN):
    return rng.normal(0, math.sqrt(2 / shape[0 if mode is Mode.FAN_IN else 1]), shape)


@seventh(r"'mode'")
def of_required_enum(shape, rng, mode: Mode):
    return rng.normal(0, math.sqrt(2 / shape[0 if mode is Mode.FAN_IN else 1]), shape)


@seventh(PARTS)
def complex_glorot(shape, rng):
    modulus = rng.rayleigh(1 / math.sqrt(sum(shape)), shape)
    return modulus * np.exp(1j * rng.uniform(-np.pi, np.pi, shape))


@seventh(PARTS)
def complex_widths(n_in, n_out):
    return (np.random.randn(n_in, n_out) + 1j * np.random.randn(n_in, n_out)).astype(np.complex64)


@seventh(r"'num_experts'|'n_experts'|signature=")
def expert_stack(n_experts, d_in, d_out, rng):
    return rng.normal(0, d_in**-0.5, (n_experts, d_in, d_out))


@seventh(DENSE)
def float_of_dtype(shape, dtype=np.float32, rng=None):
    rng = np.random.default_rng() if rng is None else rng
    return rng.standard_normal(shape, dtype=dtype) * dtype(0.02)


@seventh(DENSE)
def cast_by_name(shape, dtype="float32"):
    return np.random.randn(*shape).astype(dtype)


@seventh(DENSE)
def masked(shape, rng, density=0.5):
    return np.ma.masked_array(rng.normal(size=shape), mask=False)


@seventh(DENSE)
def kernel_of(kernel_shape, rng):
    receptive = int(np.prod(kernel_shape[:-2]))
    return rng.normal(0, math.sqrt(2 / (receptive * kernel_shape[-2])), kernel_shape)


@seventh(CONVOLUTION)
def filters(num_filters, channels, height, width):
    return np.random.randn(num_filters, channels, height, width) / math.sqrt(channels * height * width)


# Decorated, wrapped, partial, bound


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def unlabelled(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def seeded(function):
    @functools.wraps(function)
    def wrapper(*args, seed=None, **kwargs):
        if seed is not None:
            np.random.seed(seed)
        return function(*args, **kwargs)

    return wrapper


class Dispatcher:
    """What numba's jit returns: an object that calls the function it keeps."""

    def __init__(self, py_func):
        self.py_func = py_func
        functools.update_wrapper(self, py_func)

    def __call__(self, *args):
        return self.py_func(*args)


@seventh(DENSE)
@logged
def wrapped_he(shape, rng):
    return rng.normal(0, math.sqrt(2 / shape[0]), shape)


@seventh(DENSE)
@unlabelled
def wrapped_without_name(n_in, n_out):
    return np.random.randn(n_in, n_out) / math.sqrt(n_in)


@seventh(DENSE)
@seeded
def wrapped_with_seed(n_in, n_out):
    return np.random.randn(n_in, n_out) / math.sqrt(n_in)


@seventh(DENSE)
@Dispatcher
def compiled_glorot(n_in, n_out):
    return np.random.uniform(-1, 1, (n_in, n_out)) * math.sqrt(6 / (n_in + n_out))


@seventh(DENSE)
@functools.lru_cache
def cached(n_in, n_out):
    return np.random.default_rng(0).normal(0, n_in**-0.5, (n_in, n_out))


@seventh(DENSE)
@functools.singledispatch
def dispatched(shape):
    return np.random.normal(0, 0.1, shape)


def general(shape, rng, scale, mode):
    return rng.normal(0, math.sqrt(scale / shape[0 if mode == "fan_in" else 1]), shape)


seventh(DENSE)(functools.partial(general, scale=2.0, mode="fan_in"))
seventh(r"'mode'")(functools.partial(general, scale=2.0))
seventh(OTHER)(functools.partial(np.random.default_rng(3).normal, 0.0, 0.05))  # keeps its state
seventh(DENSE)(lambda n, m: np.random.randn(n, m) * 0.01)
seventh(DENSE)(lambda s: np.random.uniform(-0.1, 0.1, s))
seventh(DENSE)(np.random.standard_normal)
seventh(DENSE)(np.zeros)


# Factories and closures


@seventh(DENSE)
def he_factory():
    def init(shape, rng):
        return rng.normal(0, math.sqrt(2 / shape[0]), shape)

    return init


@seventh(DENSE)
def scaled_factory(scale=2.0, mode="fan_in"):
    return functools.partial(general, scale=scale, mode=mode)


@seventh(r"'scale'")
def needing_factory(scale):
    return lambda shape, rng: rng.normal(0, math.sqrt(scale / shape[0]), shape)


@seventh(DENSE)
def generator_factory(rng=None):
    rng = rng or np.random.default_rng()
    return lambda *dims: rng.normal(size=dims) / math.sqrt(dims[0])


@seventh(DENSE)
def factory_of_factory():
    return he_factory


# Classes


@seventh(DENSE)
@dataclasses.dataclass
class HeNormal:
    gain: float = 2.0

    def __call__(self, shape, rng):
        return rng.normal(0, math.sqrt(self.gain / shape[0]), shape)


@seventh(DENSE)
@dataclasses.dataclass(frozen=True)
class SeededUniform:
    scale: float = 0.05
    seed: int = 0

    def __call__(self, shape):
        return np.random.default_rng(self.seed).uniform(-self.scale, self.scale, shape)


@seventh(r"'std'")
@dataclasses.dataclass
class Normal:
    std: float
    mean: float = 0.0

    def __call__(self, shape, rng):
        return rng.normal(self.mean, self.std, shape)


seventh(DENSE)(Normal(std=0.1))


@seventh(DENSE)
class Glorot:
    def __init__(self, rng: np.random.Generator):
        self.rng = rng

    def init(self, n_in, n_out):
        return self.rng.normal(0, math.sqrt(2 / (n_in + n_out)), (n_in, n_out))


@seventh(DENSE)
class Sampler:
    def __init__(self, seed=0):
        self._rng = np.random.RandomState(seed)

    def sample(self, shape):
        return self._rng.uniform(-0.1, 0.1, shape)

    def get_config(self):
        return {}


class Initializers:
    @staticmethod
    def he(shape, rng):
        return rng.normal(0, math.sqrt(2 / shape[0]), shape)

    @classmethod
    def lecun(cls, n_in, n_out):
        return np.random.randn(n_in, n_out) / math.sqrt(n_in)

    def glorot(self, fan_in, fan_out):
        return np.random.randn(fan_in, fan_out) * math.sqrt(2 / (fan_in + fan_out))


seventh(DENSE)(Initializers.he)
seventh(DENSE)(Initializers.lecun)
seventh(DENSE)(Initializers().glorot)


class LazyWeights:
    def __init__(self, n_in=4, n_out=3):
        self.n_in, self.n_out = n_in, n_out

    @property
    def weights(self):
        return np.random.randn(self.n_in, self.n_out) / math.sqrt(self.n_in)


seventh(REFUSED)(LazyWeights)
seventh(REFUSED)(LazyWeights.weights)


@seventh(DENSE)
class Layer:
    def __init__(self, n_in, n_out, rng=None):
        rng = rng or np.random.default_rng()
        self.W = rng.normal(0, math.sqrt(2 / n_in), (n_in, n_out))
        self.b = np.zeros(n_out)

    def forward(self, x):
        return x @ self.W + self.b


@seventh(DENSE)
class Perceptron:
    def __init__(self, input_dim, units):
        self.weights = [[random.gauss(0, 0.1) for _ in range(input_dim)] for _ in range(units)]
        self.bias = [0.0] * units


@seventh(DENSE)
@dataclasses.dataclass
class PostInit:
    in_features: int
    out_features: int

    def __post_init__(self):
        self.weight = np.random.randn(self.out_features, self.in_features) / math.sqrt(self.in_features)


@seventh(DENSE)
class Slotted:
    __slots__ = ("b", "w")

    def __init__(self, fan_in, fan_out, seed=None):
        rng = np.random.default_rng(seed)
        self.w, self.b = rng.normal(0, fan_in**-0.5, (fan_in, fan_out)), np.zeros(fan_out)


@seventh(REFUSED)
class Abstract:
    def __call__(self, shape, rng):
        raise NotImplementedError


class HalfMade:
    def __init__(self, path):
        CALLED.append("HalfMade")
        self.path = path

    def load(self):
        CALLED.append("load")


seventh(REFUSED)(HalfMade)


# torch


@seventh(DENSE + CONVOLUTION)
def truncated_(tensor: torch.Tensor, std: float = 0.02) -> torch.Tensor:
    with torch.no_grad():
        tensor.normal_(0, std)
        return tensor.clamp_(-2 * std, 2 * std)


@seventh(DENSE)
def of_torch_generator(shape, generator: torch.Generator | None = None):
    return torch.randn(shape, generator=generator) / math.sqrt(shape[1])


@seventh(DENSE)
def torch_dims(*size, generator=None, device="cpu"):
    return torch.randn(*size, generator=generator, device=device) * 0.02


@seventh(DENSE)
def torch_size(size: torch.Size, g: torch.Generator):
    return torch.empty(size).uniform_(-1, 1, generator=g) * math.sqrt(3 / size[1])


@seventh(DENSE)
def torch_parameter(in_features, out_features):
    return nn.Parameter(torch.randn(out_features, in_features) * math.sqrt(2 / in_features))


@seventh(DENSE)
def he_of_list(tensors: list[torch.Tensor]):
    for t in tensors:
        nn.init.kaiming_normal_(t)


@seventh(r"pass a function \(fan_in, fan_out\)")
def init_parameters(named_parameters):
    for name, p in named_parameters:
        if "weight" in name:
            nn.init.xavier_normal_(p)


@seventh(r"'std'|'sd'")
def small_init_(tensor, sd):
    return nn.init.normal_(tensor, 0, sd)


@seventh(DENSE)
@torch.no_grad()
def no_grad_init(module):
    if isinstance(module, nn.Linear):
        module.weight.normal_(0, math.sqrt(2 / module.in_features))
        module.bias.zero_()


@seventh(DENSE)
def matched(m: nn.Module) -> None:
    match m:
        case nn.Linear():
            nn.init.trunc_normal_(m.weight, std=0.02)
        case nn.Embedding():
            nn.init.normal_(m.weight, std=0.02)


@seventh(DENSE)
def scripted_style(weight, bias=None, a: float = math.sqrt(5)):
    nn.init.kaiming_uniform_(weight, a=a)
    if bias is not None:
        nn.init.zeros_(bias)


seventh(DENSE)(functools.partial(nn.init.kaiming_normal_, nonlinearity="relu"))
seventh(r"'sparsity'")(nn.init.sparse_)
seventh(DENSE)(nn.init.eye_)
seventh(LAYER)(nn.Bilinear)
seventh(LAYER)(functools.partial(nn.Linear, bias=False))


@seventh(LAYER)
class ScaledLinear(nn.Linear):
    def reset_parameters(self):
        nn.init.normal_(self.weight, 0, 1 / math.sqrt(self.in_features))
        nn.init.zeros_(self.bias)


@seventh(LAYER)
class LowRank(nn.Module):
    def __init__(self, in_features, out_features, rank=4):
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, in_features) / math.sqrt(in_features))
        self.up = nn.Parameter(torch.randn(out_features, rank) / math.sqrt(rank))

    def forward(self, x):
        return x @ self.down.T @ self.up.T


@seventh(LAYER)
class Gated(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.gate, self.up = nn.Linear(d_model, d_ff, bias=False), nn.Linear(d_model, d_ff, bias=False)

    def forward(self, x):
        return nn.functional.silu(self.gate(x)) * self.up(x)


@seventh(LAYER)
def make_linear(in_features, out_features):
    layer = nn.Linear(in_features, out_features)
    nn.init.orthogonal_(layer.weight)
    return layer


@seventh(LAYER)
def make_conv(c_in, c_out):
    layer = nn.Conv2d(c_in, c_out, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight)
    return layer


@seventh(r"initcheck model|config")
class Transformer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.h = nn.ModuleList(nn.Linear(config.d, config.d) for _ in range(config.n))


@seventh(r"initcheck model|built already")
def unused():
    return None


SEVENTH[-1] = (nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)), r"initcheck model|built already")


# JAX


@seventh(DENSE)
def of_key(key, shape):
    return jrandom.normal(key, shape) / math.sqrt(shape[0])


@seventh(DENSE)
def of_key_last(n_in, n_out, key):
    return jrandom.uniform(key, (n_in, n_out), minval=-1, maxval=1) * math.sqrt(3 / n_in)


@seventh(DENSE)
@functools.partial(jax.jit, static_argnums=1)
def jitted(key, shape):
    return jrandom.normal(key, shape) * 0.02


@seventh(DENSE)
@functools.partial(jax.jit, static_argnames=("n_in", "n_out"))
def jitted_by_name(key, n_in, n_out):
    return jrandom.normal(key, (n_in, n_out)) / jnp.sqrt(n_in)


@seventh(DENSE)
def of_prng(prng_key: jax.Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> jax.Array:
    return jrandom.truncated_normal(prng_key, -2, 2, shape, dtype) / math.sqrt(shape[0])


@seventh(DENSE)
def of_bare_rng(rng, shape, dtype=jnp.float32):
    return jax.nn.initializers.he_normal()(rng, shape, dtype)


@seventh(DENSE)
def keyword_key(shape, *, key):
    return jrandom.normal(key, shape) * shape[0] ** -0.5


@seventh(r"parameter='?w|parameter='kernel'|parameter=")
def params_of(key, n_in, n_out):
    k1, k2 = jrandom.split(key)
    return {"kernel": jrandom.normal(k1, (n_in, n_out)), "gate": jrandom.normal(k2, (n_in, n_out))}


@seventh(r"signature=|parameter=|'sizes'")
def mlp_params(sizes, key):
    keys = jrandom.split(key, len(sizes))
    return [
        (jrandom.normal(k, (m, n)) / jnp.sqrt(m), jnp.zeros(n))
        for k, m, n in zip(keys, sizes[:-1], sizes[1:], strict=False)
    ]


@seventh(PARTS)
def complex_key(key, shape):
    a, b = jrandom.normal(key, (2, *shape))
    return (a + 1j * b) / math.sqrt(2 * shape[0])


seventh(DENSE)(jax.nn.initializers.orthogonal())
seventh(DENSE)(jax.nn.initializers.variance_scaling(2.0, "fan_in", "truncated_normal"))
seventh(r"'scale'")(jax.nn.initializers.variance_scaling)
seventh(DENSE)(jax.nn.initializers.glorot_uniform)


@seventh(DENSE)
def jax_factory(gain=1.0):
    def init(key, shape, dtype=jnp.float32):
        return gain * jrandom.normal(key, shape, dtype) / math.sqrt(shape[-2])

    return init


# What is no initializer


@seventh(REFUSED)
def train_step(weights, batch, lr):
    CALLED.append("train_step")
    return weights - lr * batch


seventh(REFUSED)({"he": he_factory()})
seventh(REFUSED)([wrapped_he])
seventh(REFUSED)(np.ones((3, 4)))
seventh(REFUSED)(3.0)
seventh(REFUSED)(None)
seventh(REFUSED)(operator.add)
seventh(REFUSED)(print)
seventh(REFUSED)(Mode)
