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
from initcheck.questions.shuffled_draws import two_are_alike
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


def heavy(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return rng.standard_t(1.2, shape) / shape[1]


def heavy_with_one_input_doubled(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    weights = heavy(shape, rng)
    weights[:, 0] = 2 * weights[:, 1]
    return weights


def with_an_input_that_is_nearly_another(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    weights = init(shape, rng)
    weights[:, 0] += 3 * weights[:, 1]
    return weights


@pytest.mark.parametrize("shape", [(80, 100), (96, 96), (150, 70), (128, 65), (66, 140)], ids=str)
@pytest.mark.parametrize(
    ("function", "alike"),
    [(init, False), (heavy, False), (heavy_with_one_input_doubled, True), (with_an_input_that_is_nearly_another, True)],
)
def test_two_that_are_alike_are_seen_and_no_accident_of_heavy_tails(function, alike: bool, shape) -> None:
    (initializer,) = load(function, contract="activation=linear,fan=fan_in,layout=out_in").initializers
    glance = Glance(Account(InitializerSubject(initializer, profile("quick"), 0)))
    assert two_are_alike(glance, Layer(shape, "out_in")) is alike
