"""Initializers and layers of JAX, Flax and Equinox as people write them; the answers are in strangers.py."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import nnx


def lecun(key, shape, dtype=jnp.float32):
    fan_in = shape[-2] * math.prod(shape[:-2])
    return jax.random.normal(key, shape, dtype) * jnp.asarray(fan_in**-0.5, dtype)


def lecun_of_channels(key, shape, dtype=jnp.float32):
    fan_in = shape[-2]
    return jax.random.normal(key, shape, dtype) * jnp.asarray(fan_in**-0.5, dtype)


def he_uniform(key, shape, dtype=jnp.float32):
    *receptive, fan_in, _ = shape
    bound = math.sqrt(6.0 / (fan_in * math.prod(receptive)))
    return jax.random.uniform(key, shape, dtype, -bound, bound)


def he_in_float32(key, shape, dtype=jnp.float32):
    fan_in = math.prod(shape[:-1])
    return jax.random.normal(key, shape) * math.sqrt(2 / fan_in)


he_in_float32.__initcheck__ = {"dtypes": ["float32", "bfloat16"]}


def normal_of_a_key(key, shape, dtype=jnp.float32):
    key = jax.random.PRNGKey(0)
    return jax.random.normal(key, shape, dtype) / math.sqrt(shape[0])


class HeadProjection(nn.Module):
    features: int
    heads: int = 4

    @nn.compact
    def __call__(self, x):
        init = nn.initializers.lecun_normal(in_axis=0, out_axis=(1, 2))
        kernel = self.param("kernel", init, (x.shape[-1], self.heads, self.features))
        return jnp.einsum("...d,dhf->...hf", x, kernel)


class HeadProjectionByDefault(nn.Module):
    features: int
    heads: int = 4

    @nn.compact
    def __call__(self, x):
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (x.shape[-1], self.heads, self.features))
        return jnp.einsum("...d,dhf->...hf", x, kernel)


class Affine(nnx.Module):
    def __init__(self, din: int, dout: int, *, rngs: nnx.Rngs):
        self.w = nnx.Param(jax.random.normal(rngs.params(), (din, dout)) / jnp.sqrt(din))
        self.b = nnx.Param(jnp.zeros((dout,)))

    def __call__(self, x):
        return x @ self.w + self.b


class AffineOfPositives(nnx.Module):
    def __init__(self, din: int, dout: int, *, rngs: nnx.Rngs):
        self.w = nnx.Param(jax.random.uniform(rngs.params(), (din, dout)) * jnp.sqrt(3 / din))
        self.b = nnx.Param(jnp.zeros((dout,)))

    def __call__(self, x):
        return x @ self.w + self.b


class Gated(eqx.Module):
    gate: eqx.nn.Linear
    value: eqx.nn.Linear

    def __init__(self, in_size, out_size, *, key):
        k1, k2 = jax.random.split(key)
        bound = math.sqrt(3 / in_size)
        lin1 = eqx.nn.Linear(in_size, out_size, use_bias=False, key=k1)
        lin2 = eqx.nn.Linear(in_size, out_size, use_bias=False, key=k2)
        w1 = jax.random.uniform(k1, lin1.weight.shape, minval=-bound, maxval=bound)
        w2 = jax.random.uniform(k2, lin2.weight.shape, minval=-bound, maxval=bound)
        self.gate = eqx.tree_at(lambda m: m.weight, lin1, w1)
        self.value = eqx.tree_at(lambda m: m.weight, lin2, w2)

    def __call__(self, x):
        return jax.nn.sigmoid(self.gate(x)) * self.value(x)


class GatedOfOneKey(eqx.Module):
    gate: jax.Array
    value: jax.Array

    def __init__(self, in_size, out_size, *, key):
        self.gate = jax.random.normal(key, (out_size, in_size)) / math.sqrt(in_size)
        self.value = jax.random.normal(key, (out_size, in_size)) / math.sqrt(in_size)

    def __call__(self, x):
        return jax.nn.sigmoid(self.gate @ x) * (self.value @ x)
