"""The sentences that refuse an initializer after its trial calls, each with what to do next."""

from __future__ import annotations

import functools
import inspect
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from initcheck.adapters.frameworks.arrays import dtype_name, is_array, parts_of, pick, shape_of
from initcheck.adapters.signatures.readings import Needs, Reading, called_with
from initcheck.adapters.signatures.signature import describe, role_of
from initcheck.errors import UsageError

_MOST = 5
# What code says that makes the two parts of complex numbers.
_OF_PARTS = re.compile(r"imag|complex|view_as_real|cfloat|quadrature")
# As torch says it.
_OF_A_VECTOR = "can not be computed for tensor with fewer than 2 dimensions"
# Methods of generators of NumPy and of Python: who asks a parameter for one of them takes a generator.
_DRAWS = {"normal", "standard_normal", "uniform", "random", "gauss", "randn", "rand", "choice", "integers", "randint"}
_EXAMPLES = {1: ("(shape)",), 2: ("(shape, rng)", "(in, out)"), 3: ("(in, out, rng)", "(kernel, in, out)")}


class ToldTrial(Protocol):
    """What is told of a trial call: how it was made and what was wrong with it."""

    @property
    def reading(self) -> Reading:
        """The way of calling."""

    @property
    def problem(self) -> str:
        """What it did, to be read after "it"."""

    @property
    def result(self) -> Any:
        """What it returned; None where it raised."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape asked for."""


def is_complex(value: Any) -> bool:
    """Whether it is an array of complex numbers.

    >>> import numpy as np
    >>> is_complex(np.ones(3) * 1j), is_complex(np.ones(3))
    (True, False)
    """
    return is_array(value) and dtype_name(value).startswith("complex")


class ComplexWeights(Needs):
    """The weights are complex; their parts are checked apart, as ``parameter=`` of each of ``parts`` names them.

    The claims are about real weights. A unit with complex weights passes on E |y|^2 = fan_in E |w|^2, half of it in
    each part: so a part is multiplied by sqrt(2), and held to what the whole is held to.
    """

    parts = ("real", "imag")


def of_members(name: str, members: Sequence[str]) -> UsageError:
    """The refusal of an enumeration, whose members are what is called."""
    if not members:
        return UsageError(f"{name} is an enumeration without members; pass a function, such as def init(shape, rng).")
    ways = " or ".join(f"{name}.{member}" for member in members[:_MOST])
    return Needs(f"{name} is an enumeration; name one of its members: {ways}.", f"{name}.{members[0]}")


def refuse_coroutine(function: Callable[..., Any], name: str) -> None:
    """Refuse what would only begin to run when it is awaited; it is not called, as nobody would await it.

    Raises:
        UsageError: it is one.
    """
    asked = inspect.unwrap(function.func if isinstance(function, functools.partial) else function)
    if inspect.iscoroutinefunction(asked) or inspect.isasyncgenfunction(asked):
        raise UsageError(
            f"{name} cannot be read. It is a coroutine (async def): pass a plain function, which returns the weights at"
            " once."
        )


def refuse_complex(name: str, returned: Sequence[Any]) -> None:
    """Refuse complex weights as they are.

    Raises:
        ComplexWeights: one of what was returned is complex; the sentence says how to have its parts checked.
    """
    found = next((value for value in returned if is_complex(value)), None)
    if found is not None:
        first, second = (called_with(name, f"parameter={part!r}") for part in ComplexWeights.parts)
        raise ComplexWeights(
            f"{name} returns complex numbers ({dtype_name(found)}), and the claims are about real weights; its"
            f" parts are checked apart, each times sqrt(2): {first} and {second}.",
            first,
        )


def refuse_parts(name: str, function: Callable[..., Any], tried: Sequence[ToldTrial]) -> None:
    """Refuse complex weights whose two parts come as two arrays, or along a last axis of two.

    Raises:
        ComplexWeights: so the result looks, and the code of the function says that it is meant.
    """
    if not any(_in_parts(trial.result, trial.shape) for trial in tried) or not _OF_PARTS.search(_text_of(function)):
        return
    first, second = (called_with(name, f"parameter={part!r}") for part in ComplexWeights.parts)
    raise ComplexWeights(
        f"{name} returns real and imaginary parts, and the claims are about real weights; its parts are checked apart,"
        f" each times sqrt(2): {first} and {second}.",
        first,
    )


def _in_parts(result: Any, shape: Sequence[int]) -> bool:
    return parts_of(result) is not None and shape_of(pick(result, "real")) == tuple(shape)


def _text_of(function: Callable[..., Any]) -> str:
    """The names and texts in the code of a function; of what has none nothing.

    What its docstring calls complex may be a network; what it calls imaginary is a part.
    """
    code = getattr(inspect.unwrap(getattr(function, "func", function)), "__code__", None)
    if code is None:
        return ""
    told = getattr(function, "__doc__", None)
    texts = [re.sub("complex", "", text, flags=re.I) if text == told else text for text in map(str, code.co_consts)]
    said = [*code.co_names, *code.co_varnames, *texts, getattr(function, "__name__", "")]
    return " ".join(said).lower()


def refuse_other_sides(name: str, parameter: str, trial: ToldTrial) -> None:
    """Refuse one array of several that never has the shape asked for, such as the first layer of a whole network.

    Raises:
        UsageError: always.
    """
    raise UsageError(
        f"{name} {trial.problem}, called as {trial.reading}: the array that parameter={parameter!r} names does not"
        " have the widths asked for; name another, or pass a function (fan_in, fan_out) that returns this one."
    )


def of_a_told_side(name: str, told: str, trial: ToldTrial) -> UsageError:
    """The refusal of what returns a side that it was told, heads perhaps, of which no name says what it is of."""
    return UsageError(
        f"{name} {trial.problem}, called as {trial.reading}: {told} makes a side of what it returns, and whether that"
        " is of the inputs, of the units or of neither is not said. Pass a function (fan_in, fan_out) that calls it and"
        " returns the matrix of both, such as def init(fan_in, fan_out, rng), reshaped."
    )


def layer_needs(name: str, missing: Sequence[str], *, model: bool = False) -> Needs:
    """The refusal of a layer class whose constructor needs more than its widths; it may be a whole ``model``."""
    call, listed = _call(name, missing), " and ".join(repr(m) for m in missing)
    several = "s" if len(missing) > 1 else ""
    return Needs(
        f"{name} needs the argument{several} {listed}, which only its user knows; write {call}, or pass a function"
        " (fan_in, fan_out) that builds it." + (f" {whole_model(name, missing)}" if model else ""),
        call,
    )


def whole_model(name: str, missing: Sequence[str] = ()) -> str:
    """Where a whole model is checked, for who names one as a layer.

    >>> whole_model("nets:GPT")
    'A whole model is checked by: initcheck model nets:GPT, or check_model(lambda: GPT(...)).'
    """
    command = shlex.join(["initcheck", "model", _call(name, missing) if missing else name])
    built = name.partition("(")[0].rpartition(":")[2].rpartition(".")[2]
    return f"A whole model is checked by: {command}, or check_model(lambda: {built}(...))."


def listing(name: str, tried: Sequence[ToldTrial]) -> str:
    """What was tried, each way of calling once, and what to do about it."""
    by_meaning: dict[str, ToldTrial] = {}
    for trial in tried:
        by_meaning.setdefault(trial.reading.meaning, trial)
    told = "; ".join(f"as {t.reading} it {_short(t.problem)}" for t in list(by_meaning.values())[:_MOST])
    return f"{name} cannot be read: {told or 'no way of calling it fits its names'}. {_advice(name, tried)}"


def _advice(name: str, tried: Sequence[ToldTrial]) -> str:
    slots = [slot for slot in tried[0].reading.slots if not slot.keyword] if tried else []
    if any(_OF_A_VECTOR in trial.problem for trial in tried):
        return (
            "It fills a vector, a bias perhaps, as if it were a matrix: leave out what has one axis, if p.dim() > 1,"
            " and fill biases with zeros."
        )
    # Handed a tensor, what picks from it returns a row: that is no vector of its own.
    sized = [t for t in tried if all(slot.role != "tensor" for slot in t.reading.slots)]
    if any(re.match(r"returns shape \(\d+,\) ", trial.problem) for trial in sized):
        return (
            "It returns a vector, as of biases or gains, and the claims are about matrices and kernels: leave it out,"
            " or pass a function of the shape that returns the matrix it is meant for."
        )
    in_place = slots and slots[0].role == "tensor" == role_of(slots[0].name) and tried[0].reading.framework == "torch"
    if in_place and tried[0].problem.startswith("leaves what it is given unwritten"):
        return (
            f"What it draws goes into a tensor of its own: fill the one that is given, {slots[0].name}.normal_(...) or"
            f" {slots[0].name}.copy_(...) under torch.no_grad(), or return the one that it drew. If it fills another"
            " kind, pass a function (fan_in, fan_out) that builds one, fills it and returns it."
        )
    modules = [trial for trial in tried if any(slot.role == "module" for slot in trial.reading.slots)]
    if modules and all(trial.problem.startswith("leaves what it is given unwritten") for trial in modules):
        return (
            "What it draws may go into a copy, as that of clone() is: fill module.weight itself. If it is for a module"
            " of another kind, pass a function (fan_in, fan_out) that builds one, initializes it and returns its"
            " weight."
        )
    if modules and re.match(r"raises (?!AttributeError|AssertionError)\w+: .*\w:\d+: ", modules[0].problem):
        return (
            "Mend what raises there; or, if it is for a module of another kind, pass a function (fan_in, fan_out) that"
            " builds one, initializes it and returns its weight."
        )
    if modules:
        return (
            "It may want a module of another kind: pass a function (fan_in, fan_out) that builds one, initializes it"
            " and returns its weight."
        )
    if tried and all(trial.problem.endswith("where an array is expected") for trial in tried):
        return "Pass a function that returns an array."
    known = bool(slots) and all(role_of(slot.name) not in ("unknown", "nameless") for slot in slots)
    if known and " object has no attribute " not in tried[0].problem and re.search(r"\w:\d+: ", tried[0].problem):
        mend = "It is called as its names say: mend what raises there"
        if re.match(r"raises (NameError|UnboundLocalError|ImportError|ModuleNotFoundError): ", tried[0].problem):
            return f"{mend}."
        # What is raised on purpose may say that it is not to be called by itself.
        return f"{mend}, or pass a function, such as def init(shape, rng), that calls it where it can be called."
    if any(" object has no attribute " in trial.problem for trial in tried):
        generator = _as_generator(tried)
        told = f" Where that is a generator, say so: signature={generator!r}." if generator else ""
        return (
            "It takes an object of another kind: pass a function of the shape that makes one, returning its weights."
            + told
        )
    unknown = [slot.name for slot in slots if role_of(slot.name) == "unknown"]
    untold = unknown or any(role_of(slot.name) == "nameless" for slot in slots)
    # What was tried in vain is no advice, and where every name tells its role no other way of calling is.
    signatures = [s for s in _EXAMPLES.get(len(slots), ()) if untold and s not in {str(t.reading) for t in tried}]
    ways = ["say how to call it, signature=" + " or ".join(map(repr, signatures))] if signatures else []
    if unknown and len(slots) > len(unknown):
        listed = " and ".join(repr(u) for u in unknown)
        ways.append(f"give {listed} a value: {_call(name, unknown)}")
    ways.append("pass a function of the shape that calls it and returns the weights, such as def init(shape, rng)")
    said = ", or ".join(ways) + "."
    return said[0].upper() + said[1:]


def _as_generator(tried: Sequence[ToldTrial]) -> str | None:
    """How to say that the parameter is a generator of which a method of generators was asked in vain."""
    slots = tried[0].reading.slots
    unknown = [slot for slot in slots if role_of(slot.name) in ("unknown", "nameless")]
    asked = {word for trial in tried for word in re.findall(r"'(\w+)'", trial.problem)}
    if len(unknown) != 2 or not asked & _DRAWS:
        return None
    last = unknown[-1]
    roles = {unknown[0].name: "shape", last.name: "rng"}
    return describe([replace(slot, role=roles.get(slot.name, slot.role)) for slot in slots])


def _call(name: str, missing: Sequence[str]) -> str:
    return called_with(name, *(f"{m}=..." for m in missing))


def _short(problem: str) -> str:
    problem = problem.rstrip(".")
    return problem if len(problem) <= 240 else problem[:237].rpartition(" ")[0] + " ..."
