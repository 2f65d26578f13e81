"""What the gradient says of units that start equal: whether the first steps tell them apart."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from initcheck.models.batches.batch import Batch
from initcheck.models.builds.sums import Twins
from initcheck.models.signals.blocks import first_tensor
from initcheck.models.signals.signal import STEPS

__all__ = [
    "after_steps",
    "constants_redrawn",
    "gradient_kind",
    "main_output",
    "twins_kind",
    "unreached",
    "weighed",
    "without_gradient",
]

_EQUAL = 1e-5
"""Equal units may be summed in another order: relative to the largest gradient, rounding is no difference."""


def gradient_kind(gradient: torch.Tensor | None, weight: torch.Tensor) -> str:
    """Whether a gradient tells the units of a constant matrix apart: ``zero``, ``rows``, ``columns``, ``differ``."""
    if gradient is None or not bool((gradient != 0).any()):
        return "zero"
    sizes = [n for n in weight.shape if n > 1]
    matrix = gradient.reshape(sizes[0], -1).float()
    scale = float(matrix.abs().max())
    if float((matrix - matrix[:1]).abs().max()) <= _EQUAL * scale:
        return "rows"
    if float((matrix - matrix[:, :1]).abs().max()) <= _EQUAL * scale:
        return "columns"
    return "differ"


def twins_kind(gradient: torch.Tensor | None, weight: torch.Tensor, twins: Twins) -> str:
    """Whether a gradient tells equal units apart: ``equal`` where it leaves one pair equal, ``differ``, ``zero``."""
    if gradient is None:
        return "zero"
    matrix = gradient.reshape(weight.shape[0], -1).float()
    scale = float(matrix.abs().max())
    found = set()
    for i, j in twins.pairs:
        one, two = matrix.select(twins.axis, i), matrix.select(twins.axis, j)
        if float(torch.maximum(one.abs().max(), two.abs().max())) <= _EQUAL * scale:
            found.add("zero")
        else:
            found.add("equal" if float((one - two).abs().max()) <= _EQUAL * scale else "differ")
    return next((kind for kind in ("equal", "differ") if kind in found), "zero")


def after_steps(model: torch.nn.Module, batch: Batch, judged: Mapping[str, str]) -> dict[str, str]:
    """Take small steps: behind a zero layer a gradient is zero at first and comes with the next step.

    A layer that is dead, or whose units are tied, stays so for ever.
    """
    for _ in range(STEPS):
        output = main_output(batch.run(model))
        if output is None or not output.requires_grad:
            return dict(judged)
        parameters = [p for p in model.parameters() if p.requires_grad]
        gradients = torch.autograd.grad(weighed(output), parameters, allow_unused=True)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None:
                    size = float(torch.linalg.vector_norm(gradient)) / max(gradient.numel(), 1) ** 0.5
                    if size > 0:
                        parameter.sub_(gradient, alpha=0.01 / size)
        del gradients
    weights = {n: p for n, p in model.named_parameters() if judged.get(n, "differ") != "differ"}
    output = main_output(batch.run(model))
    if output is None or not output.requires_grad:
        return dict(judged)
    found = torch.autograd.grad(weighed(output), list(weights.values()), allow_unused=True)
    later = {n: gradient_kind(g, p) for (n, p), g in zip(weights.items(), found, strict=True)}
    return {n: "later" if later.get(n) == "differ" else kind for n, kind in judged.items()}


def unreached(model: torch.nn.Module, batch: Batch, names: Iterable[str]) -> set[str]:
    """Of matrices without a gradient those that have none either where every constant parameter is random.

    Zeros that shut a layer off are dead by their values; what this batch does not use (a window that is longer than
    its tokens, a branch for images) is not.
    """
    with constants_redrawn(model):
        return without_gradient(model, batch, names)


def without_gradient(model: torch.nn.Module, batch: Batch, names: Iterable[str]) -> set[str]:
    """Of these parameters those that no entry of the output tells of; none where it tells of no parameter at all."""
    output = main_output(batch.run(model))
    if output is None or not output.requires_grad:
        return set()
    asked = {n: p for n, p in model.named_parameters() if n in set(names)}
    found = torch.autograd.grad(weighed(output), list(asked.values()), allow_unused=True)
    return {n for n, g in zip(asked, found, strict=True) if g is None or not bool((g != 0).any())}


@contextmanager
def constants_redrawn(
    model: torch.nn.Module, below: float = math.inf, but: Container[str] = ()
) -> Iterator[tuple[str, ...]]:
    """Small random numbers in every trainable parameter that is constant, for as long as it lasts; their names.

    Args:
        model: its other parameters are left.
        below: only constants of this size.
        but: names that keep their constant.
    """
    generator = torch.Generator().manual_seed(20260107)
    kept: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad or not parameter.numel() or name in but:
                continue
            first = parameter.reshape(-1)[0]
            if bool((parameter == first).all()) and float(first.abs()) < below:
                kept[name] = parameter, parameter.clone()
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator).to(parameter))
    try:
        yield tuple(kept)
    finally:
        with torch.no_grad():
            for changed, before in kept.values():
                changed.copy_(before)


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
