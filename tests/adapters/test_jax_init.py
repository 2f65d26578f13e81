import jax
import numpy as np
import pytest

from initcheck.adapters.frameworks import jax_init
from initcheck.adapters.recognition import recognise


def test_thousands_of_calls_at_once_are_the_same_calls():
    initializer = recognise(jax.nn.initializers.he_normal(), "he_normal")
    assert initializer.batched
    seeds = list(range(2100))
    together = initializer.sampler.calls((3, 2), seeds, "float32")
    assert initializer.sampler._batched
    assert len(together) == 2100
    for seed in (0, 1023, 1024, 2099):
        [alone] = initializer.sampler.calls((3, 2), [seed], "float32")
        np.testing.assert_allclose(together[seed], np.asarray(alone), rtol=1e-6)


@pytest.mark.parametrize("cheat", ["numpy", "branch"])
def test_what_vmap_would_change_is_called_one_by_one(cheat, monkeypatch):
    monkeypatch.setattr(jax_init, "_LEAST", 8)
    monkeypatch.setattr(jax_init, "_BATCH", 8)

    def init(key, shape):
        if cheat == "numpy":
            return np.random.normal(size=shape) + 0 * jax.random.normal(key, shape)
        if float(jax.random.normal(key, ())) > 9:  # cannot be traced
            return jax.numpy.zeros(shape)
        return jax.random.normal(key, shape)

    initializer = recognise(init, "init")
    results = initializer.sampler.calls((3, 2), list(range(8)), "float32")
    assert len({np.asarray(r).tobytes() for r in results}) == 8
    assert (3, 2) in initializer.sampler.one_by_one
