"""What a module of torch promises of its tensors by its config and layers: a tied head, a padding row of zeros."""

from __future__ import annotations

from typing import Any

import torch

from initcheck.models.factory.promises import Promises


def promises_of(model: torch.nn.Module) -> Promises:
    """Read the config's ``tie_word_embeddings`` and every ``padding_idx``.

    >>> found = promises_of(torch.nn.Sequential(torch.nn.Embedding(5, 3, padding_idx=0)))
    >>> found.padding, found.kept
    ((), ('1 padding row is zero',))
    """
    padded = [
        (name, module) for name, module in model.named_modules()
        if isinstance(module, torch.nn.Embedding) and module.padding_idx is not None and not module.weight.is_meta
    ]  # fmt: skip
    broken = tuple((n, int(m.padding_idx or 0), _tied_to(model, m)) for n, m in padded if _has_padding(m))
    kept = [f"{len(padded) - len(broken)} padding row is zero"] if len(padded) - len(broken) == 1 else []
    kept += [f"{len(padded) - len(broken)} padding rows are zero"] if len(padded) - len(broken) > 1 else []
    config = getattr(model, "config", None)
    promised = getattr(config, "tie_word_embeddings", None) is True
    pair = _ends(model) if promised else None
    if pair is None:
        return Promises(None, broken, tuple(kept))
    (head, head_weight), (table, table_weight) = pair
    # The tokens of a decoder have a table of their own in some models, and that is the one.
    tables = {f"{name}.weight": m.weight for name, m in model.named_modules() if isinstance(m, torch.nn.Embedding)}
    for name, weight in {table: table_weight, **tables}.items():
        if head_weight is weight or _memory(head_weight) == _memory(weight):
            return Promises(None, broken, (*kept, f"{head} is tied to {name}, as the config says"))
    return Promises((head, table), broken, tuple(kept))


def declared_std(model: torch.nn.Module) -> float | None:
    """The config's ``initializer_range``; None where it has parts with configs of their own that say another number.

    A composite model follows the configs of its parts: its own number is a default that nobody set.

    >>> declared_std(torch.nn.Linear(3, 4)) is None
    True
    """
    config = getattr(model, "config", None)
    declared = getattr(config, "initializer_range", None)
    if not isinstance(declared, (int, float)):
        return None
    parts = [getattr(part, "initializer_range", None) for part in getattr(config, "__dict__", {}).values()]
    others = [n for n in parts if isinstance(n, (int, float)) and n != declared]
    return None if others else float(declared)


def _tied_to(model: torch.nn.Module, table: torch.nn.Embedding) -> str | None:
    """Another layer that uses the weight of an embedding, and not as an embedding: its gradient reaches every row."""
    for name, module in model.named_modules():
        uses = any(p is table.weight for p in module.parameters(recurse=False))
        if uses and module is not table and not isinstance(module, torch.nn.Embedding):
            return str(name)
    return None


def _has_padding(module: torch.nn.Embedding) -> bool:
    row = module.weight.detach()[module.padding_idx or 0]
    return bool((row != 0).any())


def _ends(model: torch.nn.Module) -> tuple[tuple[str, Any], tuple[str, Any]] | None:
    """The output layer and the embedding of tokens, of one shape: as transformers say, else by shape and name."""
    names = {id(m): n for n, m in model.named_modules()}
    head, table = _called(model, "get_output_embeddings"), _called(model, "get_input_embeddings")
    if head is None and not hasattr(model, "get_output_embeddings"):
        tables = [m for m in model.modules() if isinstance(m, torch.nn.Embedding)]
        rows = getattr(model.config, "vocab_size", None)
        table = next((m for m in tables if rows is None or m.num_embeddings == rows), None)
        heads = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
        head = next((m for m in reversed(heads) if table is not None and m.weight.shape == table.weight.shape), None)
    one, two = getattr(head, "weight", None), getattr(table, "weight", None)
    if not (isinstance(one, torch.Tensor) and isinstance(two, torch.Tensor)) or one.shape != two.shape:
        return None
    return (f"{names.get(id(head), 'the head')}.weight", one), (f"{names.get(id(table), 'the embedding')}.weight", two)


def _called(model: torch.nn.Module, name: str) -> Any:
    method = getattr(model, name, None)
    if method is None:
        return None
    try:
        return method()
    except (NotImplementedError, AttributeError):
        return None


def _memory(tensor: torch.Tensor) -> tuple[int, int]:
    return int(tensor.untyped_storage()._cdata), int(tensor.storage_offset())
