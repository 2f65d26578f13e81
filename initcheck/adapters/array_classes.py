"""Classes that hold their weights as arrays, as layers written with NumPy or JAX do: built, and the array read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from initcheck.adapters import refusals
from initcheck.adapters.classes import random_slots
from initcheck.adapters.frameworks import arrays
from initcheck.adapters.signatures.arguments import random_value
from initcheck.adapters.signatures.frameworks import used_by
from initcheck.adapters.signatures.names import ROLE_IN_LAYERS, width_by_words
from initcheck.adapters.signatures.readings import Needs, Reading, random_kinds
from initcheck.adapters.signatures.signature import RANDOM_ROLES, Slot, slots_of
from initcheck.errors import UsageError
from initcheck.sandbox.containment import InitializerRaised, contained
from initcheck.sandbox.global_generators import isolated

# Widths and a kernel that no two of which are equal, so that each axis tells which argument it follows.
_PROBES = ((5, 7), (11, 6))
_KERNEL = (3, 2)
_WIDTH = ("in", "out", "rows", "cols", "unknown", "nameless", "side", "shape", "tensor")


@dataclass(frozen=True)
class Held:
    """How a class is built, and where it keeps its weights.

    Attributes:
        readings: ways of building it, one for each kind of randomness it may take.
        parameter: the attribute that holds the weights, as ``parameter=`` names it.
    """

    readings: tuple[Reading, ...]
    parameter: str


def held_arrays(cls: type, name: str, args: Mapping[str, Any], parameter: str | None) -> Held | None:
    """Where a class that is asked for two widths keeps the array whose axes follow both; None where it has none.

    Which argument is which is told by their names; where names do not tell, by the axes that follow them, the one of
    the rows first.

    Raises:
        Needs: something that only its user knows is missing, or several arrays could be meant.
    """
    if inspect.isabstract(cls):
        return None
    try:
        slots = [s for s in slots_of(cls) if s.name not in args and not s.variadic]
    except UsageError:
        return None
    random = random_slots(slots)
    slots = _with_default_widths(cls, slots)
    roles = {s.name: _role(s) for s in slots if s.required and s not in random}
    widths = [s for s in slots if roles.get(s.name) in _WIDTH]
    kernel = [s for s in slots if roles.get(s.name) == "kernel"]
    beside = [s for s in slots if s.required and s not in (*random, *widths, *kernel)]
    told = [s for s in widths if roles[s.name] in ("in", "out")]
    if len(told) == 2 and {roles[s.name] for s in told} == {"in", "out"} and len(widths) > 2:
        beside, widths = [*beside, *(s for s in widths if s not in told)], told
    if len(widths) != 2:
        return None
    if beside:
        raise refusals.layer_needs(name, [s.name for s in beside])
    for kinds in _kinds(random, cls):
        found = _followed(cls, dict(args), widths, kernel, kinds)
        if found:
            break
    else:
        if len(told) == 2 and not kernel and parameter is None:
            _refuse_hidden(cls, name, dict(args), widths, _kinds(random, cls)[0])
        return None
    chosen = found if parameter is None else {place: axes for place, axes in found.items() if place == parameter}
    if len(chosen) != 1:
        if not chosen:
            return None
        options = " or ".join(f"parameter={place!r}" for place in chosen)
        raise Needs(
            f"{name} holds several arrays; say which one is checked: {options}.",
            f"{name}(parameter={next(iter(chosen))!r})",
        )
    [(place, order)] = chosen.items()
    first, second = ("in", "out") if len(told) == 2 else ("rows", "cols")
    if len(told) == 2:
        sides = {s.name: roles[s.name] for s in widths}
    else:
        # Without names the argument that the first axis follows is the rows, whatever it is called.
        sides = {widths[i].name: side for i, side in zip(order, (first, second), strict=True)}
    given = [replace(s, role=sides[s.name], keyword=True) for s in widths]
    given += [replace(s, role="kernel", keyword=True) for s in kernel]
    framework = next((f for f in used_by(cls) if f != "numpy"), "numpy")
    readings = tuple(
        Reading((*given, *(replace(s, keyword=True) for s in drawn)), framework, name) for drawn in [kinds]
    )
    return Held(readings, place)


def _refuse_hidden(cls: type, name: str, args: dict[str, Any], widths: list[Slot], random: list[Slot]) -> None:
    """Refuse a class that keeps matrices of one of its widths and of a width between them, as a network does.

    Raises:
        UsageError: it keeps some; the sentence lists them.
    """
    given = {
        **{s.name: n for s, n in zip(widths, _PROBES[0], strict=True)},
        **{s.name: random_value(s.role)(1) for s in random},
    }
    try:
        with contained(), isolated(1):
            built = cls(**args, **given)
            shapes = {place: arrays.shape_of(arrays.pick(built, place)) or () for place in arrays.places_of(built)}
    except InitializerRaised:
        return
    matrices = {place: s for place, s in shapes.items() if len(s) > 1 and 1 not in s and set(s) & set(_PROBES[0])}
    if len(matrices) < 2:
        return
    (first, second), listed = (s.name for s in widths), ", ".join(f"{place} {s}" for place, s in matrices.items())
    raise UsageError(
        f"{name} keeps no array of both {first!r} and {second!r}: for {_PROBES[0][0]} and {_PROBES[0][1]} it keeps"
        f" {listed}. Pass a function (fan_in, fan_out) that builds one of those widths and returns the array meant,"
        f" such as lambda fan_in, fan_out: {cls.__name__}(...).{next(iter(matrices))}."
    )


def _with_default_widths(cls: type, slots: list[Slot]) -> list[Slot]:
    """The widths that a class has defaults for: of one that is built without arguments, its two whole numbers."""
    required = [s for s in slots if s.required and s.role not in RANDOM_ROLES]
    if required:
        # One width is required and the other may be left for the first call: `in_size=None`.
        other = {"in": "out", "out": "in"}.get(_role(required[0])) if len(required) == 1 else None
        left = [s for s in slots if not s.required and other is not None and _role(s) == other]
        return [replace(s, required=True) if left == [s] else s for s in slots]
    defaults = {p.name: p.default for p in inspect.signature(cls).parameters.values()}
    whole = [s for s in slots if s.role not in RANDOM_ROLES and type(defaults.get(s.name)) is int]
    named = [s for s in whole if _role(s) in ("in", "out")]
    widths = whole if len(whole) == 2 else named
    if len(widths) != 2:
        return slots
    return [replace(s, required=True) if s in widths else s for s in slots]


def _role(slot: Slot) -> str:
    by_name = ROLE_IN_LAYERS.get(slot.name) or ROLE_IN_LAYERS.get(slot.name.lower()) or width_by_words(slot.name)
    return by_name if by_name in ("in", "out", "kernel") else slot.role


def _kinds(random: list[Slot], cls: type) -> list[list[Slot]]:
    used = used_by(cls)
    if not random:
        return [[]]
    each = [random_kinds(s, used, guessed=False) for s in random]
    most = max(map(len, each))
    return [
        [replace(s, role=kinds[min(n, len(kinds) - 1)]) for s, kinds in zip(random, each, strict=True)]
        for n in range(most)
    ]


def _followed(
    cls: Callable[..., Any], args: dict[str, Any], widths: list[Slot], kernel: list[Slot], random: list[Slot]
) -> dict[str, tuple[int, ...]]:
    """The arrays both of whose widths follow the two arguments, each with the order in which they do."""
    seen: list[dict[str, Any]] = []
    for probe in _PROBES:
        given: dict[str, Any] = {s.name: n for s, n in zip(widths, probe, strict=True)}
        given.update({s.name: _KERNEL for s in kernel})
        given.update({s.name: random_value(s.role)(1) for s in random})
        try:
            with contained(), isolated(1):
                built = cls(**args, **given)
                seen.append({place: arrays.pick(built, place) for place in arrays.places_of(built)})
        except InitializerRaised:
            return {}
    found: dict[str, tuple[int, ...]] = {}
    for place, first in seen[0].items():
        second = seen[1].get(place)
        if second is None or not _has_weights(first):
            continue
        orders = [_order(arrays.shape_of(a) or (), probe) for a, probe in zip((first, second), _PROBES, strict=True)]
        if orders[0] is not None and orders[0] == orders[1]:
            found[place] = orders[0]
    return found


def _order(shape: tuple[int, ...], probe: tuple[int, int]) -> tuple[int, ...] | None:
    """Which argument each of the two widths of a shape is; None where its axes do not follow both."""
    following = [probe.index(n) for n in shape if n in probe]
    return tuple(following) if sorted(following) == [0, 1] else None


def _has_weights(value: Any) -> bool:
    """Not all of it zero, as what is kept for gradients is."""
    try:
        return bool(np.any(np.asarray(arrays.to_numpy(value), dtype=np.float64)))
    except (TypeError, ValueError):
        return False
