"""Whether a target is a layer class or a function that builds a layer, and the initializer it makes."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from initcheck.adapters.frameworks.layer_weight import FRAMEWORK, is_layer
from initcheck.adapters.signatures.annotations import annotated_signature
from initcheck.adapters.signatures.constructor import constructor, roles_of
from initcheck.adapters.signatures.frameworks import used_by
from initcheck.adapters.signatures.signature import Slot, role_of, slots_of
from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer
from initcheck.errors import UsageError, refuse_unknown
from initcheck.layers.bench.builder import Builder, Maker
from initcheck.layers.bench.sizes import Size, factory_sizes, sizes_of
from initcheck.layers.sampler import LayerSampler
from initcheck.sandbox.containment import InitializerRaised, contained
from initcheck.sandbox.global_generators import isolated

_RANDOM = ("key", "rngs", "seed")
_BESIDE_WIDTHS = {"in", "out", "key", "rngs", "stride", "groups"}
# What a function of any module is handed in trial calls; and bases, of which none is built.
_HANDED_TEXT = "Module Linear Conv1d Conv2d Conv3d Embedding Sequential ModuleList ModuleDict"
_HANDED = frozenset(_HANDED_TEXT.split())
_KINDS_BY_NAME = {"lstm": "LSTM", "gru": "GRU"}


def layer_initializer(obj: Any, name: str, args: Mapping[str, Any]) -> Initializer | None:
    """Make an initializer of a layer class, a partial of one, or ``f(in_, out)`` that builds a layer; else None.

    Also of ``f(gru)`` that initializes a layer of torch of a kind that its annotation, or its name, tells, and of
    ``f(linear, key)`` that gives back a layer of Equinox with new weights.

    Raises:
        UsageError: its sizes cannot be told, or it cannot be built at any of them.
    """
    if isinstance(obj, functools.partial) and not obj.args and isinstance(obj.func, type) and is_layer(obj.func):
        obj, args = obj.func, {**obj.keywords, **args}
    if isinstance(obj, type):
        kind = is_layer(obj)
        if kind is None:
            return None
        try:
            return _of_class(obj, kind, name, args)
        except UsageError:
            found = _of_unnamed_widths(obj, kind, name, args)
            if found is None:
                raise
            return found
    if not inspect.isroutine(obj) and not hasattr(obj, "func"):
        return None
    kind_of = _layer_that_it_takes(obj, args)
    if kind_of is not None:
        return _of_a_kind(obj, kind_of, name, args)
    return _of_a_new_start(obj, name, args) or _of_factory(obj, name, args)


def _of_class(cls: type, kind: str, name: str, args: Mapping[str, Any]) -> Initializer:
    valid = constructor(cls)
    refuse_unknown(args, valid, f"{name} has no parameter")
    if kind == "nnx" and "decode" in valid:
        args = {"decode": False, **args}  # asked for at every call otherwise
    roles, _ = roles_of(cls, kind, args)
    random = next(((roles[role], role) for role in ("key", "rngs") if role in roles), None)
    return initializer_of(Builder(Maker(cls, name, dict(args), random), kind), sizes_of(cls, kind, name, args))


def _of_unnamed_widths(cls: type, kind: str, name: str, args: Mapping[str, Any]) -> Initializer | None:
    """A class of one width or two whose names do not say that they are, and which computes with such: ``(size)``."""
    roles, unknown = roles_of(cls, kind, args)
    implicit = kind in ("keras", "linen")
    told = constructor(cls)
    slots = [Slot(n, role_of(n, told[n].annotation)) for n in unknown]
    if not all(_may_be_width(s, len(slots)) or s.name == "size" for s in slots) or set(roles) - _BESIDE_WIDTHS:
        return None
    # In the order of the parameters: the inputs come before the outputs.
    names = tuple(n for n in told if n in (*unknown, roles.get("in"), roles.get("out")))
    if not unknown or len(names) not in ((1,) if implicit else (1, 2)):
        return None
    random = next(((roles[role], role) for role in ("key", "rngs") if role in roles), None)
    builder = Builder(Maker(cls, name, dict(args), random), kind)
    sizes = factory_sizes(names, square=len(names) == 1)
    try:
        with contained(), isolated(1):
            builder.feed(sizes[0])
    except (UsageError, InitializerRaised):
        return None
    return initializer_of(builder, sizes)


def _layer_that_it_takes(function: Any, args: Mapping[str, Any]) -> type | None:
    """The class of torch.nn that a function of one module is for, where a linear layer or a convolution is none."""
    try:
        parameters = annotated_signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    required = [p for p in parameters if p.default is p.empty and p.name not in args]
    nn = sys.modules.get("torch.nn")
    if nn is None or len(required) != 1 or required[0].kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
        return None
    told = required[0].annotation
    found = getattr(nn, _KINDS_BY_NAME.get(required[0].name, ""), None) if told is inspect.Parameter.empty else told
    if not isinstance(found, type) or not found.__module__.startswith("torch.nn.modules.") or not is_layer(found):
        return None
    return None if found.__name__ in _HANDED else found


def _of_a_kind(function: Any, cls: type, name: str, args: Mapping[str, Any]) -> Initializer:
    """An initializer of one kind of layer: such a layer is built at its sizes, and initialized each time."""
    try:
        sizes = sizes_of(cls, "torch", name, {})
    except UsageError as error:
        raise UsageError(
            f"{name} initializes {cls.__name__}, which cannot be built from widths alone; pass a function (fan_in,"
            " fan_out) that builds one, initializes it and returns it."
        ) from error
    made = initializer_of(Builder(Maker(cls, name, {}, then=functools.partial(function, **args)), "torch"), sizes)
    shown = getattr(function, "__name__", name)
    return replace(made, function=function, signature=f"{shown}({made.signature.removesuffix(', a layer')}), a layer")


def _of_a_new_start(function: Any, name: str, args: Mapping[str, Any]) -> Initializer | None:
    """An initializer of a layer of Equinox that a function is handed with a key, and gives back anew."""
    nn = sys.modules.get("equinox.nn")
    try:
        slots = {s.role: s.name for s in slots_of(function) if s.name not in args and s.required}
        told = annotated_signature(function).parameters[slots.get("module", "")].annotation
    except (UsageError, TypeError, ValueError, KeyError):
        return None
    if nn is None or set(slots) != {"module", "key"} or "equinox" not in used_by(function):
        return None
    of_its_own = (
        isinstance(told, type)
        and is_layer(told) == "equinox"
        and inspect.getattr_static(told, "__init__") is not object.__init__
    )
    cls: type = told if of_its_own else nn.Conv2d if "conv" in slots["module"] else nn.Linear

    def then(layer: Any, **key: Any) -> Any:
        return function(**{slots["module"]: layer}, **key, **args)

    maker = Maker(cls, name, {}, ("key", "key"), then, slots["key"])
    try:
        sizes = sizes_of(cls, "equinox", name, {})
        with contained(), isolated(1):
            started = then(Maker(cls, name, {}, ("key", "key")).make(sizes[0], 1), **maker.key_of_then(1))
    except (UsageError, InitializerRaised):
        return None
    if is_layer(started) != "equinox":
        return None
    made = initializer_of(Builder(maker, "equinox"), sizes)
    shown = getattr(function, "__name__", name)
    return replace(made, function=function, signature=f"{shown}({', '.join(slots.values())}), a layer")


def _of_factory(function: Any, name: str, args: Mapping[str, Any]) -> Initializer | None:
    try:
        slots = [s for s in slots_of(function) if s.name not in args and s.required]
    except UsageError:
        return None
    random = next((s for s in slots if s.name in _RANDOM or s.role in _RANDOM), None)
    widths = [s for s in slots if s is not random]
    if not 1 <= len(widths) <= 2 or not all(_may_be_width(s, len(widths)) for s in widths):
        return None
    if not set(used_by(function)) - {"numpy"}:
        return None
    names = tuple(s.name for s in widths)
    held = (random.name, random.name if random.name in _RANDOM else random.role) if random else None
    maker = Maker(function, name, dict(args), held)
    for square in (False, True) if len(names) == 2 else (True,):
        sizes = factory_sizes(names, square=square)
        try:
            with contained(), isolated(1):
                made = maker.make(sizes[0], 1)
        except InitializerRaised:
            continue
        kind = is_layer(made) if not isinstance(made, type) else None
        if kind is None:
            return None
        return initializer_of(Builder(maker, kind), sizes)
    return None


def _may_be_width(slot: Slot, count: int) -> bool:
    if slot.variadic or slot.keyword:
        return False
    # A function of a tensor or a shape raises when it is handed a number, or returns no layer.
    roles = {"in", "out", "rows", "cols", "nameless", "unknown"} | ({"tensor"} if count == 1 else set())
    return slot.role in roles or slot.name in ("width", "dim", "d_model", "embed_dim", "features")


def initializer_of(builder: Builder, sizes: tuple[Size, ...]) -> Initializer:
    """The initializer of a layer that is built at these sizes."""
    # Here, as few targets are a layer: with it comes all that judges one.
    from initcheck.layers.subject import LayerSubject

    sampler = LayerSampler(builder=builder, sizes=sizes)
    shown = getattr(builder.maker.target, "__name__", builder.name)
    return Initializer(
        name=builder.name,
        sampler=sampler,
        contract=Contract(),
        framework=FRAMEWORK[builder.kind],
        signature=f"{shown}({', '.join(n for n, _ in sizes[-1].arguments)}), a layer",
        takes_randomness=builder.takes_randomness,
        uses_global_generator=not builder.takes_randomness,
        function=builder.maker.target,
        subject=functools.partial(LayerSubject, sampler=sampler),
    )
