"""Whole models: what a built ``torch.nn.Module`` starts from, judged by the provenance of its weights."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from initcheck.models.run import ModelRun, check_model

__all__ = ["ModelRun", "check_model"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: a renderer reads the words of a model's report where torch is not installed.
    if name not in ("ModelRun", "check_model"):
        raise AttributeError(f"module 'initcheck.models' has no attribute {name!r}")
    import importlib

    home = importlib.import_module("initcheck.models.run")
    value = getattr(home, name)
    globals()[name] = value
    return value
