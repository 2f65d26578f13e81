"""Correct initializers as people write them, each with the contract that it keeps."""

from __future__ import annotations

import math

import numpy as np
import torch


def he_from_shape(shape, rng):
    """A NumPy function of a shape and a generator."""
    fan_in = int(np.prod(shape[1:]))
    return rng.normal(0.0, math.sqrt(2.0 / fan_in), size=shape)


he_from_shape.__initcheck__ = {"activation": "relu", "fan": "fan_in", "layout": "out_in"}


def glorot_by_hand(n_in, n_out, seed=None):
    """Two sizes and a seed, inputs first."""
    bound = math.sqrt(6.0 / (n_in + n_out))
    return np.random.default_rng(seed).uniform(-bound, bound, (n_in, n_out)).astype("float32")


glorot_by_hand.__initcheck__ = {"activation": "linear", "fan": "fan_avg", "layout": "in_out"}


def from_the_global_generator(shape):
    """Old code: `np.random.randn`, seeded by whoever calls it."""
    return np.random.randn(*shape) / np.sqrt(shape[0])


from_the_global_generator.__initcheck__ = {"activation": "linear", "fan": "fan_in", "layout": "in_out"}


@torch.no_grad()
def he_in_place(tensor):
    """PyTorch, in place, from the global generator."""
    fan_in = tensor[0].numel()
    return tensor.normal_(0, math.sqrt(2.0 / fan_in))


he_in_place.__initcheck__ = {"activation": "relu", "fan": "fan_in", "layout": "out_in"}


def init_weights(module):
    """What `model.apply` is given."""
    if isinstance(module, (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)):
        torch.nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            torch.nn.init.zeros_(module.bias)


init_weights.__initcheck__ = {"activation": "linear", "fan": "fan_avg", "layout": "out_in"}


class ScaledNormal:
    """A class with its gain kept, called with a shape and a generator."""

    def __init__(self, gain: float = math.sqrt(2)) -> None:
        self.gain = gain

    def __call__(self, shape, rng):
        return self.gain * rng.standard_normal(shape, dtype="float32") / np.float32(math.sqrt(shape[-1]))


scaled_normal = ScaledNormal()
scaled_normal.__initcheck__ = {"activation": "relu", "fan": "fan_in", "layout": "out_in"}


def half_of_them_zero(shape, rng):
    """A mask, and the variance made up for."""
    mask = rng.random(shape) < 0.5
    return mask * rng.normal(0.0, math.sqrt(2.0 / shape[1]), shape)


half_of_them_zero.__initcheck__ = {"activation": "linear", "fan": "fan_in", "layout": "out_in"}
