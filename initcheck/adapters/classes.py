"""Classes of initializers: built once with their defaults, or for every draw where they take randomness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from initcheck.adapters.arguments import random_value
from initcheck.adapters.containment import InitializerRaised, contained
from initcheck.adapters.frameworks import used_by
from initcheck.adapters.isolation import isolated
from initcheck.adapters.readings import needs, readings_of
from initcheck.adapters.signature import RANDOM_ROLES, Slot, parse_signature, slots_of
from initcheck.adapters.trials import Chosen, choose, framework_of
from initcheck.contract import Contract
from initcheck.errors import UsageError
from initcheck.initializer import Initializer

__all__ = ["class_initializer", "method_of"]

_METHODS = ("__call__", "init", "initialize", "initialise", "sample", "draw", "generate")


def class_initializer(
    cls: type, name: str, signature: str | None, args: Mapping[str, Any], parameter: str | None
) -> Any:
    """An instance with the arguments given, or an ``Initializer`` where every draw needs its own instance.

    Raises:
        UsageError: a required argument is missing, the class cannot be built, or no method takes a shape.
    """
    slots = [s for s in slots_of(cls) if s.name not in args and not s.variadic]
    random = [s for s in slots if s.role in RANDOM_ROLES]
    missing = [s for s in slots if s.required and s not in random and s.role != "dtype"]
    if missing:
        raise needs(name, missing)
    method = method_of(cls, name)
    if not random:
        return _build(cls, name, dict(args))
    seeds_too = [s for s in random if s.role == "seed" and len(random) > 1 and not s.required]
    random = [s for s in random if s not in seeds_too]
    problem = ""
    for kinds in _kinds_of(random, cls):
        build = _builder(cls, kinds, dict(args))
        try:
            with contained(), isolated(1):
                instance = build(1)
        except InitializerRaised as error:
            problem = problem or str(error)
            continue
        return _per_draw(cls, name, signature, build, instance, method, kinds, parameter)
    raise UsageError(f"{name} cannot be built: {problem}. Pass an instance, or a function that makes one.")


def method_of(cls: type, name: str) -> str:
    """The method that is asked for weights."""
    for method in _METHODS:
        if callable(getattr(cls, method, None)) and (method != "__call__" or "__call__" in _defined(cls)):
            return method
    raise UsageError(
        f"{name} is a class with none of the methods {', '.join(_METHODS)}; name a function or a factory."
    )


def _defined(cls: type) -> set[str]:
    return {key for base in cls.__mro__ if base is not object for key in vars(base)}


def _build(cls: type, name: str, args: dict[str, Any]) -> Any:
    try:
        with contained(), isolated(0):
            return cls(**args)
    except InitializerRaised as error:
        raise UsageError(f"{name} cannot be built with its defaults: it raises {error}.") from error


def _kinds_of(random: list[Slot], cls: type) -> list[list[Slot]]:
    from initcheck.adapters.readings import kinds_of

    used = used_by(cls)
    first = [replace(s, role=kinds_of(s, used, guessed=False)[0]) for s in random]
    others = [
        [replace(s, role=kind) for s in random] for kind in kinds_of(random[0], used, guessed=False)[1:]
    ]
    return [first, *others]


def _builder(cls: type, random: list[Slot], args: dict[str, Any]) -> Callable[[int], Any]:
    makers = {slot.name: random_value(slot) for slot in random}
    return lambda seed: cls(**args, **{name: make(seed) for name, make in makers.items()})


def _per_draw(
    cls: type, name: str, signature: str | None, build: Callable[[int], Any], instance: Any, method: str,
    random: list[Slot], parameter: str | None,
) -> Initializer:  # fmt: skip
    bound = getattr(instance, method)
    slot = Slot("self", "instance")
    if signature is not None:
        from initcheck.adapters.readings import Reading

        readings, named = [Reading(tuple(parse_signature(signature, bound)), "numpy", signature)], True
    else:
        readings, named = readings_of(bound, name)
    if not readings:
        raise UsageError(f"{name}.{method} takes no shape; say how to call it: signature='(shape)'.")
    readings = [replace(r, slots=(slot, *r.slots)) for r in readings]
    shared = all(s.role in ("rng", "random_state", "torch_generator", "python_random") for s in random)

    def ask(instance: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(instance, method)(*args, **kwargs)

    chosen: Chosen = choose(
        name,
        ask,
        readings,
        named=named,
        fixed={},
        parameter=parameter,
        makers={"instance": build},
        shared=shared,
    )
    framework = framework_of(chosen)
    layout = chosen.layout or {"torch": "out_in", "jax": "in_out"}.get(framework)
    built = ", ".join(f"{s.name}={s.role}" for s in random)
    call = "" if method == "__call__" else f".{method}"
    return Initializer(
        name=name,
        sampler=chosen.sampler,
        contract=Contract(layout=layout, origins={"layout": "known"} if layout else {}),
        framework=framework,
        signature=f"{cls.__name__}({built}){call}{chosen.reading}".replace("(instance, ", "(").replace(
            "(instance)", "()"
        ),
        takes_randomness=True,
        takes_dtype=any(s.role in ("dtype", "tensor") for s in chosen.reading.slots),
        notes=chosen.notes,
        function=cls,
    )
