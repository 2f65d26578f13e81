"""Several matrices side by side in one weight are judged as what they are: gates of an LSTM, packed q, k and v."""

import keras
import numpy as np
import pytest

from initcheck import check
from initcheck.targets.loading import load


def packed_gru(hidden, inputs, rng):
    return np.concatenate([rng.normal(0, inputs**-0.5, (hidden, inputs)) for _ in range(3)])


def packed_gru_without_root(hidden, inputs, rng):
    return np.concatenate([rng.normal(0, 1 / inputs, (hidden, inputs)) for _ in range(3)])


def one_gate_for_all(hidden, inputs, rng):
    return np.concatenate([rng.normal(0, inputs**-0.5, (hidden, inputs))] * 3)


def lstm_of_shape(shape, rng):
    packed, inputs = shape
    gates = [rng.normal(0, inputs**-0.5, (packed // 4, inputs)) for _ in range(4)]
    return np.concatenate(gates)


def transposed(fan_in, fan_out, rng):
    return rng.normal(0, fan_in**-0.5, (fan_in + 1, fan_out))


class Gates(keras.initializers.Initializer):
    def __init__(self, seed=None):
        self.random = keras.random.SeedGenerator(seed)

    def __call__(self, shape, dtype="float32"):
        fan_in, packed = shape
        return keras.random.normal((fan_in, packed // 4 * 4), 0.0, fan_in**-0.5, dtype=dtype, seed=self.random)


@pytest.mark.parametrize(
    ("init", "count", "layout"),
    [
        (packed_gru, 3, "out_in"),
        (lstm_of_shape, 4, "out_in"),
        pytest.param(Gates, 4, "in_out", marks=pytest.mark.long),  # Keras is loaded for it
    ],
)
def test_it_is_asked_for_matrices_side_by_side(init, count, layout):
    [found] = load(init).initializers
    assert (found.sampler.packing.count, found.contract.layout, found.ranks) == (count, layout, (2,))
    weights = found.sampler.to_numpy(found.sampler.calls((40, 60), [1], "float32")[0])
    assert weights.shape == (40, 60)
    assert abs(weights.var() * (60 if layout == "out_in" else 40) - 1) < 0.1


@pytest.mark.parametrize(
    ("init", "claim", "verdict"),
    [
        pytest.param(packed_gru, "output-variance-near-one", "HOLDS", marks=pytest.mark.long),
        pytest.param(packed_gru, "units-differ", "HOLDS", marks=pytest.mark.long),
        pytest.param(packed_gru_without_root, "output-variance-near-one", "FAILS", marks=pytest.mark.long),
        pytest.param(one_gate_for_all, "units-differ", "FAILS", marks=pytest.mark.long),
        (lstm_of_shape, "returns-the-shape-asked", "HOLDS"),
        (transposed, "returns-the-shape-asked", "FAILS"),
    ],
)
def test_each_is_held_to_what_one_matrix_is(init, claim, verdict):
    assert check(init, claims=[claim], profile="quick")[claim].verdict.value == verdict
