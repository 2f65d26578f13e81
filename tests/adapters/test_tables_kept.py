"""Initializers and layers of JAX that keep a table from the first call: a trace leaves no tracer in it."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import initcheck
from initcheck.adapters.code.reach import keeps_between_calls
from initcheck.adapters.recognition import recognise

TABLE = {}
ROOT = None


@functools.lru_cache
def std_of(fan):
    return jnp.sqrt(2.0 / fan)


def of_a_cache(key, shape, dtype=jnp.float32):
    return jax.random.normal(key, shape, dtype) * std_of(shape[0])


def of_a_dict(key, shape, dtype=jnp.float32):
    if shape[0] not in TABLE:
        TABLE[shape[0]] = jnp.sqrt(jnp.asarray(2.0 / shape[0]))
    return jax.random.normal(key, shape, dtype) * TABLE[shape[0]]


def of_a_global(key, shape, dtype=jnp.float32):
    global ROOT
    if ROOT is None:
        ROOT = jnp.sqrt(jnp.asarray(2.0))
    return jax.random.normal(key, shape, dtype) * ROOT / shape[0] ** 0.5


class OfAnAttribute:
    def __init__(self):
        self.root = None

    def __call__(self, key, shape, dtype=jnp.float32):
        if self.root is None:
            self.root = jnp.sqrt(jnp.asarray(2.0))
        return jax.random.normal(key, shape, dtype) * self.root / shape[0] ** 0.5


def of_a_name_around():
    root = None

    def init(key, shape, dtype=jnp.float32):
        nonlocal root
        root = jnp.sqrt(jnp.asarray(2.0)) if root is None else root
        return jax.random.normal(key, shape, dtype) * root / shape[0] ** 0.5

    return init


def of_nothing(key, shape, dtype=jnp.float32):
    std = jnp.sqrt(2.0 / shape[0])
    return jax.random.normal(key, shape, dtype) * std


@functools.lru_cache
def drawn_once(shape):
    return jax.random.normal(jax.random.key(0), shape)


def of_one_draw(key, shape, dtype=jnp.float32):
    return drawn_once(tuple(shape)) * (2 / shape[0]) ** 0.5


@pytest.mark.parametrize("init", [of_a_cache, of_a_dict, of_a_global, OfAnAttribute(), of_a_name_around(), of_one_draw])
def test_what_a_trace_puts_into_a_table_is_what_a_call_would(init):
    sampler = recognise(init, "init").sampler
    assert sampler.keeps
    assert sampler.outline((9, 11), "float32") == (9, 11)
    for shape in ((5, 7), (64, 3), (9, 11)):
        together = sampler.weights(shape, range(20), "float32")
        assert sampler.compiled.trusted
        alone = sampler.calls(shape, range(20), "float32")
        np.testing.assert_allclose(np.stack(together), np.stack(alone), rtol=1e-5, atol=1e-6)


def test_what_keeps_nothing_is_traced_as_before():
    assert not recognise(of_nothing, "init").sampler.keeps
    assert not any(map(keeps_between_calls, (jax.nn.initializers.he_normal(), nn.Dense, nn.LSTMCell)))


class Layer(nn.Module):
    features: int

    @nn.compact
    def __call__(self, x):
        kernel = self.param("kernel", of_a_cache, (x.shape[-1], self.features))
        return x @ kernel + 0 * std_of(self.features + 0.5)


@pytest.mark.long
@pytest.mark.parametrize("init", [of_a_dict, Layer])
def test_a_table_is_kept_in_a_fresh_process_as_in_this_one(init):
    report = initcheck.check(init, claims=["accepts-every-shape", "same-seed-same-weights"], profile="quick")
    assert {r.verdict.value for r in report} == {"HOLDS"}
