"""A model's TARGET as text, as a table or as an object: what builds it, its declared laws, its batch."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from initcheck.adapters.classes import Method
from initcheck.adapters.frameworks.layer_weight import is_layer
from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.adapters.signatures.rank_words import RANK, WORLD
from initcheck.contract.contract import Contract
from initcheck.contract.model import Model
from initcheck.contract.profile import Profile
from initcheck.errors import UsageError, refuse_unknown
from initcheck.models.ranks.model import ShardedModel
from initcheck.targets.configs import builder_of, is_builder, read_config
from initcheck.targets.loading import location_of, numbered
from initcheck.targets.modules import find_object
from initcheck.targets.recipes import here, importable, pickled, there, unpickled
from initcheck.targets.tables import beside, waived_tables
from initcheck.targets.text import WEIGHTS, TargetText, parse

GIVEN = ("seed", "key", "rng", "rngs", *RANK, *WORLD, "mesh", "device_mesh")
"""Parameters of a factory that it is given by us."""


def load_models(
    targets: Iterable[str],
    *,
    laws: Mapping[str, str | float] | None = None,
    batch: object = None,
    models: int | None = None,
    world: int | None = None,
    mesh: Mapping[str, int] | None = None,
) -> tuple[Model, ...]:
    """Find the models that the targets name.

    Args:
        targets: ``pkg.mod:build_model``, ``file.py:build_model``, with keyword arguments as literals; a config of
            transformers, ``transformers:LlamaConfig(hidden_size=64)`` or a JSON file; a module or a state dict in a
            Python module, a file of weights: these are built already and get a portrait; or ``@pyproject.toml``:
            the tables ``[[tool.initcheck.models]]``. A target that such a table of the current folder's
            ``pyproject.toml`` names takes its laws, batch and waivers from there.
        laws, batch, models: said for this run; they win over a table's.
        world, mesh: number of processes that build each, and the dimensions of their device mesh.

    Raises:
        UsageError: there is no such target or table, or it cannot build a model.
    """
    said = {"laws": laws, "batch": batch, "models": models, "world": world, "mesh": mesh}
    found: list[Model] = []
    for text in dict.fromkeys(targets):
        if text.startswith("@"):
            listed = waived_tables(text[1:], "models")
            with beside(text[1:]):
                found += [_of_table(table, said) for table in listed]
        else:
            own = (t for t in waived_tables("pyproject.toml", "models", needed=False) if t["target"] == text)
            found.append(_of_table(next(own, {"target": text}), said))
    return tuple(numbered(found))


def model_of(
    factory: Any,
    *,
    name: str | None = None,
    laws: Mapping[str, str | float] | None = None,
    batch: object = None,
    models: int | None = None,
    contract: Contract | None = None,
    recipe: Mapping[str, Any] | None = None,
    words: Sequence[str] = (),
    world: int | None = None,
    mesh: Mapping[str, int] | None = None,
) -> Model:
    """A model by the function that builds it, or by what was built.

    Args:
        factory: returns a new ``torch.nn.Module`` at each call; or a module, a state dict or the weights of a file,
            which get a portrait.
        name: how it is called in the report; the factory's own name where None.
        laws, batch, models: as ``check_model`` takes them.
        contract: its waivers.
        recipe: from which ``model_again`` makes it in another process.
        words: how a command line names it.
        world, mesh: number of processes that build it together, and the dimensions of their device mesh.

    Raises:
        UsageError: torch is not installed, the factory is none, a law or the batch cannot be read.
    """
    # An initializer needs nothing of the rooms of models: they are loaded where a model is named.
    from initcheck.models.frameworks.recognition import is_model
    from initcheck.models.subject import read_model

    built = _built(factory)
    if built is None and is_model(factory):
        raise UsageError(
            f"{name or type(factory).__name__} is a model of {is_layer(factory)} that is built already; name the"
            " function that builds it. Portraits are made of modules of torch and of files of weights."
        )
    if is_layer(factory) == "linen" and not isinstance(factory, type):
        module = factory  # a description, which init makes parameters of
        factory = functools.partial(_itself, module)
    if built is None and not callable(factory):
        raise UsageError(f"{factory!r} is {type(factory).__name__}, not a function that builds a model.")
    if world is not None:
        return _sharded(factory, name, contract or Contract(), recipe, words, world, dict(mesh or {}))
    if mesh:
        raise UsageError("a mesh is of several processes; say how many, as in --world 4 --mesh dp=2,tp=2.")
    model = Model(
        name=name or str(getattr(factory, "__qualname__", type(factory).__name__)),
        factory=factory if built is None else lambda: built,
        built=built is not None,
        laws=dict(laws or {}),
        batch=batch,
        models=models,
        contract=contract or Contract(),
        location=location_of(factory) if built is None and not is_builder(factory) else None,
        recipe=recipe,
        words=tuple(words),
        subject=_subject if built is None else _portrait,
    )
    read_model(model)
    return model


def model_again(recipe: Mapping[str, Any]) -> Model:
    """Make a model again in a fresh process from the plain data of its ``recipe``.

    Raises:
        UsageError: as ``load_models``.
    """
    contract = Contract(**recipe["contract"])
    with there(recipe):
        return model_of(
            _found(recipe["model"]), name=recipe["name"], contract=contract, recipe=recipe, **recipe["said"]
        )


def factory_again(recipe: Mapping[str, Any]) -> Callable[..., Any]:
    """Find the function that builds a model again, in the process of a rank.

    Raises:
        UsageError: as ``load_models``.
    """
    with there(recipe):
        factory: Callable[..., Any] = unpickled(recipe["pickle"]) if "pickle" in recipe else _found(recipe["model"])
    return factory


def _sharded(
    factory: Any, name: str | None, contract: Contract, recipe: Mapping[str, Any] | None, words: Sequence[str],
    world: int, mesh: Mapping[str, int],
) -> Model:  # fmt: skip
    """A model that several processes build together.

    Raises:
        UsageError: the mesh has another number of places, or no other process can be given the factory.
    """
    if mesh and math.prod(mesh.values()) != world:
        shown = ",".join(f"{n}={k}" for n, k in mesh.items())
        raise UsageError(f"the mesh {shown} has {math.prod(mesh.values())} places, and the world {world} processes.")
    shown_name = name or str(getattr(factory, "__qualname__", type(factory).__name__))
    if recipe is None:
        found, packed = importable(factory), None
        if found is None:
            packed = pickled(factory)
        if found is None and packed is None:
            raise UsageError(
                f"{shown_name} exists in this process only (a lambda or a closure); the processes of its ranks need it"
                " by name, or cloudpickle, which carries such functions."
            )
        carried = {"model": found} if found is not None else {"pickle": packed}
        recipe = {**carried, "name": shown_name, **here()}
    return ShardedModel(
        name=shown_name,
        factory=factory,
        contract=contract,
        location=None if is_builder(factory) else location_of(factory),
        recipe=recipe,
        words=tuple(words),
        world=world,
        mesh=mesh,
        subject=_ranks,
    )


def _ranks(model: Any, profile: Profile, seed: int) -> Any:
    from initcheck.models.ranks.subject import ShardedSubject  # shards: only under --world

    return ShardedSubject(model, profile, seed)


def _subject(model: Model, profile: Profile, seed: int) -> Any:
    from initcheck.models.subject import ModelSubject  # as in `model_of`

    return ModelSubject(model, profile, seed)


def _portrait(model: Model, profile: Profile, seed: int) -> Any:
    from initcheck.models.portrait_subject import PortraitSubject  # imports PyTorch: only for saved weights

    return PortraitSubject(model, profile, seed)


def _itself(module: Any) -> Any:
    return module


def _built(obj: Any) -> Any:
    """The module of torch, or the tensors, that an object is; torch is not loaded to find out."""
    if "torch" not in sys.modules:
        return None
    from initcheck.targets.built import built_of  # imports PyTorch

    return built_of(obj)


def _of_table(table: Mapping[str, Any], given: Mapping[str, Any]) -> Model:
    """The model of a table; what is given for this run wins over what the table says."""
    text = table["target"]
    contract = table.get("contract", Contract())
    said: dict[str, Any] = {
        "laws": {**{k: str(v) for k, v in table.get("laws", {}).items()}, **(given["laws"] or {})},
        "batch": given["batch"] if given["batch"] is not None else table.get("batch"),
        "models": given["models"] if given["models"] is not None else table.get("models"),
        "words": [*(table.get("listed") or [text]), *words_of(**given)],
        "world": given["world"],
        "mesh": dict(given["mesh"]) if given["mesh"] else None,
    }
    recipe = {
        "model": text,
        "name": table.get("name", text),
        "said": said,
        "contract": {"waive": dict(contract.waive), "notes": list(contract.notes)},
        **here(),
    }
    return model_of(_found(text), name=recipe["name"], contract=contract, recipe=recipe, **said)


def words_of(
    laws: Mapping[str, str | float] | None, batch: object, models: int | None, world: int | None = None,
    mesh: Mapping[str, int] | None = None,
) -> list[str]:  # fmt: skip
    """The words of a command line that say the same; a batch that is no text cannot be said there."""
    words = [f"--law={pattern}={law}" for pattern, law in (laws or {}).items()]
    words += [f"--batch={batch}"] if isinstance(batch, str) else []
    words += [f"--models={models}"] if models is not None else []
    words += [f"--world={world}"] if world is not None else []
    return words + (["--mesh=" + ",".join(f"{n}={k}" for n, k in mesh.items())] if mesh else [])


def _found(text: str) -> Any:
    """What a target text names: a function that builds a model, or what is built already."""
    if text.endswith(WEIGHTS):
        if importlib.util.find_spec("torch") is None:
            raise UsageError(
                f"target {text!r}: files of weights are read by torch, which is not installed; install it with:"
                ' pip install "initcheck[torch]".'
            )
        from initcheck.targets.built import read_weights  # imports PyTorch

        return read_weights(text)
    if text.endswith(".json"):
        return read_config(text)
    parsed = parse(text)
    obj, _ = find_object(parsed)
    obj = obj.function if isinstance(obj, Method) else obj
    builder = builder_of(obj, parsed.args, text)
    if builder is not None:
        return builder
    return (
        obj
        if _built(obj) is not None or (not isinstance(obj, type) and is_layer(obj) is not None)
        else _factory(obj, parsed, text)
    )


def _factory(obj: Any, parsed: TargetText, text: str) -> Callable[..., Any]:
    if isinstance(obj, ModuleType):
        names = sorted(n for n, f in vars(obj).items() if inspect.isfunction(f) and not n.startswith("_"))
        some = f" Its functions: {', '.join(names[:8])}." if names else ""
        raise UsageError(f"target {text!r} is a module; name what builds the model, as in {text}:build_model.{some}")
    if not callable(obj):
        raise UsageError(f"target {text!r} is {type(obj).__name__}, not a function or class that builds a model.")
    parameters = parameters_of(obj)
    if parameters is None:
        return functools.partial(obj, **parsed.args) if parsed.args else obj
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        refuse_unknown(parsed.args, parameters, f"target {text!r}: it takes no")
    missing = [
        p.name
        for p in parameters.values()
        if p.default is p.empty
        and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        and p.name not in (*parsed.args, *GIVEN)
    ]
    if missing and missing[0] in ("shape", "size", "tensor", "fan_in"):
        raise UsageError(
            f"target {text!r} takes {missing[0]}: it draws weights, and builds no model. Check it by: initcheck {text}"
        )
    if missing:
        raise UsageError(
            f"target {text!r} needs {', '.join(missing)}; write them as literals, such as {text}({missing[0]}=...)."
        )
    return functools.partial(obj, **parsed.args) if parsed.args else obj
