"""Why around zero: what a mean that is not zero does to a layer and to a network, as a theorem."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from hypothesis import example, given
from hypothesis import strategies as st

from initcheck.claims import claim, fail_unless
from initcheck.networks.activations import activation
from initcheck.networks.signal import energy_ratio_forward
from initcheck.networks.strategies import examples, seeds

Array = npt.NDArray[np.float64]

DRAWS = 32
LEVEL = 1e-9
SHIFT = 0.5


def _off_centre(rng: np.random.Generator, width: int, c: float) -> Array:
    """A square matrix of standard deviation 1 and mean mu = c/sqrt(width)."""
    return rng.standard_normal((width, width)) + c / math.sqrt(width)


# One layer: the mean is a rank-one part, and leaves the bulk


def _one_singular_value_alone_leaves(width: int, c: float, seed: int) -> None:
    """The exact part, true of every matrix: W = Z + mu 1 1^T moves one singular value only, by mu * width."""
    w = _off_centre(np.random.default_rng(seed), width, c)
    mu = c / math.sqrt(width)
    of_w, of_z = (np.linalg.svd(m, compute_uv=False) for m in (w, w - mu))
    rounding = 8 * width * float(np.finfo(np.float64).eps) * of_w[0]
    fail_unless(of_w[1] <= of_z[0] + rounding, f"the second singular value {of_w[1]:.4g} is beyond {of_z[0]:.4g}.")
    apart = abs(of_w[0] - mu * width)
    fail_unless(apart <= of_z[0] + rounding, f"the first, {of_w[0]:.4g}, is further from mu d than {of_z[0]:.4g}.")


def _spike(width: int, c: float, seed: int) -> float:
    """The largest singular value, mean of 32 draws, in units of the standard deviation."""
    rng = np.random.default_rng(seed)
    largest = [np.linalg.svd(_off_centre(rng, width, c), compute_uv=False)[0] for _ in range(DRAWS)]
    return float(np.mean(largest))


def _spike_allowed() -> float:
    """How far that mean may lie from its limit.

    The largest singular value is a 1-Lipschitz function of the entries, so that the mean of n draws is within
    sqrt(2 ln(2/level) / n) of its expectation but for probability ``LEVEL`` (Boucheron, Lugosi & Massart
    2013, Concentration Inequalities, theorem 5.6). The expectation nears its limit like 1/sqrt(width): at the
    edge of the bulk it is 0.5 short at width 64; half a standard deviation is allowed for that.
    """
    return math.sqrt(2 * math.log(2 / LEVEL) / DRAWS) + SHIFT


def _spike_is_at(width: int, c: float, seed: int) -> None:
    expected = math.sqrt(width) * (c + 1 / c)
    found = _spike(width, c, seed)
    fail_unless(
        abs(found - expected) <= _spike_allowed(),
        f"the largest singular value is {found:.4g}, not {expected:.4g} +- {_spike_allowed():.2g}.",
    )


# Many layers: the signal grows


def _growth(c: float, width: int, layers: int) -> tuple[float, float]:
    """log10 of the energy gained, by recursion of mean m and variance q of a pre-activation; and its error.

    He's sigma^2 = 2/width with ReLU: m' = mu width E h = c sqrt(2) E h, q' = width sigma^2 E h^2 = 2 E h^2,
    for h = max(0, N(m, q)). In a finite layer the mean of h over its units is off by sd(h)/sqrt(width); that
    factor goes on to the end, as ReLU networks are homogeneous, so the variances of its logarithm add up.
    """
    m, q, variance = 0.0, 1.0, 0.0
    for _ in range(layers):
        r = m / math.sqrt(q)
        cdf = 0.5 * math.erfc(-r / math.sqrt(2))
        pdf = math.exp(-0.5 * r * r) / math.sqrt(2 * math.pi)
        first, second = m * cdf + math.sqrt(q) * pdf, (m * m + q) * cdf + m * math.sqrt(q) * pdf
        variance += (second / first**2 - 1) / width
        m, q = c * math.sqrt(2) * first, 2 * second
    # The energy is the square, hence 2; six standard deviations, and the bias -variance/2 of a logarithm.
    return math.log10(m * m + q), (2 / math.log(10)) * (6 * math.sqrt(variance) + variance / 2)


def _measured_growth(c: float, width: int, layers: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    sigma = math.sqrt(2 / width)
    weights = (sigma * _off_centre(rng, width, c) for _ in range(layers))
    return energy_ratio_forward(weights, activation("relu"), rng.standard_normal((16, width)))


def _grows_as_predicted(c: float, width: int, layers: int, seed: int) -> None:
    expected, error = _growth(c, width, layers)
    found = _measured_growth(c, width, layers, seed)
    fail_unless(
        abs(found - expected) <= error,
        f"the energy grows by 10^{found:.2f}, not by 10^{expected:.2f} (+- {error:.2f} in the exponent).",
    )


WIDTHS = st.sampled_from([64, 100, 144])
FAR = st.sampled_from([1.5, 2.0, 3.0, 5.0])
DEPTHS = st.integers(10, 40)


@examples(5)
@given(width=st.sampled_from([144, 196]), c=st.sampled_from([0.2, 0.35, 0.5]), seed=seeds())
def a_mean_below_the_threshold_stays_in_the_bulk(width: int, c: float, seed: int) -> None:
    """Dropped: mu sqrt(d)/sigma > 1. The largest singular value is at the bulk's edge, not at c + 1/c."""
    found, spike = _spike(width, c, seed), math.sqrt(width) * (c + 1 / c)
    fail_unless(abs(found - 2 * math.sqrt(width)) <= _spike_allowed(), f"the largest, {found:.4g}, is off the edge.")
    fail_unless(spike - found > _spike_allowed(), f"the largest, {found:.4g}, is where the spike would be.")


@examples(10)
@given(width=WIDTHS, c=FAR, layers=DEPTHS, seed=seeds(), sign=st.sampled_from([0.0, -1.0]))
def a_mean_of_zero_or_below_does_not_grow(width: int, c: float, layers: int, seed: int, sign: float) -> None:
    """Dropped: mu > 0. Centred weights keep the energy, and a negative mean silences ReLU."""
    expected, error = _growth(c, width, layers)
    found = _measured_growth(sign * c, width, layers, seed)
    fail_unless(found < expected - error, f"the energy grows by 10^{found:.2f} all the same.")


@claim(
    "an-off-centre-mean-grows-with-width-and-depth",
    kind="theorem",
    says="A mean mu adds a part of rank one and gain mu d: it grows with width, and by powers with depth.",
    source="Baik, Ben Arous & Peche 2005; Benaych-Georges & Nadakuditi 2012 (arXiv 1103.2221), section 3.1",
    negations=(a_mean_below_the_threshold_stays_in_the_bulk, a_mean_of_zero_or_below_does_not_grow),
    decided_by="exact interlacing; the spike and the growth within bounds from Gaussian concentration",
)
@examples(15)
@given(width=WIDTHS, c=FAR, layers=DEPTHS, seed=seeds())
@example(width=256, c=1.6, layers=30, seed=0)
def an_off_centre_mean_grows_with_width_and_depth(width: int, c: float, layers: int, seed: int) -> None:
    """Let W = sigma Z + mu 1 1^T, d wide, Z standard normal, and c = mu sqrt(d)/sigma > 1.

    The second part has rank one and sends the vector of ones to mu d times itself. By Weyl's inequalities
    s_2(W) <= s_1(sigma Z) and |s_1(W) - mu d| <= s_1(sigma Z): one singular value alone can leave the bulk,
    which ends at 2 sigma sqrt(d). For c > 1 it does, to sigma sqrt(d) (c + 1/c).

    Through layers, each adds the mean of its inputs c sqrt(2) times over (He's sigma, ReLU); ReLU's outputs
    are positive and so have a mean. At width 256, mu = 0.1 sigma is c = 1.6: 30 layers gain 10^21 in energy.
    """
    _one_singular_value_alone_leaves(width, c, seed)
    _spike_is_at(width, c, seed)
    _grows_as_predicted(c, width, layers, seed)
