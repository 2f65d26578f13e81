"""Layers judged by what they do: structure from weights of our own, the law from the layer's own weights."""
