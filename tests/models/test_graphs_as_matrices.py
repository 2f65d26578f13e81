"""Models that are told by a matrix which nodes of a graph are joined: what they are run on is such a graph."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice
from typing import Any

import equinox as eqx
import flax.linen as linen
import jax
import jax.numpy as jnp
import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.batches.batch import Batch
from initcheck.models.batches.tried import tried_batches

DEPTH, WIDTH = 6, 128


class Deep(nn.Module):
    """Sums over neighbours, with He's start: no layer makes the signal grow or fade where a node has one neighbour."""

    def __init__(self, gain: float = 1.0, *, mean: bool = False) -> None:
        super().__init__()
        self.mean, self.layers = mean, nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(DEPTH))
        for layer in self.layers:
            nn.init.normal_(layer.weight, 0, gain * math.sqrt(2 / WIDTH))  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, adj: Tensor) -> Tensor:
        joined = adj / adj.sum(-1, keepdim=True) if self.mean else adj
        for layer in self.layers:
            x = torch.relu(joined @ layer(x))
        return x


class Weights(nn.Module):
    """The same with matrices of its own, which no layer reads."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        start = gain * math.sqrt(2 / WIDTH)
        self.weights = nn.ParameterList(nn.Parameter(start * torch.randn(WIDTH, WIDTH)) for _ in range(DEPTH))

    def forward(self, features: Tensor, A: Tensor) -> Tensor:  # noqa: N803
        for weight in self.weights:
            features = torch.relu(A @ (features @ weight))
        return features


class Flax(linen.Module):
    gain: float = 1.0

    @linen.compact
    def __call__(self, x: Any, adj: Any) -> Any:
        for _ in range(DEPTH):
            kernel = linen.initializers.normal(self.gain * math.sqrt(2 / WIDTH))
            x = linen.relu(adj @ linen.Dense(WIDTH, kernel_init=kernel)(x))
        return x


@pytest.mark.parametrize("build", [Deep, lambda gain=1.0: Deep(gain, mean=True), Weights, Flax])
def test_a_deep_sum_over_neighbours_holds_and_fails_by_its_weights_alone(build: Callable[..., Any]) -> None:
    report = initcheck.check_model(build)
    assert report.ok
    assert report["signal-survives-the-blocks"].verdict.value == "HOLDS"
    failing = initcheck.check_model(lambda: build(3.0))
    assert failing["signal-survives-the-blocks"].verdict.value == "FAILS"


class Attention(nn.Module):
    """Asks every pair of nodes that are joined: of one neighbour alone a softmax would hide what is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.pair = nn.Parameter(torch.empty(24, 8)), nn.Parameter(torch.empty(16, 1))
        for parameter in (self.weight, self.pair):
            nn.init.xavier_uniform_(parameter)

    def forward(self, h: Tensor, adj: Tensor) -> Tensor:
        made = h @ self.weight
        asked = nn.functional.leaky_relu(made @ self.pair[:8] + (made @ self.pair[8:]).T)
        return torch.where(adj > 0, asked, torch.full_like(asked, -9e15)).softmax(1) @ made


class Batched(nn.Module):
    """A graph for each sample, with the degrees of its nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.out = nn.Linear(10, 32), nn.Linear(32, 32), nn.Linear(32, 1)

    def forward(self, nodes: Tensor, adjacency: Tensor) -> Tensor:
        h = self.first(nodes)
        degrees = adjacency.sum(-1, keepdim=True).clamp(min=1)
        return self.out((h + torch.relu(self.second(adjacency @ h / degrees))).mean(1))


class OfOneExample(eqx.Module):
    first: eqx.nn.Linear
    second: eqx.nn.Linear

    def __init__(self, key: jax.Array) -> None:
        keys = jax.random.split(key)
        self.first, self.second = eqx.nn.Linear(12, 16, key=keys[0]), eqx.nn.Linear(16, 3, key=keys[1])

    def __call__(self, x: jax.Array, a_hat: jax.Array) -> jax.Array:
        return a_hat @ jax.vmap(self.second)(jax.nn.relu(a_hat @ jax.vmap(self.first)(x)))


class OfBatches(linen.Module):
    @linen.compact
    def __call__(self, nodes: Any, adj: Any) -> Any:
        return linen.Dense(1)(jnp.einsum("bij,bjc->bic", adj, linen.Dense(16)(nodes)).mean(1))


@pytest.mark.parametrize("build", [Attention, Batched, OfOneExample, OfBatches])
def test_every_tensor_of_an_attention_or_a_sum_over_neighbours_is_judged(build: Callable[..., Any]) -> None:
    report = initcheck.check_model(build)
    assert report.ok
    assert all(
        report[claim].verdict.value == "HOLDS"
        for claim in ("gradient-reaches-every-tensor", "input-reaches-the-output")
    )


@pytest.mark.parametrize("kind", [Batch, ArrayBatch])
def test_which_nodes_are_joined_is_kept_in_another_batch(kind: type[Batch] | type[ArrayBatch]) -> None:
    batch = kind.read("8x16;graph:8x8")
    nodes, joined = batch.shuffled().args
    assert (joined == batch.args[1]).all()
    assert not (nodes == batch.args[0]).all()


class Prototypes(nn.Module):
    """The support of a few classes is images, and no graph."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.LayerNorm(8 * 28 * 28))

    def forward(self, support: Tensor, query: Tensor) -> Tensor:
        return -torch.cdist(self.net(query), self.net(support))


def test_images_are_no_graph_whatever_their_name() -> None:
    texts = [batch.text for batch in islice(tried_batches(Prototypes(), []), 3)]
    assert "support=4x3x28x28;query=4x3x28x28" in texts
    assert not any("graph" in text for text in texts)
