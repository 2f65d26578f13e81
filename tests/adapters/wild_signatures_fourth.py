"""A fourth sample from public repositories, written down before it was first read; bodies of our own.

``source`` names repository and file where the index that was searched tells them; it knows the others by number only.
``then`` holds the options that a refusal's advice amounts to, and what must be drawn with them.
"""

import itertools
import math
import typing
from abc import ABC, abstractmethod
from enum import Enum

import jax.numpy as jnp
import keras
import numpy as np
import scipy.sparse
import scipy.stats
import torch
from wild_signatures import CONV, DENSE, SQUARE, recorder

FOURTH: dict[str, tuple[object, dict]] = {}
HWIO = {"shapes": [(3, 3, 5, 7)]}
wild = recorder(FOURTH)


# -- NumPy teaching code


@wild(draws=DENSE, layout="in_out")
def init_weights_he(n_in, n_out):
    return np.sqrt(2.0 / n_in) * np.random.randn(n_in, n_out)


class Graphs:
    @staticmethod
    def initialize_weights_he(size, const=1, div_factor=1, normalized=False):
        bound = np.sqrt(div_factor / size[0]) if normalized else const / size[0]
        return np.random.uniform(-bound, bound, size)


wild(draws=DENSE)(Graphs.initialize_weights_he)


@wild(draws={"shapes": [(5, 7), (5, 7, 3, 3)]})
def initializeFilter(size, scale=1.0):  # noqa: N802
    return np.random.normal(0, scale / math.sqrt(math.prod(size)), size)


@wild(draws=DENSE)
def initializeWeight(size):  # noqa: N802
    return 0.01 * np.random.standard_normal(size)


class Weights:
    @staticmethod
    def glorot_normal(prev_layer_size, layer_size):
        return np.sqrt(2 / (prev_layer_size + layer_size)) * np.random.randn(prev_layer_size, layer_size)


wild(draws=DENSE, layout="in_out")(Weights.glorot_normal)


@wild(draws=DENSE)
def glorot_normal(rng, shape):
    return np.sqrt(2 / sum(shape)) * rng.normal(size=shape)


class RecurrentNet:
    def glorot_normal(self, size, dim_ordering="th"):
        return self.normal(size, np.sqrt(2.0 / (size[0] + size[1])))

    def normal(self, size, scale=0.05):
        return np.random.normal(0.0, scale, size).astype("float32")


wild(draws=DENSE)(RecurrentNet().glorot_normal)


@wild(draws=DENSE)
def glorot_normal(weight_shape, gain=1.0, seed=2019):  # noqa: F811
    std = gain * math.sqrt(2 / sum(weight_shape))
    return keras.random.truncated_normal(weight_shape, 0.0, std, seed=seed)


@wild(draws=DENSE, layout="in_out")
def glorot_normal(in_dim: int, out_dim: int) -> jnp.ndarray:  # noqa: F811
    return jnp.asarray(np.random.normal(0.0, np.sqrt(2.0 / (in_dim + out_dim)), (in_dim, out_dim)))


@wild(draws=DENSE)
def kaiming_normal(shape, fan_in=None, nonlinearity="relu", **kwargs):
    fan_in = shape[0] if fan_in is None else fan_in
    return np.random.normal(0, math.sqrt((2 if nonlinearity == "relu" else 1) / fan_in), shape)


def randn(*shape, mean=0.0, std=1.0, device=None, dtype="float32"):
    return (np.random.randn(*shape) * std + mean).astype(dtype)


@wild(draws=DENSE, layout="in_out")
def kaiming_normal(fan_in, fan_out, mode="fan_in", **kwargs):  # noqa: F811
    return randn(fan_in, fan_out, std=math.sqrt(2 / (fan_in if mode == "fan_in" else fan_out)), **kwargs)


class TinyTensor:
    @staticmethod
    def kaiming_normal(*shape, a: float = 0.01, **kwargs) -> np.ndarray:
        return randn(*shape, std=math.sqrt(2.0 / (1 + a**2) / math.prod(shape[1:])), **kwargs)


wild(draws={"shapes": [(5, 7), (5, 7, 3, 3)]}, source="tinygrad/tinygrad: tinygrad/tensor.py")(
    TinyTensor.kaiming_normal
)


@wild(draws=DENSE)
def glorot_uniform(*shape, requires_grad: bool = None, dtype=np.float32, device=None):  # noqa: RUF013
    bound = math.sqrt(6 / (shape[0] + math.prod(shape[1:])))
    return np.random.uniform(-bound, bound, shape).astype(dtype)


class DeepNetwork:
    def xavier_normal(self, input_n_neurons, output_n_neurons):
        weights = np.random.normal(0, np.sqrt(1 / input_n_neurons), (input_n_neurons, output_n_neurons))
        return weights, np.zeros((1, output_n_neurons))


wild(refuses="parameter='0'", then={"parameter": "0", "draws": DENSE, "layout": "in_out"})(DeepNetwork().xavier_normal)


@wild(draws=DENSE)
def xavier_normal(gain: float = 1.0):
    def init(shape: list[int]) -> np.ndarray:
        return np.random.normal(0.0, gain * math.sqrt(2.0 / sum(shape)), shape)

    return init


@wild(draws=DENSE, layout="in_out")
def xavier_normal(fan_in: int, fan_out: int, seed: int | None = None) -> np.ndarray:  # noqa: F811
    return np.random.default_rng(seed).normal(0, np.sqrt(2.0 / (fan_in + fan_out)), (fan_in, fan_out))


@wild(draws=DENSE)
def xavier_normal(shape, nonlinearity="leaky_relu"):  # noqa: F811
    return np.random.randn(*shape) * math.sqrt(2 / sum(shape))


class Populations:
    def __init__(self, widths):
        self.widths = widths

    def xavier_normal(self, epoch: int, seed: int):
        np.random.seed(seed)
        pairs = list(zip(self.widths, self.widths[1:], strict=False))
        return [[np.random.normal(0, np.sqrt(2 / (m + n)), (m, n)) for m, n in pairs] for _ in range(epoch)]


wild(refuses="xavier_normal")(Populations([4, 3, 2]).xavier_normal)


@wild(draws=DENSE)
def he_uniform_init(shape, a=0):
    bound = np.sqrt(6.0 / ((1.0 + a**2) * shape[0]))
    return np.random.uniform(-bound, bound, size=shape).astype("float64")


@wild(draws=DENSE)
def he_uniform_init(fan_in, fan_out, size):  # noqa: F811
    bound = math.sqrt(6 / fan_in)
    return np.random.uniform(-bound, bound, size)


@wild(draws=DENSE, layout="out_in")
def he_uniform_init(  # noqa: F811
    fan_in: int,
    fan_out: int,
    rng: typing.Optional[np.random.Generator] = None,  # noqa: UP045
) -> np.ndarray:
    rng = np.random.default_rng() if rng is None else rng
    bound = np.sqrt(6.0 / fan_in)
    return rng.uniform(-bound, bound, (fan_out, fan_in))


@wild(draws=DENSE)
def he_uniform_init(shape: (int, int)) -> np.ndarray:  # noqa: F811
    bound = math.sqrt(6 / shape[1])
    return np.random.uniform(-bound, bound, shape)


@wild(draws=DENSE, layout="in_out")
def xavier_weights(input_dim: int, output_dim: int) -> np.ndarray:
    bound = np.sqrt(6.0 / (input_dim + output_dim))
    return np.random.uniform(-bound, bound, (input_dim, output_dim)).astype(np.float32)


@wild(refuses="xavier_weights")
def xavier_weights(num_of_layers, n):  # noqa: F811
    ws = [np.random.randn(n, 784), *(np.random.randn(n, n) for _ in range(1, num_of_layers)), np.random.randn(10, n)]
    return ws, [np.zeros((len(w), 1)) for w in ws]


@wild(draws=DENSE)
def init_weight(rng, size):
    return np.asarray(0.01 * rng.normal(size=size))


@wild(draws=DENSE)
def init_weight(rng, shape):  # noqa: F811
    bound = np.sqrt(6.0 / math.prod(shape[-2:]))
    return torch.from_numpy(rng.uniform(low=-bound, high=bound, size=shape).astype(np.float32))


@wild(draws=DENSE, layout="in_out")
def init_weight(rng, n_in, n_out, sigmoid=False):  # noqa: F811
    bound = (4 if sigmoid else 1) * np.sqrt(6.0 / (n_in + n_out))
    return np.asarray(rng.uniform(low=-bound, high=bound, size=(n_in, n_out)))


@wild(refuses="init_lstm_weights")
def init_lstm_weights(input_size, hidden_size, seed=42):
    rng = np.random.default_rng(seed)
    gates = {f"W_{g}": 0.1 * rng.standard_normal((hidden_size, input_size + hidden_size)) for g in "fico"}
    return gates | {f"b_{g}": np.full(hidden_size, float(g == "f")) for g in "fico"}


@wild(
    refuses="init_conv_weights",
    then={"signature": "(in, out, kernel)", "parameter": "0", "draws": CONV, "layout": "oihw"},
)
def init_conv_weights(in_ch, out_ch, k, method="he_normal", std=None):
    std = math.sqrt(2 / (in_ch * k * k)) if std is None else std
    return np.random.normal(0, std, (out_ch, in_ch, k, k)), np.zeros(out_ch)


class ConvNet:
    def init_conv_weights(self, shape):
        out = np.zeros(shape)
        for i in range(shape[0]):
            for j in range(shape[1]):
                out[i, j] = np.random.randn(shape[2], shape[3]) * math.sqrt(2.0 / shape[1])
        return out


wild(draws=CONV)(ConvNet().init_conv_weights)


class PrecisionNet:
    def _init_weights(self, n_in, n_out):
        return np.random.randn(n_in, n_out) * math.sqrt(2.0 / n_in)


wild(draws=DENSE, layout="in_out")(PrecisionNet()._init_weights)


class AssemblyNet:
    p, device = 0.5, "cpu"

    def _init_weights(self, n_in: int, n_out: int) -> torch.Tensor:
        mask = torch.rand(n_out, n_in, device=self.device) < self.p
        return mask * torch.rand(n_out, n_in, device=self.device)


wild(draws=DENSE, layout="out_in")(AssemblyNet()._init_weights)


class Classifier:
    hidden_dim = 8

    def _init_weights(self, n_in):
        self.W1 = np.random.randn(n_in, self.hidden_dim) * np.sqrt(2.0 / n_in)
        self.W2 = np.random.randn(self.hidden_dim, 1)


wild(refuses="_init_weights")(Classifier()._init_weights)


@wild(draws=SQUARE)
def orthogonal_matrix(dim: int, seed: int) -> np.ndarray:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))
    return q * np.sign(np.diag(r))


@wild(refuses="orthogonal_matrix")
def orthogonal_matrix(rng: np.random.Generator) -> np.ndarray:  # noqa: F811
    return np.linalg.qr(rng.normal(size=(3, 3)))[0]


@wild(draws=DENSE, source="pyg-team/pytorch_geometric: torch_geometric/nn/attention/performer.py")
def orthogonal_matrix(num_rows: int, num_cols: int) -> torch.Tensor:  # noqa: F811
    blocks = [torch.linalg.qr(torch.randn(num_cols, num_cols))[0].t() for _ in range(num_rows // num_cols + 1)]
    return torch.randn(num_rows, num_cols).norm(dim=1).diag() @ torch.cat(blocks)[:num_rows]


class Layer:
    def _uniform_init(self, shape, low=0, high=1):
        return low + (high - low) * np.random.uniform(size=shape)


wild(draws=DENSE)(Layer()._uniform_init)


class MatrixInit:
    @staticmethod
    def init_weights_lecun(m):
        if isinstance(m, np.ndarray):
            return np.sqrt(1 / m.shape[0]) * np.random.normal(size=m.shape)
        return m


wild(draws=DENSE)(MatrixInit.init_weights_lecun)


@wild(
    refuses="'scale'",
    then={"args": {"scale": 0.1}, "parameter": "0.0", "draws": DENSE, "layout": "in_out"},
    source="HIPS/autograd: examples/neural_net.py",
)
def init_random_params(scale, layer_sizes, rs=np.random.RandomState(0)):  # noqa: B008
    pairs = itertools.pairwise(layer_sizes)
    return [(scale * rs.randn(m, n), scale * rs.randn(n)) for m, n in pairs]


# -- reservoirs, quaternions, recurrent blocks


@wild(refuses="'radius' and 'degree'", then={"args": {"radius": 0.9, "degree": 3}, "draws": SQUARE})
def generate_reservoir(size, radius, degree):
    a = scipy.sparse.random(size, size, density=degree / float(size)).todense()
    return (a / np.max(np.abs(np.linalg.eigvals(a)))) * radius


@wild(refuses="'spectral_radius' and 'density' and 'input_scaling'")
def generate_reservoir(  # noqa: F811
    reservoir_size: int, spectral_radius: float, density: float, input_scaling: float, in_dim: int, seed: int
) -> tuple[scipy.sparse.csr_matrix, np.ndarray]:
    rng = np.random.default_rng(seed)
    w = scipy.sparse.random(reservoir_size, reservoir_size, density=density, random_state=rng, format="csr")
    return spectral_radius * w, rng.uniform(-input_scaling, input_scaling, (reservoir_size, in_dim))


@wild(refuses="'density'", then={"args": {"rho": 0.9, "density": 0.5}, "draws": SQUARE})
def generate_reservoir(dim_reservoir, rho, density):  # noqa: F811
    a = np.random.uniform(-1, 1, (dim_reservoir, dim_reservoir)) * (np.random.rand(dim_reservoir, 1) < density + 0.5)
    return rho * a / np.max(np.abs(np.linalg.eigvals(a)))


class ReservoirNet:
    input_weights_scaling = 2.0

    def generate_reservoir(self, size, spectral_radius, sparsity):
        drawn = (torch.rand(size, size) - 0.5) * self.input_weights_scaling
        drawn = drawn * (torch.rand(size, size) > sparsity)
        return drawn * spectral_radius / torch.linalg.eigvals(drawn).abs().max()


wild(
    refuses="'spectral_radius' and 'sparsity'",
    then={"args": {"spectral_radius": 0.9, "sparsity": 0.1}, "draws": SQUARE},
)(ReservoirNet().generate_reservoir)


@wild(refuses="'density'")
def sparse_reservoir(out_size, specrad, density, rnd_fu=np.random.normal):
    a = scipy.sparse.random(out_size, out_size, density=density / 100, data_rvs=lambda n: rnd_fu(size=n))
    return specrad * a.tocsc()


@wild(refuses="parameter='1'", then={"parameter": "1", "draws": DENSE})
def sparse_reservoir(  # noqa: F811
    n_res: int, n_genes: int, density: float = 0.01, input_scale: float = 0.5, random_state: int = 42
) -> tuple[scipy.sparse.csr_matrix, np.ndarray]:
    rng = np.random.RandomState(random_state)
    w = scipy.sparse.random(n_res, n_res, density=density, random_state=rng, format="csr")
    return w, rng.uniform(-input_scale, input_scale, (n_res, n_genes))


@wild(
    refuses="'dist'",
    then={"args": {"dist": "norm"}, "draws": DENSE},
    source="reservoirpy/reservoirpy: reservoirpy/mat_gen.py",
)
def _random_sparse(*shape, dist, connectivity=1.0, dtype=np.float64, sparsity_type="csr", seed=None, **kwargs):
    rg = np.random.default_rng(seed)
    drawn = getattr(scipy.stats, dist)(**kwargs).rvs(size=shape, random_state=rg).astype(dtype)
    return drawn * (rg.random(shape) <= connectivity)


@wild(draws=DENSE, source="reservoirpy/reservoirpy: reservoirpy/mat_gen.py")
def _uniform(*shape, low=-1, high=1, connectivity=1.0, dtype=np.float64, sparsity_type="csr", seed=None):
    return _random_sparse(
        *shape, dist="uniform", loc=low, scale=high - low, connectivity=connectivity, dtype=dtype, seed=seed
    )


@wild(refuses="parameter='0'", then={"parameter": "0", "draws": DENSE, "layout": "in_out"})
def unitary_init(in_features, out_features, rng, criterion="glorot"):
    parts = rng.uniform(-1, 1, (4, in_features, out_features))
    return tuple(parts / np.sqrt((parts**2).sum(0) + 1e-4))


@wild(refuses="parameter='0'", then={"parameter": "0", "draws": DENSE, "layout": "in_out"})
def quaternion_init(in_features, out_features, rng, kernel_size=None, criterion="he"):
    shape = (in_features, out_features) if kernel_size is None else (out_features, in_features, *kernel_size)
    return tuple(rng.chisquare(4, (4, *shape)) * np.cos(rng.uniform(-np.pi, np.pi, shape)))


class UnitaryInitializer:
    @staticmethod
    def unitary_init(shape: tuple[int, ...], gain: float = 1.0) -> torch.Tensor:
        flat = torch.randn(shape[0], math.prod(shape[1:]))
        q = torch.linalg.qr(flat if len(flat) >= flat.shape[1] else flat.t())[0]
        return gain * (q if q.shape == flat.shape else q.t()).reshape(shape)


wild(draws={"shapes": [(5, 7), (5, 7, 3, 3)]})(UnitaryInitializer.unitary_init)


@wild(refuses="'block_size'", then={"args": {"block_size": 2}, "draws": SQUARE})
def block_orthogonal_init(size, block_size, frequency=torch.pi / 8, amplitude=(0.9, 0.999)):
    out = torch.zeros((size, size))
    for i in range(0, size, block_size):
        turn, length = (torch.rand(()) - 0.5) * 2 * frequency, torch.empty(()).uniform_(*amplitude)
        out[i : i + 2, i : i + 2] = length * torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()]).view(2, 2)
    return out


# -- classes


class NdarrayInitialization:
    def generate(self, rng, shape):
        raise RuntimeError("abstract")

    def initialize(self, var, rng, shape=None):
        if not shape:
            shape = var.get_value(borrow=True, return_internal_type=True).shape
        var.set_value(self.generate(rng, shape))


@wild(draws=DENSE, source="mila-iqia/blocks: blocks/initialization.py")
class IsotropicGaussian(NdarrayInitialization):
    def __init__(self, std=1, mean=0):
        self.mean, self.std = mean, std

    def generate(self, rng, shape):
        return (self.mean + self.std * rng.normal(size=shape)).astype("float32")


@wild(draws=DENSE, source="mila-iqia/blocks: blocks/initialization.py")
class BlocksOrthogonal(NdarrayInitialization):
    def __init__(self, scale=1):
        self.scale = scale

    def generate(self, rng, shape):
        if len(shape) != 2:
            raise ValueError
        left, right = (np.linalg.qr(rng.randn(n, n))[0] for n in shape)
        least = min(shape)
        return self.scale * left[:, :least] @ right[:least]


@wild(refuses="'num_init' and 'weights_init'", source="mila-iqia/blocks: blocks/initialization.py")
class BlocksSparse(NdarrayInitialization):
    def __init__(self, num_init, weights_init, sparse_init=None):
        self.num_init, self.weights_init, self.sparse_init = num_init, weights_init, sparse_init


class LasagneInitializer:
    def __call__(self, shape):
        return self.sample(shape)

    def sample(self, shape):
        raise NotImplementedError


class Glorot(LasagneInitializer):
    def __init__(self, initializer, gain=1.0, c01b=False):
        self.initializer, self.gain, self.c01b = initializer, gain, c01b

    def sample(self, shape):
        if len(shape) < 2:
            raise RuntimeError("two axes or more")
        std = self.gain * np.sqrt(2.0 / (sum(shape[:2]) * math.prod(shape[2:])))
        return self.initializer(std=std).sample(shape)


@wild(draws={"shapes": [(5, 7), (5, 7, 3, 3)]}, source="Lasagne/Lasagne: lasagne/init.py")
class Normal(LasagneInitializer):
    def __init__(self, std=0.01, mean=0.0):
        self.std, self.mean = std, mean

    def sample(self, shape):
        return (self.mean + self.std * np.random.normal(size=shape)).astype(np.float32)


@wild(draws={"shapes": [(5, 7), (5, 7, 3, 3)]}, source="Lasagne/Lasagne: lasagne/init.py")
class GlorotNormal(Glorot):
    def __init__(self, gain=1.0, c01b=False):
        super().__init__(Normal, gain, c01b)


@wild(refuses="'initializer'", source="Lasagne/Lasagne: lasagne/init.py")
class He(Glorot):
    def __init__(self, initializer, gain=1.0, c01b=False):
        super().__init__(initializer, gain, c01b)


@wild(draws={"shapes": [(20, 30)]}, source="Lasagne/Lasagne: lasagne/init.py")
class Sparse(LasagneInitializer):
    def __init__(self, sparsity=0.1, std=0.01):
        self.sparsity, self.std = sparsity, std

    def sample(self, shape):
        if len(shape) != 2:
            raise RuntimeError("two axes")
        w, kept = np.zeros(shape, np.float32), int(self.sparsity * shape[0])
        for k in range(shape[1]):
            w[np.random.permutation(shape[0])[:kept], k] = np.random.normal(0.0, self.std, kept)
        return w


@wild(draws={"shapes": [(5, 7), (5, 7, 3, 3)]})
class Prelu(LasagneInitializer):
    def __init__(self):
        pass

    def sample(self, shape):
        return np.random.normal(0, np.sqrt(2.0 / math.prod(shape[1:])), shape).astype(np.float32)


@wild(draws={"shapes": [(5, 7), (5, 7, 3, 3)]}, source="Lasagne/Recipes: papers/densenet/densenet.py")
class DenseNetInit(LasagneInitializer):
    def sample(self, shape):
        rng = np.random.mtrand._rand
        if len(shape) >= 4:
            return rng.normal(0, np.sqrt(2.0 / (shape[0] * math.prod(shape[2:]))), shape)
        bound = 1 / np.sqrt(shape[0])
        return rng.uniform(-bound, bound, shape)


class ChainerInitializer:
    def __init__(self, dtype=None):
        self.dtype = dtype

    def __call__(self, array):
        raise NotImplementedError


@wild(draws=DENSE, source="chainer/chainer: chainer/initializers/normal.py")
class ChainerNormal(ChainerInitializer):
    def __init__(self, scale=0.05, dtype=None):
        self.scale = scale
        super().__init__(dtype)

    def __call__(self, array):
        array[...] = self.scale * np.random.normal(size=array.shape)


@wild(draws=DENSE, source="chainer/chainer: chainer/initializers/normal.py")
class ChainerHeNormal(ChainerInitializer):
    def __init__(self, scale=1.0, dtype=None, fan_option="fan_in"):
        self.scale, self.fan_option = scale, fan_option
        super().__init__(dtype)

    def __call__(self, array):
        if self.dtype is not None:
            assert array.dtype == self.dtype
        fan = math.prod(array.shape[1:]) if self.fan_option == "fan_in" else array.shape[0]
        ChainerNormal(self.scale * math.sqrt(2.0 / fan))(array)


class MXInitializer:
    def __init__(self, **kwargs):
        self._kwargs = kwargs

    def dumps(self):
        return str([type(self).__name__.lower(), self._kwargs])

    def __call__(self, desc, arr):
        if desc.endswith("weight"):
            self._init_weight(desc, arr)
        elif desc.endswith("bias"):
            arr[:] = 0.0
        else:
            raise ValueError(f"no pattern for {desc}")

    def _init_weight(self, name, arr):
        raise NotImplementedError


@wild(draws=DENSE)
class GANInitializer(MXInitializer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def _init_weight(self, name, arr):
        arr[:] = 0.02 * np.random.normal(size=arr.shape) if name.endswith("weight") else 1.0


@wild(draws=DENSE, source="apache/mxnet: python/mxnet/initializer.py")
class MXUniform(MXInitializer):
    def __init__(self, scale=0.07):
        super().__init__(scale=scale)
        self.scale = scale

    def _init_weight(self, _, arr):
        arr[:] = self.scale * np.random.uniform(-1, 1, arr.shape)


@wild(draws=DENSE)
class CustomNormalInit(MXInitializer):
    def __init__(self, mean=0, sigma=0.01, bounded=False):
        super().__init__(mean=mean, sigma=sigma, bounded=bounded)
        self.mean, self.sigma, self.bounded = mean, sigma, bounded

    def _init_weight(self, _, arr):
        arr[:] = np.random.normal(self.mean, self.sigma, arr.shape)
        if self.bounded:
            arr[:] = np.abs(arr)


@wild(refuses="'expand_ratio'", source="osmr/imgclsmob: gluon/gluoncv2/models/xdensenet.py")
class XMaskInit(MXInitializer):
    def __init__(self, expand_ratio, **kwargs):
        super().__init__(**kwargs)
        self.expand_ratio = expand_ratio


@wild(draws=DENSE, source="NervanaSystems/neon: neon/initializers/initializer.py")
class GlorotUniform:
    be = np.random

    def __init__(self, name="autouniformInit"):
        self.name = name

    def fill(self, param):
        bound = np.sqrt(6.0 / (param.shape[0] + param.shape[1]))
        param[:] = self.be.uniform(-bound, bound, param.shape)


class PaddleInitializer:
    def __call__(self, param, block=None):
        return self.forward(param, block)

    def forward(self, param, block=None):
        raise NotImplementedError


class NormalInitializer(PaddleInitializer):
    def __init__(self, loc=0.0, scale=1.0, seed=0):
        assert seed is not None
        self._mean, self._std_dev, self._seed = loc, scale, seed

    def forward(self, var, block=None):
        rng = np.random if self._seed == 0 else np.random.RandomState(self._seed)
        var[...] = rng.normal(self._mean, self._std_dev, var.shape)


wild(draws=DENSE, source="PaddlePaddle/Paddle: python/paddle/nn/initializer/normal.py")(NormalInitializer)


@wild(draws=DENSE, source="PaddlePaddle/Paddle: python/paddle/nn/initializer/normal.py")
class PaddleNormal(NormalInitializer):
    def __init__(self, mean=0.0, std=1.0, name=None):
        super().__init__(loc=mean, scale=std, seed=0)


@wild(draws=DENSE, source="sony/nnabla: python/src/nnabla/initializer.py")
class NnablaNormal:
    def __init__(self, sigma=1.0, rng=None):
        self.rng = np.random if rng is None else rng
        self.sigma = sigma

    def __call__(self, shape):
        return self.sigma * self.rng.randn(*shape)


@wild(draws=DENSE, source="sony/nnabla: python/src/nnabla/initializer.py")
class NnablaUniform:
    def __init__(self, lim=(-1, 1), rng=None):
        self.rng = np.random if rng is None else rng
        self.lim = lim

    def __call__(self, shape):
        return self.rng.uniform(*self.lim, size=shape)


@wild(draws=DENSE, source="itdxer/neupy: neupy/init.py")
class NeupyNormal:
    def __init__(self, mean=0, std=0.01):
        self.mean, self.std = mean, std

    def sample(self, shape):
        return self.mean + self.std * np.random.normal(size=shape)

    def get_value(self):
        raise RuntimeError("not initialized yet")


@wild(draws=DENSE, source="itdxer/neupy: neupy/init.py")
class NeupyOrthogonal:
    def __init__(self, scale=1):
        self.scale = scale

    def sample(self, shape):
        if len(shape) not in (1, 2):
            raise ValueError(f"one axis or two, not {len(shape)}")
        drawn = np.random.randn(*shape)
        if len(shape) == 1:
            return drawn
        u, _, v = np.linalg.svd(drawn, full_matrices=False)
        return self.scale * (u if shape[0] > shape[1] else v)[: shape[0], : shape[1]]

    def get_value(self):
        raise RuntimeError("not initialized yet")


@wild(draws=DENSE, source="borgwang/tinynn: core/initializer.py")
class TruncatedNormalInit:
    def __init__(self, mean=0.0, std=1.0):
        self._tn = scipy.stats.truncnorm(-2 * std, 2 * std, loc=mean, scale=std)

    def __call__(self, shape):
        return self._tn.rvs(size=shape)


@wild(draws={"shapes": [(5, 7), (5, 7, 3, 3)]}, source="borgwang/tinynn: core/initializer.py")
class XavierUniformInit:
    def __init__(self, gain=1.0):
        self._gain = gain

    def __call__(self, shape):
        assert len(shape) >= 2
        bound = self._gain * np.sqrt(6.0 / (shape[0] + shape[1]))
        return np.random.uniform(-bound, bound, shape)


@wild(
    refuses="'val'",
    then={"args": {"val": 0.5}, "draws": DENSE, "constant": True},
    source="borgwang/tinynn: core/initializer.py",
)
class ConstantInit:
    def __init__(self, val):
        self._val = val

    def __call__(self, shape):
        return np.full(shape, self._val, float)


@wild(
    refuses="'act_fn_str'",
    then={"args": {"act_fn_str": "relu"}, "draws": DENSE},
    source="ddbourgin/numpy-ml: numpy_ml/neural_nets/initializers/initializers.py",
)
class WeightInitializer:
    def __init__(self, act_fn_str, mode="glorot_uniform"):
        self.act_fn, self.mode = act_fn_str, mode

    def __call__(self, weight_shape):
        gain = np.sqrt(2) if self.act_fn.lower() == "relu" else 1.0
        bound = gain * np.sqrt(6 / sum(weight_shape))
        return np.random.uniform(-bound, bound, weight_shape)


@wild(draws=DENSE, source="ddbourgin/numpy-ml: numpy_ml/neural_nets/utils/utils.py")
def he_uniform(weight_shape):
    bound = np.sqrt(6 / weight_shape[0])
    return np.random.uniform(-bound, bound, size=weight_shape)


@wild(
    refuses="'mean' and 'std'",
    then={"args": {"mean": 0.0, "std": 1.0}, "draws": DENSE},
    source="ddbourgin/numpy-ml: numpy_ml/neural_nets/utils/utils.py",
)
def truncated_normal(mean, std, out_shape):
    drawn = np.random.normal(mean, std, out_shape)
    return np.clip(drawn, mean - 2 * std, mean + 2 * std)


@wild(refuses="parameter='0'", then={"parameter": "0", "draws": DENSE})
class XavierInitializer:
    def __init__(self):
        self.sigma = None

    def coef(self, n_nodes1, n_nodes2):
        self.sigma = 1 / np.sqrt(n_nodes1)
        return self.sigma * np.random.randn(n_nodes1, n_nodes2), self.sigma * np.random.randn(1, n_nodes2)


@wild(draws=DENSE)
class XavierInitializer:  # noqa: F811
    def W(self, n_nodes1, n_nodes2):  # noqa: N802
        return math.sqrt(1 / n_nodes1) * np.random.randn(n_nodes1, n_nodes2)

    def B(self, n_nodes2):  # noqa: N802
        return np.random.randn(n_nodes2)


class WeightInitializers:
    def initialize(self, size_in, size_out):
        raise NotImplementedError

    @staticmethod
    def he(n_input: int, n_output: int) -> np.ndarray:
        return np.sqrt(2.0 / n_input) * np.random.randn(n_output, n_input)


wild(draws=DENSE, layout="out_in")(WeightInitializers.he)


@wild(draws=DENSE, layout="in_out")
class XavierInitializer(WeightInitializers):  # noqa: F811
    @staticmethod
    def initialize(size_in, size_out):
        return np.random.normal(0, np.sqrt(2 / (size_in + size_out)), (size_in, size_out))


@wild(draws=DENSE)
class XavierInitializer:  # noqa: F811
    def __init__(self):
        self._sq6: float = math.sqrt(6)

    def __call__(self, dim1: int, dim2: int):
        bound: float = self._sq6 / math.sqrt(dim1 + dim2)
        return np.random.uniform(-bound, bound, (dim1, dim2))


class AbstractInitializer(ABC):
    @abstractmethod
    def initialize_weight(neuron_size: int, input_size: int):  # noqa: N805
        pass


@wild(draws=DENSE, layout="out_in")
class RandomUniformInitializer(AbstractInitializer):
    @staticmethod
    def initialize_weight(neuron_size: int, input_size: int):
        return np.random.uniform(-1, 1, (neuron_size, input_size))


class WeightKind(Enum):
    RANDOM = 1

    def get_weights(self, layers: np.ndarray):
        return [np.random.normal(0.0, 1.0, (n[0], n[1])).astype(np.float32) for n in layers]


wild(refuses="get_weights")(WeightKind.RANDOM.get_weights)


# What was read otherwise than written down beforehand, the rules being frozen. Never changed afterwards.
_MISSED = """
    generate_reservoir_40 IsotropicGaussian_51 BlocksOrthogonal_52 GANInitializer_62 MXUniform_63 CustomNormalInit_64
    NnablaNormal_69 XavierInitializer_80 siren_init_96 hyperfanin_init_weight_108 HeNormal_122
    init_embedding_weights_126 reset_127 small_init_init_method_131 small_init_init_method_132 wang_init_134
    mup_init_138 kaiming_uniform_145 block_orthogonal_150 GlorotNormalInitializer_164 KaimingNormalInitializer_165
    get_initializer_190 SIRENInitializer_193 SortedInitializer_197
"""

# Whose refusal was in the expected words, and whose advice then did not work.
_FAILED = """
    generate_reservoir_39 generate_reservoir_42 block_orthogonal_init_50 XavierInitializer_79
    mup_init_with_param_name_139 init_depth_scaled_trunc_normal_140
"""

MISSED_AT_FIRST_SIGHT = frozenset(_MISSED.split())
ADVICE_FAILED_AT_FIRST_SIGHT = frozenset(_FAILED.split())
