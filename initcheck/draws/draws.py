"""Everything that is drawn of one initializer: each call made once, reduced to sums, and kept as sums."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from initcheck.contract.case import Case
from initcheck.contract.initializer import Initializer
from initcheck.draws.call import BrokenCall, FirstCall, OutOfTime
from initcheck.draws.streams import FIRST_CALL, SCREEN, Stream
from initcheck.sandbox.containment import InitializerRaised, contained, one_line
from initcheck.sandbox.global_generators import isolated, watching_generators
from initcheck.sandbox.many_generators import generators
from initcheck.sandbox.threads import others
from initcheck.seeds import SEED_LIMIT, Seeds
from initcheck.statistics import Record

Array = npt.NDArray[Any]
Kept = TypeVar("Kept")

# Weights in memory at a time: 2^18 float64 are 2 MiB, which fits a cache; one larger call is held whole.
_CHUNK = 2**18
_LOOKED_AT_WHOLE = 16  # calls
_IDLE = 0.2  # seconds in which a thread that draws shows


class Draws:
    """The calls made on one initializer in one run.

    A call is named by (layer, dtype, stream, number); its seed derives from these and the run seed, so a verdict
    is the same whichever claims ran before it. The calls of the screen are read by every claim: each is made once,
    reduced to sums, and as many are kept whole as ``kept`` says.

    Attributes:
        kept: how many calls of the screen are kept as they are, case by case.
    """

    def __init__(self, initializer: Initializer, run_seed: int) -> None:
        self.initializer = initializer
        self.run_seed = run_seed
        self.deadline: float | None = None
        self.weights = 0
        self.calls = 0
        self.changes: set[str] = set()
        self.warnings: set[str] = set()
        self.output = ""
        self.nonfinite: dict[tuple[Case, str], str] = {}
        self.kept: Mapping[Case, int] = {}
        self._whole: dict[tuple[Case, str], list[Array]] = {}
        self._seeds: dict[tuple[object, str, Stream], Seeds] = {}
        self._records: dict[tuple[Case, str, Stream], Record] = {}
        self._broken: dict[tuple[Case, str], BrokenCall] = {}
        self._made: dict[Hashable, Any] = {}
        self._first: dict[tuple[Case, str], FirstCall] = {}
        self._threads = others()

    def once(self, what: Hashable, make: Callable[[], Kept]) -> Kept:
        """Make something of the draws on first use in this run, and keep it for the claims that follow."""
        if what not in self._made:
            self._made[what] = make()
        kept: Kept = self._made[what]
        return kept

    def seeds(self, layer: Case, dtype: str, stream: Stream, start: int, stop: int) -> list[int]:
        """The seeds of calls ``start`` to ``stop`` of a stream."""
        return self._seeds_of(layer, dtype, stream).upto(stop)[start:]

    def _seeds_of(self, layer: Case, dtype: str, stream: Stream) -> Seeds:
        key = (layer.seeded_by, dtype, stream)
        if key not in self._seeds:
            self._seeds[key] = Seeds(self.run_seed, self.initializer.name, layer.seeded_by, dtype, stream)
        return self._seeds[key]

    def raw(self, layer: Case, dtype: str, seeds: Sequence[int], *, own: bool = True) -> list[Any]:
        """Results exactly as the user's code returned them, one a seed.

        Args:
            layer: what is asked for.
            dtype: in which dtype.
            seeds: of the calls.
            own: whether each must be a call of the user's own; else its weights are enough, however they are drawn.

        Raises:
            BrokenCall: the code raised.
            OutOfTime: the claim's wall-clock budget was spent before the call.
        """
        key = (layer, dtype)
        if key in self._broken and self._broken[key].kind == "raises":
            raise self._broken[key]
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTime
        try:
            # The first calls show what a code does to its process, and so does what is left at the end of a claim.
            with contained(whole=self.calls < _LOOKED_AT_WHOLE) as seen:
                sampler = self.initializer.sampler
                results = (sampler.calls if own else sampler.weights)(layer.asked, seeds, dtype)
        except InitializerRaised as error:
            self._broken[key] = BrokenCall("raises", f"raises {error}", error.trace)
            raise self._broken[key] from None
        self.changes.update(seen.changes)
        self.warnings.update(seen.warnings)
        if seen.output:
            self.output = self.output or seen.output
        self.calls += len(results)
        return results

    def moved_by_others(self, names: set[str]) -> set[str]:
        """Which of these global generators move while nothing is called, by a thread that was there before any draw."""
        if not names or not self._threads & others():
            return set()
        with watching_generators() as moved, isolated(None):
            time.sleep(_IDLE)
        return names & moved

    def first_call(self, layer: Case, dtype: str) -> FirstCall:
        """What the first call on a layer gave; made once, for all claims that ask what a call returns.

        Raises:
            BrokenCall: the code raised.
            OutOfTime: the claim's wall-clock budget was spent before the call.
        """
        if (layer, dtype) not in self._first:
            result = self.raw(layer, dtype, self.seeds(layer, dtype, FIRST_CALL, 0, 1), own=False)[0]
            try:
                self.array(layer, dtype, result)
            except BrokenCall as broken:
                self._first[layer, dtype] = FirstCall(broken)
            else:
                self._first[layer, dtype] = FirstCall(None, self.initializer.sampler.dtype_name(result))
        return self._first[layer, dtype]

    def array(self, layer: Case, dtype: str, result: Any) -> Array:
        """One result as an array of the shape that was asked for.

        Raises:
            BrokenCall: it is no array, or has another shape.
        """
        if type(result) is np.ndarray and result.dtype.kind == "f" and result.shape == layer.shape:
            self.weights += result.size
            return result
        try:
            array = self.initializer.sampler.to_numpy(result)
        except TypeError as error:
            broken = BrokenCall("type", f"returns {error}" if str(error) else f"returns {type(result).__name__}")
        except (Exception, SystemExit) as error:  # the result is the user's code too
            kind = type(result).__name__
            broken = BrokenCall("type", f"returns {kind}, which cannot be read as an array: {one_line(error)}")
        else:
            if array.shape == layer.shape:
                self.weights += array.size
                return array
            broken = BrokenCall("shape", f"returns shape {array.shape} where {layer.shape} was asked for")
        self._broken[layer, dtype] = broken
        raise broken

    def arrays(self, layer: Case, dtype: str, seeds: Sequence[int]) -> list[Array]:
        """One array a seed, each with the values it had when its call returned.

        Raises:
            BrokenCall: the code raised, or returned no weights of the shape.
        """
        results = self.raw(layer, dtype, seeds, own=False)
        if all(type(r) is np.ndarray and r.shape == layer.shape and r.dtype.kind == "f" for r in results):
            found: list[Array] = results
            self.weights += layer.weights * len(results)
        else:
            found = [self.array(layer, dtype, result) for result in results]
        if _lie_apart(found[:8]):
            return found
        # Results that share a buffer hold the last call's values by now: once more, one at a time.
        return [self.array(layer, dtype, self.raw(layer, dtype, [seed])[0]).copy() for seed in seeds]

    def pairs(self, layer: Case, dtype: str, stream: Stream, start: int, stop: int) -> tuple[Array, Array]:
        """Two calls on each of some generators, (calls, units, inputs) each: the first ones, and the second ones.

        Seeds and keys start anew, and no generator can be shared: then it is the neighbouring seed that gives the
        second call, as users take it for the next layer.

        Raises:
            BrokenCall: the code raised, or returned no weights of the shape.
        """
        seeds = self.seeds(layer, dtype, stream, start, stop)
        shared = self._on_one_generator(layer, dtype, seeds)
        if shared is None:
            following = [(seed + 1) % SEED_LIMIT for seed in seeds]
            shared = self.arrays(layer, dtype, seeds), self.arrays(layer, dtype, following)
        first, second = (_stacked(layer, side) for side in shared)
        return first, second

    def network(self, width: int, layers: int, seed: int, dtype: str) -> list[Array]:
        """The matrices of a network of so many equal layers that one call makes; none where it makes one at a time."""
        sampler = self.initializer.sampler
        try:
            with contained():
                made = [sampler.to_numpy(matrix) for matrix in sampler.network(width, layers, seed, dtype) or ()]
        except InitializerRaised:
            return []  # it takes two widths and no more
        self.calls += bool(made)
        return made

    def on_one_source(self, layer: Case, dtype: str, seed: int) -> list[Array] | None:
        """Two live results of one generator or instance, as they lie; None where calls share none.

        Raises:
            BrokenCall: the code raised, or returned no weights of the shape.
        """
        try:
            with contained():
                shared = self.initializer.sampler.streams([layer.asked] * 2, [seed], dtype)
        except InitializerRaised as error:
            raise BrokenCall("raises", f"raises {error} on a second call", error.trace) from None
        if shared is None:
            return None
        self.calls += 2
        return [self.array(layer, dtype, result) for result in shared[0]]

    def _on_one_generator(
        self, layer: Case, dtype: str, seeds: Sequence[int]
    ) -> tuple[list[Array], list[Array]] | None:
        """Two calls on each seed's generator; None where no generator can be shared."""
        found = self._streamed(layer, dtype, seeds)
        if found is not None and not _lie_apart(itertools.chain.from_iterable(found)):
            # Results that share a buffer hold the last call's values by now: once more, one seed at a time.
            found = []
            for seed in seeds:
                both = self._streamed(layer, dtype, [seed])
                if both is None or not _lie_apart(both[0]):
                    return None
                found.append([a.copy() for a in both[0]])
        if found is None:
            return None
        self.calls += 2 * len(seeds)
        return [one for one, _ in found], [other for _, other in found]

    def _streamed(self, layer: Case, dtype: str, seeds: Sequence[int]) -> list[list[Array]] | None:
        try:
            with contained():
                results = self.initializer.sampler.streams([layer.asked] * 2, seeds, dtype)
                return results and [[self.array(layer, dtype, result) for result in both] for both in results]
        except InitializerRaised as error:
            if isinstance(error.original, BrokenCall):
                raise error.original from None
            raise BrokenCall("raises", f"raises {error} on a second call", error.trace) from None

    def stacks(
        self, layer: Case, dtype: str, stream: Stream, start: int, stop: int, *, chunk: int | None = None
    ) -> Iterator[Array]:
        """Calls ``start`` to ``stop`` as arrays (calls, units, inputs), a few MiB at a time; not to be written to."""
        kept = min(stop, self.kept.get(layer, 0)) if stream == SCREEN and chunk is None else 0
        if start < kept:
            self.records(layer, dtype, stream, kept)
            number = 0
            for stack in self._whole[layer, dtype]:
                here = stack[max(0, start - number) : max(0, kept - number)]
                number += len(stack)
                if len(here):
                    yield here
            start = kept
        yield from self._drawn(layer, dtype, stream, start, stop, chunk)

    def _drawn(
        self, layer: Case, dtype: str, stream: Stream, start: int, stop: int, chunk: int | None = None
    ) -> Iterator[Array]:
        seeds = self.seeds(layer, dtype, stream, start, stop)
        step = chunk or max(1, _CHUNK // layer.weights)
        for at in range(0, len(seeds), step):
            yield _stacked(layer, self.arrays(layer, dtype, seeds[at : at + step]))

    def records(self, layer: Case, dtype: str, stream: Stream, stop: int) -> Record:
        """The sums of the first ``stop`` calls of a stream; what was drawn before is not drawn again."""
        key = (layer, dtype, stream)
        # Most claims read what another has drawn.
        if (have := self.recorded(*key)) < stop:
            for stack in self._drawn(*key, have, stop):
                self.keep(layer, dtype, stream, stack)
        return self._records[key].first(stop)

    def keep(self, layer: Case, dtype: str, stream: Stream, stack: Array) -> None:
        """Add the sums of the next calls of a stream, drawn by ``stacks`` for another purpose."""
        self._keep(layer, dtype, stream, stack, Record.of(stack))

    def _keep(self, layer: Case, dtype: str, stream: Stream, stack: Array, record: Record) -> None:
        key = (layer, dtype, stream)
        have = self._records.get(key)
        self._records[key] = record if have is None else Record.merged(have, record)
        room = self.kept.get(layer, 0) - (len(have) if have is not None else 0)
        if stream == SCREEN and room > 0:
            # A single call lies in memory of the user's code, and a part would hold on to the rest.
            whole = stack if 1 < len(stack) <= room else stack[:room].copy()
            whole.flags.writeable = False
            self._whole.setdefault((layer, dtype), []).append(whole)
        if record.nonfinite.any() and (layer, dtype) not in self.nonfinite:
            call = int(np.flatnonzero(record.nonfinite)[0])
            where = stack[call][~np.isfinite(stack[call])]
            self.nonfinite[layer, dtype] = f"{len(where)} of {layer.weights} weights are {where[0]}"

    def glance(self, cases: Mapping[Case, int], dtype: str) -> None:
        """Draw the first calls of the screen of many small cases, looked at together: later they are on record.

        What raised, left something changed or shares memory is not kept: one by one it will be seen which it was.
        """
        missing = {c: calls for c, calls in cases.items() if self.recorded(c, dtype, SCREEN) < calls}
        for together in _batches(missing, _CHUNK):
            # Starting a generator costs more than the draws of one case: all are started together.
            started = [self._seeds_of(c, dtype, SCREEN) for c in together]
            for case, seeds, rng in zip(together, started, generators([s.entropy for s in started]), strict=True):
                seeds.begin(rng, missing[case])
            asked = [(c, self.seeds(c, dtype, SCREEN, self.recorded(c, dtype, SCREEN), missing[c])) for c in together]
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise OutOfTime
            try:
                with contained(whole=False) as seen:
                    results = self.initializer.sampler.several([(c.asked, seeds) for c, seeds in asked], dtype)
            except InitializerRaised:
                continue
            if seen.changes or seen.warnings or seen.output:
                continue
            with contextlib.suppress(BrokenCall):
                drawn = [[self.array(c, dtype, r) for r in found] for c, found in zip(together, results, strict=True)]
                if _lie_apart(itertools.chain.from_iterable(drawn)):
                    self.calls += sum(map(len, drawn))
                    stacks = [_stacked(case, arrays) for case, arrays in zip(together, drawn, strict=True)]
                    for case, stack, record in zip(together, stacks, Record.of_each(stacks), strict=True):
                        self._keep(case, dtype, SCREEN, stack, record)

    def recorded(self, layer: Case, dtype: str, stream: Stream) -> int:
        """How many calls of a stream have been reduced to sums."""
        have = self._records.get((layer, dtype, stream))
        return len(have) if have is not None else 0

    def sample(self, layer: Case, dtype: str, stream: Stream, calls: int) -> Array:
        """The first calls of a stream whole, (calls, units, inputs); for the claims that must see weights."""
        stacks = list(self.stacks(layer, dtype, stream, 0, calls))
        return stacks[0] if len(stacks) == 1 else np.concatenate(stacks)


def _batches(cases: Mapping[Case, int], most: int) -> Iterator[list[Case]]:
    """The cases, so many weights at a time."""
    together, weights = [], 0
    for case, calls in cases.items():
        together.append(case)
        weights += case.weights * calls
        if weights >= most:
            yield together
            together, weights = [], 0
    if together:
        yield together


def _lie_apart(arrays: Iterable[Array]) -> bool:
    """Whether no two of them begin at one place of memory."""
    places = [a.ctypes.data for a in arrays if a.size]
    return len(set(places)) == len(places)


def _stacked(layer: Case, arrays: list[Array]) -> Array:
    """Results as one array (calls, units, inputs) of float32 or float64."""
    # As np.stack does, which looks at every array in Python.
    stack = arrays[0][None] if len(arrays) == 1 else np.concatenate(arrays).reshape(-1, *layer.shape)
    if stack.dtype not in (np.float32, np.float64):
        # float64 for whole numbers; low precision is exact in float32.
        stack = stack.astype(np.float32 if stack.dtype.kind in "fV" else np.float64)
    return layer.as_units(stack)


def digest(array: Array) -> bytes:
    """128 bits of an array's shape, dtype and values; -0.0 and 0.0 are one value."""
    values = np.ascontiguousarray(array + array.dtype.type(0))
    head = f"{values.shape}{values.dtype}".encode()
    return hashlib.blake2b(head + values.tobytes(), digest_size=16).digest()
