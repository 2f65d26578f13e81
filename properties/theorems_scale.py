"""Why divide by sqrt(d): what the width does to the variance of a sum, as a theorem; and a myth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from initcheck.claims import claim, fail_unless
from initcheck.networks.strategies import examples, seeds

Array = npt.NDArray[np.float64]

ROUNDING = float(np.finfo(np.float64).eps)
CLEARLY = 1e7 * ROUNDING

# The output variance grows with d


@st.composite
def laws(draw: st.DrawFn, centred: bool = True) -> Array:
    """A weight's law: it takes each of two to four values with equal probability."""
    rng = np.random.default_rng(draw(seeds()))
    values = rng.standard_normal(draw(st.integers(2, 4)))
    values -= values.mean()
    return values if centred else values + 0.5 + np.abs(values).max()


@st.composite
def inputs(draw: st.DrawFn, smallest: int = 1) -> Array:
    """An input of mean square 1."""
    rng = np.random.default_rng(draw(seeds()))
    x = rng.standard_normal(draw(st.integers(smallest, 6)))
    return x / math.sqrt(float(np.mean(x * x)))


def _every_unit(law: Array, width: int) -> Array:
    """All equally likely units of that width with independent weights: a mean over them is an expectation."""
    units: Array = law[np.array(list(itertools.product(range(len(law)), repeat=width)))]
    return units


def _output_variance(units: Array, x: Array) -> float:
    """E y^2 of y = w.x, over the units."""
    return float(np.mean((units @ x) ** 2))


def _rounding(units: Array, x: Array) -> float:
    """What rounding may do to it: y is off by (width + 1) units in the last place of sum |w x|, and so is its
    square, twice; the mean of the squares adds a logarithm of their number."""
    largest = float(np.max(np.abs(units) @ np.abs(x)))
    return ROUNDING * largest**2 * (2 * (len(x) + 1) + math.log2(len(units)) + 8)


def _excess(units: Array, x: Array, expected: float) -> float:
    """|E y^2 - expected| beyond what is rounding, over the expected."""
    return max(0.0, abs(_output_variance(units, x) - expected) - _rounding(units, x)) / expected


@examples(30)
@given(law=laws(centred=False), x=inputs(smallest=2))
def off_centre_weights_break_it(law: Array, x: Array) -> None:
    """Dropped: mean zero. The square of the mean comes back once for every pair of inputs."""
    excess = _excess(_every_unit(law, len(x)), x, len(x) * float(np.mean(law**2)))
    fail_unless(excess > CLEARLY, "the output variance is d * std^2 all the same.")


@examples(30)
@given(law=laws(), x=inputs(smallest=2))
def dependent_weights_break_it(law: Array, x: Array) -> None:
    """Dropped: independence. A unit with one weight for all its inputs multiplies their sum."""
    units = np.repeat(law[:, None], len(x), axis=1)
    excess = _excess(units, x, len(x) * float(np.mean(law**2)))
    fail_unless(excess > CLEARLY, "the output variance is d * std^2 all the same.")


@examples(30)
@given(law=laws(), x=inputs(smallest=2))
def another_power_of_d_breaks_it(law: Array, x: Array) -> None:
    """Divided by d, or by its fourth root, the variance is not that of one input."""
    for power in (1.0, 0.25):
        units = _every_unit(law, len(x)) / len(x) ** power
        excess = _excess(units, x, float(np.mean(law**2)))
        fail_unless(excess > CLEARLY, f"dividing by d^{power:g} gives the variance of one input all the same.")


@claim(
    "output-variance-grows-with-d",
    kind="theorem",
    says="With a standard deviation that ignores the width d, the output variance is d times its square.",
    source="LeCun et al. 1998, Efficient BackProp, section 4.6; Glorot & Bengio 2010, eq. 5",
    negations=(off_centre_weights_break_it, dependent_weights_break_it, another_power_of_d_breaks_it),
    decided_by="exact to rounding: the expectation is the mean over all weights that the law can give",
)
@examples(60)
@given(law=laws(), x=inputs())
def output_variance_grows_with_d(law: Array, x: Array) -> None:
    """For y = sum_i w_i x_i, w_i independent of mean 0 and variance s^2: E y^2 = s^2 sum_i x_i^2.

    Hypotheses: the weights have mean zero and are independent, of each other and of x. Nothing else of their
    law matters. Proof: E y^2 = sum_ij x_i x_j E w_i w_j, and E w_i w_j = 0 for i != j. For inputs of mean
    square 1 that is d s^2; with weights divided by sqrt(d) it is s^2 at every width. So d Var w is:

        d                                1       16      256     4096
        std 0.05                         0.0025  0.04    0.64    10.24
        std 1/sqrt(d)                    1       1       1       1
        uniform on +-1/sqrt(d)           0.333   0.333   0.333   0.333
    """
    units, width, variance = _every_unit(law, len(x)), len(x), float(np.mean(law**2))
    for scale, expected in ((1.0, width * variance), (1 / math.sqrt(width), variance)):
        excess = _excess(scale * units, x, expected)
        fail_unless(excess == 0.0, f"E y^2 is off {expected:.6g} by a share of {excess:.2g} beyond rounding.")


# 'Normally distributed between -1/sqrt(d) and 1/sqrt(d)'

SAMPLES = 1 << 16
LEVEL = 1e-9
# Hoeffding: the mean of n independent numbers in [0, 1] is this close to its expectation, but for LEVEL.
CLOSE = math.sqrt(math.log(2 / LEVEL) / (2 * SAMPLES))

OUTSIDE = math.erfc(math.sqrt(0.5))  # P(|N(0, 1)| > 1) = 0.3173
CUT = 1 - math.sqrt(2 / (math.pi * math.e)) / (1 - OUTSIDE)  # the variance of N(0, 1) given |.| <= 1: 0.2911


def _share_outside(w: Array, d: int) -> float:
    return float(np.mean(np.abs(w) > 1 / math.sqrt(d)))


def _must_be(found: float, expected: float, what: str) -> None:
    fail_unless(abs(found - expected) <= CLOSE, f"{what} is {found:.4f}, not {expected:.4f} +- {CLOSE:.4f}.")


@examples(20)
@given(d=st.integers(1, 4096), seed=seeds())
def bounded_laws_have_another_variance(d: int, seed: int) -> None:
    """What lies between the bounds, uniform or cut, is not N(0, 1/d): d Var w < 1."""
    rng = np.random.default_rng(seed)
    bound = 1 / math.sqrt(d)
    normal = rng.standard_normal(4 * SAMPLES) * bound
    for w in (rng.uniform(-bound, bound, SAMPLES), normal[np.abs(normal) <= bound][:SAMPLES]):
        fail_unless(_share_outside(w, d) == 0.0, "a bounded law has weights outside its bounds.")
        fail_unless(d * float(np.mean(w * w)) < 1 - CLOSE, "a bounded law has output variance 1.")


@claim(
    "a-normal-is-not-bounded-by-one-over-sqrt-d",
    kind="myth",
    says="'Normally distributed between -1/sqrt(d) and 1/sqrt(d)' is no law: N(0, 1/d) has 31.7 % outside.",
    source="the normal distribution function; the cut normal: Johnson, Kotz & Balakrishnan 1994, Continuous"
    " Univariate Distributions, section 10.1",
    negations=(bounded_laws_have_another_variance,),
    decided_by="65,536 weights a law, within Hoeffding's bound at level 1e-9",
)
@examples(20)
@given(d=st.integers(1, 4096), seed=seeds())
def a_normal_is_not_bounded_by_one_over_sqrt_d(d: int, seed: int) -> None:
    """Three laws are meant by the sentence, and no two are the same.

    N(0, 1/d): output variance d Var w = 1, and P(|w| > 1/sqrt(d)) = P(|N(0, 1)| > 1) = 0.3173, at every d.
    Uniform between the bounds: nothing outside, and d Var w = 1/3. The normal cut at the bounds: nothing
    outside, and d Var w = 1 - 2 phi(1)/(2 Phi(1) - 1) = 0.2911. To keep output variance 1 a uniform needs the
    bounds +-sqrt(3/d).
    """
    rng = np.random.default_rng(seed)
    bound = 1 / math.sqrt(d)
    normal = rng.standard_normal(4 * SAMPLES) * bound
    _must_be(_share_outside(normal[:SAMPLES], d), OUTSIDE, "the share of N(0, 1/d) outside the bounds")
    uniform = rng.uniform(-bound, bound, SAMPLES)
    _must_be(d * float(np.mean(uniform**2)), 1 / 3, "the output variance of the uniform")
    cut = normal[np.abs(normal) <= bound][:SAMPLES]
    _must_be(d * float(np.mean(cut**2)), CUT, "the output variance of the normal cut at the bounds")
