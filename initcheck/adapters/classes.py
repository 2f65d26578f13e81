"""Classes of initializers: built once with their defaults, or for every draw where they take randomness."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MethodType
from typing import Any

import numpy as np

from initcheck.adapters.code.evidence import ignores_self
from initcheck.adapters.frameworks.sampler import SamplerBase
from initcheck.adapters.shapes_taken import shapes_taken
from initcheck.adapters.signatures.arguments import random_value
from initcheck.adapters.signatures.frameworks import used_by
from initcheck.adapters.signatures.readings import Needs, Reading, needs, random_kinds, readings_of
from initcheck.adapters.signatures.signature import RANDOM_ROLES, Slot, parse_signature, slots_of
from initcheck.adapters.trial_calls import Chosen, choose, framework_of
from initcheck.contract.contract import Contract
from initcheck.contract.declaration import merged, own_declaration
from initcheck.contract.initializer import Initializer
from initcheck.errors import UsageError
from initcheck.sandbox.containment import InitializerRaised, contained
from initcheck.sandbox.global_generators import isolated

METHODS = (
    "init", "initialize", "initialise", "sample", "draw", "generate", "init_weights", "init_weight",
    "initialize_weights", "initialize_weight", "create", "weights", "weight", "W",
)  # fmt: skip


_OF_THE_CALL = ("signature", "args", "parameter")
_ASKED_TWICE = ((5, 7), (6, 6), (5, 7, 3, 3), (3, 3, 5, 7))


@dataclass(frozen=True)
class Method:
    """A method that is named through its class, as ``mod:Class.method``; an instance is made for it.

    Attributes:
        owner: the class.
        name: the method.
    """

    owner: type
    name: str

    @property
    def static(self) -> Any:
        """The method as it stands in the class."""
        return inspect.getattr_static(self.owner, self.name)

    @property
    def function(self) -> Any:
        """The function that is run."""
        return getattr(self.static, "__func__", self.static)

    @property
    def needs_instance(self) -> bool:
        """Whether it is neither static, nor of the class, nor a function that never looks at its instance."""
        return inspect.isfunction(self.static) and not ignores_self(self.static)

    @property
    def bound(self) -> Any:
        """What is called where no instance is needed."""
        return getattr(self.owner, self.name) if not inspect.isfunction(self.static) else MethodType(self.static, self)


def class_initializer(
    cls: type, name: str, signature: str | None, args: Mapping[str, Any], parameter: str | None,
    method: str | None = None,
) -> Any:  # fmt: skip
    """An instance with the arguments given, or an ``Initializer`` where every draw needs its own instance.

    Args:
        cls: the class.
        name: the target text.
        signature: how its method is called, where the user says so.
        args: keyword arguments of its constructor.
        parameter: which of several returned arrays is meant.
        method: the method that the user named; else the one that is asked for weights.

    Raises:
        UsageError: a required argument is missing, the class cannot be built, or no method takes a shape.
    """
    slots = [s for s in slots_of(cls) if s.name not in args and not s.variadic]
    random = random_slots(slots)
    missing = [s for s in slots if s.required and s.role not in RANDOM_ROLES and s.role not in ("dtype", "dtype_name")]
    if missing:
        raise needs(name, missing)
    if not random:
        try:
            with contained(), isolated(0):
                return cls(**args)
        except InitializerRaised as error:
            raise UsageError(f"{name} cannot be built with its defaults: it raises {error}.") from error
    built = built_per_draw(cls, name, signature, args, random, parameter, method)
    repeats = isinstance(built.sampler, SamplerBase) and _repeats_itself(built.sampler)
    if repeats and fixed_by_default(cls, random):
        # Whoever takes the default gets one result for all layers of a shape, whatever the seeds of a run.
        return cls(**args)
    return built


def fixed_by_default(cls: Callable[..., Any], random: list[Slot]) -> bool:
    """Whether all the randomness it takes are seeds, and its author chose a number for each.

    >>> class Fixed:
    ...     def __init__(self, seed=0): ...
    >>> fixed_by_default(Fixed, random_slots(slots_of(Fixed)))
    True
    """
    parameters = inspect.signature(cls).parameters
    return bool(random) and all(slot.role == "seed" and type(parameters[slot.name].default) is int for slot in random)


def _repeats_itself(sampler: SamplerBase) -> bool:
    """Whether one instance gives the same weights when it is asked again."""
    for shape in _ASKED_TWICE:
        with contextlib.suppress(InitializerRaised), contained():
            first, second = map(sampler.to_numpy, sampler.on_one_source([shape] * 2, [1], "float32")[0])
            return bool(np.ptp(first) > 0 and np.array_equal(first, second))
    return False


def constructor_names(cls: type) -> list[str]:
    """The parameters of its constructor by name; none where it does not tell them."""
    try:
        return [slot.name for slot in slots_of(cls)]
    except UsageError:
        return []


def random_slots(slots: list[Slot]) -> list[Slot]:
    """The parameters that take randomness; an optional seed beside a generator is left out."""
    random = [s for s in slots if s.role in RANDOM_ROLES and not s.variadic]
    return [s for s in random if s.role != "seed" or s.required or len(random) == 1]


def built_per_draw(
    make: Callable[..., Any], name: str, signature: str | None, args: Mapping[str, Any], random: list[Slot],
    parameter: str | None, named: str | None = None,
) -> Initializer:  # fmt: skip
    """An initializer that a class or factory makes anew for every draw, with the randomness of that draw.

    Raises:
        UsageError: it cannot be made, or what it makes cannot be read.
    """
    problem, refusal, unable = "", None, None
    for kinds in _kinds_of(random, make):
        build = _builder(make, kinds, dict(args))
        try:
            with contained(), isolated(1):
                instance = build(1)
        except InitializerRaised as error:
            problem = problem or str(error)
            continue
        method, bound = method_of(instance, name) if named is None else (named, getattr(instance, named))
        try:
            made, works = _per_draw(make, name, signature, build, method, bound, kinds, parameter)
        except Needs:
            raise
        except UsageError as error:
            refusal = refusal or error
            continue
        if works:
            return made
        unable = unable or made  # a generator of another kind may have what the method asks of it
    if unable is not None:
        return unable
    if refusal is not None:
        raise refusal
    raise UsageError(f"{name} cannot be built: it raises {problem}. Pass an instance, or a function that makes one.")


def _attribute(made: Any, name: str) -> Any:
    """An attribute, or None where there is none or looking at it raises, as a property of a user's class may."""
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(made, name, None)
    return None


def method_of(made: Any, name: str) -> tuple[str, Callable[..., Any]]:
    """The method of an instance (of a function: its call) that is asked for weights, by name and bound.

    Raises:
        UsageError: it has no such method.
    """
    defined = _defined(type(made))
    if inspect.isroutine(made) or ("__call__" in defined and not _passes_on(made)):
        return "__call__", made
    named = [m for m in METHODS if callable(_attribute(made, m))]
    if "__call__" in defined:
        named = [m for m in ("forward", *named) if callable(_attribute(made, m))]
        if not named:
            return "__call__", made
    if not named:
        own = [m for m in sorted(defined) if not m.startswith("_") and inspect.isroutine(_attribute(made, m))]
        named = own if len(own) == 1 else []
    if not named:
        if isinstance(made, (dict, list, tuple, set, frozenset)):
            items = ".values()" if isinstance(made, dict) else ""
            raise UsageError(
                f"{name} is a {type(made).__name__} of {len(made)}; check each of its items from Python:"
                f" for f in {name.rpartition(':')[2]}{items}: initcheck.check(f)."
            )
        if hasattr(made, "shape") and hasattr(made, "dtype"):
            raise UsageError(f"{name} holds weights that are drawn already; name the function that draws them.")
        raise UsageError(
            f"{name} is {type(made).__name__!r}, which cannot be called and has no method such as {METHODS[0]};"
            " name a function, a class or an instance of an initializer."
        )
    asked = max(named, key=lambda m: _readable(getattr(made, m), name))  # the first of the best
    return asked, getattr(made, asked)


def _passes_on(made: Any) -> bool:
    """Whether its call takes ``*args, **kwargs`` alone, so that another method tells what it is called with."""
    try:
        parameters = list(inspect.signature(made).parameters.values())
    except (TypeError, ValueError):
        return False
    return [p.kind for p in parameters] == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]


def _readable(method: Callable[..., Any], name: str) -> int:
    """How well its parameters say how it is called: 2 by their names, 1 by trial calls, 0 not at all."""
    try:
        readings, named = readings_of(method, name)
    except UsageError:
        return 0
    return (1 + named) if readings else 0


def _defined(cls: type) -> set[str]:
    return {key for base in cls.__mro__ if base is not object for key in vars(base)}


def _kinds_of(random: list[Slot], make: Callable[..., Any]) -> list[list[Slot]]:
    used = used_by(make)
    first = [replace(s, role=random_kinds(s, used, guessed=False)[0]) for s in random]
    others = [[replace(s, role=kind) for s in random] for kind in random_kinds(random[0], used, guessed=False)[1:]]
    return [first, *others]


def _builder(make: Callable[..., Any], random: list[Slot], args: dict[str, Any]) -> Callable[[int], Any]:
    makers = {slot.name: random_value(slot.role) for slot in random}
    return lambda seed: make(**args, **{name: source(seed) for name, source in makers.items()})


def _per_draw(
    make: Callable[..., Any], name: str, signature: str | None, build: Callable[[int], Any], method: str,
    bound: Callable[..., Any], random: list[Slot], parameter: str | None,
) -> tuple[Initializer, bool]:  # fmt: skip
    """The initializer, and whether a trial call of it worked."""
    slot = Slot("self", "instance")
    if signature is not None:
        readings, named = [Reading(tuple(parse_signature(signature, bound)), "numpy", signature)], True
    else:
        readings, named = readings_of(bound, name)
    if not readings:
        raise UsageError(f"{name}.{method} takes no shape; say how to call it: signature='(shape)'.")
    readings = [replace(r, slots=(slot, *r.slots)) for r in readings]
    shared = all(s.role in ("rng", "random_state", "torch_generator", "python_random") for s in random)

    def ask(instance: Any, *args: Any, **kwargs: Any) -> Any:
        asked = instance if method == "__call__" else getattr(instance, method)
        return asked(*args, **kwargs)

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
    own = {} if isinstance(make, type) else own_declaration(bound, name=name)  # a class was asked itself
    promised = Contract.from_mapping({key: value for key, value in own.items() if key not in _OF_THE_CALL})
    built = ", ".join(f"{s.name}={s.role}" for s in random)
    call = "" if method == "__call__" else f".{method}"
    made = Initializer(
        name=name,
        sampler=chosen.judged,
        contract=merged(Contract(), promised, Contract(layout=layout, origins={"layout": "known"} if layout else {})),
        framework=framework,
        signature=f"{getattr(make, '__name__', name)}({built}){call}{chosen.reading}".replace(
            "(instance, ", "("
        ).replace("(instance)", "()"),
        takes_randomness=True,
        takes_dtype=any(s.role in ("dtype", "dtype_name", "tensor") for s in chosen.reading.slots),
        notes=chosen.notes,
        function=make,
        **shapes_taken(bound, chosen, framework),
    )
    return made, chosen.works
