"""A function that says it is for convolutions of so many sides is asked for these, not for matrices."""

import numpy as np
import pytest

from initcheck import check
from initcheck.targets.loading import load


def he_of_channels(shape, rng):
    """He for 1-d convolutions, weights (out, in, width)."""
    return rng.normal(0, np.sqrt(2 / shape[1]), shape)


def he_of_conv1d(shape, rng):
    return rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)


def he_of_rank_four(shape, rng):
    """He for 1d convolutions: axes 1 to 3 of a longer kernel are counted, and of a short one the channels alone."""
    fan_in = np.prod(shape[1:4]) if len(shape) == 4 else shape[1]
    return rng.normal(0, np.sqrt(2 / fan_in), shape)


def he_of_both(shape, rng):
    """He of linear layers and 1-d convolutions."""
    return rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)


def conv2d_start(shape, rng):
    """Takes matrices alone, whatever its name says."""
    _rows, columns = shape
    return rng.normal(0, np.sqrt(2 / columns), shape)


def fans_of_channels(shape):
    if len(shape) == 2:
        return shape
    in_channels, out_channels = shape[-2:]
    return in_channels, out_channels


def he_by_its_fans(shape, rng):
    fan_in, _ = fans_of_channels(shape)
    return rng.normal(0, np.sqrt(2 / fan_in), shape)


def he_of_a_graph(shape, rng):
    out_channels, in_channels = shape[0], shape[1]
    return rng.normal(0, np.sqrt(2 / in_channels), (out_channels, *shape[1:]))


def he_of_a_stack(shape, rng):
    if len(shape) < 3:
        return rng.normal(0, np.sqrt(2 / shape[0]), shape)
    _experts, inputs, _units = shape[-3:]
    return rng.normal(0, np.sqrt(2 / inputs), shape)


def he_converted(shape, rng):
    converted = np.asarray(rng.normal(0, np.sqrt(2 / shape[-2]), shape))
    return converted


def he_of_positions_too(shape, rng):
    in_channels = shape[-2]
    receptive_field = np.prod(shape[:-2])
    return rng.normal(0, np.sqrt(2 / (in_channels * receptive_field)), shape)


@pytest.mark.parametrize(
    ("init", "ranks"),
    [(he_of_channels, (3,)), (he_of_conv1d, (3,)), (he_of_both, (2, 3)), (conv2d_start, ())],
)
def test_it_is_asked_for_what_it_says(init, ranks):
    [found] = load(init).initializers
    assert found.ranks == ranks


@pytest.mark.parametrize(
    ("init", "verdict"),
    [
        (he_of_channels, "FAILS"),
        (he_of_rank_four, "FAILS"),
        (he_of_conv1d, "HOLDS"),
        (he_by_its_fans, "FAILS"),
        (he_of_a_graph, "HOLDS"),
        (he_of_a_stack, "HOLDS"),
        (he_converted, "HOLDS"),
        (he_of_positions_too, "HOLDS"),
    ],
)
def test_the_width_of_a_kernel_that_is_not_counted_fails(init, verdict):
    report = check(init, claims=["output-variance-near-one"], profile="quick")
    assert report["output-variance-near-one"].verdict.value == verdict
