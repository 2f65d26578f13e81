"""Models as they are used, in Flax, Equinox and Keras: the verdict of every claim, and CPU seconds.

    python tests/long/models/real_frameworks.py [NAME ...]

The transformers are written as the examples of Flax (lm1b) and the documentation of Equinox have them; the
convolutional networks are those of keras.applications, built without weights. Keras runs on KERAS_BACKEND.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

WORDS, LENGTH = 500, 24


def lm1b() -> Any:
    """A decoder of linen: shifted tokens, sinusoids, pre-norm blocks, xavier_uniform kernels, tiny biases."""
    import jax.numpy as jnp
    from flax import linen

    width, heads, hidden, layers = 64, 4, 128, 6
    kernel, bias = linen.initializers.xavier_uniform(), linen.initializers.normal(stddev=1e-6)

    class Feedforward(linen.Module):
        @linen.compact
        def __call__(self, x: Any, deterministic: bool) -> Any:
            x = linen.relu(linen.Dense(hidden, kernel_init=kernel, bias_init=bias)(x))
            x = linen.Dropout(0.1)(x, deterministic=deterministic)
            return linen.Dense(width, kernel_init=kernel, bias_init=bias)(x)

    class DecoderBlock(linen.Module):
        @linen.compact
        def __call__(self, x: Any, mask: Any, deterministic: bool) -> Any:
            y = linen.MultiHeadDotProductAttention(
                heads, qkv_features=width, kernel_init=kernel, bias_init=bias, use_bias=False, dropout_rate=0.1
            )(linen.LayerNorm()(x), mask=mask, deterministic=deterministic)
            x = x + y
            return x + Feedforward()(linen.LayerNorm()(x), deterministic)

    class Decoder(linen.Module):
        @linen.compact
        def __call__(self, tokens: Any, train: bool) -> Any:
            tokens_in = jnp.pad(tokens, ((0, 0), (1, 0)))[:, :-1]
            embed = linen.Embed(WORDS, width, embedding_init=linen.initializers.normal(stddev=1.0))
            x = embed(tokens_in)
            angle = jnp.arange(tokens.shape[1])[:, None] / 10000 ** (jnp.arange(0, width, 2) / width)
            x = x + jnp.concatenate([jnp.sin(angle), jnp.cos(angle)], -1)
            mask = linen.make_causal_mask(tokens)
            for i in range(layers):
                x = DecoderBlock(name=f"encoderdecoderblock_{i}")(x, mask, not train)
            x = linen.LayerNorm(name="encoderdecoder_norm")(x)
            return linen.Dense(WORDS, kernel_init=kernel, bias_init=bias, name="logitdense")(x)

    return Decoder()


def equinox_transformer(key: Any) -> Any:
    """An encoder of Equinox: its own layers as they are, post-norm, a classifier on the first token."""
    import equinox as eqx
    import jax

    width, heads, layers = 64, 4, 6

    class Block(eqx.Module):
        attention: Any
        norm1: Any
        norm2: Any
        up: Any
        down: Any

        def __init__(self, key: Any) -> None:
            k1, k2, k3 = jax.random.split(key, 3)
            self.attention = eqx.nn.MultiheadAttention(heads, width, key=k1)
            self.norm1, self.norm2 = eqx.nn.LayerNorm(width), eqx.nn.LayerNorm(width)
            self.up, self.down = eqx.nn.Linear(width, 128, key=k2), eqx.nn.Linear(128, width, key=k3)

        def __call__(self, x: Any) -> Any:
            x = jax.vmap(self.norm1)(x + self.attention(x, x, x))
            return jax.vmap(self.norm2)(x + jax.vmap(self.down)(jax.nn.gelu(jax.vmap(self.up)(x))))

    class Encoder(eqx.Module):
        tokens: Any
        positions: Any
        norm: Any
        blocks: list[Block]
        head: Any

        def __init__(self, key: Any) -> None:
            keys = jax.random.split(key, layers + 3)
            self.tokens = eqx.nn.Embedding(WORDS, width, key=keys[0])
            self.positions = eqx.nn.Embedding(LENGTH, width, key=keys[1])
            self.norm = eqx.nn.LayerNorm(width)
            self.blocks = [Block(k) for k in keys[3:]]
            self.head = eqx.nn.Linear(width, 5, key=keys[2])

        def __call__(self, tokens: Any) -> Any:
            x = jax.vmap(self.tokens)(tokens) + jax.vmap(self.positions)(jax.numpy.arange(len(tokens)))
            x = jax.vmap(self.norm)(x)
            for block in self.blocks:
                x = block(x)
            return self.head(x[0])

    return Encoder(key)


def application(name: str) -> Callable[[], Any]:
    """A network of keras.applications without weights, for small images and ten classes."""

    def build() -> Any:
        import keras

        return getattr(keras.applications, name)(weights=None, input_shape=(32, 32, 3), classes=10)

    build.__name__ = name
    return build


MODELS: dict[str, tuple[Callable[..., Any], str | None]] = {
    "lm1b": (lm1b, f"int<{WORDS}:2x{LENGTH}"),
    "equinox_transformer": (equinox_transformer, f"int<{WORDS}:{LENGTH}"),
    **{n: (application(n), None) for n in ("MobileNetV2", "ResNet50", "EfficientNetB0", "ConvNeXtTiny")},
}


def main(names: list[str]) -> int:
    """Judge each and print what every claim came to."""
    from initcheck.doors.check_model import check_model

    for name in names or MODELS:
        build, batch = MODELS[name]
        began = time.process_time()
        report = check_model(build, batch=batch, name=name)
        contract = report.contracts[name]
        print(f"{name}: {contract['parameters']:,} parameters, {time.process_time() - began:.1f} CPU s")
        for result in report:
            said = result.evidence.case or result.reason or ""
            print(f"    {result.claim:32} {result.verdict.name:15} {said[:200]}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
