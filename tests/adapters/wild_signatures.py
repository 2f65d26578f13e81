"""Signatures found in public repositories, with bodies of our own, and what reading them rightly means."""

import itertools
import math
import random
import typing

import jax
import jax.numpy as jnp
import keras
import numpy as np
import torch
from jaxtyping import Array, PRNGKeyArray
from torch import Tensor, nn

WILD: dict[str, tuple[object, dict]] = {}


def recorder(table: dict[str, tuple[object, dict]]):
    """The decorator that puts an object into a table under its name and number, with what is expected of it.

    ``draws``: it must draw; ``refuses="words"``: it must be refused with these words; ``judged``: it may also be
    read by its names, so that the claims find what is wrong with it.
    """

    def wild(**expected):
        def add(obj):
            table[f"{getattr(obj, '__name__', type(obj).__name__)}_{len(table)}"] = (obj, expected)
            return obj

        return add

    return wild


wild = recorder(WILD)

DENSE = {"shapes": [(5, 7), (8, 3)]}
CONV = {"shapes": [(5, 7, 3, 3)]}
SQUARE = {"shapes": [(6, 6)]}

# -- functions of a torch module


@wild(draws=DENSE)
def init_weights(m):
    name = m.__class__.__name__
    if name.find("Linear") != -1:
        nn.init.kaiming_normal_(m.weight)


@wild(refuses="'init'")
def init_weights(model, init):  # noqa: F811
    for layer in model.modules():
        if isinstance(layer, nn.Linear) and init == "he":
            nn.init.kaiming_normal_(layer.weight)


@wild(draws=CONV)
def weights_init(mod):
    if mod.__class__.__name__.find("Conv") != -1:
        mod.weight.data.normal_(0.0, 0.02)


@wild(draws=CONV)
def weights_init(m):  # noqa: F811
    if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(m.weight.data, 0.0, 0.01)
    elif isinstance(m, nn.BatchNorm2d):
        nn.init.constant_(m.bias.data, 0)


@wild(draws=DENSE)
def weights_init_kaiming(m):
    kind = m.__class__.__name__
    if kind.find("Conv") != -1:
        nn.init.kaiming_normal_(m.weight.data, a=0, mode="fan_in")
    elif kind.find("Linear") != -1:
        nn.init.kaiming_normal_(m.weight.data, a=0, mode="fan_out")
        nn.init.zeros_(m.bias.data)


@wild(draws=DENSE)
def weights_init(layer):  # noqa: F811
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.normal_(layer.weight.data)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias.data)


class Trainer:
    @staticmethod
    def weights_init(m):
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)

    def kaiming_init(self, m):
        if isinstance(m, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_normal_(m.weight)


wild(draws=DENSE)(Trainer.weights_init)
wild(draws=DENSE)(Trainer().kaiming_init)


@wild(draws=DENSE)
def he_initialization(model):
    def init(m):
        if isinstance(m, nn.Linear):
            nn.init.kaiming_uniform_(m.weight)
            m.bias.data.fill_(0.01)

    model.apply(init)


@wild(draws=DENSE)
def orthogonal_init(m):
    if isinstance(m, (nn.Conv2d, nn.Linear, nn.ConvTranspose2d)):
        nn.init.orthogonal_(m.weight)
        if m.bias is not None:
            nn.init.zeros_(m.bias)


@wild(refuses="'gain'")
def orthogonal_init_(layer: nn.Linear, gain: float) -> None:
    nn.init.orthogonal_(layer.weight, gain=gain)


@wild(draws=DENSE)
def orthogonal_init(layer, gain=1.0):  # noqa: F811
    for name, parameter in layer.named_parameters():
        if "weight" in name:
            nn.init.orthogonal_(parameter, gain=gain)
        else:
            nn.init.constant_(parameter, 0)


@wild(draws=DENSE)
def orthogonal_initialize(module: nn.Module, gain: typing.Optional[float] = None) -> None:  # noqa: UP045
    gain = nn.init.calculate_gain("relu") if gain is None else gain
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.orthogonal_(module.weight, gain=gain)


@wild(draws=DENSE)
def initialize_weights(m):
    if hasattr(m, "weight") and m.weight.dim() > 1:
        nn.init.xavier_uniform_(m.weight.data)


@wild(draws=CONV)
def initialize_weights(model: nn.Module) -> None:  # noqa: F811
    for m in model.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)):
            nn.init.normal_(m.weight.data, 0.0, 0.02)


@wild(draws=DENSE)
def xavier_init(module: nn.Module, gain: int | float = 1, bias: int | float = 0, distribution: str = "normal") -> None:
    if hasattr(module, "weight") and module.weight is not None:
        (nn.init.xavier_normal_ if distribution == "normal" else nn.init.xavier_uniform_)(module.weight, gain=gain)
        nn.init.constant_(module.bias, bias)


@wild(draws=DENSE)
def xavier_init(model):  # noqa: F811
    if isinstance(model, nn.Linear):
        nn.init.xavier_uniform_(model.weight)


@wild(draws=DENSE)
def xavier_init(module, gain=1.0):  # noqa: F811
    assert isinstance(module, nn.Linear)
    module.weight = nn.init.xavier_normal_(module.weight, gain=gain)
    return module


@wild(draws=DENSE)
def kaiming_init(module, a=0, mode="fan_out", nonlinearity="relu", bias=0, distribution="normal"):
    if hasattr(module, "weight"):
        nn.init.kaiming_normal_(module.weight, a=a, mode=mode, nonlinearity=nonlinearity)


@wild(draws=CONV)
def kaiming_weight_init(net):
    for m in net.modules():
        if isinstance(m, nn.Conv2d):
            n = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
            m.weight.data.normal_(0, math.sqrt(2.0 / n))


@wild(draws=DENSE)
def kaiming_normal_init_net(net):
    for name, parameter in net.named_parameters():
        if "weight" in name and len(parameter.shape) == 2:
            nn.init.kaiming_normal_(parameter)


@wild(draws=CONV)
def weight_init(module):
    for _name, m in module.named_children():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_in", nonlinearity="relu")


@wild(draws=DENSE)
def weight_init(init_type="gaussian"):  # noqa: F811
    def init_fun(m):
        name = m.__class__.__name__
        if (name.find("Conv") == 0 or name.find("Linear") == 0) and hasattr(m, "weight"):
            nn.init.normal_(m.weight.data, 0.0, 0.02)

    return init_fun


@wild(draws=DENSE)
def init_layer(layer, gain=1.4142, bias_const=0.0):
    torch.nn.init.orthogonal_(layer.weight, gain)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


@wild(draws=DENSE)
def init_layer(layer):  # noqa: F811
    nn.init.xavier_uniform_(layer.weight)
    if hasattr(layer, "bias") and layer.bias is not None:
        layer.bias.data.fill_(0.0)


@wild(refuses="'mean' and 'std'")
def normal_init(m, mean, std):
    m.weight.data.normal_(mean, std)


@wild(draws=DENSE)
def sparse_init(module: nn.Module, sparsity: float = 0.1, std: float = 0.01):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.sparse_(module.weight, sparsity=sparsity, std=std)


@wild(draws=CONV)
def init_params(net):
    for m in net.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out")


@wild(refuses="layer_bounds")
def layer_bounds(layer):
    bound = 1.0 / np.sqrt(layer.weight.data.size()[0])
    return (-bound, bound)


# -- functions of a torch tensor


@wild(draws=DENSE)
def glorot(value: typing.Any):
    if isinstance(value, Tensor):
        bound = math.sqrt(6.0 / (value.size(-2) + value.size(-1)))
        value.data.uniform_(-bound, bound)
    else:
        for v in value.parameters() if hasattr(value, "parameters") else []:
            glorot(v)


@wild(draws=DENSE)
def glorot(tensor):  # noqa: F811
    if tensor is not None:
        bound = math.sqrt(6.0 / (tensor.size(-2) + tensor.size(-1)))
        tensor.data.uniform_(-bound, bound)


@wild(draws=DENSE)
def glorot(value):  # noqa: F811
    if value is not None:
        bound = math.sqrt(6.0 / (value.size(-2) + value.size(-1)))
        value.data.uniform_(-bound, bound)


@wild(draws=DENSE)
def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0):
    with torch.no_grad():
        tensor.normal_(mean, std).clamp_(a * std + mean, b * std + mean)
    return tensor


@wild(draws=DENSE)
def trunc_normal_init_(weights, scale=1.0, fan="fan_in"):
    drawn = np.clip(np.random.normal(size=tuple(weights.shape)), -2, 2) * math.sqrt(scale / weights.shape[1])
    with torch.no_grad():
        weights.copy_(torch.tensor(drawn, device=weights.device))


@wild(draws=DENSE)
def lecun_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    return nn.init.normal_(tensor, 0.0, gain / math.sqrt(tensor.shape[1]))


@wild(draws=DENSE)
def lecun_normal_init_(M):  # noqa: N803
    trunc_normal_init_(M, scale=1.0)


@wild(draws=DENSE)
def kaiming_uniform_seeded(rng, tensor: torch.Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "relu"):
    bound = math.sqrt(6 / tensor.shape[1])
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=rng)


@wild(draws=DENSE)
def kaiming_like(shape, gen):
    return (torch.rand(shape, generator=gen, dtype=torch.float64) * 2 - 1) / math.sqrt(shape[-1])


@wild(refuses="'scale'")
def variance_scaling_init_(tensor, scale):
    return nn.init.normal_(tensor, std=scale)


@wild(draws=DENSE)
def variance_scaling_(tensor, scale=1.0, mode="fan_in", distribution="normal"):
    tensor.data.normal_(std=math.sqrt(scale / tensor.shape[1]))


@wild(refuses="'normal_std'")
def weight_init_normal(weight, normal_std):
    nn.init.normal_(weight, 0.0, normal_std)


@wild(draws=DENSE)
def truncated_normal_initialization(weight: torch.Tensor, mean: float = 0, std: float = 1):
    with torch.no_grad():
        weight.copy_(torch.from_numpy(np.random.normal(mean, std, weight.shape)).to(weight.device))


@wild(draws=DENSE)
def xavier_uniform(x, gain=1.0):
    bound = gain * math.sqrt(6 / sum(x.shape))
    return x.uniform_(-bound, bound)


@wild(refuses="'ratio'")
def sparse_init_(matrix, ratio):
    matrix.copy_(torch.randn(matrix.size()) * (torch.rand(matrix.size()) < ratio))


@wild(draws=DENSE)
def truncated_normal_init(t, mean=0.0, std=0.01):
    torch.nn.init.normal_(t, mean=mean, std=std)
    return torch.where(t.abs() > 2 * std, torch.zeros_like(t), t)


@wild(draws=DENSE)
def init_params(size, std=1.0):  # noqa: F811
    return (torch.randn(size) * std).requires_grad_()


@wild(draws=DENSE)
def _init_weight(d_in: int, dict_size: int, generator: torch.Generator | None = None) -> torch.Tensor:
    drawn = torch.randn(d_in, dict_size, generator=generator)
    return drawn / drawn.norm(dim=0, keepdim=True)


@wild(draws=DENSE)
class TorchXavierInitializer:
    def init_weights(self, weight_shape: tuple, device: torch.device = None) -> torch.Tensor:
        return nn.init.xavier_uniform_(torch.empty(*weight_shape, device=device))


@wild(draws=DENSE)
def uniform_init(tensor: torch.Tensor):
    bound = math.sqrt(3.0 / tensor.shape[1])
    nn.init.uniform_(tensor, -bound, bound)


# -- NumPy functions


@wild(draws=DENSE, layout="in_out")
def xavier_init(input_size, output_size):  # noqa: F811
    bound = np.sqrt(6.0 / (input_size + output_size))
    return np.random.uniform(-bound, bound, (input_size, output_size))


class Net:
    def he_initialization(self, fan_in, fan_out):
        return np.random.randn(fan_out, fan_in) * np.sqrt(2 / fan_in)

    def lecun_normal(self, fan_in, fan_out, rng):
        return rng.standard_normal((fan_out, fan_in)) * np.sqrt(1 / fan_in)

    def he_uniform(self, alpha, fan_in, fan_out, rng, xp):
        return rng.uniform(size=(fan_out, fan_in))


wild(draws=DENSE, layout="out_in")(Net().he_initialization)
wild(draws=DENSE, layout="out_in")(Net().lecun_normal)
wild(refuses="'alpha' and 'xp'")(Net().he_uniform)


@wild(draws=DENSE)
def he_initialization(  # noqa: F811
    n_in: int,
    n_out: int,
    mode: str = "fan_in",
    distribution: str = "normal",
    seed: int = None,  # noqa: RUF013
) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n_in, n_out)) * np.sqrt(2 / n_in)


@wild(draws=DENSE)
def he_initialization(shape):  # noqa: F811
    return np.random.randn(*shape) * np.sqrt(2 / shape[0])


@wild(draws=DENSE)
def xavier_init(size):  # noqa: F811
    return np.random.normal(scale=1.0 / np.sqrt(size[0] / 2.0), size=size)


@wild(draws=DENSE, layout="in_out")
def glorot(random_gen: np.random.Generator, input_dim: int, output_dim: int):  # noqa: F811
    std = np.sqrt(2.0 / max(1, input_dim + output_dim))
    return random_gen.normal(0.0, std, (input_dim, output_dim)).astype(np.float32)


@wild(draws=DENSE, layout="in_out")
def init_weights(input_size, hidden_sizes, output_size):  # noqa: F811
    sizes = [input_size, *hidden_sizes, output_size]
    return [np.random.randn(a, b) for a, b in itertools.pairwise(sizes)]


@wild(refuses="parameter='W0'")
def init_params(layer_sizes: list[int], seed: int) -> dict:  # noqa: F811
    rng = np.random.default_rng(seed)
    weights = {f"W{i}": rng.normal(size=layer_sizes[i : i + 2]) for i in range(len(layer_sizes) - 1)}
    return weights | {f"b{i}": np.zeros(n) for i, n in enumerate(layer_sizes[1:])}


@wild(draws=DENSE, layout="in_out")
def xavier_uniform(in_d, out_d, dtype=np.float32):  # noqa: F811
    return (np.random.uniform(-1.0, 1.0, [in_d, out_d]) * np.sqrt(6.0 / (in_d + out_d))).astype(dtype)


@wild(draws=DENSE, layout="in_out")
def xavier_uniform(incoming, outgoing):  # noqa: F811
    bound = np.sqrt(6 / (incoming + outgoing))
    return np.random.uniform(-bound, bound, (incoming, outgoing))


@wild(draws=DENSE, layout="in_out")
def xavier_uniform(fan_in, fan_out, gain=1.0, **kwargs):  # noqa: F811
    bound = gain * math.sqrt(6 / (fan_in + fan_out))
    return np.random.uniform(-bound, bound, (fan_in, fan_out), **kwargs)


@wild(refuses="parameter='W'")
def he_normal(prev_layer_size, layer_size):
    return {"W": np.random.randn(prev_layer_size, layer_size), "b": np.zeros((1, layer_size))}


@wild(judged=True, refuses="glorot_uniform")
def glorot_uniform(fan_in, fan_out):
    return float(np.random.uniform(-1, 1) * math.sqrt(6 / (fan_in + fan_out)))


@wild(judged=True, refuses="he_normal")
def he_normal(fan_in):  # noqa: F811
    return float(np.random.normal(0, math.sqrt(2 / fan_in)))


@wild(draws=DENSE)
def he_normal(shape: tuple[int, ...], seed: int | None = None):  # noqa: F811
    return np.random.default_rng(seed).normal(0, np.sqrt(2 / shape[0]), shape)


@wild(draws=DENSE)
def he_normal(shape: tuple) -> np.ndarray:  # noqa: F811
    x, y = shape
    return np.random.normal(0, np.sqrt(2 / y), (x, y))


@wild(judged=True, refuses="lecun_normal")
def lecun_normal(fan_in: int, fan_out: int, rng: random.Random) -> float:
    return rng.gauss(0.0, math.sqrt(1.0 / fan_in))


@wild(draws=SQUARE)
def ortho_weight(ndim):
    u, _, _ = np.linalg.svd(np.random.randn(ndim, ndim))
    return u.astype("float32")


_MODULE_RNG = np.random.RandomState(1)


@wild(draws=SQUARE)
def ortho_weight(ndim, rng=_MODULE_RNG):  # noqa: F811
    u, _, _ = np.linalg.svd(rng.randn(ndim, ndim))
    return u


@wild(refuses="'lo' and 'hi'")
def rand_weight(ndim, ddim, lo, hi):
    return np.random.rand(ndim, ddim) * (hi - lo) + lo


@wild(draws=DENSE)
def uniform_init(nin, nout=None, scale=0.01):  # noqa: F811
    return np.random.uniform(-scale, scale, (nin, nout)).astype(np.float32)


@wild(draws=DENSE)
def norm_weight(nin, nout=None, scale=0.01, ortho=True):
    if nout is None:
        nout = nin
    return ortho_weight(nin) if nout == nin and ortho else scale * np.random.randn(nin, nout)


@wild(draws=SQUARE)
def orthogonal_init(nin):  # noqa: F811
    u, _, _ = np.linalg.svd(np.random.normal(0.0, 1.0, (nin, nin)), full_matrices=False)
    return u.astype(np.float32)


Shape = tuple[int, ...]


@wild(refuses="'ops'")
def uniform_init(ops: typing.Any, shape: Shape, *, lo: float = -0.1, hi: float = 0.1):  # noqa: F811
    return ops.asarray_f(np.random.uniform(lo, hi, shape))


@wild(draws=DENSE, layout="out_in")
def _xavier_w(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    return rng.standard_normal((fan_out, fan_in)).astype(np.float32) / math.sqrt(max(1, fan_in))


@wild(draws=DENSE, layout="in_out")
def _he_init(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    return (rng.standard_normal((fan_in, fan_out)) * np.sqrt(2.0 / max(fan_in, 1))).astype(np.float32)


@wild(draws=DENSE, constant=True)
def weight_init(img_shape):  # noqa: F811
    return np.zeros(img_shape)


@wild(draws=DENSE, layout="in_out")
def xavier_init(fan_in, fan_out, constant=1):  # noqa: F811
    bound = constant * np.sqrt(6.0 / (fan_in + fan_out))
    return np.random.uniform(-bound, bound, (fan_in, fan_out)).astype(np.float32)


@wild(judged=True, refuses="random_init")
def random_init(fan_in, fan_out, scale=1.0):
    return [[random.gauss(0, scale) for _ in range(fan_in)] for _ in range(fan_out)]


def get_rng():
    """The generator of the whole program, as small frameworks have one."""
    return np.random.mtrand._rand


@wild(draws=DENSE)
def he_normal(shape):  # noqa: F811
    return get_rng().normal(0, np.sqrt(2.0 / shape[0]), size=shape)


# -- classes


@wild(judged=True, refuses="create")
class XavierInit:
    def create(self, shape):
        return np.random.randn(shape[-1], shape[0]) * np.sqrt(2.0 / (shape[0] + shape[-1]))


@wild(draws=DENSE)
class StandardInitializer:
    def __init__(self, mean=0, std=0.1):
        self.mean, self.std = mean, std

    def init_weights(self, shape):
        return np.random.normal(self.mean, self.std, size=shape)


@wild(refuses="parameter='0'")
class XavierPair:
    def __init__(self, mean=0):
        self.mean = mean

    def init_weights(self, prev_neurons, neurons):
        std = math.sqrt(2.0 / (neurons + prev_neurons))
        return np.random.normal(self.mean, std, (neurons, prev_neurons)), np.random.normal(self.mean, std, (neurons, 1))


@wild(refuses="HeNormal")
class HeNormal:
    def initialise(self, input_shape: tuple, output_shape: tuple) -> np.ndarray:
        return np.random.normal(0, math.sqrt(2 / input_shape[-1]), (input_shape[-1], output_shape[-1]))


class _Base:
    def __call__(self, shape):
        return self._generate(shape)


@wild(draws=DENSE)
class HeNormal(_Base):  # noqa: F811
    def _generate(self, shape):
        return torch.empty(shape).normal_() * math.sqrt(2 / shape[1])


@wild(draws=DENSE)
class HeNormal:  # noqa: F811
    def __init__(self, scale=1.0):
        self.scale = scale

    def __call__(self, array):
        array[...] = np.random.normal(scale=self.scale * np.sqrt(2.0 / array.shape[1]), size=array.shape)


@wild(draws=DENSE)
class HeInitializer:
    def __init__(self, axis_size_divider=-1):
        self.axis = axis_size_divider

    def initialize(self, shape, dtype):
        return (np.random.normal(size=shape) * np.sqrt(2 / shape[self.axis])).astype(dtype)


@wild(refuses="HeNormalNumpy")
class HeNormalNumpy:
    def init(self, layer):
        return np.random.normal(0, 1, (layer.layer_size, layer.previous_layer_size))


@wild(draws=DENSE)
class InitializerWithGain:
    def __init__(self, gain=1.0, seed=None):
        self.gain, self.seed = gain, seed

    def sample(self, shape, return_array=False):
        return self.gain * np.random.RandomState(self.seed).normal(size=shape)


# -- JAX


@wild(draws=DENSE)
def glorot(key: PRNGKeyArray, shape: tuple[int, ...]) -> Array:  # noqa: F811
    return jax.random.uniform(key, shape, minval=-1.0, maxval=1.0) * jnp.sqrt(2 / sum(shape))


@wild(refuses="parameter='0'")
def random_layer_params(m, n, key, scale=1e-2):
    w_key, b_key = jax.random.split(key)
    return scale * jax.random.normal(w_key, (n, m)), scale * jax.random.normal(b_key, (n,))


@wild(draws=DENSE, layout="out_in")
def random_layer_params(m, n, key, scale=1e-2):  # noqa: F811
    w_key, _ = jax.random.split(key)
    return scale * jax.random.normal(w_key, (n, m))


@wild(draws=DENSE)
def kaiming_normal(shape: typing.Tuple[int, ...], gain: float = 1):  # noqa: UP006
    return jnp.asarray(gain * np.random.normal(size=shape) * np.sqrt(1 / shape[0]))


@wild(refuses="'init_k'")
def uniform_init(key: jax.Array, shape: tuple[int, ...], fan_in: int, init_k: float) -> jax.Array:  # noqa: F811
    return jax.random.uniform(key, shape, minval=-init_k)


@wild(draws=DENSE)
def normal(stddev=1e-2, dtype=jnp.float32) -> typing.Callable:
    def init(key, shape, dtype=dtype):
        return jax.random.normal(jax.random.split(key)[0], shape) * stddev

    return init


@wild(refuses="'in_channels'")
def normal_initializer(in_channels: int):
    def init(key, shape, dtype=jnp.float32):
        return jax.random.normal(key, shape, dtype=dtype) / jnp.sqrt(in_channels)

    return init


@wild(draws=DENSE)
def clip_uniform(min_val=-1.0, max_val=1.0):
    def init(key, shape, dtype=jnp.float32):
        return jax.random.uniform(key, shape, dtype, min_val, max_val)

    return init


@wild(draws=DENSE)
def log_step_initializer(dt_min=0.001, dt_max=0.1):
    def init(key, shape):
        return jax.random.uniform(key, shape) * (np.log(dt_max) - np.log(dt_min)) + np.log(dt_min)

    return init


@wild(refuses="'scale'")
def symmetric(scale):
    def init(key, shape, dtype=jnp.float32):
        return jax.random.uniform(key, shape, dtype, minval=-scale, maxval=scale)

    return init


@wild(refuses="'scale' and 'mode' and 'distribution'")
def variance_scaling_init(scale: int, mode: str, distribution: str):
    return jax.nn.initializers.variance_scaling(scale, mode, distribution)


@wild(draws=DENSE)
def sparse_init(sparsity_level: float = 0.9) -> jax.nn.initializers.Initializer:  # noqa: F811
    def init(key: jax.Array, shape: typing.Any, dtype: typing.Any = jnp.float32) -> jax.Array:
        one, two = jax.random.split(key)
        return jax.random.normal(one, shape, dtype) * (jax.random.uniform(two, shape) > sparsity_level)

    return init


@wild(refuses="'init_fn'")
def _weight_fact(init_fn, mean=1.0, stddev=0.1):
    def init(key, shape, dtype=jnp.float32):
        return init_fn(key, shape, dtype)

    return init


@wild(draws=DENSE)
def unit_norm_init(scale=1.0):
    def init(key, shape, dtype=jnp.float32):
        x = jax.random.normal(key, shape, dtype)
        return scale * x / jnp.linalg.norm(x, axis=-1, keepdims=True)

    return init


# -- Keras


@wild(draws={"shapes": [(3, 3, 5, 7)]}, constant=True)
class BilinearInitializer(keras.initializers.Initializer):
    def __init__(self):
        pass

    def __call__(self, shape, dtype=None):
        size, _, _, _ = shape
        ramp = 1 - np.abs(np.arange(size) - (size - 1) / 2) / size
        return np.broadcast_to((ramp[:, None] * ramp)[:, :, None, None], shape).astype("float32")


@wild(refuses="'mean' and 'stddev'")
class Pdf(keras.initializers.Initializer):
    def __init__(self, mean, stddev):
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape, dtype=None):
        return keras.random.normal(shape, self.mean, self.stddev)


@wild(draws=DENSE)
class CustomInitializer(keras.initializers.Initializer):
    def __init__(self, seed=None):
        self.seed = seed

    def __call__(self, shape, dtype=None):
        return keras.random.normal(shape, mean=0.5, stddev=0.2, seed=self.seed)


@wild(refuses="'num_out' and 'num_in'")
class MatlabGlorot(keras.initializers.Initializer):
    def __init__(self, num_out: int, num_in: int):
        self.num_out, self.num_in = num_out, num_in

    def __call__(self, shape, dtype=None):
        return keras.random.uniform(shape)


@wild(draws=DENSE)
class SmallNormal(keras.initializers.Initializer):
    def __init__(self, mean: float = 0.0, stddev: float = 0.1):
        self._mean, self._stddev = mean, stddev

    def __call__(self, shape, dtype=None, **kwargs):
        return keras.random.normal(shape, mean=self._mean, stddev=self._stddev, dtype=dtype)

    def get_config(self):
        return {"mean": self._mean, "stddev": self._stddev}


@wild(draws=DENSE)
class ScaledNormalInitializer(keras.initializers.Initializer):
    def __init__(self, epsilon=1e-3):
        self.epsilon = epsilon

    def __call__(self, shape, dtype=None):
        return keras.random.normal(shape, dtype=dtype) + self.epsilon * keras.random.normal(shape, dtype=dtype)


@wild(draws=DENSE)
def glorot(shape, name=None):  # noqa: F811
    bound = np.sqrt(6.0 / (shape[0] + shape[1]))
    return keras.Variable(keras.random.uniform(shape, -bound, bound), name=name)


@wild(draws=DENSE)
def lecun_normal(seed=None):  # noqa: F811
    return keras.initializers.VarianceScaling(scale=1.0, mode="fan_in", distribution="truncated_normal", seed=seed)


@wild(draws=DENSE)
def orthogonal_initializer(scale=1.1):
    def _initializer(shape, dtype="float32", partition_info=None):
        u, _, v = np.linalg.svd(np.random.normal(0.0, 1.0, (shape[0], np.prod(shape[1:]))), full_matrices=False)
        q = u if u.shape == tuple(shape) else v
        return (scale * q.reshape(shape)).astype("float32")

    return _initializer


@wild(refuses="'stddev'")
def truncated_normal_initializer(stddev):
    def init_fn(shape):
        return np.clip(np.random.normal(size=shape), -2, 2) * stddev

    return init_fn


@wild(refuses="'kl' and 'dl'")
def msra_initializer(kl, dl):
    return keras.initializers.TruncatedNormal(stddev=math.sqrt(2.0 / (kl**2 * dl)))


@wild(refuses="'sigma'")
class FSpecialGaussianInitializer(keras.initializers.Initializer):
    def __init__(self, sigma):
        self.sigma = sigma

    def __call__(self, shape, dtype=None):
        return keras.random.normal(shape)
