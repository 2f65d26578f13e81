"""An identity that is promised is let be, and what makes squares alone is asked what other matrices are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from initcheck import check
from initcheck.contract.contract import Contract
from initcheck.diagnosis.diagnosis import Observed, diagnose
from initcheck.report.verdict import Verdict

Array = npt.NDArray[Any]
LINEAR = {"activation": "linear", "layout": "out_in"}


def identity_plus_noise(n: int, rng: np.random.Generator) -> Array:
    return np.eye(n) + rng.normal(0, 0.01, (n, n))


@pytest.mark.long
def test_noise_around_a_promised_identity_keeps_the_mean_of_the_identity() -> None:
    contract = {**LINEAR, "distribution": "identity", "entries": "dependent"}
    report = check(identity_plus_noise, contract=contract, profile="quick")
    assert report.ok
    assert report["zero-mean"].verdict is Verdict.NOT_APPLICABLE
    assert report["zero-mean"].reason == "distribution=identity: the diagonal is meant to be off zero"
    assert report["output-variance-near-one"].verdict is Verdict.HOLDS


@pytest.mark.long
def test_an_identity_that_nobody_promised_fails_and_the_fix_is_one_that_helps() -> None:
    result = check(identity_plus_noise, contract=LINEAR, claims=["zero-mean"], profile="quick")["zero-mean"]
    assert result.verdict is Verdict.FAILS
    assert result.evidence.fix == "leave the identity out, or declare the distribution 'identity'"


def test_the_identity_itself_is_no_qr_decomposition() -> None:
    evidence = Observed(
        draw=lambda shape, seed: np.eye(*shape),
        contract=Contract(activation="linear", layout="out_in"),
        topic="centering",
    )
    cause = diagnose(evidence)
    assert cause is not None
    assert cause.sentence == "every call returns the identity: nothing is drawn"


@pytest.mark.long
@pytest.mark.parametrize(("repeated", "verdict"), [(False, Verdict.HOLDS), (True, Verdict.FAILS)])
def test_networks_of_squares_tell_their_units_apart(repeated: bool, verdict: Verdict) -> None:
    def squares(n: int, rng: np.random.Generator) -> Array:
        matrix = rng.normal(0, n**-0.5, (n, n))
        return np.repeat(np.repeat(matrix, 2, axis=0), 2, axis=1)[:n, :n] if repeated else matrix

    claim = "gradients-tell-units-apart"
    result = check(squares, contract=LINEAR, claims=[claim], profile="quick")[claim]
    assert result.verdict is verdict
