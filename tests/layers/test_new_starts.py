"""Functions that take a layer of Equinox and a key, and give back the layer with new weights."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initcheck import UsageError, check
from initcheck.targets.loading import load

of_weight = lambda layer: layer.weight  # noqa: E731


def reinit(linear, key):
    drawn = jax.random.normal(key, linear.weight.shape) / jnp.sqrt(linear.weight.shape[1])
    return eqx.tree_at(of_weight, linear, drawn)


def without_a_root(linear, key):
    drawn = jax.random.normal(key, linear.weight.shape) / linear.weight.shape[1]
    return eqx.tree_at(of_weight, linear, drawn)


def by_annotation(key, layer: eqx.nn.Conv1d):
    bound = jnp.sqrt(3 / (layer.in_channels * layer.kernel_size[0]))
    drawn = jax.random.uniform(key, layer.weight.shape, minval=-bound, maxval=bound)
    return eqx.tree_at(of_weight, layer, drawn)


def of_a_model(model: eqx.Module, key):
    return eqx.tree_at(lambda m: m.layers[0].weight, model, jax.random.normal(key, (3, 3)))


def weights_of(function, seeds):
    [found] = load(function).initializers
    size = next(s for s in found.sampler.sizes if not s.probe)
    return [found.sampler.builder.build(size, seed).parameters()["weight"] for seed in seeds]


@pytest.mark.parametrize("function", [reinit, by_annotation])
def test_it_is_read_as_an_initializer_of_a_layer(function):
    one, again, other = weights_of(function, (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    fan_in = one[0].size
    assert abs(one.var() * fan_in - 1) < 0.4


def test_the_layer_that_is_handed_over_shares_no_draw_with_it():
    def kept(linear, key):
        return eqx.tree_at(of_weight, linear, linear.weight + 0 * jax.random.normal(key, linear.weight.shape))

    def drawn(linear, key):
        return eqx.nn.Linear(linear.in_features, linear.out_features, key=key)

    assert not np.allclose(weights_of(kept, (1,))[0], weights_of(drawn, (1,))[0])


def test_one_of_a_whole_model_is_still_refused():
    with pytest.raises(UsageError, match="model"):
        check(of_a_model)


@pytest.mark.long
@pytest.mark.parametrize(("function", "verdict"), [(reinit, "HOLDS"), (without_a_root, "FAILS")])
def test_its_scale_is_judged(function, verdict):
    found = check(function, claims=["output-variance-near-one"], profile="quick")["output-variance-near-one"]
    assert found.verdict.value == verdict
    if verdict == "FAILS":
        assert "the square root is missing" in found.evidence.likely
