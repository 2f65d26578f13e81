"""A gain of a library's initializer says which activation it is meant for, where it names none."""

import functools
import math

import jax
import keras
import pytest
import torch

from initcheck import check
from initcheck.report.verdict import Verdict

TORCH = torch.nn.init
CLAIMS = ["output-variance-near-one", "signal-survives-depth"]


@pytest.mark.parametrize(
    "initializer",
    [
        functools.partial(TORCH.xavier_uniform_, gain=5 / 3),
        functools.partial(TORCH.orthogonal_, gain=math.sqrt(2)),
        keras.initializers.VarianceScaling(scale=25 / 9, mode="fan_in"),
        jax.nn.initializers.orthogonal(scale=math.sqrt(2)),
    ],
    ids=["xavier", "orthogonal", "keras", "jax"],
)
def test_a_gain_above_one_is_meant_for_an_activation_that_it_does_not_name(initializer: object) -> None:
    report = check(initializer, claims=CLAIMS, profile="quick")
    assert report["output-variance-near-one"].verdict is Verdict.HOLDS
    assert report["signal-survives-depth"].verdict is Verdict.NOT_APPLICABLE


def test_below_one_no_usual_activation_makes_up_for_a_gain() -> None:
    weak = functools.partial(TORCH.xavier_uniform_, gain=0.7)
    assert check(weak, claims=CLAIMS, profile="quick")["signal-survives-depth"].verdict is Verdict.FAILS
