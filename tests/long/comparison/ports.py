"""Six ports written by hand, each with one planted difference, against the libraries' own models.

GPT-2, Llama and Mamba against transformers, ViT against timm, a residual network against Keras, an LSTM against Keras.
Each factory takes nothing and builds a small model; ``PORTS`` lists reference, port, and the planted differences with
the words that must name them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

D, HEADS, L, V, T = 32, 4, 3, 64, 16


# -- GPT-2 ------------------------------------------------------------------------------------------------------------


class _GPTBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.q, self.k, self.v, self.o = (nn.Linear(D, D) for _ in range(4))
        self.up, self.down = nn.Linear(D, 4 * D), nn.Linear(4 * D, D)


def gpt2(std: float = 0.02, scaled: bool = True, query: str = "normal") -> nn.Module:
    """A GPT-2 with q, k and v apart."""
    model = nn.Module()
    model.tok, model.pos = nn.Embedding(V, D), nn.Embedding(T, D)
    model.blocks = nn.ModuleList(_GPTBlock() for _ in range(L))
    model.final = nn.LayerNorm(D)
    for name, p in model.named_parameters():
        if "ln" in name or "final" in name:
            continue
        if p.ndim == 1:
            nn.init.zeros_(p)
        elif query == "orthogonal" and ".q." in name:
            nn.init.orthogonal_(p, gain=std * math.sqrt(D))
        else:
            residual = scaled and name.endswith(("o.weight", "down.weight"))
            nn.init.normal_(p, 0.0, std / math.sqrt(2 * L) if residual else std)
    return model


def gpt2_reference() -> nn.Module:
    """transformers' own."""
    from transformers import GPT2Config, GPT2Model

    return GPT2Model(GPT2Config(n_embd=D, n_head=HEADS, n_layer=L, vocab_size=V, n_positions=T))


# -- Llama ------------------------------------------------------------------------------------------------------------


class _Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(D))


class _LlamaBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wqkv = nn.Linear(D, 2 * D, bias=False)  # q of D rows, k and v of D/2 each
        self.wo = nn.Linear(D, D, bias=False)
        self.gate, self.up = nn.Linear(D, 2 * D, bias=False), nn.Linear(D, 2 * D, bias=False)
        self.down = nn.Linear(2 * D, D, bias=False)
        self.norm_1, self.norm_2 = _Scale(), _Scale()


def llama(std: float = 0.02, down: float | None = None, keys: float = 1.0) -> nn.Module:
    """A Llama with q, k and v packed into one matrix."""
    model = nn.Module()
    model.embed = nn.Embedding(V, D)
    model.layers = nn.ModuleList(_LlamaBlock() for _ in range(L))
    model.norm = _Scale()
    for name, p in model.named_parameters():
        if p.ndim == 2:
            nn.init.normal_(p, 0.0, down if down is not None and "down" in name else std)
        if "wqkv" in name:
            with torch.no_grad():
                p[D : D + D // 2] *= keys
    return model


def llama_reference() -> nn.Module:
    """transformers' own, with grouped heads."""
    from transformers import LlamaConfig, LlamaModel

    return LlamaModel(
        LlamaConfig(
            hidden_size=D, intermediate_size=2 * D, num_hidden_layers=L, num_attention_heads=HEADS,
            num_key_value_heads=HEADS // 2, vocab_size=V, pad_token_id=None,
        )
    )  # fmt: skip


# -- ViT --------------------------------------------------------------------------------------------------------------


class _ViTBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.qkv, self.proj = nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.fc1, self.fc2 = nn.Linear(D, 4 * D), nn.Linear(4 * D, D)


def vit(cut: float = 100.0) -> nn.Module:
    """A vision transformer as timm starts one: normal 0.02, a class token near zero, the patches as a convolution."""
    model = nn.Module()
    model.cls_token = nn.Parameter(torch.zeros(1, 1, D))
    model.pos_embed = nn.Parameter(torch.zeros(1, 17, D))
    model.patches = nn.Conv2d(3, D, 8, 8)
    model.blocks = nn.ModuleList(_ViTBlock() for _ in range(L))
    model.norm, model.head = nn.LayerNorm(D), nn.Linear(D, 10)
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02, a=-0.02 * cut, b=0.02 * cut)
            nn.init.zeros_(module.bias)
    nn.init.trunc_normal_(model.pos_embed, std=0.02)
    nn.init.normal_(model.cls_token, std=1e-6)
    return model


def vit_reference() -> nn.Module:
    """timm's own."""
    from timm.models.vision_transformer import VisionTransformer

    return VisionTransformer(img_size=32, patch_size=8, embed_dim=D, depth=L, num_heads=HEADS, num_classes=10)


# -- a residual network against Keras ----------------------------------------------------------------------------------


class _ResBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(2))
        self.bn1, self.bn2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)


def resnet(mode: str = "fan_in") -> nn.Module:
    """Convolutions by He's uniform law, a head by Glorot's."""
    model = nn.Module()
    model.stem, model.stem_norm = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
    model.blocks = nn.ModuleList(_ResBlock(8) for _ in range(2))
    model.widen, model.head = nn.Conv2d(8, 32, 3, bias=False), nn.Linear(32, 10)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, mode=mode, nonlinearity="relu")
    nn.init.xavier_uniform_(model.head.weight)
    nn.init.zeros_(model.head.bias)
    return model


def resnet_reference() -> Any:
    """The same in Keras."""
    import keras

    def conv(width: int, name: str, padding: str = "same") -> Any:
        return keras.layers.Conv2D(
            width, 3, padding=padding, use_bias=False, kernel_initializer="he_uniform", name=name
        )

    x = inputs = keras.Input((16, 16, 3))
    x = keras.layers.BatchNormalization(name="stem_norm")(conv(8, "stem")(x))
    for k in range(2):
        y = keras.layers.BatchNormalization(name=f"block{k}_bn1")(conv(8, f"block{k}_conv1")(x))
        y = keras.layers.BatchNormalization(name=f"block{k}_bn2")(conv(8, f"block{k}_conv2")(y))
        x = keras.layers.add([x, y])
    x = keras.layers.GlobalAveragePooling2D()(conv(32, "widen", "valid")(x))
    return keras.Model(inputs, keras.layers.Dense(10, name="head")(x))


# -- an LSTM against Keras ---------------------------------------------------------------------------------------------


class _Gates(nn.Module):
    def __init__(self, recurrent: str) -> None:
        super().__init__()
        self.kernel, self.recurrent = nn.Linear(12, 32, bias=False), nn.Linear(8, 32, bias=False)
        self.bias = nn.Parameter(torch.zeros(32))
        nn.init.xavier_uniform_(self.kernel.weight)
        if recurrent == "orthogonal":
            nn.init.orthogonal_(self.recurrent.weight)
        else:
            nn.init.normal_(self.recurrent.weight, 0.0, math.sqrt(1 / 32))
        with torch.no_grad():
            self.bias[8:16] = 1.0


def lstm(recurrent: str = "orthogonal") -> nn.Module:
    """An LSTM as Keras starts one: Glorot's uniform, an orthogonal recurrent matrix, a forget bias of one."""
    return _Gates(recurrent)


def lstm_reference() -> Any:
    """Keras' own."""
    import keras

    return keras.Sequential([keras.Input((5, 12)), keras.layers.LSTM(8)])


# -- a Mamba block -----------------------------------------------------------------------------------------------------

INNER, STATE, RANK = 2 * D, 8, 2


class _Mixer(nn.Module):
    def __init__(self, dt_max: float) -> None:
        super().__init__()
        self.A_log = nn.Parameter(torch.log(torch.arange(1.0, STATE + 1).repeat(INNER, 1)))
        self.D = nn.Parameter(torch.ones(INNER))
        self.conv = nn.Conv1d(INNER, INNER, 4, groups=INNER)
        self.in_proj, self.x_proj = nn.Linear(D, 2 * INNER, bias=False), nn.Linear(INNER, RANK + 2 * STATE, bias=False)
        self.dt_proj, self.out_proj = nn.Linear(RANK, INNER), nn.Linear(INNER, D, bias=False)
        for module in (self.in_proj, self.x_proj):
            nn.init.normal_(module.weight, 0.0, 0.1)
        nn.init.kaiming_uniform_(self.conv.weight, a=math.sqrt(5))
        nn.init.zeros_(self.conv.bias)
        nn.init.kaiming_uniform_(self.out_proj.weight, a=math.sqrt(5))
        nn.init.uniform_(self.dt_proj.weight, -(RANK**-0.5), RANK**-0.5)
        dt = torch.exp(torch.rand(INNER) * (math.log(dt_max) - math.log(0.001)) + math.log(0.001)).clamp(min=1e-4)
        with torch.no_grad():
            self.dt_proj.bias.copy_(dt + torch.log(-torch.expm1(-dt)))


def mamba(dt_max: float = 0.1) -> nn.Module:
    """Mamba blocks as transformers starts them, initializer_range 0.1."""
    model = nn.Module()
    model.embed = nn.Embedding(V, D)
    nn.init.normal_(model.embed.weight, 0.0, 0.1)
    model.layers = nn.ModuleList()
    for _ in range(L):
        layer = nn.Module()
        layer.norm, layer.mixer = _Scale(), _Mixer(dt_max)
        model.layers.append(layer)
    model.norm = _Scale()
    return model


def mamba_reference() -> nn.Module:
    """transformers' own."""
    from transformers import MambaConfig, MambaModel

    return MambaModel(MambaConfig(hidden_size=D, num_hidden_layers=L, vocab_size=V, state_size=STATE))


Factory = Callable[[], Any]
PORTS: dict[str, tuple[Factory, Factory, dict[str, tuple[Factory, str]]]] = {
    "GPT-2": (
        gpt2_reference,
        gpt2,
        {
            "standard deviation": (lambda: gpt2(std=0.03), "1.5 times A's"),
            "residual scaling": (lambda: gpt2(scaled=False), "A's weights are scaled by 1/sqrt(2 L)"),
            "orthogonal for normal": (lambda: gpt2(query="orthogonal"), "B is orthogonal"),
        },
    ),
    "Llama": (
        llama_reference,
        llama,
        {
            "standard deviation of one role": (lambda: llama(down=0.02 / math.sqrt(2 * L)), "scaled by 1/sqrt(2 L)"),
            "keys of a packed matrix": (lambda: llama(keys=0.5), "k_proj"),
        },
    ),
    "ViT": (vit_reference, vit, {"truncation": (lambda: vit(cut=2.0), "lacks the factor 1/0.8796 of the truncation")}),
    "ResNet": (resnet_reference, resnet, {"fan": (lambda: resnet("fan_out"), "B's is 2/fan_out")}),
    "LSTM": (lstm_reference, lstm, {"normal for orthogonal": (lambda: lstm("normal"), "A is orthogonal")}),
    "Mamba": (mamba_reference, mamba, {"time step": (lambda: mamba(dt_max=1.0), "dt_proj.bias")}),
}  # fmt: skip
"""Name -> (the library's own, the port, what is planted -> (the port with it, the words that must name it))."""
