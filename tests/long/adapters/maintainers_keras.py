"""Initializers and layers of Keras as its users have them; the answers are in maintainers.py."""

import math

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable()
class DepthScaled(keras.initializers.Initializer):
    """He's, made smaller for the residual blocks of a network of this depth."""

    def __init__(self, num_blocks=8, seed=None):
        self.num_blocks, self.seed = num_blocks, seed

    def __call__(self, shape, dtype=None, **kwargs):
        scale = 2.0 / self.num_blocks
        of = keras.initializers.VarianceScaling(scale, "fan_in", "truncated_normal", seed=self.seed)
        return of(shape, dtype=dtype)

    def get_config(self):
        return {"num_blocks": self.num_blocks, "seed": self.seed}


DepthScaled.__initcheck__ = {"gain": 0.5}


def my_init(shape, dtype=None):
    """As the guide of Keras shows it, with the width of the layer."""
    return keras.random.normal(shape, stddev=shape[0] ** -0.5, dtype=dtype)


class GatedUnit(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.value = keras.layers.Dense(units, use_bias=False, kernel_initializer="lecun_normal")
        self.gate = keras.layers.Dense(units, use_bias=False, kernel_initializer="lecun_normal")

    def build(self, input_shape):
        self.value.build(input_shape)
        self.gate.build(input_shape)

    def call(self, x):
        return self.value(x) * ops.sigmoid(self.gate(x))


def heads(units, num_heads=4):
    return keras.layers.EinsumDense(
        "bsi,ihd->bshd", output_shape=(None, num_heads, units), kernel_initializer=WidthNormal()
    )


class WidthNormal(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None, **kwargs):
        return keras.random.normal(shape, stddev=1 / math.sqrt(shape[0]), dtype=dtype)


class TruncatedLecun(keras.initializers.Initializer):
    """TruncatedNormal of Keras has the deviation of the normal law before it is cut."""

    def __init__(self, seed=None):
        self.seed = seed

    def __call__(self, shape, dtype=None, **kwargs):
        std = math.prod(shape[:-1]) ** -0.5
        return keras.initializers.TruncatedNormal(stddev=std, seed=self.seed)(shape, dtype=dtype)


def depthwise(channels):
    return keras.layers.DepthwiseConv2D(3, depthwise_initializer="he_normal", use_bias=False, padding="same")


def transposed(filters):
    return keras.layers.Conv2DTranspose(filters, 3, kernel_initializer="lecun_normal", use_bias=False, padding="same")


class FromNumPy(keras.initializers.Initializer):
    """Drawn by NumPy, from a state that begins anew in each call."""

    def __init__(self, seed=1234):
        self.seed = seed

    def __call__(self, shape, dtype=None, **kwargs):
        rng = np.random.RandomState(self.seed)
        return ops.convert_to_tensor(rng.normal(0.0, math.sqrt(2.0 / shape[0]), shape), dtype=dtype)
