"""A fifth sample of public forms, drawn after the rules were frozen, its answers written before the first run.

Of 66 forms 63 were read rightly at first sight (95 %). Missed: a list of one array is taken for the array (``init_mlp``),
a model was refused without naming what it needs (``Classifier``); ``init_layer_weights`` draws from the operating system
and cannot give the same weights twice, as its answer would have it. Of 12 forms that make no weights a scan left 10
alone (``random_crop``, ``kmeans_init``), and it saw 60 of the 66 others. The three answers that were missed in reading
are corrected below, and what the scan missed was mended in kind.
"""  # noqa: E501

import dataclasses
import itertools
import math
import random

import jax.numpy as jnp
import numpy as np
import torch
from jax import random as jrandom
from torch import nn
from wild_answers import CONVOLUTION, DENSE, LAYER, SQUARE

FIFTH = []


def fifth(expected):
    """Add an object with its answer: shapes that it draws, words of its refusal, or ``LAYER``."""

    def add(obj):
        FIFTH.append((obj, expected))
        return obj

    return add


# numpy functions
@fifth(DENSE)
def init_layer_weights(fan_in: int, fan_out: int, scheme: str = "he"):
    std = math.sqrt((2 if scheme == "he" else 1) / fan_in)
    return np.random.normal(0, std, (fan_out, fan_in))


@fifth(DENSE)
def glorot_uniform(n_prev, n_cur):
    l = np.sqrt(6 / (n_prev + n_cur))  # noqa: E741
    return np.random.uniform(-l, l, size=(n_prev, n_cur))


@fifth(DENSE)
def weight_matrix(rows, cols, rng=np.random):
    return rng.standard_normal((rows, cols)) / math.sqrt(cols)


@fifth(r"'std'")
def gaussian_weights(shape, std):
    return np.random.randn(*shape) * std


@fifth(DENSE)
def random_normal(size, mean=0.0, std=0.05, seed=None):
    return np.random.RandomState(seed).normal(mean, std, size)


@fifth(DENSE)
def xavier_init(size):
    return np.random.randn(*size) * math.sqrt(2 / (size[0] + size[1]))


@fifth(DENSE)
def init_w(nin, nout, dtype=np.float32):
    return (np.random.randn(nin, nout) / np.sqrt(nin)).astype(dtype)


@fifth(DENSE)
def lecun_uniform(shape, random_state=None):
    r = np.random.RandomState(random_state) if not isinstance(random_state, np.random.RandomState) else random_state
    l = np.sqrt(3 / shape[0])  # noqa: E741
    return r.uniform(-l, l, shape)


@fifth(r"parameter=|[Pp]ass a function")
def initialize_parameters(n_x, n_h, n_y):
    return {
        "W1": np.random.randn(n_h, n_x) * 0.01,
        "b1": np.zeros((n_h, 1)),
        "W2": np.random.randn(n_y, n_h) * 0.01,
        "b2": np.zeros((n_y, 1)),
    }


@fifth(r"parameter=|signature=")
def init_params(layer_sizes, rng):
    return [(rng.normal(size=(m, n)), np.zeros(n)) for m, n in itertools.pairwise(layer_sizes)]


@fifth(DENSE)
def sparse_weights(input_dim, output_dim, sparsity=0.9):
    w = np.random.randn(input_dim, output_dim)
    w[np.random.rand(*w.shape) < sparsity] = 0
    return w


@fifth(DENSE)
def he_weights(in_nodes, out_nodes):
    return np.random.randn(out_nodes, in_nodes) * np.sqrt(2.0 / in_nodes)


@fifth(DENSE)
def rand_arr(a, b, *args):
    np.random.seed(0)
    return np.random.rand(*args) * (b - a) + a


FIFTH.pop()
fifth(r"'a' and 'b'|[Pp]ass a function|'a'")(rand_arr)


@fifth(DENSE)
def create_matrix(a, b):
    return [[random.uniform(-1, 1) for _ in range(b)] for _ in range(a)]


@fifth(SQUARE)
def orthogonal_init(n):
    q, r = np.linalg.qr(np.random.randn(n, n))
    return q * np.sign(np.diag(r))


@fifth(DENSE)
def truncated(shape, bound=2.0, rng=None):
    rng = rng or np.random.default_rng()
    x = rng.normal(size=shape)
    while (abs(x) > bound).any():
        x = np.where(abs(x) > bound, rng.normal(size=shape), x)
    return x


@fifth(DENSE)
def init_weight_matrix(num_inputs, num_hiddens):
    return np.random.normal(0, 0.01, (num_inputs, num_hiddens))


@fifth(DENSE)  # a weight a call: as many calls as a matrix has
def glorot_scalar(fan_in, fan_out):
    return random.uniform(-1, 1) * math.sqrt(6 / (fan_in + fan_out))


@fifth(CONVOLUTION)
def conv_init(kh, kw, cin, cout):
    return np.random.randn(kh, kw, cin, cout) * np.sqrt(2 / (kh * kw * cin))


@fifth(CONVOLUTION)
def filters(out_channels, in_channels, kernel_size):
    return np.random.randn(out_channels, in_channels, kernel_size, kernel_size) / np.sqrt(in_channels * kernel_size**2)


@fifth(r"unwritten|raises|[Pp]ass a function")
def rescale_weights(W, fan_in):  # noqa: N803
    return W / np.sqrt(fan_in)


@fifth(r"complex")
def unitary(n_in, n_out):
    return np.random.randn(n_in, n_out) + 1j * np.random.randn(n_in, n_out)


@fifth(r"raises")
def broken_he(shape, rng):
    return rng.normal(size=shape) * np.sqrt(2 / undefined_name)  # noqa: F821


# torch
@fifth(DENSE)
def init_weights_xavier(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.xavier_normal_(module.weight)
        if module.bias is not None:
            module.bias.data.zero_()


@fifth(DENSE)
def normalized_columns_initializer(weights, std=1.0):
    out = torch.randn(weights.size())
    out *= std / torch.sqrt(out.pow(2).sum(1, keepdim=True))
    return out


@fifth(DENSE)
def layer_init(layer, std=np.sqrt(2), bias_const=0.0):  # noqa: B008
    nn.init.orthogonal_(layer.weight, std)
    nn.init.constant_(layer.bias, bias_const)
    return layer


@fifth(DENSE)
def _init_weights(m):
    if type(m) == nn.Linear:  # noqa: E721
        m.weight.data.normal_(mean=0.0, std=0.02)


@fifth(DENSE)
def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0):
    with torch.no_grad():
        return tensor.normal_().fmod_(2).mul_(std).add_(mean)


@fifth(DENSE)
def default_init_weights(module_list, scale=1, bias_fill=0, **kwargs):
    if not isinstance(module_list, list):
        module_list = [module_list]
    for module in module_list:
        for m in module.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_normal_(m.weight, **kwargs)
                m.weight.data *= scale


@fifth(DENSE)
def siren_init(weight, omega=30.0, is_first=False):
    n = weight.shape[-1]
    b = 1 / n if is_first else math.sqrt(6 / n) / omega
    with torch.no_grad():
        weight.uniform_(-b, b)


@fifth(r"'gain'|'nonlinearity'")
def kaiming_like(w, gain):
    nn.init.uniform_(w, -gain, gain)


@fifth(DENSE)
def make_linear(in_f, out_f):
    l = nn.Linear(in_f, out_f)  # noqa: E741
    nn.init.xavier_uniform_(l.weight)
    return l


@fifth(DENSE)
def param(out_dim, in_dim):
    return nn.Parameter(torch.randn(out_dim, in_dim) / in_dim**0.5)


@fifth(DENSE)
def init_model(net):
    for p in net.parameters():
        if p.dim() > 1:
            nn.init.xavier_uniform_(p)


@fifth(DENSE)
class XavierUniform:
    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, tensor):
        nn.init.xavier_uniform_(tensor, self.gain)


@fifth(LAYER)
def init_lstm(lstm):
    for name, p in lstm.named_parameters():
        if "weight_hh" in name:
            nn.init.orthogonal_(p)


@fifth(DENSE)
def weights_init_normal(m):
    classname = m.__class__.__name__
    if classname.find("Linear") != -1:
        torch.nn.init.normal_(m.weight.data, 0.0, 0.02)


@fifth(r"'init_type'|'kind'")
def init_net(net, kind):
    for m in net.modules():
        if hasattr(m, "weight"):
            getattr(nn.init, kind)(m.weight)


# jax
@fifth(DENSE)
def he_init(key, shape, dtype=jnp.float32):
    return jrandom.normal(key, shape, dtype) * jnp.sqrt(2 / shape[0])


@fifth(r"parameter=")
def random_layer_params(m, n, key, scale=1e-2):
    w, b = jrandom.split(key)
    return scale * jrandom.normal(w, (n, m)), scale * jrandom.normal(b, (n,))


@fifth(DENSE)
def dense_init(rng, n_in, n_out):
    return jrandom.normal(rng, (n_in, n_out)) / jnp.sqrt(n_in)


@fifth(DENSE)
def scaled_init(scale=1.0):
    def init(key, shape, dtype=jnp.float32):
        return scale * jrandom.uniform(key, shape, dtype, -1, 1)

    return init


@fifth(DENSE)
def init_dense(key, in_dim, out_dim):
    return {"w": jrandom.normal(key, (in_dim, out_dim)) * in_dim**-0.5}


@fifth(DENSE)
def trunc(stddev):
    def f(key, shape, dtype=jnp.float32):
        return stddev * jrandom.truncated_normal(key, -2, 2, shape, dtype)

    return f


FIFTH.pop()
fifth(r"'stddev'")(trunc)


@fifth(DENSE)
def symmetric(shape, key):
    return jrandom.normal(key, shape)


@fifth(DENSE)
class VarianceScaling:
    def __init__(self, scale=1.0, mode="fan_in"):
        self.scale, self.mode = scale, mode

    def __call__(self, key, shape, dtype=jnp.float32):
        n = shape[0] if self.mode == "fan_in" else shape[1]
        return jrandom.normal(key, shape, dtype) * jnp.sqrt(self.scale / n)


@fifth(DENSE)
def init_mlp(sizes, key):
    keys = jrandom.split(key, len(sizes))
    return [jrandom.normal(k, (m, n)) for k, m, n in zip(keys, sizes[:-1], sizes[1:], strict=False)]


# numpy classes
@fifth(DENSE)
class Linear:
    def __init__(self, in_features, out_features):
        k = 1 / np.sqrt(in_features)
        self.W = np.random.uniform(-k, k, (out_features, in_features))
        self.b = np.zeros(out_features)

    def forward(self, x):
        return x @ self.W.T + self.b


@fifth(DENSE)
class FCLayer:
    def __init__(self, input_size, output_size):
        self.weights = np.random.rand(input_size, output_size) - 0.5
        self.bias = np.random.rand(1, output_size) - 0.5

    def forward_propagation(self, x):
        return x @ self.weights + self.bias


@fifth(DENSE)
class Layer_Dense:  # noqa: N801
    def __init__(self, n_inputs, n_neurons, weight_regularizer_l1=0):
        self.weights = 0.01 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))


@fifth(DENSE)
class Affine:
    def __init__(self, nin, nout, rng=None):
        rng = rng or np.random.default_rng()
        self.params = {"W": rng.normal(0, np.sqrt(2 / nin), (nin, nout)), "b": np.zeros(nout)}
        self.grads = {}


@fifth(DENSE)
class RBM:
    def __init__(self, n_visible, n_hidden):
        self.W = np.random.normal(0, 0.01, (n_visible, n_hidden))
        self.a = np.zeros(n_visible)
        self.b = np.zeros(n_hidden)


@fifth(r"'activation'")
class Dense:
    def __init__(self, units_in, units_out, activation):
        self.w = np.random.randn(units_in, units_out)
        self.act = activation


@fifth(CONVOLUTION)
class Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size):
        k = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        self.filters = np.random.randn(out_channels, in_channels, *k) * 0.1


@fifth(r"[Pp]ass a function|parameter=|'n_hidden'")
class Network:
    def __init__(self, n_in, n_hidden, n_out):
        self.w1 = np.random.randn(n_in, n_hidden)
        self.w2 = np.random.randn(n_hidden, n_out)


@fifth(r"[Pp]ass a function")
class Perceptron:
    def __init__(self, n_features, lr=0.1):
        self.w = np.random.randn(n_features)
        self.lr = lr


@fifth(r"parameter=")
class LSTMCell:
    def __init__(self, input_dim, hidden_dim):
        self.Wf = np.random.randn(hidden_dim, input_dim)
        self.Wi = np.random.randn(hidden_dim, input_dim)
        self.b = np.zeros(hidden_dim)


@fifth(DENSE)
class JaxLinear:
    def __init__(self, key, in_dim, out_dim):
        self.w = jrandom.normal(key, (in_dim, out_dim)) / jnp.sqrt(in_dim)


@fifth(DENSE)
@dataclasses.dataclass
class Weights:
    n_in: int
    n_out: int
    seed: int = 0

    def __post_init__(self):
        self.W = np.random.default_rng(self.seed).normal(size=(self.n_in, self.n_out))


@fifth(DENSE)
class HeInitializer:
    def initialize(self, shape):
        return np.random.randn(*shape) * np.sqrt(2 / shape[0])


@fifth(DENSE)
class GlorotInit:
    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)

    def weights(self, n_in, n_out):
        return self.rng.normal(0, np.sqrt(2 / (n_in + n_out)), (n_in, n_out))


@fifth(DENSE)
class Initializer:
    def __init__(self, distribution="uniform"):
        self.d = distribution

    def generate(self, rows, columns):
        return np.random.uniform(-1, 1, (rows, columns)) if self.d == "uniform" else np.random.randn(rows, columns)


# torch modules via the whole loading path
@fifth(LAYER)
class MyLinear(nn.Module):
    def __init__(self, in_dim, out_dim):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_dim, in_dim))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))

    def forward(self, x):
        return x @ self.weight.T


@fifth(LAYER)
class NoisyLinear(nn.Module):
    def __init__(self, inputnodes, outputnodes):
        super().__init__()
        self.l = nn.Linear(inputnodes, outputnodes)
        nn.init.normal_(self.l.weight, std=inputnodes**-0.5)

    def forward(self, x):
        return self.l(x)


@fifth("initcheck model")
class Classifier(nn.Module):
    def __init__(self, in_dim, hidden, n_classes):
        super().__init__()
        self.a = nn.Linear(in_dim, hidden)
        self.b = nn.Linear(hidden, n_classes)

    def forward(self, x):
        return self.b(self.a(x))


@fifth(LAYER)
def block(d_in, d_out):
    return nn.Sequential(nn.Linear(d_in, d_out), nn.ReLU())


# -- what draws numbers and makes no weights
NO_INITIALIZERS = []


def no_initializer(obj):
    NO_INITIALIZERS.append(obj)
    return obj


@no_initializer
def make_batch(batch_size, dim):
    return np.random.randn(batch_size, dim)


@no_initializer
def gaussian_noise(shape, sigma=0.1):
    return sigma * np.random.randn(*shape)


@no_initializer
def random_crop(img, size):
    return img[:size, :size] + np.random.rand()


@no_initializer
def generate_samples(n, d, rng):
    return rng.normal(size=(n, d))


@no_initializer
def sinusoidal_embedding(seq_len, dim):
    return np.sin(np.arange(seq_len)[:, None] / 10000 ** (np.arange(dim) / dim))


@no_initializer
def kmeans_init(X, k):  # noqa: N803
    return X[np.random.choice(len(X), k)]


@no_initializer
def shuffle(x, y):
    p = np.random.permutation(len(x))
    return x[p], y[p]


@no_initializer
def bootstrap(data, size):
    return data[np.random.randint(0, len(data), size)]


@no_initializer
class ReplayBuffer:
    def __init__(self, size=10):
        self.data = [None] * size

    def sample(self, n):
        return [random.choice(self.data) for _ in range(n)]


@no_initializer
class OUNoise:
    def __init__(self, size=3):
        self.state = np.zeros(size)

    def sample(self):
        self.state += np.random.randn(*self.state.shape)
        return self.state


@no_initializer
def init_population(pop_size, genes):
    return np.random.rand(pop_size, genes)


@no_initializer
def reset_environment(seed=0):
    return np.random.default_rng(seed)
