"""Which parameters of a module of torch the first steps never move, and what keeps the gradient from them."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

import torch

from initcheck.models.batches.batch import Batch
from initcheck.models.signals.gradients import constants_redrawn, weighed
from initcheck.models.signals.hooks import hooked, layers_with_parameters
from initcheck.models.signals.outputs import first_tensor, tensors_in
from initcheck.models.signals.signal import CLOSED, STEPS, Untrained
from initcheck.models.signals.untrained_layers import Heard, closed, faint, owner_of, rounding, sorted_out

_NO_FORWARD = torch.nn.Module.forward
_DEEPEST = 4
"""Lists in lists that are looked into for what is no parameter."""
_UNABLE = (RuntimeError, IndexError, ValueError, TypeError, KeyError, AssertionError, AttributeError)


def untrained(model: torch.nn.Module, batch: Batch) -> Untrained | None:
    """Differentiate all that the model returns by all that is trained; None where nothing can be differentiated.

    What starts near zero and gets a gradient is opened as the first steps open it, and another batch is asked too, so
    that an expert which one batch does not choose is none of these. A gradient that only rounding makes, such as that
    of a router whose one weight is divided by itself, is none.
    """
    asked = {n: p for n, p in model.named_parameters() if p.requires_grad and p.numel()}
    try:
        outside = _outside(model, batch)
    except _UNABLE:
        return None
    if not asked:
        return Untrained(outside=outside, frozen=any(True for _ in model.parameters()))
    found = _waiting(model, batch, asked)
    return replace(found or Untrained(), outside=outside) if found or outside else None


def _waiting(model: torch.nn.Module, batch: Batch, asked: Mapping[str, torch.nn.Parameter]) -> Untrained | None:
    """The parameters without a gradient, sorted by what they wait for; None where nothing can be differentiated."""
    try:
        sizes = _sizes(model, batch, asked)
        if sizes is None:
            return None
        noise = _rounding(model, batch, asked, sizes)

        def without(batch: Batch, names: Collection[str]) -> dict[str, bool]:
            found = _sizes(model, batch, {n: asked[n] for n in names}) if names else None
            return _none(found or {}, noise)

        left = _none(sizes, noise)
        with ExitStack() as opened:
            for _ in range(STEPS):
                if not left:
                    break
                opened.enter_context(constants_redrawn(model, below=CLOSED, but=left))
                left = without(batch, left)
            left = without(batch.shuffled(), left)
            if left:
                with suppress(Exception), _in_training(model):  # of the user's model: anything
                    training = _sizes(model, batch, {n: asked[n] for n in left})
                    left = left if training is None else _none(training, noise)
            if not left:
                return Untrained()
            heard = _heard(model, batch)
            found = {n: (asked[n].shape, part) for n, part in left.items()}
            turned = closed(found, asked, heard)
            with _turned(model, turned):
                still = without(batch, left) if turned else left
    except _UNABLE:
        return None
    return sorted_out(found, asked, heard, turned, left.keys() - still.keys())


def _outside(model: torch.nn.Module, batch: Batch) -> tuple[str, ...]:
    """What is trainable, has a part in what is returned, and is no parameter: an optimizer never sees it.

    Layers in a list or a dict of Python, a Parameter that was multiplied or moved to a device when it was kept, and is
    a tensor like any other since. What the model makes while it runs is none of these.
    """
    own = {id(p) for p in model.parameters()}
    kept = {n: t for n, t in _kept(model) if t.requires_grad and id(t) not in own}
    if not kept:
        return ()
    with torch.enable_grad():
        nodes = _behind(t.grad_fn for t in tensors_in(batch.run(model)))
    leaves = _leaves(nodes)
    # A state that an earlier run left behind is made of the parameters alone.
    return tuple(
        n for n, t in kept.items() if id(t) in leaves or (t.grad_fn in nodes and _leaves(_behind([t.grad_fn])) - own)
    )


def _behind(ends: Iterable[Any]) -> set[Any]:
    """The nodes of a graph of autograd that lead to these."""
    found: set[Any] = set()
    ahead = [node for node in ends if node is not None]
    while ahead:
        node = ahead.pop()
        if node not in found:
            found.add(node)
            ahead += [n for n, _ in node.next_functions if n is not None]
    return found


def _leaves(nodes: Iterable[Any]) -> set[int]:
    return {id(node.variable) for node in nodes if hasattr(node, "variable")}


def _kept(model: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors of modules that they hold as plain attributes, alone or in lists and dicts; those of layers kept so."""
    known = set(model.modules())

    def inside(path: str, value: Any, depth: int) -> Iterator[tuple[str, torch.Tensor]]:
        if isinstance(value, torch.Tensor):
            yield path, value
        elif isinstance(value, torch.nn.Module):
            if value not in known:
                known.add(value)
                yield from ((f"{path}.{n}", p) for n, p in value.named_parameters())
        elif depth < _DEEPEST and isinstance(value, (list, tuple, dict)):
            for key, one in value.items() if isinstance(value, dict) else enumerate(value):
                yield from inside(f"{path}.{key}", one, depth + 1)

    for name, module in model.named_modules():
        for key, value in vars(module).items():
            if key not in ("_parameters", "_buffers", "_modules"):
                yield from inside(f"{name}.{key}" if name else key, value, 0)


def _rounding(
    model: torch.nn.Module,
    batch: Batch,
    asked: Mapping[str, torch.nn.Parameter],
    sizes: Mapping[str, float | None],
) -> dict[str, float]:
    """Which gradients rounding alone makes, as a copy in double precision tells; none where it cannot run so."""
    doubtful = {n: sizes[n] or 0.0 for n in faint(sizes, {n: tuple(p.shape) for n, p in asked.items()})}
    if not doubtful:
        return {}
    try:
        wide = copy.deepcopy(model).double()
        parameters = dict(wide.named_parameters())
        found = _sizes(wide, batch, {n: parameters[n] for n in doubtful}) or {}
        return rounding(doubtful, {n: found[n] or 0.0 for n in doubtful})
    except _UNABLE:
        return {}


def _sizes(
    model: torch.nn.Module, batch: Batch, asked: Mapping[str, torch.nn.Parameter]
) -> dict[str, float | None] | None:
    """The largest entry of the gradient of each of these, None of what has no part in what is returned."""
    with torch.enable_grad():
        outputs = [t for t in tensors_in(batch.run(model)) if t.requires_grad]
    if not outputs:
        return None
    total = torch.stack([weighed(t).to(outputs[0].dtype) for t in outputs]).sum()
    found = torch.autograd.grad(total, list(asked.values()), allow_unused=True)
    return {n: None if g is None else _largest(g.to_dense()) for n, g in zip(asked, found, strict=True)}


def _largest(gradient: torch.Tensor) -> float:
    size = float(gradient.abs().max()) if gradient.numel() else 0.0
    return math.inf if math.isnan(size) else size


def _none(sizes: Mapping[str, float | None], noise: Mapping[str, float]) -> dict[str, bool]:
    """Those without a gradient, and whether they have a part in what is returned."""
    return {n: size is not None for n, size in sizes.items() if size is None or size <= noise.get(n, 0.0)}


@contextmanager
def _in_training(model: torch.nn.Module) -> Iterator[None]:
    """While it lasts, the model trains: a learnt noise, or a second head, may run then alone.

    What it writes into itself meanwhile is put back: statistics, weights that it normalises, a codebook that it
    replaces by an average.
    """
    was = {module: module.training for module in model.modules()}
    tables = [(t, dict(t)) for m in was for t in (vars(m), m._parameters, m._buffers) if isinstance(t, dict)]
    kept = [(tensor, tensor.detach().clone()) for tensor in (*model.parameters(), *model.buffers())]
    model.train()
    try:
        yield
    finally:
        for table, before in tables:
            table.update(before)
        for module, training in was.items():
            module.training = training
        with torch.no_grad():
            for tensor, value in kept:
                tensor.copy_(value)


def _heard(model: torch.nn.Module, batch: Batch) -> dict[str, Heard]:
    """Which layers with parameters of their own ran, and what they made."""
    layers = layers_with_parameters(model)
    # A list of parameters is never called.
    heard = {n: Heard() for n, m in model.named_modules() if getattr(m.forward, "__func__", None) is _NO_FORWARD}

    def note(name: str, _given: Any, output: Any) -> None:
        made = first_tensor(output)
        if made is None or not made.numel():
            heard[name] = Heard()
            return
        now = Heard(_units(layers[name], made), bool((made > 0).any()), bool((made < 0).any()))
        heard[name] = now.beside(heard.get(name))

    with hooked(layers, note), torch.no_grad():
        batch.run(model)
    return heard


def _units(layer: torch.nn.Module, made: torch.Tensor) -> int:
    """The units of a layer, rather too few: rows of its matrices, of which a table and an LSTM have more than units."""
    if isinstance(channels := getattr(layer, "out_channels", None), int):
        return channels
    rows = max((p.shape[0] for p in layer.parameters(recurse=False) if p.dim() > 1), default=1)
    return min(rows, made.shape[-1] if made.dim() else 1)


@contextmanager
def _turned(model: torch.nn.Module, layers: Collection[str]) -> Iterator[None]:
    """While it lasts, the opposite of all own parameters of some layers."""
    own = {id(p): p for n, p in model.named_parameters() if owner_of(n) in layers}
    with torch.no_grad():
        for parameter in own.values():
            parameter.neg_()
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter in own.values():
                parameter.neg_()
