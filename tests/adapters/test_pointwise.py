import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initcheck.adapters.frameworks import pointwise as rows
from initcheck.adapters.frameworks.pointwise import pointwise
from initcheck.adapters.recognition import recognise


def of_many(init, shape):
    return pointwise(jax.jit(lambda seed: init(jax.random.key(seed), shape)).trace(np.uint32(0)).jaxpr)


def with_a_mask(key, shape):
    mask, weight = jax.random.split(key)
    return jnp.where(jax.random.uniform(mask, shape) < 0.3, 0.0, jax.random.normal(weight, shape))


def of_one_scale_a_call(key, shape):
    scale = jax.random.exponential(jax.random.fold_in(key, 3))
    return scale * jax.random.normal(key, (int(np.prod(shape)),)).reshape(shape)


def of_one_number(key, shape):
    return jnp.full(shape, jax.random.normal(key))


def in_half_precision(key, shape):
    return jax.random.normal(key, shape, jnp.bfloat16)


SAMPLERS = {
    "he": jax.nn.initializers.he_normal(),
    "glorot": jax.nn.initializers.glorot_uniform(),
    "constant": jax.nn.initializers.constant(0.5),
    "mask": with_a_mask,
    "scale": of_one_scale_a_call,
    "number": of_one_number,
    "half": in_half_precision,
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_call_is_the_users_own_to_the_last_bit(name):
    init = SAMPLERS[name]
    own = [np.asarray(init(jax.random.key(seed), (6, 9))) for seed in (5, 2**31 - 1)]
    [together] = of_many(init, (6, 9))([5, 2**31 - 1])
    assert together.dtype == own[0].dtype
    np.testing.assert_array_equal(together, np.stack(own))


def test_many_calls_are_one_row_that_starts_anew_for_each():
    init = jax.nn.initializers.he_normal()
    [together] = of_many(init, (17, 19))(list(range(1000)))
    for seed in (0, 202, 203, 999):
        np.testing.assert_array_equal(together[seed], np.asarray(init(jax.random.key(seed), (17, 19))))


def test_another_shape_and_another_constant_compile_nothing():
    of_many(jax.nn.initializers.he_normal(), (8, 3))
    before = rows._row.cache_info().misses, rows._first.cache_info().misses
    of_many(jax.nn.initializers.he_normal(), (50, 2, 7))
    of_many(jax.nn.initializers.lecun_normal(), (9, 4))
    assert (rows._row.cache_info().misses, rows._first.cache_info().misses) == before


def centred(key, shape):
    drawn = jax.random.normal(key, shape)
    return drawn - drawn.mean()


def of_a_transposed_draw(key, shape):
    return jax.random.normal(key, shape[::-1]).T


def of_rows_with_keys_of_their_own(key, shape):
    return jnp.stack([jax.random.normal(k, shape[1:]) for k in jax.random.split(key, shape[0])])


def of_a_row_for_all(key, shape):
    return jnp.broadcast_to(jax.random.normal(key, shape[1:]), shape)


def scaled_by_row(key, shape):
    return jax.random.normal(key, shape) * jnp.arange(shape[0], dtype=jnp.float32)[:, None]


def of_another_generator(key, shape):
    return jax.random.normal(jax.random.wrap_key_data(jnp.tile(jax.random.key_data(key), 2), impl="rbg"), shape)


@pytest.mark.parametrize(
    "init",
    [
        centred,
        of_a_transposed_draw,
        of_rows_with_keys_of_their_own,
        of_a_row_for_all,
        scaled_by_row,
        of_another_generator,
        jax.nn.initializers.orthogonal(),
    ],
    ids=lambda init: init.__name__,
)
def test_what_looks_at_other_places_is_compiled_at_its_shape(init):
    assert of_many(init, (6, 9)) is None
    sampler = recognise(functools.partial(init), "init").sampler
    together = sampler.weights((6, 9), list(range(8)), "float32")
    own = sampler.calls((6, 9), list(range(8)), "float32")
    np.testing.assert_allclose(np.stack(together), np.stack([np.asarray(w) for w in own]), rtol=1e-3, atol=1e-5)
