"""A torch layer as a function of its parameters and inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.signatures.arguments import framework_module
from initcheck.contract.contract import Contract
from initcheck.layers.functions.training_flags import put_out_of_training

Array = npt.NDArray[Any]


class TorchFunction:
    """A ``torch.nn.Module``, run in evaluation mode: no dropout, no running statistics of a batch."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self._own: dict[str, Array] | None = None
        self._norms = _norms_found_in_training(layer)

    def parameters(self) -> dict[str, Array]:
        """Every parameter by name; a shared one under its first name."""
        self._own = {name: p.detach().numpy() for name, p in self.layer.named_parameters()}
        return self._own

    def contracts(self) -> dict[str, Contract]:
        """None: a torch layer does not say what initialized it."""
        return {}

    def prepared(self) -> TorchFunction:
        """Itself: nothing is compiled."""
        return self

    def run(self, parameters: Mapping[str, Array], args: Sequence[Any]) -> Array:
        """The first output."""
        torch = framework_module("torch")
        given = as_tensors(torch, args)
        with torch.no_grad():
            own = parameters is self._own and all(a.dtype == np.float32 for a in parameters.values())
            if own and not self._norms:
                # With its own parameters it is called as it is: putting them in takes three times as long.
                put_out_of_training(self.layer)
                out = first_of(torch, self.layer(*given))
            else:
                out = self._call(as_tensors(torch, dict(parameters)), given)
        return np.array(out.numpy())

    def pull(
        self, parameters: Mapping[str, Array], args: Sequence[Any], cotangent: Array
    ) -> tuple[list[Array], dict[str, Array]]:
        """Gradients in the inputs and in the parameters; zero where nothing depends on one."""
        return pulled(self._call, parameters, args, cotangent)

    def _call(self, parameters: Mapping[str, Any], args: Sequence[Any]) -> Any:
        torch = framework_module("torch")
        # Here, as most layers are built for their weights alone.
        put_out_of_training(self.layer)
        given = dict(parameters)
        for module in self._norms:
            module.training = True
            # A run improves them in place, and a function of parameters answers alike each time.
            kept = {id(b) for b in module.buffers(recurse=False)}
            given.update({name: b.clone() for name, b in self.layer.named_buffers() if id(b) in kept})
        return first_of(torch, torch.func.functional_call(self.layer, given, tuple(args)))


def _norms_found_in_training(layer: Any) -> list[Any]:
    """The modules of a layer that divide a weight by its norm, found by a step of each run in training.

    Spectral normalisation begins at random singular vectors: a new layer in evaluation mode is divided by any number
    near zero. A module that is run, and built by its user, is at its first step of training.
    """
    named = ("SpectralNorm", "_SpectralNorm")
    kinds = {m: (m, *m._forward_pre_hooks.values()) for m in layer.modules()}
    return [
        m
        for m, of in kinds.items()
        if any(type(x).__name__ in named and type(x).__module__.startswith("torch.nn.") for x in of)
    ]


def pulled(
    call: Callable[[Mapping[str, Any], Sequence[Any]], Any],
    parameters: Mapping[str, Array],
    args: Sequence[Any],
    cotangent: Array,
) -> tuple[list[Array], dict[str, Array]]:
    """The gradients in the inputs and in the parameters of what torch calls; zero where nothing depends on one."""
    torch = framework_module("torch")
    weights, given = as_tensors(torch, dict(parameters)), as_tensors(torch, args)
    inputs = flat_torch(torch, given)
    leaves = [leaf.requires_grad_() for leaf in (*inputs, *weights.values()) if leaf.is_floating_point()]
    inputs = [leaf for leaf in inputs if leaf.requires_grad]
    with torch.enable_grad():
        # Parameters that are not written are put in by their module itself and take no part.
        total = (call(weights, given) * as_tensors(torch, cotangent)).sum()
        found = torch.autograd.grad(total, leaves, allow_unused=True)
    arrays = [
        np.zeros(tuple(leaf.shape), np.float32) if g is None else np.asarray(g.numpy())
        for g, leaf in zip(found, leaves, strict=True)
    ]
    return arrays[: len(inputs)], dict(zip(weights, arrays[len(inputs) :], strict=True))


def operations(run: Callable[[], object]) -> int:
    """How many operations of torch a function runs: what makes a build dear is counted, never timed.

    >>> import torch
    >>> operations(lambda: torch.ones(2) + torch.ones(2))
    3
    """
    from torch.utils._python_dispatch import TorchDispatchMode

    class Count(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves __init_subclass__ untyped
        seen = 0

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            """No compiler looks at a build; torch would else import its own, with a thousand modules."""
            return False

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.seen += 1
            return function(*args, **(kwargs or {}))

    count: Any = Count
    with count() as counted:
        run()
    return int(counted.seen)


def first_of(torch: Any, out: Any) -> Any:
    """The first output of real numbers."""
    for leaf in flat_torch(torch, out):
        if leaf.dtype.is_floating_point:
            return leaf
    raise TypeError("the layer puts out no real numbers; complex ones are not judged")


def flat_torch(torch: Any, tree: Any) -> list[Any]:
    """The tensors in nested tuples, lists and dicts, in order."""
    if isinstance(tree, torch.Tensor):
        return [tree]
    if isinstance(tree, Mapping):
        tree = list(tree.values())
    if isinstance(tree, (tuple, list)):
        return [leaf for branch in tree for leaf in flat_torch(torch, branch)]
    return []


def as_tensors(torch: Any, tree: Any) -> Any:
    """Arrays in nested tuples, lists and dicts as tensors of float32; whole numbers as they are."""
    if isinstance(tree, dict):
        return {name: as_tensors(torch, branch) for name, branch in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)(as_tensors(torch, branch) for branch in tree)
    array = np.array(tree)
    return torch.tensor(array if array.dtype.kind == "i" else array.astype(np.float32))
