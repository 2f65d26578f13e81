"""The seventh sample of public forms where they are of JAX's libraries and of Keras."""

import math

import equinox as eqx
import flax.linen as linen
import jax
import jax.numpy as jnp
import keras
from flax import nnx
from wild_answers import DENSE, KERNELS_LAST, LAYER
from wild_signatures_seventh import seventh


@seventh(DENSE)
class ConfiguredNormal(keras.initializers.Initializer):
    def __init__(self, scale=2.0, seed=None):
        self.scale, self.seed = scale, seed

    def __call__(self, shape, dtype=None):
        return keras.random.normal(shape, stddev=math.sqrt(self.scale / shape[0]), dtype=dtype, seed=self.seed)

    def get_config(self):
        return {"scale": self.scale, "seed": self.seed}


@seventh(r"'scale'")
class NeedsScale(keras.initializers.Initializer):
    def __init__(self, scale):
        self.scale = scale

    def __call__(self, shape, dtype=None):
        return keras.random.normal(shape, stddev=self.scale, dtype=dtype)

    def get_config(self):
        return {"scale": self.scale}


seventh(DENSE)(ConfiguredNormal(scale=1.0, seed=3))
seventh(DENSE)(keras.initializers.VarianceScaling(2.0, "fan_in", "uniform"))


@seventh(KERNELS_LAST)
class KernelsAlone(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        height, width, c_in, _ = shape
        return keras.random.normal(shape, stddev=math.sqrt(2 / (height * width * c_in)), dtype=dtype)


@seventh(LAYER)
class KerasLayer(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="he_normal")

    def call(self, x):
        return keras.ops.relu(x @ self.kernel)


@seventh(LAYER)
class NnxLayer(nnx.Module):
    def __init__(self, in_features, out_features, rngs: nnx.Rngs):
        self.kernel = nnx.Param(jax.random.normal(rngs.params(), (in_features, out_features)) / math.sqrt(in_features))

    def __call__(self, x):
        return x @ self.kernel


@seventh(LAYER)
class LinenLayer(linen.Module):
    features: int

    @linen.compact
    def __call__(self, x):
        return x @ self.param("w", jax.nn.initializers.he_uniform(), (x.shape[-1], self.features))


@seventh(LAYER)
class EquinoxLayer(eqx.Module):
    weight: jax.Array

    def __init__(self, in_size, out_size, *, key):
        self.weight = jax.random.normal(key, (out_size, in_size)) * jnp.sqrt(1 / in_size)

    def __call__(self, x):
        return self.weight @ x


seventh(LAYER)(linen.Dense)
seventh(LAYER)(keras.layers.Dense)
seventh(LAYER)(eqx.nn.Linear)
seventh(LAYER)(nnx.Linear)
