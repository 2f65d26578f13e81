"""Builds of a model of JAX: the initialisation is traced once, then run equation by equation, key by key."""

from __future__ import annotations

import contextlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import jax
import numpy as np

from initcheck.adapters.frameworks.cheaply_compiled import own_calls_compiled_cheaply
from initcheck.contract.model import Model
from initcheck.errors import UsageError
from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.builds.build import Builder, first_line, quiet
from initcheck.models.builds.sums import Twins
from initcheck.models.frameworks.array_facts import ArrayFacts, Made, recorded
from initcheck.models.lineage.jax_keys import Known, run
from initcheck.models.lineage.jax_origins import Origin
from initcheck.models.living.jax_autodiff import JaxAutodiff
from initcheck.models.living.leaves import Leaf, stacks_of, unstacked_name
from initcheck.models.living.live_arrays import LiveArrays
from initcheck.models.living.model import Living
from initcheck.models.signals.listener import Listener
from initcheck.models.signals.signal import FEWEST_BLOCKS, Signal
from initcheck.sandbox.global_generators import isolated

_FEW = 2**22
_KEYS = ("rngs", "key", "rng", "prng_key", "rng_key")


class JaxFacts(ArrayFacts):
    """The builds of one factory of models of linen, nnx or Equinox.

    A factory with a parameter ``key``, ``rng`` or ``rngs`` is given one, with ``seed`` a number. Of one that takes
    neither, the seeds that it writes are changed from build to build, all in the same way: two equal ones stay equal.
    """

    impossible: ClassVar[Mapping[str, str]] = {
        "unwritten": "JAX hands out no memory that nobody wrote",
        "overwritten": "arrays of JAX are never written over: another takes the place of one",
        "bfloat16": "no default dtype makes a model of JAX in bfloat16; its param_dtype is an argument",
        "writers": "which layers write to the residual stream is measured in modules of torch alone",
    }
    fixes: ClassVar[Mapping[str, str]] = {
        "one state": "give every draw a key of its own, from jax.random.split or the next call of rngs",
        "seed": "draw it from the key, or rngs, that the factory is given",
    }

    def __init__(self, model: Model, framework: str, seed: int) -> None:
        super().__init__(Builder(model.factory, model.name), seed, model.models)
        self._framework = framework
        make = ArrayBatch.maker(model.batch)
        self._given = make() if make is not None else None
        self._autodiff = JaxAutodiff()
        self._listener = Listener(make)
        self._seeded = self.builder.takes("seed") is not None
        self._keyed = self.builder.takes(*_KEYS)
        self._traced: tuple[Any, Living] | None = None

    def make(self, seed: int, *, units: bool) -> Made:
        """Build once; a factory that is given a key is traced for the first build alone.

        Raises:
            UsageError: the factory raises, or returns no model of its framework.
        """
        key = jax.random.key(seed % 2**31)
        with quiet(), isolated(seed):
            try:
                closed, living = self._trace(seed, key)
                # What is compiled cheaply draws a fifth as fast.
                few = sum(math.prod(a.shape) for a in closed.out_avals) <= _FEW
                with own_calls_compiled_cheaply() if few else contextlib.nullcontext():
                    known = run(closed, [key], salt=0 if self._takes_chance else 1 + seed % (2**30))
                note = None
            except UsageError:
                raise
            except Exception as error:
                # What looks at its numbers while it is built cannot be traced: it is built, and judged by numbers.
                arrays, living = self._parts(seed, key)
                known = [Known(a) for a in arrays]
                note = f"which key each array was drawn from is not known: {first_line(error, 120)}"
        leaves, records, living.stacked = _records(living.leaves, known, units=units)
        return Made(leaves, records, living, [k.value for k in known], note)

    def hear(self, made: Made, constants: Sequence[str], twins: Mapping[str, Twins], *, whole: bool) -> Signal:
        """Listen to a model that was just built."""
        live = LiveArrays(self._autodiff, made.living, made.arrays)
        return self._listener.hear(live, constants, twins, whole=whole)

    @property
    def _takes_chance(self) -> bool:
        return self._seeded or self._keyed is not None or self._framework == "linen"

    def _trace(self, seed: int, key: Any) -> tuple[Any, Living]:
        if self._traced is not None and not self._seeded and self._takes_chance:
            return self._traced
        found: list[Living] = []

        def build(given: Any) -> list[Any]:
            arrays, living = self._parts(seed, given)
            found.append(living)
            return arrays

        closed = jax.make_jaxpr(build)(key)
        self._traced = closed, found[-1]
        return self._traced

    def _parts(self, seed: int, key: Any) -> tuple[list[Any], Living]:
        """Call the factory and take its model apart."""
        given: dict[str, Any] = {}
        if self._seeded:
            given["seed"] = seed % 2**31
        if self._keyed == "rngs":
            from flax import nnx

            given["rngs"] = nnx.Rngs(key)
        elif self._keyed is not None:
            given[self._keyed] = key
        model = self.builder.factory(**given)
        extra = None
        if isinstance(model, tuple) and len(model) == 2:
            model, extra = model
        if self._framework == "nnx":
            from initcheck.models.frameworks.nnx_model import nnx_parts  # imports Flax

            return nnx_parts(model)
        if self._framework == "equinox":
            from initcheck.models.frameworks.equinox_model import equinox_parts  # imports Equinox

            return equinox_parts(model, extra)
        return self._linen_parts(model, extra, key)

    def _linen_parts(self, module: Any, variables: Any, key: Any) -> tuple[list[Any], Living]:
        from flax import linen

        # imports Flax: only for a model of its own
        from initcheck.models.frameworks.linen_model import linen_batch, linen_init, linen_parts

        kinds: dict[tuple[str, ...], str] = {}

        def told(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
            kinds.setdefault(tuple(context.module.path), type(context.module).__name__)
            return call(*args, **kwargs)

        batch = self._given
        if batch is None:
            batch = self._given = linen_batch(module, jax.random.key(0))
            self._listener = Listener(lambda: batch)
        with linen.intercept_methods(told):
            if variables is None:
                variables = linen_init(module, key, batch)
            else:
                jax.eval_shape(lambda k: linen_init(module, k, batch), jax.random.key(0))
        return linen_parts(module, variables, kinds)


def _records(
    leaves: Sequence[Leaf], known: Sequence[Known], *, units: bool
) -> tuple[list[Leaf], list[Any], dict[str, int]]:  # fmt: skip
    """One record an array, one a slice where it was drawn slice by slice; and the layers that hold slices alone."""
    lengths = {i: len(k.origin.slices) for i, k in enumerate(known) if k.origin is not None and k.origin.slices}
    constants = {
        i: np.shape(k.value) for i, k in enumerate(known) if k.origin is not None and not k.origin.draws
    }  # fmt: skip
    depths = stacks_of(leaves, lengths, {i: shape for i, shape in constants.items() if shape})
    beside = _beside(leaves, known, lengths, depths)
    depths |= beside
    found: list[Leaf] = []
    records: list[Any] = []
    for i, (leaf, one) in enumerate(zip(leaves, known, strict=True)):
        values = np.asarray(one.value)
        if i not in depths:
            found.append(leaf)
            steps = one.origin.steps if one.origin is not None else ()
            records.append(recorded(leaf, values, units=units, memory=(len(records), 0), steps=steps))
            continue
        for number in range(values.shape[0]):
            part = unstacked_name(leaf, depths[i], number)
            found.append(part)
            steps = _slice_steps(one.origin, number, values[number].size)
            records.append(recorded(part, values[number], units=units, memory=(len(records), 0), steps=steps))
    return found, records, _stacked(leaves, {i: int(np.shape(known[i].value)[0]) for i in depths})


def _stacked(leaves: Sequence[Leaf], slices: Mapping[int, int]) -> dict[str, int]:
    """Layers whose every array is a stack of as many slices as a chain has blocks at least -> how many.

    Args:
        leaves: of the model.
        slices: number of a leaf that is a stack -> of how many.
    """
    under: dict[str, set[int]] = defaultdict(set)
    for i, leaf in enumerate(leaves):
        for n in range(1, len(leaf.path)):
            under[".".join(leaf.path[:n])].add(slices.get(i, 0))
    return {name: min(counts) for name, counts in under.items() if len(counts) == 1 and min(counts) >= FEWEST_BLOCKS}


def _beside(
    leaves: Sequence[Leaf], known: Sequence[Known], lengths: Mapping[int, int], depths: Mapping[int, int]
) -> dict[int, int]:  # fmt: skip
    """Arrays that stand beside stacks and have as many slices: the biases, which no key was drawn for."""
    prefixes = {(leaves[i].path[:depth], lengths[i]): depth for i, depth in depths.items()}
    found = {}
    for i, (leaf, one) in enumerate(zip(leaves, known, strict=True)):
        shape = np.shape(one.value)
        for (prefix, length), depth in prefixes.items():
            if i not in depths and depth and leaf.path[:depth] == prefix and shape[:1] == (length,):
                found[i] = depth
    return found


def _slice_steps(origin: Origin | None, number: int, entries: int) -> tuple[Any, ...]:
    if origin is None:
        return ()
    if origin.slices:
        return origin.slices[number].steps
    return tuple(replace(s, start=0, stop=entries, region=None, mask=None) for s in origin.steps if s.dense)
