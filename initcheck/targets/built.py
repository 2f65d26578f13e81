"""What is built already: a module, a state dict, a file of weights; only its portrait can be made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from initcheck.errors import UsageError
from initcheck.models.snapshot import Weights
from initcheck.targets.text import WEIGHTS

# Where the checkpoints of common trainers keep the state dict of the model.
_INSIDE = ("state_dict", "model_state_dict", "model", "module")


def built_of(obj: Any) -> torch.nn.Module | Weights | None:
    """The module, or the tensors of a state dict; None of anything else.

    >>> built_of({"weight": torch.zeros(2, 2)}).what
    'a state dict of 1 tensors'
    """
    if isinstance(obj, (torch.nn.Module, Weights)):
        return obj
    if isinstance(obj, Mapping) and obj and all(isinstance(v, torch.Tensor) for v in obj.values()):
        return Weights(
            f"a state dict of {len(obj):,} tensors", lambda: [(str(k), v) for k, v in obj.items()], alive=True
        )
    return None


def read_weights(text: str) -> Weights:
    """The tensors of a file of weights.

    Args:
        text: path of a safetensors file or of the index of several, or of what ``torch.save`` wrote.

    Raises:
        UsageError: there is no such file, it holds no state dict, or reading it would run code.
    """
    path = Path(text).expanduser()
    if not path.is_file():
        beside = (
            sorted(p.name for p in path.parent.glob("*") if p.name.endswith(WEIGHTS)) if path.parent.is_dir() else []
        )
        some = f" There: {', '.join(beside[:5])}." if beside else ""
        raise UsageError(f"target {text!r}: there is no file {text!r} in {str(Path.cwd())!r}.{some}")
    if path.name.endswith(".index.json"):
        return _sharded(path, text)
    if path.suffix == ".safetensors":
        return Weights(path.name, lambda: _safetensors(path, text))
    return _saved(path, text)


def _sharded(path: Path, text: str) -> Weights:
    try:
        names = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        files = [path.parent / name for name in dict.fromkeys(names.values())]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UsageError(f"target {text!r} is no index of weights: {type(error).__name__}: {error}.") from None
    missing = [f.name for f in files if not f.is_file()]
    if missing:
        raise UsageError(f"target {text!r} names {missing[0]}, which does not lie beside it.")
    return Weights(f"{path.name}, {len(files)} files", lambda: (item for f in files for item in _safetensors(f, text)))


def _safetensors(path: Path, text: str) -> Iterator[tuple[str, torch.Tensor]]:
    try:
        from safetensors import safe_open
    except ImportError:
        raise UsageError(
            f"target {text!r}: reading {path.name} needs safetensors, which is not installed; pip install safetensors."
        ) from None
    try:
        with safe_open(str(path), framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                yield name, file.get_tensor(name)
    except UsageError:
        raise
    except Exception as error:  # safetensors_rust.SafetensorError is no class of ours to import
        raise UsageError(f"target {text!r}: {path.name} is no file of safetensors: {error}.") from None


def _saved(path: Path, text: str) -> Weights:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # pickle, zip and torch each raise their own
        raise UsageError(
            f"target {text!r}: {path.name} is no file of tensors, or it holds objects whose reading would run their"
            " code, which is not done. Save model.state_dict(), or hand the module over: initcheck.check_model(model)."
        ) from None
    inside = loaded
    for key in _INSIDE:
        if isinstance(inside, Mapping) and isinstance(inside.get(key), Mapping):
            inside = inside[key]
            break
    found = (
        built_of({k: v for k, v in inside.items() if isinstance(v, torch.Tensor)})
        if isinstance(inside, Mapping)
        else None
    )
    if not isinstance(found, Weights):
        kind = type(loaded).__name__
        raise UsageError(f"target {text!r} holds {kind}, and no state dict: a dict of tensors by name.")
    return Weights(f"{found.what} in {path.name}", found.tensors, alive=True)
