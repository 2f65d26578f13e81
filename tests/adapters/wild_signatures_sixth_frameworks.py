"""The sixth sample of public forms where they are layers and initializers of JAX's libraries and of Keras."""

import equinox as eqx
import flax.linen as linen
import jax
import jax.numpy as jnp
import keras
import numpy as np
from flax import nnx
from wild_answers import DENSE, KERNELS_LAST, LAYER, OTHER
from wild_signatures_sixth import sixth


@sixth(LAYER)
class LinearOfKey(eqx.Module):
    weight: jax.Array
    bias: jax.Array

    def __init__(self, in_size, out_size, key):
        self.weight = jax.random.normal(key, (out_size, in_size)) / jnp.sqrt(in_size)
        self.bias = jnp.zeros(out_size)

    def __call__(self, x):
        return self.weight @ x + self.bias


@sixth(r"'omega'")
class SirenOfKey(eqx.Module):
    weight: jax.Array
    omega: float

    def __init__(self, in_dim, out_dim, omega, *, key):
        bound = jnp.sqrt(6 / in_dim) / omega
        self.weight = jax.random.uniform(key, (out_dim, in_dim), minval=-bound, maxval=bound)
        self.omega = omega

    def __call__(self, x):
        return jnp.sin(self.omega * (self.weight @ x))


@sixth(LAYER)
class NnxDense(nnx.Module):
    def __init__(self, din: int, dout: int, *, rngs: nnx.Rngs):
        self.w = nnx.Param(jax.random.uniform(rngs.params(), (din, dout)))
        self.b = nnx.Param(jnp.zeros((dout,)))

    def __call__(self, x):
        return x @ self.w + self.b


@sixth(r"'modes1'")
class SpectralConv2d(nnx.Module):
    def __init__(self, in_channels, out_channels, modes1, modes2, rngs: nnx.Rngs):
        scale = 1 / (in_channels * out_channels)
        shape = (in_channels, out_channels, modes1, modes2)
        self.weights = nnx.Param(scale * jax.random.normal(rngs.params(), shape, jnp.complex64))

    def __call__(self, x):
        return jnp.einsum("bixy,ioxy->boxy", x, self.weights)


@sixth(r"config must be given")
class CausalSelfAttention(nnx.Module):
    def __init__(self, config, *, rngs: nnx.Rngs):
        self.c_attn = nnx.Linear(config.n_embd, 3 * config.n_embd, rngs=rngs)
        self.c_proj = nnx.Linear(config.n_embd, config.n_embd, rngs=rngs)


@sixth(LAYER)
class LinenDense(linen.Module):
    features: int

    @linen.compact
    def __call__(self, x):
        kernel = self.param("kernel", jax.nn.initializers.lecun_normal(), (x.shape[-1], self.features))
        return x @ kernel + self.param("bias", jax.nn.initializers.zeros, (self.features,))


@sixth(DENSE)
def linen_default(dtype=jnp.float32):
    return linen.initializers.variance_scaling(1.0, "fan_avg", "truncated_normal", dtype=dtype)


@sixth(KERNELS_LAST)
class PTConvKernelInit(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        fan_in = int(shape[0]) * int(shape[1]) * int(shape[2])
        limit = 1.0 / np.sqrt(fan_in)
        return keras.random.uniform(shape, -limit, limit, dtype=dtype)


@sixth(r"'c'")
class SineInitializers(keras.initializers.Initializer):
    def __init__(self, c, omega, layer_type: str = "hidden"):
        self.c, self.omega, self.layer_type = c, omega, layer_type

    def __call__(self, shape, dtype=None):
        limit = 1 / shape[0] if self.layer_type == "first" else keras.ops.sqrt(self.c / shape[0]) / self.omega
        return keras.random.uniform(shape, -limit, limit, dtype=dtype)


@sixth(DENSE)
class SoftplusUniform(keras.initializers.Initializer):
    def __init__(self, minval=-0.05, maxval=0.05, hinge_softness=1.0, seed=None):
        self.minval, self.maxval, self.hinge_softness, self.seed = minval, maxval, hinge_softness, seed

    def __call__(self, shape, dtype=None):
        drawn = keras.random.uniform(shape, self.minval, self.maxval, dtype=dtype, seed=self.seed)
        return keras.ops.softplus(drawn / self.hinge_softness) * self.hinge_softness

    def get_config(self):
        return {
            "minval": self.minval, "maxval": self.maxval, "hinge_softness": self.hinge_softness, "seed": self.seed,
        }  # fmt: skip


@sixth(DENSE)
class PriorProbability(keras.initializers.Initializer):
    def __init__(self, probability=0.01):
        self.probability = probability

    def get_config(self):
        return {"probability": self.probability}

    def __call__(self, shape, dtype=None):
        return np.ones(shape, dtype=dtype or "float32") * -np.log((1 - self.probability) / self.probability)


@sixth(r"'func'")
class FuncOnInitializer(keras.initializers.Initializer):
    def __init__(self, func, initializer):
        self.func, self.initializer = func, initializer

    def __call__(self, shape, dtype=None, **kwargs):
        return self.func(self.initializer(shape, dtype, **kwargs))


@sixth(r"'adj'")
class InformedInitializer(keras.initializers.Initializer):
    def __init__(self, adj, initializer):
        self.adj, self.initializer = adj, initializer

    def __call__(self, shape, dtype=None):
        return self.initializer(shape, dtype) * self.adj


@sixth(OTHER)
def difference_kernel(shape, dtype=None):
    kernel = np.zeros(shape)
    kernel[:, 0, 0] = np.array([-1, 1]).astype(np.float64)
    return kernel


@sixth(DENSE)
def keras_kernel(shape, dtype=None):
    return keras.random.normal(shape, stddev=np.sqrt(1 / shape[0]), dtype=dtype)


@sixth(LAYER)
class LinearLayer(keras.layers.Layer):
    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)

    def call(self, inputs):
        return keras.ops.matmul(inputs, self.w) + self.b
