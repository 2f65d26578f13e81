"""The ninth sample of public forms where they are of JAX's libraries and of Keras."""

import functools
import math

import equinox as eqx
import flax.linen as linen
import jax
import jax.numpy as jnp
import keras
import numpy as np
from flax import nnx
from wild_answers import DENSE, KERNELS_LAST, LAYER, REFUSED
from wild_signatures_ninth import ninth


@ninth(r"'scale'")
def diffusion_kernel(scale):
    return keras.initializers.VarianceScaling(max(scale, 1e-10), mode="fan_avg", distribution="uniform")


@ninth(r"'num_layers'")
def for_layers(num_layers: int) -> nnx.Initializer:
    return nnx.initializers.variance_scaling(2.0 / max(1, num_layers), "fan_in", "truncated_normal")


@ninth(KERNELS_LAST)
def box_filter(shape=(5, 5, 3, 3), dtype=None):
    kernel = np.zeros(shape, dtype="float32")
    for channel in range(3):
        kernel[:, :, channel, channel] = 1 / 25
    return kernel


@ninth(DENSE)
def of_first_keras(shape, dtype=None, partition_info=None):
    return keras.random.normal(shape, stddev=math.sqrt(1 / shape[0]), dtype=dtype)


@ninth(r"'kernel_size'")
class ComplexInit(keras.initializers.Initializer):
    def __init__(self, kernel_size, input_dim, weight_dim, seed=None):
        self.kernel_size, self.input_dim, self.weight_dim, self.seed = kernel_size, input_dim, weight_dim, seed

    def __call__(self, shape, dtype=None):
        return keras.random.normal((*self.kernel_size, self.input_dim, self.weight_dim), dtype=dtype, seed=self.seed)


class ICNR(keras.initializers.Initializer):
    """Every block of scale * scale kernels is one kernel."""

    def __init__(self, initializer, scale=1):
        self.initializer, self.scale = initializer, scale

    def __call__(self, shape, dtype=None):
        copies = self.scale**2
        kernels = self.initializer((*shape[:3], shape[3] // copies), dtype=dtype)
        return keras.ops.repeat(kernels, copies, axis=-1)


ninth(r"'initializer'")(ICNR)
ninth(KERNELS_LAST)(ICNR(keras.initializers.GlorotUniform(), scale=1))
ninth(DENSE)(keras.initializers.get("he_normal"))
ninth(DENSE)(functools.partial(keras.initializers.TruncatedNormal, stddev=0.02))
ninth(LAYER)(keras.layers.Conv2D)
ninth(r"equation")(keras.layers.EinsumDense)


@ninth(r"'rank'")
class LowRankDense(keras.layers.Layer):
    def __init__(self, units, rank, **kwargs):
        super().__init__(**kwargs)
        self.units, self.rank = units, rank

    def build(self, input_shape):
        self.u = self.add_weight(shape=(input_shape[-1], self.rank), initializer="glorot_uniform")
        self.v = self.add_weight(shape=(self.rank, self.units), initializer="glorot_uniform")

    def call(self, x):
        return x @ self.u @ self.v


@ninth(DENSE)
class HaikuNormal:
    def __init__(self, stddev=1.0, mean=0.0):
        self.stddev, self.mean = stddev, mean

    def __call__(self, shape, dtype):
        return self.mean + self.stddev * np.random.standard_normal(shape).astype(dtype)


@ninth(LAYER)
def eqx_linear(in_size, out_size, key):
    linear = eqx.nn.Linear(in_size, out_size, key=key)
    weight = jax.nn.initializers.he_normal()(key, linear.weight.shape[::-1]).T
    return eqx.tree_at(lambda m: m.weight, linear, weight)


@ninth(r"parameter=|initcheck model")
class TwoLayers(eqx.Module):
    layers: list

    def __init__(self, key):
        first, second = jax.random.split(key)
        self.layers = [eqx.nn.Linear(2, 8, key=first), eqx.nn.Linear(8, 1, key=second)]

    def __call__(self, x):
        return self.layers[1](jax.nn.relu(self.layers[0](x)))


ninth(DENSE)(nnx.initializers.lecun_normal())
ninth(DENSE)(nnx.with_partitioning(nnx.initializers.xavier_uniform(), (None, "model")))
ninth(DENSE)(linen.with_partitioning(linen.initializers.xavier_uniform(), (None, "model")))
ninth(r"scale")(linen.initializers.variance_scaling)


@ninth(LAYER)
def linen_dense(features):
    return linen.Dense(features, kernel_init=linen.initializers.normal(0.02))


@ninth(LAYER)
class Scaled(linen.Module):
    features: int
    kernel_init: jax.nn.initializers.Initializer = linen.initializers.lecun_normal()

    @linen.compact
    def __call__(self, x):
        kernel = self.param("kernel", self.kernel_init, (x.shape[-1], self.features))
        return jnp.dot(x, kernel) * self.param("scale", linen.initializers.ones, (self.features,))


@ninth(LAYER)
class NnxEinsum(nnx.Module):
    def __init__(self, din: int, dout: int, *, kernel_init=nnx.initializers.he_normal(), rngs: nnx.Rngs):  # noqa: B008
        self.kernel = nnx.Param(kernel_init(rngs.params(), (din, dout)))

    def __call__(self, x):
        return jnp.einsum("...i,io->...o", x, self.kernel[...])


ninth(REFUSED)(nnx.Linear(5, 7, rngs=nnx.Rngs(0)))
