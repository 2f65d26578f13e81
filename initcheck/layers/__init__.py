"""Layers judged by what they do: structure from weights of our own, the law from the layer's own weights."""

from initcheck.layers.layer_sampler import LayerSampler
from initcheck.layers.layer_subject import LayerSubject
from initcheck.layers.target import layer_initializer

__all__ = ["LayerSampler", "LayerSubject", "layer_initializer"]
