"""A model of JAX whose blocks are stacked for a scan, run block by block: each pass has its number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.model import Living, Tap


class Passes:
    """Which calls of a stacked layer are the signal's passes through its blocks, by the first run listened to.

    A scan calls its layer also to learn what shapes it makes: a call without numbers is no pass.

    Attributes:
        stacked: name of a stacked layer -> number of its blocks.
        found: name of a stacked layer -> which of its calls are passes, once a first run was listened to.
    """

    def __init__(self, stacked: Mapping[str, int]) -> None:
        self.stacked = stacked
        self.found: dict[str, list[int]] = {}

    def first_run(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap, heard: Iterable[str]
    ) -> Any:
        """Run on numbers; the tap is told of every layer, a stacked one by the number of its pass."""
        calls: Counter[str] = Counter()
        passes: dict[str, list[int]] = {name: [] for name in self.stacked}

        def numbered(name: str, given: Any, made: Any) -> Any:
            if name not in self.stacked:
                return tap(name, given, made)
            number = calls[name]
            calls[name] += 1
            if any(isinstance(a, jax.core.Tracer) for a in jax.tree.leaves(made)):
                return made
            passes[name].append(number)
            return tap(f"{name}.{len(passes[name]) - 1}", given, made)

        output = _run(living, arrays, batch, numbered, {*heard, *self.stacked}, unroll=bool(self.stacked))
        whole = [name for name, numbers in passes.items() if len(numbers) == self.stacked[name]]
        outermost = [n for n in whole if not any(n.startswith(f"{other}.") for other in whole)]
        self.found = {name: passes[name] for name in outermost}
        return output

    def run(self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap, names: Iterable[str]) -> Any:
        """Run on anything that can be traced; the tap is told of these names, as the first run was."""
        calls: Counter[str] = Counter()
        blocks = {f"{name}.{k}": name for name, numbers in self.found.items() for k in range(len(numbers))}

        def numbered(name: str, given: Any, made: Any) -> Any:
            if name not in self.found:
                return tap(name, given, made)
            number = calls[name]
            calls[name] += 1
            passes = self.found[name]
            return tap(f"{name}.{passes.index(number)}", given, made) if number in passes else made

        heard = {blocks.get(name, name) for name in names}
        return _run(living, arrays, batch, numbered, heard, unroll=any(name in blocks for name in names))


def _run(
    living: Living, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap, heard: Iterable[str], *, unroll: bool
) -> Any:  # fmt: skip
    if not unroll:
        return living.run(arrays, batch, tap, dict.fromkeys(heard))
    args, kwargs = jax.tree.map(_of_jax, (batch.args, dict(batch.kwargs)))
    with _unrolled():
        return living.run(arrays, ArrayBatch(args, kwargs, batch.text), tap, dict.fromkeys(heard))


def _of_jax(value: Any) -> Any:
    """What a loop carries must be of one class from its first round on."""
    return jnp.asarray(value) if isinstance(value, np.ndarray) else value


@contextmanager
def _unrolled() -> Iterator[None]:
    """A scan is a loop, and what is to be computed twice is computed once: neither changes a number."""
    with (
        jax.disable_jit(),
        mock.patch.object(jax, "checkpoint", _itself),
        mock.patch.object(jax, "remat", _itself),
    ):
        yield


def _itself(function: Any = None, **_how: Any) -> Any:
    return _itself if function is None else function
