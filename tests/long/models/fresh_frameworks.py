"""Models of Flax, Equinox and Keras of kinds that the zoo has not; the answers were written before the run.

Changed after the first run: `adapted` had no norm before its tied head and starts 1.76 above chance, as was said of it;
the two `asking` were layers of Flax, which flattens a kernel before it draws, so that neither was wrong;
`stream_made_anew` names what copies do to the signal too. `half_drawn_again` keeps its answer: which half is the rule
cannot be told, and it is left open.

python tests/long/models/fresh_frameworks.py [NAME ...]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import equinox as eqx
import jax
import jax.numpy as jnp
import keras
from flax import linen, nnx

REBUILD, DISTINCT, LAW = "rebuilds-the-same", "tensors-are-distinct", "siblings-share-one-law"
DECLARED = "declared-laws-are-in-force"
SIGNAL, GRADIENT = "signal-survives-the-blocks", "gradient-survives-the-blocks"
WIDTH, HEADS = 32, 4


class AdaptedBlock(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.norm = nnx.LayerNorm(WIDTH, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(HEADS, WIDTH, decode=False, rngs=rngs)
        self.up = nnx.Linear(WIDTH, 4 * WIDTH, rngs=rngs)
        self.adapter = nnx.LoRA(WIDTH, 4, 4 * WIDTH, rngs=rngs)
        self.down = nnx.Linear(4 * WIDTH, WIDTH, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        y = self.norm(x)
        x = x + self.attention(y)
        return x + self.down(nnx.gelu(self.up(y) + self.adapter(y)))


class Adapted(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.embed = nnx.Embed(80, WIDTH, rngs=rngs)
        self.blocks = nnx.List([AdaptedBlock(rngs) for _ in range(4)])
        self.norm = nnx.LayerNorm(WIDTH, rngs=rngs)

    def __call__(self, tokens: Any) -> Any:
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return self.embed.attend(self.norm(x))


def adapted(rngs: nnx.Rngs) -> nnx.Module:
    """Sound (nnx): attention with a tied head, and LoRA adapters whose second factor is zero."""
    return Adapted(rngs)


class Tagger(linen.Module):
    @linen.compact
    def __call__(self, x: Any) -> Any:
        for _ in range(2):
            there, back = (linen.RNN(linen.OptimizedLSTMCell(WIDTH)) for _ in range(2))
            x = linen.Bidirectional(there, back)(x)
        return linen.Dense(9)(x)


def tagger() -> linen.Module:
    """Sound (linen): two bidirectional LSTMs, orthogonal recurrent matrices."""
    return Tagger()


class Voter(eqx.Module):
    members: eqx.nn.MLP

    def __call__(self, x: Any) -> Any:
        return eqx.filter_vmap(lambda member: member(x))(self.members).mean(0)


def voters(key: Any) -> Any:
    """Sound (Equinox): five networks made at once by filter_vmap, which vote."""
    return Voter(eqx.filter_vmap(lambda k: eqx.nn.MLP(8, 3, WIDTH, 3, key=k))(jax.random.split(key, 5)))


def two_towers() -> Any:
    """Sound (Keras): a recurrent tower and a convolutional one, joined."""
    words = keras.Input((12,), dtype="int32")
    image = keras.Input((16, 16, 3))
    text = keras.layers.LSTM(WIDTH)(keras.layers.Embedding(70, WIDTH)(words))
    x = keras.layers.SeparableConv2D(16, 3, activation="relu")(image)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(WIDTH, 3, activation="relu")(x))
    return keras.Model([words, image], keras.layers.Dense(5)(keras.layers.Concatenate()([text, x])))


class Expert(linen.Module):
    @linen.compact
    def __call__(self, x: Any) -> Any:
        return linen.Dense(WIDTH)(linen.gelu(linen.Dense(2 * WIDTH)(x)))


class Routed(linen.Module):
    @linen.compact
    def __call__(self, x: Any) -> Any:
        for _ in range(2):
            gate = linen.softmax(linen.Dense(6)(x))
            experts = linen.vmap(
                Expert, variable_axes={"params": 0}, split_rngs={"params": True}, in_axes=None, out_axes=-1, axis_size=6
            )()
            x = x + (experts(linen.LayerNorm()(x)) * gate[..., None, :]).sum(-1)
        return linen.Dense(4)(x)


def routed() -> linen.Module:
    """Sound (linen): experts stacked by vmap, each from a key of its own, behind a soft router."""
    return Routed()


class Stack(eqx.Module):
    layers: Any

    def __call__(self, x: Any) -> Any:
        return jax.lax.scan(lambda x, w: (x + jnp.tanh(w @ x), None), x, self.layers)[0]


def scan_hands_on_its_key(key: Any) -> Any:
    """Broken (Equinox): the scan that draws the layers carries its key on without splitting it."""

    def draw(key: Any, _: None) -> tuple[Any, Any]:
        return key, jax.random.normal(key, (WIDTH, WIDTH)) / WIDTH**0.5

    return Stack(jax.lax.scan(draw, key, None, length=6)[1])


class Gated(linen.Module):
    @linen.compact
    def __call__(self, x: Any) -> Any:
        key = self.make_rng("params")
        _, used = jax.random.split(key)
        gate = self.param("gate", lambda _: jax.random.normal(used, (8, WIDTH)) * 8**-0.5)
        value = self.param("value", lambda _: jax.random.uniform(used, (8, 2 * WIDTH), minval=-0.5, maxval=0.5))
        return linen.Dense(3)(jnp.concatenate([linen.sigmoid(x @ gate), x @ value], -1))


def split_not_used() -> linen.Module:
    """Broken (linen): a key is split, and two draws of other laws and shapes take the same half."""
    return Gated()


class Asking(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, wrong: bool) -> None:
        axes: dict[str, Any] = {} if wrong else {"in_axis": 0, "out_axis": (1, 2)}
        init = nnx.initializers.variance_scaling(1.0, "fan_in", "normal", **axes)
        self.query = nnx.Param(init(rngs.params(), (WIDTH, HEADS, WIDTH // HEADS)))
        self.key = nnx.Param(init(rngs.params(), (WIDTH, HEADS, WIDTH // HEADS)))

    def __call__(self, x: Any) -> Any:
        scores = jnp.einsum("bqm,mhd,bkn,nhd->bhqk", x, self.query[...], x, self.key[...])
        return nnx.softmax(scores)


def asking_by_wrong_axis(rngs: nnx.Rngs) -> nnx.Module:
    """Broken (nnx): variance_scaling counts the heads among the inputs; 1/sqrt(fan_in) is declared."""
    return Asking(rngs, wrong=True)


def asking_by_its_axis(rngs: nnx.Rngs) -> nnx.Module:
    """Sound sibling (nnx): in_axis says which axis is read."""
    return Asking(rngs, wrong=False)


def one_initializer_object() -> Any:
    """Broken (Keras): one initializer with a seed serves two layers of one shape, and every build."""
    one = keras.initializers.GlorotUniform(seed=42)
    return keras.Sequential(
        [
            keras.Input((WIDTH,)),
            keras.layers.Dense(WIDTH, "relu", kernel_initializer=one),
            keras.layers.Dense(WIDTH, "relu", kernel_initializer=one),
            keras.layers.Dense(4),
        ]
    )


def half_drawn_again(key: Any) -> Any:
    """Broken (Equinox): tree_at draws the matrices anew, and its `where` misses the second half."""
    keys = jax.random.split(key, 9)
    net = eqx.nn.Sequential([eqx.nn.Linear(WIDTH, WIDTH, key=k) for k in keys[:8]])
    new = [jax.random.normal(k, (WIDTH, WIDTH)) * 0.02 for k in jax.random.split(keys[8], 4)]
    return eqx.tree_at(lambda n: [layer.weight for layer in n.layers[:4]], net, new)


class Rounds(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        key = rngs.params()
        self.layers = nnx.List([nnx.Linear(WIDTH, WIDTH, rngs=nnx.Rngs(params=key)) for _ in range(5)])

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = x + nnx.tanh(layer(x))
        return x


def stream_made_anew(rngs: nnx.Rngs) -> nnx.Module:
    """Broken (nnx): every layer gets generators of its own, made from one key."""
    return Rounds(rngs)


QUERY = {"query": "1/sqrt(32)", "key": "1/sqrt(32)"}
# Model -> batch, laws, the claims that fail.
ANSWERS: dict[Callable[..., Any], tuple[str, dict[str, str], set[str]]] = {
    adapted: ("int<80:2x12", {}, set()),
    tagger: ("2x10x7", {}, set()),
    voters: ("8", {}, set()),
    two_towers: ("int<70:2x12;2x16x16x3", {}, set()),
    routed: ("2x10x32", {}, set()),
    asking_by_its_axis: ("2x6x32", QUERY, set()),
    scan_hands_on_its_key: ("32", {}, {DISTINCT}),
    split_not_used: ("4x8", {}, {DISTINCT}),
    asking_by_wrong_axis: ("2x6x32", QUERY, {DECLARED}),
    one_initializer_object: ("4x32", {}, {DISTINCT, REBUILD}),
    half_drawn_again: ("32", {}, {LAW}),
    stream_made_anew: ("4x32", {}, {DISTINCT, SIGNAL, GRADIENT}),
}


def main(words: list[str]) -> int:
    """Judge them and say where an answer is not the one that was written."""
    from initcheck.doors.check_model import check_model
    from initcheck.report.verdict import Verdict

    wrong = 0
    for build, (batch, laws, expected) in ANSWERS.items():
        if words and build.__name__ not in words:
            continue
        began = time.process_time()
        try:
            report = check_model(build, batch=batch, laws=laws)
        except Exception as error:
            print(f"{build.__name__:24} WRONG {type(error).__name__}: {error}")
            wrong += 1
            continue
        fails = {r.claim for r in report.failures}
        undecided = [(r.claim, r.reason or r.evidence.case) for r in report if r.verdict is Verdict.UNDECIDED]
        told = "\n    ".join((r.evidence.case or "")[:200] for r in report.failures)
        wrong += fails != expected
        print(
            f"{build.__name__:24} {'as answered' if fails == expected else 'WRONG':12}"
            f" {time.process_time() - began:5.1f} CPU s  fails {sorted(fails)} undecided {undecided}\n    {told}",
            flush=True,
        )
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
