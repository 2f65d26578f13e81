"""By what names files of weights are known."""

from __future__ import annotations

WEIGHTS = (".safetensors", ".safetensors.index.json", ".pt", ".pth", ".bin", ".ckpt")
"""Ends of the names of files that hold weights."""
