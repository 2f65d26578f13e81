"""How an argument of a module of torch is read first, and what the sizes of a layer tell of what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import SupportsIndex

from torch import nn
from torch.nn.modules import conv

LAYERS = (
    nn.Embedding, nn.EmbeddingBag, nn.Linear, conv._ConvNd, nn.RNNBase, nn.RNNCellBase, nn.LayerNorm,
    nn.MultiheadAttention,
)  # fmt: skip
"""Layers that tell by their sizes what they are given."""


@dataclass(frozen=True)
class Read:
    """How an argument is read first.

    Attributes:
        layer: one of ``LAYERS`` that it is given to, as it is or in another layout.
        place: 0 the input of the layer, 1 the state of a recurrent one, or the offsets of bags.
        width: the numbers of its last axis, or channels, where the layer is given more beside it; 0 where the
            layer's own count.
        turned: axes are exchanged before.
        added: an axis in front is added before.
        pixels: it is divided by 255 before: whole numbers below 256.
        parts: places of the tuple that is the state; 0 where it is one tensor.
        each: layers of a list that are given one item each, along the axis ``along``; 0 where it is given as it is.
        flat: its bags lie one after another, and offsets tell where each begins.
    """

    layer: nn.Module
    place: int = 0
    width: int = 0
    turned: bool = False
    added: bool = False
    pixels: bool = False
    parts: int = 0
    each: int = 0
    along: int = 0
    flat: bool = False

    @property
    def of_cell(self) -> bool:
        """Whether it is the state of one step."""
        return self.place == 1 and isinstance(self.layer, nn.RNNCellBase)


def smallest(layers: nn.ModuleList | nn.Sequential) -> nn.Module:
    """The first of a list of layers; of tables the one with the fewest rows, whose numbers all others have too."""
    return min(layers, key=lambda m: _number(m, "num_embeddings"))


def inputs_of(layer: nn.Module) -> int:
    """The numbers, or channels, that a layer is given."""
    if isinstance(layer, nn.LayerNorm):
        return layer.normalized_shape[-1] if layer.normalized_shape else 0
    names = ("in_features", "in_channels", "input_size", "embed_dim")
    return next((n for n in (_number(layer, name) for name in names) if n), 0)


def outputs_of(layer: nn.Module) -> int:
    """The numbers, or channels, that a layer makes."""
    names = ("out_features", "out_channels", "embedding_dim")
    return next((n for n in (_number(layer, name) for name in names) if n), 0)


def _number(layer: nn.Module, name: str) -> int:
    value = getattr(layer, name, 0)
    return int(value) if isinstance(value, SupportsIndex) else 0  # NumPy's too
