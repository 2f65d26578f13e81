"""Any object -> Initializer: the rules in their order, each tried only where the ones before do not fit."""

from __future__ import annotations

import enum
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from initcheck.adapters import refusals
from initcheck.adapters.array_classes import held_arrays
from initcheck.adapters.classes import (
    Method,
    built_per_draw,
    class_initializer,
    constructor_names,
    method_of,
    random_slots,
)
from initcheck.adapters.code.reach import keeps_between_calls
from initcheck.adapters.frameworks import jax_init, known_laws
from initcheck.adapters.frameworks.keras_init import is_keras_initializer, keras_initializer
from initcheck.adapters.frameworks.layer_weight import is_layer, layer_function
from initcheck.adapters.frameworks.torch_init import is_torch_init, torch_initializer
from initcheck.adapters.frameworks.torch_module import asks_for_convolutions
from initcheck.adapters.one_number import NumberSampler, number_sampler
from initcheck.adapters.shapes_taken import shapes_taken
from initcheck.adapters.signatures.frameworks import defines_function
from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.adapters.signatures.readings import Needs, Reading, explicit_readings, readings_of
from initcheck.adapters.signatures.signature import Slot, describe, parse_signature, slots_of
from initcheck.adapters.trial_calls import Chosen, choose, framework_of, sampler_of
from initcheck.contract.contract import Contract
from initcheck.contract.declaration import merged, own_declaration
from initcheck.contract.initializer import Initializer
from initcheck.errors import UsageError, refuse_unknown
from initcheck.sandbox.containment import InitializerRaised, contained
from initcheck.sandbox.global_generators import isolated

_DEEPEST_FACTORY = 3


def recognise(
    obj: Any,
    name: str,
    *,
    signature: str | None = None,
    args: Mapping[str, Any] | None = None,
    parameter: str | None = None,
) -> Initializer:
    """Make an initializer of whatever the user passed.

    >>> import numpy as np
    >>> recognise(lambda shape, rng: rng.normal(size=shape), "mine").signature
    '(shape, rng)'

    Args:
        obj: a function, a class, an instance, a factory.
        name: the target text.
        signature: how to call it, such as ``(shape, rng)``; then nothing is guessed.
        args: keyword arguments that never change.
        parameter: which of several returned arrays is meant.

    Raises:
        UsageError: it cannot be read; the sentence says why and what to write.
    """
    with isolated(0):
        return _recognise(obj, name, signature, dict(args or {}), parameter, _DEEPEST_FACTORY)


def _recognise(
    obj: Any, name: str, signature: str | None, args: dict[str, Any], parameter: str | None, depth: int
) -> Initializer:
    if isinstance(obj, functools.partial) and not obj.args and is_torch_init(obj.func):
        obj, args = obj.func, {**obj.keywords, **args}
    if signature is None and is_torch_init(obj):
        return torch_initializer(obj, name, args)
    if signature is None and is_keras_initializer(obj):
        made = keras_initializer(obj, name, args, parameter, keeps=keeps_between_calls(obj))
        if made is not None:
            return made
    if isinstance(obj, Method):
        return _of_method(obj, name, signature, args, parameter, depth)
    layer = is_layer(obj)
    if isinstance(obj, type) and signature is None and layer:
        return _of_layer(obj, name, args, parameter, depth)
    if layer in ("torch", "keras", "linen") and signature is None:
        raise UsageError(
            f"{name} is a layer that is built already; pass its class, or a function (fan_in, fan_out) that builds it."
            f" {refusals.whole_model(name)}"
        )
    if isinstance(obj, type):
        return _of_class(obj, name, signature, args, parameter, depth)
    function = method_of(obj, name)[1]
    refusals.refuse_coroutine(function, name)
    if signature is not None:
        slots = tuple(parse_signature(signature, function, args))
        return _explicit(function, name, explicit_readings(slots, function), args, parameter)
    unknown = _unknown_arguments(function, args) if defines_function(function) else []
    own = {key: value for key, value in args.items() if key not in unknown}
    _check_arguments(function, name, own)
    fixed = set(own) | set(obj.keywords if isinstance(obj, functools.partial) else ())
    try:
        readings, named = readings_of(function, name, fixed)
    except Needs:
        _check_arguments(function, name, args)
        raise
    if not readings:
        return _of_factory(function, name, own, parameter, depth, {key: args[key] for key in unknown})
    _check_arguments(function, name, args)
    try:
        chosen = choose(name, function, readings, named=named, fixed=args, parameter=parameter)
    except UsageError:
        one_by_one = number_sampler(function, slots_of(function), args)
        if one_by_one is None:
            raise
        return _of_numbers(name, function, one_by_one)
    return _initializer(name, function, chosen)


def _of_numbers(name: str, function: Callable[..., Any], sampler: NumberSampler) -> Initializer:
    return Initializer(
        name=name,
        sampler=sampler,
        contract=known_laws.known({"layout": sampler.layout}),
        signature=describe(sampler.slots),
        ranks=(2,),
        takes_randomness=sampler.takes_randomness,
        uses_global_generator=not sampler.takes_randomness,
        notes=("It draws one weight a call; a matrix is as many calls as it has weights.",),
        function=function,
    )


def _explicit(
    function: Callable[..., Any], name: str, readings: list[Reading], args: dict[str, Any], parameter: str | None
) -> Initializer:
    """The user's word is taken; trial calls only tell the layout, the framework and whose generator is meant."""
    try:
        chosen = choose(name, function, readings, named=True, fixed=args, parameter=parameter)
    except UsageError:
        if parameter is None:
            raise
        chosen = Chosen(sampler_of(function, readings[0], args, parameter), readings[0], works=False)
    return _initializer(name, function, chosen)


def _of_factory(
    function: Callable[..., Any],
    name: str,
    args: dict[str, Any],
    parameter: str | None,
    depth: int,
    made_with: Mapping[str, Any],
) -> Initializer:
    """A callable that takes no shape is called once; what it returns is the initializer, and is given the rest."""
    if depth == 0:
        raise UsageError(f"{name} returns a callable that returns a callable, and so on; name the innermost one.")
    random = random_slots([slot for slot in slots_of(function) if slot.name not in args])
    if any(slot.required for slot in random):
        _check_arguments(function, name, {**args, **made_with})
        return _of_seeded_factory(function, name, args, random, parameter)
    try:
        with contained(), isolated(0):
            made = function(**args)
    except InitializerRaised as error:
        required = [slot.name for slot in slots_of(function) if slot.required and slot.name not in args]
        if required:
            raise UsageError(
                f"{name} takes no shape: its parameters ({', '.join(required)}) ask for none; pass a function of the"
                " shape, such as def init(shape, rng)."
            ) from error
        raise UsageError(
            f"{name} takes no shape, so it was called as a factory; it raises {error}. Pass a function of the shape"
            " that calls it and returns the weights, such as def init(shape, rng)."
        ) from error
    if not callable(made):
        try:
            method_of(made, name)
        except UsageError:
            raise UsageError(
                f"{name} takes no shape and returns {_shown(made)}, which is no initializer; pass a function of the"
                " shape that returns the weights, such as def init(shape, rng)."
            ) from None
    if random and not is_keras_initializer(made):
        _check_arguments(function, name, {**args, **made_with})
        return built_per_draw(function, name, None, args, random, parameter)
    own = own_declaration(made, name=name)
    signature, parameter = own.pop("signature", None), parameter or own.pop("parameter", None)
    inner_args = {**own.pop("args", {}), **made_with}
    inner = _recognise(made, name, signature, inner_args, parameter, depth - 1)
    # What the factory promises of what it makes, by its arguments perhaps: a gain that goes with the depth.
    contract = merged(Contract(), Contract.from_mapping(own), inner.contract)
    return replace(inner, contract=contract, function=function)


def _of_seeded_factory(
    function: Callable[..., Any], name: str, args: dict[str, Any], random: list[Slot], parameter: str | None
) -> Initializer:
    """A callable that takes a seed and no shape makes a new initializer for every draw."""
    try:
        return built_per_draw(function, name, None, args, random, parameter)
    except Needs:
        raise
    except UsageError as error:
        listed = ", ".join(slot.name for slot in slots_of(function) if slot.required and slot.name not in args)
        raise UsageError(
            f"{name} takes no shape: its parameters ({listed}) ask for none, and what it makes of them is no"
            f" initializer: {error} Pass a function of the shape, such as def init(shape, rng)."
        ) from error


def _shown(made: Any) -> str:
    """What was returned in place of an initializer; who returns nothing may have written to an object of its own."""
    return "nothing" if made is None else f"{type(made).__name__}"


def _of_layer(cls: type, name: str, args: dict[str, Any], parameter: str | None, depth: int) -> Initializer:
    """A layer class is built at the widths a shape asks for; its own initialization is what is checked."""
    try:
        build, slots, framework = layer_function(cls, name)
    except UsageError as no_widths:
        try:
            return _of_class(cls, name, None, args, parameter, depth)  # Equinox users derive anything from Module
        except UsageError:
            raise no_widths from None
    reading = Reading(tuple(s for s in slots if s.name not in args), framework, name, layer=True)
    missing = _required_beside(cls, {slot.name for slot in slots} | set(args))
    if missing:
        raise refusals.layer_needs(name, missing)
    chosen = choose(name, build, [reading], named=True, fixed=args, parameter=parameter)
    if not chosen.works:
        raise UsageError(
            f"{name} cannot be built from its widths: it {chosen.problem}. Pass a function (fan_in, fan_out) that"
            " builds it."
        )
    made = _initializer(name, build, chosen)
    return replace(made, signature=f"{cls.__name__}{chosen.reading}", function=cls, framework=framework)


def _required_beside(cls: type, given: set[str]) -> list[str]:
    """What the constructor needs beside the widths of the layer."""
    parameters = (parameters_of(cls) or {}).values()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p.name for p in parameters if p.default is p.empty and p.kind in kinds and p.name not in given]


def _of_class(
    cls: type, name: str, signature: str | None, args: dict[str, Any], parameter: str | None, depth: int
) -> Initializer:
    """A class that takes a generator, key or seed is built anew for every draw; else one instance serves.

    One that is asked for two widths and holds an array of both is a layer: that array is what is checked.
    """
    if issubclass(cls, enum.Enum) and not args:
        raise refusals.of_members(name, list(cls.__members__))
    network = _of_network(cls, name, args, parameter) if signature is None else None
    if network is not None:
        return network
    held = held_arrays(cls, name, args, parameter) if signature is None else None
    if held is not None:
        chosen = choose(name, cls, held.readings, named=True, fixed=args, parameter=held.parameter)
        made = _initializer(name, cls, chosen)
        return replace(made, signature=f"{cls.__name__}{chosen.reading}.{held.parameter}", function=cls)
    instance = class_initializer(cls, name, signature, args, parameter)
    if isinstance(instance, Initializer):
        return instance
    inner = _recognise(instance, name, signature, {}, parameter, depth - 1)
    return replace(inner, function=cls)


def _of_network(cls: type, name: str, args: dict[str, Any], parameter: str | None) -> Initializer | None:
    """A class that is asked for the widths of several layers and keeps their matrices; None where it is no such class.

    The first of its matrices is checked, as of a function that returns several.
    """
    try:
        readings, named = readings_of(cls, name, args)
        readings = [r for r in readings if {"widths", "next"} & {slot.role for slot in r.slots}]
        chosen = choose(name, cls, readings, named=named, fixed=args, parameter=parameter) if readings else None
    except UsageError:
        return None
    return None if chosen is None else replace(_initializer(name, cls, chosen), function=cls)


def _of_method(
    method: Method, name: str, signature: str | None, args: dict[str, Any], parameter: str | None, depth: int
) -> Initializer:
    """A method named through its class: of an instance with its defaults, or of a new one for every draw."""
    if not method.needs_instance:
        return replace(_recognise(method.bound, name, signature, args, parameter, depth), function=method.function)
    own = set(constructor_names(method.owner))
    of_class = {key: value for key, value in args.items() if key in own}
    rest = {key: value for key, value in args.items() if key not in own}
    owner = name.removesuffix(f".{method.name}")
    made = class_initializer(method.owner, owner, signature, of_class, parameter, method.name)
    if isinstance(made, Initializer):
        return replace(made, name=name, function=method.function)
    inner = _recognise(getattr(made, method.name), name, signature, rest, parameter, depth - 1)
    return replace(inner, function=method.function)


def _check_arguments(function: Callable[..., Any], name: str, args: Mapping[str, Any]) -> None:
    refuse_unknown(_unknown_arguments(function, args), parameters_of(function) or {}, f"{name} has no parameter")


def _unknown_arguments(function: Callable[..., Any], args: Mapping[str, Any]) -> list[str]:
    parameters = parameters_of(function)
    if parameters is None or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return []
    return [key for key in args if key not in parameters]


def _initializer(name: str, function: Callable[..., Any], chosen: Chosen) -> Initializer:
    framework = framework_of(chosen)
    sampler = chosen.sampler
    said: dict[str, Any] = {}
    if chosen.layout is not None:
        said["layout"] = chosen.layout
    elif any(s.role in ("fan_in", "fan_out") for s in chosen.reading.slots) or framework == "torch":
        said["layout"] = "out_in"
    elif framework in ("jax", "flax"):
        said["layout"] = "in_out"
    roles = {slot.role for slot in chosen.reading.slots}
    return Initializer(
        name=name,
        sampler=chosen.judged,
        contract=(jax_init.known_contract(function) if framework == "jax" else None) or known_laws.known(said),
        framework=framework,
        signature=str(chosen.reading),
        takes_randomness=sampler.takes_randomness,
        uses_global_generator=not sampler.takes_randomness and bool(sampler.reseeds),
        batched="key" in roles,
        by_kind="module" in roles and asks_for_convolutions(function),
        takes_dtype=bool(roles & {"dtype", "dtype_name", "tensor", "module"}),
        notes=chosen.notes,
        function=function,
        **shapes_taken(function, chosen, framework),
    )
