"""The batches that a module of torch is tried on, one after another, and what of its own code stops them all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import torch

from initcheck.models.batches.batch import Batch
from initcheck.models.batches.corrections import corrected
from initcheck.models.batches.hints import Hints
from initcheck.models.batches.inputs import candidates, well_averaged
from initcheck.sandbox.containment import one_line, raised_at

_LACKING = re.compile(r"'(\w+)' object has no attribute")
_ERRORS = 6
"""Different errors that are followed; what is refused for a seventh reason is not understood."""


def tried_batches(model: torch.nn.Module, refused: list[tuple[Batch, Exception]]) -> Iterator[Batch]:
    """What its library, signature and layers say that it takes; then as its errors want it.

    Args:
        model: the module.
        refused: what did not go through so far, and what was raised; it grows while they are taken.
    """
    yield from well_averaged(model, candidates(model))
    yield from _corrected(model, refused)


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
    """A name that the model's own code does not have, which no batch mends; None where there is none."""
    kinds = {type(m).__name__ for m in model.modules()}
    for batch, error in refused:
        lacking = _LACKING.match(str(error)) if isinstance(error, AttributeError) else None
        if isinstance(error, NameError) or (lacking is not None and lacking[1] in kinds):
            at = raised_at(error, own=True)
            return (
                f'no batch goes through; with --batch="{batch.text}" the code stops at {one_line(error)}{at}; mend it'
            )
    return None
