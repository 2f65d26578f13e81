"""Convolutions that take one number for all sides of a kernel are asked for such kernels alone; others for all."""

from __future__ import annotations

import numpy as np
import pytest

import initcheck
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load

CLAIMS = ["accepts-every-shape", "returns-the-shape-asked", "output-variance-near-one"]


def of_one_side(kernel, cin, cout, rng):
    return rng.normal(0, np.sqrt(2 / (kernel * kernel * cin)), (cout, cin, kernel, kernel))


def of_one_side_last(cin, cout, ksize):
    return np.random.randn(ksize, ksize, cin, cout) * np.sqrt(2 / (cin * ksize**2))


def of_both(cin, cout, kernel_size):
    height, width = kernel_size
    return np.random.randn(height, width, cin, cout) * np.sqrt(2 / (cin * height * width))


def without_the_kernel(kernel, cin, cout, rng):
    return rng.normal(0, np.sqrt(2 / cin), (cout, cin, kernel, kernel))


def of_odd_sides(kernel, cin, cout, rng):
    if kernel % 2 == 0:
        raise ValueError("an even kernel has no middle")
    return of_one_side(kernel, cin, cout, rng)


@pytest.mark.parametrize(
    ("function", "signature"),
    [
        (of_one_side, "(kernel_side, in, out, rng)"),
        (of_one_side_last, "(in, out, kernel_side)"),
        (of_both, "(in, out, kernel)"),
    ],
)
def test_what_is_right_holds_at_the_kernels_that_it_takes(function, signature):
    [initializer] = load(function).initializers
    assert initializer.signature == signature
    report = initcheck.check(function, profile="quick", claims=CLAIMS)
    assert {r.verdict for r in report} == {Verdict.HOLDS}


@pytest.mark.parametrize(
    ("function", "claim"),
    [(without_the_kernel, "output-variance-near-one"), (of_odd_sides, "accepts-every-shape")],
)
def test_what_is_wrong_fails_at_such_a_kernel(function, claim):
    [result] = initcheck.check(function, profile="quick", claims=[claim], contract={"activation": "relu"})
    assert result.verdict is Verdict.FAILS
    assert len({*result.evidence.shape[2:]}) == 1


def test_the_same_law_in_two_layouts_is_compared_at_such_kernels():
    assert initcheck.same(of_one_side, of_one_side_last, profile="quick").ok
