"""What a glance at a layer beside the plan shows of ties and of means."""

from __future__ import annotations

import numpy as np
import pytest

from initcheck.claims.trial import NotAsked, Trial
from initcheck.contract.layer import Layer
from initcheck.contract.profile import profile
from initcheck.engine.subject import InitializerSubject
from initcheck.engine.trials.account import Account
from initcheck.engine.trials.onlookers import Glance
from initcheck.questions.centre import centred_over_a_result
from initcheck.questions.ties import units_never_tie
from initcheck.targets.loading import load

LAYER = Layer((4, 96), "out_in")


def seen(function, question, layer: Layer = LAYER) -> float:
    (initializer,) = load(function, contract="activation=linear,fan=fan_in,layout=out_in").initializers
    glance: Glance | Trial = Glance(Account(InitializerSubject(initializer, profile("quick"), 0)))
    with pytest.raises(NotAsked, match="only a look"):
        question(glance, layer)
    return glance.far[layer]


def init(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(shape) / np.sqrt(shape[1])


def tied(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    weights = rng.standard_normal(shape)
    weights[-1] = weights[0]
    return weights


def raised(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(shape) + 0.5


def ones(shape: tuple[int, int]) -> np.ndarray:
    return np.ones(shape)


def alternating(shape: tuple[int, int]) -> np.ndarray:
    return np.where(np.indices(shape).sum(axis=0) % 2 == 0, 1.0, -1.0)


def of_one_sign_a_call(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return np.abs(rng.standard_normal(shape)) * rng.choice([-1.0, 1.0])


@pytest.mark.parametrize(("function", "wrong"), [(init, False), (tied, True), (ones, True)])
def test_a_tie_is_seen(function, wrong: bool) -> None:
    assert (seen(function, units_never_tie) > 0) is wrong


@pytest.mark.parametrize(("function", "wrong"), [(init, False), (raised, True), (ones, True), (alternating, False)])
def test_a_mean_is_seen(function, wrong: bool) -> None:
    assert (seen(function, centred_over_a_result) > 0) is wrong


def test_weights_that_share_a_sign_are_counted_by_the_call() -> None:
    """Forty calls of 12 weights: the calls say that a sum of one sign is no mean."""
    assert seen(of_one_sign_a_call, centred_over_a_result, Layer((3, 4), "out_in")) < 0
