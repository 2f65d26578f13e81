"""A plain Python callable as a sampler: arguments by role, one call per seed, global generators put back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.frameworks import arrays
from initcheck.adapters.frameworks.layer_weight import is_layer, weight_of
from initcheck.adapters.signatures.arguments import constant_value, framework_module, random_value, torch_dtype
from initcheck.adapters.signatures.names import SIDES_OR_WIDTHS
from initcheck.adapters.signatures.signature import RANDOM_ROLES, Slot
from initcheck.contract.initializer import Shape
from initcheck.sandbox.global_generators import isolated, seed_globals, unseen_moves
from initcheck.sandbox.many_generators import generators

_SHARED = frozenset({"rng", "random_state", "torch_generator", "python_random", "rngs"})
_FRESH = frozenset({"tensor", "tensors", "module"})
# What yields without an end is asked no further.
_MOST_YIELDED = 256


@dataclass(frozen=True)
class Batch:
    """Calls of one shape.

    Attributes:
        call: makes one, of a source of randomness.
        read: what their results are, all of them together.
    """

    call: Callable[[Any], Any]
    read: Callable[[list[Any]], list[Any]] = list


@dataclass
class SamplerBase:
    """What every sampler shares; ``prepare`` and ``source`` are what tells them apart.

    Attributes:
        takes_randomness: the caller hands over a seed, key or generator. Then ``calls`` leaves the global generators
            as the caller had them, so that a result that hangs on them shows; else they are seeded per call.
        reseeds: the global generators that calls were seen to move; learned on the way.
        parameter: which of several returned arrays is meant.
        layer: what is returned is a layer, whose weight is meant.
    """

    takes_randomness: bool = True
    reseeds: frozenset[str] = frozenset()
    parameter: str | None = None
    layer: bool = False

    def source(self, seed: int) -> Any:
        """The source of randomness of one call: a generator, a key, an instance that was given one."""
        return None

    def sources(self, seeds: Sequence[int]) -> Iterable[Any]:
        """The sources of one call a seed, where they are cheaper made together."""
        return map(self.source, seeds)

    def prepare(self, shape: Shape, dtype: str) -> Callable[[Any], Any]:
        """Everything of a call that does not depend on the seed, done once."""
        raise TypeError(f"{type(self).__name__} does not say how to call.")

    @property
    def shares_source(self) -> bool:
        """Whether one source can serve several calls, and advances from each to the next."""
        return not self.takes_randomness and bool(self.reseeds)

    def calls(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """One independent call per seed."""
        return self._drawn([(shape, seeds)], dtype, anew=not self.takes_randomness)[0]

    def several(self, asked: Sequence[tuple[Shape, Sequence[int]]], dtype: str) -> list[list[Any]]:
        """The weights of several shapes, one per seed, isolated together."""
        return self._drawn(asked, dtype, anew=True)

    def _drawn(self, asked: Sequence[tuple[Shape, Sequence[int]]], dtype: str, *, anew: bool) -> list[list[Any]]:
        """Calls with the global generators started anew for each, or left as the caller has them."""
        batches = [(self.batch(tuple(shape), seeds, dtype), seeds) for shape, seeds in asked]
        if anew:
            found = self._each_anew([(batch.call, seeds) for batch, seeds in batches])
        else:
            with isolated(None):
                sources = iter(self.sources([seed for _, seeds in asked for seed in seeds]))
                found = [[b.call(source) for source in islice(sources, len(seeds))] for b, seeds in batches]
        found = [batch.read(results) for (batch, _), results in zip(batches, found, strict=True)]
        for results in found:
            for result in results:
                result.__class__  # noqa: B018  # a property of the user's that raises does so here, as the call might
        if self.parameter or self.layer:
            return [[self.read(result) for result in results] for results in found]
        return found

    def batch(self, shape: Shape, seeds: Sequence[int], dtype: str) -> Batch:
        """How so many calls of one shape are made."""
        return Batch(self.prepare(shape, dtype))

    def outline(self, shape: Shape, dtype: str) -> Shape | None:
        """The shape of a result, where that is known without a call."""
        return None

    def weights(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """The weights of independent calls, however they are drawn at the least cost.

        Where a call draws from a global generator in place of the source that it is handed, or beside it, that one too
        is started from the call's seed: left where the caller has it, every batch would begin as the last one did.
        """
        return self._drawn([(shape, seeds)], dtype, anew=True)[0]

    def streams(self, shapes: Sequence[Shape], seeds: Sequence[int], dtype: str) -> list[list[Any]] | None:
        """One call per shape on one advancing generator a seed; None where there is none to share."""
        return self.on_one_source(shapes, seeds, dtype) if self.shares_source else None

    def on_one_source(self, shapes: Sequence[Shape], seeds: Sequence[int], dtype: str) -> list[list[Any]]:
        """One call per shape on one source a seed, such as an instance of a class, whether or not it advances."""
        calls = [self.prepare(tuple(shape), dtype) for shape in shapes]

        def in_turn(source: Any) -> list[Any]:
            return [call(source) for call in calls]

        [found] = self._each_anew([(in_turn, seeds)])
        return [[self.read(r) for r in results] for results in found] if self.parameter or self.layer else found

    def network(self, width: int, layers: int, seed: int, dtype: str) -> list[Any] | None:
        """The matrices of a network of so many equal layers, where one call makes all of them; else None."""
        return None

    def read(self, result: Any) -> Any:
        """The array that is meant in what was returned."""
        if self.layer or is_layer(result):
            return weight_of(result, self.parameter)
        return arrays.pick(result, self.parameter or "")

    def to_numpy(self, result: Any) -> npt.NDArray[Any]:
        """View or copy a result as an array."""
        return arrays.to_numpy(result)

    def dtype_name(self, result: Any) -> str:
        """The dtype of a result, by its NumPy name."""
        return arrays.dtype_name(result)

    def _each_anew(self, asked: Sequence[tuple[Callable[[Any], Any], Sequence[int]]]) -> list[list[Any]]:
        every = [seed for _, seeds in asked for seed in seeds]
        while True:
            reseeds, results = self.reseeds, []
            # Of code that is handed its randomness there is mostly nothing to seed.
            with isolated(None if self.takes_randomness and not reseeds else next(iter(every), 0)):
                moved_since = unseen_moves(reseeds)
                sources = iter(self.sources(every))
                for call, seeds in asked:
                    if not reseeds:
                        results.append([call(source) for source in islice(sources, len(seeds))])
                        continue
                    drawn = []
                    for seed in seeds:
                        seed_globals(seed, reseeds)
                        # Made after that: what is built for a call may draw its own seed from a global generator.
                        drawn.append(call(next(sources)))
                    results.append(drawn)
                moved = moved_since()
            # A generator that was not known to be used, such as one reached only at large shapes: each call
            # must start it from its own seed, so the batch is drawn again.
            if not moved:
                return results
            self.reseeds = reseeds | moved


@dataclass
class CallableSampler(SamplerBase):
    """A function called with one argument per slot.

    Attributes:
        function: the user's callable.
        slots: what each parameter is for, in order.
        fixed: keyword arguments that never change.
        framework: whose dtypes, tensors and shapes are passed.
        layout: the meaning of the axes, where widths are passed one by one.
        makers: how a source of randomness of a role of its own is made, such as an instance of a class.
        shared: such a source may serve several calls.
    """

    function: Callable[..., Any] = field(kw_only=True)
    slots: tuple[Slot, ...] = field(kw_only=True)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    framework: str = "numpy"
    layout: str | None = None
    makers: Mapping[str, Callable[[int], Any]] = field(default_factory=dict)
    shared: bool = True

    def __post_init__(self) -> None:
        self._random = [slot for slot in self.slots if slot.role in RANDOM_ROLES or slot.role in self.makers]
        self._makers = [self.makers.get(slot.role) or random_value(slot.role) for slot in self._random]
        self.takes_randomness = bool(self._random)
        fresh = [slot.role for slot in self.slots if slot.role in _FRESH]
        self._fills_one_tensor = self.framework == "torch" and fresh == ["tensor"]

    @property
    def shares_source(self) -> bool:
        """Generators advance; seeds and keys start every call anew."""
        if self.takes_randomness:
            return self.shared and all(s.role in _SHARED or s.role in self.makers for s in self._random)
        return bool(self.reseeds)

    def source(self, seed: int) -> Any:
        """One value per random slot, all from the same seed."""
        return [make(seed) for make in self._makers]

    def sources(self, seeds: Sequence[int]) -> Iterable[Any]:
        """The same for many seeds: one generator of NumPy's or PyTorch's is started anew for each."""
        if self._makers == [np.random.default_rng]:
            return zip(generators(seeds))
        if [slot.role for slot in self._random] == ["torch_generator"] and not self.makers:
            rng = framework_module("torch").Generator()
            return ([rng.manual_seed(seed)] for seed in seeds)
        return super().sources(seeds)

    def network(self, width: int, layers: int, seed: int, dtype: str) -> list[Any] | None:
        """The matrices of a network of so many equal layers, where one call makes all of them; else None."""
        listed = next((slot for slot in self.slots if slot.role == "widths"), None)
        if listed is None and any(character.isdigit() for character in self.parameter or ""):
            # What numbers its arrays takes sizes for widths, not for the sides of one array.
            listed = next((slot for slot in self.slots if slot.name in SIDES_OR_WIDTHS), None)
        if listed is None or not self.parameter:
            return None
        rest = tuple(replace(slot, keyword=True) for slot in self.slots if slot is not listed)
        fixed = {**self.fixed, listed.name: [width] * (layers + 1)}
        [made] = replace(self, slots=rest, fixed=fixed, parameter=None).calls((width, width), [seed], dtype)
        found = [arrays.pick(made, place) for place in arrays.array_places(made)]
        return [array for array in found if arrays.shape_of(array) == (width, width)]

    def batch(self, shape: Shape, seeds: Sequence[int], dtype: str) -> Batch:
        """How so many calls of one shape are made; tensors that are filled in place are parts of one buffer."""
        buffer = _Buffer.of(shape, dtype, len(seeds)) if self._fills_one_tensor and len(seeds) > 1 else None
        if buffer is None:
            return super().batch(shape, seeds, dtype)
        return Batch(self._prepared(shape, dtype, buffer.next), buffer.read)

    def prepare(self, shape: Shape, dtype: str) -> Callable[[Any], Any]:
        """The argument list with holes for what is random or written into."""
        return self._prepared(shape, dtype, None)

    def _prepared(self, shape: Shape, dtype: str, fresh: Callable[[], Any] | None) -> Callable[[Any], Any]:
        function, keywords = _whole(self.function), dict(self.fixed)
        positional: list[Any] = []
        holes: list[tuple[int | str, int | None]] = []  # place, and which random value; None: a fresh tensor
        listed: set[int | str] = set()  # where a list of one tensor is passed
        for slot in self.slots:
            place: int | str = slot.name if slot.keyword else len(positional)
            hole = slot in self._random or slot.role in _FRESH
            value: Any = None if hole else constant_value(slot, shape, dtype, self.framework, self.layout)
            if slot.variadic and not hole:
                positional.extend(value)
                continue
            if slot.role == "tensors":
                listed.add(place)
            if hole:
                holes.append((place, self._random.index(slot) if slot in self._random else None))
            if slot.keyword:
                keywords[slot.name] = value
            else:
                positional.append(value)
        if not holes:
            return lambda source: function(*positional, **keywords)
        if len(holes) == 1 and holes[0] == (len(positional) - 1, 0):
            before = tuple(positional[:-1])
            if not keywords and len(before) == 1:
                # The commonest call, in two thirds of the time.
                first = before[0]
                return lambda source: function(first, source[0])
            return lambda source: function(*before, source[0], **keywords)
        tensor = fresh or self._fresh(shape, dtype)

        def call(source: Any) -> Any:
            args, kwargs, written = list(positional), dict(keywords), None
            for place, index in holes:
                value = source[index] if index is not None else (written := tensor())
                if place in listed:
                    value = [value]
                if isinstance(place, int):
                    args[place] = value
                else:
                    kwargs[place] = value
            result = function(*args, **kwargs)
            return written if result is None and written is not None else result

        return call

    def _fresh(self, shape: Shape, dtype: str) -> Callable[[], Any]:
        """A tensor full of NaN: what the user's code leaves unwritten fails the claim ``finite``."""
        if self.framework == "torch":
            torch = framework_module("torch")
            wanted = torch_dtype(dtype)
            if wanted.itemsize < 2:
                return lambda: torch.empty(shape, dtype=wanted)
            return lambda: torch.full(shape, float("nan"), dtype=wanted)
        wanted = np.dtype(dtype if dtype in ("float16", "float32", "float64") else "float32")
        return lambda: np.full(shape, np.nan, dtype=wanted)


def _whole(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function; of one that yields its arrays, a function that returns the first of them in a list."""
    asked = function if inspect.isroutine(function) or hasattr(function, "func") else type(function).__call__
    if not inspect.isgeneratorfunction(asked):
        return function
    return lambda *args, **kwargs: list(islice(function(*args, **kwargs), _MOST_YIELDED))


class _Buffer:
    """Tensors full of NaN in one piece of memory, which is read as a whole where all of them were filled in place."""

    def __init__(self, tensor: Any) -> None:
        self._array = tensor.numpy()
        self._given: list[Any] = []
        self._left = iter(tensor)

    @classmethod
    def of(cls, shape: Shape, dtype: str, calls: int) -> _Buffer | None:
        """A buffer for so many tensors; None where NumPy has no such dtype."""
        torch = framework_module("torch")
        if dtype not in ("float32", "float64"):
            return None
        return cls(torch.full((calls, *shape), float("nan"), dtype=torch_dtype(dtype)))

    def next(self) -> Any:
        """The next tensor; of memory of its own where a batch is drawn again."""
        tensor = next(self._left, None)
        tensor = self._given[0].new_full(self._array.shape[1:], float("nan")) if tensor is None else tensor
        self._given.append(tensor)
        return tensor

    def read(self, results: list[Any]) -> list[Any]:
        """The results as arrays, where each is the tensor that was given and lies where it lay; else as they are."""
        if not len(self._given) == len(results) == len(self._array):
            return results
        start, step = self._array.ctypes.data, self._array.strides[0]
        shape = self._array.shape[1:]
        for number, (result, given) in enumerate(zip(results, self._given, strict=True)):
            moved = result is not given or tuple(given.shape) != shape or given.data_ptr() != start + number * step
            if moved or given.requires_grad or not given.is_contiguous():
                return results
        return list(self._array)
