"""Optimisers by hand, on a parabola, and in their equivariance; training as a loop of their steps."""

from __future__ import annotations

import numpy as np
import pytest

from initcheck.networks import SGD, Adam, Momentum, Perceptron, activation, squared_error, train
from initcheck.networks.optimisers import Optimiser, OptimiserState

EVERY: tuple[Optimiser, ...] = (SGD(0.1), Momentum(0.05, 0.8), Adam(0.1))


def walk(optimiser: Optimiser, start: np.ndarray, gradients: list[np.ndarray]) -> list[np.ndarray]:
    state, p, path = OptimiserState(), start, []
    for g in gradients:
        (p,), state = optimiser.step([p], [g], state)
        path.append(p)
    return path


def test_two_steps_by_hand() -> None:
    p, gradients = np.array([1.0]), [np.array([2.0]), np.array([-1.0])]
    assert np.ravel(walk(SGD(0.5), p, gradients)).tolist() == [0.0, 0.5]
    # v: 2, then 0.5 * 2 - 1 = 0
    assert np.ravel(walk(Momentum(0.5, 0.5), p, gradients)).tolist() == [0.0, 0.0]
    # after bias correction m = 2, v = 4, then m = (0.5*1 - 0.5)/0.75 = 0
    adam = walk(Adam(0.5, beta1=0.5, beta2=0.5, epsilon=0.0), p, gradients)
    assert np.ravel(adam).tolist() == [0.5, 0.5]
    # 1 - 0.5 * 2 / (2 + 2), then m = 0 again
    adam = walk(Adam(0.5, beta1=0.5, beta2=0.5, epsilon=2.0), p, gradients)
    assert np.ravel(adam).tolist() == [0.75, 0.75]


@pytest.mark.long
def test_adam_is_torchs() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    gradients = [rng.standard_normal(4) for _ in range(5)]
    theirs = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([theirs], lr=0.01)
    for g in gradients:
        theirs.grad = torch.tensor(g)
        optimiser.step()
    ours = walk(Adam(0.01), np.zeros(4), gradients)[-1]
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("optimiser", EVERY, ids=lambda o: type(o).__name__)
def test_it_descends_a_parabola(optimiser: Optimiser) -> None:
    p, state = np.array([3.0, -2.0]), OptimiserState()
    for _ in range(300):
        (p,), state = optimiser.step([p], [p * np.array([1.0, 2.0])], state)
    assert np.abs(p).max() < 0.01
    assert state.steps == 300


@pytest.mark.parametrize("optimiser", EVERY, ids=lambda o: type(o).__name__)
def test_it_is_equivariant_under_permutations_and_signs(optimiser: Optimiser) -> None:
    rng = np.random.default_rng(1)
    order, signs = rng.permutation(7), rng.choice([-1.0, 1.0], 7)
    start, gradients = rng.standard_normal(7), [rng.standard_normal(7) for _ in range(4)]
    end = walk(optimiser, start, gradients)[-1]
    moved = walk(optimiser, (start * signs)[order], [(g * signs)[order] for g in gradients])[-1]
    assert np.array_equal(moved, (end * signs)[order])


@pytest.mark.parametrize("optimiser", EVERY, ids=lambda o: type(o).__name__)
def test_nothing_given_is_changed(optimiser: Optimiser) -> None:
    p, g = np.ones(3), np.full(3, 0.5)
    _, state = optimiser.step([p], [g], OptimiserState())
    optimiser.step([p], [g], state)
    assert np.array_equal(p, np.ones(3))
    assert np.array_equal(g, np.full(3, 0.5))


def test_one_rate_an_array() -> None:
    ones = [np.ones(1), np.ones(1)]
    moved, _ = SGD((0.5, 0.25)).step(ones, ones, OptimiserState())
    assert np.ravel(moved).tolist() == [0.5, 0.75]
    with pytest.raises(ValueError, match="3 rates were given for 2 parameter arrays"):
        SGD((1.0, 2.0, 3.0)).step(ones, ones, OptimiserState())


@pytest.mark.parametrize("optimiser", EVERY, ids=lambda o: type(o).__name__)
def test_training_lowers_the_loss_and_keeps_the_way(optimiser: Optimiser) -> None:
    rng = np.random.default_rng(2)
    net = Perceptron(
        (rng.standard_normal((6, 3)) / 2, rng.standard_normal((1, 6)) / 2),
        (activation("tanh"),),
        (np.zeros(6), np.zeros(1)),
    )
    x = rng.standard_normal((12, 3))
    run = train(net, x, x[:, :1] * x[:, 1:2], squared_error, optimiser, 200)
    assert run.networks[0] is net
    assert (len(run.networks), len(run.gradients), len(run.losses)) == (201, 200, 200)
    assert run.losses[-1] < 0.2 * run.losses[0]
    assert run.last is run.networks[-1]


def test_dropout_masks_reach_the_training() -> None:
    net = Perceptron((np.ones((2, 1)), np.ones((1, 2))), (activation("linear"),))
    one = np.ones((1, 1))
    run = train(net, one, 0 * one, squared_error, SGD(0.1), 1, masks=lambda step: [np.array([1.0, 0.0])])
    assert run.gradients[0].weights[0].ravel().tolist() == [1.0, 0.0]
    asked: list[int] = []
    train(net, one, 0 * one, squared_error, SGD(0.1), 3, masks=lambda step: asked.append(step) or [np.ones(2)])
    assert asked == [0, 1, 2]


@pytest.mark.parametrize("optimiser", EVERY, ids=lambda o: type(o).__name__)
def test_arrays_that_do_not_belong_together_are_refused(optimiser: Optimiser) -> None:
    one = np.ones(2)
    _, state = optimiser.step([one], [one], OptimiserState())
    assert {a.dtype for a in (*state.first, *state.second)} <= {np.dtype(np.float64)}
    for parameters, gradients, remembered in (
        ([one], [one, one], OptimiserState()),
        ([one, one], [one], state),
        ([one, one], [one, one], state),
        ([one], [one], OptimiserState(1, (one,), (one, one)))
        if state.second
        else ([one, one], [one], OptimiserState()),
    ):
        if isinstance(optimiser, SGD) and len(parameters) == len(gradients):
            continue
        with pytest.raises(ValueError, match="zip"):
            optimiser.step(parameters, gradients, remembered)
