"""What breaks only from some number of weights on: the verdicts, their causes, and what is not said beside them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from initcheck import check
from initcheck.contract.contract import Contract
from initcheck.diagnosis.diagnosis import Observed, diagnose
from initcheck.errors import UsageError
from initcheck.report.verdict import Verdict

Array = npt.NDArray[Any]
HE = {"activation": "relu", "layout": "out_in"}


def zero_from_64k(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    std = math.sqrt(2 / shape[1]) if math.prod(shape) < 2**16 else 0.0
    return rng.standard_normal(shape) * std


def nan_from_32k(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    std = math.sqrt(2 / shape[1]) if math.prod(shape) < 2**15 else math.nan
    return rng.standard_normal(shape) * std


def test_zeros_are_said_to_be_zeros_and_from_where_on() -> None:
    report = check(zero_from_64k, contract=HE, claims=["units-differ", "signal-survives-depth"])
    for result in report:
        assert result.verdict is Verdict.FAILS
        assert result.evidence.likely == "every weight is zero from 65,536 weights on"
    assert report["signal-survives-depth"].evidence.measured == "nothing is left"


def test_what_the_other_cases_exclude_is_not_said_beside_a_failure() -> None:
    failed = check(nan_from_32k, contract=HE, claims=["finite"])["finite"]
    assert failed.verdict is Verdict.FAILS
    assert failed.evidence.likely is not None
    assert failed.evidence.likely.startswith("it raises or is not finite from 3")
    assert failed.evidence.fix == "count the weights as an int: held in 16 bits that number overflows"
    assert not any("not finite, at error" in note for note in failed.notes)
    sound = check("initcheck.gallery:he_normal", claims=["finite"])["finite"]
    assert any("not finite, at error" in note for note in sound.notes)


def test_where_the_largest_tensor_is_nan_the_tail_is_read_off_the_next() -> None:
    result = check(nan_from_32k, contract=HE, claims=["finite", "output-variance-near-one"])["output-variance-near-one"]
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert result.reason == "needs finite, which fails"


@pytest.mark.parametrize(
    ("of", "sentence"),
    [
        (lambda w, fan: w / np.abs(w).max(), "the largest weight of every call is 1: each call is divided by its own"),
        (lambda w, fan: np.clip(w / fan**0.5, -0.05, 0.05), "the weights are cut at +-0.05 at every width"),
        (lambda w, fan: np.sign(w), "the std is 1 at every width"),
    ],
    ids=["divided by the largest", "cut at a number", "signs"],
)
def test_a_largest_weight_that_is_one_number_tells_where_it_comes_from(of: Any, sentence: str) -> None:
    def draw(shape: tuple[int, ...], seed: int) -> Array:
        result: Array = of(np.random.default_rng(seed).normal(size=shape), shape[1])
        return result

    contract = Contract(activation="linear", layout="out_in")
    with np.errstate(all="ignore"):
        cause = diagnose(Observed(draw=draw, contract=contract, topic="scale"))
    assert cause is not None
    assert cause.sentence.startswith(sentence)


def test_a_result_divided_by_its_own_spread_is_said_to_be() -> None:
    def own_spread(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        weights = rng.standard_normal(shape)
        with np.errstate(all="ignore"):
            return weights / weights.std() * math.sqrt(2 / shape[1])

    result = check(own_spread, contract=HE, claims=["finite"], profile="quick")["finite"]
    assert result.verdict is Verdict.FAILS
    assert result.evidence.likely == "a single weight is not finite: it is centred or normalised by its own draw"


def test_a_tensor_that_is_never_written_is_a_refusal_and_no_law_of_one_point() -> None:
    def forgotten_(tensor: torch.Tensor, generator: torch.Generator | None = None) -> None:
        copy = tensor.clone()
        with torch.no_grad():
            copy.normal_(0, math.sqrt(2 / tensor.shape[1]), generator=generator)

    with pytest.raises(
        UsageError, match=r"leaves what it is given unwritten.*fill the one that is given, tensor\.normal_"
    ):
        check(forgotten_, contract={"activation": "relu"}, profile="quick")
