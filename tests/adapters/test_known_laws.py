"""Contracts read off library objects, each compared with what the object draws."""

import functools

import jax
import keras
import numpy as np
import pytest
import torch

from initcheck.adapters.frameworks.torch_init import known_contract
from initcheck.adapters.recognition import recognise
from initcheck.contract.standard_laws import truncated_std
from initcheck.targets.loading import load

# Required Var w * fan: CLAIMS.md; 25/9 is PyTorch's own gain for tanh.
IDEAL = {"linear": 1.0, "relu": 2.0, "leaky_relu(0)": 2.0, "leaky_relu(0.2)": 2 / 1.04}

TORCH = torch.nn.init
OBJECTS = [
    TORCH.kaiming_normal_,
    TORCH.kaiming_uniform_,
    functools.partial(TORCH.kaiming_normal_, nonlinearity="relu"),
    functools.partial(TORCH.kaiming_normal_, a=0.2, mode="fan_out"),
    functools.partial(TORCH.kaiming_uniform_, nonlinearity="linear"),
    TORCH.xavier_normal_,
    functools.partial(TORCH.xavier_uniform_, gain=1.5),
    functools.partial(TORCH.orthogonal_, gain=0.7),
    TORCH.normal_,
    TORCH.trunc_normal_,
    functools.partial(TORCH.trunc_normal_, std=0.02),
    functools.partial(TORCH.trunc_normal_, std=2.0),
    functools.partial(TORCH.uniform_, a=-0.1, b=0.3),
    functools.partial(TORCH.sparse_, sparsity=0.75, std=0.3),
    jax.nn.initializers.he_normal(),
    jax.nn.initializers.he_normal(in_axis=-1, out_axis=-2),
    jax.nn.initializers.variance_scaling(3.0, "fan_out", "uniform"),
    jax.nn.initializers.truncated_normal(0.3),
    jax.nn.initializers.orthogonal(2.0),
    keras.initializers.HeNormal(),
    keras.initializers.GlorotUniform(),
    keras.initializers.VarianceScaling(scale=3.0, mode="fan_avg", distribution="untruncated_normal"),
    keras.initializers.RandomNormal(stddev=0.3),
    keras.initializers.RandomUniform(-0.2, 0.2),
    keras.initializers.TruncatedNormal(stddev=0.3),
    keras.initializers.OrthogonalInitializer(gain=0.5),
]


def promised_variance(contract, shape):
    if contract.std is not None:
        return contract.std**2
    rows, cols = shape
    out, inputs = (rows, cols) if contract.layout == "out_in" else (cols, rows)
    fan = {
        "fan_in": inputs,
        "fan_out": out,
        "fan_avg": (inputs + out) / 2,
        "fan_max": max(inputs, out),
    }[contract.fan]
    return (contract.gain**2 if contract.gain is not None else IDEAL[contract.activation]) / fan


@pytest.mark.long
@pytest.mark.parametrize("number", range(len(OBJECTS)))
def test_the_known_contract_is_what_is_drawn(number):
    initializer = recognise(OBJECTS[number], f"object {number}")
    shape = (60, 40)
    arrays = [
        np.asarray(initializer.sampler.to_numpy(r), dtype=float)
        for r in initializer.sampler.calls(shape, range(20), "float32")
    ]
    measured = np.mean([a.var() for a in arrays])
    assert measured == pytest.approx(promised_variance(initializer.contract, shape), rel=0.04)
    assert set(initializer.contract.origins.values()) == {"known"}
    assert 2 in initializer.ranks


@pytest.mark.parametrize(
    ("args", "activation"),
    [
        ({}, "leaky_relu(0)"),
        ({"a": 0.2}, "leaky_relu(0.2)"),
        ({"nonlinearity": "relu"}, "relu"),
        ({"nonlinearity": "tanh"}, "tanh"),
        ({"nonlinearity": "selu"}, "selu"),
        ({"nonlinearity": "sigmoid"}, "sigmoid"),
        ({"nonlinearity": "conv2d"}, "linear"),
    ],
)
def test_kaiming_is_held_to_the_activation_it_names(args, activation):
    contract = known_contract("kaiming_normal_", args)
    assert contract.activation == activation
    assert contract.gain is None


def test_kaiming_with_the_slope_of_nn_linear_is_held_to_linear():
    # nn.Linear calls kaiming_uniform_(a=sqrt(5)): a leaky ReLU of slope 2.236 is no layer's activation, and
    # held to it the default would pass where a unit's pre-activation has second moment 1/3.
    [initializer] = load("torch.nn.init.kaiming_uniform_(a=2.23606797749979)").initializers
    assert initializer.contract.activation == "linear"
    assert "no slope of a leaky ReLU" in initializer.contract.notes[0]


def test_sparse_draws_from_the_global_generator_whatever_it_is_handed():
    initializer = recognise(functools.partial(TORCH.sparse_, sparsity=0.5), "sparse_")
    assert initializer.uses_global_generator
    assert not initializer.takes_randomness
    assert "draws from torch's global one as well" in initializer.notes[0]


@pytest.mark.long
def test_jax_layout_follows_the_axes():
    assert recognise(jax.nn.initializers.he_normal(), "a").contract.layout == "in_out"
    assert recognise(jax.nn.initializers.he_normal(in_axis=-1, out_axis=-2), "b").contract.layout == "out_in"
    odd = recognise(jax.nn.initializers.he_normal(in_axis=(0, 1), out_axis=2), "c").contract
    assert odd.layout is None
    assert "no layout that a contract can name" in odd.notes[0]


@pytest.mark.parametrize(("low", "high", "expected"), [(-2, 2, 0.87962566), (-3, 3, 0.98658), (-9, 9, 1.0)])
def test_truncation_shrinks_a_normal(low, high, expected):
    assert truncated_std(1.0, low, high) == pytest.approx(expected, rel=1e-5)


@pytest.mark.long
@pytest.mark.parametrize(
    ("module", "least"), [("torch.nn.init", 13), ("jax.nn.initializers", 13), ("keras.initializers", 15)]
)
def test_library_modules_are_read_whole(module, least):
    loaded = load(module)
    assert len(loaded.initializers) >= least
    for initializer in loaded.initializers:
        assert initializer.contract.origins.get("layout") == "known"
        assert initializer.sampler is not None
    assert all(n.reason.endswith((".", "'", "...")) for n in loaded.not_checked)
    missing = {n.name.rpartition(":")[2]: n.call_to_write for n in loaded.not_checked}
    expected = {"torch": "sparse_", "jax": "variance_scaling", "keras": "deserialize"}
    assert missing[expected[module.partition(".")[0]]]
