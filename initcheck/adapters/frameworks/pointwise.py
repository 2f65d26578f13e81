"""JAX functions whose every number depends on its key and its own place alone: one compiled program for all shapes.

That is what samplers are made of: random bits, then arithmetic number by number, with constants that hang on the
shape. What a trace shows of it is written down with every array as a row of numbers and every constant as an argument,
so that the next shape, and the next initializer of the same law, finds its program compiled.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from initcheck.adapters.frameworks.cheaply_compiled import compiled
from initcheck.adapters.signatures.arguments import framework_module

Array = npt.NDArray[Any]

MOST_CALLS = 2**10
"""Seeds of one run."""

# Numbers that one run holds, and those of them that are made at a time: few calls take a part of the run.
_ROW, _STEP = 2**16, 2**10
# Numbers of an array that is held as it is: some keys, the words of one.
_FEW = 64
# The generator whose bits at a place are a hash of its key and that place, and the setting of JAX that says so.
_HASHED, _BY_PLACE = "key<fry>", "jax_threefry_partitionable"
_ARITHMETIC = """
    abs acos acosh add and asin asinh atan atan2 atanh bitcast_convert_type cbrt ceil clamp convert_element_type
    copy cos cosh digamma div eq erf erf_inv erfc exp exp2 expm1 floor ge gt integer_pow is_finite le lgamma log
    log1p logistic lt max min mul ne neg nextafter not or pow reduce_precision rem round rsqrt select_n shift_left
    shift_right_arithmetic shift_right_logical sign sin sinh sqrt square stop_gradient sub tan tanh xor
"""
_NUMBER_BY_NUMBER = frozenset(_ARITHMETIC.split())
_SAME_NUMBERS = frozenset({"broadcast_in_dim", "expand_dims", "reshape", "squeeze"})
_CALLS = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "custom_jvp_call": "call_jaxpr"}
_HOLDS_CODE = frozenset({"body_jaxpr", "branches", "call_jaxpr", "cond_jaxpr", "fun_jaxpr", "jaxpr", "jaxprs"})


class _Step(NamedTuple):
    """What is done, with no shape of the weights left in it.

    Attributes:
        what: a primitive of JAX, or ``seed``, ``constant``, ``filled``, ``item``, ``bits``.
        given: the numbers of the steps whose results it is given.
        how: parameters of the primitive, by name; a shape to be filled, the number of an item, a width of bits.
        seeded: whether its result differs from seed to seed.
        row: whether it is a number a place.
    """

    what: Any
    given: tuple[int, ...] = ()
    how: Any = ()
    seeded: bool = False
    row: bool = False


class _Value(NamedTuple):
    """What a variable of the trace is: the result of a step, at the shape that it has in the trace.

    Attributes:
        step: the number of the step.
        shape: of the variable.
        held: whether the result is an array as it is; else it is one number, or one number a place.
    """

    step: int
    shape: tuple[int, ...]
    held: bool = False


def pointwise(trace: Any) -> Callable[[Sequence[int] | Array], list[Array]] | None:
    """A traced function of one seed, or of a few numbers that stand for it, as one of many; None where it is another.

    Args:
        trace: of the function, with the constants that it holds (a closed jaxpr).

    Returns:
        A function of at most ``MOST_CALLS`` seeds, one a row: every result, (seeds, \\*its shape).
    """
    jax = framework_module("jax")
    if not getattr(jax.config, _BY_PLACE, True) or any(_is_key(out.aval) for out in trace.jaxpr.outvars):
        return None
    reading, [source] = _Reading(), trace.jaxpr.invars
    shape = tuple(source.aval.shape)
    seed = _Value(reading.add(_Step("seed", seeded=True)), shape, held=shape != ())
    results = reading.read(trace, [seed])
    found = [value for value in results if value is not None]
    if len(found) < len(results) or any(value.held for value in found):
        return None
    made = _Drawn.of(reading, found, shape)
    made(np.zeros((1, *shape), np.uint32))  # what cannot be compiled shows here
    return made


@dataclass
class _Reading:
    """The steps of a trace.

    Attributes:
        steps: in an order in which they can be done.
        constants: the arrays of those that are constants, by the number of the step.
    """

    steps: list[_Step] = field(default_factory=list)
    constants: dict[int, Array] = field(default_factory=dict)

    def add(self, step: _Step) -> int:
        """Append a step; its number."""
        self.steps.append(step)
        return len(self.steps) - 1

    def read(self, trace: Any, given: Sequence[_Value | None]) -> list[_Value | None]:
        """What the results of a trace are, of these arguments; None of what is no such function of them."""
        known = dict(zip(trace.jaxpr.invars, given, strict=True))
        known.update(zip(trace.jaxpr.constvars, map(self._constant, trace.consts), strict=True))

        def of(atom: Any) -> _Value | None:
            return self._constant(np.asarray(atom.val, atom.aval.dtype)) if hasattr(atom, "val") else known[atom]

        for equation in trace.jaxpr.eqns:
            known.update(zip(equation.outvars, self._results(equation, [of(a) for a in equation.invars]), strict=True))
        return [of(atom) for atom in trace.jaxpr.outvars]

    def _constant(self, array: Any) -> _Value | None:
        if math.prod(array.shape) > _FEW:
            return None
        number = self.add(_Step("constant", how=(str(array.dtype), array.shape)))
        self.constants[number] = array
        return _Value(number, array.shape, held=array.shape != ())

    def _results(self, equation: Any, values: Sequence[_Value | None]) -> Sequence[_Value | None]:
        given, nothing = [v for v in values if v is not None], [None] * len(equation.outvars)
        name, how = equation.primitive.name, equation.params
        if len(given) < len(values) or equation.effects:
            return nothing
        if name in _CALLS:
            return self.read(how[_CALLS[name]], given)
        shape = tuple(equation.outvars[0].aval.shape)
        rows = [v for v in given if self.steps[v.step].row]
        if name == "random_bits" and shape:
            width = how["bit_width"]
            if rows or given[0].shape or str(equation.invars[0].aval.dtype) != _HASHED or width not in (8, 16, 32):
                return nothing
            return [_Value(self.add(_Step("bits", (given[0].step,), width, row=True)), shape)]
        if name in _SAME_NUMBERS and len(given) == 1 and not given[0].held:
            kept = not rows or math.prod(shape) == math.prod(rows[0].shape)
            return [given[0]._replace(shape=shape)] if kept else nothing
        step = _Step(
            equation.primitive,
            tuple(v.step for v in given),
            tuple(sorted(how.items())),
            any(self.steps[v.step].seeded for v in given),
            bool(rows),
        )
        if name in _NUMBER_BY_NUMBER and not any(v.held for v in given):
            as_given = all(v.shape == shape for v in rows) and (
                name != "bitcast_convert_type" or given[0].shape == shape
            )
            return [_Value(self.add(step), shape)] if as_given else nothing
        if rows or _HOLDS_CODE & set(how) or any(math.prod(v.shape) > _FEW for v in given):
            return nothing
        return self._held(step._replace(given=tuple(map(self._filled, given))), equation)

    def _held(self, step: _Step, equation: Any) -> Sequence[_Value | None]:
        """The results of a step that is done with arrays as they are."""
        shapes = [tuple(out.aval.shape) for out in equation.outvars]
        if any(math.prod(shape) > _FEW for shape in shapes):
            return [None] * len(shapes)
        numbers = [self.add(step)]
        if equation.primitive.multiple_results:
            of = step._replace(what="item", given=(numbers[0],))
            numbers = [self.add(of._replace(how=place)) for place in range(len(shapes))]
        return [_Value(number, shape, held=shape != ()) for number, shape in zip(numbers, shapes, strict=True)]

    def _filled(self, value: _Value) -> int:
        if value.held or not value.shape:
            return value.step
        return self.add(_Step("filled", (value.step,), value.shape, self.steps[value.step].seeded))

    def behind(self, wanted: Iterable[int], *, row: bool) -> list[int]:
        """The steps of one kind that these results come of, in order."""
        found, left = set(), list(wanted)
        while left:
            number = left.pop()
            if self.steps[number].row == row and number not in found:
                found.add(number)
                left += self.steps[number].given
        return sorted(found)


@dataclass(frozen=True)
class _Drawn:
    """A function of many seeds.

    Attributes:
        seed: the shape of what stands for one.
        first: makes, of seeds and constants, what is no row: keys and numbers.
        constants: in the order in which ``first`` takes them.
        results: of each result, its shape, what makes its row, and which results of ``first`` that is given; with
            nothing that makes one, the result of ``first`` it is itself.
    """

    seed: tuple[int, ...]
    first: Callable[..., list[Any]]
    constants: list[Array]
    results: list[tuple[_Value, Callable[..., Any] | None, list[int]]]

    @classmethod
    def of(cls, reading: _Reading, values: Sequence[_Value], seed: tuple[int, ...]) -> _Drawn:
        """Take what makes these results from the programs that were compiled before, or compile it."""
        steps = reading.steps
        cut: list[tuple[_Value, Any, list[int]]] = []
        for value in values:
            if not steps[value.step].row:
                cut.append((value, None, [value.step]))
                continue
            inside = reading.behind([value.step], row=True)
            outside = list(dict.fromkeys(g for n in inside for g in steps[n].given if not steps[g].row))
            order = {number: place for place, number in enumerate([*outside, *inside])}
            moved = tuple(steps[n]._replace(given=tuple(order[g] for g in steps[n].given)) for n in inside)
            cut.append((value, _row(moved, tuple(steps[n].seeded for n in outside)), outside))
        wanted = list(dict.fromkeys(number for _, _, outside in cut for number in outside))
        before = reading.behind(wanted, row=False)
        order = {number: place for place, number in enumerate(before)}
        moved = tuple(steps[n]._replace(given=tuple(order[g] for g in steps[n].given)) for n in before)
        return cls(
            seed,
            _first(moved, tuple(order[number] for number in wanted)),
            [reading.constants[n] for n in before if n in reading.constants],
            [(value, row, [wanted.index(number) for number in outside]) for value, row, outside in cut],
        )

    def __call__(self, seeds: Sequence[int] | Array) -> list[Array]:
        """Every result, (seeds, \\*its shape)."""
        padded = np.zeros((MOST_CALLS, *self.seed), np.uint32)
        padded[: len(seeds)] = seeds
        known = self.first(padded, self.constants)
        return [self._result(len(seeds), value, row, [known[n] for n in of]) for value, row, of in self.results]

    @staticmethod
    def _result(calls: int, value: _Value, row: Callable[..., Any] | None, known: list[Any]) -> Array:
        weights = math.prod(value.shape)
        if row is None:
            [array] = map(np.asarray, known)
            array = array[:calls]
            return np.repeat(array, weights).reshape(calls, *value.shape)
        pieces = []
        for start in range(0, calls * weights, _ROW):
            numbers = min(_ROW, calls * weights - start)
            whole = row(np.uint32(start), np.int32(-(-numbers // _STEP)), np.uint32(weights), known)
            pieces.append(np.asarray(whole)[:numbers])
        flat = np.concatenate(pieces) if pieces else np.asarray(row(np.uint32(0), np.int32(0), np.uint32(1), known))[:0]
        return flat.reshape(calls, *value.shape)


@functools.lru_cache(maxsize=256)
def _first(steps: tuple[_Step, ...], wanted: tuple[int, ...]) -> Callable[..., list[Any]]:
    """What makes the results of these steps, (seeds, \\*shape) each, of seeds and constants."""
    jax = framework_module("jax")

    def first(seeds: Any, constants: Sequence[Any]) -> list[Any]:
        left = iter(constants)
        plain: dict[int, Any] = {}
        for number, step in enumerate(steps):
            if not step.seeded:
                plain[number] = next(left) if step.what == "constant" else _done(step, plain)

        def of_seed(seed: Any) -> list[Any]:
            made = dict(plain)
            for number, step in enumerate(steps):
                if step.seeded:
                    made[number] = seed if step.what == "seed" else _done(step, made)
            results = [made[number] for number in wanted]
            return [jax.random.key_data(result) if _is_key(result) else result for result in results]

        found: list[Any] = jax.vmap(of_seed)(seeds)
        return found

    return compiled(first)


@functools.lru_cache(maxsize=256)
def _row(steps: tuple[_Step, ...], seeded: tuple[bool, ...]) -> Callable[..., Any]:
    """What makes a row of the last of these steps: of where it starts in the row of all calls, how many steps of the
    row are asked for, the numbers of one call, and what is known before, one a seed each."""
    jax = framework_module("jax")
    numpy, bits_of = jax.numpy, framework_module("jax.extend.random").threefry2x32_p

    def row(start: Any, count: Any, weights: Any, known: Sequence[Any]) -> Any:
        def numbers(at: Any) -> Any:
            place = start + at.astype(np.uint32) * np.uint32(_STEP) + jax.lax.iota(np.uint32, _STEP)
            call, place = place // weights, place % weights
            made = {
                n: (array.at[call].get(mode="clip") if mine else array[0])
                for n, (array, mine) in enumerate(zip(known, seeded, strict=True))
            }
            for number, step in enumerate(steps, len(known)):
                if step.what == "bits":
                    key = made[step.given[0]]
                    word = [numpy.broadcast_to(key[..., n], (_STEP,)) for n in (0, 1)]
                    high, low = bits_of.bind(*word, numpy.zeros_like(place), place)
                    made[number] = (high ^ low).astype(f"uint{step.how}")
                else:
                    made[number] = _done(step, made, (_STEP,))
            return made[len(known) + len(steps) - 1]

        shape = jax.eval_shape(numbers, np.int32(0))
        filled = lambda n, whole: jax.lax.dynamic_update_slice(whole, numbers(n), (n * _STEP,))  # noqa: E731
        return jax.lax.fori_loop(0, count, filled, numpy.zeros(_ROW, shape.dtype))

    return compiled(row)


def _done(step: _Step, made: Mapping[int, Any], shape: tuple[int, ...] | None = None) -> Any:
    numpy = framework_module("jax.numpy")
    given = [made[number] for number in step.given]
    if step.what == "filled":
        return numpy.broadcast_to(given[0], step.how)
    if step.what == "item":
        return given[0][step.how]
    if shape is not None:
        given = [numpy.broadcast_to(array, shape) for array in given]
    return step.what.bind(*given, **dict(step.how))


def _is_key(array: Any) -> bool:
    dtypes = framework_module("jax").dtypes
    return bool(dtypes.issubdtype(array.dtype, dtypes.prng_key))
