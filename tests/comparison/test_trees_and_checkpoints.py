"""Models that are no module: state dicts, checkpoints, lists of arrays, and what JAX knows as a tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import initcheck
from initcheck.comparison.weights.tensors import tensors_of

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")
nn = torch.nn


def convolutional(seed: int) -> Any:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 6, 2), nn.Linear(9, 9))
    net.register_buffer("inv_freq", 10_000.0 ** -(torch.arange(4) / 4))
    nn.init.orthogonal_(net[3].weight)
    with torch.no_grad():
        net[3].weight[0] = 0
    return net


def _state(seed: int) -> Any:
    return convolutional(seed).state_dict()


CHECKPOINTS: dict[str, Callable[[Any], Any]] = {
    "state dict": lambda state: state,
    "of arrays": lambda state: {name: tensor.numpy() for name, tensor in state.items()},
    "in a checkpoint": lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1}},
    "beside an optimiser": lambda state: {"model": state, "optimizer": {"lr": 0.1}, "step": 4},
}


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_a_state_dict_is_the_module_it_is_of(kind: str) -> None:
    held = CHECKPOINTS[kind]
    report = initcheck.same(convolutional, lambda seed: held(_state(seed)))
    assert report.ok
    assert "the same bits" in " ".join(report["start-from-one-law"].notes)


def test_a_state_dict_of_another_law_is_told() -> None:
    def scaled(seed: int) -> Any:
        state = _state(seed + 1)
        state["0.weight"] *= 2
        state["1.running_var"] *= 2
        return state

    [failure] = initcheck.same(convolutional, scaled).failures
    assert "0.weight: DIFFERENT in size, B's weights 2" in (failure.evidence.case or "")
    assert "1.running_var: DIFFERENT" in str(failure.evidence)


def test_a_tied_tensor_of_a_state_dict_is_one() -> None:
    net = nn.Module()
    net.embed, net.head = nn.Embedding(6, 4), nn.Linear(4, 6, bias=False)
    net.head.weight = net.embed.weight
    assert [tensor.path for tensor in tensors_of(net.state_dict(), "m")] == ["embed.weight"]
    apart = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    assert len(tensors_of(apart, "m")) == 2


class Layer(NamedTuple):
    w: Any
    b: Any


def mlp(seed: int, second: float = 1.0) -> Any:
    keys = jax.random.split(jax.random.key(seed), 2)
    return [
        Layer(jax.random.normal(keys[0], (12, 20)), jax.numpy.zeros(20)),
        (second * jax.random.normal(keys[1], (20, 8)), jax.numpy.zeros(8)),
    ]


def torch_mlp(seed: int) -> Any:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(12, 20), nn.Linear(20, 8))
    for parameter in net.parameters():
        nn.init.normal_(parameter) if parameter.ndim > 1 else nn.init.zeros_(parameter)
    return net


@pytest.mark.long
def test_a_list_of_layers_is_a_model() -> None:
    report = initcheck.same(torch_mlp, mlp)
    assert report.ok
    report = initcheck.same(torch_mlp, lambda seed: mlp(seed, 0.5))
    [failure] = report.failures
    assert "DIFFERENT in 1 of 4; clearest: 1.weight (1.0 in B)" in (failure.evidence.case or "")


def test_what_a_tree_holds_beside_arrays_is_no_parameter() -> None:
    tree = {"net": mlp(0)[:1], "step": jax.numpy.array(3), "key": jax.random.key(0), "epoch": 2}
    assert [(t.path, t.shape) for t in tensors_of(tree, "m")] == [("net.0.w", (20, 12)), ("net.0.b", (20,))]
    with pytest.raises(initcheck.UsageError, match="net is function, no array"):
        tensors_of({"net": mlp, "w": jax.numpy.ones(3)}, "m")


def test_names_with_slashes_are_paths() -> None:
    flat = {"embed/embedding": jax.numpy.ones((6, 4)), ("fc", "kernel"): jax.numpy.ones((4, 3))}
    assert [(t.path, t.shape) for t in tensors_of(flat, "m")] == [("embed.embedding", (6, 4)), ("fc.kernel", (3, 4))]


def test_a_state_of_training_holds_its_parameters() -> None:
    linen, optax = pytest.importorskip("flax.linen"), pytest.importorskip("optax")
    from flax.training.train_state import TrainState

    variables = linen.Dense(4).init(jax.random.key(0), jax.numpy.ones((1, 3)))
    state = TrainState.create(apply_fn=None, params=variables["params"], tx=optax.adam(1e-3))
    assert [(t.path, t.shape) for t in tensors_of(state, "m")] == [("kernel", (4, 3)), ("bias", (4,))]


@pytest.mark.parametrize("imaginary", [1.0, 0.0])
def test_complex_numbers_are_pairs(imaginary: float) -> None:
    def tree(seed: int) -> Any:
        one, two = np.random.default_rng(seed).normal(size=(2, 8, 16))
        return {"b": jax.numpy.asarray(one + 1j * imaginary * two)}

    def module(seed: int) -> Any:
        torch.manual_seed(seed)
        net = nn.Module()
        net.b = nn.Parameter(torch.complex(torch.randn(8, 16), torch.randn(8, 16)))
        return net

    assert initcheck.same(module, tree).ok is bool(imaginary)


def test_the_arrays_of_a_keras_model_by_heads_are_its_own() -> None:
    def heads(seed: int) -> Any:
        kernel = np.random.default_rng(seed).normal(size=(12, 3, 4))
        return [kernel, np.zeros((3, 4)), np.ones((4, 2))]

    def named(seed: int) -> Any:
        kernel, bias, rest = (jax.numpy.asarray(one) for one in heads(seed + 1))
        return {"query": {"kernel": kernel, "bias": bias}, "out": {"kernel": rest}}

    assert initcheck.same(named, heads).ok
