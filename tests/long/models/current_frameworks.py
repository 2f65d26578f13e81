"""Flax, Keras and Equinox models as people write them in 2026; the answers were committed before the first run.

Changed after the first run, since the answer was wrong and the report right: ``nnx_lora`` had no norm in its blocks
and doubled its stream at every block; ``equinox_siren`` folded 1 into a key of which ``split`` had made the same key;
``keras_efficientnet`` had one initializer object for three layers, which draws the same numbers for each. Two could not
be built (a field of linen named ``init``), and one lost a block that Keras does not track (``self.blocks[3] = ...``).

python tests/long/models/current_frameworks.py [-v] [NAME ...]
"""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import equinox as eqx
import jax
import jax.numpy as jnp
import keras
from flax import linen, nnx
from jax.nn import initializers

sys.path.insert(0, str(Path(__file__).parent))

from answers import (
    CHANCE,
    DECLARED,
    DISTINCT,
    GRADIENT,
    INPUT,
    LAW,
    REBUILD,
    SIGNAL,
    Answers,
)

SAMPLE = Answers()
D, WORDS, DEPTH, HEADS = 48, 173, 6, 4
TOKENS = f"int<{WORDS}:2x12"
SMALL = initializers.normal(0.02)


# -- Flax nnx


class Sandwich(nnx.Module):
    """Norms before and behind every layer, a norm on queries and keys, one matrix for q, k and v."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.pre_a, self.post_a, self.pre_m, self.post_m = (nnx.RMSNorm(D, rngs=rngs) for _ in range(4))
        self.q_norm, self.k_norm = nnx.RMSNorm(D // HEADS, rngs=rngs), nnx.RMSNorm(D // HEADS, rngs=rngs)
        self.qkv = nnx.Linear(D, 3 * D, use_bias=False, kernel_init=SMALL, rngs=rngs)
        self.out = nnx.Linear(D, D, use_bias=False, kernel_init=SMALL, rngs=rngs)
        self.gate, self.up = (nnx.Linear(D, 96, use_bias=False, kernel_init=SMALL, rngs=rngs) for _ in range(2))
        self.down = nnx.Linear(96, D, use_bias=False, kernel_init=SMALL, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        y = self.qkv(self.pre_a(x)).reshape(*x.shape[:2], 3, HEADS, -1)
        q, k, v = self.q_norm(y[:, :, 0]), self.k_norm(y[:, :, 1]), y[:, :, 2]
        x = x + self.post_a(self.out(jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(x.shape)))
        y = self.pre_m(x)
        return x + self.post_m(self.down(nnx.gelu(self.gate(y)) * self.up(y)))


class Gemma(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, embed: Any = SMALL, block: Any = None) -> None:
        self.embed = nnx.Embed(WORDS, D, embedding_init=embed, rngs=rngs)
        self.layers = nnx.List([(block or Sandwich)(rngs) for _ in range(DEPTH)])
        self.norm = nnx.RMSNorm(D, rngs=rngs)

    def __call__(self, tokens: Any) -> Any:
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.embed.attend(self.norm(x))


@SAMPLE.sound(TOKENS)
def nnx_sandwich(rngs: nnx.Rngs) -> nnx.Module:
    return Gemma(rngs)


@SAMPLE.broken(CHANCE, r"embed", TOKENS)
def nnx_tied_to_a_table_of_std_one(rngs: nnx.Rngs) -> nnx.Module:
    return Gemma(rngs, initializers.normal(1.0))


@SAMPLE.broken(DISTINCT, r"layers.*(cop|equal)|key|seed", TOKENS)
def nnx_rngs_made_in_every_block(rngs: nnx.Rngs) -> nnx.Module:
    """nnx.Rngs(0) in every block: each begins the stream anew."""
    return Gemma(rngs, block=lambda _: Sandwich(nnx.Rngs(0)))


@SAMPLE.broken(LAW, r"layers\.2\.(up|gate)", TOKENS)
def nnx_one_layer_replaced(rngs: nnx.Rngs) -> nnx.Module:
    """One matrix is made anew by hand, and keeps Flax's default."""
    model = Gemma(rngs)
    model.layers[2].up = nnx.Linear(D, 96, use_bias=False, rngs=rngs)
    return model


class AdaBlock(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, down: Any) -> None:
        self.norm = nnx.LayerNorm(D, use_bias=False, use_scale=False, rngs=rngs)
        self.up = nnx.Linear(D, 96, rngs=rngs)
        self.down = nnx.Linear(96, D, kernel_init=down, rngs=rngs)
        zero = initializers.zeros
        self.modulation = nnx.Linear(D, 3 * D, kernel_init=zero, rngs=rngs)

    def __call__(self, x: Any, c: Any) -> Any:
        shift, scale, gate = jnp.split(self.modulation(nnx.silu(c))[:, None], 3, -1)
        return x + gate * self.down(nnx.gelu(self.up(self.norm(x) * (1 + scale) + shift)))


class DiT(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, down: Any = initializers.xavier_uniform()) -> None:  # noqa: B008
        self.patch = nnx.Conv(3, D, (4, 4), 4, rngs=rngs)
        self.time1, self.time2 = nnx.Linear(16, D, kernel_init=SMALL, rngs=rngs), nnx.Linear(D, D, rngs=rngs)
        self.blocks = nnx.List([AdaBlock(rngs, down) for _ in range(DEPTH)])
        self.last = nnx.Linear(D, 48, kernel_init=initializers.zeros, rngs=rngs)

    def __call__(self, x: Any, t: Any) -> Any:
        c = t[:, None] * jnp.exp(-jnp.arange(8.0))
        c = self.time2(nnx.silu(self.time1(jnp.concatenate([jnp.sin(c), jnp.cos(c)], -1))))
        x = self.patch(x).reshape(x.shape[0], -1, D)
        for block in self.blocks:
            x = block(x, c)
        return self.last(x)


@SAMPLE.sound("2x16x16x3;2")
def nnx_adaln_zero(rngs: nnx.Rngs) -> nnx.Module:
    return DiT(rngs)


@SAMPLE.broken(DISTINCT, r"blocks\.\d\.(down|modulation)\.kernel.*gradient is zero", "2x16x16x3;2")
def nnx_zero_behind_zero(rngs: nnx.Rngs) -> nnx.Module:
    """The gate is zero by adaLN, and the matrix in front of it is zero too."""
    return DiT(rngs, initializers.zeros)


class LowRank(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, a: Any) -> None:
        self.norm, self.base = nnx.RMSNorm(D, rngs=rngs), nnx.Linear(D, D, rngs=rngs)
        self.lora = nnx.LoRA(D, 4, D, a_initializer=a, b_initializer=initializers.zeros, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        y = self.norm(x)
        return x + nnx.tanh(self.base(y) + self.lora(y))


@SAMPLE.sound(TOKENS)
def nnx_lora(rngs: nnx.Rngs) -> nnx.Module:
    return Gemma(rngs, block=lambda r: LowRank(r, initializers.he_uniform()))


@SAMPLE.broken(DISTINCT, r"lora_[ab].*gradient is zero", TOKENS)
def nnx_lora_of_two_zeros(rngs: nnx.Rngs) -> nnx.Module:
    return Gemma(rngs, block=lambda r: LowRank(r, initializers.zeros))


# -- Flax linen


class Mamba(linen.Module):
    """A gated scan along time: A from S4D, the step's bias by the inverse of softplus."""

    @linen.compact
    def __call__(self, x: Any) -> Any:
        y, gate = jnp.split(linen.Dense(2 * 64, use_bias=False)(linen.RMSNorm()(x)), 2, -1)
        y = linen.silu(linen.Conv(64, (4,), padding=((3, 0),), feature_group_count=64)(y))
        log_a = self.param("A_log", lambda _: jnp.log(jnp.broadcast_to(jnp.arange(1.0, 9.0), (64, 8))))
        skip = self.param("D", initializers.ones, (64,))

        def steps(key: Any, shape: Any) -> Any:
            dt = jnp.exp(jax.random.uniform(key, shape) * (math.log(0.1) - math.log(1e-3)) + math.log(1e-3))
            return dt + jnp.log(-jnp.expm1(-dt))

        low, b, c = jnp.split(linen.Dense(4 + 16, use_bias=False)(y), (4, 12), -1)
        dt = linen.softplus(
            low @ self.param("dt_proj", initializers.uniform(1.0), (4, 64)) + self.param("dt_bias", steps, (64,))
        )
        decay = jnp.exp(-dt[..., None] * jnp.exp(log_a))

        def one(h: Any, now: Any) -> tuple[Any, Any]:
            decay, put, c = now
            h = decay * h + put
            return h, (h * c[:, None]).sum(-1)

        put = (dt * y)[..., None] * b[:, :, None]
        along = [jnp.moveaxis(m, 1, 0) for m in (decay, put, c)]
        made = jnp.moveaxis(jax.lax.scan(one, jnp.zeros((x.shape[0], 64, 8)), tuple(along))[1], 0, 1)
        return x + linen.Dense(x.shape[-1], use_bias=False)((made + skip * y) * linen.silu(gate))


class MambaLM(linen.Module):
    @linen.compact
    def __call__(self, tokens: Any) -> Any:
        embed = linen.Embed(WORDS, D, embedding_init=SMALL)
        x = embed(tokens)
        for i in range(4):
            x = Mamba(name=f"layers_{i}")(x)
        return embed.attend(linen.RMSNorm()(x))


@SAMPLE.sound(TOKENS)
def linen_mamba() -> linen.Module:
    return MambaLM()


class ViT(linen.Module):
    """Class token, four registers, LayerScale."""

    registers: Any
    width: int = D

    @linen.compact
    def __call__(self, image: Any) -> Any:
        x = linen.Conv(self.width, (4, 4), 4)(image).reshape(image.shape[0], -1, self.width)
        x = x + self.param("pos", initializers.normal(0.02), (1, x.shape[1], self.width))
        extra = [self.param("cls", initializers.zeros, (1, 1, self.width))]
        extra.append(self.param("registers", self.registers, (1, 4, self.width)))
        x = jnp.concatenate([*(jnp.repeat(e, len(x), 0) for e in extra), x], 1)
        for i in range(4):
            x = ViTBlock(name=f"block_{i}")(x)
        return linen.Dense(10)(linen.LayerNorm()(x)[:, 0])


class ViTBlock(linen.Module):
    @linen.compact
    def __call__(self, x: Any) -> Any:
        d = x.shape[-1]
        y = linen.MultiHeadDotProductAttention(4)(linen.LayerNorm()(x))
        x = x + self.param("gamma_1", initializers.constant(1e-2), (d,)) * y
        y = linen.Dense(d)(linen.gelu(linen.Dense(2 * d)(linen.LayerNorm()(x))))
        return x + self.param("gamma_2", initializers.constant(1e-2), (d,)) * y


@SAMPLE.sound("2x16x16x3")
def linen_vit_with_registers() -> linen.Module:
    return ViT(initializers.normal(0.02))


@SAMPLE.broken(DISTINCT, r"registers.*(same for all its rows|constant)", "2x16x16x3")
def linen_registers_all_zero() -> linen.Module:
    return ViT(initializers.zeros)


class DeepMLP(linen.Module):
    std: float | None = None
    bias: float = 0.0
    depth: int = 8

    def setup(self) -> None:
        draw = initializers.he_normal() if self.std is None else initializers.normal(self.std)
        self.layers = [
            linen.Dense(64, kernel_init=draw, bias_init=initializers.constant(self.bias)) for _ in range(self.depth)
        ]
        self.out = linen.Dense(10)

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = linen.relu(layer(x))
        return self.out(x)


@SAMPLE.broken(SIGNAL, r"sqrt\(2/fan_in\)", "32x64")
def linen_small_std_in_24_plain_layers() -> linen.Module:
    return DeepMLP(0.02, depth=24)


@SAMPLE.broken(INPUT, r"bias|ReLU|relu|layers_\d", "32x64")
def linen_dead_by_a_negative_bias() -> linen.Module:
    return DeepMLP(bias=-4.0)


@SAMPLE.sound("32x64")
def linen_he_in_8_plain_layers() -> linen.Module:
    return DeepMLP()


class Fused(linen.Module):
    """q, k and v of all heads as one kernel of four axes."""

    draw: Any

    @linen.compact
    def __call__(self, x: Any) -> Any:
        for i in range(4):
            w = self.param(f"qkv_{i}", self.draw, (D, 3, HEADS, D // HEADS))
            q, k, v = jnp.einsum("btd,dchk->cbthk", linen.LayerNorm()(x), w)
            y = jax.nn.dot_product_attention(q, k, v)
            x = x + linen.DenseGeneral(D, axis=(-2, -1), name=f"out_{i}")(y)
        return x


@SAMPLE.sound("2x10x48", laws={"qkv_*": "1/sqrt(48)"})
def linen_fused_by_its_axis() -> linen.Module:
    return Fused(initializers.lecun_normal(in_axis=0, out_axis=(1, 2, 3)))


@SAMPLE.broken(DECLARED, r"fan|factor|0\.0417|0\.04", "2x10x48", laws={"qkv_*": "1/sqrt(48)"})
def linen_fused_by_the_last_two_axes() -> linen.Module:
    """Without in_axis the kernel counts as a convolution: the fan is 48 * 3 * 4 and not 48."""
    return Fused(initializers.lecun_normal())


# -- Equinox


class Mixer(eqx.Module):
    mix: eqx.nn.MLP
    feed: eqx.nn.MLP
    one: eqx.nn.LayerNorm
    two: eqx.nn.LayerNorm

    def __init__(self, key: Any) -> None:
        a, b = jax.random.split(key)
        self.mix, self.feed = eqx.nn.MLP(16, 16, 32, 1, key=a), eqx.nn.MLP(D, D, 96, 1, key=b)
        self.one, self.two = eqx.nn.LayerNorm((16, D)), eqx.nn.LayerNorm((16, D))

    def __call__(self, x: Any) -> Any:
        x = x + jax.vmap(self.mix, 1, 1)(self.one(x))
        return x + jax.vmap(self.feed)(self.two(x))


class MixerNet(eqx.Module):
    patch: eqx.nn.Conv2d
    blocks: list[Mixer]
    head: eqx.nn.Linear

    def __init__(self, key: Any, copies: bool = False) -> None:
        keys = jax.random.split(key, DEPTH + 2)
        self.patch = eqx.nn.Conv2d(3, D, 4, 4, key=keys[0])
        self.blocks = [Mixer(keys[2] if copies else k) for k in keys[2:]]
        self.head = eqx.nn.Linear(D, 10, key=keys[1])

    def __call__(self, image: Any) -> Any:
        x = self.patch(image).reshape(D, -1).T
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(0))


@SAMPLE.sound("3x16x16")
def equinox_mixer(key: Any) -> Any:
    return MixerNet(key)


@SAMPLE.broken(DISTINCT, r"blocks.*(cop|equal)|key", "3x16x16")
def equinox_blocks_of_one_key(key: Any) -> Any:
    """The comprehension hands keys[2] to every block."""
    return MixerNet(key, copies=True)


class Siren(eqx.Module):
    layers: list[eqx.nn.Linear]

    def __init__(self, key: Any, omega: float) -> None:
        sizes = [2, *[64] * 9, 3]
        keys = jax.random.split(key, 10)
        self.layers = []
        for n, k in enumerate(keys):
            layer = eqx.nn.Linear(sizes[n], sizes[n + 1], key=k)
            bound = 1 / 2 if n == 0 else math.sqrt(6 / 64) / omega
            drawn = jax.random.uniform(jax.random.fold_in(k, 7), layer.weight.shape, minval=-bound, maxval=bound)
            self.layers.append(eqx.tree_at(lambda m: m.weight, layer, drawn))

    def __call__(self, x: Any) -> Any:
        for layer in self.layers[:-1]:
            x = jnp.sin(30 * layer(x))
        return self.layers[-1](x)


@SAMPLE.sound("2")
def equinox_siren(key: Any) -> Any:
    return Siren(key, 30.0)


@SAMPLE.broken(GRADIENT, r"multiplies|30|sin", "2")
def equinox_siren_without_its_division(key: Any) -> Any:
    return Siren(key, 1.0)


class Flow(eqx.Module):
    nets: list[eqx.nn.MLP]

    def __init__(self, key: Any) -> None:
        made = [eqx.nn.MLP(4, 8, 32, 2, key=k) for k in jax.random.split(key, 6)]
        zero = [eqx.tree_at(lambda m: m.layers[-1].weight, m, jnp.zeros((8, 32))) for m in made]
        self.nets = [eqx.tree_at(lambda m: m.layers[-1].bias, m, jnp.zeros(8)) for m in zero]

    def __call__(self, x: Any) -> Any:
        a, b = x[:4], x[4:]
        for net in self.nets:
            s, t = jnp.split(net(a), 2)
            a, b = b * jnp.exp(jnp.tanh(s)) + t, a
        return jnp.concatenate([a, b])


@SAMPLE.sound("8")
def equinox_flow(key: Any) -> Any:
    return Flow(key)


class Policy(eqx.Module):
    trunk: list[eqx.nn.Linear]
    mean: eqx.nn.Linear
    value: eqx.nn.Linear

    def __init__(self, key: Any, gain: float) -> None:
        keys = jax.random.split(key, 7)

        def line(i: int, o: int, gain: float, key: Any) -> eqx.nn.Linear:
            made = eqx.nn.Linear(i, o, key=key)
            weight = initializers.orthogonal(gain)(key, (o, i))
            return eqx.tree_at(lambda m: (m.weight, m.bias), made, (weight, jnp.zeros(o)))

        sizes = [11, 64, 64, 64, 64, 64]
        self.trunk = [line(sizes[i], sizes[i + 1], gain, keys[i]) for i in range(5)]
        self.mean, self.value = line(64, 3, 0.01, keys[5]), line(64, 1, 1.0, keys[6])

    def __call__(self, x: Any) -> Any:
        for layer in self.trunk:
            x = jnp.tanh(layer(x))
        return self.mean(x), self.value(x)


@SAMPLE.sound("11")
def equinox_actor_critic(key: Any) -> Any:
    return Policy(key, math.sqrt(2))


@SAMPLE.broken(SIGNAL, r"0\.0001|multiplies", "11")
def equinox_gain_of_the_policy_head_everywhere(key: Any) -> Any:
    return Policy(key, 0.01)


# -- Keras


class KBlock(keras.layers.Layer):
    def __init__(self, feed: Any = None, seed: int | None = None) -> None:
        super().__init__()
        if seed is not None:
            keras.utils.set_random_seed(seed)
        small = lambda: keras.initializers.RandomNormal(stddev=0.02)  # noqa: E731
        self.one, self.two = keras.layers.LayerNormalization(), keras.layers.LayerNormalization()
        self.attn = keras.layers.MultiHeadAttention(4, 12, kernel_initializer=small(), name="attn")
        self.up = keras.layers.Dense(96, "gelu", kernel_initializer=feed or small(), name="up")
        self.down = keras.layers.Dense(D, kernel_initializer=small(), name="down")

    def call(self, x: Any) -> Any:
        y = self.one(x)
        x = x + self.attn(y, y, use_causal_mask=True)
        return x + self.down(self.up(self.two(x)))


class KGPT(keras.Model):
    def __init__(self, **blocks: Any) -> None:
        super().__init__()
        self.embed = keras.layers.Embedding(WORDS, D, name="embed")
        made = [KBlock(seed=blocks.get("seed")) for _ in range(DEPTH)]
        if "feed" in blocks:
            made[3] = KBlock(blocks["feed"])
        self.blocks = made
        self.norm, self.head = keras.layers.LayerNormalization(), keras.layers.Dense(WORDS, name="head")

    def call(self, tokens: Any) -> Any:
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


@SAMPLE.sound(TOKENS)
def keras_gpt() -> Any:
    return KGPT()


@SAMPLE.broken(LAW, r"0\.05", TOKENS)
def keras_random_normal_by_name() -> Any:
    """One block says "random_normal" and means its default, 0.05; the others 0.02."""
    return KGPT(feed="random_normal")


@SAMPLE.broken(REBUILD, r"seed", TOKENS)
def keras_seed_set_in_every_block() -> Any:
    """set_random_seed in every block: the numbers of the model are the same whatever seed is asked for."""
    return KGPT(seed=7)


def _mbconv(x: Any, c: int, se_bias: float) -> Any:
    init = lambda: keras.initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")  # noqa: E731
    y = keras.layers.Conv2D(4 * c, 1, use_bias=False, kernel_initializer=init())(x)
    y = keras.layers.Activation("swish")(keras.layers.BatchNormalization()(y))
    y = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False, depthwise_initializer=init())(y)
    y = keras.layers.Activation("swish")(keras.layers.BatchNormalization()(y))
    s = keras.layers.Dense(c // 2, "swish")(keras.layers.GlobalAveragePooling2D(keepdims=True)(y))
    bias = keras.initializers.Constant(se_bias)
    y = y * keras.layers.Dense(4 * c, "sigmoid", bias_initializer=bias)(s)
    y = keras.layers.BatchNormalization()(keras.layers.Conv2D(c, 1, use_bias=False, kernel_initializer=init())(y))
    return keras.layers.Add()([x, y])


@SAMPLE.sound()
def keras_efficientnet() -> Any:
    image = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(16, 3, padding="same", use_bias=False)(image)
    for _ in range(4):
        x = _mbconv(x, 16, 0.0)
    return keras.Model(image, keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(x)))


def _unet(last: str, gate: str | None) -> Any:
    image = keras.Input((16, 16, 3))
    conv = lambda c, **k: keras.layers.Conv2D(c, 3, padding="same", **k)  # noqa: E731
    x = skip = conv(24, activation="relu")(image)
    x = conv(24, activation="relu")(keras.layers.MaxPooling2D()(x))
    y = conv(24, kernel_initializer="zeros")(keras.layers.Activation("silu")(x))
    if gate is not None:
        y = keras.layers.Conv2D(24, 1, kernel_initializer=gate, name="gate")(y)
    x = keras.layers.UpSampling2D()(keras.layers.Add()([x, y]))
    x = conv(24, activation="relu")(keras.layers.Concatenate()([x, skip]))
    return keras.Model(image, conv(3, kernel_initializer=last)(x))


@SAMPLE.sound()
def keras_unet() -> Any:
    return _unet("zeros", None)


@SAMPLE.broken(DISTINCT, r"gate.*gradient is zero|zero")
def keras_unet_zero_behind_zero() -> Any:
    return _unet("glorot_uniform", "zeros")


class Sampling(keras.layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.seeds = keras.random.SeedGenerator(11)

    def call(self, both: Any) -> Any:
        mean, log_var = both
        return mean + keras.ops.exp(0.5 * log_var) * keras.random.normal(keras.ops.shape(mean), seed=self.seeds)


@SAMPLE.sound()
def keras_vae() -> Any:
    image = keras.Input((16, 16, 1))
    x = keras.layers.Conv2D(16, 3, 2, "same", activation="relu")(image)
    x = keras.layers.Dense(32, "relu")(keras.layers.Flatten()(x))
    z = Sampling()([keras.layers.Dense(4, name="mean")(x), keras.layers.Dense(4, name="log_var")(x)])
    x = keras.layers.Reshape((8, 8, 4))(keras.layers.Dense(256, "relu")(z))
    return keras.Model(image, keras.layers.Conv2DTranspose(1, 3, 2, "same", activation="sigmoid")(x))


@SAMPLE.sound("8x16;int<9:8x1;int<30:8x1")
def keras_tabular() -> Any:
    """Numbers and two columns of categories, four residual layers."""
    numbers, day, shop = keras.Input((16,)), keras.Input((1,), dtype="int32"), keras.Input((1,), dtype="int32")
    parts = [keras.layers.Flatten()(keras.layers.Embedding(n, 8)(c)) for n, c in ((9, day), (30, shop))]
    x = keras.layers.Dense(48)(keras.layers.Concatenate()([numbers, *parts]))
    for _ in range(4):
        y = keras.layers.Dense(48)(keras.layers.Dense(96, "relu")(keras.layers.BatchNormalization()(x)))
        x = keras.layers.Add()([x, y])
    return keras.Model([numbers, day, shop], keras.layers.Dense(1)(x))


@SAMPLE.broken(SIGNAL, r"sqrt\(2/fan_in\)|multiplies")
def keras_small_std_in_24_plain_layers() -> Any:
    layers = [keras.layers.Dense(64, "relu", kernel_initializer=keras.initializers.RandomNormal(stddev=0.02))
              for _ in range(24)]  # fmt: skip
    return keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(10)])


@SAMPLE.sound("int<70:4x12;int<60:4x9")
def keras_seq2seq() -> Any:
    """Two LSTMs, the second begins with the state of the first."""
    given, made = keras.Input((12,), dtype="int32"), keras.Input((9,), dtype="int32")
    _, h, c = keras.layers.LSTM(32, return_state=True)(keras.layers.Embedding(70, 32, mask_zero=True)(given))
    x = keras.layers.LSTM(32, return_sequences=True)(keras.layers.Embedding(60, 32)(made), initial_state=[h, c])
    return keras.Model([given, made], keras.layers.Dense(60)(x))


if __name__ == "__main__":
    sys.exit(SAMPLE.run([n for n in sys.argv[1:] if n != "-v"], show="-v" in sys.argv))
