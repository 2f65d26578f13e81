"""The eighth sample of public forms where they are of JAX's libraries and of Keras."""

import functools
import math

import flax.linen as linen
import jax
import keras
from flax import nnx
from wild_answers import DENSE, LAYER
from wild_signatures_eighth import eighth


@eighth(LAYER)
def make_dense(din, dout, rngs: nnx.Rngs):
    return nnx.Linear(din, dout, kernel_init=jax.nn.initializers.he_normal(), rngs=rngs)


@eighth(DENSE)
def factory_of_rngs(rngs):
    return lambda shape: jax.random.normal(rngs.params(), shape) / math.sqrt(shape[0])


eighth(LAYER)(functools.partial(linen.Dense, kernel_init=jax.nn.initializers.he_normal()))


@eighth(DENSE)
def keras_function(shape, dtype=None):
    return keras.random.normal(shape, stddev=math.sqrt(2 / shape[0]), dtype=dtype)


@eighth(DENSE)
class WithOptions(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None, **kwargs):
        return keras.random.uniform(shape, -0.05, 0.05, dtype=dtype)


@eighth(DENSE)
class SmallGlorot(keras.initializers.VarianceScaling):
    """Its configuration is its parent's, which its constructor does not take."""

    def __init__(self, seed=None):
        super().__init__(scale=0.5, mode="fan_avg", distribution="uniform", seed=seed)


eighth(DENSE)(lambda shape, dtype=None: keras.random.truncated_normal(shape, stddev=0.02, dtype=dtype))
