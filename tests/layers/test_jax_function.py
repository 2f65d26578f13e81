"""A layer of JAX as a function: batches of one size, whatever the first argument is made of."""

from __future__ import annotations

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from initcheck.layers.functions.jax_function import JaxFunction  # noqa: E402


def test_gradients_of_a_layer_that_is_given_a_tuple_of_states_first() -> None:
    def cell(parameters, carry, x):
        (c, h), kernel = carry, parameters["kernel"]
        new = x @ kernel + 2 * h + c
        return new

    kernel = np.ones((3, 2), np.float32)
    function = JaxFunction(object(), {"kernel": kernel}, cell, {})
    x, state = np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros((2, 2), np.float32)
    args = ((state, state), x)
    assert np.allclose(function.run({"kernel": kernel}, args), x @ kernel)
    inputs, of = function.pull({"kernel": kernel}, args, np.ones((2, 2)))
    assert [a.shape for a in inputs] == [(2, 2), (2, 2), (2, 3)]
    assert np.allclose(of["kernel"], x.T @ np.ones((2, 2)))
    assert np.allclose(inputs[1], 2.0)
