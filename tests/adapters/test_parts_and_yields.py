"""Complex weights that come as two real arrays, functions that yield their arrays, members of an enumeration."""

import enum
import itertools

import numpy as np
import pytest
import torch

import initcheck
from initcheck.adapters.recognition import recognise
from initcheck.adapters.refusals import ComplexWeights
from initcheck.errors import UsageError


def real_and_imag(shape, rng, scale=0.5):
    std = (scale / shape[1]) ** 0.5
    real, imag = rng.normal(0, std, shape), rng.normal(0, std, shape)
    return real, imag


def in_a_dict(shape, rng):
    real, imag = real_and_imag(shape, rng)
    return {"real": real, "imag": imag}


def last_axis(out_features, in_features):
    weight = torch.randn(out_features, in_features, dtype=torch.cfloat) / in_features**0.5
    return torch.view_as_real(weight)


def too_large(shape, rng):
    """Each part as if it were the whole, of imaginary numbers too."""
    return real_and_imag(shape, rng, 1.0)


def query_and_key(shape, rng):
    return rng.normal(0, shape[1] ** -0.5, shape), rng.normal(0, shape[1] ** -0.5, shape)


@pytest.mark.parametrize("init", [real_and_imag, in_a_dict, last_axis])
def test_both_parts_of_complex_weights_are_checked_each_times_the_root_of_two(init):
    with pytest.raises(ComplexWeights, match="real and imaginary parts"):
        recognise(init, "init")
    part = recognise(init, "init", parameter="imag")
    drawn = np.stack([part.sampler.to_numpy(w) for w in part.sampler.weights((40, 64), range(20), "float32")])
    assert drawn.shape == (20, 40, 64)
    assert np.mean(drawn**2) * 64 == pytest.approx(1, rel=0.03)


def of_networks(shape, rng):
    """Queries and keys of complex networks."""
    return query_and_key(shape, rng)


@pytest.mark.parametrize("query_and_key", [query_and_key, of_networks])
def test_two_matrices_that_are_no_parts_are_asked_for_by_number(query_and_key):
    with pytest.raises(UsageError, match="parameter='0' or parameter='1'"):
        recognise(query_and_key, "init")


@pytest.mark.parametrize(("init", "verdict"), [(real_and_imag, "HOLDS"), (too_large, "FAILS")])
def test_parts_are_held_to_what_the_whole_owes(init, verdict):
    contract = {"activation": "linear", "layout": "out_in"}
    report = initcheck.check(init, contract=contract, claims=["output-variance-near-one"], profile="quick")
    assert {r.verdict.value for r in report} == {verdict}
    assert len(list(report)) == 2


def layer_weights(sizes, rng):
    for n_in, n_out in itertools.pairwise(sizes):
        yield rng.normal(0, (1 / n_in) ** 0.5, (n_in, n_out))


def without_an_end(sizes, rng):
    while True:
        yield rng.normal(0, (1 / sizes[0]) ** 0.5, sizes)


class Yields:
    def __call__(self, sizes, rng):
        yield from layer_weights(sizes, rng)


@pytest.mark.parametrize("init", [layer_weights, Yields()])
def test_what_yields_its_arrays_is_read_as_what_returns_them(init):
    made = recognise(init, "init")
    [drawn] = made.sampler.calls((8, 5), [3], "float32")
    assert np.array_equal(drawn, np.random.default_rng(3).normal(0, (1 / 8) ** 0.5, (8, 5)))


def test_what_yields_without_an_end_is_refused_and_named():
    with pytest.raises(UsageError, match="returns several things"):
        recognise(without_an_end, "init")


class Scheme(enum.Enum):
    HE = 2.0
    LECUN = 1.0

    def __call__(self, shape, rng):
        return rng.normal(0, (self.value / shape[1]) ** 0.5, shape)


def test_an_enumeration_is_answered_with_its_members_and_each_of_them_is_read():
    with pytest.raises(UsageError, match=r"name one of its members: mod:Scheme\.HE or mod:Scheme\.LECUN\."):
        recognise(Scheme, "mod:Scheme")
    [drawn] = recognise(Scheme.HE, "mod:Scheme.HE").sampler.calls((8, 5), [3], "float32")
    assert np.array_equal(drawn, np.random.default_rng(3).normal(0, 0.4**0.5, (8, 5)))
