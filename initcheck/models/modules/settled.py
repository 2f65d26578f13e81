"""A module of torch made ready to be listened to: nothing dropped, nothing kept for later, nothing compiled."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import torch

from initcheck.layers.functions.training_flags import put_out_of_training


@contextmanager
def settled(model: torch.nn.Module) -> Iterator[None]:
    """While it lasts, the module keeps no cache and runs as it is written; it stays in evaluation mode."""
    _settle(model)
    with _without_cache(model), _uncompiled():
        yield


def _settle(model: torch.nn.Module) -> None:
    """Evaluation mode, so that no dropout adds noise; batch norms as in training, where they meet fresh weights."""
    put_out_of_training(model)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.train()


@contextmanager
def _without_cache(model: torch.nn.Module) -> Iterator[None]:
    """No keys and values are kept for a next token, which a model may have no layer for; put back afterwards."""
    configs: list[Any] = [getattr(m, "config", None) for m in model.modules()]
    keeping = []
    for config in configs:
        if getattr(config, "use_cache", None) is True:
            with suppress(AttributeError):  # a frozen one stays as it is
                config.use_cache = False
                keeping.append(config)
    try:
        yield
    finally:
        for config in keeping:
            config.use_cache = True


def _uncompiled() -> AbstractContextManager[object]:
    """Models that were handed to ``torch.compile`` run as they are written: compiled for one batch each costs minutes.

    Nothing to do where no compiler was loaded; torch 2.4 and 2.5 cannot be told and compile.
    """
    compiler: Any = torch.compiler
    loaded = "torch._dynamo" in sys.modules and hasattr(compiler, "set_stance")
    eager: AbstractContextManager[object] = compiler.set_stance("force_eager") if loaded else nullcontext()
    return eager
