"""A declared gain beside the one of its activation: of selu and sigmoid PyTorch's fail, of tanh it holds."""

from __future__ import annotations

import numpy as np
import pytest

from initcheck.contract.contract import Contract
from initcheck.engine.checker import Checker, Settings
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load

CLAIM = "gain-is-the-activations"


def lecun(shape, rng):
    return rng.normal(0, 1 / np.sqrt(shape[1]), shape)


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"activation": "selu", "gain": 0.75}, Verdict.FAILS),
        ({"activation": "sigmoid", "gain": 1.0}, Verdict.FAILS),
        ({"activation": "tanh", "gain": 5 / 3}, Verdict.HOLDS),
        ({"activation": "relu", "gain": 2**0.5}, Verdict.HOLDS),
        ({"gain": 2**0.5}, Verdict.NOT_APPLICABLE),
        ({"activation": "relu"}, Verdict.NOT_APPLICABLE),
    ],
)
def test_the_gain_is_held_to_the_activation(fields, verdict) -> None:
    contract = Contract(**fields, fan="fan_in", layout="out_in")
    [one] = load(lecun, contract=contract).initializers
    assert Checker(Settings(profile="quick", claims=(CLAIM,))).judge(one, CLAIM).verdict is verdict
