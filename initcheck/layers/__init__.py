"""Layers judged by what they do: structure from weights of our own, the law from the layer's own weights."""

from initcheck.layers.recognition import layer_initializer
from initcheck.layers.sampler import LayerSampler
from initcheck.layers.subject import LayerSubject

__all__ = ["LayerSampler", "LayerSubject", "layer_initializer"]
