import equinox as eqx
import flax.linen as linen
import flax.nnx as nnx
import jax
import keras
import numpy as np
import pytest
from torch import nn
from two_seeds import one_again_other

from initcheck.adapters.recognition import recognise
from initcheck.errors import UsageError

LAYERS = [
    (nn.Linear, "out_in", (5, 7), "torch"),
    (nn.Conv1d, "oiw", (5, 7, 3), "torch"),
    (nn.Conv2d, "oihw", (5, 7, 3, 2), "torch"),
    (nn.ConvTranspose2d, "iohw", (5, 7, 3, 2), "torch"),
    (keras.layers.Dense, "in_out", (5, 7), "keras"),
    (keras.layers.Conv2D, "hwio", (3, 2, 5, 7), "keras"),
    (keras.layers.Conv2DTranspose, "hwoi", (3, 2, 5, 7), "keras"),
    (linen.Dense, "in_out", (5, 7), "flax"),
    (linen.Conv, "hwio", (3, 2, 5, 7), "flax"),
    (nnx.Linear, "in_out", (5, 7), "flax"),
    (nnx.Conv, "hwio", (3, 2, 5, 7), "flax"),
    (eqx.nn.Linear, "out_in", (5, 7), "equinox"),
]


@pytest.mark.long
@pytest.mark.parametrize(("cls", "layout", "shape", "framework"), LAYERS)
def test_a_layer_class_is_an_initializer_of_its_weight(cls, layout, shape, framework):
    initializer = recognise(cls, cls.__name__)
    assert initializer.contract.layout == layout
    assert initializer.ranks == (len(shape),)
    assert initializer.framework == framework
    first, again, other = one_again_other(initializer, shape)
    assert first.shape == shape
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_function_that_builds_a_layer_is_read_too():
    initializer = recognise(lambda n_in, n_out: nn.Linear(n_in, n_out), "factory")
    assert initializer.contract.layout == "out_in"
    [weight] = initializer.sampler.calls((4, 9), [0], "float32")
    assert weight.shape == (4, 9)


def test_one_of_several_weights_is_named():
    def two(n_in, n_out):
        return nn.ModuleDict({"a": nn.Linear(n_in, n_out), "b": nn.Linear(n_in, n_out)})

    with pytest.raises(UsageError, match=r"parameter='a.weight' or parameter='b.weight'"):
        recognise(two, "two")
    initializer = recognise(two, "two", parameter="b.weight")
    assert initializer.sampler.calls((4, 9), [0], "float32")[0].shape == (4, 9)
    with pytest.raises(UsageError, match=r"did you mean 'b.weight'"):
        recognise(two, "two", parameter="b.weigth")


@pytest.mark.parametrize("cls", [nn.LSTM, nn.Embedding, nn.ReLU, nn.MultiheadAttention, nn.Bilinear])
def test_what_has_no_single_pair_of_widths_is_refused(cls):
    with pytest.raises(UsageError, match="ass a function"):
        recognise(cls, cls.__name__)


@pytest.mark.parametrize("layer", [nn.Linear(3, 4), linen.Dense(3)], ids=["torch", "linen"])
def test_a_layer_that_is_built_already_is_refused(layer):
    with pytest.raises(UsageError, match="is a layer that is built already; pass its class"):
        recognise(layer, "layer")


def test_an_initializer_derived_from_a_module_class_is_read_as_a_class():
    class Scaled(eqx.Module):
        gain: float = 2.0

        def __call__(self, key, shape):
            return self.gain * jax.random.normal(key, shape)

    assert recognise(Scaled, "Scaled").signature == "(key, shape)"
    assert recognise(Scaled(3.0), "Scaled").signature == "(key, shape)"
