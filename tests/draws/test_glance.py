"""Small cases that are drawn together: the same calls, and the same sums, as one by one."""

from __future__ import annotations

import numpy as np
import pytest

from initcheck.contract.layer import Layer
from initcheck.draws.draws import Draws
from initcheck.draws.streams import SCREEN
from initcheck.targets.loading import load

CASES = {Layer((n, m)): calls for n, m, calls in ((1, 1, 40), (2, 7, 20), (5, 3, 17), (9, 30, 2), (40, 40, 1))}


def of_numpy(shape, rng):
    return rng.normal(size=shape)


def of_numpy_globally(shape):
    return np.random.normal(size=shape).astype(np.float32)


def tied(shape, rng):
    return np.broadcast_to(rng.normal(size=shape[1:]), shape).copy()


def one_not_finite(shape, rng):
    weights = rng.normal(size=shape)
    weights[-1, -1] = np.inf if shape == (5, 3) else 0.0
    return weights


@pytest.mark.parametrize("function", [of_numpy, of_numpy_globally, tied, one_not_finite], ids=lambda f: f.__name__)
def test_what_is_glanced_at_is_what_is_drawn_one_by_one(function):
    [initializer] = load(function).initializers
    together, apart = Draws(initializer, 3), Draws(initializer, 3)
    together.glance(CASES, "float32")
    assert together.calls == sum(CASES.values())
    for case, calls in CASES.items():
        assert together.recorded(case, "float32", SCREEN) == calls
        # More calls than were glanced at go on where those ended.
        one, other = (d.records(case, "float32", SCREEN, calls + 30) for d in (together, apart))
        for name in ("total", "energy", "row_sum_energy", "nonfinite", "largest", "may_tie"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12, err_msg=name)
    assert together.nonfinite == apart.nonfinite
    assert bool(together.nonfinite) == (function is one_not_finite)


def test_what_raises_is_left_to_be_drawn_one_by_one():
    def raising(shape, rng):
        if shape == (5, 3):
            raise ValueError("no")
        return rng.normal(size=shape)

    [initializer] = load(raising).initializers
    draws = Draws(initializer, 0)
    draws.glance(CASES, "float32")
    assert not any(draws.recorded(case, "float32", SCREEN) for case in CASES)
