"""Which layers write to the residual stream, found by moving their output and seeing the stream move by just that."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from initcheck.models.batches.batch import Batch
from initcheck.models.modules.hooks import hooked, layers_with_parameters, run_noting
from initcheck.models.modules.outputs import first_tensor

_EXACT = 1e-3
"""Of the push; rounding only: all else stands still."""


def residual_writers(
    model: torch.nn.Module, batch: Batch, runs: Sequence[tuple[str, ...]]
) -> dict[tuple[str, ...], tuple[str, ...]]:
    """For the middle block of every run, the layers inside it whose output is added to the stream as it is.

    Args:
        model: in evaluation mode.
        batch: goes through it.
        runs: names of the blocks of each run.
    """
    modules = dict(model.named_modules())
    middle = {run: run[len(run) // 2] for run in runs if run[0] in modules}
    given: dict[torch.nn.Module, tuple[Any, Any]] = {}

    def keep(module: torch.nn.Module, args: Any, kwargs: Any) -> None:
        given.setdefault(module, (args, kwargs))

    run_noting(model, batch, [model.get_submodule(name) for name in middle.values()], keep)
    found = {}
    for run, name in middle.items():
        block = model.get_submodule(name)
        if block in given:
            try:
                with torch.no_grad():
                    writers = tuple(_writers(block, *given[block]))
            except Exception:
                continue  # a block that cannot be run alone (a cache, a state) tells nothing
            found[run] = writers
    return found


def _writers(block: torch.nn.Module, args: Any, kwargs: Any) -> list[str]:
    """Push the output of one layer while all others keep theirs: what is added to the stream moves it by just that."""
    layers = {n: m for n, m in layers_with_parameters(block).items() if n}
    kept: dict[str, list[Any]] = {n: [] for n in layers}
    with hooked(layers, lambda name, given, output: kept[name].append(output)):
        before = first_tensor(block(*args, **kwargs))
    with hooked(layers, lambda _name, _given, _output: None):  # with hooks a layer of torch takes another way
        again = first_tensor(block(*args, **kwargs))
    if before is None or again is None or not torch.equal(before, again):
        return []
    generator = torch.Generator().manual_seed(20260106)
    push = torch.randn(before.shape, generator=generator).to(before)
    found = []
    for name, layer in layers.items():
        outputs = [_written(o) for o in kept[name]]
        attention = isinstance(layer, torch.nn.MultiheadAttention)
        one = len(outputs) == 1 and isinstance(outputs[0], torch.Tensor) and outputs[0].shape == push.shape
        if not one or not (attention or sum(p.dim() > 1 for p in layer.parameters(recurse=False)) == 1):
            continue
        size = before.float().square().mean().sqrt().to(before)
        # A module around it that has parameters of its own would hand out what it gave before.
        beside = {n: outs for n, outs in kept.items() if not name.startswith(f"{n}.")}
        left = {
            n: iter([_moved(o, size * push)] if n == name else outs) for n, outs in beside.items() for o in outs[:1]
        }
        with hooked(layers, functools.partial(_kept_output, left)):
            after = first_tensor(block(*args, **kwargs))
        if after is not None and after.shape == before.shape:
            moved = (after - before - size * push).float().abs().max()
            if float(moved) <= _EXACT * float((size * push).float().abs().max()):
                # Its last matrix is multiplied inside, and never called.
                found.append(f"{name}.out_proj" if attention else name)
    return found


def _written(output: Any) -> Any:
    """What a layer makes; of attention without the weights that it returns beside it."""
    return output[0] if isinstance(output, tuple) and output else output


def _moved(output: Any, push: torch.Tensor) -> Any:
    return (output[0] + push, *output[1:]) if isinstance(output, tuple) else output + push


def _kept_output(left: Mapping[str, Iterator[Any]], name: str, _given: Any, output: Any) -> Any:
    return next(left[name], output) if name in left else output
