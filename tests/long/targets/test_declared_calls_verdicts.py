"""The verdicts on complex weights and on stacked matrices, right ones and wrong ones."""

import jax
import numpy as np
import pytest

from initcheck import check


def complex_glorot(shape, rng):
    modulus = rng.rayleigh(1 / np.sqrt(sum(shape)), shape)
    return modulus * np.exp(1j * rng.uniform(-np.pi, np.pi, shape))


def complex_without_root(shape, rng):
    modulus = rng.rayleigh(1 / sum(shape), shape)
    return modulus * np.exp(1j * rng.uniform(-np.pi, np.pi, shape))


def experts(shape, rng):
    return rng.normal(0, shape[1] ** -0.5, shape)


def one_key_for_all(shape, rng):
    return np.broadcast_to(rng.normal(0, shape[1] ** -0.5, shape[1:]), shape)


@pytest.mark.parametrize(("function", "verdict"), [(complex_glorot, "HOLDS"), (complex_without_root, "FAILS")])
def test_a_missing_root_fails_in_both_parts(function, verdict):
    contract = {"fan": "fan_avg", "layout": "in_out", "activation": "linear", "widths": (8, 64)}
    report = check(function, claims=["output-variance-near-one"], contract=contract, profile="quick")
    assert [r.verdict.value for r in report.results] == [verdict] * 2


@pytest.mark.parametrize(("function", "verdict"), [(experts, "HOLDS"), (one_key_for_all, "FAILS")])
def test_members_that_are_equal_are_units_that_are_copies(function, verdict):
    contract = {"stack": 0, "layout": "in_out", "activation": "linear", "widths": (8, 64)}
    report = check(function, claims=["units-differ"], contract=contract, profile="quick")
    assert [r.verdict.value for r in report.results] == [verdict]


@pytest.mark.parametrize(
    "init",
    [
        jax.nn.initializers.variance_scaling(1.0, "fan_in", "normal", in_axis=0, out_axis=(1, 2)),
        jax.nn.initializers.lecun_normal(batch_axis=0),
    ],
)
def test_a_scale_along_the_axes_that_jax_was_told_holds_and_half_of_what_is_promised_fails(init):
    right = check(init, claims=["output-variance-near-one", "variance-follows-one-law"])
    assert [r.verdict.value for r in right.results] == ["HOLDS", "HOLDS"]
    wrong = check(init, claims=["output-variance-near-one"], contract="activation=relu")
    assert [r.verdict.value for r in wrong.results] == ["FAILS"]
