"""What every parameter of the layers of five frameworks starts from: ``python -m initcheck.starts.atlas``."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from initcheck.errors import UsageError
from initcheck.layers.recognition import layer_initializer
from initcheck.layers.sampler import LayerSampler
from initcheck.sandbox.containment import InitializerRaised
from initcheck.starts.bare_layer import bare_sampler
from initcheck.starts.layer import laws_of_layer

LAYERS: dict[str, str] = {
    "torch.nn": "Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d RNN LSTM GRU"
    " RNNCell LSTMCell GRUCell MultiheadAttention TransformerEncoderLayer TransformerDecoderLayer"
    " Embedding EmbeddingBag LayerNorm BatchNorm1d BatchNorm2d BatchNorm3d GroupNorm RMSNorm PReLU",
    "keras.layers": "Dense LSTM LayerNormalization BatchNormalization GroupNormalization RMSNormalization PReLU"
    " Embedding EinsumDense SimpleRNN GRU DepthwiseConv1D Conv1D",
    "flax.linen": "SimpleCell LSTMCell OptimizedLSTMCell GRUCell MGUCell MultiHeadDotProductAttention PReLU",
    "flax.nnx": "LSTMCell OptimizedLSTMCell GRUCell LayerNorm BatchNorm GroupNorm RMSNorm PReLU Embed Linear"
    " LinearGeneral Einsum ConvTranspose Conv LoRA",
    "equinox.nn": "Linear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LayerNorm RMSNorm"
    " Embedding PReLU GRUCell LSTMCell MultiheadAttention",
}
"""Module -> the layers of it that the atlas shows."""

# What cannot be told from a width.
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "keras.layers.EinsumDense": {"equation": "ab,bc->ac", "output_shape": 32},
    "flax.nnx.Einsum": {"einsum_str": "ab,bc->ac", "kernel_shape": (16, 32), "bias_shape": (32,)},
    "flax.nnx.LoRA": {"lora_rank": 4},
    "equinox.nn.MultiheadAttention": {"num_heads": 4},
}


@dataclass(frozen=True)
class Row:
    """One parameter of one layer.

    Attributes:
        layer: ``torch.nn.Linear``.
        parameter: ``weight``.
        law: by formula.
        called: the name of the scheme; empty where it has none.
        beside: PyTorch's default of the kin, and the difference.
    """

    layer: str
    parameter: str
    law: str
    called: str
    beside: str

    def cells(self) -> str:
        """The row in Markdown."""
        return f"| `{self.layer}` | `{self.parameter}` | {self.law} | {self.called} | {self.beside} |"


def rows(modules: Iterable[str]) -> Iterator[Row]:
    """The rows of some modules; of a layer that cannot be built from widths alone there is none.

    The fans are those that the shape shows: what a unit truly sums over takes minutes to find for all of them, and is
    what ``initcheck what`` says of one.
    """
    for module in modules:
        home = importlib.import_module(module)
        for name in LAYERS[module].split():
            cls = getattr(home, name, None)
            if not isinstance(cls, type):
                continue
            try:
                sampler = _sampler(cls, f"{module}.{name}")
                laws = laws_of_layer(sampler, measured=False) if sampler is not None else []
            except (UsageError, InitializerRaised):
                continue
            for law in laws:
                yield Row(f"{module}.{name}", law.name, law.text, law.called, law.beside)


def page(found: Iterable[Row], versions: str) -> str:
    """The atlas as a page of the guide."""
    every = list(found)
    layers = len({row.layer for row in every})
    named = sum(bool(row.called) or row.law in ("zero", "one") for row in every)
    head = (
        "# What every layer starts from\n\n"
        f"{len(every)} parameters of {layers} layers, read off built layers of {versions}; {named} of them have the"
        " name of a scheme, or are zero or one. `fan_in` and `fan_out` are counted as the framework's helper reads the"
        " shape; `initcheck what LAYER` finds what a unit truly sums over, and says where they differ. `hidden` is the"
        " width of a recurrent state, `width` that of a row, `in1` the first of two inputs.\n\n"
        "The page is what `KERAS_BACKEND=jax python -m initcheck.starts.atlas` prints;"
        " a test compares it with what is installed.\n\n"
        "| layer | parameter | law | called | beside PyTorch's layer of the kind |\n| --- | --- | --- | --- | --- |\n"
    )
    return head + "\n".join(row.cells() for row in every) + "\n"


def changes(written: str, modules: Iterable[str]) -> list[str]:
    """Where what is installed starts otherwise than a page says: one sentence a cell, none where nothing changed.

    Args:
        written: the page in Markdown.
        modules: those of ``LAYERS`` to look at.
    """
    cells = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| ([^|]*) \| ([^|]*) \|", written, re.MULTILINE)
    said = {(layer, parameter): (law, called) for layer, parameter, law, called in cells}
    differ = []
    for module in modules:
        found = {(r.layer, r.parameter): (r.law, r.called) for r in rows([module])}
        shown = [f"{module}.{name}" for name in LAYERS[module].split()]
        for key in sorted(found | {k: v for k, v in said.items() if k[0] in shown}):
            if said.get(key) != found.get(key):
                page_has, installed = (" ".join(d.get(key, ("nothing",))[:1]) for d in (said, found))
                differ.append(f"{key[0]} {key[1]}: the page says {page_has}, installed is {installed}")
    return differ


def _sampler(cls: type, name: str) -> LayerSampler | None:
    try:
        initializer = layer_initializer(cls, name, _ARGUMENTS.get(name, {}))
    except UsageError:
        return bare_sampler(cls, name, _ARGUMENTS.get(name, {}))
    if initializer is None or not isinstance(initializer.sampler, LayerSampler):
        return None
    return initializer.sampler


def main() -> None:
    """Print the page of the modules that are named, or of all."""
    import importlib.metadata

    modules = sys.argv[1:] or list(LAYERS)
    packages = dict.fromkeys(m.partition(".")[0] for m in modules)
    versions = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in packages)
    print(page(rows(modules), versions), end="")


if __name__ == "__main__":
    main()
