"""A third sample from public repositories, written down before it was first read; bodies of our own."""

import itertools
import math
import typing

import equinox
import jax
import jax.numpy as jnp
import keras
import numpy as np
import scipy.sparse
import torch
from jax import Array
from torch import nn
from wild_signatures import CONV, DENSE, recorder

THIRD: dict[str, tuple[object, dict]] = {}
GAUSS = np.random.default_rng(7)
HE_NORMAL = jax.nn.initializers.he_normal()
wild = recorder(THIRD)


# -- NumPy teaching code


class HeNormal:
    @staticmethod
    def gen_W(N, d):  # noqa: N802, N803
        return np.random.randn(d, N) * np.sqrt(2 / N)


wild(draws=DENSE)(HeNormal.gen_W)


@wild(draws=DENSE, layout="in_out")
class He:
    def initialize_weights(self, input_dim: int, n_units: int) -> np.array:
        return np.random.normal(0, np.sqrt(2.0 / input_dim), size=(input_dim, n_units))

    def initialize_bias(self, n_units):
        return np.zeros((1, n_units))


@wild(refuses="he")
def he(layout: np.ndarray) -> tuple[dict, dict]:
    weights, biases = {}, {}
    for i in range(1, layout.size):
        weights[i] = np.sqrt(2 / layout[i - 1]) * np.random.randn(layout[i], layout[i - 1])
        biases[i] = np.zeros((layout[i], 1))
    return weights, biases


@wild(refuses="'layers'")
def initialize_he(layers):
    pairs = list(itertools.pairwise(layers))
    return [np.random.randn(n, m) * np.sqrt(2.0 / m) for m, n in pairs], [np.zeros((n, 1)) for _, n in pairs]


@wild(refuses="he_initialization")
def he_initialization(layers_dims, layer):
    return np.sqrt(np.divide(2, layers_dims[layer - 1]))


@wild(refuses="parameter='W.")
def initialize_parameters(layers_dims, initialization_func=he_initialization):
    weights = {
        f"W{i}": np.random.randn(layers_dims[i], layers_dims[i - 1]) * initialization_func(layers_dims, i)
        for i in range(1, len(layers_dims))
    }
    return {"W": weights, "b": {f"b{i}": np.zeros((layers_dims[i], 1)) for i in range(1, len(layers_dims))}}


@wild(refuses="inizialize")
def inizialize(n: int, w_shape: tuple[int], b_shape: int) -> tuple:
    w = np.random.random(w_shape) - 0.5
    return w, np.random.random() - 0.5 * (1 if b_shape == 1 else np.ones(b_shape))


@wild(refuses="parameter='W'")
def initialize_parameters(n_in, n_out, ini_type="plain"):  # noqa: F811
    return {"W": np.random.randn(n_out, n_in) * 0.01, "b": np.zeros((n_out, 1))}


@wild(refuses="parameter='0'")
def initialize_parameters_he(in_dim, out_dim):
    return np.random.randn(out_dim, in_dim) * np.sqrt(2.0 / in_dim), np.zeros((out_dim, 1))


@wild(refuses="parameter='W1'")
def initialize_parameters_he(nn_layers):  # noqa: F811
    np.random.seed(3)
    parameters = {}
    for i in range(1, len(nn_layers)):
        parameters["W" + str(i)] = np.random.randn(nn_layers[i], nn_layers[i - 1]) * np.sqrt(2 / nn_layers[i - 1])
        parameters["b" + str(i)] = np.zeros((nn_layers[i], 1))
    return parameters


class DeepNet:
    def __init__(self, layer_dims):
        self.layer_dims, self.L = layer_dims, len(layer_dims) - 1

    def initialize_parameters_he(self):
        dims = self.layer_dims
        return {f"W{i}": np.random.randn(dims[i], dims[i - 1]) for i in range(1, self.L + 1)}


wild(refuses="initialize_parameters_he")(DeepNet([4, 5, 3]).initialize_parameters_he)


@wild(refuses="'hidden_dims'")
def initialize_parameters_he(input_dims, hidden_dims, output_dims):  # noqa: F811
    first = np.random.uniform(size=(input_dims, hidden_dims)) * np.sqrt(2 / input_dims)
    second = np.random.uniform(size=(hidden_dims, output_dims)) * np.sqrt(2 / hidden_dims)
    return [first, np.zeros((1, hidden_dims)), second, np.zeros((1, output_dims))]


@wild(refuses="parameter='0")
def dense_init(dims):
    weights = [GAUSS.normal(0, np.sqrt(2 / m), (m, n)).astype(np.float32) for m, n in itertools.pairwise(dims)]
    return weights, [np.zeros(n, np.float32) for n in dims[1:]]


@wild(refuses="parameter='0")
def init_mlp(sizes, rng):
    params = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        limit = np.sqrt(6.0 / (fan_in + fan_out))
        params.append([rng.uniform(-limit, limit, (fan_out, fan_in)), np.zeros(fan_out)])
    return params


@wild(refuses="'widths'")
def init_mlp(din, dout, widths, seed):  # noqa: F811
    g = np.random.default_rng(seed)
    dims = [din, *widths, dout]
    return [[g.standard_normal((m, n)), np.zeros(n)] for m, n in itertools.pairwise(dims)]


@wild(refuses="parameter='W1'")
def init_mlp(sizes: tuple[int, ...], rng: np.random.Generator | None = None) -> dict[str, np.ndarray]:  # noqa: F811
    rng = rng or np.random.default_rng()
    params = {}
    for i, (m, n) in enumerate(itertools.pairwise(sizes), 1):
        params[f"W{i}"], params[f"b{i}"] = rng.normal(0, 1 / np.sqrt(m), (m, n)), np.zeros(n)
    return params


@wild(refuses="'vocab'")
def init_mlp(vocab, k, emb, hidden, seed=0):  # noqa: F811
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((vocab, emb)), rng.standard_normal((k * emb, hidden)), np.zeros(hidden)]


class Loader:
    def make_weights(self, shape):
        magnitude = max(min(1 / shape[0] * 50, 1.16), 0.06)
        return np.array(2 * magnitude * np.random.random(math.prod(shape)) - magnitude).reshape(shape)


wild(draws=DENSE)(Loader().make_weights)


@wild(draws=DENSE, layout="in_out", constant=True)
def make_weights(n_in, n_out):
    rng = np.random.RandomState(5678)
    return rng.normal(scale=1 / np.sqrt((n_in + n_out) / 2), size=(n_in, n_out))


@wild(refuses="'c_s'")
def make_weights(rng, c_s, c_z, heads, head_dim, hidden, bins):  # noqa: F811
    return {"emb_s": rng.standard_normal((21, c_s)), "pair_i": rng.standard_normal((c_s, c_z))}


@wild(draws=DENSE)
def lecun_uniform(shape):
    bound = np.sqrt(3.0 / shape[0])
    return np.asarray(np.random.uniform(low=-bound, high=bound, size=shape), np.float32)


class VarianceScaler:
    def __init__(self, distribution, mode, scale):
        self.scale = scale

    def __call__(self, shape):
        bound = np.sqrt(3 * self.scale / shape[0])
        return np.random.uniform(-bound, bound, size=shape)


@wild(draws=DENSE)
def lecun_uniform():  # noqa: F811
    return VarianceScaler("uniform", "in", 1)


@wild(refuses="lecun_uniform")
def lecun_uniform(layer, dtype=np.float32):  # noqa: F811
    bound = np.sqrt(3 / layer.in_shape)
    return np.random.uniform(low=-bound, high=bound, size=(layer.in_shape, layer.out_shape)).astype(dtype)


class Initialization:
    def lecun_uniform(self, dimensions):
        bound = np.sqrt(3 / dimensions[1])
        return np.random.uniform(-bound, bound, size=dimensions)


wild(draws=DENSE)(Initialization().lecun_uniform)


@wild(draws=DENSE, layout="in_out")
def he_init(num_inputs, num_neurons):
    bound = np.sqrt(6 / num_inputs)
    return np.random.uniform(-bound, bound, (num_inputs, num_neurons))


@wild(draws=DENSE, layout="in_out")
def he_init(nin, nout=None, uniform=True):  # noqa: F811
    nout = nin if nout is None else nout
    bound = np.sqrt(1.0 / nin)
    return np.random.uniform(-bound, bound, (nin, nout)) if uniform else bound * np.random.normal(size=(nin, nout))


@wild(refuses="he_init")
def he_init(k, t: float) -> None:  # noqa: F811
    k.pane((t / 4.0) % 1.0)


@wild(refuses="parameter='0'")
def init_layer_params(row, col):
    return np.random.randn(row, col), np.random.randn(row, 1)


@wild(refuses="init_layer_params")
def init_layer_params(layer_dimens):  # noqa: F811
    params = {}
    for i in range(1, len(layer_dimens)):
        params["W" + str(i)] = np.random.randn(layer_dimens[i], layer_dimens[i - 1] * 0.01)
        params["b" + str(i)] = np.zeros((layer_dimens[i], 1))
    return params


class NN:
    def initialize_layer(self, input_features, output_features):
        weights = np.random.normal(0, 1 / input_features, (input_features, output_features))
        return {"weights": weights, "biases": np.zeros((1, output_features))}


wild(refuses="parameter='weights'")(NN().initialize_layer)


@wild(refuses="none of these names says how a shape is asked for")
def initialize_layer(layer_name: str, total_samples: int, feature_dim: int) -> np.ndarray:
    return np.zeros((total_samples, feature_dim), np.float16)


@wild(refuses="init_conv_kernel")
def init_conv_kernel(in_c, out_c, k, method="xavier"):
    bound = np.sqrt(6.0 / (in_c * k * k + out_c * k * k))
    return np.random.uniform(-bound, bound, (out_c, in_c, k, k)), np.zeros(out_c)


@wild(refuses="'kernel_initializer'")
def init_conv_kernel(kw, kh, in_f, out_f, kernel_initializer):  # noqa: F811
    scale = 3.0 if kernel_initializer == "xavier_gaussian_avg" else 1.0
    return np.random.randn(kw, kh, in_f, out_f) * np.sqrt(scale / (kw * kh * in_f))


@wild(draws=DENSE, constant=True)
def init_matrix(rows: int, columns: int):
    return np.zeros((rows, columns))


@wild(refuses="'offset'")
def init_matrix(N, offset):  # noqa: F811, N803
    return np.array([[np.sin(i * 0.1 + j * 0.3 + offset) for j in range(N)] for i in range(N)])


@wild(judged=True, refuses="init_matrix")
def init_matrix(rows, cols, value=None) -> list[list]:  # noqa: F811
    return [[value for _ in range(cols)] for _ in range(rows)]


@wild(refuses="init_parameters")
def init_parameters(Ws, bs):  # noqa: N803
    return {name: np.random.normal(0, 1 / np.sqrt(shape[1]), shape) for name, shape in Ws.items()}


@wild(judged=True, refuses="init_weight")
def init_weight(nin, init="uniform"):
    return float(np.random.uniform(-1, 1)) if init == "uniform" else float(np.random.normal(0, math.sqrt(1 / nin)))


# -- reservoirs and spiking networks


@wild(refuses="'radius' and 'sparsity'")
def initialize_reservoir(m, n, radius, sparsity):
    w = np.random.randn(m, m) * (np.random.rand(m, m) < sparsity)
    return np.random.normal(scale=radius, size=(m, n)), radius * w / np.max(np.abs(np.linalg.eigvals(w)))


@wild(refuses="'density'")
def initialize_reservoir(resSize, density, topology, dtype, device, csr=True, allow_plot=False):  # noqa: F811, N803
    return torch.rand(resSize, resSize, dtype=dtype, device=device) * (torch.rand(resSize, resSize) < density)


class Reservoir:
    def __init__(self, num_units=8):
        self.num_units = num_units

    def initialize_reservoir_weights(self, strategy="uniform", spectral_scale=1.0, offset=0.5, sparsity=1.0):
        self.W_res = np.random.rand(self.num_units, self.num_units) - offset


wild(refuses="initialize_reservoir_weights")(Reservoir().initialize_reservoir_weights)


@wild(draws=DENSE)
def sparse_random_matrix(
    n_row: int,
    n_col: int,
    density: float = 0.1,
    scale: float = 1.0,
    rng: typing.Optional[np.random.Generator] = None,  # noqa: UP045
) -> np.ndarray:
    rng = rng or np.random.default_rng(0)
    w = rng.uniform(-scale, scale, size=(n_row, n_col))
    return w * (rng.random((n_row, n_col)) < density)


@wild(draws=DENSE)
def sparse_random_matrix(d, n):  # noqa: F811
    return scipy.sparse.random(d, n, density=0.3, data_rvs=np.random.randn).toarray() / n


@wild(refuses="sparse_random_matrix")
def sparse_random_matrix(n_components, n_features, density="auto", random_state=None):  # noqa: F811
    kept = 1 / math.sqrt(n_features) if density == "auto" else density
    return scipy.sparse.random(n_components, n_features, density=kept, random_state=random_state, format="csr")


@wild(refuses="weight_init")
def weight_init():
    return np.random.uniform(0, 0.2, (6, 4)), np.random.uniform(0, 0.2, 4)


@wild(refuses="randomize_weights")
def randomize_weights():
    return np.random.choice([-1, 0, 1], size=(9, 9)) * (1 - np.eye(9))


@wild(refuses="randomize_weights")
def randomize_weights(fake_num_pattern):  # noqa: F811
    steps = np.arange(-fake_num_pattern, fake_num_pattern + 1)
    upper = np.triu(np.random.choice(steps, size=(9, 9)), 1)
    return upper + upper.T


@wild(judged=True, refuses="random_init")
def random_init(num_prev_neurons, precision):
    return np.random.rand(num_prev_neurons).astype(precision)


@wild(judged=True, refuses="initialise_random")
def initialise_random(n_weights):
    bound = 1 / math.sqrt(n_weights)
    return np.random.uniform(-bound, bound, n_weights)


# -- quantum and complex weights


@wild(refuses="complex numbers")
def random_unitary(size: int, rng: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))
    return q @ np.diag(np.diag(r) / np.abs(np.diag(r)))


@wild(refuses="random_unitary")
def random_unitary(seed: int) -> torch.Tensor:  # noqa: F811
    gen = torch.Generator(device="cpu")
    gen.manual_seed(seed)
    return torch.linalg.qr(torch.randn((2, 2), generator=gen, dtype=torch.float64))[0]


@wild(refuses="complex numbers")
def random_unitary(d, rng=None):  # noqa: F811
    rng = np.random.default_rng() if rng is None else rng
    q, r = np.linalg.qr(rng.standard_normal((d, d)) + 1j * rng.standard_normal((d, d)))
    return q @ np.diag(np.diag(r) / np.abs(np.diag(r)))


@wild(refuses="complex numbers")
def random_unitary(n: int):  # noqa: F811
    return np.linalg.qr((np.random.randn(n, n) + 1j * np.random.randn(n, n)) / np.sqrt(2.0))[0]


@wild(refuses="complex numbers")
def random_unitary(n, rng):  # noqa: F811
    return np.linalg.qr(rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n)))[0]


@wild(refuses="random_unitary")
def random_unitary():  # noqa: F811
    return np.linalg.qr(np.random.randn(2, 2))[0]


@wild(refuses="complex numbers")
def complex_glorot(shape: tuple[int, ...], layout: str = "dense", rng: np.random.Generator | None = None) -> np.ndarray:
    generator = np.random.default_rng() if rng is None else rng
    modulus = generator.rayleigh(scale=np.sqrt(1.0 / sum(shape[:2])), size=shape)
    return modulus * np.exp(1j * generator.uniform(-np.pi, np.pi, size=shape))


@wild(refuses="complex numbers")
def complex_glorot(rng, ni: int, no: int) -> np.ndarray:  # noqa: F811
    return rng.rayleigh(scale=1 / np.sqrt(ni + no), size=(ni, no)) * np.exp(1j * rng.uniform(-np.pi, np.pi, (ni, no)))


@wild(refuses="complex numbers")
def complex_glorot(fan_in: int, fan_out: int, dtype: np.dtype = np.complex128) -> np.ndarray:  # noqa: F811
    parts = np.random.randn(2, fan_out, fan_in) * np.sqrt(2 / (fan_in + fan_out))
    return (parts[0] + 1j * parts[1]).astype(dtype)


@wild(draws=DENSE, layout="in_out")
def siren(rng, ni: int, no: int, frequency: float = 30.0, first: bool = False) -> np.ndarray:
    bound = frequency / ni if first else np.sqrt(6 / ni)
    return rng.uniform(-bound, bound, size=(ni, no))


# -- functions of a torch module


@wild(draws=DENSE)
def init_weight(m):  # noqa: F811
    name = m.__class__.__name__
    if name.find("Linear") != -1:
        m.weight.data.uniform_(-0.1, 0.1)
    if name.find("LSTM") != -1:
        for key, param in m.named_parameters():
            if "weight" in key:
                nn.init.kaiming_normal_(param)


@wild(draws=DENSE)
def init_weight(blocks):  # noqa: F811
    for module in blocks:
        if isinstance(module, nn.Sequential):
            for inner in module:
                if isinstance(inner, nn.Linear):
                    nn.init.xavier_uniform_(inner.weight)
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)


@wild(refuses="'nonlinear'")
def init_weight(layer, nonlinear):  # noqa: F811
    nn.init.xavier_uniform_(layer.weight, gain=nn.init.calculate_gain(nonlinear))
    nn.init.constant_(layer.bias, 0.0)


@wild(draws=DENSE)
def init_weight(m):  # noqa: F811
    if type(m) == nn.Linear:  # noqa: E721
        fan_out, fan_in = m.weight.size()
        m.weight.data.normal_(0.0, np.sqrt(2.0 / (fan_in + fan_out)))
        m.bias.data.fill_(0.0)


class PreTrainedModel:
    initializer_range = 0.02

    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            module.weight.data.normal_(mean=0.0, std=self.initializer_range)
        elif isinstance(module, nn.LayerNorm):
            module.weight.data.fill_(1.0)

    def initialize_layer(self, layer):
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            torch.nn.init.normal_(layer.weight, mean=0.0, std=0.001)
            if layer.bias is not None:
                torch.nn.init.constant_(layer.bias, 0)


wild(draws=DENSE)(PreTrainedModel()._init_weights)
wild(draws=CONV)(PreTrainedModel().initialize_layer)


@wild(draws=DENSE)
def init_bert_params(module):
    def normal_(data):
        data.copy_(data.cpu().normal_(mean=0.0, std=0.02).to(data.device))

    if isinstance(module, nn.Linear):
        normal_(module.weight.data)
    if isinstance(module, nn.MultiheadAttention):
        normal_(module.in_proj_weight.data)


@wild(draws=DENSE)
def init_mlp(module):  # noqa: F811
    for m in module.modules():
        if isinstance(m, nn.Linear):
            nn.init.kaiming_uniform_(m.weight, a=math.sqrt(5))


@wild(draws=DENSE)
def sine_init(m):
    with torch.no_grad():
        if hasattr(m, "weight"):
            bound = np.sqrt(6 / m.weight.size(-1)) / 30
            m.weight.uniform_(-bound, bound)


@wild(draws=DENSE)
def sine_init(m, scale=30.0):  # noqa: F811
    with torch.no_grad():
        if hasattr(m, "weight"):
            bound = np.sqrt(6 / m.weight.size(-1)) / scale
            m.weight.uniform_(-bound, bound)


class BasicWeightInitializer:
    def __init__(self, init_type: str = "xavier_uniform", **kwargs) -> None:
        self.init_type, self.kwargs = init_type, kwargs

    def init_fn(self, m: nn.Module) -> None:
        if hasattr(m, "weight") and ("Conv" in type(m).__name__ or "Linear" in type(m).__name__):
            getattr(nn.init, f"{self.init_type}_")(m.weight.data, **self.kwargs)


wild(draws=CONV)(BasicWeightInitializer().init_fn)


@wild(draws=DENSE)
def dense_init(linear, zero_init=False):  # noqa: F811
    linear.weight.data.normal_(mean=0, std=0 if zero_init else linear.in_features**-0.5)
    if linear.bias is not None:
        linear.bias.data.zero_()


@wild(draws=DENSE)
def initialize_layer(layer, activation="relu"):  # noqa: F811
    if activation in ["relu", "leaky_relu"]:
        nn.init.kaiming_normal_(layer.weight, nonlinearity=activation)
    else:
        nn.init.xavier_normal_(layer.weight)


@wild(draws=CONV)
def weights_init_normal(m):
    kind = m.__class__.__name__
    if kind.find("Conv") != -1:
        m.weight.data.normal_(0.0, 0.02)
        m.bias.data.fill_(0.0)
    elif kind.find("BatchNorm2d") != -1:
        m.weight.data.normal_(1.0, 0.02)


# Its answer was a refusal: a list of modules was not told from a number then.
@wild(draws=CONV)
def he_init(layers, normal=True, **kaiming_params):  # noqa: F811
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, **kaiming_params)


@wild(refuses="layer_init")
def layer_init(layer: nn.Module, std: float = np.sqrt(2), bias_const: float = 0.0) -> nn.Module:
    torch.nn.init.orthogonal_(layer.model.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


@wild(draws=DENSE)
def ppo_layer_init(layer, std=np.sqrt(2), bias_constant=0.0):  # noqa: B008
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_constant)
    return layer


@wild(draws=DENSE, layout="out_in")
def construct_default_layer(in_features, out_features, std=np.sqrt(2), bias_const=0.0, bias=True):  # noqa: B008
    layer = torch.nn.Linear(in_features, out_features, bias=bias)
    return ppo_layer_init(layer, std, bias_const)


@wild(refuses="reset_lora_weights")
def reset_lora_weights(model):
    for module in model.modules():
        if type(module).__name__ == "LoRALayer" and module.r > 0:
            nn.init.kaiming_uniform_(module.lora_A, a=math.sqrt(5))


@wild(refuses="fanin_init")
def fanin_init(m: nn.Module, b_init_value=0.0):
    if type(m).__name__ == "EnsembleFCLayer":
        for i in range(m.ensemble_size):
            m.weight[i].data.uniform_(-0.1, 0.1)


@wild(refuses="init_gru")
def init_gru(rnn):
    for i in range(rnn.num_layers):
        nn.init.uniform_(getattr(rnn, f"weight_ih_l{i}"), -0.1, 0.1)
        nn.init.orthogonal_(getattr(rnn, f"weight_hh_l{i}"))


@wild(refuses="init_gru")
def init_gru(gru):  # noqa: F811
    for _, hh, _, _ in gru.all_weights:
        for i in range(0, hh.size(0), gru.hidden_size):
            torch.nn.init.orthogonal_(hh[i : i + gru.hidden_size])


@wild(refuses="init_GRU")
def init_GRU(gru):  # noqa: N802
    for name, param in gru.named_parameters():
        if "weight_ih" in name:
            torch.nn.init.xavier_uniform_(param.data)
        elif "weight_hh" in name:
            torch.nn.init.orthogonal_(param.data)


class SynthModule(nn.Module):
    def init_parameters(self, m=None):
        for param in self.parameters():
            param.data.uniform_(-0.001, 0.001)


wild(refuses="init_parameters")(SynthModule().init_parameters)


@wild(refuses="'num_experts'")
def initialize_experts(
    expert_layer: nn.Module, num_experts: int, hidden_size: int, expert_size: int, init_method: str = "normal", **kwargs
) -> None:
    for expert in range(num_experts):
        nn.init.normal_(expert_layer[expert].weight, std=hidden_size**-0.5)


# -- functions of a torch tensor, layers


@wild(draws=DENSE)
def init_trunc_normal_linear(weight: torch.Tensor):
    std = math.sqrt(2.0 / sum(weight.shape))
    nn.init.trunc_normal_(weight, mean=0.0, std=std, a=-3 * std, b=3 * std)


@wild(draws=DENSE)
def initializer(weight: torch.FloatTensor, is_first: bool = True, omega: float = 1.0, c: float = 6.0) -> None:
    bound = 1 / weight.shape[1] if is_first else math.sqrt(c / weight.shape[1]) / omega
    weight.data.uniform_(-bound, bound)


@wild(draws=DENSE)
def paper_init_(weight, is_first=False, omega=1):
    with torch.no_grad():
        bound = 1 / weight.shape[1] if is_first else np.sqrt(6 / weight.shape[1]) / omega
        weight.uniform_(-bound, bound)


@wild(refuses="'config'")
def dense_init(input_tensor, config, is_embedding=False):  # noqa: F811
    return nn.init.normal_(tensor=input_tensor, std=1.0 if is_embedding else config.initializer_range)


@wild(refuses="'dim'")
def small_init_init_(param: torch.Tensor, dim: int) -> torch.Tensor:
    return torch.nn.init.normal_(param, mean=0.0, std=math.sqrt(2 / (5 * dim)))


@wild(refuses="'dim'")
def small_init_init_(weight: torch.Tensor, *, dim: int):  # noqa: F811
    with torch.no_grad():
        return weight.normal_(0.0, math.sqrt(2 / (5 * dim)))


@wild(refuses="'dim' and 'num_blocks'")
def wang_init_(param: torch.Tensor, dim: int, num_blocks: int):
    return torch.nn.init.normal_(param, mean=0.0, std=2 / num_blocks / math.sqrt(dim))


@wild(draws={"shapes": [(6,)]}, constant=True)
def bias_linspace_init_(param: torch.Tensor, start: float = 3.4, end: float = 6.0) -> torch.Tensor:
    assert param.dim() == 1, f"one axis, not {param.dim()}"
    with torch.no_grad():
        return param.copy_(torch.linspace(start, end, param.shape[0]))


@wild(draws=DENSE)
def init_embedding(input_embedding):
    bound = np.sqrt(3.0 / input_embedding.size(1))
    nn.init.uniform_(input_embedding, -bound, bound)


@wild(draws=DENSE)
def fanin_init(size, fanin=None):  # noqa: F811
    bound = 1.0 / np.sqrt(fanin or size[0])
    return torch.Tensor(size).uniform_(-bound, bound)


class Qnet:
    def fanin_init(self, tensor):
        size = tensor.size()
        bound = 1.0 / np.sqrt(size[0] if len(size) == 2 else np.prod(size[1:]))
        return tensor.data.uniform_(-bound, bound)


wild(draws=DENSE)(Qnet().fanin_init)


@wild(draws=DENSE)
def lecun_uniform(shape: tuple[int, int], generator: torch.Generator) -> torch.Tensor:  # noqa: F811
    return (torch.rand(shape, generator=generator) * 2 - 1) * (3.0 / shape[0]) ** 0.5


@wild(draws=DENSE)
def normc_initializer(std: float = 1.0) -> typing.Callable[[torch.Tensor], None]:
    def init(tensor: torch.Tensor) -> None:
        with torch.no_grad():
            tensor.normal_(0, 1)
            tensor.div_(tensor.norm(dim=1, keepdim=True))
            tensor.mul_(std)

    return init


@wild(draws=DENSE)
def normc_initializer(std=1.0):  # noqa: F811
    def initializer(tensor):
        tensor.data.normal_(0, 1)
        tensor.data *= std / torch.sqrt(tensor.data.pow(2).sum(1, keepdim=True))

    return initializer


@wild(draws=DENSE, layout="out_in")
def block(i, o):
    fc = torch.nn.Linear(i, o)
    torch.nn.init.uniform_(fc.weight, -np.sqrt(6 / i), np.sqrt(6 / i))
    return torch.nn.Sequential(nn.Tanh(), fc)


@wild(draws=DENSE, layout="out_in")
class SirenLayer(nn.Module):
    def __init__(self, in_f, out_f, w0=30, is_first=False, is_last=False):
        super().__init__()
        self.in_f, self.linear = in_f, nn.Linear(in_f, out_f)
        with torch.no_grad():
            self.linear.weight.uniform_(-np.sqrt(6 / in_f) / w0, np.sqrt(6 / in_f) / w0)


@wild(draws=DENSE, layout="out_in", constant=True)
class LinearZeros(nn.Linear):
    def __init__(self, in_channels, out_channels, logscale_factor=3):
        super().__init__(in_channels, out_channels)
        self.register_parameter("logs", nn.Parameter(torch.zeros(out_channels)))
        self.weight.data.zero_()


@wild(refuses="parameter='lora_A'")
class LoRAParametrization(nn.Module):
    def __init__(self, features_in, features_out, rank=1, alpha=1, device="cpu"):
        super().__init__()
        self.lora_A = nn.Parameter(torch.zeros((rank, features_out)).to(device))
        self.lora_B = nn.Parameter(torch.zeros((features_in, rank)).to(device))
        nn.init.normal_(self.lora_A, mean=0, std=1)


@wild(draws=DENSE, layout="out_in")
class LoRALinear(nn.Module):
    def __init__(
        self, in_features: int, out_features: int, r: int = 0, lora_alpha: int = 1, lora_dropout: float = 0.0, **kwargs
    ):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features, **kwargs)
        if r > 0:
            self.lora_A = nn.Parameter(torch.zeros((r, in_features)))


@wild(refuses="parameter='lora_A'")
class LoRA(nn.Module):
    def __init__(self, input_dim, output_dim):
        super().__init__()
        self.lora_A = nn.Parameter(torch.zeros((4, input_dim)))
        self.lora_B = nn.Parameter(torch.zeros((output_dim, 4)))
        self.reset_lora_parameters()

    def reset_lora_parameters(self):
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))


@wild(refuses="'hidden_dim'")
def init_mlp(in_dim, out_dim, hidden_dim, num_layers, non_linearity=None):  # noqa: F811
    return nn.Sequential(nn.Linear(in_dim, hidden_dim), nn.Linear(hidden_dim, out_dim))


@wild(refuses="init_mlp")
def init_mlp(input_dim=128, hidden_dim=512, num_experts=3, device="cpu"):  # noqa: F811
    return nn.Sequential(nn.Linear(input_dim, hidden_dim), nn.Linear(hidden_dim, num_experts)).to(device)


@wild(refuses="init_gru")
def init_gru(input_size, hidden_size):  # noqa: F811
    matrix = torch.randn(input_size + hidden_size, 3 * hidden_size) * 0.02
    return nn.ParameterDict({"W": nn.Parameter(matrix), "b": nn.Parameter(torch.zeros(3 * hidden_size))})


# -- JAX


@wild(draws=DENSE)
def trunc_init(weight: jax.Array, key: jax.random.PRNGKey) -> jax.Array:
    return 0.02 * jax.random.truncated_normal(key, shape=weight.shape, lower=-2, upper=2)


@wild(draws=DENSE)
def trunc_normal_init(weight: Array, key: Array, init_scale: float | None = None) -> Array:
    init_scale = init_scale or math.sqrt(1.0 / max(1.0, weight.shape[1]))
    return init_scale * jax.random.truncated_normal(key=key, shape=weight.shape, lower=-2, upper=2)


@wild(judged=True, refuses="zero_init")
def zero_init(key: jax.random.PRNGKey, shape):
    return jnp.zeros(shape) * weight.shape[0]  # noqa: F821


@wild(draws=DENSE)
def trunc_init(key: jax.random.PRNGKey, shape):  # noqa: F811
    return jnp.sqrt(1 / shape[0]) * jax.random.truncated_normal(key, shape=shape, lower=-2, upper=2)


@wild(draws=DENSE)
class GlorotNormal:
    def __call__(self, key, shape, dtype=jnp.float32):
        key, subkey = jax.random.split(key)
        return jax.random.normal(subkey, shape, dtype) * jnp.sqrt(2 / (shape[0] + shape[-1]))


@wild(draws=DENSE, constant=True)
def zeros(shape: typing.Sequence[int], dtype: typing.Any, rng_key=None):
    return jnp.zeros(shape, dtype=dtype)


@wild(refuses="'fn'")
def from_haiku_initializer(fn):
    def _fn(shape: typing.Sequence[int], dtype: typing.Any, rng_key: jnp.ndarray | None = None):
        return fn(rng_key, shape, dtype)

    return _fn


@wild(refuses="returns a function")
def normal(shape):
    def init(rng):
        return jax.random.normal(rng, shape) / jnp.sqrt(shape[-1])

    return init


@wild(refuses="'m'")
def dense_init(key, cin, cout, m):  # noqa: F811
    kr, ki = jax.random.split(key)
    return {"w_re": jax.random.normal(kr, (cin, cout, m, m)), "w_im": jax.random.normal(ki, (cin, cout, m, m))}


@wild(refuses="parameter='W'")
def dense_init(  # noqa: F811
    key: jax.Array,
    in_dim: int,
    out_dim: int,
    *,
    w_init=HE_NORMAL,
    dtype=jnp.float32,
) -> dict[str, jax.Array]:
    return {"W": w_init(key, (out_dim, in_dim), dtype), "B": jnp.zeros((out_dim,), dtype)}


@wild(refuses="parameter='1.0.0'")
def init_mlp(key, sizes):  # noqa: F811
    params, k = [], key
    for nin, nout in itertools.pairwise(sizes):
        k, kw, kb = jax.random.split(k, 3)
        params.append((jax.random.normal(kw, (nin, nout)) * 0.02, jax.random.normal(kb, (nout,)) * 0.02))
    return k, params


@wild(refuses="parameter='W'")
def init_layer_params(key, in_dim, out_dim, scale=0.5):  # noqa: F811
    one, two = jax.random.split(key)
    return {"W": jax.random.normal(one, (out_dim, in_dim)) * scale, "b": jax.random.normal(two, (out_dim,)) * 0.1}


@wild(refuses="parameter='w'")
def init_layer_params(rng, in_dim, out_dim, dtype=jnp.float16):  # noqa: F811
    one, _ = jax.random.split(rng)
    w = jax.random.normal(one, (in_dim, out_dim), dtype=dtype) * np.sqrt(2.0 / in_dim)
    return {"w": w, "b": jnp.zeros((out_dim,), dtype=dtype)}


@wild(refuses="'config'")
def init_layer_params(key, config: "ModelConfig"):  # noqa: F811, F821
    return {"Wq": jax.random.normal(key, (config.embed_dim, config.embed_dim)) * 0.02}


@wild(refuses="parameter='0'")
def init_layer_params(in_dim, out_dim, key):  # noqa: F811
    one, two = jax.random.split(key, 2)
    weight = jax.nn.initializers.glorot_uniform()(one, (in_dim, out_dim))
    return weight, jax.nn.initializers.normal()(two, (out_dim,))


@wild(refuses="parameter='emb'")
def init_embedding(  # noqa: F811
    rng: jax.random.PRNGKey, n_embeddings: int, n_dim: int, max_len: int = 4096, use_pos: bool = True
) -> dict:
    return {"emb": jax.random.normal(rng, (n_embeddings, n_dim)), "pos": jnp.zeros((max_len, n_dim))}


@wild(draws=DENSE)
def init_rnn_params(seed: int, input_dim: int, hidden_dim: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"wxh": rng.normal(size=(input_dim, hidden_dim)), "whh": rng.normal(size=(hidden_dim, hidden_dim))}


@wild(draws=DENSE)
def init_rnn_params(d_in, d_hidden, key):  # noqa: F811
    one, two = jax.random.split(key)
    return {"W_hh": jax.random.orthogonal(one, d_hidden), "W_xh": jax.random.normal(two, (d_in, d_hidden))}


@wild(draws=DENSE)
def normc_initializer(std: float = 1.0):  # noqa: F811
    def init(key: jax.Array, shape: tuple[int, ...], dtype=jnp.float32):
        w = jax.random.normal(key, shape, dtype)
        return std * w / jnp.linalg.norm(w, axis=0, keepdims=True)

    return init


@wild(draws={"shapes": [(3, 3, 5, 7)]})
def delta_orthogonal(scale=1.0, column_axis=-1):
    def init(key, shape, dtype=np.float32):
        if len(shape) not in [3, 4, 5]:
            raise ValueError("three to five axes")
        if shape[-1] < shape[-2]:
            raise ValueError("not more inputs than outputs")
        q = jax.random.orthogonal(key, shape[-1], dtype=dtype)[: shape[-2]]
        middle = tuple(n // 2 for n in shape[:-2])
        return jnp.zeros(shape, dtype).at[middle].set(scale * q)

    return init


@wild(refuses="parameter='0'")
def hippo_initializer(ssm_size, blocks):
    size = ssm_size // blocks
    return np.ones(size), np.eye(size)


@wild(refuses="hippo_initializer")
def hippo_initializer(N):  # noqa: F811, N803
    def init(x):
        return lambda key, shape: x

    return init(jnp.ones(N)), init(jnp.arange(N))


@wild(refuses="random_initialization")
def random_initialization(key, num_states, num_classes, feature_dim):
    one, two = jax.random.split(key)
    return jax.random.dirichlet(one, jnp.ones(num_states)), jax.random.normal(two, (num_classes, feature_dim))


@wild(refuses="'omega_0' and 'is_first'")
class SineLayer(equinox.Module):
    weight: jax.Array
    omega_0: float

    def __init__(self, omega_0, is_first, in_features, out_features, key):
        self.omega_0 = omega_0
        bound = 1 / in_features if is_first else jnp.sqrt(6 / in_features) / omega_0
        self.weight = jax.random.uniform(key, (out_features, in_features), minval=-bound, maxval=bound)


# -- TensorFlow and Keras


def truncated(shape, stddev):
    return keras.Variable(keras.random.truncated_normal(shape, stddev=stddev))


@wild(draws=DENSE)
def weight_variable(shape):
    return truncated(shape, 0.1)


@wild(refuses="'stddev'")
def weight_variable(shape, stddev):  # noqa: F811
    return truncated(shape, stddev)


@wild(refuses="'name'")
def weight_variable(shape, name):  # noqa: F811
    return truncated(shape, 0.1)


@wild(draws=DENSE)
def weight_variable(shape, wd=None, name=None):  # noqa: F811
    return truncated(shape, 0.01)


@wild(refuses="'name'")
def init_weight(name, shape, stddev=1.0):  # noqa: F811
    return truncated(shape, stddev / np.sqrt(shape[0]))


@wild(draws=DENSE, layout="in_out")
def weight_variable_glorot(input_dim, output_dim, name=""):
    bound = np.sqrt(6.0 / (input_dim + output_dim))
    return keras.Variable(keras.random.uniform((input_dim, output_dim), -bound, bound))


@wild(draws=DENSE, layout="in_out")
def weight_variable_random_uniform(input_dim, output_dim=None, name=""):
    if output_dim:
        return weight_variable_glorot(input_dim, output_dim, name)
    return keras.Variable(keras.random.uniform((input_dim,), -1, 1))


@wild(refuses="'init_name'")
def get_weight_init_by_name(init_name, input_dim, output_dim, std=5e-2, name=""):
    return weight_variable_glorot(input_dim, output_dim, name=name) if init_name == "glorot" else None


class CaptionGenerator:
    def init_weight(self, dim_in, dim_out, name=None, stddev=1.0):
        return truncated((dim_in, dim_out), stddev / math.sqrt(float(dim_in)))


wild(draws=DENSE, layout="in_out")(CaptionGenerator().init_weight)


@wild(draws=DENSE)
def lecun_uniform(seed=None, name=None):  # noqa: F811
    def _lecun_uniform(x, dtype, partition_info=None):
        bound = math.sqrt(3 / x[0])
        return keras.random.uniform(x, -bound, bound, dtype=dtype, seed=seed)

    return _lecun_uniform


@wild(draws=DENSE)
def normc_initializer(std=1.0, axis=0):  # noqa: F811
    def _initializer(shape, dtype=None, partition_info=None):
        out = np.random.randn(*shape).astype(np.float32)
        out *= std / np.sqrt(np.square(out).sum(axis=axis, keepdims=True))
        return out

    return _initializer


@wild(draws=DENSE, constant=True)
def identity_init(shape):
    out = np.zeros(shape, dtype=np.float32)
    for i in range(min(shape)):
        out[i, i] = 2
    return out


@wild(judged=True, refuses="BoundedWInitializer")
class BoundedWInitializer(keras.initializers.Initializer):
    def __init__(self, eps=1e-4, max_extent=0.1, c_xy_range=1):
        self.eps, self.max_extent = eps, max_extent

    def __call__(self, shape, dtype=None):
        if len(shape) != 2 or shape[0] != 1 or shape[1] != 12:
            raise ValueError("one row of twelve")
        return keras.ops.convert_to_tensor(np.random.default_rng().uniform(self.eps, self.max_extent, shape))


@wild(draws={"shapes": [(3, 3, 5, 7)]})
class PTConvKernelInit(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        bound = (1.0 / (int(shape[0]) * int(shape[1]) * int(shape[2]))) ** 0.5
        return keras.random.uniform(shape, -bound, bound, dtype=dtype)

    def get_config(self):
        return {}


@wild(draws=DENSE)
class SoftplusUniform(keras.initializers.Initializer):
    def __init__(self, minval=-0.05, maxval=0.05, hinge_softness=1.0, seed=None):
        self.minval, self.maxval, self.hinge_softness, self.seed = minval, maxval, hinge_softness, seed

    def __call__(self, shape, dtype=None, **kwargs):
        drawn = keras.random.uniform(shape, self.minval + 1, self.maxval + 1, dtype=dtype, seed=self.seed)
        return keras.ops.log(keras.ops.expm1(drawn))

    def get_config(self):
        kept = {"minval": self.minval, "maxval": self.maxval}
        return kept | {"hinge_softness": self.hinge_softness, "seed": self.seed}


@wild(draws=DENSE, constant=True)
class PriorProbability(keras.initializers.Initializer):
    def __init__(self, probability=0.01):
        self.probability = probability

    def get_config(self):
        return {"probability": self.probability}

    def __call__(self, shape, dtype=None):
        return np.ones(shape, dtype=dtype) * -math.log((1 - self.probability) / self.probability)


@wild(refuses="'c' and 'omega'")
class SineInitializers(keras.initializers.Initializer):
    def __init__(self, c, omega, layer_type: str = "hidden"):
        self.c, self.omega, self.layer_type = c, omega, layer_type

    def __call__(self, shape, dtype=None):
        bound = keras.ops.sqrt(self.c / shape[0]) / self.omega
        return keras.random.uniform(shape, -bound, bound, dtype=dtype)


@wild(refuses="'adj' and 'initializer'")
class InformedInitializer(keras.initializers.Initializer):
    def __init__(self, adj, initializer):
        self.adj, self.initializer = adj, initializer

    def __call__(self, shape, dtype=None):
        return self.initializer(shape, dtype) * self.adj


@wild(refuses="'nu_log'")
class GammaLogInitializer(keras.initializers.Initializer):
    def __init__(self, nu_log: np.ndarray):
        self.nu_log = nu_log

    def __call__(self, *args, **kwargs):
        return keras.ops.log(keras.ops.sqrt(1 - keras.ops.exp(-keras.ops.exp(self.nu_log)) ** 2))


@wild(refuses="'kernel'")
class KernelInit(keras.initializers.Initializer):
    def __init__(self, kernel):
        self.kernel = kernel

    def __call__(self, shape, dtype=None, **kwargs):
        return keras.ops.cast(self.kernel, dtype)
