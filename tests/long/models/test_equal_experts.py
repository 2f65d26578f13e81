"""Experts that start equal behind a router of zeros stay equal: every framework, packed and listed."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import keras
import pytest
import torch
from flax import linen, nnx
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Verdict

DISTINCT = "tensors-are-distinct"
SIDE, WIDE, EXPERTS = 16, 32, 4


class Packed(nn.Module):
    """All experts in two tensors."""

    def __init__(self, *, equal: bool) -> None:
        super().__init__()
        self.router = nn.Linear(SIDE, EXPERTS, bias=False)
        nn.init.zeros_(self.router.weight)
        up = torch.randn(1 if equal else EXPERTS, SIDE, WIDE) / math.sqrt(SIDE)
        down = torch.randn(1 if equal else EXPERTS, WIDE, SIDE) / math.sqrt(WIDE)
        self.up = nn.Parameter(up.expand(EXPERTS, -1, -1).clone())
        self.down = nn.Parameter(down.expand(EXPERTS, -1, -1).clone())

    def forward(self, x: Tensor) -> Tensor:
        made = torch.einsum("bnh,nhd->bnd", torch.einsum("bd,ndh->bnh", x, self.up).relu(), self.down)
        return x + (self.router(x).softmax(-1).unsqueeze(-1) * made).sum(1)


class Listed(nn.Module):
    """The experts in a list."""

    def __init__(self, *, equal: bool) -> None:
        super().__init__()
        self.router = nn.Linear(SIDE, EXPERTS, bias=False)
        nn.init.zeros_(self.router.weight)
        first = self._expert()
        self.experts = nn.ModuleList(copy.deepcopy(first) if equal else self._expert() for _ in range(EXPERTS))

    def _expert(self) -> nn.Module:
        return nn.Sequential(nn.Linear(SIDE, WIDE), nn.ReLU(), nn.Linear(WIDE, SIDE))

    def forward(self, x: Tensor) -> Tensor:
        shares = self.router(x).softmax(-1)
        return x + sum(shares[:, i : i + 1] * expert(x) for i, expert in enumerate(self.experts))


def _drawn(key: Any, shape: tuple[int, ...], *, equal: bool) -> Any:
    one = jax.random.normal(key, (1 if equal else shape[0], *shape[1:])) / math.sqrt(shape[1])
    return jnp.broadcast_to(one, shape)


def _mixed(x: Any, router: Any, up: Any, down: Any) -> Any:
    made = jnp.einsum("...nh,nhd->...nd", jax.nn.relu(jnp.einsum("...d,ndh->...nh", x, up)), down)
    return x + jnp.einsum("...n,...nd->...d", jax.nn.softmax(x @ router), made)


class InEquinox(eqx.Module):
    """Raw arrays."""

    router: jax.Array
    up: jax.Array
    down: jax.Array

    def __init__(self, key: Any, *, equal: bool) -> None:
        one, two = jax.random.split(key)
        self.router = jnp.zeros((SIDE, EXPERTS))
        self.up = _drawn(one, (EXPERTS, SIDE, WIDE), equal=equal)
        self.down = _drawn(two, (EXPERTS, WIDE, SIDE), equal=equal)

    def __call__(self, x: Any) -> Any:
        return _mixed(x, self.router, self.up, self.down)


class InLinen(linen.Module):
    """Parameters of the layer itself."""

    equal: bool

    @linen.compact
    def __call__(self, x: Any) -> Any:
        router = self.param("router", linen.initializers.zeros, (SIDE, EXPERTS))
        up = self.param("up", lambda key: _drawn(key, (EXPERTS, SIDE, WIDE), equal=self.equal))
        down = self.param("down", lambda key: _drawn(key, (EXPERTS, WIDE, SIDE), equal=self.equal))
        return _mixed(x, router, up, down)


class InNnx(nnx.Module):
    """The same as variables."""

    def __init__(self, rngs: nnx.Rngs, *, equal: bool) -> None:
        self.router = nnx.Param(jnp.zeros((SIDE, EXPERTS)))
        self.up = nnx.Param(_drawn(rngs.params(), (EXPERTS, SIDE, WIDE), equal=equal))
        self.down = nnx.Param(_drawn(rngs.params(), (EXPERTS, WIDE, SIDE), equal=equal))

    def __call__(self, x: Any) -> Any:
        return _mixed(x, self.router[...], self.up[...], self.down[...])


class InKeras(keras.layers.Layer):
    """The same as weights of a layer."""

    def __init__(self, *, equal: bool) -> None:
        super().__init__()
        self.equal = equal

    def build(self, shape: Any) -> None:
        self.router = self.add_weight(shape=(SIDE, EXPERTS), initializer="zeros", name="router")
        self.up = self.add_weight(shape=(EXPERTS, SIDE, WIDE), initializer=self._init, name="up")
        self.down = self.add_weight(shape=(EXPERTS, WIDE, SIDE), initializer=self._init, name="down")

    def _init(self, shape: Any, dtype: Any = None) -> Any:
        one = keras.random.normal((1 if self.equal else shape[0], *shape[1:]), stddev=1 / math.sqrt(shape[1]))
        return keras.ops.broadcast_to(one, shape)

    def call(self, x: Any) -> Any:
        made = keras.ops.einsum("bnh,nhd->bnd", keras.ops.relu(keras.ops.einsum("bd,ndh->bnh", x, self.up)), self.down)
        return x + keras.ops.einsum("bn,bnd->bd", keras.ops.softmax(x @ self.router), made)


def _keras(*, equal: bool) -> Any:
    given = keras.Input((SIDE,))
    return keras.Model(given, InKeras(equal=equal)(given))


def _equinox(*, equal: bool) -> Callable[..., Any]:
    def build(key: Any) -> Any:
        return InEquinox(key, equal=equal)

    return build


def _nnx(*, equal: bool) -> Callable[..., Any]:
    def build(rngs: nnx.Rngs) -> Any:
        return InNnx(rngs, equal=equal)

    return build


MAKERS: dict[str, tuple[Callable[[bool], Callable[..., Any]], str]] = {
    "packed": (lambda equal: lambda: Packed(equal=equal), "12x16"),
    "listed": (lambda equal: lambda: Listed(equal=equal), "12x16"),
    "Equinox": (lambda equal: _equinox(equal=equal), "16"),
    "linen": (lambda equal: lambda: InLinen(equal=equal), "12x16"),
    "nnx": (lambda equal: _nnx(equal=equal), "12x16"),
    "Keras": (lambda equal: lambda: _keras(equal=equal), "12x16"),
}


@pytest.mark.long
@pytest.mark.parametrize(("equal", "verdict"), [(True, Verdict.FAILS), (False, Verdict.HOLDS)])
@pytest.mark.parametrize("name", MAKERS)
def test_experts_behind_a_router_of_zeros_fail_where_they_are_equal(name: str, equal: bool, verdict: Verdict) -> None:
    make, batch = MAKERS[name]
    found = initcheck.check_model(make(equal), claims=[DISTINCT], batch=batch)[DISTINCT]
    assert found.verdict is verdict
