"""`check_model()`: the claims asked of a whole model from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.contract.model import Model
from initcheck.engine.checker import Checker, check_waivers
from initcheck.engine.settings import Settings
from initcheck.models.ranks.model import ShardedModel
from initcheck.report.report import Report
from initcheck.targets.models import load_models, model_of, words_of
from initcheck.targets.recipes import importable


def check_model(
    factory: Callable[..., Any] | str,
    batch: object = None,
    laws: Mapping[str, str | float] | None = None,
    seed: int = 0,
    *,
    name: str | None = None,
    claims: Sequence[str] | None = None,
    models: int | None = None,
    waive: Mapping[str, str] | None = None,
    alpha: float = 1e-6,
    beta: float = 1e-3,
    timeout: float | None = None,
    world: int | None = None,
    mesh: Mapping[str, int] | None = None,
) -> Report:
    """Check what a model starts from.

    >>> import torch, initcheck
    >>> def net():
    ...     return torch.nn.Sequential(*[torch.nn.Linear(64, 64, bias=False) for _ in range(4)])
    >>> report = initcheck.check_model(net)
    >>> report["every-tensor-is-written"].verdict.value, report["signal-survives-the-blocks"].verdict.value
    ('HOLDS', 'FAILS')

    Args:
        factory: a function or class that returns a new model at each call, of PyTorch, Flax, Equinox or Keras; where it
            has a parameter ``seed``, or of JAX ``key``, ``rng`` or ``rngs``, it is given one. It is called six times
            or so, four times above 100 million parameters. Or the text that names one, as on the command line:
            ``"pkg.mod:build"``, ``"model.py:Net(width=64)"``.
        batch: what to run the model on: text such as ``int<100:2x16``, ``pkg:make_batch``, a function, or the
            arguments themselves; None to guess it from the model's signature.
        laws: declared standard deviations, by pattern of the tensor's path: ``{"*.c_proj.weight":
            "0.02/sqrt(2*L)"}``; also ``normal(..)``, ``uniform(half-width)``, ``constant(..)``.
        seed: of the run; every build's seed derives from it and the name.
        name: how the model is called in the report.
        claims: ids of the claims to ask; all of them where None.
        models: most models of fresh seeds; None for a number that falls with size (80 up to 1 M parameters, 18 up
            to 10 M, 12 up to 100 M, 5 above).
        waive: claim id -> reason.
        alpha, beta: error rates of the run.
        timeout: seconds a claim may take; a build that has begun is finished.
        world: build it in so many processes of the CPU (gloo), and ask the claims on its ranks instead; a parameter
            ``rank``, ``world`` or ``mesh`` of the factory is given the rank's.
        mesh: dimensions of the device mesh of the ranks: ``{"dp": 2, "tp": 2}``.

    Raises:
        UsageError: the factory builds no model or keeps it, a law, batch or claim cannot be read.
    """
    checker = Checker(
        Settings(
            seed=seed, alpha=alpha, beta=beta, claims=claims, timeout=timeout, kinds=("ranks" if world else "model",)
        )
    )
    said: dict[str, Any] = {"laws": laws, "batch": batch, "models": models, "world": world, "mesh": mesh}
    if isinstance(factory, str):
        found = [_said(model, name, waive or {}) for model in load_models([factory], **said)]
    else:
        words = [importable(factory) or name or "", *words_of(**said)]
        found = [model_of(factory, name=name, contract=Contract(waive=dict(waive or {})), words=words, **said)]
    for model in found:
        check_waivers(model, model.contract.waive)
    return checker.report(found)


def _said(model: Model, name: str | None, waive: Mapping[str, str]) -> Model:
    """The model of a text, judged in this process; what is waived here beside what its table waives."""
    held = replace(model.contract, waive={**model.contract.waive, **waive})
    # Ranks are processes of their own, which make the model again.
    recipe = model.recipe if isinstance(model, ShardedModel) else None
    return replace(model, name=name or model.name, contract=held, recipe=recipe)
