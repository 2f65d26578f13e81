"""What is said of layers whose builds or runs are dear, and how many of them it takes."""

import pytest
from dear_layers import ChebyKANLayer, KANLinear, LoRADrawnTwice, LoRALinear

import initcheck
from initcheck.layers.bench.builder import Builder

pytestmark = pytest.mark.long


def judged(monkeypatch, target, claims=None):
    built, build = [], Builder.build
    monkeypatch.setattr(Builder, "build", lambda self, size, seed: built.append(seed) or build(self, size, seed))
    report = initcheck.check(target, profile="quick", claims=claims)
    return {r.claim: r for r in report}, len(built)


def test_an_update_that_starts_at_zero_is_meant(monkeypatch):
    found, built = judged(monkeypatch, LoRALinear)
    assert {r.verdict.name for r in found.values()} == {"HOLDS", "NOT_APPLICABLE"}
    assert built < 20_000


def test_an_update_that_is_drawn_is_too_much(monkeypatch):
    found, built = judged(monkeypatch, LoRADrawnTwice, ["output-variance-near-one"])
    assert found["output-variance-near-one"].verdict.name == "FAILS"
    assert built < 15_000


def test_splines_fitted_by_least_squares_take_few_builds(monkeypatch):
    found, built = judged(monkeypatch, KANLinear)
    assert found["output-variance-near-one"].evidence.likely.startswith("variance is 0.333/fan_in")
    assert found["units-differ"].verdict.name == "HOLDS"
    assert built < 4_000


def test_polynomials_of_a_wrong_scale_are_told_how_it_goes_with_the_inputs(monkeypatch):
    found, built = judged(monkeypatch, ChebyKANLayer, ["output-variance-near-one"])
    assert "/inputs times the variance that is due" in found["output-variance-near-one"].evidence.likely
    assert built < 15_000
