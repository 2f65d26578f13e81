"""Samplers, and the contracts they are judged by, for the tables of right and broken initializers."""

import itertools
import math

import numpy as np

from initcheck.contract.contract import Contract

OUTPUT, BACK, DEPTH = "output-variance-near-one", "gradient-variance-near-one", "signal-survives-depth"
LAW, MEAN, UNITS, ENTRIES = "variance-follows-one-law", "zero-mean", "units-differ", "entries-are-independent"

LINEAR = Contract(activation="linear", fan="fan_in", layout="out_in")
RELU = Contract(activation="relu", fan="fan_in", layout="out_in")
GLOROT = Contract(activation="linear", fan="fan_avg", layout="out_in")
HE_OUT = Contract(activation="relu", fan="fan_out", layout="out_in")
ORTHOGONAL = Contract(
    activation="linear", fan="fan_max", layout="out_in", distribution="orthogonal", entries="dependent"
)
OIHW = Contract(activation="relu", fan="fan_in", layout="oihw")
HWIO = Contract(activation="relu", fan="fan_in", layout="hwio")
DEPTHWISE = Contract(activation="relu", fan="fan_in", layout="oihw", groups="depthwise")


def rng(seed):
    return np.random.default_rng(seed)


def normal(variance):
    return lambda s, seed: rng(seed).normal(0, math.sqrt(variance(s)), s)


def uniform(bound):
    return lambda s, seed: rng(seed).uniform(-1, 1, s) * bound(s)


def truncated(std, cut=2.0):
    def draw(s, seed):
        r = rng(seed)
        x = r.normal(size=s)
        while (far := np.abs(x) > cut).any():
            x[far] = r.normal(size=far.sum())
        return x * std(s)

    return draw


def of(change, std=lambda s: (2 / s[1]) ** 0.5):
    """Normal weights, then changed: ``change(weights, second generator)``."""
    return lambda s, seed: change(rng(seed).normal(0, std(s), s), rng([seed, 1]))


def he(s):
    return 2 / np.prod(s[1:])


def lecun(s):
    return 1 / np.prod(s[1:])


def orthogonal(signs=True, gain=1.0):
    def draw(s, seed):
        a = rng(seed).normal(size=s)
        q, r = np.linalg.qr(a if s[0] >= s[1] else a.T)
        q = q * np.sign(np.diag(r)) if signs else q
        return gain * (q if s[0] >= s[1] else q.T)

    return draw


def ar(w, _):
    for j in range(1, w.shape[1]):
        w[:, j] = 0.6 * w[:, j - 1] + 0.8 * w[:, j]
    return w


def repeat_half(w, _, sign=1):
    half = w.shape[0] // 2
    w[half : 2 * half] = sign * w[:half]
    return w


def pairs(s, seed):
    n = math.prod(s)
    return np.repeat(rng(seed).normal(size=n // 2 + 1), 2)[:n].reshape(s) * math.sqrt(he(s))


def product(s, seed):
    k = min(3, *s)
    return rng(seed).normal(size=(s[0], k)) @ rng([seed, 1]).normal(size=(k, s[1])) * (2 / s[1] / k) ** 0.5


def odd_rows(w, _):
    w[::16] = 0
    return w


def mask_fixed(w, _):
    return w * (rng(7).random(w.shape) < 0.5) * 2**0.5


def set_last(w, column):
    w[:, -1] = w[:, column]
    return w


def square_only(change):
    return lambda w, r: change(w) if w.shape[0] == w.shape[1] else w


def wraps(s):
    return 2 / (s[1] % 256 or 1)


def zero_at_one(s, seed):
    return np.zeros(s) if s[1] == 1 else normal(he)(s, seed)


def odd_raises(s, seed):
    if math.prod(s) % 2:
        raise ValueError("an odd number of weights")
    return normal(he)(s, seed)


def odd_zero(s, seed):
    w = normal(he)(s, seed).ravel()
    w[w.size // 2 * 2 :] = 0
    return w.reshape(s)


def odd_row_zero(s, seed):
    w = normal(he)(s, seed)
    w[:, s[1] // 2 * 2 :] = 0
    return w


def own_scale(s, seed):
    w = rng(seed).normal(size=s)
    return (w - w.mean()) / (w.std() or 1.0) * math.sqrt(he(s))


def outliers(w, r):
    w[r.random(w.shape) < 1e-4] = 100 * math.sqrt(2 / w.shape[1])
    return w


FIXED = rng(5).normal(size=(400, 400))
BUFFER = np.zeros(2**18)


def buffered(s, seed):
    view = BUFFER[: math.prod(s)].reshape(s)
    view[...] = normal(he)(s, seed)
    return view


COUNTER = itertools.count()


def std_of(fan):
    return lambda s: (2 / fan(s)) ** 0.5


def kernel(s):
    return s[2] * s[3]
