"""The ways to read a signature: what is named is taken at its word, what is nameless is guessed."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from initcheck.adapters.signatures.frameworks import asks, defines_function, draws_from, used_by
from initcheck.adapters.signatures.names import (
    HIDDEN,
    HIDDEN_WIDTHS,
    LABELS,
    ROLE_IN_LAYERS,
    ROLE_OF_NAME,
    SIDES_OR_WIDTHS,
    SIZES,
    WORDS_OF_WIDTHS,
)
from initcheck.adapters.signatures.signature import RANDOM_ROLES, SHAPE_ROLES, Slot, describe, role_of, slots_of
from initcheck.errors import UnreadableTarget, UsageError

_OPEN = ("nameless", "unknown")
_PATTERNS = {
    1: ("shape", "tensor", "module", "dims", "side"),
    2: ("shape rng", "rng shape", "rows cols", "in out", "tensor rng", "shape dtype"),
    3: (
        "shape rng dtype", "rng shape dtype", "shape dtype rng", "rows cols rng", "in out rng",
        "rng rows cols", "rng in out", "rows cols dtype",
    ),
}  # fmt: skip
_WHOLE = ("shape", "widths", "tensor", "tensors", "module")
_COUNTS = re.compile(r"(n|num|nb|number|count)_")
_WIDTHS = WORDS_OF_WIDTHS - {"d", "dims", "f", "size", "sz"}
_LISTS_OF_MODULES = ("layers", "modules", "submodules", "children")
# What may stand behind a random parameter whose name does not say which kind it is, likeliest first.
_KINDS = ("rng", "random_state", "torch_generator", "key", "python_random", "seed")


class Needs(UnreadableTarget):
    """The callable needs arguments that only its user knows; ``call`` is what to write instead."""

    def __init__(self, message: str, call: str) -> None:
        super().__init__(message)
        self.call = call


@dataclass(frozen=True)
class Reading:
    """One way of calling: what each parameter is for, and whose tensors and dtypes to pass.

    Attributes:
        slots: the parameters that are passed something, in order.
        framework: whose tensors, shapes and dtypes they are passed.
        meaning: the reading apart from kinds of generator; two meanings that both work are an ambiguity.
        layer: what comes back is a layer, or the parameters of one.
    """

    slots: tuple[Slot, ...]
    framework: str
    meaning: str
    layer: bool = False

    def __str__(self) -> str:
        return describe(self.slots)


def called_with(name: str, *more: str) -> str:
    """What to write in place of a target, to give these arguments beside those that it gives already.

    >>> called_with("nets:init", "gain=..."), called_with("nets:init(mode='fan_in')", "gain=...")
    ('nets:init(gain=...)', "nets:init(mode='fan_in', gain=...)")
    """
    called, _, given = name.partition("(")
    return f"{called}({', '.join([g for g in (given.removesuffix(')'),) if g] + list(more))})"


def needs(name: str, slots: Iterable[Slot], told: Sequence[Slot] = ()) -> Needs:
    """The refusal that names the arguments to give and writes the call.

    Args:
        name: of the callable.
        slots: the arguments to give.
        told: all that must be passed, where one whose name says nothing may be a generator.
    """
    wanted = tuple(slots)
    missing = tuple(slot.name for slot in wanted)
    call = called_with(name, *(f"{m}=..." for m in missing))
    several = "s" if len(missing) > 1 else ""
    listed = " and ".join(repr(m) for m in missing)
    how = ""
    if missing == ("layers",):
        how = ", say that it lists the widths: signature='(widths)'"
    elif [s.role for s in wanted] == ["unknown"] and wanted[0] in told:
        as_generator = describe([replace(s, role="rng") if s is wanted[0] else s for s in told])
        how = f", say that it is a generator: signature='{as_generator}'"
    return Needs(
        f"{name} needs the argument{several} {listed}, which only its user knows; write {call}"
        f" or args={{...}}{how}, or pass a function, such as def init(shape, rng), that calls it and returns the"
        " weights.",
        call,
    )


def readings_of(function: Callable[..., Any], name: str, fixed: Iterable[str] = ()) -> tuple[list[Reading], bool]:
    """Every reading of a callable, likeliest first, and whether the names alone decide between them.

    No reading at all means that nothing in it takes a shape: it may be a factory.

    Raises:
        Needs: a required argument is a number that only its user knows.
        UsageError: the callable does not tell its parameters.
    """
    passed = set(fixed)
    told = slots_of(function)
    slots = [s for s in told if s.name not in passed]
    used = used_by(function)
    if "jax" in used and "torch" not in used:
        slots = [replace(s, role="unknown") if s.role == "module" else s for s in slots]
    if "torch" in used and "weight" in getattr(getattr(function, "__code__", None), "co_names", ()):
        # A list of modules whose weights the code asks for: a Sequential is one.
        slots = [replace(s, role="module") if s.required and s.name in _LISTS_OF_MODULES else s for s in slots]
    slots = _one_of_each_width(slots)
    guessed_width, beside_width = False, None
    required = [s for s in slots if s.required]
    shaped = [s for s in required if s.role in SHAPE_ROLES]
    widths = {s.role for s in shaped} & {"in", "out", "rows", "cols"}
    whole = [s for s in shaped if s.role in _WHOLE]
    if whole:
        slots = _labelled(slots, whole)
        slots = [replace(s, role="fan_" + s.role) if s.required and s.role in ("in", "out") else s for s in slots]
        if len(whole) > 1:
            slots = _one_whole(slots, whole)
    elif len(widths) == 1 and not any(s.role in ("in", "out") and not s.required for s in slots):
        known, width = slots, widths.pop()
        if width in ("in", "out") and sum(s.role in _OPEN for s in required) == 2:
            beside_width = "out" if width == "in" else "in"
        else:
            slots = _second_width(slots, width)
        guessed_width = any(s.role in ("in", "out") and s not in known for s in slots)
    elif not shaped and [s.name.strip("_") in ("value", "val") for s in required] == [True]:
        slots = [replace(s, role="unknown") if s.required else s for s in slots]
    slots = _first_of_two_layers(slots)
    required = [s for s in slots if s.required]
    spread = not shaped and any(s.variadic and ROLE_OF_NAME.get(s.name.lower()) == "shape" for s in slots)
    has_shape = spread or (beside_width is None and any(s.role in SHAPE_ROLES for s in required))
    hyper = [s for s in required if s.role == "hyperparameter" or (s.role == "unknown" and has_shape)]
    chosen = _chosen(slots, has_shape, [s.name for s in told], spread=spread)
    open_slots = [s for s in chosen if s.role in _OPEN]
    if hyper:
        if not has_shape and defines_function(function):  # a factory: what it asks for describes no shape
            hyper = [s for s in required if s.role not in (*RANDOM_ROLES, "dtype", "dtype_name")]
        raise needs(name, hyper, required if draws_from(function, hyper[0].name) else ())
    if not has_shape and not open_slots and not any(s.role in SHAPE_ROLES for s in chosen):
        return [], True
    if len(open_slots) > 3:
        raise needs(name, open_slots)
    found = []
    has_shape = any(s.role in SHAPE_ROLES for s in chosen)
    for roles in _assignments(open_slots, used, has_shape=has_shape, width=beside_width):
        filled = iter(roles)
        read = [replace(s, role=next(filled)) if s.role in _OPEN else s for s in chosen]
        found += _by_kind(read, open_slots, used)
        if not open_slots:
            for other in _contradicted(read, used):
                found += _by_kind(other, open_slots, used)
        if [s.role for s in read if s.role in ("rows", "cols")] == ["rows", "cols"] and not open_slots:
            # `f(m, n)` that returns (n, m) takes inputs first and stores outputs first.
            widths_too = {"rows": "in", "cols": "out"}
            found += _by_kind([replace(s, role=widths_too.get(s.role, s.role)) for s in read], open_slots, used)
    if not found and any(s.role not in RANDOM_ROLES for s in required):
        names = ", ".join(s.name for s in told)
        drawn = [s for s in required if asks(function, s.name)]
        sides = ("shape",) if len(required) == 2 else ("in", "out")
        how = "(in, out, ...)"
        if len(drawn) == 1 and len(required) == len(sides) + 1:
            # What the code asks for an attribute is no number: a generator, most likely.
            left = iter(sides)
            how = describe([replace(s, role="rng" if s in drawn else next(left)) for s in required])
        raise UsageError(
            f"{name} has the parameters ({names}), and none of these names says how a shape is asked for;"
            f" give what is no width a value, such as {called_with(name, f'{told[0].name}=...')}, or say how to call"
            f" it, one role a parameter: signature={how!r}."
        )
    return found, not open_slots and not guessed_width


def _contradicted(read: list[Slot], used: tuple[str, ...]) -> list[list[Slot]]:
    """What else a parameter may be whose name is contradicted by a failing call: ``m`` is a matrix, too."""
    others = {
        "widths": ("shape",),
        "module": ("tensor",),
        "tensor": ("module", "shape") if "torch" in used or not used else ("shape",),
    }
    found = [(slot, role) for slot in read for role in others.get(slot.role, ())]
    # Several numbers may be the sides of a matrix or, in one list, the widths of a network's layers.
    found += [(s, "side") for s in read if s.role == "shape" and s.name in SIZES]
    found += [(s, "widths") for s in read if s.role == "shape" and s.name in SIDES_OR_WIDTHS]
    return [[replace(s, role=role) if s is slot else s for s in read] for slot, role in found]


def _second_width(slots: list[Slot], role: str) -> list[Slot]:
    """Beside one named width, the only other parameter is the other; a width alone may mean anything."""
    others = [s for s in slots if s.required and s.role in _OPEN]
    if len(others) == 1 and role in ("in", "out"):
        other = "out" if role == "in" else "in"
        return [replace(s, role=other) if s is others[0] else s for s in slots]
    return [replace(s, role="unknown") if s.required and s.role == role else s for s in slots]


def _one_of_each_width(slots: list[Slot]) -> list[Slot]:
    """Of several widths of one side, those that are no usual name of it are numbers that only the user knows."""
    sides = [s.role for s in slots if s.required and s.role in ("in", "out")]
    several = {role for role in sides if sides.count(role) > 1}
    unusual = [s for s in slots if s.required and s.role in several and ROLE_OF_NAME.get(s.name.lower()) != s.role]
    return [replace(s, role="unknown") if s in unusual else s for s in slots]


def _first_of_two_layers(slots: list[Slot]) -> list[Slot]:
    """Of ``(n_x, n_h, n_y)``, which makes two matrices, the first is asked for; the width behind it is one number.

    The widths between may be a list: it is given one.
    """
    required = [s for s in slots if s.required and s.role not in (*RANDOM_ROLES, "dtype", "dtype_name", "rate")]
    between = {
        s.name: role
        for s in required
        for role, names in (("out", HIDDEN), ("hidden_widths", HIDDEN_WIDTHS))
        if s.role in ("unknown", "hyperparameter", "widths") and names.fullmatch(s.name.lower())
    }
    if len(between) != 1 or sorted(s.role for s in required if s.name not in between) != ["in", "out"]:
        return slots
    roles = {s.name: "next" for s in required if s.role == "out"} | between
    return [replace(s, role=roles.get(s.name, s.role)) for s in slots]


def _labelled(slots: list[Slot], whole: list[Slot]) -> list[Slot]:
    """Beside a tensor, a name is that of the parameter, by which code tells weights from biases."""
    if any(s.role != "tensor" for s in whole):
        return slots
    return [replace(s, role="label") if s.required and s.name in LABELS else s for s in slots]


def _one_whole(slots: list[Slot], whole: list[Slot]) -> list[Slot]:
    """Of several parameters that could be the shape the surest is, by name first; the rest only the user knows."""
    keep = min(whole, key=lambda s: (role_of(s.name) != s.role, _WHOLE.index(s.role)))
    return [replace(s, role="unknown") if s in whole and s is not keep else s for s in slots]


def _chosen(slots: list[Slot], has_shape: bool, order: list[str], *, spread: bool) -> list[Slot]:
    """The slots that are passed something: what is required, what is random, a shape even if optional.

    ``spread``: the shape is ``*shape``, whatever stands before it.
    """
    has_width = any(s.required and s.role in ("in", "rows") for s in slots)
    chosen = []
    random_names = {s.name for s in slots if s.role in RANDOM_ROLES}
    optional_shape = not has_shape and not any(s.required and s.role in _OPEN for s in slots)
    for slot in slots:
        wanted = slot.required
        wanted |= slot.role in RANDOM_ROLES and not slot.variadic
        wanted |= slot.role in ("dtype", "dtype_name")
        wanted |= has_width and slot.role in ("out", "cols")
        if optional_shape and not wanted and slot.role in ("shape", "dims", "widths", "in", "out", "rows", "cols"):
            wanted = True
        if slot.variadic:
            wanted = spread or (not has_shape and not any(s.required and s.role in _OPEN for s in slots))
        if wanted:
            chosen.append(slot)
    # Behind an optional parameter that is left out, the next ones must be passed by name.
    left_out = False
    named = []
    by_name = {s.name: s for s in chosen}
    variadic = {s.name for s in slots if s.variadic}
    for name in order:
        if name not in by_name:
            left_out |= name not in variadic
        else:
            slot = by_name[name]
            named.append(replace(slot, keyword=True) if left_out and not slot.variadic else slot)
    seeds = [s for s in named if s.role == "seed" and not s.required]
    # A seed beside a generator is the other way of saying the same; the generator is enough.
    return [s for s in named if not (s in seeds and len(random_names) > 1)]


def _assignments(
    open_slots: list[Slot], used: tuple[str, ...], *, has_shape: bool, width: str | None
) -> list[tuple[str, ...]]:
    """What the parameters that no name tells may be; ``width``: one of two is that width, the other stands beside."""
    if not open_slots:
        return [()]
    if width is not None:
        pairs = [pair for beside in ("square_kernel", "rng", "dtype") for pair in ((beside, width), (width, beside))]
        return [p for p in pairs if all(_may(s, role, used) for s, role in zip(open_slots, p, strict=True))]
    if has_shape:
        return [("rng",) * len(open_slots)] if len(open_slots) == 1 else []
    if len(open_slots) == 1 and open_slots[0].variadic:
        return [("dims",)]
    patterns = [tuple(pattern.split()) for pattern in _PATTERNS[len(open_slots)]]
    return [p for p in patterns if all(_may(s, role, used) for s, role in zip(open_slots, p, strict=True))]


def _may(slot: Slot, role: str, used: tuple[str, ...]) -> bool:
    name = slot.name.strip("_").lower()
    if role in _WHOLE and _COUNTS.match(name):
        return False  # num_weights counts something; it is no shape
    if role in ("shape", "widths") and (name in ROLE_IN_LAYERS or name.rpartition("_")[2] in _WIDTHS):
        return False  # hidden_size and state_dim are one width; but out and target may be tensors to fill
    if role == "module":
        return "torch" in used
    if slot.variadic or role == "dims":
        return slot.variadic and role == "dims"
    return slot.role == "nameless" or role not in ("rng", "dtype")


def _by_kind(read: list[Slot], open_slots: list[Slot], used: tuple[str, ...]) -> list[Reading]:
    """One reading per kind of generator and of tensor that fits, likeliest first."""
    opened = {s.name for s in open_slots}
    choices = []
    for slot in read:
        if slot.role in RANDOM_ROLES:
            choices.append([replace(slot, role=kind) for kind in random_kinds(slot, used, guessed=slot.name in opened)])
        else:
            choices.append([slot])
    framework = next((f for f in used if f != "numpy"), "numpy")
    written = any(s.role in ("tensor", "tensors") for s in read)
    tensors = [framework] if not written or framework == "torch" else ["numpy"]
    if written and framework != "torch" and "torch" in sys.modules:
        tensors.append("torch")
    if any(s.role == "module" for s in read):
        tensors = ["torch"]
    meaning = describe([replace(s, role="rng") if s.role in RANDOM_ROLES else s for s in read])
    return [
        Reading(slots=slots, framework=tensor, meaning=meaning)
        for tensor in tensors
        for slots in itertools.islice(itertools.product(*choices), 12)
    ]


def explicit_readings(slots: Sequence[Slot], function: Callable[..., Any]) -> list[Reading]:
    """The readings of a signature that the user wrote: ``rng`` is a generator of whichever library the code takes."""
    drawn = [s for s in slots if s.role == "rng"]
    told = [s if s in drawn else replace(s, told=True) for s in slots]
    return _by_kind(told, drawn, used_by(function))


def random_kinds(slot: Slot, used: tuple[str, ...], *, guessed: bool) -> list[str]:
    """The kinds of randomness a slot may want, likeliest first: a bare ``rng`` is a key where JAX is used."""
    if slot.role == "rngs" or (slot.told and not guessed):
        return [slot.role]
    first = slot.role
    if slot.role == "rng" and not slot.name.startswith("np"):
        first = "key" if {"jax", "flax"} & set(used) else "torch_generator" if "torch" in used else "rng"
    kinds = [first, *(k for k in _KINDS if k != first)]
    if slot.role == "seed":
        kinds = ["seed", "rng"]
    if guessed:
        kinds = [k for k in kinds if k != "seed"]
    taken = {*sys.modules, *used}
    loaded = {"torch_generator": "torch" in taken, "key": "jax" in taken}
    return [k for k in kinds if loaded.get(k, True)] or [first]
