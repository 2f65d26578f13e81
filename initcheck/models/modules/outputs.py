"""The tensors in what a module of torch returns: alone, in containers, in objects of a library or of the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import torch

_DEEPEST = 4
"""Objects inside objects that are looked into."""
_MOVED = ("loc", "logits", "probs", "_component_distribution")
"""What of a distribution a model makes of its input; its other parts are often the same for every input."""


def tensors_in(value: Any, depth: int = 0) -> Iterator[torch.Tensor]:
    """Every tensor of real numbers: of tuples, lists, mappings, dataclasses, distributions and other plain objects.

    >>> from torch.distributions import Normal
    >>> [tuple(t.shape) for t in tensors_in((Normal(torch.zeros(2, 3), torch.ones(2, 3)), {"value": torch.zeros(2)}))]
    [(2, 3), (2, 3), (2,)]

    Args:
        value: what was returned; a module is not looked into, of torch or of Python: what it holds is no output.
        depth: of the object that it was found in.
    """
    if isinstance(value, torch.Tensor):
        if value.dtype.is_floating_point:
            yield value
    elif isinstance(value, Mapping):
        yield from (t for v in list(value.values()) for t in tensors_in(v, depth))
    elif isinstance(value, (tuple, list)):
        yield from (t for v in value for t in tensors_in(v, depth))
    elif depth < _DEEPEST and not isinstance(value, (type, ModuleType, torch.nn.Module)):
        own = getattr(value, "__dict__", None)
        slots = {n: getattr(value, n) for n in getattr(type(value), "__slots__", ()) if hasattr(value, n)}
        kept = {**(own if isinstance(own, dict) else {}), **slots}
        names = list(kept)
        if isinstance(value, torch.distributions.Distribution):  # MultivariateNormal keeps its covariance first
            names.sort(key=lambda name: name not in _MOVED)
        yield from (t for n in names for t in tensors_in(kept[n], depth + 1))


def first_tensor(value: Any) -> torch.Tensor | None:
    """The first tensor of real numbers; of several one that is not empty and no single number, such as a loss.

    >>> tuple(first_tensor((torch.tensor(0.5), torch.zeros(0, 4), torch.zeros(2, 3))).shape)
    (2, 3)
    """
    found = None
    for tensor in tensors_in(value):
        if tensor.dim() and tensor.numel():
            return tensor
        found = tensor if found is None else found
    return found


def main_output(output: Any) -> torch.Tensor | None:
    """The tensor that a model is asked for: its logits, its last hidden state, else the first of real numbers."""
    for name in ("logits", "last_hidden_state"):
        value = getattr(output, name, None)
        if isinstance(value, torch.Tensor):
            return value
    return first_tensor(output)


def weighed(output: torch.Tensor) -> torch.Tensor:
    """The output's entries with random weights, summed: the same weights for every model of one shape.

    One number, since torch imports a computer algebra system where it is given a gradient.
    """
    generator = torch.Generator().manual_seed(20260103)
    weights = torch.randn(output.shape, generator=generator, dtype=torch.float32).to(output)
    return (output * weights).sum()
