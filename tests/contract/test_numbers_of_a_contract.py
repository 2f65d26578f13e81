"""Numbers that contracts rest on: the rounding of every dtype, and the moments of a cut normal."""

import math

import numpy as np
import pytest

from initcheck.contract.contract import DTYPES, UNIT_ROUNDOFF
from initcheck.contract.standard_laws import truncated_moments, truncated_std


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_unit_roundoff_is_half_the_distance_from_one_to_the_next_number(dtype):
    assert UNIT_ROUNDOFF[dtype] == np.finfo(dtype).eps / 2


def test_unit_roundoff_of_bfloat16_is_that_of_its_eight_bits():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    assert UNIT_ROUNDOFF["bfloat16"] == float(ml_dtypes.finfo(ml_dtypes.bfloat16).eps) / 2
    # A number halfway between two neighbours is moved by all of it: nothing less would be a bound.
    halfway = 1 + UNIT_ROUNDOFF["bfloat16"]
    assert abs(float(np.float64(halfway).astype(ml_dtypes.bfloat16)) - halfway) == UNIT_ROUNDOFF["bfloat16"]


def test_every_dtype_with_a_roundoff_can_be_promised():
    assert set(UNIT_ROUNDOFF) < set(DTYPES)


@pytest.mark.parametrize(
    ("low", "high"), [(-2, 2), (-0.5, 3), (1, 2.5), (-3, -1), (-math.inf, 0.7), (-math.inf, math.inf)]
)
def test_moments_of_a_cut_normal_are_those_of_its_density(low, high):
    edges = np.linspace(max(low, -12), min(high, 12), 200_001)
    z = (edges[1:] + edges[:-1]) / 2
    mass = np.exp(-(z**2) / 2)
    mass /= mass.sum()
    mean = float(mass @ z)
    assert truncated_moments(low, high) == pytest.approx((mean, float(mass @ (z - mean) ** 2)), rel=1e-6, abs=1e-9)
    assert truncated_std(0.1, low, high) == pytest.approx(0.1 * math.sqrt(truncated_moments(low, high)[1]))


def test_a_normal_cut_to_nothing_has_no_spread():
    assert truncated_moments(2.0, 2.0) == (0.0, 0.0)
    assert truncated_std(0.0, -2, 2) == truncated_std(1.0, 60.0, 61.0) == 0.0
