"""Differentiation through a living model whose arrays are torch's, as Keras' are on its torch backend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils import _pytree

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.autodiff import EagerAutodiff, weights_of_output
from initcheck.models.living.model import Living, Tap


class TorchAutodiff(EagerAutodiff):
    """Tensors of torch."""

    def leaves(self, value: Any) -> list[Any]:
        """What a nested value holds, in order."""
        return list(_pytree.tree_leaves(value))

    def is_real(self, array: Any) -> bool:
        """Whether this is a tensor of real numbers."""
        return isinstance(array, torch.Tensor) and array.is_floating_point()

    def host(self, array: Any) -> npt.NDArray[Any]:
        """The tensor in the host's memory; NumPy knows no bfloat16. What is in the batch is there already."""
        if not isinstance(array, torch.Tensor):
            return np.asarray(array)
        found = array.detach().cpu()
        return (found.float() if found.dtype == torch.bfloat16 else found).numpy()

    def like(self, array: Any, value: Any) -> Any:
        """On its device and of its dtype."""
        return torch.as_tensor(value).to(array)

    def run(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Iterable[str]
    ) -> Any:
        """Run on numbers, and record nothing for a gradient."""
        with torch.no_grad():
            return super().run(living, arrays, batch, tap, heard)

    def differentiated(
        self, run: Callable[[list[Any]], tuple[list[Any], list[Any]]], weights: list[Any]
    ) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
        """Call the function and differentiate its outputs' weighted sum by autograd."""
        own = [w.detach().requires_grad_(True) for w in weights]
        with torch.enable_grad():
            outputs, made = run(own)
            total = torch.stack(
                [(o.float() * torch.as_tensor(weights_of_output(o.shape)).to(o.device)).sum() for o in outputs]
            ).sum()
        targets = [*made, *own]
        open_ = [t for t in targets if t.requires_grad]
        found: dict[int, Any] = {}
        if total.requires_grad:
            found = {id(t): g for t, g in zip(open_, torch.autograd.grad(total, open_, allow_unused=True), strict=True)}
        gradients = [torch.zeros_like(t) if found.get(id(t)) is None else found[id(t)] for t in targets]
        return outputs, made, gradients[: len(made)], gradients[len(made) :]
