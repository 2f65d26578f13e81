import collections

import jax.numpy as jnp
import keras
import ml_dtypes
import numpy as np
import pytest
import torch

from initcheck.adapters.frameworks.arrays import array_places, dtype_name, entries, pick, shape_of, to_numpy
from initcheck.errors import UsageError

Params = collections.namedtuple("Params", "w b")


@pytest.mark.parametrize(
    ("value", "name", "dtype"),
    [
        (np.ones((2, 3)), "float64", "float64"),
        (np.ones((2, 3), np.float32).T.copy().T, "float32", "float32"),
        (np.ones((2, 3), ml_dtypes.bfloat16), "bfloat16", "bfloat16"),
        (torch.ones(2, 3), "float32", "float32"),
        (torch.ones(2, 3, dtype=torch.float16), "float16", "float16"),
        (torch.ones(2, 3, dtype=torch.bfloat16), "bfloat16", "float32"),
        (torch.ones(2, 3).to(torch.float8_e4m3fn), "float8_e4m3fn", "float32"),
        (torch.nn.Parameter(torch.ones(2, 3)), "float32", "float32"),
        (jnp.ones((2, 3)), "float32", "float32"),
        (jnp.ones((2, 3), jnp.bfloat16), "bfloat16", "bfloat16"),
        (keras.Variable(np.ones((2, 3), np.float32)), "float32", "float32"),
    ],
    ids=str,
)
def test_every_array_is_read(value, name, dtype):
    assert shape_of(value) == (2, 3)
    assert dtype_name(value) == name
    array = to_numpy(value)
    assert array.dtype == dtype
    assert (array.astype(float) == 1).all()


def test_a_number_is_an_array_without_axes():
    assert to_numpy(3.5).shape == ()
    assert shape_of(np.float32(2)) == ()


@pytest.mark.parametrize(
    "value", [None, [[1.0], [2.0, 3.0]], [["1"]], [[True]], [[]], (1.0,), "text", {"w": 1}, object(), np.ndarray, True]
)
def test_what_is_no_array_is_named(value):
    assert shape_of(value) is None
    with pytest.raises(TypeError, match=rf"^(None|an? {type(value).__name__}), which is no array of numbers$"):
        to_numpy(value)


@pytest.mark.parametrize("value", [[[1.0, 2.0], [3.0, 4.0]], ((1.0, 2), (3, np.float32(4)))])
def test_lists_of_lists_of_numbers_are_an_array_of_python_floats(value):
    assert shape_of(value) == (2, 2)
    assert to_numpy(value).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert dtype_name(value) == "float64"


@pytest.mark.parametrize("value", [np.array(["a"]), np.array([None]), np.ones(2, complex)])
def test_an_array_of_no_real_numbers_is_refused(value):
    with pytest.raises(TypeError, match="which holds no real numbers"):
        to_numpy(value)


def test_one_of_several_results_is_picked():
    w = np.ones(3)
    assert pick((w, 0), "0") is w
    assert pick({"dense": {"kernel": w}}, "dense.kernel") is w
    assert pick(Params(w, 0), "w") is w
    assert pick(torch.nn.Linear(2, 3), "weight").shape == (3, 2)
    assert entries(Params(1, 2)) == ["w", "b"]
    assert array_places([(w, w), {"b": w, "name": "x"}]) == ["0.0", "0.1", "1.b"]
    with pytest.raises(UsageError, match="there is no 'kernal' in a dict; it holds kernel, bias"):
        pick({"kernel": w, "bias": w}, "kernal")
    with pytest.raises(UsageError, match="there is no '2' in a tuple; it holds 0, 1"):
        pick((w, w), "2")
