"""Reference networks in float64 NumPy: activations and their gains, back-propagation, optimisers, signals."""

from initcheck.networks.activations import Activation, activation
from initcheck.networks.losses import softmax_cross_entropy, squared_error
from initcheck.networks.optimisers import SGD, Adam, Momentum
from initcheck.networks.perceptron import Perceptron
from initcheck.networks.signal import energy_curves, energy_ratio_forward, energy_ratios
from initcheck.networks.training import train

__all__ = [
    "SGD",
    "Activation",
    "Adam",
    "Momentum",
    "Perceptron",
    "activation",
    "energy_curves",
    "energy_ratio_forward",
    "energy_ratios",
    "softmax_cross_entropy",
    "squared_error",
    "train",
]
