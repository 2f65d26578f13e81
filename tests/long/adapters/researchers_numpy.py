"""Initializers of NumPy as research code has them: widths, masks, seeds; the answers are in researchers.py."""

import numpy as np


def mup(base_width=64, base_std=0.125):
    """A hidden matrix of muP: the std of the base width, carried to this one."""

    def init(fan_in, fan_out, rng):
        return rng.normal(0.0, base_std * np.sqrt(base_width / fan_in), (fan_in, fan_out))

    return init


def mup_by_the_ratio(base_width=64, base_std=0.125):
    def init(fan_in, fan_out, rng):
        return rng.normal(0.0, base_std * base_width / fan_in, (fan_in, fan_out))

    return init


def complex_glorot(in_features, out_features, rng):
    """Trabelsi et al. 2018: a Rayleigh modulus, a uniform phase."""
    modulus = rng.rayleigh(1 / np.sqrt(in_features + out_features), (out_features, in_features))
    phase = rng.uniform(-np.pi, np.pi, (out_features, in_features))
    return modulus * np.exp(1j * phase)


def lru_ring(state_dim, rng, r_min=0.9, r_max=0.999):
    """Orvieto et al. 2023: log of minus the log of a modulus, uniform on a ring."""
    u = rng.uniform(size=state_dim)
    return np.log(-0.5 * np.log(u * (r_max**2 - r_min**2) + r_min**2))


def ticket(n_in, n_out, rng, density=0.2):
    w = rng.normal(0, np.sqrt(2 / n_in), (n_out, n_in))
    return w * (rng.random((n_out, n_in)) < density) / np.sqrt(density)


def ticket_not_rescaled(n_in, n_out, rng, density=0.2):
    w = rng.normal(0, np.sqrt(2 / n_in), (n_out, n_in))
    return w * (rng.random((n_out, n_in)) < density)


def lsuv(n_in, n_out, rng):
    """Mishkin and Matas 2016: divided by the std of what it puts out on a batch."""
    w = rng.standard_normal((n_in, n_out))
    batch = rng.standard_normal((512, n_in))
    return w / (batch @ w).std()


lsuv.__initcheck__ = {"entries": "dependent"}


def lsuv_by_the_variance(n_in, n_out, rng):
    w = rng.standard_normal((n_in, n_out))
    batch = rng.standard_normal((512, n_in))
    return w / (batch @ w).var()


lsuv_by_the_variance.__initcheck__ = {"entries": "dependent"}


def int8_of_rows(shape, rng):
    """He weights (out, in), as they come back out of eight bits with one scale for each row."""
    w = rng.normal(0, np.sqrt(2 / shape[1]), shape)
    scale = np.abs(w).max(axis=1, keepdims=True) / 127
    return (np.round(w / scale) * scale).astype(np.float32)


def fixed_point(shape, rng):
    w = rng.normal(0, np.sqrt(2 / shape[1]), shape)
    return np.round(w * 4) / 4


def by_its_width(n_in, n_out):
    rng = np.random.default_rng(n_out)
    return rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out))


def rows_from_seeds(n_in, n_out, seed):
    rows = [np.random.default_rng(seed + row).normal(size=n_in) for row in range(n_out)]
    return np.stack(rows) * np.sqrt(2 / n_in)


def every_row_from_the_seed(n_in, n_out, seed):
    rows = [np.random.default_rng(seed).normal(size=n_in) for _ in range(n_out)]
    return np.stack(rows) * np.sqrt(2 / n_in)


def frozen(shape, rng):
    w = rng.normal(0, np.sqrt(2 / shape[1]), shape).astype(np.float32)
    w.setflags(write=False)
    return w


def as_lists(n_inputs, n_neurons, rng):
    w = rng.normal(0, 1 / np.sqrt(n_inputs), (n_inputs, n_neurons))
    return w.tolist()


def corner_of_haar(shape, rng):
    """Rows and columns of a random rotation as large as the larger side; weights are (out, in)."""
    n = max(shape)
    q, r = np.linalg.qr(rng.normal(size=(n, n)))
    return (q * np.sign(np.diag(r)))[: shape[0], : shape[1]]


def box_muller(shape, rng):
    n = int(np.prod(shape))
    z = np.zeros(n)
    half = n // 2
    radius = np.sqrt(-2 * np.log(1 - rng.random(half)))
    angle = 2 * np.pi * rng.random(half)
    z[:half], z[half : 2 * half] = radius * np.cos(angle), radius * np.sin(angle)
    return z.reshape(shape) * np.sqrt(2 / shape[1])


class HyperConnections:
    """Draws what is asked of it from the generator that it was made with."""

    def __init__(self, rng):
        self.rng = rng

    def sample(self, fan_in, fan_out):
        limit = np.sqrt(3 / fan_in)
        return self.rng.uniform(-limit, limit, size=(fan_in, fan_out))


def fourier_features(in_dim, n_features, rng, sigma=10.0):
    """Tancik et al. 2020: frequencies, which are meant to be large."""
    return rng.normal(0, sigma, (in_dim, n_features))


fourier_features.__initcheck__ = {"std": 10.0}
