"""Initializers and layers of JAX, Flax and Equinox as research code has them; the answers are in researchers.py."""

import equinox as eqx
import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import nnx


def signs(key, shape, dtype=jnp.float32):
    *_, fan_in, _ = shape
    return jax.random.rademacher(key, shape).astype(dtype) * jnp.asarray(fan_in**-0.5, dtype)


signs.__initcheck__ = {"dtypes": ["float32", "bfloat16"], "layout": "in_out"}


def cut_at_one(key, shape, dtype=jnp.float32):
    w = jax.random.truncated_normal(key, -1.0, 1.0, shape, dtype)
    return w * jnp.asarray(shape[0] ** -0.5, dtype)


def heads_of(features, heads=4):
    return nn.DenseGeneral((heads, features), use_bias=False, kernel_init=nn.initializers.lecun_normal())


class LinenExperts(nn.Module):
    features: int
    experts: int = 4

    @nn.compact
    def __call__(self, x):
        init = nn.initializers.variance_scaling(1.0, "fan_in", "normal", batch_axis=(0,))
        kernel = self.param("kernel", init, (self.experts, x.shape[-1], self.features))
        return jnp.einsum("...i,eio->...eo", x, kernel)


class LinenExpertsByDefault(nn.Module):
    features: int
    experts: int = 4

    @nn.compact
    def __call__(self, x):
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (self.experts, x.shape[-1], self.features))
        return jnp.einsum("...i,eio->...eo", x, kernel)


def depthwise(channels, *, rngs: nnx.Rngs):
    return nnx.Conv(channels, channels, (3, 3), feature_group_count=channels, use_bias=False, rngs=rngs)


def depthwise_by_outputs(channels, *, rngs: nnx.Rngs):
    init = nnx.initializers.variance_scaling(1.0, "fan_out", "normal")
    return nnx.Conv(
        channels, channels, (3, 3), feature_group_count=channels, use_bias=False, kernel_init=init, rngs=rngs
    )


class DoRA(eqx.Module):
    """Liu et al. 2024: a direction for each output, and its length beside it."""

    direction: jax.Array
    length: jax.Array

    def __init__(self, in_size, out_size, *, key):
        self.direction = jax.random.normal(key, (out_size, in_size)) / jnp.sqrt(in_size)
        self.length = jnp.linalg.norm(self.direction, axis=1)

    def __call__(self, x):
        unit = self.direction / jnp.linalg.norm(self.direction, axis=1, keepdims=True)
        return self.length * (unit @ x)


class DoRAOfOnes(DoRA):
    """The lengths are those of one weight, where those of the rows were meant."""

    def __init__(self, in_size, out_size, *, key):
        super().__init__(in_size, out_size, key=key)
        self.length = jnp.ones(out_size) / jnp.sqrt(in_size)
