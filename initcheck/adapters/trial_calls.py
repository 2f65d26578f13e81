"""Trial calls: which reading of a signature works, and whether two that work disagree."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from initcheck.adapters import refusals
from initcheck.adapters.code.reach import keeps_between_calls
from initcheck.adapters.frameworks import arrays
from initcheck.adapters.frameworks.jax_init import JaxSampler
from initcheck.adapters.frameworks.layer_weight import is_layer, matrices_of, weight_of
from initcheck.adapters.frameworks.sampler import CallableSampler
from initcheck.adapters.frameworks.torch_module import ModuleSampler
from initcheck.adapters.packed_widths import PackedSampler, Packing, packing_of, told_side
from initcheck.adapters.signatures.arguments import Unfit
from initcheck.adapters.signatures.frameworks import defines_function, framework_of_result
from initcheck.adapters.signatures.names import SIDES_OR_WIDTHS
from initcheck.adapters.signatures.readings import Needs, Reading, called_with, needs
from initcheck.adapters.signatures.signature import KERNEL_ROLES, Slot, role_of
from initcheck.contract.initializer import Sampler, Shape
from initcheck.errors import AmbiguousInitializer, UsageError
from initcheck.sandbox.containment import InitializerRaised, contained, raised_at
from initcheck.wording import listed

TRIED: Shape = (5, 7)
"""The shape of the first trial call; what compiles has its own call compiled there."""
_SECOND = (4, 3)
# Tried where a matrix is refused: convolutions, squares, vectors.
_OTHERS: tuple[Shape, ...] = (
    (5, 7, 3, 2), (3, 2, 5, 7), (5, 7, 3), (3, 5, 7), (6, 6), (5, 7, 3, 3), (3, 3, 5, 7), (8, 8, 3, 3), (6,),
    (5, 7, 3, 2, 2), (3, 2, 2, 5, 7),
)  # fmt: skip
_SQUARES = ((6, 6), (8, 8, 3, 3))
# Widths that differ, and two shapes of equal widths.
_EQUAL_WIDTHS: tuple[tuple[Shape, Shape, Shape], ...] = (
    ((5, 7), (6, 6), (4, 4)), ((5, 7, 3, 3), (8, 8, 3, 3), (4, 4, 5, 5)),
)  # fmt: skip
_LAYOUTS: dict[int, tuple[str | None, ...]] = {
    2: ("in_out", "out_in"),
    3: ("wio", "oiw", "iow", "woi"),
    4: ("hwio", "oihw", "iohw", "hwoi"),
    5: ("dhwio", "oidhw", "iodhw", "dhwoi"),
}
_MOST = 40
_FEW = 8  # of several results named in a sentence
_UNWRITTEN = "leaves what it is given unwritten"
_UNCALLED = "cannot be called"


@dataclass
class Chosen:
    """The reading that works, as a sampler, and what its trial calls showed.

    Attributes:
        sampler: calls the function that way.
        reading: the way.
        works: a trial call gave an array of the shape asked for.
        layout: the meaning of the axes, where widths were passed one by one.
        result: of the first trial call that worked.
        shape: that was asked for.
        notes: what the reader must know of the choice.
        problem: what a trial call did in place of that, to be read after "it".
        squares: it needs as many outputs as inputs.
        several: the arrays that came back, of which the user must say which is meant.
        packing: how several matrices lie side by side in what it makes, as the gates of an LSTM.
    """

    sampler: CallableSampler
    reading: Reading
    works: bool = True
    layout: str | None = None
    result: Any = None
    shape: Shape = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    squares: bool = False
    several: list[str] = field(default_factory=list)
    packing: Packing | None = None

    @property
    def judged(self) -> Sampler:
        """The sampler whose weights are judged: of matrices side by side it gives one."""
        return self.sampler if self.packing is None else PackedSampler(self.sampler, self.packing)


def sampler_of(
    function: Any,
    reading: Reading,
    fixed: Mapping[str, Any],
    parameter: str | None,
    makers: Mapping[str, Callable[[int], Any]] | None = None,
    shared: bool = True,
) -> CallableSampler:
    """The sampler that calls a function the way a reading says."""
    cls: Callable[..., CallableSampler] = CallableSampler
    if any(slot.role == "module" for slot in reading.slots):
        cls = ModuleSampler
    elif any(slot.role == "key" for slot in reading.slots):
        cls = functools.partial(JaxSampler, keeps=keeps_between_calls(function))
    return cls(
        function=function,
        slots=reading.slots,
        fixed=fixed,
        framework=reading.framework,
        parameter=parameter,
        makers=makers or {},
        shared=shared,
    )


def choose(
    name: str,
    function: Any,
    readings: Sequence[Reading],
    *,
    named: bool,
    fixed: Mapping[str, Any],
    parameter: str | None,
    makers: Mapping[str, Callable[[int], Any]] | None = None,
    shared: bool = True,
) -> Chosen:
    """The first reading that works; where names did not decide, none other may work with other numbers.

    Raises:
        AmbiguousInitializer: two readings work and differ.
        UsageError: none works; the sentence lists what was tried, each with its exception.
    """
    tried: list[Chosen] = []
    working: list[Chosen] = []
    for reading in readings[:_MOST]:
        if any(c.reading.meaning == reading.meaning for c in working):
            continue
        outcome = _try(sampler_of(function, reading, fixed, parameter, makers, shared), reading)
        if not outcome.works and any(slot.role == "module" for slot in reading.slots):
            outcome = _try_other_modules(outcome)
        tried.append(outcome)
        if outcome.works:
            working.append(outcome)
            if named:
                break
    if len(working) > 1:
        first, *others = working
        other = next((o for o in others if arrays.digest_of(first.result) != arrays.digest_of(o.result)), None)
        if other is not None:
            raise AmbiguousInitializer(
                f"{name} is ambiguous: it works as {first.reading} and as {other.reading}, with different"
                f" results. Say which: signature='{first.reading}'."
            )
    if working:
        return _by_no_rate(name, working[0])
    if parameter is None:
        refusals.refuse_parts(name, function, tried)
    for outcome in tried:
        if outcome.several:
            # A stranger takes the first: one of the shape asked for.
            outcome.several.sort(key=lambda place: arrays.shape_of(arrays.pick(outcome.result, place)) != outcome.shape)
            options = " or ".join(f"parameter={entry!r}" for entry in outcome.several[:_FEW])
            options += f" or one of {len(outcome.several) - _FEW} more" if len(outcome.several) > _FEW else ""
            raise Needs(
                f"{name} returns several things; say which one is checked: {options}.",
                called_with(name, f"parameter={outcome.several[0]!r}"),
            )
    returned = [c.result for c in tried if c.result is not None and c.problem != _UNWRITTEN]
    if returned and all(callable(result) and not is_layer(result) for result in returned):
        if not named:
            # It makes initializers: what it was handed in place of a number says nothing.
            raise needs(name, tried[0].reading.slots)
        raise UsageError(
            f"{name} returns a function where an array is expected, called as {tried[0].reading}; pass a function"
            " that calls that one too and returns its array, such as def init(shape, rng)."
        )
    refusals.refuse_complex(name, returned)
    if parameter is not None and named and returned:
        refusals.refuse_other_sides(name, parameter, next(c for c in tried if c.result is not None))
    if parameter is None:
        packed = next(filter(None, map(_packed, tried)), None)
        if packed is not None:
            return packed
        for outcome in tried:
            if told := told_side(outcome.result, outcome.shape, outcome.sampler.fixed):
                raise refusals.of_a_told_side(name, told, outcome)
    if named and tried:
        # What is an array of another shape is judged by the claims; a call that gives none supports no reading.
        of_another_shape = [c for c in tried if arrays.is_array(c.result) and c.problem.startswith("returns shape")]
        meant = [c for c in of_another_shape if c.reading.meaning == tried[0].reading.meaning]
        if meant and not any(_of_unknown_kind(slot) for slot in readings[0].slots):
            note = f"read as {meant[0].reading} by its names; a trial call {meant[0].problem}."
            return replace(meant[0], notes=(note,))
    if not named and tried and defines_function(function):
        raise needs(name, [slot for slot in tried[0].reading.slots if slot.required])
    raise UsageError(refusals.listing(name, tried))


def _packed(failed: Chosen) -> Chosen | None:
    """It as one that makes several matrices of one size side by side; None where it makes nothing of the kind."""
    roles = {slot.role for slot in failed.reading.slots}
    of_unknown_kind = any(map(_of_unknown_kind, failed.reading.slots))
    sampler, packing = (None if of_unknown_kind else packing_of(failed.sampler, roles)) or (failed.sampler, None)
    if packing is None:
        return None
    failed = replace(failed, sampler=sampler, problem="", notes=(packing.told,), shape=TRIED)
    return replace(failed, works=True, packing=packing, layout=packing.layout)


def _try_other_modules(failed: Chosen) -> Chosen:
    """Where a layer is not what the function takes: the layer inside a module, then an embedding."""
    inside = _try(replace(failed.sampler, wrapped=True), failed.reading)  # type: ignore[call-arg]
    if inside.works:
        return inside
    if failed.sampler.breaks_off(TRIED):  # type: ignore[attr-defined]
        return failed
    table = _try(replace(failed.sampler, embedding=True), failed.reading)  # type: ignore[call-arg]
    if table.works:
        return replace(table, notes=("It takes no layer but nn.Embedding; its rows are read as outputs.",))
    return failed


def _of_unknown_kind(slot: Slot) -> bool:
    """A module, a list of widths or an array called anything else may have to be of a kind only the user knows."""
    return slot.role in ("module", "widths") or (slot.role == "tensor" and role_of(slot.name) != "tensor")


def _try(sampler: CallableSampler, reading: Reading) -> Chosen:
    """Call it at some shapes; where all sides of a kernel are too many for it, with one number for them."""
    chosen = _try_shapes(sampler, reading)
    sided = tuple(replace(s, role="kernel_side") if s.role == "kernel" else s for s in reading.slots)
    if chosen.works:
        return chosen
    if sided == tuple(reading.slots):
        return _try_equal_widths(sampler, reading) or chosen
    one_side = _try_shapes(replace(sampler, slots=sided), replace(reading, slots=sided))
    if one_side.works:
        return one_side
    return _try_equal_widths(one_side.sampler, one_side.reading) or _try_equal_widths(sampler, reading) or chosen


def _try_equal_widths(sampler: CallableSampler, reading: Reading) -> Chosen | None:
    """Where other widths raise, as many outputs as inputs may be what is needed: a kernel that enlarges images."""
    if not {"in", "out"} <= {slot.role for slot in reading.slots}:
        return None
    for unequal, *equal in _EQUAL_WIDTHS:
        # What returns another shape is no such thing: where it is asked for a square it would look right.
        if _call(sampler, reading, unequal).result is None:
            first, second = (_call(sampler, reading, shape) for shape in equal)
            if first.works and second.works:
                return replace(first, squares=True, notes=("It needs as many outputs as inputs.",))
    return None


def _try_shapes(sampler: CallableSampler, reading: Reading) -> Chosen:
    chosen = Chosen(sampler, reading, works=False)
    # At a square, inputs and outputs cannot be told apart.
    by_width = any(
        slot.role in ("in", "out", "widths", "rows", "cols") or slot.name in SIDES_OR_WIDTHS for slot in reading.slots
    )
    for shape in (TRIED, *_OTHERS):
        if by_width and shape in _SQUARES:
            continue
        try:
            outcome = _call(sampler, reading, shape)
        except UsageError:
            if not chosen.problem:
                raise  # there is no such parameter= in the result
            continue
        # A call that was made says more than one that could not be.
        uncalled = chosen.problem.startswith(_UNCALLED) and not outcome.problem.startswith(_UNCALLED)
        if not chosen.problem or outcome.works or outcome.several or uncalled:
            chosen = outcome if outcome.works else replace(outcome, works=False)
        if refusals.is_complex(outcome.result):
            return replace(outcome, works=False)
        if outcome.works or outcome.several or told_side(outcome.result, shape, sampler.fixed):
            break  # three experts of a matrix are no kernel of three positions
        if outcome.problem == _UNWRITTEN and all(slot.role != "module" for slot in reading.slots):
            break  # what fills the rows of a larger tensor takes it for a list of tensors
    if chosen.works and chosen.shape == TRIED:
        # A function of (4, 3) that makes (3, 4) was read wrongly, or transposes: then the claims will say so.
        if chosen.sampler.outline(_SECOND, "float32") == _SECOND:
            return chosen
        second = _call(chosen.sampler, reading, _SECOND)
        if (
            not second.works
            and any(s.role in ("rows", "in", "widths", "shape") for s in reading.slots)
            and second.result is not None
        ):
            return replace(chosen, works=False, problem=second.problem)
    return chosen


def _call(sampler: CallableSampler, reading: Reading, shape: Shape) -> Chosen:
    failed = Chosen(sampler, reading, works=False)
    layouts: tuple[str | None, ...] = (None,)
    by_width = any(slot.role in ("in", "out", "widths", *KERNEL_ROLES) for slot in reading.slots)
    if by_width and sampler.layout is None:
        layouts = _LAYOUTS.get(len(shape), (None,))
    for layout in layouts:
        asking = sampler if layout is None else replace(sampler, layout=layout)
        try:
            with contained():
                result = asking.calls(shape, [12345], "float32")[0]
        except InitializerRaised as error:
            unfit = isinstance(error.original, Unfit)
            problem = f"raises {error}{raised_at(error.original, own=True)}"
            problem = f"{_UNCALLED}: {error.original}" if unfit else problem
            failed = replace(failed, problem=problem)
            continue
        try:
            with contained():
                got = _judge(Chosen(asking, reading, layout=layout, result=result, shape=shape), shape)
        except InitializerRaised as error:
            kind = type(result).__name__
            failed = replace(failed, problem=f"returns {kind}, which cannot be read as an array: {error}")
            continue
        if got.works:
            return got
        # Of several arrays one may have the shape asked for when the widths are read the other way round.
        failed = failed if failed.several or told_side(failed.result, shape, asking.fixed) else got
    return failed


def _judge(chosen: Chosen, shape: Shape) -> Chosen:
    result = chosen.result
    got = arrays.shape_of(result)
    if got is None and not chosen.sampler.layer and (is_layer(result) or chosen.reading.layer):
        return _judge_layer(chosen, shape)
    if got is None:
        held = arrays.array_places(result) if not isinstance(result, str) else []
        if not held and not isinstance(result, (str, bytes)):
            held = arrays.places_of(result)
        if held and chosen.sampler.parameter is None and arrays.stacked_shape(result) == shape:
            stack = replace(chosen, sampler=replace(chosen.sampler, parameter=arrays.STACK))
            return _judge(replace(stack, result=arrays.pick(result, arrays.STACK)), shape)
        place = _meant(result, held, shape)
        if place is not None and chosen.sampler.parameter is None and not callable(result):
            alone = replace(chosen, sampler=replace(chosen.sampler, parameter=place), notes=_not_asked(held, place))
            return _judge(replace(alone, result=arrays.pick(result, place)), shape)
        kind = type(result).__name__
        return replace(chosen, works=False, several=held, problem=f"returns {kind} where an array is expected")
    if got == () and shape:
        return replace(chosen, works=False, problem="returns one number where an array is expected")
    if got != shape:
        return replace(chosen, works=False, problem=f"returns shape {got} where {shape} is asked for")
    if refusals.is_complex(result):
        return replace(chosen, works=False, problem="returns complex numbers")
    with contextlib.suppress(TypeError):
        array = arrays.to_numpy(result)
        written = any(s.role in ("tensor", "tensors", "module") for s in chosen.reading.slots)
        if written and array.dtype.kind == "f" and array.size and np.isnan(array).all():
            return replace(chosen, works=False, problem=_UNWRITTEN)
    return chosen


def _meant(result: Any, held: Sequence[str], shape: Shape) -> str | None:
    """The one array, in a dict or in a tensor class of the user's own, or of several the one of the shape asked for."""
    if arrays.holds_sparse(result):
        return None
    fit = [place for place in held if len(held) == 1 or arrays.shape_of(arrays.pick(result, place)) == shape]
    return fit[0] if len(fit) == 1 else None


def _not_asked(held: Sequence[str], place: str) -> tuple[str, ...]:
    others = [p for p in held if p != place]
    told = f"Of what it returns {place} is checked, whose shape is asked for; not asked: {listed(others, _FEW)}."
    return (told,) if others else ()


def _judge_layer(chosen: Chosen, shape: Shape) -> Chosen:
    found = list(matrices_of(chosen.result))
    if len(found) != 1 and chosen.sampler.parameter is None:
        kind = type(chosen.result).__name__
        return replace(chosen, works=False, several=found, problem=f"returns {kind} without one weight")
    sides, strides = (getattr(chosen.result, name, None) for name in ("kernel_size", "stride"))
    if isinstance(sides, tuple) and isinstance(strides, tuple) and len(sides) != len(strides):
        # PyTorch builds a Conv1d of two sides, and cannot run it.
        kind = type(chosen.result).__name__
        return replace(chosen, works=False, problem=f"returns {kind} with a kernel of {len(sides)} sides")
    result = weight_of(chosen.result, chosen.sampler.parameter)
    return _judge(replace(chosen, result=result, sampler=replace(chosen.sampler, layer=True)), shape)


def _by_no_rate(name: str, chosen: Chosen) -> Chosen:
    """It, where its weights are the same at another rate of learning; else its user is asked for that."""
    slots = tuple(replace(s, role="another_rate") if s.role == "rate" else s for s in chosen.sampler.slots)
    if rates := [slot for slot in slots if slot.role == "another_rate"]:
        other = _call(replace(chosen.sampler, slots=slots), chosen.reading, chosen.shape).result
        if other is None or arrays.digest_of(other) != arrays.digest_of(chosen.result):
            raise needs(name, rates)
    return chosen


def framework_of(chosen: Chosen) -> str:
    """The framework whose arrays come out, else the one the function works with."""
    return framework_of_result(chosen.result) or chosen.reading.framework
