"""The axes of the inputs, the units and the batch that a function of jax.nn.initializers was told."""

import functools

import jax
import numpy as np
import pytest

from initcheck.adapters.jax_axes import Axes
from initcheck.targets.loading import load

initializers = jax.nn.initializers
ONE_TO_MANY = initializers.variance_scaling(1.0, "fan_in", "normal", in_axis=0, out_axis=(1, 2))
TOLD = {
    "units along two axes": (ONE_TO_MANY, (5, 2, 3)),
    "inputs along three, in the middle": (initializers.he_normal(in_axis=(-3, -2), out_axis=0), (6, 1, 5)),
    "inputs first of any number": (initializers.glorot_uniform(in_axis=0, out_axis=1), (5, 6)),
    "a batch of matrices": (initializers.lecun_normal(batch_axis=0), (4, 5, 6)),
    "a batch along two axes": (initializers.he_uniform(batch_axis=(0, 1)), (2, 2, 5, 6)),
    "of a partial": (functools.partial(initializers.lecun_normal, in_axis=0, out_axis=(1, 2)), (5, 2, 3)),
    "with its dtype": (functools.partial(ONE_TO_MANY, dtype="float32"), (5, 2, 3)),
}


@pytest.mark.parametrize("told", TOLD)
def test_it_is_asked_for_the_axes_that_it_was_told(told):
    init, asked = TOLD[told]
    [found] = load(init).initializers
    assert found.contract.layout == "in_out"
    assert found.ranks == (2,)
    assert found.sampler.asked((5, 6)) == asked
    assert found.sampler.to_numpy(found.sampler.weights((5, 6), [1], "float32")[0]).shape == (5, 6)


def test_a_layout_that_the_user_declares_is_taken_at_its_word():
    [found] = load(TOLD["a batch of matrices"][0], contract="stack=0,layout=in_out").initializers
    assert found.sampler.asked((5, 6)) == (4, 5, 6)
    [found] = load(initializers.glorot_uniform(in_axis=0, out_axis=1), contract="layout=iohw").initializers
    assert not hasattr(found.sampler, "asked")


@pytest.mark.parametrize(
    ("init", "layout"),
    [
        (initializers.he_normal(), "in_out"),
        (initializers.he_normal(in_axis=1, out_axis=0), "out_in"),
        (initializers.orthogonal(column_axis=0), "out_in"),
    ],
)
def test_the_usual_axes_are_asked_for_kernels_too(init, layout):
    [found] = load(init).initializers
    assert found.contract.layout == layout
    assert 4 in found.ranks


def test_matrices_are_read_off_the_axes_in_their_order():
    weights = np.arange(24).reshape(2, 3, 4)
    [one] = Axes(ins=(2,), outs=(0, 1), batch=()).matrices(weights)
    np.testing.assert_array_equal(one, weights.reshape(6, 4).T)
    batch = Axes(ins=(0,), outs=(2,), batch=(1,)).matrices(weights)
    np.testing.assert_array_equal(batch[1], weights[:, 1])
    assert Axes.of({"in_axis": 0, "out_axis": 0}) is None
