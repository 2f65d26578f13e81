"""Initializers of NumPy and JAX of courses, reinforcement learning and reservoirs; the answers are in tinkerers.py."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

POWER = {"relu": 2.0, "linear": 1.0}


def layer_weights(n_prev, n_curr, *, activation="relu", rng=None):
    rng = rng if rng is not None else np.random.default_rng()
    return rng.standard_normal(size=(n_curr, n_prev)) * np.sqrt(POWER[activation] / n_prev)


def conv_1d(out_channels, in_channels, kernel_size, rng):
    return rng.normal(0, np.sqrt(2 / (in_channels * kernel_size)), (out_channels, in_channels, kernel_size))


def rotation(n, seed):
    return stats.ortho_group.rvs(n, random_state=seed)


rotation.__initcheck__ = {"distribution": "orthogonal"}


class PolicyHead:
    """The last layer of a policy, small so that all actions begin alike likely."""

    gain = 0.01

    def initialize(self, obs_dim, act_dim, rng):
        return rng.normal(0, self.gain / np.sqrt(obs_dim), (obs_dim, act_dim))


PolicyHead.__initcheck__ = {"gain": 0.01, "layout": "in_out"}


class PolicyHeadOfOne(PolicyHead):
    def initialize(self, obs_dim, act_dim, rng):
        return rng.normal(0, 1 / np.sqrt(obs_dim), (obs_dim, act_dim))


def token_table(shape, rng, std=0.02):
    """Drawn again where it lies beyond two deviations."""
    w = rng.normal(0, std, shape)
    while (far := np.abs(w) > 2 * std).any():
        w[far] = rng.normal(0, std, int(far.sum()))
    return w


token_table.__initcheck__ = {"std": 0.02 * 0.87962566, "distribution": "truncated_normal(2)"}


def reservoir(n_in, n_out, rng, density=0.1):
    """A tenth of the connections; an input reaches so many that all together have unit variance."""
    w = rng.uniform(-1, 1, (n_in, n_out)) * np.sqrt(3 / (n_in * density))
    return np.where(rng.random((n_in, n_out)) < density, w, 0.0)


def reservoir_by_all(n_in, n_out, rng, density=0.1):
    w = rng.uniform(-1, 1, (n_in, n_out)) * np.sqrt(3 / (n_in * n_out * density))
    return np.where(rng.random((n_in, n_out)) < density, w, 0.0)


def he_sqrt_of_two(n_in, n_out, rng):
    """The root is taken of the two alone."""
    return rng.standard_normal((n_in, n_out)) * np.sqrt(2) / n_in


he_sqrt_of_two.__initcheck__ = {"activation": "relu"}


def bytes_to_weights(shape, rng):
    """Whole numbers of a byte between the deviations; weights are (out, in)."""
    return rng.integers(-127, 128, shape) / 127 * np.sqrt(1 / shape[1])


def course(n_x, n_h):
    np.random.seed(1)
    return np.random.randn(n_h, n_x) * np.sqrt(1 / n_x)


def outer(n_out, n_in, rng):
    """One number for each unit times one for each input."""
    return rng.standard_normal((n_out, 1)) @ rng.standard_normal((1, n_in)) / np.sqrt(n_in)


def dense(key, n_in, n_out):
    k_w, _k_b = jax.random.split(key)
    return jax.random.normal(k_w, (n_in, n_out)) * n_in**-0.5


def dense_of_one_column(key, n_in, n_out):
    k_w, _k_b = jax.random.split(key)
    column = jax.random.normal(k_w, (n_in, 1)) * n_in**-0.5
    return jnp.tile(column, (1, n_out))
