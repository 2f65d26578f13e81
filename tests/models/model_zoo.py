"""The model zoo: factories with correct and broken initialisation, and the claims that each must fail."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import torch
from model_zoo_parts import (
    GPT,
    VOCABULARY,
    WIDTH,
    Block,
    Llama,
    LoRA,
    LSTMLanguageModel,
    Mixture,
    ResNet,
    ViT,
    mlp,
)  # fmt: skip
from torch import Tensor, nn

WRITTEN = "every-tensor-is-written"
REBUILD = "rebuilds-the-same"
DISTINCT = "tensors-are-distinct"
LAW = "siblings-share-one-law"
ABSURD = "no-value-is-absurd"
LOST = "nothing-special-is-lost"
REACH = "input-reaches-the-output"
SCALING = "residual-writers-share-one-scaling"
DECLARED = "declared-laws-are-in-force"
SIGNAL = "signal-survives-the-blocks"
GRADIENT = "gradient-survives-the-blocks"
CHANCE = "starts-at-chance"

DEPTH_SCALED = {"h.*.c_proj.weight": "0.02/sqrt(2*L)"}

Factory = Callable[[], nn.Module]


# -- correct


def plain_mlp() -> nn.Module:
    return mlp(12)


def tanh_mlp() -> nn.Module:
    return mlp(12, gain=1.3, activation=nn.Tanh)


def encoder() -> nn.Module:
    """TransformerEncoder whose layers are made one by one, not copied."""
    layers = [nn.TransformerEncoderLayer(WIDTH, 2, 64, batch_first=True, norm_first=True) for _ in range(6)]
    model = nn.Sequential(*layers)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
    return model


def gpt() -> nn.Module:
    return GPT()


def gpt_unscaled() -> nn.Module:
    return GPT(scaled=None)


def gpt_untied() -> nn.Module:
    return GPT(tied=False)


def llama() -> nn.Module:
    return Llama()


def vit() -> nn.Module:
    return ViT()


def resnet() -> nn.Module:
    return ResNet()


def resnet_zero_branches() -> nn.Module:
    return ResNet(zero=True)


def lstm_tied() -> nn.Module:
    return LSTMLanguageModel()


def lora() -> nn.Module:
    return nn.Sequential(*[LoRA(WIDTH) for _ in range(3)])


def mixture() -> nn.Module:
    return GPT(layers=4, mlp=Mixture)


def law_of_depth() -> nn.Module:
    """Every block's residual weights scaled by its own depth."""
    model = GPT(scaled=None)
    for i, block in enumerate(model.h):
        nn.init.normal_(block.attn.c_proj.weight, std=0.02 / math.sqrt(i + 1))  # type: ignore[union-attr, arg-type]
    return model


def numpy_network() -> nn.Module:
    """Weights from NumPy: no draw of torch tells their law."""
    model = mlp(4, width=16)
    for module in model:
        if isinstance(module, nn.Linear):
            he = np.random.normal(0.0, math.sqrt(2 / 16), (16, 16)).astype(np.float32)
            module.weight.data = torch.from_numpy(he)
    return model


def orthogonal() -> nn.Module:
    model = mlp(8, activation=nn.Identity)
    for module in model:
        if isinstance(module, nn.Linear):
            nn.init.orthogonal_(module.weight)
    return model


def padded_embedding() -> nn.Module:
    """A row of zeros at the padding index, and a zero head: both by design."""
    head = nn.Linear(WIDTH, 5)
    nn.init.zeros_(head.weight)
    return nn.Sequential(nn.Embedding(50, WIDTH, padding_idx=0), nn.Linear(WIDTH, WIDTH), nn.Tanh(), head)


# -- broken


def never_written() -> nn.Module:
    model = GPT()
    model.h[2].mlp.c_fc.weight = nn.Parameter(torch.empty(4 * WIDTH, WIDTH))  # type: ignore[union-attr]
    return model


def rows_never_written() -> nn.Module:
    model = GPT()
    grown = torch.empty(VOCABULARY + 3, WIDTH)
    grown[:VOCABULARY] = model.wte.weight.data
    model.wte.weight = nn.Parameter(grown)
    return model


def scaled_garbage() -> nn.Module:
    model = mlp(6)
    model[2].bias = nn.Parameter(torch.empty(WIDTH).mul_(0.02))
    return model


class _WithBuffer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = mlp(4)
        self.register_buffer("scale", torch.empty(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) * self.scale


def buffer_never_written() -> nn.Module:
    return _WithBuffer()


def to_empty() -> nn.Module:
    with torch.device("meta"):
        model = mlp(6)
    return model.to_empty(device="cpu")


def skip_init() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 8), nn.utils.skip_init(nn.Linear, 8, 8))


def one_seed_for_all() -> nn.Module:
    model = mlp(6)
    for module in model:
        if isinstance(module, nn.Linear):
            torch.manual_seed(7)
            nn.init.kaiming_normal_(module.weight)
    return model


def one_state_for_two_shapes() -> nn.Module:
    """The state of the generator is restored between two draws of different shapes."""
    model = nn.Sequential(nn.Linear(16, 24), nn.ReLU(), nn.Linear(24, 8))
    state = torch.get_rng_state()
    nn.init.normal_(model[0].weight, std=0.2)  # type: ignore[arg-type]
    torch.set_rng_state(state)
    nn.init.normal_(model[2].weight, std=0.2)  # type: ignore[arg-type]
    return model


def seed_inside() -> nn.Module:
    torch.manual_seed(0)
    return mlp(6)


def unseeded() -> nn.Module:
    """NumPy's generator of fresh entropy: no seed gives the same weights again."""
    model = mlp(2)
    model[0].weight.data = torch.from_numpy(np.random.default_rng().normal(0, 0.25, (WIDTH, WIDTH)).astype("f"))
    return model


def deep_copies() -> nn.Module:
    block = Block(WIDTH)
    return nn.Sequential(*[copy.deepcopy(block) for _ in range(6)])


def torch_encoder() -> nn.Module:
    """torch.nn.TransformerEncoder deep-copies the layer it is given."""
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(WIDTH, 2, 64, batch_first=True), 3)


def scaled_copy() -> nn.Module:
    model = mlp(6)
    model[4].weight.data.copy_(model[2].weight.data * 0.5)  # type: ignore[union-attr, operator]
    return model


def equal_rows() -> nn.Module:
    model = mlp(6)
    model[4].weight.data[5] = model[4].weight.data[9]  # type: ignore[union-attr, index]
    return model


def experts_copied() -> nn.Module:
    model = GPT(layers=4, mlp=Mixture)
    experts = model.h[1].mlp.experts  # type: ignore[union-attr]
    experts[1] = copy.deepcopy(experts[0])  # type: ignore[index, operator]
    return model


def lora_both_zero() -> nn.Module:
    return nn.Sequential(*[LoRA(WIDTH, a_zero=True) for _ in range(3)])


def constant_layers() -> nn.Module:
    model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 4))
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.1)
    return model


def dead_layers() -> nn.Module:
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4))
    for module in (model[2], model[4]):
        nn.init.zeros_(module.weight)  # type: ignore[arg-type]
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    return model


class _Twice(nn.Module):
    """A second init_weights multiplies once more."""

    def __init__(self) -> None:
        super().__init__()
        self.body = mlp(6)
        self.init_weights()

    def init_weights(self) -> None:
        for parameter in self.body[-2].parameters():
            parameter.data.mul_(0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def initialised_twice() -> nn.Module:
    return _Twice()


def one_layer_off() -> nn.Module:
    model = GPT()
    nn.init.normal_(model.h[3].mlp.c_fc.weight, std=0.04)  # type: ignore[union-attr, arg-type]
    return model


def outlier() -> nn.Module:
    model = GPT()
    model.h[3].mlp.c_fc.weight.data[7, 3] = 5.0  # type: ignore[union-attr, index]
    return model


def numpy_one_layer_off() -> nn.Module:
    model = mlp(9, width=16)
    for i, module in enumerate(m for m in model if isinstance(m, nn.Linear)):
        std = math.sqrt(2 / 16) * (1.6 if i == 4 else 1.0)
        module.weight.data = torch.from_numpy(np.random.normal(0.0, std, (16, 16)).astype(np.float32))
    return model


def scaling_bypassed() -> nn.Module:
    """The guard asks for a name that no parameter has: the depth scaling never runs."""
    return GPT(scaled="out_proj.weight")


def exploding() -> nn.Module:
    return mlp(12, gain=3.0)


def vanishing() -> nn.Module:
    return mlp(12, gain=0.5)


def overconfident_head() -> nn.Module:
    model = GPT(tied=False)
    nn.init.normal_(model.lm_head.weight, std=1.0)
    return model


def bfloat16_cut() -> nn.Module:
    """A truncated normal by inverse transform: in bfloat16 its smallest uniform maps to -2, 16 sigma."""
    model = mlp(4, width=128)
    for module in model:
        if isinstance(module, nn.Linear):
            w = module.weight.data
            w.uniform_(-1.0, 1.0).erfinv_().mul_(0.125 * math.sqrt(2.0)).clamp_(-2.0, 2.0)
            nn.init.zeros_(module.bias)
    return model


CORRECT: dict[str, Factory] = {
    f.__name__: f
    for f in (
        plain_mlp, tanh_mlp, encoder, gpt, gpt_unscaled, gpt_untied, llama, vit, resnet, resnet_zero_branches,
        lstm_tied, lora, mixture, law_of_depth, numpy_network, orthogonal, padded_embedding,
    )
}  # fmt: skip

BROKEN: dict[Factory, set[str]] = {
    never_written: {WRITTEN},
    rows_never_written: {WRITTEN},
    scaled_garbage: {WRITTEN},
    buffer_never_written: {WRITTEN},
    to_empty: {WRITTEN},
    skip_init: {WRITTEN},
    one_seed_for_all: {DISTINCT, REBUILD},
    one_state_for_two_shapes: {DISTINCT},
    seed_inside: {REBUILD},
    unseeded: {REBUILD},
    deep_copies: {DISTINCT},
    torch_encoder: {DISTINCT},
    scaled_copy: {DISTINCT, LAW},
    equal_rows: {LAW},
    experts_copied: {DISTINCT},
    lora_both_zero: {DISTINCT},
    constant_layers: {DISTINCT},
    dead_layers: {DISTINCT},
    initialised_twice: {REBUILD, LAW},
    one_layer_off: {LAW},
    outlier: {LAW},
    numpy_one_layer_off: {LAW},
    exploding: {SIGNAL, GRADIENT},
    vanishing: {SIGNAL, GRADIENT},
    overconfident_head: {CHANCE},
    bfloat16_cut: {REBUILD},
}

WITH_LAWS: dict[str, tuple[Factory, dict[str, str], set[str]]] = {
    "gpt, scaling declared": (gpt, DEPTH_SCALED, set()),
    "gpt, scaling bypassed by a name, declared": (scaling_bypassed, DEPTH_SCALED, {DECLARED}),
    "gpt, one layer off by 2, declared": (one_layer_off, {"h.*.c_fc.weight": "0.02"}, {LAW, DECLARED}),
    "numpy, declared": (numpy_network, {"*.weight": "sqrt(2/fan_in)"}, set()),
    "numpy, declared wrongly": (numpy_network, {"*.weight": "1/sqrt(fan_in)"}, {DECLARED}),
}
