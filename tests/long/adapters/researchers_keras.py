"""Initializers and layers of Keras as research code has them; the answers are in researchers.py."""

import math

import keras
from keras import ops


class ScaledUniform(keras.initializers.Initializer):
    """Of variance scale / fan_in, in every call anew."""

    def __init__(self, scale=1.0, seed=None):
        self.scale, self.seed = scale, seed

    def __call__(self, shape, dtype="float32", **kwargs):
        bound = math.sqrt(3 * self.scale / math.prod(shape[:-1]))
        return keras.random.uniform(shape, -bound, bound, dtype=dtype, seed=self.seed)


class ScaledUniformOf1337(ScaledUniform):
    def __init__(self, scale=1.0, seed=1337):
        super().__init__(scale, seed)


class Fused(keras.layers.Layer):
    """Queries, keys and values by one matrix."""

    def __init__(self, units, initializer="lecun_uniform"):
        super().__init__()
        self.units, self.initializer = units, initializer

    def build(self, input_shape):
        self.qkv = self.add_weight(shape=(input_shape[-1], 3, self.units), initializer=self._of(input_shape[-1]))

    def _of(self, inputs):
        return keras.initializers.RandomNormal(stddev=inputs**-0.5)

    def call(self, x):
        return ops.einsum("bi,ico->bco", x, self.qkv)


class FusedByItsShape(Fused):
    def _of(self, inputs):
        return self.initializer
