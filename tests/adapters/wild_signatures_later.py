"""A second sample from public repositories, read after the rules were settled on the first; bodies of our own."""

import math
import random
import typing

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch import nn
from wild_signatures import CONV, DENSE, SQUARE, recorder

LATER: dict[str, tuple[object, dict]] = {}
wild = recorder(LATER)


class Ranker:
    @staticmethod
    def weight_initialization(module: torch.nn.Module):
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.xavier_uniform_(module.weight)

    def glorot_init(self, input_dim, output_dim):
        return nn.Parameter((torch.rand(input_dim, output_dim) * 2 - 1) * np.sqrt(6.0 / (input_dim + output_dim)))

    def gaussian_init(self, module, mean=0.0, var=1.0, bias=False):
        if hasattr(module, "weight"):
            module.weight.data.normal_(mean, var)

    def reservoir_initializer(self, shape, dtype=None):
        weights = np.random.randn(*shape)
        return weights * 0.9 / np.max(np.abs(np.linalg.eigvals(weights)))


wild(draws=DENSE)(Ranker.weight_initialization)
wild(draws=DENSE, layout="in_out")(Ranker().glorot_init)
wild(draws=DENSE)(Ranker().gaussian_init)
wild(draws=SQUARE)(Ranker().reservoir_initializer)


@wild(draws=DENSE)
def weight_initialization(model):
    for m in model.modules():
        if isinstance(m, (nn.Linear, nn.BatchNorm1d)):
            nn.init.normal_(m.weight.data, 0.0, 0.02)


@wild(refuses="cannot be read")
class He:
    def __init__(self):
        self.params = {}

    def weight_initialization(self, inp, layer, out):
        sizes = [inp, *layer, out]
        self.params["W1"] = np.random.randn(*sizes[:2])


@wild(refuses="'max_time'")
def random_weights(weights_shape, max_time, rand_type="uniform"):
    return np.random.uniform(-0.1, 0.1, weights_shape) * max_time


@wild(judged=True, refuses="random_weights")
def random_weights(N):  # noqa: F811, N803
    return [random.random() for _ in range(N)]


@wild(draws=SQUARE)
def random_weights(N_units, rng):  # noqa: F811, N803
    upper = np.triu(rng.uniform(-1, 1, size=(N_units, N_units)), 1)
    return upper + upper.T


@wild(refuses="parameter='0'")
def random_weights(input_size, hidden_size, seed=0):  # noqa: F811
    rng = np.random.default_rng(seed)
    return rng.normal(size=(4 * hidden_size * input_size,)), rng.normal(size=(4 * hidden_size * hidden_size,))


@wild(refuses="'layers'")
def random_weights(layers):  # noqa: F811
    return {i: np.random.randn(layers[i], layers[i - 1]) for i in range(1, len(layers))}, {}


@wild(judged=True, refuses="random_weights")
def random_weights(num_weights):  # noqa: F811
    weights = np.random.random(num_weights)
    return weights / np.sum(weights)


@wild(draws=DENSE)
def glorot_init(shape) -> np.ndarray:
    bound = np.sqrt(6.0 / (shape[0] + shape[1]))
    return np.random.uniform(low=-bound, high=bound, size=shape)


@wild(draws=DENSE)
def glorot_init(module: torch.nn.Module) -> None:  # noqa: F811
    for parameter in module.parameters():
        if parameter.dim() > 1:
            torch.nn.init.xavier_uniform_(parameter)


@wild(draws=DENSE, layout="in_out")
def glorot_init(fan_in, fan_out, seed=0):  # noqa: F811
    return np.random.default_rng(seed).normal(scale=np.sqrt(2.0 / (fan_in + fan_out)), size=(fan_in, fan_out))


@wild(refuses="glorot_init")
def glorot_init(params):  # noqa: F811
    for p in params:
        if len(p.data.size()) > 1:
            nn.init.xavier_normal_(p.data)


@wild(draws=DENSE)
def init_linear(m):
    if type(m) is nn.Linear:
        nn.init.kaiming_normal_(m.weight)


@wild(draws=DENSE)
def init_linear(input_linear):  # noqa: F811
    bias = np.sqrt(6.0 / (input_linear.weight.size(0) + input_linear.weight.size(1)))
    nn.init.uniform_(input_linear.weight, -bias, bias)
    if input_linear.bias is not None:
        input_linear.bias.data.zero_()


@wild(draws=DENSE)
def init_linear(layer):  # noqa: F811
    nn.init.xavier_normal_(layer.weight)
    nn.init.constant_(layer.bias, 0.0)


@wild(draws=DENSE)
def init_linear(module):  # noqa: F811
    for m in module.modules():
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight, nn.init.calculate_gain("tanh"))


@wild(draws=DENSE)
def init_linear(linear: torch.nn.Linear, std: float = 1.41, bias: float = 0.0) -> torch.nn.Linear:  # noqa: F811
    torch.nn.init.orthogonal_(linear.weight, std)
    torch.nn.init.constant_(linear.bias, bias)
    return linear


@wild(refuses="'wmean'")
def init_linear(nnseq, wmean, wstd, bval):  # noqa: F811
    for mod in nnseq:
        if type(mod) is nn.Linear:
            mod.weight.data.normal_(wmean, wstd)


@wild(draws=DENSE)
def kaiming_uniform(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu"):
    bound = math.sqrt(6 / tensor.shape[1])
    return tensor.uniform_(-bound, bound) if torch.is_tensor(tensor) else None


@wild(draws=DENSE, layout="in_out")
def kaiming_uniform(fan_in, fan_out, nonlinearity="relu", **kwargs):  # noqa: F811
    assert nonlinearity == "relu"
    bound = math.sqrt(6 / fan_in)
    return np.random.uniform(-bound, bound, (fan_in, fan_out), **kwargs)


@wild(draws=DENSE)
def kaiming_uniform(param, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"):  # noqa: F811
    nn.init.kaiming_uniform_(param, a=a, mode=mode, nonlinearity=nonlinearity)


@wild(draws=DENSE, layout="out_in")
def kaiming_uniform(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:  # noqa: F811
    bound = math.sqrt(6.0 / fan_in)
    return rng.uniform(-bound, bound, size=(fan_out, fan_in)).astype(np.float32)


@wild(draws=DENSE)
def kaiming_uniform(  # noqa: F811
    shape: tuple[int, ...], a: float = 0, mode: str = "fan_in", dtype: str = "float32", name: str | None = None
):
    kinds = {"float32": np.float32, "float64": np.float64}
    return np.random.uniform(-1, 1, shape).astype(kinds[dtype])


@wild(draws=DENSE)
def kaiming_uniform(tensor, fan_in, a=0):  # noqa: F811
    limit = np.sqrt(2.0 / (1 + a**2)) * np.sqrt(3.0 / fan_in)
    nn.init.uniform_(tensor, -limit, limit)


@wild(refuses="create_weights")
def create_weights(G, num_nodes):  # noqa: N803
    matrix = np.random.rand(num_nodes, num_nodes)
    return matrix / matrix.sum(axis=0)


@wild(draws=DENSE)
def orthogonal(rows, cols, gain=1):
    u, _, v = np.linalg.svd(np.random.normal(size=(rows, cols)), full_matrices=False)
    return gain * (u if u.shape == (rows, cols) else v)


@wild(refuses="'name'")
def orthogonal(name, shape, scale=1.1, dtype=np.float32, summary=True):  # noqa: F811
    return np.random.normal(size=shape)


@wild(draws=DENSE)
def orthogonal(gain=1.0, dtype=np.float32):  # noqa: F811
    def _initializer(shape, dtype=dtype):
        if len(shape) < 2:
            raise RuntimeError("two dimensions or more")
        flat = (shape[0], int(np.prod(shape[1:])))
        u, _, v = np.linalg.svd(np.random.normal(size=flat), full_matrices=False)
        return (gain * (u if u.shape == flat else v)).reshape(shape).astype(dtype)

    return _initializer


@wild(refuses="parameter='W1'")
def initialize_parameters(layer_dims):
    sizes = {f"W{i}": np.random.randn(layer_dims[i], layer_dims[i - 1]) for i in range(1, len(layer_dims))}
    return sizes | {f"b{i}": np.zeros((layer_dims[i], 1)) for i in range(1, len(layer_dims))}


@wild(refuses="parameter='W'")
def initialize_parameters(n_x, n_y):  # noqa: F811
    return {"W": np.random.randn(n_y, n_x) * 0.01, "b": np.zeros((n_y, 1))}


@wild(draws=DENSE)
def gaussian_init(W, mean=0.0, std=0.05):  # noqa: N803
    return W.normal_(mean=mean, std=std) if isinstance(W, torch.Tensor) else None


@wild(draws=DENSE)
def kaiming_init(W, a=math.sqrt(5), *kwargs):  # noqa: B008, N803
    return nn.init.kaiming_uniform_(W, a)


@wild(draws=DENSE, constant=True)
def zeros_init(W):  # noqa: N803
    return torch.zeros_like(W)


@wild(draws=SQUARE)
def gaussian_init_(n_units, std=1):
    sampler = torch.distributions.Normal(torch.Tensor([0]), torch.Tensor([std / n_units]))
    return sampler.sample((n_units, n_units))[..., 0]


@wild(judged=True, refuses="uniform_init")
def uniform_init(dim: int):
    return [[random.random() for _ in range(dim)] for _ in range(dim)]


@wild(draws=SQUARE)
def cosine_init(dim: int):
    return np.random.normal(0, 1 / np.sqrt(dim), size=(dim, dim))


@wild(refuses="'sigma'")
def init_method_normal(sigma):
    def init_(tensor):
        return torch.nn.init.normal_(tensor, mean=0.0, std=sigma)

    return init_


@wild(refuses="'sigma' and 'num_layers'")
def scaled_init_method_normal(sigma: float, num_layers: int) -> typing.Callable:
    def init_(tensor):
        return torch.nn.init.normal_(tensor, mean=0.0, std=sigma / math.sqrt(2.0 * num_layers))

    return init_


@wild(refuses="'sigma' and 'num_layers'")
def scaled_init_method_normal(tensor, sigma, num_layers):  # noqa: F811
    return nn.init.normal_(tensor, mean=0.0, std=sigma / math.sqrt(2.0 * num_layers))


@wild(draws=DENSE, constant=True)
def init_method_const(tensor):
    return nn.init.constant_(tensor, 0.0)


@wild(draws=CONV)
def scaled_init(
    module: nn.Module,
    std: float = 0.02,
    bias_const: float = 0.0,
    scale_factor: typing.Union[float, str] = 1.0,  # noqa: UP007
) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, std=std * float(scale_factor))


@wild(draws=DENSE)
def he_uniform(key, shape, dtype):
    bound = jnp.sqrt(6 / shape[-1])
    return jax.random.uniform(key, shape, dtype, minval=-bound, maxval=bound)


@wild(refuses="'scale' and 'init'")
def scaled_init(key, shape, scale, init, dtype=jnp.float32):  # noqa: F811
    return scale * init(key, shape, dtype)


@wild(refuses="'gain'")
class OrthogonalInitializer:
    def __init__(self, gain):
        self.gain = gain

    def generate(self, shape):
        return np.random.normal(size=shape)


@wild(draws=DENSE)
class OrthogonalInitializer:  # noqa: F811
    def __init__(self, scale=1.1):
        self.scale = scale

    def __call__(self, shape, dtype=np.float32, *args, **kwargs):
        return (self.scale * np.random.uniform(size=shape)).astype(dtype)


@wild(draws=DENSE)
class OrthogonalInit:
    def __call__(self, shape):
        if len(shape) != 2:
            raise ValueError(f"only matrices, not {shape}")
        u, _, v = np.linalg.svd(np.random.randn(*shape), full_matrices=False)
        return v if shape[0] < shape[1] else u


@wild(refuses="'scale' and 'mode' and 'distribution'")
def nd_dense_init(scale, mode, distribution):
    return jax.nn.initializers.variance_scaling(scale, mode, distribution)


@wild(refuses="'in_axis' and 'out_axis'")
def init_fn(key, shape, dtype, in_axis, out_axis):
    return jax.nn.initializers.variance_scaling(1.0, "fan_in", "normal", in_axis, out_axis)(key, shape, dtype)


@wild(draws=DENSE)
def init_fn(key, shape, dtype=jnp.float32):  # noqa: F811
    return jnp.zeros(shape, dtype) + 0.1 * jax.random.normal(key, shape, jnp.result_type(dtype, jnp.float32))


@wild(draws=DENSE)
def init_fn(key, shape, dtype, _in_axis=0, _out_axis=1):  # noqa: F811
    one, two = jax.random.split(key)
    half = shape[1] // 2
    return jnp.concatenate(
        [jax.random.normal(one, (shape[0], half), dtype), jax.random.normal(two, (shape[0], shape[1] - half), dtype)], 1
    )


@wild(refuses="'scale'")
def py_ortho_init(scale):
    def _init(shape):
        u, _, v = np.linalg.svd(np.random.uniform(size=shape), full_matrices=False)
        return scale * (u if u.shape == tuple(shape) else v)

    return _init
