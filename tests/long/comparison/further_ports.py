"""Ports that nobody had compared when the comparison was written, each with its truth and with what is planted.

A T5 encoder against transformers', an MLP-Mixer against timm's, a graph attention layer against PyTorch Geometric's, a
U-Net in PyTorch against one in Keras, q, k and v apart against PyTorch's packed attention. The laws were read off the
libraries' sources, not off a comparison.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from ports import Factory
from torch import nn

D, L = 32, 3


# -- a T5 encoder: q is drawn smaller by sqrt(d_kv), for T5 divides no logit by it -------------------------------------

KV, HEADS, FF, V = 8, 4, 64, 48


class _Norm(nn.Module):
    def __init__(self, width: int = D) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))


class _T5Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = _Norm(), _Norm()
        self.q, self.k, self.v = (nn.Linear(D, HEADS * KV, bias=False) for _ in range(3))
        self.o = nn.Linear(HEADS * KV, D, bias=False)
        self.wi, self.wo = nn.Linear(D, FF, bias=False), nn.Linear(FF, D, bias=False)


def t5(query: float = (D * KV) ** -0.5, table: float = 1.0) -> nn.Module:
    """An encoder of T5 with relu."""
    model = nn.Module()
    model.embed = nn.Embedding(V, D)
    model.relative = nn.Embedding(32, HEADS)
    model.blocks = nn.ModuleList(_T5Block() for _ in range(L))
    model.final = _Norm()
    nn.init.normal_(model.embed.weight, std=table)
    nn.init.normal_(model.relative.weight, std=D**-0.5)
    for block in model.blocks:
        for name, width in (("k", D), ("v", D), ("wi", D), ("o", HEADS * KV), ("wo", FF)):
            nn.init.normal_(getattr(block, name).weight, std=width**-0.5)
        nn.init.normal_(block.q.weight, std=query)
    return model


def t5_reference() -> nn.Module:
    """transformers' own."""
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(T5Config(vocab_size=V, d_model=D, d_kv=KV, d_ff=FF, num_layers=L, num_heads=HEADS))


# -- an MLP-Mixer: Glorot's uniform law, biases of the MLPs near zero, a head of zeros ---------------------------------


class _MixerBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.token_up, self.token_down = nn.Linear(16, D // 2), nn.Linear(D // 2, 16)
        self.channel_up, self.channel_down = nn.Linear(D, 4 * D), nn.Linear(4 * D, D)


def mixer(head: float = 0.0, linear: str = "xavier") -> nn.Module:
    """A mixer on 16 patches."""
    model = nn.Module()
    model.stem = nn.Conv2d(3, D, 8, 8)
    model.blocks = nn.ModuleList(_MixerBlock() for _ in range(L))
    model.norm, model.head = nn.LayerNorm(D), nn.Linear(D, 10)
    # LeCun's normal law, cut at two standard deviations and corrected for it.
    std = math.sqrt(1 / 192) / 0.87962566
    nn.init.trunc_normal_(model.stem.weight, std=std, a=-2 * std, b=2 * std)
    nn.init.zeros_(model.stem.bias)
    for block in model.blocks:
        for module in block.modules():
            if isinstance(module, nn.Linear):
                if linear == "xavier":
                    nn.init.xavier_uniform_(module.weight)
                else:
                    nn.init.normal_(module.weight, std=math.sqrt(2 / sum(module.weight.shape)))
                nn.init.normal_(module.bias, std=1e-6)
    nn.init.constant_(model.head.weight, 0.0)
    if head:
        nn.init.normal_(model.head.weight, std=head)
    nn.init.zeros_(model.head.bias)
    return model


def mixer_reference() -> nn.Module:
    """timm's own."""
    from timm.models.mlp_mixer import MlpMixer

    return MlpMixer(img_size=32, patch_size=8, embed_dim=D, num_blocks=L, num_classes=10)


# -- graph attention: Glorot's law, whose fans of an attention vector are heads and channels ---------------------------


def gat(attention: str = "heads") -> nn.Module:
    """Two layers of graph attention, 4 heads of 8 channels."""
    model = nn.Module()
    model.layers = nn.ModuleList()
    for _ in range(2):
        layer = nn.Module()
        layer.lin = nn.Linear(D, 32, bias=False)
        layer.att_src, layer.att_dst = (nn.Parameter(torch.empty(1, 4, 8)) for _ in range(2))
        layer.bias = nn.Parameter(torch.zeros(32))
        nn.init.xavier_uniform_(layer.lin.weight)
        for vector in (layer.att_src, layer.att_dst):
            # The textbook's layer has one vector of 2 x 8 channels a head, drawn by its own fans.
            bound = math.sqrt(6 / (4 + 8 if attention == "heads" else 2 * 8 + 1))
            nn.init.uniform_(vector, -bound, bound)
        model.layers.append(layer)
    return model


def gat_reference() -> nn.Module:
    """PyTorch Geometric's own."""
    from torch_geometric.nn import GATConv

    return nn.Sequential(*(GATConv(D, 8, heads=4) for _ in range(2)))


# -- a U-Net against Keras: He's normal law of Keras is cut and corrected, PyTorch's is not ----------------------------


def unet(cut: bool = True, up: str = "keras") -> nn.Module:
    """A step down and up."""
    model = nn.Module()
    model.down, model.middle = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
    model.up, model.fuse = nn.ConvTranspose2d(16, 8, 2, 2), nn.Conv2d(16, 8, 3, padding=1)
    model.out = nn.Conv2d(8, 2, 1)
    for module in model.modules():
        if not isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            continue
        fan = module.weight[0].numel()  # of a transposed kernel that is out x 2 x 2, in Keras as in PyTorch
        if up != "keras" and isinstance(module, nn.ConvTranspose2d):
            fan = module.weight[:, 0].numel()
        std = math.sqrt(2 / fan)
        if cut:
            std /= 0.87962566
            nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
        else:
            nn.init.normal_(module.weight, std=std)
        nn.init.zeros_(module.bias)
    return model


def unet_reference() -> Any:
    """The same in Keras."""
    import keras

    def conv(width: int, name: str, size: int = 3) -> Any:
        return keras.layers.Conv2D(width, size, padding="same", kernel_initializer="he_normal", name=name)

    inputs = keras.Input((16, 16, 3))
    wide = conv(8, "down")(inputs)
    x = conv(16, "middle")(keras.layers.MaxPooling2D()(wide))
    x = keras.layers.Conv2DTranspose(8, 2, 2, kernel_initializer="he_normal", name="up")(x)
    x = conv(8, "fuse")(keras.layers.concatenate([x, wide]))
    return keras.Model(inputs, conv(2, "out", 1)(x))


# -- attention: PyTorch draws the packed matrix by its own fans, E and 3 E ---------------------------------------------


def attention(gain: float = 2**-0.5) -> nn.Module:
    """q, k and v apart."""
    model = nn.Module()
    model.q, model.k, model.v, model.out = (nn.Linear(D, D) for _ in range(4))
    for module in (model.q, model.k, model.v):
        nn.init.xavier_uniform_(module.weight, gain)
    for module in (model.q, model.k, model.v, model.out):
        nn.init.zeros_(module.bias)
    return model


def attention_reference() -> nn.Module:
    """PyTorch's own."""
    return nn.MultiheadAttention(D, 4)


FURTHER: dict[str, tuple[Factory, Factory, dict[str, tuple[Factory, str]]]] = {
    "T5 encoder": (
        t5_reference,
        t5,
        {
            "query as key": (lambda: t5(query=D**-0.5), "2.83 times A's"),
            "embedding of GPT-2": (lambda: t5(table=0.02), "0.02 times A's"),
        },
    ),
    "MLP-Mixer": (
        mixer_reference,
        mixer,
        {
            "a head that is drawn": (lambda: mixer(head=0.02), "A is zero everywhere"),
            "normal for uniform": (lambda: mixer(linear="normal"), "A is a uniform, B is a normal"),
        },
    ),
    "GAT": (gat_reference, gat, {"fans of the textbook": (lambda: gat("textbook"), "B's weights 0.8")}),
    "U-Net": (
        unet_reference,
        unet,
        {
            "no cut": (lambda: unet(cut=False), "B is a normal"),
            "fan of the transposed kernel": (lambda: unet(up="inputs"), "A's variance is 2/fan_in, B's is 1/fan_in"),
        },
    ),
    "attention": (attention_reference, attention, {"fans of one head": (lambda: attention(1.0), "1.41 times A's")}),
}
"""Name -> (the library's own, the port, what is planted -> (the port with it, the words that must name it))."""
