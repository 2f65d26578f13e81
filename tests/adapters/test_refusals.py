"""A refusal says what to do next, and doing so works."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from initcheck.adapters.recognition import recognise
from initcheck.errors import UsageError


def refusal(obj, **options):
    with pytest.raises(UsageError) as caught:
        recognise(obj, "f", **options)
    return str(caught.value)


def drawn(obj, shape=(5, 7), **options):
    return recognise(obj, "f", **options).sampler.calls(shape, [1], "float32")[0]


def network(din, dout, rank):
    return {"b": np.zeros(dout), "W1": np.random.randn(din, rank), "W2": np.random.randn(rank, dout)}


def test_complex_weights_are_refused_and_their_real_part_is_read():
    def unitary(n):
        return np.linalg.qr(np.random.randn(n, n) * 1j)[0]

    assert "returns complex numbers (complex128)" in refusal(unitary)
    assert "f(parameter='real') and f(parameter='imag')" in refusal(unitary)
    assert drawn(unitary, (6, 6), parameter="imag").shape == (6, 6)
    assert drawn(lambda n: unitary(n).real, (6, 6)).shape == (6, 6)


def test_a_complex_default_dtype_is_not_replaced_by_a_real_one():
    def glorot(fan_in, fan_out, dtype=np.complex64):
        return (np.random.randn(fan_in, fan_out) + 1j * np.random.randn(fan_in, fan_out)).astype(dtype)

    assert "complex64" in refusal(glorot)


def test_one_array_of_a_network_that_has_other_sides_is_refused_not_failed():
    assert "the argument 'rank'" in refusal(network)
    assert "parameter='" in refusal(network, args={"rank": 4})
    sentence = refusal(network, args={"rank": 4}, parameter="W1")
    assert "returns shape" in sentence
    assert "parameter='W1' names does not have the widths asked for" in sentence
    assert drawn(lambda fan_in, fan_out: network(fan_in, 3, fan_out)["W1"]).shape == (5, 7)


def test_the_first_array_named_is_one_of_the_shape_asked_for():
    def of_two(fan_in, fan_out):
        return {"b": np.zeros(fan_out), "W": np.random.randn(fan_in, fan_out), "U": np.random.randn(fan_in, fan_out)}

    assert "parameter='W' or parameter='U' or parameter='b'" in refusal(of_two)


def test_a_function_that_returns_a_function_of_the_generator_is_refused():
    def normal(shape):
        return lambda rng: rng.normal(size=shape)

    assert "returns a function where an array is expected" in refusal(normal)
    assert drawn(lambda shape, rng: normal(shape)(rng)).shape == (5, 7)


def test_a_function_of_its_seed_alone_takes_no_shape():
    assert "its parameters (seed) ask for none" in refusal(lambda seed: np.random.default_rng(seed).normal(size=(2, 2)))


def test_a_listing_names_each_way_of_calling_once_and_the_argument_to_give():
    def waves(N, offset):  # noqa: N803
        return np.sin(np.add.outer(np.arange(N), np.arange(N)) + offset)

    sentence = refusal(waves)
    assert sentence.count("as (rng, shape)") == 1
    assert "RandomState" not in sentence
    assert "or give 'offset' a value: f(offset=...), or pass a function of the shape" in sentence
    assert recognise(waves, "f", args={"offset": 0.5}).squares


def test_what_wants_a_module_of_another_kind_is_told_to_build_one():
    def init_gru(gru):
        nn.init.orthogonal_(gru.weight_hh_l0)
        return gru

    assert "pass a function (fan_in, fan_out) that builds one" in refusal(init_gru)
    assert drawn(lambda fan_in, fan_out: init_gru(nn.GRU(fan_in, fan_out)).weight_ih_l0[:fan_out]).shape == (5, 7)


def test_an_array_of_another_name_is_no_tensor_to_fill():
    def he(layout: np.ndarray):
        return {n: np.random.randn(layout[n + 1], layout[n]) for n in range(layout.size - 1)}

    assert "cannot be read" in refusal(he)


def test_an_int_is_the_side_of_a_square():
    def unitary(size: int, rng: np.random.Generator):
        return np.linalg.qr(rng.normal(size=(size, size)))[0]

    assert recognise(unitary, "f").squares


def test_a_width_guessed_beside_another_is_not_failed_for_a_shape_of_its_own():
    def gru(input_size, hidden_size):
        return np.random.randn(input_size + hidden_size, 3 * hidden_size)

    assert "or give 'hidden_size' a value" in refusal(gru)


def table(layer_name, rows_of_it, feature_dim):
    return np.random.randn(rows_of_it, feature_dim)


def test_a_signature_that_leaves_a_parameter_without_a_role_is_refused():
    assert "give what is no width a value, such as f(layer_name=...)" in refusal(table)
    assert "has no role for 'feature_dim'" in refusal(table, signature="(in, out)")


def test_a_signature_passes_over_what_has_its_value():
    assert drawn(table, args={"layer_name": "first"}).shape == (5, 7)
    assert drawn(table, args={"layer_name": "first"}, signature="(in, out)").shape == (5, 7)
    assert drawn(table, args={"feature_dim": 7}, signature="(seed, rows)").shape == (5, 7)


def test_layers_may_be_a_list_of_widths():
    def he(layers):
        return [np.random.randn(m, n) for m, n in itertools.pairwise(layers)]

    assert "say that it lists the widths: signature='(widths)'" in refusal(he)
    assert drawn(he, signature="(widths)", parameter="0").shape == (5, 7)


class Wide(nn.Module):
    def __init__(self, features_in, out_f, input_dropout=0.1):
        super().__init__()
        self.linear = nn.Linear(features_in, out_f)


class Omega(nn.Module):
    def __init__(self, omega, in_features, out_features):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
        torch.nn.init.normal_(self.linear.weight, std=1 / omega)


def test_the_widths_of_a_layer_are_told_by_their_words():
    assert drawn(Wide).shape == (5, 7)


def test_a_layer_that_needs_more_than_its_widths_says_what():
    sentence = refusal(Omega)
    assert "needs the argument 'omega'" in sentence
    assert "f(omega=...), or pass a function" in sentence
    assert drawn(Omega, args={"omega": 30.0}).shape == (5, 7)


def test_an_annotated_generator_is_never_a_key_and_an_attribute_is_no_global():
    source = (
        "import jax\nimport numpy as np\n"
        "def normal(key, shape):\n    return jax.random.normal(key, shape)\n"
        "def he(shape, rng):\n    return rng.normal(size=shape)\n"
        "def broken(shape, rng: np.random.Generator):\n    return jax.numpy.asarray(rng.normal(shape)) / 0 + missing\n"
    )
    namespace = {}
    exec(source, namespace)
    assert recognise(namespace["he"], "f").signature == "(shape, rng)"
    assert "as (shape, rng) it raises NameError: name 'missing'" in refusal(namespace["broken"])


def test_methods_of_a_torch_tensor_are_found_beside_numpy():
    def fanin(tensor):
        return tensor.data.uniform_(-1 / np.sqrt(tensor.size(0)), 0)

    assert isinstance(drawn(fanin), torch.Tensor)
