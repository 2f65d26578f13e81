"""Whose model a factory builds: read off what is loaded and what it returns; no framework is imported to find out."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from initcheck.adapters.frameworks.layer_weight import is_layer
from initcheck.adapters.signatures.frameworks import used_by
from initcheck.contract.model import Model
from initcheck.errors import UsageError
from initcheck.models.builds.build import Builder, quiet
from initcheck.models.factory.facts import Facts

_OTHERS = ("flax", "equinox", "keras")
_KEYS = ("rngs", "key", "rng")


def is_model(obj: Any) -> bool:
    """Whether this is a model that is built already; a module of linen has no parameters before its init."""
    return not isinstance(obj, type) and is_layer(obj) not in (None, "linen")


def facts_of(model: Model, seed: int) -> Facts:
    """The builds of a model, by the framework whose it is.

    Raises:
        UsageError: the factory builds nothing that is known.
    """
    framework = family_of_factory(model)
    if framework == "torch":
        if importlib.util.find_spec("torch") is None:
            raise UsageError(
                'this model needs torch, which is not installed; install it with: pip install "initcheck[torch]".'
            )
        # Each imports its framework: only that of the model.
        from initcheck.models.batches.batch import Batch
        from initcheck.models.frameworks.torch_facts import TorchFacts

        return TorchFacts(model.factory, model.name, seed, Batch.maker(model.batch), model.models)
    if framework == "keras":
        from initcheck.models.frameworks.keras_model import KerasFacts  # imports Keras

        return KerasFacts(model, seed)
    if framework in ("linen", "nnx", "equinox"):
        from initcheck.models.frameworks.jax_build import JaxFacts  # imports JAX

        return JaxFacts(model, framework, seed)
    raise UsageError(
        f"{model.name} returns {framework}; name a function or class that builds a model of PyTorch, Flax, Equinox or"
        " Keras."
    )


def family_of_factory(model: Model) -> str:
    """The framework of what a factory builds; the name of the class of what is none's."""
    return _told(model.factory) or _asked(model)


def _told(factory: Callable[..., Any]) -> str | None:
    """The framework by the class that is named, by what is loaded, or by what the factory's code mentions."""
    known = is_layer(getattr(factory, "func", factory))
    if known is not None:
        return known
    loaded = [name for name in _OTHERS if name in sys.modules]
    imported = _imported(getattr(factory, "__code__", None))
    if "torch" in sys.modules and not loaded and not imported:
        return "torch"
    mentioned = [*imported, *(n for n in used_by(factory) if n not in ("numpy", "jax", *imported))]
    # Flax has two kinds of models, and who mentions two libraries may return either's.
    return mentioned[0] if len(mentioned) == 1 and mentioned[0] in ("torch", "keras", "equinox") else None


def _imported(code: CodeType | None) -> list[str]:
    """The libraries that a function imports when it is called, which are not loaded before."""
    names = () if code is None else (name.partition(".")[0] for name in code.co_names)
    return sorted(set(names) & set(_OTHERS))


def _asked(model: Model) -> str:
    """The framework of what the factory returns, called once; else the class of what came."""
    builder = Builder(model.factory, model.name)
    given = {name: _made(name) for name in (builder.takes("seed"), builder.takes(*_KEYS)) if name is not None}
    with quiet():
        found = builder.call(**given)
    found = found[0] if isinstance(found, tuple) and found else found
    return is_layer(found) or type(found).__name__


def _made(name: str) -> Any:
    """A seed, key or generators for a factory that asks for them by name: keys are JAX's, generators Flax's."""
    if name == "seed":
        return 0
    if name == "rngs" and importlib.util.find_spec("flax") is not None:
        return importlib.import_module("flax.nnx").Rngs(0)
    return importlib.import_module("jax").random.key(0) if importlib.util.find_spec("jax") is not None else 0
