"""Complex weights, stacked matrices and a declared mean: each is judged as what it is meant to be."""

import numpy as np
import pytest

from initcheck.contract.contract import Contract
from initcheck.errors import UsageError
from initcheck.targets.loading import load, rebuild


def complex_glorot(shape, rng):
    modulus = rng.rayleigh(1 / np.sqrt(sum(shape)), shape)
    return modulus * np.exp(1j * rng.uniform(-np.pi, np.pi, shape))


def experts(shape, rng):
    return rng.normal(0, shape[1] ** -0.5, shape)


def one_key_for_all(shape, rng):
    return np.broadcast_to(rng.normal(0, shape[1] ** -0.5, shape[1:]), shape)


def orthogonal_experts(shape, rng):
    drawn = rng.normal(size=(shape[0], max(shape[1:]), min(shape[1:])))
    q = np.linalg.qr(drawn)[0]
    return q if shape[1] >= shape[2] else q.swapaxes(1, 2)


def one_orthogonal_for_all(shape, rng):
    return np.broadcast_to(orthogonal_experts((1, *shape[1:]), rng)[0], shape)


def fluctuating(shape, rng):
    return rng.normal(0.5, shape[0] ** -0.5, shape)


def drawn(initializer, shape):
    return initializer.sampler.to_numpy(initializer.sampler.calls(shape, [1], "float32")[0])


def test_complex_weights_are_two_initializers_with_the_variance_of_the_whole():
    real, imaginary = load(complex_glorot).initializers
    assert (real.name.endswith(".real"), imaginary.name.endswith(".imag")) == (True, True)
    for part in (real, imaginary, rebuild(imaginary.recipe)):
        assert abs(drawn(part, (300, 300)).var() * 300 - 1) < 0.05
    assert not np.array_equal(drawn(real, (3, 3)), drawn(imaginary, (3, 3)))


def test_a_stack_gives_one_matrix_whose_units_come_from_its_members():
    contract = "stack=0,layout=in_out"
    [right], [wrong] = (load(f, contract=contract).initializers for f in (experts, one_key_for_all))
    for one in (right, wrong):
        weights = drawn(one, (200, 300))
        assert weights.shape == (200, 300)
        assert abs(weights.var() * 200 - 1) < 0.05
    assert len(np.unique(drawn(right, (200, 300)).T, axis=0)) == 300
    assert len(np.unique(drawn(wrong, (200, 300)).T, axis=0)) == 75


@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8), (5, 1), (1, 5)])
def test_of_orthogonal_matrices_in_a_stack_one_is_judged_whole(shape):
    [right], [wrong] = (load(f, contract="stack=0").initializers for f in (orthogonal_experts, one_orthogonal_for_all))
    weights = drawn(right, shape)
    gram = weights @ weights.T if shape[0] <= shape[1] else weights.T @ weights
    assert np.allclose(gram, np.eye(min(shape)), atol=1e-5)
    if min(shape) > 3:
        assert len(np.unique(drawn(wrong, shape), axis=0)) < shape[0]  # members that are equal show as copies


def test_what_is_held_to_zero_is_the_rest_of_a_declared_mean():
    [meant] = load(fluctuating, contract="mean=0.5").initializers
    assert abs(drawn(meant, (200, 200)).mean()) < 0.002
    assert any("declared mean 0.5" in note for note in meant.notes)


def test_they_are_told_in_text_and_checked():
    assert Contract.from_text("mean=-0.25,stack=-1").said() == {"mean": -0.25, "stack": -1}
    assert Contract(stack=0).said() == {"stack": 0}
    with pytest.raises(UsageError, match="mean='x' must be a number"):
        Contract.from_text("mean=x")
    with pytest.raises(UsageError, match="must be the number of an axis"):
        Contract(stack=7)


def test_what_a_contract_says_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="says activation twice"):
        Contract.from_text("activation=relu,activation=tanh")
    assert Contract.from_text("activation=leaky_relu(0.1),widths=1:64").activation == "leaky_relu(0.1)"
