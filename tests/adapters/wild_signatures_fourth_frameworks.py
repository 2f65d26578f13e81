"""The fourth sample's functions of frameworks: PyTorch, MLX, JAX and Keras; bodies of our own."""

import copy
import functools
import math
import re
import typing

import jax
import jax.numpy as jnp
import keras
import numpy as np
import scipy.stats
import torch
from jax import Array
from torch import nn
from wild_signatures import CONV, DENSE, SQUARE, recorder
from wild_signatures_fourth import FOURTH, HWIO

wild = recorder(FOURTH)


# -- functions of a torch module


@wild(draws=DENSE)
def init_weights_he(m: nn.Module) -> None:
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_normal_(m.weight, mode="fan_out")
    elif isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight, mode="fan_in")
        if m.bias is not None:
            nn.init.zeros_(m.bias)


@wild(draws={"shapes": [(5, 7, 3, 3, 3)]})
def init_weights_he(m):  # noqa: F811
    if type(m) in (nn.Conv3d, nn.ConvTranspose3d):
        nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
    return


@wild(draws=DENSE)
def init_weights_he(layer: nn.Linear, nonlinearity: str = "relu") -> None:  # noqa: F811
    nn.init.kaiming_uniform_(layer.weight, nonlinearity=nonlinearity)
    if layer.bias is not None:
        layer.bias.data.zero_()


@wild(judged=True, refuses="INIT_WEIGHTS_XAVIER")
def INIT_WEIGHTS_XAVIER(MODEL):  # noqa: N802, N803
    for param in MODEL.parameters():
        if type(MODEL) is nn.Linear:
            nn.init.xavier_uniform_(param)
            MODEL.bias.data.fill_(0.01)


@wild(refuses="'method'", then={"args": {"method": "uniform"}, "draws": DENSE})
def init_weights_xavier(module, method):
    for m in module.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear, nn.ConvTranspose2d)):
            (nn.init.xavier_uniform_ if method == "uniform" else nn.init.xavier_normal_)(m.weight)


class PriceNet(nn.Module):
    def init_weights_xavier(self, layer):
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.constant_(layer.bias, 0)


wild(draws=DENSE)(PriceNet().init_weights_xavier)


class BatchLinear(nn.Linear):
    pass


@wild(draws=DENSE, source="vsitzmann/siren: modules.py")
def init_weights_selu(m):
    if type(m) in (BatchLinear, nn.Linear) and hasattr(m, "weight"):
        nn.init.normal_(m.weight, std=1 / math.sqrt(m.weight.size(-1)))


@wild(draws=DENSE, source="vsitzmann/siren: modules.py")
def first_layer_sine_init(m):
    with torch.no_grad():
        if hasattr(m, "weight"):
            m.weight.uniform_(-1 / m.weight.size(-1), 1 / m.weight.size(-1))


@wild(draws=DENSE)
def siren_init(layer, w0=30.0, is_first=False):
    with torch.no_grad():
        n = layer.weight.size(-1)
        bound = 1.0 / n if is_first else math.sqrt(6.0 / n) / w0
        layer.weight.uniform_(-bound, bound)


@wild(draws=DENSE)
def siren_init(model):  # noqa: F811
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, torch.nn.Linear):
                bound = math.sqrt(6 / m.weight.size(-1)) / 30
                m.weight.uniform_(-bound, bound)


class Initializer:
    @staticmethod
    def siren_init(linear_layer, in_features, is_first=False, omega_0=30.0):
        with torch.no_grad():
            bound = 1 / in_features if is_first else math.sqrt(6 / in_features) / omega_0
            linear_layer.weight.uniform_(-bound, bound)


wild(draws=DENSE)(Initializer.siren_init)


@wild(refuses="siren_init")
def siren_init(**kwargs):  # noqa: F811
    module, n, omega = kwargs["module"], kwargs["n"], kwargs["omega"]
    if isinstance(module, nn.Linear):
        module.weight.data.uniform_(-math.sqrt(6 / n) / omega, math.sqrt(6 / n) / omega)


@wild(draws=CONV, source="XPixelGroup/BasicSR: basicsr/archs/arch_util.py")
@torch.no_grad()
def default_init_weights(module_list, scale=1, bias_fill=0, **kwargs):
    for module in module_list if isinstance(module_list, list) else [module_list]:
        for m in module.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(m.weight, **kwargs)
                m.weight.data *= scale
                if m.bias is not None:
                    m.bias.data.fill_(bias_fill)


@wild(draws=CONV)
@torch.no_grad()
def default_init_weights(net_l: list[nn.Module], scale: float = 1.0) -> None:  # noqa: F811
    for net in net_l if isinstance(net_l, list) else [net_l]:
        for m in net.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, a=0, mode="fan_in")
                m.weight.data *= scale


@wild(refuses="init_lstm_weights")
def init_lstm_weights(lstm):
    for name, param in lstm.named_parameters():
        if "weight_ih" in name:
            nn.init.xavier_uniform_(param.data)
        elif "weight_hh" in name:
            nn.init.orthogonal_(param.data)


@wild(refuses="init_lstm_weights")
def init_lstm_weights(lstm, initializer=nn.init.orthogonal_):  # noqa: F811
    for names in lstm._all_weights:
        for name in names:
            if "weight" in name:
                initializer(getattr(lstm, name))


@wild(refuses="init_lstm_weights")
def init_lstm_weights(m: nn.Module) -> None:  # noqa: F811
    for key, param in m.named_parameters():
        if key.startswith("weight_ih"):
            for part in param.chunk(4):
                nn.init.orthogonal_(part, gain=2)


@wild(refuses="init_recurrent_weights", source="vsitzmann/light-field-networks: custom_layers.py")
def init_recurrent_weights(self):
    for m in self.modules():
        if type(m) in [nn.GRU, nn.LSTM, nn.RNN]:
            for name, param in m.named_parameters():
                if "weight_ih" in name:
                    nn.init.kaiming_normal_(param.data)


class RefinementModule(nn.Module):
    @staticmethod
    def init_conv_weights(conv: nn.Module) -> None:
        nn.init.xavier_uniform_(conv.weight, gain=1)
        nn.init.constant_(conv.bias, 0)


wild(draws=CONV)(RefinementModule.init_conv_weights)


@wild(draws=CONV)
def init_conv_weights(layer, weights_std=0.01, bias=0):
    nn.init.normal_(layer.weight, std=weights_std)
    nn.init.constant_(layer.bias, val=bias)
    return layer


@wild(draws=CONV)
def init_conv_weights(model: torch.nn.Module, mean: float = 0.0, std: float = 0.02) -> None:  # noqa: F811
    for module in model._modules.values():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.weight.data.normal_(mean, std)


@wild(draws=CONV)
def init_conv_weights(module: typing.Callable) -> None:  # noqa: F811
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)):
        nn.init.kaiming_normal_(module.weight.data, a=0, mode="fan_in")


@wild(
    refuses="'hypernet_in' and 'mainnet_in'",
    then={"args": {"hypernet_in": 8, "mainnet_in": 16}, "draws": DENSE},
)
def hyperfanin_init_weight(linear_layer, hypernet_in, mainnet_in):
    bound = 1e-3 * math.sqrt(3 / (hypernet_in * mainnet_in))
    nn.init.uniform_(linear_layer.weight, -bound, bound)
    nn.init.constant_(linear_layer.bias, 0.0)


@wild(draws=DENSE)
def hyperfan_in_linear(layer: nn.Linear, fan_in: int, fan_out: int, *, relu=False):
    nn.init.normal_(layer.weight, std=math.sqrt((2.0 if relu else 1.0) / fan_in))
    nn.init.zeros_(layer.bias)


@wild(draws=DENSE)
def mup_init_linear(layer, width_mult=1.0, init_std=None):
    init_std = 1.0 / math.sqrt(layer.in_features) if init_std is None else init_std
    with torch.no_grad():
        layer.weight.normal_(0, init_std / width_mult)


@wild(refuses="'n_layers'", then={"args": {"n_layers": 12}, "draws": DENSE})
def gpt2_init(model: nn.Module, n_layers: int) -> None:
    for name, param in model.named_parameters():
        if "weight" in name:
            nn.init.normal_(param, std=0.02 / math.sqrt(2 * n_layers) if "proj" in name else 0.02)
        elif "bias" in name:
            nn.init.zeros_(param)


@wild(draws=DENSE)
def gpt2_init(m):  # noqa: F811
    if isinstance(m, (nn.Linear, nn.Embedding)):
        nn.init.normal_(m.weight, 0.0, 0.02)
        if getattr(m, "bias", None) is not None:
            nn.init.zeros_(m.bias)


@wild(draws=DENSE)
def init_depth_scaled(m, n_layers=1):
    for name, p in m.named_parameters():
        if "embed" in name and p.ndim == 2:
            nn.init.normal_(p, mean=0, std=0.02)
        elif "weight" in name and p.ndim >= 2:
            nn.init.normal_(p, mean=0, std=0.02 / math.sqrt(2 * n_layers) if "o_proj" in name else 0.02)


@wild(draws=CONV)
def conv_init(module):
    n = module.out_channels
    for k in module.kernel_size:
        n *= k
    module.weight.data.normal_(0, math.sqrt(2.0 / n))


@wild(draws=CONV)
def conv_init(conv):  # noqa: F811
    if conv.weight is not None:
        nn.init.kaiming_normal_(conv.weight, mode="fan_out")
    if conv.bias is not None:
        nn.init.constant_(conv.bias, 0)


@wild(refuses="'branches'", then={"args": {"branches": 3}, "draws": CONV}, source="lshiwjx/2s-AGCN: model/agcn.py")
def conv_branch_init(conv, branches):
    n, k1, k2 = conv.weight.shape[:3]
    nn.init.normal_(conv.weight, 0, math.sqrt(2.0 / (n * k1 * k2 * branches)))
    nn.init.constant_(conv.bias, 0)


@wild(draws=DENSE)
def linear_init(module):
    bound = 1 / math.sqrt(module.weight.shape[0])
    nn.init.uniform_(module.weight, -bound, bound)
    if hasattr(module, "bias") and module.bias is not None:
        nn.init.uniform_(module.bias, -bound, bound)


@wild(draws=CONV, source="pytorch/vision: torchvision/models/detection/ssdlite.py")
def _normal_init(conv: nn.Module):
    for layer in conv.modules():
        if isinstance(layer, nn.Conv2d):
            torch.nn.init.normal_(layer.weight, mean=0.0, std=0.03)


class ProposalNet:
    @staticmethod
    def _normal_init(layer, mean, std):
        layer.weight.data.normal_(mean, std)
        layer.bias.data.zero_()


wild(refuses="'mean' and 'std'", then={"args": {"mean": 0.0, "std": 0.01}, "draws": DENSE})(ProposalNet._normal_init)


class MatrixLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.zeros(4, 4))

    def _normal_init(self, generator: typing.Optional[torch.Generator] = None) -> None:  # noqa: UP045
        nn.init.kaiming_normal_(self.matrix, nonlinearity="linear", generator=generator)


wild(refuses="_normal_init")(MatrixLayer()._normal_init)


@wild(draws=DENSE)
class WeightInitializer:
    def __init__(self, mean=0.0, std=0.1):
        self.mean, self.std = mean, std

    def __call__(self, m):
        if isinstance(m, nn.Linear):
            nn.init.normal_(m.weight, mean=self.mean, std=self.std)
            nn.init.zeros_(m.bias)


class _BaseInitializer:
    def forward(self, model):
        raise NotImplementedError

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)


@wild(draws=DENSE)
class HeNormal(_BaseInitializer):
    def __init__(self, gain=0.01):
        self.gain = gain

    def forward(self, model):
        for m in model.modules():
            if isinstance(m, (nn.Linear, nn.Conv2d)):
                nn.init.normal_(m.weight, std=self.gain / math.sqrt(m.weight[0].numel()))


@wild(draws=DENSE)
def kaiming_normal(m):
    if type(m) is torch.nn.Linear:
        m.weight.data.normal_(0.0, math.sqrt(2.0 / m.weight.shape[1]))


@wild(refuses="kaiming_normal")
def kaiming_normal(module):  # noqa: F811
    class Module(module):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            nn.init.kaiming_normal_(self.weight)

    return Module


class Training:
    @staticmethod
    def xavier_normal(module, lstm_forget_bias_init=2):
        for m in module.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding)):
                nn.init.xavier_normal_(m.weight.data)


wild(draws=DENSE)(Training.xavier_normal)


@wild(draws=DENSE)
def init_embedding_weights(embedding_layer, init_range=0.1):
    with torch.no_grad():
        embedding_layer.weight.uniform_(-init_range, init_range)
        if embedding_layer.padding_idx is not None:
            embedding_layer.weight[embedding_layer.padding_idx].fill_(0)


@wild(draws=DENSE, source="pyg-team/pytorch_geometric: torch_geometric/nn/inits.py")
def reset(value: typing.Any):
    if hasattr(value, "reset_parameters"):
        value.reset_parameters()
    else:
        for child in value.children() if hasattr(value, "children") else []:
            reset(child)


@wild(refuses="InitializerApplicator", source="allenai/allennlp: allennlp/nn/initializers.py")
class InitializerApplicator:
    def __init__(self, initializers=None, prevent_regexes=None) -> None:
        self._initializers, self._prevent = initializers or [], prevent_regexes

    def __call__(self, module: torch.nn.Module) -> None:
        for name, parameter in module.named_parameters():
            for regex, initializer in self._initializers:
                if re.search(regex, name):
                    initializer(parameter, parameter_name=name)


@wild(refuses="'distribution'")
def make_weights_initializer(distribution: torch.distributions.Distribution) -> typing.Callable[[nn.Module], None]:
    @torch.no_grad()
    def weights_initializer(m: nn.Module) -> None:
        if isinstance(m, nn.Linear):
            m.weight.copy_(distribution.sample(sample_shape=m.weight.size()))

    return weights_initializer


# -- functions of a torch tensor


@wild(draws=DENSE)
def variance_scaling_(tensor, gain=1.0):
    fan = tensor.size(1) * (tensor[0][0].numel() if tensor.dim() > 2 else 1)
    with torch.no_grad():
        return tensor.normal_(0.0, math.sqrt(gain / float(fan)))


@wild(
    refuses="'dim'",
    then={"args": {"dim": 64}, "draws": DENSE},
    source="EleutherAI/gpt-neox: megatron/model/init_functions.py",
)
def small_init_init_method(dim):
    std = math.sqrt(2 / (5 * dim))

    def init_(tensor):
        return torch.nn.init.normal_(tensor, mean=0.0, std=std)

    return init_


@wild(refuses="'dim'", then={"args": {"dim": 64}, "draws": DENSE})
def small_init_init_method(dim, use_mup_outer=False, mup_init_scale=1.0):  # noqa: F811
    def init_(tensor, use_mup=use_mup_outer):
        torch.nn.init.normal_(tensor, mean=0.0, std=math.sqrt(2 / (5 * dim)))
        return tensor.mul_(mup_init_scale) if use_mup else tensor

    return init_


@wild(refuses="'dim' and 'n_layers'", then={"args": {"dim": 64, "n_layers": 6}, "draws": DENSE})
def wang_init(tensor, dim, n_layers):
    return torch.nn.init.normal_(tensor, mean=0.0, std=2 / n_layers / math.sqrt(dim))


@wild(refuses="'dim' and 'num_layers'", then={"args": {"dim": 64, "num_layers": 6}, "draws": DENSE})
def wang_init(dim: int, num_layers: int) -> typing.Callable[[torch.Tensor], torch.Tensor]:  # noqa: F811
    def init_(tensor: torch.Tensor) -> torch.Tensor:
        return torch.nn.init.normal_(tensor, mean=0.0, std=2 / num_layers / math.sqrt(dim))

    return init_


@wild(draws=DENSE)
def hyperfan_out_W_init(  # noqa: N802
    tensor: torch.Tensor, noise_var: float = 1.0, n_noise: int = 1, relu: bool = False
) -> torch.Tensor:
    with torch.no_grad():
        return tensor.normal_(0, math.sqrt((2.0 if relu else 1.0) / (tensor.shape[0] * n_noise * noise_var)))


@wild(refuses="'i'", then={"args": {"i": 3}, "draws": DENSE})
def hyperfaninWi_init(i):  # noqa: N802
    def hyperfanin_init(Wi):  # noqa: N803
        bound = math.sqrt(6 / (Wi.size(1) * [1, 2, 3, 4][i]))
        Wi.uniform_(-bound, bound)
        return Wi

    return hyperfanin_init


@wild(draws=DENSE)
def embed_uniform(e):
    e.uniform_(-math.sqrt(3), math.sqrt(3))
    return e


@wild(draws=DENSE)
def mup_init(params: list[torch.Tensor], is_output: bool = False) -> None:
    for param in params:
        if param.ndim > 1:
            fan_in = math.prod(param.shape[1:])
            torch.nn.init.normal_(param, std=(1 / fan_in) ** (1 if is_output else 0.5))


@wild(refuses="'sigma'", then={"args": {"sigma": 0.02}, "draws": DENSE})
def mup_init_with_param_name(sigma):
    def init_with_name_(name, param):
        if name.split(".")[-1] == "weight":
            torch.nn.init.constant_(param, 1) if "layernorm" in name else torch.nn.init.normal_(param, std=sigma)
        else:
            torch.nn.init.constant_(param, 0)

    return init_with_name_


@wild(refuses="'n_layers'", then={"args": {"n_layers": 12}, "draws": DENSE})
def init_depth_scaled_trunc_normal(
    *, base_std: float = 0.02, n_layers: int, depth_init: bool = True, a: float = -2.0, b: float = 2.0
) -> typing.Callable[[str, nn.Parameter], None]:
    def init(name: str, param: nn.Parameter) -> None:
        found = re.match(r"layers\.(\d+)\.", name)
        depth = int(found.group(1)) + 1 if found and depth_init else n_layers
        nn.init.trunc_normal_(param, std=base_std / math.sqrt(2 * depth), a=a, b=b)

    return init


@wild(draws=DENSE)
def siren_init(tensor, use_this_fan_in=None):  # noqa: F811
    fan_in = tensor.shape[1] if use_this_fan_in is None else use_this_fan_in
    with torch.no_grad():
        return tensor.uniform_(-math.sqrt(6.0 / fan_in), math.sqrt(6.0 / fan_in))


@wild(refuses="'in_features'", then={"args": {"in_features": 7}, "draws": DENSE})
class SirenInit:
    def __init__(self, in_features, is_first=False, omega=30):
        self.bound = 1 / in_features if is_first else math.sqrt(6 / in_features) / omega

    def __call__(self, tensor):
        nn.init.uniform_(tensor, -self.bound, self.bound)


@wild(draws=DENSE)
class SIRENInitializer:
    def __init__(self, w0=30.0, c=6.0, seed=None):
        self.w0, self.c, self.seed = w0, c, seed
        if seed is not None:
            torch.manual_seed(seed)

    def __call__(self, shape):
        fan_in, _ = nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
        bound = math.sqrt(self.c / max(1.0, fan_in)) / self.w0
        return torch.empty(shape).uniform_(-bound, bound)


@wild(
    refuses="uniform",
    then={"args": {"size": 16}, "draws": DENSE},
    source="pyg-team/pytorch_geometric: torch_geometric/nn/inits.py",
)
def uniform(size: int, value: typing.Any):
    if isinstance(value, torch.Tensor):
        value.data.uniform_(-1.0 / math.sqrt(size), 1.0 / math.sqrt(size))
    else:
        for v in value.parameters() if hasattr(value, "parameters") else []:
            uniform(size, v)


@wild(
    refuses="'fan' and 'a'",
    then={"args": {"fan": 16, "a": 0.0}, "draws": DENSE},
    source="pyg-team/pytorch_geometric: torch_geometric/nn/inits.py",
)
def kaiming_uniform(value: typing.Any, fan: int, a: float):
    if isinstance(value, torch.Tensor):
        bound = math.sqrt(6 / ((1 + a**2) * fan))
        value.data.uniform_(-bound, bound)
    else:
        for v in value.parameters() if hasattr(value, "parameters") else []:
            kaiming_uniform(v, fan, a)


@wild(
    refuses="'scale'",
    then={"args": {"scale": 2.0}, "draws": DENSE},
    source="pyg-team/pytorch_geometric: torch_geometric/nn/inits.py",
)
def glorot_orthogonal(tensor, scale):
    if tensor is not None:
        torch.nn.init.orthogonal_(tensor.data)
        tensor.data *= (scale / (sum(tensor.shape[-2:]) * tensor.var())).sqrt()


@wild(
    refuses="'mean' and 'std'",
    then={"args": {"mean": 0.0, "std": 0.1}, "draws": DENSE},
    source="pyg-team/pytorch_geometric: torch_geometric/nn/inits.py",
)
def normal(value: typing.Any, mean: float, std: float):
    if isinstance(value, torch.Tensor):
        value.data.normal_(mean, std)
    else:
        for v in value.parameters() if hasattr(value, "parameters") else []:
            normal(v, mean, std)


@wild(draws=DENSE, constant=True, source="pyg-team/pytorch_geometric: torch_geometric/nn/inits.py")
def ones(tensor: typing.Any):
    if isinstance(tensor, torch.Tensor):
        tensor.data.fill_(1.0)


@wild(draws=DENSE, source="allenai/allennlp: allennlp/nn/initializers.py")
def uniform_unit_scaling(tensor: torch.Tensor, nonlinearity: str = "linear"):
    bound = math.sqrt(3 / math.prod(tensor.shape[:-1])) * torch.nn.init.calculate_gain(nonlinearity)
    return tensor.data.uniform_(-bound, bound)


@wild(
    refuses="'split_sizes'",
    then={"args": {"split_sizes": [5, 7]}, "draws": {"shapes": [(10, 14)]}},
    source="allenai/allennlp: allennlp/nn/initializers.py",
)
def block_orthogonal(tensor: torch.Tensor, split_sizes: typing.List[int], gain: float = 1.0) -> None:  # noqa: UP006
    if any(n % m for n, m in zip(tensor.shape, split_sizes, strict=True)):
        raise ValueError(f"{tuple(tensor.shape)} cannot be split into {split_sizes}")
    for rows in tensor.data.split(split_sizes[0]):
        for block in rows.split(split_sizes[1], dim=1):
            block.copy_(torch.nn.init.orthogonal_(block.contiguous(), gain=gain))


def _initializer_wrapper(init_function):
    class Init:
        def __init__(self, **kwargs):
            self._init_function, self._kwargs = init_function, kwargs

        def __call__(self, tensor: torch.Tensor, **kwargs) -> None:
            self._init_function(tensor, **self._kwargs)

    return Init


wild(draws=DENSE, source="allenai/allennlp: allennlp/nn/initializers.py")(_initializer_wrapper(nn.init.xavier_normal_))
wild(draws=DENSE, source="allenai/allennlp: allennlp/nn/initializers.py")(
    _initializer_wrapper(nn.init.uniform_)(a=-0.1, b=0.1)
)


@wild(draws=DENSE)
def kaiming_normal(tensor, nonlinearity="leaky_relu", param=0, mode="fan_in"):  # noqa: F811
    gain = nn.init.calculate_gain(nonlinearity, param)
    with torch.no_grad():
        return tensor.normal_(0, gain / math.sqrt(tensor.shape[1]))


def safe_initialize(init_func):
    def wrapper(tensor):
        return init_func(tensor) if tensor.dim() >= 2 else nn.init.zeros_(tensor)

    return wrapper


@wild(draws=DENSE)
@safe_initialize
def init_weights_lecun(tensor):
    nn.init.normal_(tensor, mean=0.0, std=math.sqrt(1.0 / tensor.size(1)))


@wild(refuses="'std'", then={"args": {"std": 1.0}, "draws": DENSE})
def prepare_linear_init(std):
    def linear_init(shape_of_weights):
        out = torch.randn(shape_of_weights).to(torch.float32).numpy()
        out *= std / np.sqrt(np.square(out).sum(axis=0, keepdims=True))
        return torch.tensor(out, requires_grad=True)

    return linear_init


@wild(
    refuses="'scale' and 'mode' and 'distribution'",
    then={"args": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform"}, "draws": DENSE},
    source="yang-song/score_sde_pytorch: models/layers.py",
)
def variance_scaling(scale, mode, distribution, in_axis=1, out_axis=0, dtype=torch.float32, device="cpu"):
    def init(shape, dtype=dtype, device=device):
        fans = {"fan_in": shape[in_axis], "fan_avg": (shape[in_axis] + shape[out_axis]) / 2}
        return (torch.rand(*shape, dtype=dtype, device=device) * 2 - 1) * math.sqrt(3 * scale / fans[mode])

    return init


@wild(refuses="'name'", then={"args": {"name": "xavier_normal"}, "draws": DENSE})
def get_initializer(name):
    kinds = {"xavier_normal": nn.init.xavier_normal_, "kaiming_uniform": nn.init.kaiming_uniform_}
    return functools.partial(kinds[name])


# -- MLX, as its functions of an array read with NumPy


@wild(draws=DENSE, source="ml-explore/mlx: python/mlx/nn/init.py")
def he_normal(dtype: np.dtype = np.float32):
    def initializer(a: np.ndarray, mode: typing.Literal["fan_in", "fan_out"] = "fan_in", gain: float = 1.0):
        fan = a.shape[-1] if mode == "fan_in" else a.shape[0]
        return np.random.normal(0, gain / math.sqrt(fan), a.shape).astype(dtype)

    return initializer


@wild(draws=SQUARE, constant=True, source="ml-explore/mlx: python/mlx/nn/init.py")
def identity(dtype: np.dtype = np.float32):
    def initializer(arr: np.ndarray):
        if arr.ndim != 2 or arr.shape[0] != arr.shape[1]:
            raise ValueError(f"a square, not {arr.shape}")
        return np.eye(arr.shape[0], dtype=dtype)

    return initializer


@wild(
    refuses="'sparsity'",
    then={"args": {"sparsity": 0.5}, "draws": DENSE},
    source="ml-explore/mlx: python/mlx/nn/init.py",
)
def sparse(sparsity: float, mean: float = 0.0, std: float = 1.0, dtype: np.dtype = np.float32):
    def initializer(a: np.ndarray):
        if a.ndim != 2:
            raise ValueError("two axes")
        drawn = np.random.normal(mean, std, a.shape).astype(dtype)
        return drawn * (np.random.uniform(size=a.shape) >= sparsity)

    return initializer


@wild(draws=DENSE, source="ml-explore/mlx: python/mlx/nn/init.py")
def orthogonal(gain: float = 1.0, dtype: np.dtype = np.float32):
    def initializer(a: np.ndarray) -> np.ndarray:
        if a.ndim != 2:
            raise ValueError(f"two axes, not {a.ndim}")
        n = max(a.shape)
        q, r = np.linalg.qr(np.random.normal(size=(n, n)))
        return gain * (q * np.sign(np.diag(r)))[: a.shape[0], : a.shape[1]].astype(dtype)

    return initializer


# -- JAX


@wild(draws=DENSE, source="google/trax: trax/layers/initializers.py")
def RandomNormalInitializer(stddev=1e-2):  # noqa: N802
    return lambda shape, rng: (stddev * jax.random.normal(rng, shape)).astype("float32")


@wild(refuses="'scale' and 'mode' and 'distribution'", source="google/trax: trax/layers/initializers.py")
def ScaledInitializer(out_dim, in_dim, scale, mode, distribution):  # noqa: N802
    if scale <= 0.0:
        raise ValueError(f"scale must be positive, not {scale}")

    def Init(shape, rng):  # noqa: N802
        fan = shape[in_dim] if mode == "fan_in" else (shape[in_dim] + shape[out_dim]) / 2
        return jax.random.normal(rng, shape) * math.sqrt(scale / fan)

    return Init


@wild(draws=DENSE, source="google/trax: trax/layers/initializers.py")
def GlorotNormalInitializer(out_dim=-1, in_dim=-2, scale=1.0):  # noqa: N802
    return ScaledInitializer(out_dim, in_dim, scale, "fan_avg", "normal")


@wild(draws=DENSE, source="google/trax: trax/layers/initializers.py")
def KaimingNormalInitializer(out_dim=-1, in_dim=-2, param=0.0):  # noqa: N802
    return ScaledInitializer(out_dim, in_dim, 2.0 / np.sqrt(1 + param**2), "fan_in", "normal")


@wild(draws=DENSE, source="google/trax: trax/layers/initializers.py")
def OrthogonalInitializer(stddev=1.0):  # noqa: N802
    def Init(shape, rng):  # noqa: N802
        flat = jax.random.normal(rng, sorted(shape, reverse=True))
        q, r = jnp.linalg.qr(flat)
        q = q * jnp.sign(jnp.diag(r))
        return stddev * (q if q.shape == tuple(shape) else q.T)

    return Init


@wild(refuses="'path'", source="google/trax: trax/layers/initializers.py")
def InitializerFromFile(path):  # noqa: N802
    def Initializer(shape, rng):  # noqa: N802
        del rng
        return np.load(path)

    return Initializer


@wild(draws=DENSE, source="google/objax: objax/nn/init.py")
def kaiming_truncated_normal(
    shape: typing.Tuple[int, ...],  # noqa: UP006
    lower: float = -2,
    upper: float = 2,
    gain: float = 1,
) -> jax.Array:
    std = gain / math.sqrt(math.prod(shape[:-1])) / scipy.stats.truncnorm.std(lower, upper)
    return jnp.asarray(std * np.clip(np.random.normal(size=shape), lower, upper))


def next_rng_key():
    raise ValueError("must be used inside of a transform")


@wild(judged=True, refuses="RandomSign")
class RandomSign:
    def __init__(self, random_sign_prob=0.5):
        self.random_sign_prob = random_sign_prob

    def __call__(self, shape, dtype):
        return 2 * jax.random.bernoulli(next_rng_key(), self.random_sign_prob, shape).astype(dtype) - 1


@wild(refuses="_normal_init")
def _normal_init(*shape):
    return lambda rng_key: 0.1 * jax.random.normal(rng_key, shape)


@wild(draws=DENSE)
def siren_init(omega=30, in_axis=-2, out_axis=-1, dtype=jnp.float32):  # noqa: F811
    def init(key, shape, dtype=dtype):
        bound = jnp.sqrt(6 / shape[in_axis]) / omega
        return jax.random.uniform(key, shape, dtype, minval=-bound, maxval=bound)

    return init


@wild(refuses="parameter='0'", then={"parameter": "0", "draws": DENSE, "layout": "in_out"})
def siren_init(key, d_in, d_out, is_first=False):  # noqa: F811
    bound = 1 / d_in if is_first else math.sqrt(6 / d_in) / 4
    one, two = jax.random.split(key)
    return (
        jax.random.uniform(one, (d_in, d_out), minval=-bound, maxval=bound),
        jax.random.uniform(two, (d_out,), minval=-bound, maxval=bound),
    )


@wild(
    refuses="'omega' and 'is_first'",
    then={"args": {"omega": 30.0, "is_first": False}, "parameter": "0", "draws": DENSE},
)
def siren_init(in_dim, out_dim, omega, is_first, key):  # noqa: F811
    bound = 1 / in_dim if is_first else math.sqrt(6 / in_dim) / omega
    return jax.random.uniform(key, (out_dim, in_dim), minval=-bound, maxval=bound), jnp.zeros(out_dim)


@wild(refuses="siren_init")
def siren_init(model, key, init_omega=30.0):  # noqa: F811
    new = copy.copy(model)
    new.layers = [jax.random.uniform(k, (4, 4)) for k in jax.random.split(key, len(model.layers))]
    return new


@wild(draws=DENSE)
def small_init():
    def init(key, shape, *args):
        return jnp.sqrt(2.0 / (5.0 * shape[-1])) * jax.random.normal(key, shape)

    return init


@wild(refuses="'num_blocks'", then={"args": {"num_blocks": 6}, "draws": DENSE})
def wang_init(num_blocks: int):  # noqa: F811
    def init(key, shape, *args):
        return 2.0 / num_blocks / jnp.sqrt(shape[-1]) * jax.random.normal(key, shape)

    return init


@wild(refuses="'dim' and 'num_blocks'", then={"args": {"dim": 64, "num_blocks": 6}, "draws": DENSE})
def wang_init(dim: int, num_blocks: int, distribution: typing.Literal["normal", "uniform"] = "normal"):  # noqa: F811
    return jax.nn.initializers.normal(2 / num_blocks / math.sqrt(dim))


@wild(draws=DENSE)
def kaiming_normal():  # noqa: F811
    def init(key, shape, dtype=jnp.float32):
        return jax.random.normal(key, shape, dtype) * (2.0 / shape[0]) ** 0.5

    return init


@wild(draws=DENSE)
def he_uniform_init(weight: jax.Array, key: jnp.ndarray) -> Array:
    out, in_ = weight.shape
    return jax.random.uniform(key, (out, in_), minval=-jnp.sqrt(2 / in_), maxval=jnp.sqrt(2 / in_))


@wild(refuses="parameter='0'", then={"parameter": "0", "draws": DENSE, "layout": "in_out"})
def init_layer(key, d_in, d_out):
    one, _ = jax.random.split(key)
    return jax.random.normal(one, (d_in, d_out)) / np.sqrt((d_in + d_out) / 2.0), np.zeros(d_out)


@wild(refuses="parameter='w'", then={"parameter": "w", "draws": DENSE, "layout": "in_out"})
def init_layer(key: jax.Array, in_dim: int, out_dim: int) -> dict[str, jax.Array]:  # noqa: F811
    one, _ = jax.random.split(key)
    w = jnp.sqrt(2.0 / (in_dim + out_dim)) * jax.random.normal(one, (in_dim, out_dim))
    return {"w": w, "b": jnp.zeros((out_dim,))}


@wild(refuses="parameter='0'", then={"parameter": "0", "draws": DENSE, "layout": "in_out"})
def init_layer(key, d_in, d_out, init_fn=None):  # noqa: F811
    if init_fn is not None:
        return init_fn(key, d_in, d_out)
    one, two = jax.random.split(key)
    return jax.random.normal(one, (d_in, d_out)) / jnp.sqrt(d_in), jax.random.normal(two, (d_out,))


@wild(refuses="linear_init", then={"args": {"fan_in": 7, "fan_out": 5}, "draws": DENSE})
def linear_init(fan_in, fan_out) -> typing.Callable:  # noqa: F811
    std = min(1.0, math.sqrt(fan_out / fan_in)) / math.sqrt(fan_in)
    return jax.nn.initializers.normal(stddev=std)


@wild(refuses="Dense", source="jax-ml/jax: jax/example_libraries/stax.py")
def Dense(out_dim, W_init=jax.nn.initializers.glorot_normal(), b_init=jax.nn.initializers.normal()):  # noqa: B008, N802, N803
    def init_fun(rng, input_shape):
        one, two = jax.random.split(rng)
        return (*input_shape[:-1], out_dim), (W_init(one, (input_shape[-1], out_dim)), b_init(two, (out_dim,)))

    def apply_fun(params, inputs, **kwargs):
        return inputs @ params[0] + params[1]

    return init_fun, apply_fun


# -- TensorFlow and Keras


@wild(draws=DENSE)
def glorot_normal(shape, name=None, dim_ordering="th"):
    std = np.sqrt(2.0 / (shape[0] + shape[1]))
    return keras.Variable(np.random.normal(0.0, std, shape).astype("float32"), name=name)


@wild(draws=DENSE)
def weights_initializer(shape):
    return keras.Variable(keras.random.truncated_normal(shape, stddev=0.1))


@wild(draws=DENSE)
def init_weights_lecun(shape: typing.Tuple[int, int]):  # noqa: F811, UP006
    in_dims, _ = shape
    return keras.random.normal(shape, mean=0.0, stddev=math.sqrt(1 / in_dims))


@wild(draws=DENSE)
def get_initializer(initializer_range=0.02):  # noqa: F811
    return keras.initializers.TruncatedNormal(stddev=initializer_range)


@wild(draws=DENSE)
def get_initializer(initializer_seed=42):  # noqa: F811
    return keras.initializers.HeNormal(seed=initializer_seed)


@wild(refuses="'initialization'")
def get_initializer(initialization, **kwargs):  # noqa: F811
    kinds = {"xavier_uniform": "glorot_uniform", "const_initializer": "constant"}
    return keras.initializers.get({"class_name": kinds[initialization], "config": kwargs})


class AttentionModel:
    def get_initializer(self, matrix):
        def _initializer(shape, dtype=None, partition_info=None, **kwargs):
            return matrix

        return _initializer


wild(refuses="get_initializer")(AttentionModel().get_initializer)


@wild(draws=DENSE)
class SIRENFirstLayerInitializer(keras.initializers.Initializer):
    def __init__(self, scale=1.0, seed=None):
        super().__init__()
        self.scale, self.seed = scale, seed

    def __call__(self, shape, dtype=None):
        bound = self.scale / max(1.0, float(shape[0]))
        return keras.random.uniform(shape, -bound, bound, seed=self.seed)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale, "seed": self.seed}


@wild(draws=DENSE)
class SIRENInitializer(keras.initializers.VarianceScaling):  # noqa: F811
    def __init__(self, w0: float = 1.0, c: float = 6.0, seed: int = None):  # noqa: RUF013
        self.w0, self.c = w0, c
        super().__init__(scale=c / (3.0 * w0 * w0), mode="fan_in", distribution="uniform", seed=seed)

    def get_config(self):
        return {**super().get_config(), "w0": self.w0, "c": self.c}


@wild(draws=DENSE)
class SirenInitializer(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None, fan_in=32):
        return keras.random.uniform(shape, -math.sqrt(6 / float(fan_in)), math.sqrt(6 / float(fan_in)), dtype)


@wild(draws=DENSE)
class OrthogonalLeCunInitializer(keras.initializers.Initializer):
    def __init__(self, seed: int = None):  # noqa: RUF013
        self.seed = seed

    def __call__(self, shape, dtype="float32"):
        flat = np.random.default_rng(self.seed).standard_normal((shape[-1], math.prod(shape[:-1])))
        q = np.linalg.svd(flat, full_matrices=False)
        q = q[0] @ q[2] / math.sqrt(flat.shape[1])
        return keras.ops.cast(keras.ops.reshape(q.T, shape), dtype)


@wild(draws=HWIO)
class RandomSymmetricKernel(keras.initializers.Initializer):
    def __call__(self, shape: tuple[int], dtype=None, **kwargs):
        k = keras.initializers.GlorotUniform()(shape, dtype=dtype)
        return (k + k[::-1] + k[:, ::-1] + k[::-1, ::-1]) / 4


@wild(draws=DENSE)
class SortedInitializer(keras.initializers.Initializer):
    def __init__(self, base="glorot_uniform"):
        self.base = keras.initializers.get(base)

    def __call__(self, shape, dtype=None):
        return keras.ops.sort(self.base(shape, dtype=dtype), axis=-1)

    def get_config(self):
        return {"base": keras.initializers.serialize(self.base)}


@wild(draws=DENSE)
class NormcInitializer(keras.initializers.Initializer):
    def __init__(self, stddev=1.0):
        self.stddev = stddev

    def __call__(self, shape, dtype=None):
        out = keras.random.normal(shape, stddev=self.stddev, dtype=dtype or "float32")
        return out * keras.ops.sqrt(keras.ops.sum(out**2, axis=0, keepdims=True))


@wild(draws=DENSE, source="d2l-ai/d2l-en: chapter_builders-guide/init-param.md")
class MyInit(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        data = keras.random.uniform(shape, -10, 10, dtype=dtype)
        return data * keras.ops.cast(keras.ops.abs(data) >= 5, "float32")


@wild(refuses="'base_initializer'")
class AsymmetricInitializer(keras.initializers.Initializer):
    def __init__(self, base_initializer, asymmetry_factor=1.0):
        self.base_initializer, self.asymmetry_factor = base_initializer, asymmetry_factor

    def __call__(self, shape, dtype=None):
        w = self.base_initializer(shape, dtype=dtype)
        t = keras.ops.transpose(w)
        return (w + t) / 2.0 + self.asymmetry_factor * (w - t) / 2.0


@wild(refuses="'design_matrix'")
class InitSigmoidBiasFromMarginals(keras.initializers.Initializer):
    def __init__(self, design_matrix):
        if np.ndim(design_matrix) != 2:
            raise ValueError("a matrix")
        self.design_matrix = design_matrix

    def __call__(self, shape, dtype=None):
        x = np.clip(np.mean(self.design_matrix, 0), 1e-7, 1 - 1e-7)
        return keras.ops.reshape(np.log(x / (1 - x)), shape)


@wild(refuses="'initializer'")
class ICNR(keras.initializers.Initializer):
    def __init__(self, initializer, scale=1):
        self.initializer, self.scale = initializer, scale

    def __call__(self, shape, dtype=None):
        small = self.initializer((*shape[:3], shape[3] // self.scale**2), dtype)
        return keras.ops.repeat(small, self.scale**2, axis=-1)


@wild(refuses="'const_value'")
def constant_initializer(const_value):
    class ConstantInitializer(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None, **kwargs):
            return keras.ops.full(shape, const_value, dtype=dtype)

        def get_config(self):
            return {"value": const_value}

    return ConstantInitializer


@wild(draws=DENSE, constant=True)
class RGBProjectionInitializer(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        kernel = np.zeros(shape, np.float32)
        if len(shape) == 4 and shape[:2] == (1, 1) and shape[2] >= 4 and shape[3] >= 3:
            kernel[0, 0, [3, 2, 1], [0, 1, 2]] = 1.0
        return keras.ops.convert_to_tensor(kernel, dtype=dtype or "float32")
