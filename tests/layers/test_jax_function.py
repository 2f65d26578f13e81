"""A layer of JAX as a function: batches of one size, whatever the first argument is made of."""

from __future__ import annotations

import numpy as np
import pytest

jax = pytest.importorskip("jax")
eqx = pytest.importorskip("equinox")

from initcheck.layers.functions.jax_function import JaxFunction  # noqa: E402
from initcheck.layers.recognition import layer_initializer  # noqa: E402


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


class Direction(eqx.Module):
    """A weight, divided by its rows' lengths as it is run."""

    weight: jax.Array

    def __init__(self, in_size, out_size, *, key):
        self.weight = jax.random.normal(key, (out_size, in_size))

    def __call__(self, x):
        runs.append(x)
        return (self.weight / jax.numpy.linalg.norm(self.weight, axis=1, keepdims=True)) @ x


class Shuffled(Direction):
    """Its order is no parameter, and another one in each build."""

    order: jax.Array

    def __init__(self, in_size, out_size, *, key):
        super().__init__(in_size, out_size, key=key)
        self.order = jax.random.permutation(key, out_size)

    def __call__(self, x):
        return super().__call__(x)[self.order]


runs: list[object] = []


@pytest.mark.parametrize("cls", [Direction, Shuffled])
def test_many_builds_are_run_with_numbers_of_their_own_and_compiled_once_where_these_are_all(cls) -> None:
    sampler = layer_initializer(cls, cls.__name__, {}).sampler
    functions = sampler.functions(sampler.sizes[2], list(range(6)))
    width = sampler.sizes[2].inputs
    x = np.random.default_rng(0).standard_normal((8, width)).astype(np.float32)
    runs.clear()
    found = [function.run(function.parameters(), (x,)) for function in functions]
    assert len(runs) == (1 if cls is Direction else 6)
    for function, out in zip(functions, found, strict=True):
        weight = np.asarray(function.layer.weight)
        alone = x @ (weight / np.linalg.norm(weight, axis=1, keepdims=True)).T
        if cls is Shuffled:
            alone = alone[:, np.asarray(function.layer.order)]
        np.testing.assert_allclose(out, alone, rtol=1e-4, atol=1e-5)
    assert functions[0].prepared().run(functions[0].parameters(), (x,)).shape == found[0].shape
