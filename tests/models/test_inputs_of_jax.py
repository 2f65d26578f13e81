"""Models of Flax that want more than one array: a key, a second input, an axis of devices, the rows of a table."""

from __future__ import annotations

import math
from collections.abc import Callable

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
    beside = "int<1000:2;ones:2x16;labels=int<10:2"
    assert arguments_as("2x16x8", inputs) == [f"2x16x8;{beside};{y}" for y in ("2x16x8", "int<10:2")]


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


class Axial(nnx.Module):
    """A layer whose attribute of the name of an axis of devices is one of an image, and asked for."""

    def __init__(self, rngs: nnx.Rngs, scale: float = 1.0) -> None:
        init = nnx.initializers.normal(scale / 32**0.5)
        self.axis_name = "height"
        self.layers = nnx.List([nnx.Linear(32, 32, kernel_init=init, rngs=rngs) for _ in range(8)])

    def __call__(self, x: jax.Array, rngs: nnx.Rngs) -> jax.Array:
        axis = {"height": 0, "width": 1}[self.axis_name]
        x = x + 0.01 * jax.random.normal(rngs.noise(), (32,)) - 0.1 * x.mean(axis, keepdims=True)
        for layer in self.layers:
            x = jnp.tanh(layer(x))
        return x


class Streams(linen.Module):
    """Keys by name in what is called as an argument of init is, images and their classes."""

    scale: float = 1.0

    @linen.compact
    def __call__(self, x: jax.Array, y: jax.Array, rngs: dict[str, jax.Array]) -> jax.Array:
        x = linen.Conv(32, (3, 3))(x) + linen.Embed(10, 32)(y)[:, None, None]
        x = x + 0.01 * jax.random.normal(rngs["noise"], x.shape)
        for _ in range(8):
            x = jnp.tanh(linen.Conv(32, (3, 3), kernel_init=linen.initializers.normal(self.scale / 17))(x))
        return linen.Dense(10)(x.mean((1, 2)))


@pytest.mark.parametrize(("scale", "verdict"), [(1.0, Verdict.HOLDS), (0.1, Verdict.FAILS)])
@pytest.mark.parametrize(
    "build",
    [lambda scale: lambda rngs: Axial(rngs, scale), lambda scale: lambda: Streams(scale)],
    ids=["nnx", "linen"],
)
def test_generators_of_a_call_classes_beside_images_and_axes_of_its_own(
    build: Callable[[float], object], scale: float, verdict: Verdict
) -> None:
    assert _run(build(scale))[SIGNAL].verdict is verdict


def test_a_convolution_of_linen_is_given_items() -> None:
    class Classifier(linen.Module):
        @linen.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            x = linen.Conv(8, (3, 3))(x)
            return linen.Dense(4)(x.reshape((x.shape[0], -1)))

    assert linen_batch(Classifier(), jax.random.key(0)).text == "2x32x32x3"

    class OneImage(linen.Module):
        @linen.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            assert x.ndim == 3
            return linen.Conv(8, (3, 3))(x)

    assert linen_batch(OneImage(), jax.random.key(0)).text == "2x16x32"


@pytest.mark.parametrize(("gate", "verdict"), [(1.0, Verdict.HOLDS), (0.02, Verdict.FAILS)])
def test_a_time_before_the_input_of_equinox_is_one_number(gate: float, verdict: Verdict) -> None:
    eqx = pytest.importorskip("equinox")

    class Score(eqx.Module):  # type: ignore[misc, name-defined]
        layers: list[object]
        gate: float = eqx.field(static=True)

        def __init__(self, key: jax.Array) -> None:
            keys = jax.random.split(key, 8)
            self.layers = [
                eqx.nn.Conv2d(32 if i else 2, 32, 3, padding=1, use_bias=False, key=k) for i, k in enumerate(keys)
            ]
            self.gate = 6**0.5 * gate

        def __call__(self, t: jax.Array, y: jax.Array, args: object) -> jax.Array:
            assert args is None
            x = jnp.concatenate([y, jnp.broadcast_to(t, (1, *y.shape[1:]))])
            for layer in self.layers:
                x = jax.nn.relu(layer(x)) * self.gate  # type: ignore[operator]
            return x

    report = _run(lambda key: Score(key))
    assert report[SIGNAL].verdict is verdict


@pytest.mark.parametrize(("closed", "verdict"), [(1.0, Verdict.HOLDS), (0.0, Verdict.FAILS)])
def test_two_numbers_that_change_places_are_another_input(closed: float, verdict: Verdict) -> None:
    """A vector field of the plane: turned over within its range, two numbers come back but for a rounding."""
    eqx = pytest.importorskip("equinox")

    class Field(eqx.Module):  # type: ignore[misc, name-defined]
        mlp: object

        def __init__(self, key: jax.Array) -> None:
            self.mlp = eqx.nn.MLP(2, 2, 32, 2, key=key)

        def __call__(self, t: float, y: jax.Array, args: object) -> jax.Array:
            return self.mlp(closed * y)  # type: ignore[no-any-return, operator]

    assert _run(lambda key: Field(key))[REACHES].verdict is verdict
