"""Arrays that a model of JAX multiplies by itself, by number, are blocks; what is scaled in the forward pass is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

jax = pytest.importorskip("jax")
eqx = pytest.importorskip("equinox")
pytest.importorskip("flax")

import jax.numpy as jnp  # noqa: E402
from flax import linen, nnx  # noqa: E402

import initcheck  # noqa: E402
from initcheck.models.living.own_matrices import matrices_by_number  # noqa: E402
from initcheck.report.verdict import Verdict  # noqa: E402

SIGNAL = "signal-survives-the-blocks"
SIZES = [12, *[128] * 6, 4]
HE = math.sqrt(2 / 128)


class Arrays(eqx.Module):
    """A list of matrices, outputs first, and one of vectors."""

    weights: list[Any]
    biases: list[Any]

    def __init__(self, key: Any, std: float) -> None:
        keys = jax.random.split(key, len(SIZES))
        sides = zip(keys, SIZES, SIZES[1:], strict=False)
        self.weights = [std * jax.random.normal(k, (o, i)) for k, i, o in sides]
        self.biases = [jnp.zeros(o) for o in SIZES[1:]]

    def __call__(self, x: Any) -> Any:
        for w, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = jax.nn.relu(w @ x + b)
        return self.weights[-1] @ x + self.biases[-1]


class Pairs(eqx.Module):
    """A list of pairs, inputs first, mapped over the examples; scaled as it is multiplied, or not."""

    params: list[Any]
    factor: float = eqx.field(static=True)

    def __init__(self, key: Any, std: float, factor: float = 1.0) -> None:
        self.factor = factor
        keys = jax.random.split(key, len(SIZES))
        sides = zip(keys, SIZES, SIZES[1:], strict=False)
        self.params = [(std * jax.random.normal(k, (i, o)), jnp.zeros(o)) for k, i, o in sides]

    def __call__(self, x: Any) -> Any:
        return jax.vmap(self._one)(x)

    def _one(self, x: Any) -> Any:
        for w, b in self.params:
            x = jax.nn.relu(x @ (self.factor * w) + b)
        return x


class Named(linen.Module):
    """Parameters of one module, numbered by their names."""

    std: float

    @linen.compact
    def __call__(self, x: Any) -> Any:
        for k in range(6):
            x = jax.nn.relu(x @ self.param(f"w{k}", linen.initializers.normal(self.std), (x.shape[-1], 128)))
        return x


class Variables(nnx.Module):
    """A list of variables, behind a layer."""

    def __init__(self, rngs: nnx.Rngs, std: float) -> None:
        made = [nnx.Param(std * jax.random.normal(rngs.params(), (128, 128))) for _ in range(6)]
        self.ws = nnx.List(made) if hasattr(nnx, "List") else made
        self.first = nnx.Linear(12, 128, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = self.first(x)
        for w in self.ws:
            x = jax.nn.relu(x @ w[...])
        return x


def _equinox(kind: Any, *given: float) -> Callable[..., Any]:
    def build(key: Any) -> Any:
        return kind(key, *given)

    return build


def _nnx(std: float) -> Callable[..., Any]:
    def build(rngs: nnx.Rngs) -> Any:
        return Variables(rngs, std)

    return build


@pytest.mark.parametrize(
    ("right", "wrong", "batch", "named"),
    [
        (_equinox(Arrays, HE), _equinox(Arrays, 2 / 128), "12", "weights."),
        (_equinox(Pairs, HE), _equinox(Pairs, 1 / 128), None, "params."),
        (_equinox(Pairs, 1.0, HE), _equinox(Pairs, 1.0), "8x12", "params."),
        (lambda: Named(HE), lambda: Named(1.0), "8x128", "w"),
        (_nnx(HE), _nnx(0.5), "8x12", "ws."),
    ],
    ids=["a list", "pairs", "scaled as they are multiplied", "by their names", "variables"],
)
def test_arrays_that_a_model_multiplies_by_itself_are_blocks(
    right: Callable[..., Any], wrong: Callable[..., Any], batch: str | None, named: str
) -> None:
    assert initcheck.check_model(right, claims=[SIGNAL], batch=batch)[SIGNAL].verdict is Verdict.HOLDS
    found = initcheck.check_model(wrong, claims=[SIGNAL], batch=batch)[SIGNAL]
    assert found.verdict is Verdict.FAILS
    assert named in str(found.evidence.case) + str(found.evidence.fix) + str(found.evidence.likely)


class Experts(eqx.Module):
    """The same matrices, each given the same input."""

    ws: list[Any]

    def __init__(self, key: Any) -> None:
        self.ws = [jax.random.normal(k, (12, 12)) for k in jax.random.split(key, 6)]

    def __call__(self, x: Any) -> Any:
        return sum(jax.nn.relu(w @ x) for w in self.ws)


def test_arrays_side_by_side_are_no_chain() -> None:
    def build(key: Any) -> Any:
        return Experts(key)

    found = initcheck.check_model(build, claims=[SIGNAL], batch="12")[SIGNAL]
    assert found.verdict is Verdict.NOT_APPLICABLE


def test_a_list_of_blocks_of_several_matrices_names_none_of_them() -> None:
    class Blocks(eqx.Module):
        blocks: list[Any]
        head: Any

        def __init__(self) -> None:
            self.blocks = [{"up": jnp.ones((2, 3)), "down": jnp.ones((3, 2)), "b": jnp.ones(2)} for _ in range(2)]
            self.head = jnp.ones((3, 2))

    from initcheck.models.frameworks.equinox_model import equinox_parts

    arrays, living = equinox_parts(Blocks())
    assert matrices_by_number(living, [a.shape for a in arrays]) == {}


class Bottle(eqx.Module):
    """Layers of the user's own, inputs first, through a bottleneck."""

    layers: list[Any]

    def __init__(self, key: Any, *, wrong: bool) -> None:
        sizes = [64, 32, 8, 32, 64]
        keys = jax.random.split(key, 4)
        self.layers = [Own(k, i, o, wrong=wrong) for k, i, o in zip(keys, sizes, sizes[1:], strict=False)]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = jax.nn.relu(layer(x))
        return x


class Own(eqx.Module):
    """A matrix whose vector tells which of its axes counts outputs."""

    w: Any
    b: Any

    def __init__(self, key: Any, inputs: int, units: int, *, wrong: bool) -> None:
        scale = math.sqrt(2 / (units if wrong else inputs))
        self.w = scale * jax.random.normal(key, (inputs, units))
        self.b = jnp.zeros(units)

    def __call__(self, x: Any) -> Any:
        return x @ self.w + self.b


@pytest.mark.parametrize("wrong", [True, False])
def test_the_scale_of_he_by_the_outputs_is_asked_about_in_a_layer_of_ones_own(wrong: bool) -> None:
    claim = "declared-laws-are-in-force"

    def build(key: Any) -> Any:
        return Bottle(key, wrong=wrong)

    found = initcheck.check_model(build, claims=[claim], batch="64")[claim]
    assert ("the variance 2/fan_out" in str(found.reason)) == wrong
