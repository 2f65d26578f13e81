"""Teaching code: both layers of a network in one call, (n_x, n_h, n_y), and what unpacks the axes of a kernel."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from initcheck.adapters.recognition import recognise
from initcheck.errors import UsageError


def initialize_parameters(n_x: Any, n_h: Any, n_y: Any) -> dict[str, Any]:
    return {
        "W1": np.random.randn(n_h, n_x) * 0.01, "b1": np.zeros((n_h, 1)),
        "W2": np.random.randn(n_y, n_h) * 0.01, "b2": np.zeros((n_y, 1)),
    }  # fmt: skip


def of_lists(input_size: Any, hidden_size: Any, output_size: Any, rng: Any) -> tuple[Any, Any]:
    return rng.normal(size=(input_size, hidden_size)), rng.normal(size=(hidden_size, output_size))


def test_the_first_of_two_layers_is_asked_for_and_the_others_are_named() -> None:
    found = recognise(initialize_parameters, "nets:initialize_parameters")
    assert (found.signature, found.contract.layout) == ("(in, out, next)", "out_in")
    assert found.notes == ("Of what it returns W1 is checked, whose shape is asked for; not asked: b1, W2, b2.",)
    drawn = found.sampler.calls((11, 4), [0], "float32")[0]
    assert found.sampler.to_numpy(drawn).shape == (11, 4)
    assert recognise(of_lists, "nets:of_lists").contract.layout == "in_out"


def test_a_number_of_hidden_layers_is_no_width() -> None:
    def deep(n_in: Any, n_hidden_layers: Any, n_out: Any) -> Any:
        return [np.random.randn(n_in, n_out) for _ in range(n_hidden_layers)]

    with pytest.raises(UsageError, match="needs the argument 'n_hidden_layers'"):
        recognise(deep, "nets:deep")


class Trained:
    """The network of a textbook: told how fast it learns where it is made."""

    def __init__(self, inputnodes: Any, hiddennodes: Any, outputnodes: Any, learningrate: Any) -> None:
        self.lr = learningrate
        self.wih = np.random.normal(0.0, inputnodes**-0.5, (hiddennodes, inputnodes))
        self.who = np.random.normal(0.0, hiddennodes**-0.5, (outputnodes, hiddennodes))


class Deep:
    """Widths between in a list, as many as there are."""

    def __init__(self, input_size: Any, hidden_size_list: Any, output_size: Any) -> None:
        sizes = [input_size, *hidden_size_list, output_size]
        self.params = {f"W{k}": np.random.randn(m, n) * m**-0.5 for k, (m, n) in enumerate(itertools.pairwise(sizes))}


@pytest.mark.parametrize(
    ("network", "signature", "layout"),
    [(Trained, "(in, out, next, rate)", "out_in"), (Deep, "(in, hidden_widths, next)", "in_out")],
)
def test_a_learning_rate_and_a_list_of_widths_between_are_no_questions(
    network: Any, signature: str, layout: str
) -> None:
    found = recognise(network, "nets:network")
    assert (found.signature, found.contract.layout) == (signature, layout)
    drawn = found.sampler.to_numpy(found.sampler.calls((11, 4), [0], "float32")[0])
    assert drawn.shape == (11, 4)


@pytest.mark.parametrize("scale", [lambda rate: rate, lambda rate: rate**-0.5])
def test_a_learning_rate_that_weights_depend_on_is_asked_for(scale: Any) -> None:
    def scaled(learning_rate: Any, n_in: Any, n_out: Any) -> Any:
        return np.random.randn(n_in, n_out) * scale(learning_rate)

    with pytest.raises(UsageError, match="needs the argument 'learning_rate'"):
        recognise(scaled, "nets:scaled")


def test_a_rate_of_anything_else_is_still_asked_for() -> None:
    def thinned(n_in: Any, n_out: Any, dropout_rate: Any) -> Any:
        return np.random.randn(n_in, n_out) * (np.random.rand(n_in, n_out) > dropout_rate)

    with pytest.raises(UsageError, match="needs the argument 'dropout_rate'"):
        recognise(thinned, "nets:thinned")


def of_a_kernel(shape: Any, rng: Any) -> Any:
    height, width, inputs, _ = shape
    return rng.normal(0, (2 / (height * width * inputs)) ** 0.5, shape)


def broken_at_odd_heights(shape: Any, rng: Any) -> Any:
    if shape[0] % 2:
        raise ValueError(shape)
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


def test_what_unpacks_four_axes_is_asked_of_kernels_alone_and_what_raises_now_and_then_of_all() -> None:
    assert recognise(of_a_kernel, "nets:of_a_kernel").ranks == (4,)
    assert recognise(broken_at_odd_heights, "nets:broken_at_odd_heights").ranks == ()


class Sizes:
    """A network whose layers are listed, as in textbooks."""

    def __init__(self, sizes: Any) -> None:
        self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
        self.weights = [np.random.randn(y, x) / np.sqrt(x) for x, y in itertools.pairwise(sizes)]


class Three:
    def __init__(self, input_size: Any, hidden_size: Any, output_size: Any, std: Any = 1e-4) -> None:
        self.params = {
            "W1": std * np.random.randn(input_size, hidden_size), "b1": np.zeros(hidden_size),
            "W2": std * np.random.randn(hidden_size, output_size), "b2": np.zeros(output_size),
        }  # fmt: skip


class Draws:
    """Asked for widths and keeps no matrix."""

    def __init__(self, sizes: Any) -> None:
        self.sizes = list(sizes)


@pytest.mark.parametrize(
    ("network", "signature", "layout", "place"),
    [(Sizes, "(widths)", "out_in", "weights.0"), (Three, "(in, out, next)", "in_out", "params.W1")],
)
def test_a_network_that_is_a_class_is_read_as_the_function_is(
    network: Any, signature: str, layout: str, place: str
) -> None:
    found = recognise(network, "nets:network")
    assert (found.signature, found.contract.layout) == (signature, layout)
    assert place in found.notes[0]
    assert found.sampler.to_numpy(found.sampler.calls((11, 4), [0], "float32")[0]).shape == (11, 4)


def test_a_class_of_widths_that_keeps_no_matrix_needs_them_still() -> None:
    with pytest.raises(UsageError, match="needs the argument 'sizes'"):
        recognise(Draws, "nets:Draws")
