"""Models of Flax that want more than one array: a key, a second input, an axis of devices, the rows of a table."""

from __future__ import annotations

import math

import pytest

from initcheck.doors.check_model import check_model
from initcheck.models.frameworks.linen_model import linen_batch
from initcheck.models.living.called import called_with, inputs_taken
from initcheck.models.living.first_layers import arguments_as
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

jax = pytest.importorskip("jax")
linen = pytest.importorskip("flax.linen")
nnx = pytest.importorskip("flax.nnx")
jnp = jax.numpy

REACHES = "input-reaches-the-output"
SIGNAL = "signal-survives-the-blocks"


def _run(build: object, **more: object) -> Report:
    return check_model(build, claims=[REACHES, SIGNAL], name="net", **more)  # type: ignore[arg-type]


class Draws(linen.Module):
    """Two inputs, by place and by name, a key, and a stream of its own; with a table of few rows."""

    scale: float = 1.0
    rows: int = 20

    @linen.compact
    def __call__(self, tokens: jax.Array, lengths: jax.Array, z_rng: jax.Array, *, targets: jax.Array) -> jax.Array:
        held = (jnp.arange(tokens.shape[1]) < lengths[:, None])[..., None]
        x = linen.Embed(self.rows, 32)(tokens) * held + linen.Embed(self.rows, 32)(targets)
        x = x + 0.01 * jax.random.normal(z_rng, (32,)) + 0.01 * jax.random.normal(self.make_rng("noise"), (32,))
        for _ in range(8):
            x = jnp.tanh(linen.Dense(32, kernel_init=linen.initializers.normal(self.scale / 32**0.5))(x))
        return linen.Dense(self.rows)(x)


def test_a_model_of_linen_is_given_its_second_input_its_keys_and_tokens_of_its_table() -> None:
    assert [r.verdict for r in _run(lambda: Draws())] == [Verdict.HOLDS] * 2


def test_what_fades_behind_several_inputs_fails() -> None:
    report = _run(lambda: Draws(scale=0.1))
    assert report[SIGNAL].verdict is Verdict.FAILS


class Kinds(linen.Module):
    """Tokens of a hundred, whose kinds are read off them: of one kind or of two (RoBERTa, BERT)."""

    kinds: int
    cast: bool = False

    @linen.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        kinds = linen.Embed(self.kinds, 8)(jnp.zeros_like(tokens))
        return linen.Embed(100, 8)(tokens.astype(jnp.int32) if self.cast else tokens) + kinds


@pytest.mark.parametrize("kinds", [1, 2])
def test_tokens_are_below_the_rows_of_the_table_that_is_given_them(kinds: int) -> None:
    assert linen_batch(Kinds(kinds), jax.random.key(0)).text == "int<100:2x16"


def test_a_table_of_one_row_does_not_make_all_tokens_one() -> None:
    assert linen_batch(Kinds(1, cast=True), jax.random.key(0)).text == "int<100:2x16"


class Averaged(linen.Module):
    """A norm over an axis of devices, which is bound where it is trained."""

    @linen.compact
    def __call__(self, x: jax.Array, train: bool = True) -> jax.Array:
        for _ in range(4):
            x = linen.relu(linen.BatchNorm(use_running_average=not train, axis_name="devices")(linen.Dense(32)(x)))
        return linen.Dense(4)(x)


class Denoiser(nnx.Module):
    """A key of the caller's, generators of its own, a norm over devices, and a step beside its input."""

    def __init__(self, rngs: nnx.Rngs, scale: float = 1.0) -> None:
        init = nnx.initializers.normal(scale / 6)
        self.rngs = rngs
        self.into, self.steps = nnx.Linear(12, 36, rngs=rngs), nnx.Linear(1, 36, rngs=rngs)
        self.blocks = nnx.List([nnx.Linear(36, 36, kernel_init=init, rngs=rngs) for _ in range(8)])
        self.norm = nnx.BatchNorm(36, axis_name="devices", rngs=rngs)

    def __call__(self, x: jax.Array, t: jax.Array, key: jax.Array) -> jax.Array:
        noise = jax.random.normal(key, (36,)) + jax.random.normal(self.rngs.noise(), (36,))
        x = self.into(x) + self.steps(t[:, None] / 1000.0) + 0.01 * noise
        for block in self.blocks:
            x = jnp.tanh(block(x))
        return self.norm(x)


@pytest.mark.parametrize("build", [lambda: Averaged(), lambda rngs: Denoiser(rngs)], ids=["linen", "nnx"])
def test_a_norm_over_devices_and_generators_of_its_own_are_no_obstacle(build: object) -> None:
    report = _run(build)
    assert report[REACHES].verdict is Verdict.HOLDS
    assert report[SIGNAL].verdict in (Verdict.HOLDS, Verdict.NOT_APPLICABLE)


def test_a_denoiser_of_nnx_that_fades_fails() -> None:
    assert _run(lambda rngs: Denoiser(rngs, 0.1))[SIGNAL].verdict is Verdict.FAILS


def test_keys_of_attention_are_inputs() -> None:
    def attends(query: object, key: object, value: object) -> None: ...

    assert list(inputs_taken(attends)) == ["query", "key", "value"]
    assert called_with(attends, {}, chance=lambda name: 0) == {}


def test_what_stands_beside_an_input_is_told_by_its_name() -> None:
    inputs = {"x": False, "t": False, "mask": False, "labels": True, "y": False}
    assert arguments_as("2x16x8", inputs) == "2x16x8;int<1000:2;ones:2x16;labels=int<10:2;2x16x8"


@pytest.mark.parametrize(("gate", "verdict"), [(math.sqrt(6), Verdict.HOLDS), (1.0, Verdict.FAILS)])
def test_a_batch_norm_of_equinox_takes_the_moments_of_one_example(gate: float, verdict: Verdict) -> None:
    """Its state is made while the build is traced; a scalar that is written there is an array of the model."""
    eqx = pytest.importorskip("equinox")

    class Net(eqx.Module):  # type: ignore[misc, name-defined]
        convs: list[object]
        norm: object
        gate: jax.Array

        def __init__(self, key: jax.Array) -> None:
            keys = jax.random.split(key, 8)
            self.convs = [
                eqx.nn.Conv2d(32 if i else 3, 32, 3, padding=1, use_bias=False, key=k) for i, k in enumerate(keys)
            ]
            self.norm = eqx.nn.BatchNorm(32, axis_name="batch", mode="batch")
            self.gate = jnp.array(gate)

        def __call__(self, x: jax.Array, state: object) -> tuple[jax.Array, object]:
            first, *others = self.convs
            x, state = self.norm(first(x), state)
            for conv in others:
                x = conv(jax.nn.relu(x)) * self.gate
            return x, state

    assert _run(lambda key: eqx.nn.make_with_state(Net)(key))[SIGNAL].verdict is verdict
