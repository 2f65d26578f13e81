"""Gradients of a module of torch: whether the first steps tell units apart that start equal, and what none reaches."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy.typing as npt
import torch

from initcheck.models.batches.batch import Batch
from initcheck.models.signals.equal_units import gradient_kind
from initcheck.models.signals.outputs import main_output
from initcheck.models.signals.signal import STEPS


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
    later = {n: gradient_kind(on_host(g)) for n, g in zip(weights, found, strict=True)}
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


def on_host(gradient: torch.Tensor | None) -> npt.NDArray[Any] | None:
    """A gradient in the host's memory; NumPy knows no bfloat16, and no table of which some rows are kept."""
    return None if gradient is None else gradient.detach().to_dense().float().cpu().numpy()


def weighed(output: torch.Tensor) -> torch.Tensor:
    """The output's entries with random weights, summed: the same weights for every model of one shape.

    One number, since torch imports a computer algebra system where it is given a gradient.
    """
    generator = torch.Generator().manual_seed(20260103)
    weights = torch.randn(output.shape, generator=generator, dtype=torch.float32).to(output)
    return (output * weights).sum()
