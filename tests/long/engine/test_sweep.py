"""One width wrong among all others is found, whatever it does wrong there; a sound law is asked of nothing more."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import initcheck
from initcheck.claims.registry import find
from initcheck.contract.contract import Contract
from initcheck.contract.layer import Layer
from initcheck.engine.checker import Checker, Settings
from initcheck.engine.sweep import suspects
from initcheck.engine.trials.judge import Judge
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load

Init = Callable[..., "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"]
OUT_IN = Contract(activation="linear", fan="fan_in", layout="out_in")


def lecun(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(1 / math.sqrt(shape[1]))


def off_at(axis: int, width: int, variance: float) -> Init:
    def off(shape: tuple[int, int], rng: np.random.Generator):
        return lecun(shape, rng) * np.float32(math.sqrt(variance) if shape[axis] == width else 1)

    return off


def verdicts(init: Init, *claims: str, profile: str = "default") -> dict[str, tuple[Verdict, tuple[int, ...] | None]]:
    report = initcheck.check(init, contract=OUT_IN, claims=claims, profile=profile)
    return {r.claim: (r.verdict, r.evidence.shape) for r in report}


@pytest.mark.parametrize("variance", [1.5, 0.6])
@pytest.mark.parametrize(("axis", "width"), [(1, 100), (1, 211), (1, 768), (0, 77), (0, 1000)])
def test_one_width_alone_is_found(axis: int, width: int, variance: float) -> None:
    claim = "output-variance-near-one"
    verdict, shape = verdicts(off_at(axis, width, variance), claim)[claim]
    assert verdict is Verdict.FAILS
    assert shape is not None
    assert shape[axis] == width


def test_the_quick_profile_glances_at_widths_up_to_64() -> None:
    claim = "output-variance-near-one"
    assert verdicts(off_at(1, 61, 1.5), claim, profile="quick")[claim] == (Verdict.FAILS, (1, 61))
    assert verdicts(off_at(1, 211, 1.5), claim, profile="quick")[claim][0] is Verdict.HOLDS


def test_a_call_that_breaks_at_one_width_alone_fails_the_claim_that_says_so() -> None:
    def raises(shape: tuple[int, int], rng: np.random.Generator):
        if shape[0] == 77:
            raise ValueError("77")
        return lecun(shape, rng)

    def turned(shape: tuple[int, int], rng: np.random.Generator):
        return lecun(shape, rng).T if shape[1] == 90 else lecun(shape, rng)

    def not_finite(shape: tuple[int, int], rng: np.random.Generator):
        weights = lecun(shape, rng)
        if shape[1] == 96:
            weights[0, 0] = np.nan
        return weights

    for init, claim, shape in (
        (raises, "accepts-every-shape", (77, 1)),
        (turned, "returns-the-shape-asked", (1, 90)),
        (not_finite, "finite", (1, 96)),
    ):
        assert verdicts(init, claim)[claim] == (Verdict.FAILS, shape)


@pytest.mark.parametrize("name", ["he_normal", "lecun_uniform", "glorot_normal"])
def test_the_mean_square_of_a_sound_law_is_suspect_nowhere(name: str) -> None:
    checker = Checker(Settings(profile="default"))
    subject = checker.subject(load(f"initcheck.gallery:{name}").initializers[0])
    trial = Judge(subject, checker.ledger.claim())
    found = suspects(find("output-variance-near-one"), trial)
    assert len(found) <= 3
    assert all(isinstance(layer, Layer) and layer in subject.domain.sweep for layer in found)
    assert not trial.decided
    assert not trial.undecided


def test_no_width_is_glanced_at_where_every_new_shape_is_compiled() -> None:
    keras = pytest.importorskip("keras")
    subject = Checker(Settings(profile="default")).subject(load("keras.initializers.HeNormal()").initializers[0])
    assert subject.costly_shapes == (keras.config.backend() == "jax")
    assert bool(subject.domain.sweep) != subject.costly_shapes
    assert not Checker(Settings()).subject(load("torch.nn.init.xavier_normal_").initializers[0]).costly_shapes
