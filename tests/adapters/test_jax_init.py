import itertools
import subprocess
import sys

import jax
import numpy as np
import pytest

from initcheck.adapters.frameworks.cheaply_compiled import own_calls_compiled_cheaply
from initcheck.adapters.recognition import recognise


@pytest.mark.long
def test_thousands_of_calls_at_once_are_the_same_calls():
    initializer = recognise(jax.nn.initializers.he_normal(), "he_normal")
    assert initializer.batched
    seeds = list(range(1030))
    together = initializer.sampler.weights((5, 7), seeds, "float32")
    assert initializer.sampler.compiled.trusted
    assert len(together) == 1030
    for seed in (0, 1023, 1024, 1029):
        [alone] = initializer.sampler.calls((5, 7), [seed], "float32")
        np.testing.assert_allclose(together[seed], np.asarray(alone), rtol=1e-6)


_ORTHOGONAL = """
import jax
from initcheck.adapters.recognition import recognise

def six(key, shape):
    return sum(jax.nn.initializers.orthogonal()(k, shape) for k in jax.random.split(key, 6))

sampler = recognise(six, "six").sampler
drawn = [sampler.weights((32, 32), list(range(at, at + 64)), "float32") for at in (0, 64, 128)]
print(sampler.compiled.trusted, *map(len, drawn))
"""


def test_batches_of_orthogonal_kernels_do_not_wait_for_one_another():
    # jaxlib runs each in a thread that waits for others; as many of them as there are cores never end.
    ran = subprocess.run([sys.executable, "-c", _ORTHOGONAL], capture_output=True, text=True, timeout=300, check=True)
    assert ran.stdout.split() == ["True", "64", "64", "64"]


def of_numpy(key, shape):
    return np.random.normal(size=shape) + 0 * jax.random.normal(key, shape)


def that_branches(key, shape):
    if float(jax.random.normal(key, ())) > 9:  # cannot be traced
        return jax.numpy.zeros(shape)
    return jax.random.normal(key, shape)


def that_counts(key, shape, calls=itertools.count()):  # noqa: B008  # the count is meant to live on
    return jax.random.normal(key, shape) * (1 + next(calls) // 40)


def that_calls_back(key, shape):
    drawn = jax.pure_callback(
        lambda _: np.random.normal(size=shape).astype(np.float32),
        jax.ShapeDtypeStruct(shape, np.float32),
        jax.random.key_data(key),
        vmap_method="sequential",
    )
    return drawn


@pytest.mark.long
@pytest.mark.parametrize("init", [of_numpy, that_branches, that_counts, that_calls_back])
def test_what_is_another_function_when_traced_is_called_one_by_one(init):
    sampler = recognise(init, init.__name__).sampler
    results = sampler.weights((5, 7), list(range(8)), "float32")
    assert len({np.asarray(r).tobytes() for r in results}) == 8
    assert sampler.compiled.trusted is False


def test_a_constant_of_python_that_changes_from_shape_to_shape_is_seen_at_each():
    def init(key, shape):
        return np.random.normal() * jax.random.normal(key, shape) if shape[0] > 5 else jax.random.normal(key, shape)

    sampler = recognise(init, "init").sampler
    assert isinstance(sampler.weights((5, 7), [1, 2], "float32")[0], np.ndarray)
    assert isinstance(sampler.weights((6, 7), [1, 2], "float32")[0], jax.Array)


@pytest.mark.long
def test_a_result_of_another_shape_is_left_to_the_claims():
    sampler = recognise(lambda key, shape: jax.random.normal(key, (*shape[:1], 9)), "init").sampler
    assert sampler.weights((5, 7), [1], "float32")[0].shape == (5, 9)


def test_own_calls_are_compiled_cheaply_and_the_flag_of_jax_is_put_back():
    flag = "jax_disable_most_optimizations"
    with own_calls_compiled_cheaply("torch"):
        assert jax.config.values[flag] is False
    with own_calls_compiled_cheaply():
        assert jax.config.values[flag] is True
        with own_calls_compiled_cheaply():
            pass
        assert jax.config.values[flag] is True
    assert jax.config.values[flag] is False
