"""Laws of the variance: the right one is named, with its constant and its exceptions."""

import math

import numpy as np
import pytest

from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.denominators import DENOMINATORS, POWER_LAWS, denominator_named
from initcheck.diagnosis.evidence.variance_law import LawSample, VarianceLaw, exponents, fit_laws

DENSE = [
    Layer(s)
    for s in [
        (256, 256), (24, 300), (300, 24), (64, 128), (128, 64), (1, 64), (64, 1), (1, 1),
        (3, 33), (33, 3), (7, 5), (5, 7), (2, 127), (127, 2), (100, 257), (257, 100),
    ]
]  # fmt: skip
CONVOLUTIONS = [
    Layer(s, "oihw")
    for s in [
        (32, 16, 3, 3), (16, 32, 3, 3), (8, 8, 1, 1), (64, 3, 7, 7), (12, 20, 5, 2), (24, 6, 3, 5), (6, 24, 1, 4),
    ]
]  # fmt: skip


def measured(layers, variance, seed=0, n=4096):
    """Mean squares of n normal weights with the given variance at each layer."""
    rng = np.random.default_rng(seed)
    return [LawSample(a, float(variance(a) * rng.chisquare(n) / n), math.sqrt(2 / n), n) for a in layers]


def best(layers, variance, **kwargs) -> VarianceLaw:
    return fit_laws(measured(layers, variance, **kwargs))[0]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", [d.name for d in DENOMINATORS])
def test_every_law_of_the_library_is_named_on_its_own_data(name, seed):
    d = denominator_named(name)
    plan = DENSE + CONVOLUTIONS

    def variance(a):
        return 2 / d.of(a) if d.of(a) > 0 else math.inf

    law = best(plan, variance, seed=seed)
    # Another name is right only where it gives the same number at every layer of the plan.
    assert all(law.denominator.of(a) == pytest.approx(d.of(a)) for a in plan), (law, law.exceptions)
    assert law.constant == pytest.approx(2, rel=0.02)
    assert law.exceptions == ()


def test_a_plain_fan_is_preferred_to_an_odd_law_that_saves_one_exception():
    samples = [LawSample(a, 1 / a.fan_in, 0.01, 9999) for a in DENSE if a.fan_in > 40 or a.fan_in == 3]
    twisted = [LawSample(s.layer, 1 / (s.layer.fan_in - 1), 0.01, 9999) if s.layer.fan_in == 3 else s for s in samples]
    assert fit_laws(twisted)[0].denominator.name == "fan_in"
    assert [a.fan_in for a in fit_laws(twisted)[0].exceptions] == [3]


def test_a_fan_that_wraps_at_256_is_fan_in_with_the_wide_layers_as_exceptions():
    law = best(DENSE, lambda a: 2 / (a.fan_in % 256 or 1))
    assert law.denominator.name == "fan_in"
    assert law.constant == pytest.approx(2, rel=0.03)
    assert {a.fan_in for a in law.exceptions} == {256, 257, 300}


def test_a_weighted_median_would_be_fooled_where_the_consensus_is_not():
    # Nearly all weights lie in the wrong layers: the constant still is what most layers say.
    samples = [LawSample(a, 1 / a.fan_in, 0.02, 4096) for a in DENSE if a.fan_in < 100]
    samples += [LawSample(Layer((512, w)), 1.0, 1e-3, 2**20) for w in (256, 300, 511, 700)]
    law = fit_laws(samples)[0]
    assert (law.denominator.name, round(law.constant, 6)) == ("fan_in", 1.0)
    assert len(law.exceptions) == 4


def test_zero_infinite_and_nan_layers_are_exceptions_and_never_an_error():
    bad = {1: 0.0, 5: math.inf, 7: math.nan}
    samples = [LawSample(a, bad.get(a.fan_in, 1 / a.fan_in), 0.02, 4096) for a in DENSE]
    law = fit_laws(samples)[0]
    assert law.denominator.name == "fan_in"
    assert {a.fan_in for a in law.exceptions} == {1, 5, 7}
    assert fit_laws([]) == []
    assert fit_laws([LawSample(DENSE[0], 0.0, math.nan, 4)]) == []


def test_dividing_by_zero_is_part_of_the_law_fan_in_minus_one():
    law = best(DENSE, lambda a: 1 / (a.fan_in - 1) if a.fan_in > 1 else math.inf)
    assert law.denominator.name == "fan_in - 1"
    assert law.exceptions == ()
    assert law.variance(Layer((4, 1))) == math.inf


def test_noisy_layers_of_few_weights_are_no_exceptions():
    hits = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        samples = []
        for a in DENSE:
            n = max(64, a.weights)
            samples.append(LawSample(a, float(rng.chisquare(n) / n / a.fan_in), math.sqrt(2 / n), n))
        law = fit_laws(samples)[0]
        hits += law.denominator.name == "fan_in" and not law.exceptions
    assert hits == 40


def test_constant_lies_within_four_standard_errors():
    off = [
        (law.constant - 2) / (2 * law.standard_error)
        for law in (best(DENSE, lambda a: 2 / a.fan_in, seed=s) for s in range(60))
    ]
    assert np.abs(off).max() < 4
    assert 0.6 < np.std(off) < 1.4


def test_power_laws_leave_out_what_fails_at_some_shapes():
    names = {d.name for d in POWER_LAWS}
    assert {"fan_in", "fan_in^2", "1", "fan_min"} <= names
    assert not names & {"fan_in - 1", "2*(fan_in//2)"}
    wrapped = fit_laws(measured(DENSE, lambda a: 2 / (2 * (a.fan_in // 2) or 1e-9)), POWER_LAWS)[0]
    assert any(a.fan_in == 3 for a in wrapped.exceptions)


@pytest.mark.parametrize(
    ("variance", "expected"),
    [
        (lambda a: 2 / a.fan_in, (math.log(2), -1, 0, 0)),
        (lambda a: 1 / (a.fan_in * a.fan_out), (0, -1, -1, 0)),
        (lambda a: 1 / a.channels, (0, -1, 0, 1)),
        (lambda a: 0.02**2, (2 * math.log(0.02), 0, 0, 0)),
    ],
)
def test_exponents_are_those_of_the_law(variance, expected):
    assert exponents(measured(DENSE + CONVOLUTIONS, variance)) == pytest.approx(expected, abs=0.05)


def test_exponents_of_nothing_say_so():
    with pytest.raises(ValueError, match="none of 1 second moments is positive and finite"):
        exponents([LawSample(DENSE[0], math.nan, 0.1, 4)])


def test_a_law_is_worded_as_a_formula():
    assert str(VarianceLaw(denominator_named("fan_in"), 2.0, (), 0, 0, 9)) == "2/fan_in"
    assert str(VarianceLaw(denominator_named("fan_in^2"), 4.0, (), 0, 0, 9)) == "4/(fan_in^2)"
    assert str(VarianceLaw(denominator_named("1"), 0.0004, (), 0, 0, 9)) == "0.0004 at every width"


def test_an_unknown_denominator_lists_the_valid_ones():
    with pytest.raises(KeyError, match="fan_in"):
        denominator_named("fan")
