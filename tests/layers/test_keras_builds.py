"""Builds of a Keras layer by the batch: traced with the seeds that Keras would draw, where that is the user's build."""

from __future__ import annotations

import functools
import random

import numpy as np
import pytest

keras = pytest.importorskip("keras")
jax = pytest.importorskip("jax")
if keras.config.backend() != "jax":
    pytest.skip("Keras compiles on JAX alone", allow_module_level=True)

from keras import layers  # noqa: E402

import initcheck  # noqa: E402
from initcheck.adapters.frameworks.keras_seeds import rows_of, traced_seeds  # noqa: E402
from initcheck.layers.recognition import layer_initializer  # noqa: E402
from initcheck.layers.sampler import ALL_WEIGHTS  # noqa: E402

runs: list[object] = []


class Plain(layers.Layer):
    """Draws one weight by a class of Keras, and one by itself."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    def build(self, shape):
        own = lambda s, dtype: keras.random.normal(s, stddev=0.1, dtype=dtype, seed=keras.random.SeedGenerator())  # noqa: E731
        self.one = self.add_weight(shape=(shape[-1], self.units), initializer="he_normal")
        self.other = self.add_weight(shape=(shape[-1], self.units), initializer=own)
        traced = isinstance(self.one.value, jax.core.Tracer)
        runs.append((shape, traced, jax.config.values["jax_disable_most_optimizations"]))

    def call(self, x):
        return keras.ops.matmul(x, self.one) + keras.ops.matmul(x, self.other)


class Scaled(Plain):
    """Keeps a tensor that was made of its own weight, and runs by it."""

    def build(self, shape):
        super().build(shape)
        self.size = keras.ops.sqrt(keras.ops.mean(self.one**2))

    def call(self, x):
        return super().call(x) / self.size


def seeded(fan_in, fan_out, seed):
    return layers.Dense(fan_out, kernel_initializer=keras.initializers.HeNormal(seed=seed))


@functools.cache
def cached(fan_in, fan_out):
    return layers.Dense(fan_out)


def of_numpy(fan_in, fan_out):
    draw = lambda shape, dtype=None: np.random.normal(0, shape[0] ** -0.5, shape)  # noqa: E731
    return layers.Dense(fan_out, kernel_initializer=draw)


def of_python(fan_in, fan_out):
    return layers.Dense(fan_out, kernel_initializer=keras.initializers.RandomNormal(stddev=random.uniform(1, 2)))


def started_anew(fan_in, fan_out):
    keras.utils.set_random_seed(0)
    return layers.Dense(fan_out)


def sampler_of(target):
    return layer_initializer(target, target.__name__, {}).sampler


def own_builds(sampler, number, seeds):
    call = lambda seed: sampler.builder.build(sampler.sizes[number], seed)  # noqa: E731
    return sampler._each_anew([(call, seeds)])[0]


SEEDS = [5, 2**31 - 1, 6]


@pytest.mark.parametrize("target", [layers.Dense, Plain, seeded, cached])
def test_builds_by_the_batch_are_the_users_own(target):
    sampler = sampler_of(target)
    for number in (1, 2):
        together = sampler.weights((number, ALL_WEIGHTS), SEEDS, "float32")
        alone = sampler.calls((number, ALL_WEIGHTS), SEEDS, "float32")
        assert sampler.compiled.trusted
        for a, b in zip(together, alone, strict=True):
            assert all(np.allclose(a[place], b[place], rtol=1e-6, atol=1e-7) for place in b)


def test_every_own_build_is_compiled_alike_so_that_a_fresh_process_draws_the_same_bits():
    sampler = sampler_of(Plain)
    runs.clear()
    sampler.functions(sampler.sizes[1], [3])
    assert [alike for _, traced, alike in runs if not traced]
    assert all(alike for _, traced, alike in runs if not traced)


def test_a_thousand_builds_run_the_users_code_a_few_times():
    sampler = sampler_of(Plain)
    sampler.weights((1, ALL_WEIGHTS), [0], "float32")
    runs.clear()
    assert len(sampler.weights((1, ALL_WEIGHTS), list(range(1000)), "float32")) == 1000
    assert not runs


@pytest.mark.parametrize("target", [Scaled, of_numpy, of_python, started_anew])
def test_what_a_trace_does_not_show_is_built_one_by_one_as_before(target):
    sampler = sampler_of(target)
    functions = sampler.functions(sampler.sizes[1], SEEDS)
    assert sampler.compiled.trusted is False
    x = np.random.default_rng(0).standard_normal((4, sampler.sizes[1].inputs)).astype(np.float32)
    for function, alone in zip(functions, own_builds(sampler, 1, SEEDS), strict=True):
        np.testing.assert_array_equal(function.run(function.parameters(), (x,)), alone.run(alone.parameters(), (x,)))


def test_a_layer_that_is_more_than_its_variables_is_run_as_it_was_built():
    function = sampler_of(Scaled).functions(sampler_of(Scaled).sizes[1], [3])[0]
    x = np.ones((4, 32), np.float32)
    assert np.isfinite(function.run(function.parameters(), (x,))).all()


def test_no_trace_is_left_in_a_generator_that_layers_share():
    generator = keras.random.SeedGenerator(3)

    def shared(fan_in, fan_out):
        return layers.Dense(fan_out, kernel_initializer=keras.initializers.HeNormal(seed=generator))

    sampler = sampler_of(shared)
    sampler.functions(sampler.sizes[1], SEEDS)
    assert sampler.compiled.trusted is False
    assert np.asarray(generator.state.value).shape == (2,)
    assert np.asarray(keras.random.normal((2, 3), seed=generator)).shape == (2, 3)


def test_the_seeds_of_a_row_are_those_that_keras_draws():
    random.seed(11)
    drawn = [keras.initializers.HeNormal().seed for _ in range(3)]
    assert rows_of([11], 3).tolist() == [[11, *drawn]]


def test_more_seeds_than_a_row_holds_are_refused_and_keras_is_left_as_it_was():
    before = keras.src.random.seed_generator.python_random
    with pytest.raises(IndexError), traced_seeds(rows_of([1], 1)[0]):
        keras.initializers.HeNormal(), keras.initializers.HeNormal()
    assert keras.src.random.seed_generator.python_random is before is random


class Unnamed(layers.Layer):
    """Gives its weight no name: Keras counts it through the process."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_normal")

    def call(self, x):
        return x @ self.w


class TooSmall(Unnamed):
    def build(self, shape):
        small = keras.initializers.VarianceScaling(0.3, "fan_in")
        self.w = self.add_weight(shape=(shape[-1], self.units), initializer=small)


@pytest.mark.parametrize(("layer", "holds"), [(Unnamed, True), (TooSmall, False)])
def test_a_weight_without_a_name_is_one_weight_at_every_size(layer, holds):
    """Counted by Keras it would be another at each, of which no scheme shows."""
    [found] = initcheck.check(layer, claims=["output-variance-near-one"], profile="quick")
    assert found.verdict.value == ("HOLDS" if holds else "FAILS")
