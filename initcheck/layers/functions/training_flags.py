"""The training flags of a torch module: put out by themselves, but of layers that write more than flags with them."""

from __future__ import annotations

import copy
from typing import Any
from weakref import WeakKeyDictionary

from initcheck.adapters.signatures.arguments import framework_module

_LARGEST = 2**24
"""Numbers in a layer that is copied to see what its own ``eval`` writes."""

_rewriting: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def put_out_of_training(model: Any) -> None:
    """Evaluation by the flag alone, of every module but those that would be written anew for it.

    A layer's own ``train`` may merge an adapter into its weight (LoRA), or its branches into one kernel that it then
    runs (RepVGG). Such a layer stays in training: neither is it judged as it is merged, nor run on what is not there.

    Args:
        model: a ``torch.nn.Module``.
    """
    for module in model.modules():
        module.training = _writes_itself(module)


def _writes_itself(module: Any) -> bool:
    """Whether the ``eval`` of a module's own class writes more than flags, seen in a copy of it."""
    base = framework_module("torch").nn.Module
    if type(module).train is base.train and type(module).eval is base.eval:
        return False
    if module not in _rewriting:
        _rewriting[module] = _changes(module)
    return _rewriting[module]


def _changes(module: Any) -> bool:
    torch = framework_module("torch")
    if sum(p.numel() for p in module.parameters()) > _LARGEST:
        return False
    try:
        with torch.random.fork_rng(devices=()):
            other = copy.deepcopy(module)
            before = {n: v.clone() if isinstance(v, torch.Tensor) else v for n, v in _own(other).items()}
            other.eval()
            after = _own(other)
            return before.keys() != after.keys() or not all(_same(torch, v, after[n]) for n, v in before.items())
    except Exception:  # user code: what cannot be copied, or put out of training, has its flag alone
        return False


def _own(module: Any) -> dict[str, Any]:
    """What a module holds by itself, its flag and its layers left out."""
    # Torch's own tables of parameters, layers and hooks are private dicts and sets.
    tables = {n for n, v in vars(module).items() if n.startswith("_") and isinstance(v, (dict, set))}
    held = {n: v for n, v in vars(module).items() if n != "training" and n not in tables}
    return {**held, **module._parameters, **module._buffers}


def _same(torch: Any, one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return bool(one.shape == other.shape and torch.equal(one, other))
    return one is other
