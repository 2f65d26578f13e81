"""One residual network in five frameworks, sound and broken in the same ways; what each of them must be told."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

REBUILD = "rebuilds-the-same"
DISTINCT = "tensors-are-distinct"
LAW = "siblings-share-one-law"
VALUES = "no-value-is-absurd"
DECLARED = "declared-laws-are-in-force"
SIGNAL = "signal-survives-the-blocks"
GRADIENT = "gradient-survives-the-blocks"
CHANCE = "starts-at-chance"

BLOCKS, WIDTH, WORDS = 6, 24, 61
Init = tuple[str, float]


@dataclass(frozen=True)
class Net:
    """A network: an embedding, blocks x + down(relu(up(x))) or plain down(relu(up(x))), a head.

    Attributes:
        up, down: how the matrices of each block are drawn: ``normal``, ``uniform`` or ``cut`` with a standard
            deviation (of a cut normal, before the cut at two), or ``constant``.
        head: how the head is drawn.
        residual: whether the input is added.
        shared: ``key``: every ``up`` is drawn from one key or seed; ``copy``: block 2 has the ``up`` of block 1;
            ``seed``: the head is drawn from a seed of its own, whatever the build's.
    """

    up: tuple[Init, ...] = (("normal", 0.02),) * BLOCKS
    down: tuple[Init, ...] = (("normal", 0.02 / math.sqrt(2 * BLOCKS)),) * BLOCKS
    head: Init = ("normal", 0.02)
    residual: bool = True
    shared: str = ""


def _but(inits: tuple[Init, ...], block: int, init: Init) -> tuple[Init, ...]:
    return (*inits[:block], init, *inits[block + 1 :])


SOUND = Net()
_HE = (("normal", math.sqrt(2 / WIDTH)),) * BLOCKS
_HE_DOWN = (("normal", math.sqrt(1 / WIDTH)),) * BLOCKS
_OF_DEPTH = tuple(("normal", 0.02 / math.sqrt(i + 1)) for i in range(BLOCKS))
ZOO: dict[str, tuple[Net, set[str], dict[str, str]]] = {
    "gpt": (SOUND, set(), {}),
    "uniform": (replace(SOUND, up=(("uniform", 0.05),) * BLOCKS), set(), {}),
    "cut": (replace(SOUND, up=(("cut", 0.02),) * BLOCKS), set(), {}),
    "zero_branches": (replace(SOUND, down=(("constant", 0.0),) * BLOCKS), set(), {}),
    "law_of_depth": (replace(SOUND, down=_OF_DEPTH), set(), {}),
    "declared": (SOUND, set(), {"*block*down*": "0.02/sqrt(2*L)"}),
    "odd_block": (replace(SOUND, up=_but(SOUND.up, 3, ("normal", 0.06))), {LAW}, {}),
    "odd_cut": (replace(SOUND, up=_but((("cut", 0.02),) * BLOCKS, 4, ("cut", 0.06))), {LAW}, {}),
    "one_key": (replace(SOUND, shared="key"), {DISTINCT}, {}),
    "copied_layer": (replace(SOUND, shared="copy"), {DISTINCT}, {}),
    "seed_inside": (replace(SOUND, shared="seed"), {REBUILD}, {}),
    "dead_branches": (
        replace(SOUND, up=(("constant", 0.0),) * BLOCKS, down=(("constant", 0.0),) * BLOCKS), {DISTINCT}, {}
    ),
    "not_a_number": (replace(SOUND, up=_but(SOUND.up, 1, ("constant", math.nan))), {VALUES, LAW}, {}),
    "declared_and_not_kept": (SOUND, {DECLARED}, {"*block*down*": "0.02"}),
    "vanishing": (
        replace(SOUND, up=(("normal", 0.05),) * BLOCKS, down=(("normal", 0.05),) * BLOCKS, residual=False),
        {SIGNAL, GRADIENT}, {},
    ),
    "sure_from_the_start": (replace(SOUND, head=("normal", 300.0)), {CHANCE}, {}),
}  # fmt: skip
"""Name -> the network, the claims that fail, the laws that are declared."""

_BOUNDED = (("uniform", 0.02 / math.sqrt(i + 1)) for i in range(BLOCKS))
MORE: dict[str, tuple[Net, set[str], dict[str, str]]] = {
    "zero_head": (replace(SOUND, head=("constant", 0.0)), set(), {}),
    "uniform_of_depth": (replace(SOUND, down=tuple(_BOUNDED)), set(), {}),
    "cut_everywhere": (replace(SOUND, up=(("cut", 0.02),) * BLOCKS, head=("cut", 0.02)), set(), {}),
    "declared_cut": (replace(SOUND, up=(("cut", 0.02),) * BLOCKS), set(), {"*block*up*": "0.02"}),
    "declared_bound": (replace(SOUND, up=(("uniform", 0.05),) * BLOCKS), set(), {"*block*up*": "0.05"}),
    "he_residual": (replace(SOUND, up=_HE, down=(("normal", 0.1),) * BLOCKS), set(), {}),
    "odd_uniform": (
        replace(SOUND, up=_but((("uniform", 0.05),) * BLOCKS, 5, ("uniform", 0.1))), {LAW}, {}
    ),
    "exploding": (
        replace(SOUND, up=(("normal", 1.0),) * BLOCKS, down=(("normal", 1.0),) * BLOCKS, residual=False),
        {SIGNAL, GRADIENT, CHANCE}, {},
    ),
}  # fmt: skip
"""Further networks, for the table alone."""


def torch_net(net: Net) -> Callable[[], Any]:
    """The network in PyTorch."""
    import torch
    from torch import nn

    def drawn(weight: Any, init: Init) -> None:
        kind, size = init
        if kind == "normal":
            nn.init.normal_(weight, 0.0, size)
        elif kind == "uniform":
            nn.init.uniform_(weight, -math.sqrt(3) * size, math.sqrt(3) * size)
        elif kind == "cut":
            nn.init.trunc_normal_(weight, 0.0, size, -2 * size, 2 * size)
        else:
            nn.init.constant_(weight, size)

    class Block(nn.Module):
        def __init__(self, up: Init, down: Init) -> None:
            super().__init__()
            self.up, self.down = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(2))
            if net.shared == "key":
                torch.manual_seed(torch.initial_seed())
            drawn(self.up.weight, up)
            drawn(self.down.weight, down)

        def forward(self, x: Any) -> Any:
            y = self.down(torch.relu(self.up(x)))
            return x + y if net.residual else y

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(WORDS, WIDTH)
            self.block = nn.ModuleList(Block(*pair) for pair in zip(net.up, net.down, strict=True))
            self.head = nn.Linear(WIDTH, WORDS, bias=False)
            if net.shared == "seed":
                torch.manual_seed(7)
            drawn(self.head.weight, net.head)
            if net.shared == "copy":
                self.block[2].up.weight.data.copy_(self.block[1].up.weight.data)

        def forward(self, idx: Any) -> Any:
            x = self.embed(idx)
            for block in self.block:
                x = block(x)
            return self.head(x)

    return Model


def _jax_init(init: Init) -> Callable[..., Any]:
    import jax

    kind, size = init

    def draw(key: Any, shape: Any, dtype: Any = None, **_: Any) -> Any:
        if kind == "normal":
            return size * jax.random.normal(key, shape)
        if kind == "uniform":
            return jax.random.uniform(key, shape, minval=-math.sqrt(3) * size, maxval=math.sqrt(3) * size)
        if kind == "cut":
            return size * jax.random.truncated_normal(key, -2.0, 2.0, shape)
        return jax.numpy.full(shape, size)

    if init[0] == "fixed":
        return lambda key, shape, dtype=None, **_: 0.02 * jax.random.normal(jax.random.key(7), shape)
    return draw


def _one_key(init: Callable[..., Any], key: Any) -> Callable[..., Any]:
    return lambda _key, shape, dtype=None, **_: init(key, shape)


def nnx_net(net: Net) -> Callable[..., Any]:
    """The network in Flax nnx."""
    from flax import nnx

    class Block(nnx.Module):
        def __init__(self, up: Any, down: Any, rngs: Any) -> None:
            self.up = nnx.Linear(WIDTH, WIDTH, use_bias=False, kernel_init=up, rngs=rngs)
            self.down = nnx.Linear(WIDTH, WIDTH, use_bias=False, kernel_init=down, rngs=rngs)

        def __call__(self, x: Any) -> Any:
            y = self.down(nnx.relu(self.up(x)))
            return x + y if net.residual else y

    class Model(nnx.Module):
        def __init__(self, rngs: Any) -> None:
            self.embed = nnx.Embed(WORDS, WIDTH, embedding_init=_jax_init(("normal", 1.0)), rngs=rngs)
            ups = [_jax_init(u) for u in net.up]
            if net.shared == "key":
                key = rngs.params()
                ups = [_one_key(u, key) for u in ups]
            self.block = nnx.List([Block(u, _jax_init(d), rngs) for u, d in zip(ups, net.down, strict=True)])
            head = ("fixed", 0.02) if net.shared == "seed" else net.head
            self.head = nnx.Linear(WIDTH, WORDS, use_bias=False, kernel_init=_jax_init(head), rngs=rngs)
            if net.shared == "copy":
                self.block[2].up.kernel = nnx.Param(self.block[1].up.kernel.get_value())

        def __call__(self, idx: Any) -> Any:
            x = self.embed(idx)
            for block in self.block:
                x = block(x)
            return self.head(x)

    return lambda rngs: Model(rngs)


def linen_net(net: Net) -> Callable[..., Any]:
    """The network in Flax linen."""
    import jax
    from flax import linen

    class Block(linen.Module):
        up: Any
        down: Any

        @linen.compact
        def __call__(self, x: Any) -> Any:
            y = linen.Dense(WIDTH, use_bias=False, kernel_init=self.up, name="up")(x)
            y = linen.Dense(WIDTH, use_bias=False, kernel_init=self.down, name="down")(linen.relu(y))
            return x + y if net.residual else y

    class Model(linen.Module):
        @linen.compact
        def __call__(self, idx: Any) -> Any:
            x = linen.Embed(WORDS, WIDTH, embedding_init=_jax_init(("normal", 1.0)), name="embed")(idx)
            ups = [_jax_init(u) for u in net.up]
            if net.shared in ("key", "copy") and self.is_initializing():
                key = jax.random.fold_in(self.make_rng("params"), 1)
                pair = range(BLOCKS) if net.shared == "key" else (1, 2)
                ups = [_one_key(u, key) if i in pair else u for i, u in enumerate(ups)]
            for i, (up, down) in enumerate(zip(ups, net.down, strict=True)):
                x = Block(up, _jax_init(down), name=f"block_{i}")(x)
            head = ("fixed", 0.02) if net.shared == "seed" else net.head
            return linen.Dense(WORDS, use_bias=False, kernel_init=_jax_init(head), name="head")(x)

    return lambda: Model()


def equinox_net(net: Net) -> Callable[..., Any]:
    """The network in Equinox."""
    import equinox as eqx
    import jax

    class Block(eqx.Module):
        up: eqx.nn.Linear
        down: eqx.nn.Linear

        def __call__(self, x: Any) -> Any:
            y = jax.vmap(self.down)(jax.nn.relu(jax.vmap(self.up)(x)))
            return x + y if net.residual else y

    class Model(eqx.Module):
        embed: eqx.nn.Embedding
        block: list[Block]
        head: eqx.nn.Linear

        def __call__(self, idx: Any) -> Any:
            x = jax.vmap(self.embed)(idx)
            for block in self.block:
                x = block(x)
            return jax.vmap(self.head)(x)

    def linear(init: Init, key: Any, width: int = WIDTH) -> Any:
        layer = eqx.nn.Linear(WIDTH, width, use_bias=False, key=key)
        return eqx.tree_at(lambda n: n.weight, layer, _jax_init(init)(key, (width, WIDTH)))

    def build(key: Any) -> Any:
        keys = iter(jax.random.split(key, 2 * BLOCKS + 3))
        one = next(keys)
        blocks = []
        for i, (up, down) in enumerate(zip(net.up, net.down, strict=True)):
            shared = net.shared == "key" or (net.shared == "copy" and i in (1, 2))
            blocks.append(Block(linear(up, one if shared else next(keys)), linear(down, next(keys))))
        head = ("fixed", 0.02) if net.shared == "seed" else net.head
        return Model(eqx.nn.Embedding(WORDS, WIDTH, key=next(keys)), blocks, linear(head, next(keys), WORDS))

    return build


def keras_net(net: Net) -> Callable[..., Any]:
    """The network in Keras."""
    import keras

    def initializer(init: Init, seed: int | None = None) -> Any:
        kind, size = init
        kinds = keras.initializers
        if kind == "normal":
            return kinds.RandomNormal(0.0, size, seed=seed)
        if kind == "uniform":
            return kinds.RandomUniform(-math.sqrt(3) * size, math.sqrt(3) * size, seed=seed)
        if kind == "cut":
            return kinds.TruncatedNormal(0.0, size, seed=seed)
        return kinds.Constant(size)

    class Block(keras.layers.Layer):
        def __init__(self, up: Any, down: Any) -> None:
            super().__init__()
            self.up = keras.layers.Dense(WIDTH, "relu", use_bias=False, kernel_initializer=up, name="up")
            self.down = keras.layers.Dense(WIDTH, use_bias=False, kernel_initializer=down, name="down")

        def call(self, x: Any) -> Any:
            y = self.down(self.up(x))
            return x + y if net.residual else y

    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            normal = initializer(("normal", 1.0))
            self.embed = keras.layers.Embedding(WORDS, WIDTH, embeddings_initializer=normal, name="embed")
            import random

            one = random.randrange(2**30)
            pairs = {"key": range(BLOCKS), "copy": (1, 2)}.get(net.shared, ())
            ups = [initializer(u, one if i in pairs else None) for i, u in enumerate(net.up)]
            self.block = [Block(u, initializer(d)) for u, d in zip(ups, net.down, strict=True)]
            head = initializer(net.head, 7 if net.shared == "seed" else None)
            self.head = keras.layers.Dense(WORDS, use_bias=False, kernel_initializer=head, name="head")

        def call(self, tokens: Any) -> Any:
            x = self.embed(tokens)
            for block in self.block:
                x = block(x)
            return self.head(x)

    return Model


FRAMEWORKS: dict[str, Callable[[Net], Callable[..., Any]]] = {
    "torch": torch_net, "nnx": nnx_net, "linen": linen_net, "equinox": equinox_net, "keras": keras_net
}  # fmt: skip
BATCH = f"int<{WORDS}:2x16"


def batch_of(framework: str) -> str:
    """The batch that the network takes; Equinox is called on one example."""
    return f"int<{WORDS}:16" if framework == "equinox" else BATCH
