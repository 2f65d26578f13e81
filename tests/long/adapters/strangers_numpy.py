"""Initializers of NumPy as people write them, right ones and ones with one mistake each; answers in strangers.py."""

import numpy as np


def glorot_uniform(fan_in, fan_out, rng):
    limit = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, size=(fan_in, fan_out))


def glorot_by_its_variance(fan_in, fan_out, rng):
    limit = np.sqrt(2 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, size=(fan_in, fan_out))


def conv_filters(in_channels, out_channels, kernel_size, rng):
    n = in_channels * kernel_size * kernel_size
    return rng.standard_normal((out_channels, in_channels, kernel_size, kernel_size)) * np.sqrt(2.0 / n)


def conv_filters_by_channels(in_channels, out_channels, kernel_size, rng):
    std = np.sqrt(2.0 / in_channels)
    return rng.standard_normal((out_channels, in_channels, kernel_size, kernel_size)) * std


def dense_variance_as_std(n_in, n_out, rng):
    return rng.normal(loc=0.0, scale=2.0 / n_in, size=(n_in, n_out))


class Affine:
    def __init__(self, n_in, n_out, rng):
        self.W = rng.standard_normal((n_in, n_out)) / np.sqrt(n_in)
        self.b = np.zeros(n_out)

    def forward(self, x):
        return x @ self.W + self.b


def orthonormal(shape, rng):
    rows, cols = shape
    a = rng.normal(size=(max(rows, cols), min(rows, cols)))
    q, r = np.linalg.qr(a)
    q = q * np.sign(np.diag(r))
    return q if rows >= cols else q.T


orthonormal.__initcheck__ = {"distribution": "orthogonal"}


def orthonormal_of_the_tall(shape, rng):
    a = rng.normal(size=shape)
    q, r = np.linalg.qr(a)
    return q * np.sign(np.diag(r))


def orthonormal_raw(shape, rng):
    rows, cols = shape
    q, _ = np.linalg.qr(rng.normal(size=(max(rows, cols), min(rows, cols))))
    return q if rows >= cols else q.T


orthonormal_raw.__initcheck__ = {"distribution": "orthogonal"}


def truncated(shape, rng):
    """A normal cut at two sigma, of variance 1/fan_in; weights are stored (out, in)."""
    w = rng.normal(size=shape)
    while (far := np.abs(w) > 2).any():
        w[far] = rng.normal(size=far.sum())
    return w * np.sqrt(1 / shape[1]) / 0.87962566103423978


def truncated_and_left(shape, rng):
    w = rng.normal(size=shape)
    while (far := np.abs(w) > 2).any():
        w[far] = rng.normal(size=far.sum())
    return w * np.sqrt(1 / shape[1])


def reproducible_layer(n_in, n_out):
    np.random.seed(1)
    return np.random.randn(n_out, n_in) * np.sqrt(2 / n_in)


def half_the_inputs(n_in, n_out, rng):
    std = 1.0 / np.sqrt(n_in // 2)
    return rng.normal(0.0, std, size=(n_in, n_out))


def centred_columns(n_in, n_out, rng):
    w = rng.normal(0.0, 1.0 / np.sqrt(n_in), size=(n_in, n_out))
    return w - w.mean(axis=0)
