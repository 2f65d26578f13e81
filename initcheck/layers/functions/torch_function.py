"""A torch layer as a function of its parameters and inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.signatures.arguments import framework_module
from initcheck.contract.contract import Contract

Array = npt.NDArray[Any]


class TorchFunction:
    """A ``torch.nn.Module``, run in evaluation mode: no dropout, no running statistics of a batch."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self._own: dict[str, Array] | None = None

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
        given = _as_tensors(torch, args)
        with torch.no_grad():
            if parameters is self._own and all(a.dtype == np.float32 for a in parameters.values()):
                # With its own parameters it is called as it is: putting them in takes three times as long.
                out = _first_of(torch, self.layer.eval()(*given))
            else:
                out = self._call(_tensors(torch, parameters), given)
        return np.array(out.numpy())

    def pull(
        self, parameters: Mapping[str, Array], args: Sequence[Any], cotangent: Array
    ) -> tuple[list[Array], dict[str, Array]]:
        """Gradients in the inputs and in the parameters; zero where nothing depends on one."""
        torch = framework_module("torch")
        weights = {name: t.requires_grad_() for name, t in _tensors(torch, parameters).items()}
        given = _as_tensors(torch, args)
        leaves = [leaf.requires_grad_() for leaf in flat_torch(torch, given)]
        with torch.enable_grad():
            out = self._call(weights, given)
            # Parameters that are not written are put in by their module itself and take no part.
            total = (out * torch.as_tensor(np.array(cotangent, dtype=np.float32))).sum()
            found = torch.autograd.grad(total, [*leaves, *weights.values()], allow_unused=True)
        arrays = [
            np.zeros(tuple(leaf.shape), np.float32) if g is None else np.asarray(g.numpy())
            for g, leaf in zip(found, [*leaves, *weights.values()], strict=True)
        ]
        return arrays[: len(leaves)], dict(zip(weights, arrays[len(leaves) :], strict=True))

    def _call(self, parameters: Mapping[str, Any], args: Sequence[Any]) -> Any:
        torch = framework_module("torch")
        # Here, as most layers are built for their weights alone.
        out = torch.func.functional_call(self.layer.eval(), dict(parameters), tuple(args))
        return _first_of(torch, out)


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


def _first_of(torch: Any, out: Any) -> Any:
    return next(leaf for leaf in flat_torch(torch, out) if leaf.dtype.is_floating_point)


def flat_torch(torch: Any, tree: Any) -> list[Any]:
    """The tensors in nested tuples, lists and dicts, in order."""
    if isinstance(tree, torch.Tensor):
        return [tree]
    if isinstance(tree, Mapping):
        tree = list(tree.values())
    if isinstance(tree, (tuple, list)):
        return [leaf for branch in tree for leaf in flat_torch(torch, branch)]
    return []


def _tensors(torch: Any, arrays: Mapping[str, Array]) -> dict[str, Any]:
    return {name: torch.tensor(np.array(a, dtype=np.float32)) for name, a in arrays.items()}


def _as_tensors(torch: Any, tree: Any) -> Any:
    if isinstance(tree, (tuple, list)):
        return type(tree)(_as_tensors(torch, branch) for branch in tree)
    return torch.tensor(np.array(tree, dtype=np.float32))
