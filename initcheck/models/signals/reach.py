"""Does the input arrive? Two batches that differ in every entry, and where the difference is lost."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import torch

from initcheck.models.batches.batch import Batch
from initcheck.models.signals.gradients import constants_redrawn, without_gradient
from initcheck.models.signals.hooks import hooked, layers_with_parameters
from initcheck.models.signals.outputs import first_tensor, main_output
from initcheck.models.signals.signal import CLOSED, DROWNED, FADED, SAME, STEPS, InputReach


def input_reach(model: torch.nn.Module, batch: Batch) -> InputReach | None:
    """Run the model on a batch and on its entries in another order; None where the outputs cannot be compared."""
    try:
        other = batch.shuffled()
        tensors = ([a for a in b.arrays if isinstance(a, torch.Tensor)] for b in (batch, other))
        if all(map(torch.equal, *tensors)):
            return None
        with torch.no_grad():
            one, two = _output(model, batch), _output(model, other)
            if one is None or two is None or one.shape != two.shape or not one.numel():
                return None
            share = _share(one, two)
            if share is None:
                return None
            if share >= DROWNED:
                return InputReach(share)
            lost = _where_lost(model, batch, other, InputReach(share))
            lost = replace(lost, closed=_closed(model, batch, other, lost))
            untold = lost.exact and lost.closed is None and lost.lost_in is None and lost.lost_behind is None
            return replace(lost, stuck=_stuck(model, batch, other, lost)) if untold else lost
    except (RuntimeError, IndexError, ValueError, TypeError, KeyError, AssertionError):
        return None


def _closed(model: torch.nn.Module, batch: Batch, other: Batch, lost: InputReach) -> str | None:
    """The first constant near zero, where the input arrives once such constants are random.

    Of those alone that the first steps move: what gets no gradient, as before a ReLU that is dead, is no gate. Vectors
    of the layer that swallows all of its input stay: a norm of zeros is no gate that a stream passes by. Those of a
    module that holds layers may be one.
    """
    layer = model.get_submodule(lost.lost_in) if lost.lost_in is not None else None
    within = layer.named_parameters(recurse=False) if layer is not None and not any(layer.children()) else ()
    vectors = {f"{lost.lost_in}.{name}" for name, parameter in within if parameter.dim() < 2}
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    gates: list[str] = []
    with ExitStack() as opened:
        for _ in range(STEPS):
            with torch.enable_grad():
                unmoved = without_gradient(model, batch, trained)
            gates += opened.enter_context(constants_redrawn(model, below=CLOSED, but=vectors | unmoved))
            one, two = _output(model, batch), _output(model, other)
            if gates and one is not None and two is not None and lost.opened_by(_share(one, two)):
                return gates[0]
    return None


def _stuck(model: torch.nn.Module, batch: Batch, other: Batch, lost: InputReach) -> tuple[str, ...]:
    """Constants near zero that make one output of all, where nothing but their values opens the way: zero by zero."""
    with constants_redrawn(model, below=CLOSED, but=()) as redrawn:
        one, two = _output(model, batch), _output(model, other)
    opened = one is not None and two is not None and lost.opened_by(_share(one, two))
    return tuple(redrawn) if opened else ()


def _output(model: torch.nn.Module, batch: Batch) -> torch.Tensor | None:
    torch.manual_seed(0)  # a model may draw in its forward pass; the build's seed is set anew for every build
    found = main_output(batch.run(model))
    return None if found is None else found.float()


def _share(one: torch.Tensor, two: torch.Tensor) -> float | None:
    """The difference over the variation of the output, without what is constant in a channel."""
    both = torch.stack([one, two])
    if both.dim() > 3:
        channel = -1 if both.dim() == 4 else 2
        axes = [a for a in range(both.dim()) if a != channel % both.dim()]
        both = both - both.mean(axes, keepdim=True)
    else:
        both = both - both.mean()
    spread = float(both.square().mean().sqrt())
    difference = float((one - two).square().mean().sqrt())
    if not spread:
        return 0.0 if difference == 0.0 else None
    return difference / (2**0.5 * spread)


def _where_lost(model: torch.nn.Module, batch: Batch, other: Batch, found: InputReach) -> InputReach:
    """The last module in which, or behind which, a difference that came in is no more; where it was drowned at once."""
    one, two = _noted(model, batch), _noted(model, other)
    least, behind = 1.0, ""
    for (name, given_a, made_a), (other_name, given_b, made_b) in zip(one, two, strict=False):
        if name != other_name:
            continue
        arrives = _differ(made_a, made_b)
        if given_a is not None and given_b is not None:
            given, clearly = _differ(given_a, given_b), _differ(given_a, given_b, FADED * SAME)
            found = found.through(name, behind, given=given, clearly=clearly, made=arrives)
            share = _pair_share(given_a, given_b)
            found = found.drowned_before(name, share, least)
            least = min(least, share) if share > 0 else least
        behind = name if arrives and not bool((made_a.float() > 0).any()) else ""
        share = _pair_share(made_a, made_b)
        least = min(least, share) if share > 0 else least
    return found


def _pair_share(one: torch.Tensor, two: torch.Tensor) -> float:
    if one.shape != two.shape or not one.numel():
        return 1.0
    share = _share(one.float(), two.float())
    return 1.0 if share is None else share


def _noted(model: torch.nn.Module, batch: Batch) -> list[tuple[str, torch.Tensor | None, torch.Tensor]]:
    calls: list[tuple[str, torch.Tensor | None, torch.Tensor]] = []

    def note(name: str, given: Any, output: Any) -> None:
        made = first_tensor(output)
        if made is not None and name:
            calls.append((name, first_tensor(given), made))

    with hooked(layers_with_parameters(model), note):
        _output(model, batch)
    return calls


def _differ(one: torch.Tensor, two: torch.Tensor, least: float = SAME) -> bool:
    if one.shape != two.shape:
        return True
    size = float(one.float().abs().max()) if one.numel() else 0.0
    return bool(one.numel()) and float((one.float() - two.float()).abs().max()) > least * size
