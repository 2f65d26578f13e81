"""Initializers of NumPy as libraries, lecture notes and ports have them; the answers are in maintainers.py."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.stats import qmc

GAINS = {"linear": 1.0, "relu": math.sqrt(2.0), "tanh": 5.0 / 3.0, "selu": 0.75}


class HeNormal:
    """Fills the array that it is called with, as initializers of Chainer do; weights are (out, in, ...)."""

    def __init__(self, scale=1.0, dtype=np.float32, rng=None):
        self.scale, self.dtype = scale, dtype
        self.rng = rng or np.random

    def __call__(self, array):
        fan_in = array[0].size
        array[...] = self.rng.normal(0.0, self.scale * math.sqrt(2.0 / fan_in), array.shape)


HeNormal.__initcheck__ = {"activation": "relu", "layout": "out_in"}


def get_fans(shape):
    receptive = int(np.prod(shape[2:]))
    return shape[1] * receptive, shape[0] * receptive


class HeNormalOfTheOtherFan(HeNormal):
    """What get_fans returns is unpacked in the other order."""

    def __call__(self, array):
        _fan_out, fan_in = get_fans(array.shape)
        array[...] = self.rng.normal(0.0, self.scale * math.sqrt(2.0 / fan_in), array.shape)


class GlorotNormal:
    """As Lasagne has it: of a shape alone, by the generator of the process."""

    def __init__(self, gain=1.0):
        self.gain = GAINS[gain] if isinstance(gain, str) else gain

    def sample(self, shape):
        n1, n2 = shape[:2]
        receptive = np.prod(shape[2:])
        std = self.gain * np.sqrt(2.0 / ((n1 + n2) * receptive))
        return np.random.normal(0.0, std, size=shape).astype(np.float32)


class GlorotUniformOfLasagne(GlorotNormal):
    """The root is taken of six alone."""

    def sample(self, shape):
        n1, n2 = shape[:2]
        receptive = np.prod(shape[2:])
        limit = self.gain * np.sqrt(6.0) / ((n1 + n2) * receptive)
        return np.random.uniform(-limit, limit, size=shape).astype(np.float32)


def truncated_conv(shape, seed):
    """Kernels (height, width, in, out), cut at two deviations of the parent and widened for it."""
    fan_in = math.prod(shape[:-1])
    std = math.sqrt(1.0 / fan_in) / 0.87962566103423978
    return stats.truncnorm.rvs(-2, 2, loc=0, scale=std, size=shape, random_state=seed)


def truncated_conv_as_it_is(shape, seed):
    fan_in = math.prod(shape[:-1])
    return stats.truncnorm.rvs(-2, 2, loc=0, scale=math.sqrt(1.0 / fan_in), size=shape, random_state=seed)


def latin_hypercube(n_in, n_out, seed):
    """The weights of each unit are a stratified sample of the normal law."""
    u = qmc.LatinHypercube(d=n_out, seed=seed).random(n_in)
    return stats.norm.ppf(u) / math.sqrt(n_in)


latin_hypercube.__initcheck__ = {"layout": "in_out", "entries": "dependent"}


def antithetic(n_in, n_out, rng):
    """Every second unit is the mirror of the one before it."""
    half = rng.standard_normal((n_in, (n_out + 1) // 2)) * np.sqrt(2.0 / n_in)
    return np.stack([half, -half], axis=2).reshape(n_in, -1)[:, :n_out]


antithetic.__initcheck__ = {"activation": "relu", "layout": "in_out", "entries": "dependent"}


def martens_sparse(n_in, n_out, rng, *, connections=15):
    """Martens 2010: every unit has fifteen inputs."""
    k = min(connections, n_in)
    w = np.zeros((n_in, n_out))
    for j in range(n_out):
        w[rng.choice(n_in, k, replace=False), j] = rng.standard_normal(k) / math.sqrt(k)
    return w


martens_sparse.__initcheck__ = {"layout": "in_out", "entries": "dependent"}


@dataclass(frozen=True)
class InitConfig:
    """The settings of a run; ``hidden`` draws a matrix (out, in)."""

    nonlinearity: str = "relu"
    distribution: str = "uniform"

    def hidden(self, rng, out_features, in_features):
        std = GAINS[self.nonlinearity] / math.sqrt(in_features)
        if self.distribution == "uniform":
            bound = math.sqrt(3.0) * std
            return rng.uniform(-bound, bound, (out_features, in_features))
        return rng.normal(0.0, std, (out_features, in_features))


@dataclass(frozen=True)
class InitConfigOfBounds(InitConfig):
    """The deviation is used as the bound."""

    def hidden(self, rng, out_features, in_features):
        std = GAINS[self.nonlinearity] / math.sqrt(in_features)
        return rng.uniform(-std, std, (out_features, in_features))


def rbm(n_visible, n_hidden, random_state, std=0.01):
    """Hinton's guide: small random numbers."""
    return random_state.normal(0, std, (n_visible, n_hidden))


rbm.__initcheck__ = {"std": 0.01}


def lstm_params(input_dim, hidden_dim, seed=None):
    """The four gates side by side."""
    rng = np.random.default_rng(seed)
    b = np.zeros(4 * hidden_dim)
    b[hidden_dim : 2 * hidden_dim] = 1.0
    return {
        "Wx": rng.standard_normal((input_dim, 4 * hidden_dim)) / np.sqrt(input_dim),
        "Wh": rng.standard_normal((hidden_dim, 4 * hidden_dim)) / np.sqrt(hidden_dim),
        "b": b,
    }


def delta_orthogonal(shape, rng, gain=1.0):
    """Xiao et al. 2018: an orthogonal matrix in the middle of a kernel (k, k, in, out) of zeros."""
    *kernel, n_in, n_out = shape
    q, r = np.linalg.qr(rng.standard_normal((max(n_in, n_out), max(n_in, n_out))))
    q = q * np.sign(np.diag(r))
    w = np.zeros(shape)
    w[(*[(k - 1) // 2 for k in kernel],)] = gain * q[:n_in, :n_out]
    return w


delta_orthogonal.__initcheck__ = {"layout": "hwio", "distribution": "isometric", "entries": "dependent"}


def recurrent_identity(hidden_size, scale=1.0):
    """Le, Jaitly and Hinton 2015."""
    return scale * np.eye(hidden_size, dtype=np.float32)


recurrent_identity.__initcheck__ = {"distribution": "identity"}


def residual(n_layer=12, per_block=2):
    """The matrices that write to the residual stream, (in, out), as GPT-2 scales them by depth."""

    def init(nx, nf, rng):
        return rng.normal(0.0, 1.0 / math.sqrt(nx) / math.sqrt(per_block * n_layer), (nx, nf))

    init.__initcheck__ = {"gain": 1.0 / math.sqrt(per_block * n_layer), "layout": "in_out"}
    return init


def residual_twice(n_layer=12, per_block=2):
    def init(nx, nf, rng):
        depth = 1.0 / math.sqrt(per_block * n_layer)
        w = rng.normal(0.0, depth / math.sqrt(nx), (nx, nf))
        return w * depth

    init.__initcheck__ = {"gain": 1.0 / math.sqrt(per_block * n_layer), "layout": "in_out"}
    return init


def xavier_by_variance(n_in, n_out, rng):
    """The variance stands where NumPy wants the deviation."""
    return rng.normal(loc=0.0, scale=2.0 / (n_in + n_out), size=(n_in, n_out))


def one_row_for_all(n_in, n_out, rng):
    w = np.empty((n_in, n_out))
    w[:] = rng.standard_normal(n_out) / np.sqrt(n_in)
    return w


class Pooled:
    """Draws into one buffer, to spare the allocations."""

    def __init__(self, rng, capacity=1 << 22):
        self.rng, self._pool = rng, np.empty(capacity)

    def draw(self, fan_out, fan_in):
        w = self._pool[: fan_out * fan_in].reshape(fan_out, fan_in)
        self.rng.standard_normal(out=w)
        w *= math.sqrt(2.0 / fan_in)
        return w


class SeededScaler:
    """The seed of the settings begins a generator for every tensor."""

    def __init__(self, seed=0, scale=2.0):
        self.seed, self.scale = seed, scale

    def initialize(self, in_dim, out_dim):
        rng = np.random.RandomState(self.seed)
        return rng.randn(in_dim, out_dim) * np.sqrt(self.scale / in_dim)


def pruned(shape, rng, density=0.25):
    """Weights (out, in); what is left is divided by the density."""
    w = rng.normal(0.0, np.sqrt(2.0 / shape[1]), shape)
    mask = rng.random(shape) < density
    return w * mask / density


pruned.__initcheck__ = {"activation": "relu", "layout": "out_in", "distribution": "sparse"}


def zero_to_limit(rows, cols, rng):
    limit = np.sqrt(6.0 / (rows + cols))
    return 2.0 * limit * rng.random((rows, cols))


def two_bits(n_in, n_out, rng):
    """One of four levels between the bounds of a uniform law."""
    bound = math.sqrt(3.0 / n_in)
    return rng.choice(np.linspace(-bound, bound, 4), size=(n_in, n_out))


def he_of_one_side(shape, rng):
    """Kernels (height, width, in, out)."""
    kh, _kw, c_in, _c_out = shape
    return rng.normal(0.0, math.sqrt(2.0 / (kh * c_in)), shape)


he_of_one_side.__initcheck__ = {"activation": "relu", "layout": "hwio"}


def lecun_normal(fan_in, fan_out, rng):
    """LeCun's start, by a bound."""
    limit = math.sqrt(3.0 / fan_in)
    return rng.uniform(-limit, limit, (fan_in, fan_out))


lecun_normal.__initcheck__ = {"distribution": "normal", "layout": "in_out"}
