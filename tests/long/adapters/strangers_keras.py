"""Initializers and layers of Keras as people write them; the answers are in strangers.py."""

import math

import keras
from keras import ops


class ScaledNormal(keras.initializers.Initializer):
    def __init__(self, gain=2.0, seed=None):
        self.gain, self.seed = gain, seed

    def __call__(self, shape, dtype=None):
        fan_in = math.prod(shape[:-1])
        return keras.random.normal(shape, stddev=math.sqrt(self.gain / fan_in), dtype=dtype, seed=self.seed)

    def get_config(self):
        return {"gain": self.gain, "seed": self.seed}


class ScaledNormalByOutputs(ScaledNormal):
    def __call__(self, shape, dtype=None):
        fan_in = shape[-1] * math.prod(shape[:-2])
        return keras.random.normal(shape, stddev=math.sqrt(self.gain / fan_in), dtype=dtype, seed=self.seed)


class RowsOfUnits(keras.layers.Layer):
    """A dense layer that stores (units, inputs)."""

    def __init__(self, units, initializer="glorot_uniform"):
        super().__init__()
        self.units, self.initializer = units, initializer

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(self.units, input_shape[-1]), initializer=self.initializer, name="kernel")

    def call(self, x):
        return ops.matmul(x, ops.transpose(self.kernel))


class RowsOfUnitsLecun(RowsOfUnits):
    def __init__(self, units):
        super().__init__(units, initializer="lecun_normal")


class Bottleneck(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.down = self.add_weight(shape=(input_shape[-1], 24), initializer="lecun_normal", name="down")
        self.up = self.add_weight(shape=(24, self.units), initializer="lecun_normal", name="up")

    def call(self, x):
        return ops.matmul(ops.matmul(x, self.down), self.up)
