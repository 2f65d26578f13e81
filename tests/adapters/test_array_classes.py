"""Classes that hold their weights as arrays are layers: built at two widths, the array that follows both is read."""

import numpy as np
import pytest

from initcheck.adapters.recognition import recognise
from initcheck.errors import UsageError


class Dense:
    def __init__(self, n_inputs, n_neurons):
        self.weights = np.random.randn(n_inputs, n_neurons) * np.sqrt(2 / n_inputs)
        self.gradients = np.zeros((n_inputs, n_neurons))
        self.biases = np.zeros((1, n_neurons))


class Stored:
    """Outputs first, in a dict, under a mangled name of the side, from a generator that is handed over."""

    def __init__(self, inputnodes, outputnodes, rng):
        self.parameters = {"W": rng.normal(size=(outputnodes, inputnodes)), "b": np.zeros(outputnodes)}


class Unnamed:
    """The names say nothing: the axes say which argument is which."""

    def __init__(self, left, right):
        self.__matrix = np.random.randn(right, left)


class Convolution:
    def __init__(self, in_channels, out_channels, kernel_size):
        self.weight = np.random.randn(in_channels, out_channels, *kernel_size)


class TwoMatrices:
    def __init__(self, n_in, n_out):
        self.u, self.v = np.random.randn(n_in, n_out), np.random.randn(n_out, n_in)


class Activated:
    def __init__(self, n_in, n_out, activation):
        self.w, self.activation = np.random.randn(n_in, n_out), activation


class Rows:
    def __init__(self, n_rows, n_seen):
        self.table = np.random.randn(n_rows, 3)
        self.seen = np.random.randn(n_seen, 2)


@pytest.mark.parametrize(
    ("cls", "signature", "layout", "shape"),
    [
        (Dense, "Dense(n_inputs=in, n_neurons=out).weights", "in_out", (5, 7)),
        (Stored, "Stored(inputnodes=in, outputnodes=out, rng=rng).parameters.W", "out_in", (5, 7)),
        (Unnamed, "Unnamed(left=cols, right=rows)._Unnamed__matrix", None, (5, 7)),
        (Convolution, "Convolution(in_channels=in, out_channels=out, kernel_size=kernel).weight", "iohw", (5, 7, 3, 2)),
    ],
)
def test_the_array_that_follows_both_widths_is_read(cls, signature, layout, shape):
    initializer = recognise(cls, cls.__name__)
    assert (initializer.signature, initializer.contract.layout) == (signature, layout)
    assert [r.shape for r in initializer.sampler.calls(shape, [1, 2], "float32")] == [shape] * 2


def test_the_scale_that_is_measured_is_that_of_its_body():
    [drawn] = recognise(Dense, "Dense").sampler.calls((200, 300), [1], "float32")
    assert abs(drawn.std() * 10 - 1) < 0.02


def test_one_of_several_arrays_is_named_and_then_read():
    with pytest.raises(UsageError, match=r"say which one is checked: parameter='u' or parameter='v'"):
        recognise(TwoMatrices, "TwoMatrices")
    initializer = recognise(TwoMatrices, "TwoMatrices", parameter="v")
    assert initializer.contract.layout == "out_in"
    assert initializer.sampler.calls((5, 7), [1], "float32")[0].shape == (5, 7)


def test_what_only_its_user_knows_is_asked_for_and_then_read():
    with pytest.raises(UsageError, match="needs the argument 'activation'"):
        recognise(Activated, "Activated")
    initializer = recognise(Activated, "Activated", args={"activation": "relu"})
    assert initializer.sampler.calls((5, 7), [1], "float32")[0].shape == (5, 7)


def test_arrays_that_follow_one_argument_each_are_no_layer():
    with pytest.raises(UsageError, match="'n_rows' and 'n_seen'"):
        recognise(Rows, "Rows")
