"""Initializers and layers of JAX, Flax and Equinox as maintainers have them; the answers are in maintainers.py."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import nnx


def linear_params(seed: int, n_in: int, n_out: int, dtype: str = "float32"):
    key = jax.random.PRNGKey(seed)
    return jax.random.normal(key, (n_in, n_out), jnp.dtype(dtype)) / math.sqrt(n_in)


class MlpBlock(nn.Module):
    """Two dense layers, the second as small as the depth wants it."""

    features: int
    expansion: int = 4

    @nn.compact
    def __call__(self, x):
        x = nn.Dense(self.expansion * self.features, kernel_init=nn.initializers.lecun_normal())(x)
        return nn.Dense(self.features, kernel_init=nn.initializers.he_normal())(nn.relu(x))


def truncated(stddev_of, /):
    """An initializer of a function of the inputs, as Haiku's TruncatedNormal is given one."""

    def init(key, shape, dtype=jnp.float32):
        std = stddev_of(math.prod(shape[:-1])) / 0.87962566103423978
        return std * jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)

    return init


haiku_default = truncated(lambda fan_in: fan_in**-0.5)


def embed(num_embeddings, features, *, rngs: nnx.Rngs):
    return nnx.Embed(num_embeddings, features, embedding_init=nnx.initializers.normal(stddev=1.0), rngs=rngs)


def low_rank(key, shape, *, rank=16):
    """Khodak et al. 2021: a product that has the variance of the whole."""
    up, down = jax.random.split(key)
    n_in, n_out = shape
    r = min(rank, n_in, n_out)
    u = jax.random.normal(up, (n_in, r)) * (n_in * r) ** -0.25
    v = jax.random.normal(down, (r, n_out)) * (n_in * r) ** -0.25
    return u @ v


low_rank.__initcheck__ = {"layout": "in_out", "entries": "dependent"}


class Attend(eqx.Module):
    """Queries, keys and values of one key, split for them."""

    query: jax.Array
    key: jax.Array
    value: jax.Array

    def __init__(self, width, head_width, *, key):
        self.query, self.key, self.value = (
            jax.random.normal(k, (head_width, width)) * width**-0.5 for k in jax.random.split(key, 3)
        )

    def __call__(self, x):
        return jnp.concatenate([self.query @ x, self.key @ x, self.value @ x])


def trunc_init(weight: jax.Array, key: jax.Array) -> jax.Array:
    """As the documentation of Equinox shows it."""
    out, in_ = weight.shape
    stddev = math.sqrt(1 / in_)
    return stddev * jax.random.truncated_normal(key, shape=(out, in_), lower=-2, upper=2)


class ExpertsOfOneKey(eqx.Module):
    """The key is repeated for the experts where it should be split."""

    weight: jax.Array

    def __init__(self, in_size, out_size, n_experts=4, *, key):
        keys = jnp.stack([key] * n_experts)
        self.weight = jax.vmap(lambda k: jax.random.normal(k, (out_size, in_size)) * in_size**-0.5)(keys)

    def __call__(self, x):
        return jnp.einsum("eoi,i->eo", self.weight, x)


def ported(key, shape, dtype=jnp.float32):
    """Weights (out, in) of a model that came from torch, by an initializer of matrices (in, out)."""
    return jax.nn.initializers.variance_scaling(2.0, "fan_in", "normal")(key, shape, dtype)


ported.__initcheck__ = {"activation": "relu", "layout": "out_in"}


def from_minus_bound(key, shape, dtype=jnp.float32):
    bound = math.sqrt(3 / shape[0])
    return jax.random.uniform(key, shape, dtype, minval=-bound)


small_uniform = jax.nn.initializers.uniform(scale=0.05)
small_uniform.__initcheck__ = {"std": 0.05 / math.sqrt(3)}


def he_and_the_root(key, shape, dtype=jnp.float32):
    return math.sqrt(2.0) * jax.nn.initializers.he_normal()(key, shape, dtype)


he_and_the_root.__initcheck__ = {"activation": "relu"}
