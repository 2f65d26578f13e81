"""Back-propagation against finite differences, and a wrong derivative that they detect."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from initcheck.contract.contract import ACTIVATIONS
from initcheck.networks.activations import Activation, activation
from initcheck.networks.losses import LOSSES
from initcheck.networks.perceptron import Perceptron, _ordered_product, _product
from initcheck.networks.training import loss_gradients


def network(phi: Activation, *, biased: bool = True, ordered: bool = False, seed: int = 3) -> Perceptron:
    rng = np.random.default_rng(seed)
    widths = (4, 5, 3, 3)
    weights = tuple(rng.standard_normal((o, i)) / np.sqrt(i) for i, o in itertools.pairwise(widths))
    biases = tuple(0.3 * rng.standard_normal(o) for o in widths[1:]) if biased else None
    return Perceptron(weights, (phi, phi), biases, ordered)


def batch(seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((6, 4)), np.eye(3)[rng.integers(0, 3, 6)]


def largest_error(net: Perceptron, loss_name: str, masks: tuple[np.ndarray, ...] | None = None) -> float:
    """The largest distance of a back-propagated gradient from the central difference, over all parameters."""
    x, y = batch()
    loss, step = LOSSES[loss_name], 1e-6
    parameters = [p.copy() for p in net.parameters]
    gradients = loss_gradients(net, x, y, loss, masks)[1].parameters
    worst = 0.0
    for array, gradient in zip(parameters, gradients, strict=True):
        for at in np.ndindex(array.shape):
            here = array[at]
            values = []
            for sign in (1, -1):
                array[at] = here + sign * step
                values.append(loss_gradients(net.with_parameters(parameters), x, y, loss, masks)[0])
            array[at] = here
            worst = max(worst, abs((values[0] - values[1]) / (2 * step) - gradient[at]))
    return worst


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", [*ACTIVATIONS, "leaky_relu(0.2)"])
def test_gradients_are_the_central_differences(name: str, loss: str) -> None:
    assert largest_error(network(activation(name)), loss) < 1e-7


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("ordered", [True, False])
def test_gradients_with_and_without_biases_and_dropout(biased: bool, ordered: bool) -> None:
    net = network(activation("tanh"), biased=biased, ordered=ordered)
    masks = (np.array([2.0, 0, 2, 0, 2]), np.random.default_rng(0).integers(0, 2, (6, 3)) * 2.0)
    assert largest_error(net, "squared_error") < 1e-7
    assert largest_error(net, "squared_error", masks) < 1e-7


@pytest.mark.parametrize("loss", LOSSES)
def test_a_wrong_derivative_is_detected(loss: str) -> None:
    tanh = activation("tanh")
    wrong = dataclasses.replace(tanh, derivative=lambda z: 1.01 * tanh.derivative(z))
    assert largest_error(network(wrong), loss) > 1e-4


def test_signals_are_the_gradients_at_the_pre_activations() -> None:
    """A bias is added to its pre-activation in every row: its gradient is the signal's sum over the batch."""
    net, (x, y) = network(activation("gelu")), batch()
    gradients = loss_gradients(net, x, y, LOSSES["squared_error"])[1]
    for signal, bias, weight in zip(gradients.signals, gradients.biases, net.weights, strict=True):
        assert signal.shape == (6, len(weight))
        np.testing.assert_allclose(signal.sum(axis=0), bias, rtol=1e-12, atol=1e-15)


def test_a_forward_pass_by_hand() -> None:
    net = Perceptron(
        (np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([[3.0, 5.0]])),
        (activation("relu"),),
        (np.array([0.5, 0.0]), np.array([-1.0])),
    )
    forward = net.forward(np.array([[1.0, 1.0]]))
    assert [z.tolist() for z in forward.pre_activations] == [[[3.5, -1.0]], [[9.5]]]
    assert [h.tolist() for h in forward.activations] == [[[1.0, 1.0]], [[3.5, 0.0]]]
    gradients = net.backward(forward, np.array([[2.0]]))
    assert [g.tolist() for g in gradients.weights] == [[[6.0, 6.0], [0.0, 0.0]], [[7.0, 0.0]]]
    assert [g.tolist() for g in gradients.biases] == [[6.0, 0.0], [2.0]]


def test_ordered_and_blas_products_agree_to_rounding() -> None:
    x, y = batch()
    ordered = loss_gradients(network(activation("silu"), ordered=True), x, y, LOSSES["softmax_cross_entropy"])[1]
    blas = loss_gradients(network(activation("silu")), x, y, LOSSES["softmax_cross_entropy"])[1]
    for a, b in zip(ordered.parameters, blas.parameters, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("units", [3, 7, 8, 17, 33])
def test_ordered_products_make_equal_units_equal_to_the_last_bit(units: int) -> None:
    rng = np.random.default_rng(units)
    row, column = rng.standard_normal(units + 4), rng.standard_normal((5, 1))
    net = Perceptron((np.tile(row, (units, 1)), np.tile(column, (1, units))), (activation("tanh"),), ordered=True)
    x, y = rng.standard_normal((9, units + 4)), rng.standard_normal((9, 5))
    first, second = loss_gradients(net, x, y, LOSSES["squared_error"])[1].weights
    assert np.all(first == first[0])
    assert np.all(second == second[:, :1])


def test_cross_entropy_survives_huge_logits() -> None:
    value, gradient = LOSSES["softmax_cross_entropy"](np.array([[1e4, -1e4, 0.0]]), np.array([[1.0, 0, 0]]))
    assert value == 0.0
    assert np.array_equal(gradient, np.zeros((1, 3)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda w, a: Perceptron((w, w), ()), "2 weight matrices need 1 activations"),
        (lambda w, a: Perceptron((w, np.ones((2, 5))), (a,)), r"\(2, 5\) cannot follow \(2, 2\)"),
        (lambda w, a: Perceptron((w, w), (a,), (np.ones(2), np.ones(3))), r"do not fit units \[\(2,\), \(2,\)\]"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(make, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=words):
        make(np.ones((2, 2)), activation("relu"))


def test_ordered_products_do_not_depend_on_the_layout_in_memory() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 5, 40))
    assert np.array_equal(_ordered_product(np.asfortranarray(a), np.asfortranarray(b)), _ordered_product(a, b))


def test_cross_entropy_is_of_every_row_by_itself() -> None:
    rows, targets = np.array([[1e4, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    apart = [LOSSES["softmax_cross_entropy"](rows[i : i + 1], targets[i : i + 1]) for i in (0, 1)]
    value, gradient = LOSSES["softmax_cross_entropy"](rows, targets)
    assert value == pytest.approx((apart[0][0] + apart[1][0]) / 2)
    assert gradient == pytest.approx(np.concatenate([apart[0][1], apart[1][1]]) / 2)


def test_every_layer_has_its_own_activation() -> None:
    tanh = network(activation("tanh"))
    mixed = Perceptron(tanh.weights, (activation("tanh"), activation("softplus")), tanh.biases)
    assert largest_error(mixed, "squared_error") < 1e-7


@pytest.mark.parametrize("ordered", [True, False])
def test_an_ordered_network_multiplies_in_order_and_another_by_blas(ordered: bool) -> None:
    rng = np.random.default_rng(1)
    net = Perceptron(
        (rng.standard_normal((30, 50)), rng.standard_normal((20, 30))), (activation("tanh"),), None, ordered
    )
    multiply = _ordered_product if ordered else _product
    x, y = rng.standard_normal((40, 50)), rng.standard_normal((40, 20))
    forward = net.forward(x)
    assert np.array_equal(forward.pre_activations[0], multiply(x, net.weights[0]))
    gradients = net.backward(forward, y)
    assert np.array_equal(gradients.weights[1], multiply(y.T, forward.activations[1].T))
