"""The batches that a module of torch is tried on, one after another, and what of its own code stops them all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from initcheck.adapters.signatures.names import NEIGHBOURS
from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.models.batches.batch import Batch, text_of
from initcheck.models.batches.batch_text import Part, changed
from initcheck.models.batches.corrections import corrected
from initcheck.models.batches.hints import Hints
from initcheck.models.batches.inputs import candidates, well_averaged
from initcheck.models.builds.build import first_line
from initcheck.sandbox.containment import one_line, raised_at

_LACKING = re.compile(r"'(\w+)' object has no attribute")
_NO_GPU = re.compile(
    r"no NVIDIA driver|not compiled with CUDA|No CUDA GPUs|is_cuda|(?:be|on) (?:a )?CUDA|0 active drivers"
)
_ERRORS = 6
"""Different errors that are followed; what is refused for a seventh reason is not understood."""


def tried_batches(model: torch.nn.Module, refused: list[tuple[Batch, Exception]]) -> Iterator[Batch]:
    """What its library, signature and layers say that it takes; then as its errors want it.

    Args:
        model: the module.
        refused: what did not go through so far, and what was raised; it grows while they are taken.
    """
    held: list[Batch] = []
    for batches in (well_averaged(model, candidates(model)), _corrected(model, refused)):
        for found in batches:
            batch = _of_a_graph(model, found)
            if _leaves_layers_out(model, batch):
                held.append(batch)
            else:
                yield batch
    yield from held


def _of_a_graph(model: torch.nn.Module, batch: Batch) -> Batch:
    """The batch with a graph where a square matrix tells which nodes are joined.

    Any real numbers in its place would be edges of any weight: the signal grows with every layer that sums over them.
    """

    def joined(name: str, value: Any) -> Any:
        told = isinstance(value, torch.Tensor) and value.dtype.is_floating_point and NEIGHBOURS.fullmatch(name)
        # With an axis of channels beside that of items it is an image, as of a support set.
        square = told and value.dim() in (2, 3) and value.shape[-1] == value.shape[-2]
        return Batch.filled(Part(tuple(value.shape), graph=True)) if square else value

    names = [*(parameters_of(model.forward) or ()), *("" for _ in batch.args)]
    args = tuple(changed(value, joined, name) for name, value in zip(names, batch.args, strict=False))
    kwargs = changed(dict(batch.kwargs), joined)
    if all(one is other for one, other in zip(batch.arrays, Batch(args, kwargs).arrays, strict=True)):
        return batch
    return Batch(args, kwargs, text_of(args, kwargs))


def _leaves_layers_out(model: torch.nn.Module, batch: Batch) -> bool:
    """Whether a batch in which something is None goes through some layers alone: a context has layers of its own."""
    if None not in batch.kwargs.values():
        return False
    # Attention reads the weights of its last layer, and runs it not.
    held = (m for m in model.modules() if any(True for _ in m.parameters(recurse=False)))
    idle = {m for m in held if not isinstance(m, NonDynamicallyQuantizableLinear)}
    hooks = [layer.register_forward_pre_hook(lambda layer, _: idle.discard(layer)) for layer in idle]
    try:
        with torch.no_grad():
            batch.run(model)
    except Exception:  # of the user's model: the caller runs it too, and reads the error
        return False
    finally:
        for hook in hooks:
            hook.remove()
    return bool(idle)


def _corrected(model: torch.nn.Module, refused: list[tuple[Batch, Exception]]) -> Iterator[Batch]:
    """What was refused, as the errors want it: the likeliest first, each error followed once; then of one item each.

    Some models take one item at a time, and what they say of two tells nothing of it.
    """
    tokens = Hints(model).vocabulary or 0

    def run(batch: Batch) -> Any:
        try:
            with torch.no_grad():
                return batch.run(model)
        except Exception as error:
            refused.append((batch, error))
            raise

    different: dict[str, tuple[Batch, Exception]] = {}
    for batch, error in refused:
        different.setdefault(str(error), (batch, error))
    followed = list(different.values())[:_ERRORS]
    for batch, error in followed:
        yield from corrected(batch, run, error, tokens)
    for batch, _ in followed:
        yield batch.of_one_item()


def own_mistake(model: torch.nn.Module, refused: Iterable[tuple[Batch, Exception]]) -> str | None:
    """What in the model's own code no batch mends: a name that it does not have, a GPU that it asks for by itself.

    None where there is no such thing.
    """
    kinds = {type(m).__name__ for m in model.modules()}
    for batch, error in refused:
        lacking = _LACKING.match(str(error)) if isinstance(error, AttributeError) else None
        stopped = f'no batch goes through; with --batch="{batch.text}" the code'
        if isinstance(error, NameError) or (lacking is not None and lacking[1] in kinds):
            return f"{stopped} stops at {one_line(error)}{raised_at(error, own=True)}; mend it"
        if _NO_GPU.search(str(error)):
            at, said = raised_at(error, own=True), first_line(error, 80)
            return (
                f"{stopped} asks for a GPU{at}: {said}; let it follow the device of its input, or check it beside one"
            )
    return None
