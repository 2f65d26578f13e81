"""Arrays that a model of JAX multiplies by itself, as in a list of them, listened to as layers are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import jax

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.model import Layer, Living, Tap

_NUMBERED = re.compile(r"\d+$")
_INLINED = frozenset(("pjit", "jit", "closed_call", "core_call", "checkpoint", "remat", "remat2"))
"""Calls of a function that JAX compiles or computes twice: what it does is done in their place."""
_PRODUCTS = frozenset(("dot_general", "conv_general_dilated"))
_Named = Mapping[Any, str]


class OwnMatrices(Living):
    """A model whose layers are the matrices that it holds by number, and no module around them.

    It is traced, and the operations are done one by one: a product with one of the matrices is a pass through a layer.

    Args:
        living: runs the model.
        shapes: of its arrays.
    """

    def __init__(self, living: Living, shapes: Sequence[tuple[int, ...]]) -> None:
        self.name, self.leaves = living.name, living.leaves
        self._living = living
        self._names = matrices_by_number(living, shapes)
        self.layers = [Layer(tuple(name.split(".")), "x".join(map(str, shapes[i]))) for i, name in self._names.items()]

    def run(self, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Mapping[str, Any]) -> Any:
        """Call the model on a batch; the tap is told of the products with matrices that are heard."""
        if tap is None or not heard:
            return self._living.run(arrays, batch, None, {})
        rest: list[Any] = []
        places: list[int] = []
        trees: list[Any] = []

        def outputs(given: list[Any]) -> list[Any]:
            leaves, tree = jax.tree.flatten(self._living.run(given, batch, None, {}))
            numbers = [i for i, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)]
            rest[:], places[:], trees[:] = leaves, numbers, [tree]
            return [leaves[i] for i in numbers]

        closed = jax.make_jaxpr(outputs)(list(arrays))
        names = {closed.jaxpr.invars[i]: name for i, name in self._names.items() if name in heard}
        made, _ = _played(closed.jaxpr, closed.consts, list(arrays), names, tap)
        for i, array in zip(places, made, strict=True):
            rest[i] = array
        return jax.tree.unflatten(trees[0], rest)

    def candidates(self, shapes: Mapping[str, tuple[int, ...]]) -> Sequence[str]:
        """Batches of the model."""
        return self._living.candidates(shapes)


def matrices_by_number(living: Living, shapes: Sequence[tuple[int, ...]]) -> dict[int, str]:
    """Which arrays are matrices of a numbered list, one to a number, and no module's; and the name of each as a layer.

    In a list of pairs of a matrix and a vector, the pair is the layer.
    """
    modules = {layer.path for layer in living.layers}
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, (leaf, shape) in enumerate(zip(living.leaves, shapes, strict=True)):
        numbered = [k for k, part in enumerate(leaf.path) if _NUMBERED.search(part)]
        if leaf.parameter and len(shape) == 2 and numbered:
            # Of a list of pairs the last number tells the matrix from the vector beside it.
            ends = [k for k in numbered if _is_alone(living, shapes, leaf.path[: k + 1])]
            if ends and leaf.path[: ends[0] + 1] not in modules:
                found[leaf.path[: ends[0] + 1]].append(i)
    return {several[0]: ".".join(path) for path, several in found.items()}


def _is_alone(living: Living, shapes: Sequence[tuple[int, ...]], path: tuple[str, ...]) -> bool:
    """Whether one matrix, and no more, stands under a path."""
    under = [
        shape for leaf, shape in zip(living.leaves, shapes, strict=True)
        if leaf.path[: len(path)] == path and len(shape) > 1
    ]  # fmt: skip
    return len(under) == 1


def _played(
    jaxpr: Any, consts: Sequence[Any], args: Sequence[Any], names: _Named, tap: Tap
) -> tuple[list[Any], list[str | None]]:
    """What the operations make of some arrays, and which of the results is one of the matrices, turned or scaled."""
    values = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *args), strict=True))
    known = dict(names)

    def read(atom: Any) -> Any:
        return atom.val if hasattr(atom, "val") else values[atom]

    def name_of(atom: Any) -> str | None:
        return None if hasattr(atom, "val") else known.get(atom)

    for step in jaxpr.eqns:
        given, named = [read(v) for v in step.invars], [name_of(v) for v in step.invars]
        kind, inside = step.primitive.name, step.params.get("jaxpr") or step.params.get("call_jaxpr")
        whose: Sequence[str | None] = [None] * len(step.outvars)
        if kind in _INLINED and inside is not None:
            body = getattr(inside, "jaxpr", inside)
            inner = {v: name for v, name in zip(body.invars, named, strict=True) if name is not None}
            made, whose = _played(body, getattr(inside, "consts", ()), given, inner, tap)
        else:
            made = _done(step, given)
            factor = next((name for name in named if name is not None), None)
            if factor is not None and len(made) == 1:
                others = [a for a, name in zip(given, named, strict=True) if name is None]
                if kind in _PRODUCTS and len(others) == 1:
                    made = [tap(factor, others[0], made[0])]
                elif all(jax.numpy.size(other) == 1 for other in others) and made[0].size == _size(given, named):
                    whose = [factor]
        values |= dict(zip(step.outvars, made, strict=True))
        known |= {v: name for v, name in zip(step.outvars, whose, strict=True) if name is not None}
    return [read(v) for v in jaxpr.outvars], [name_of(v) for v in jaxpr.outvars]


def _done(step: Any, given: Sequence[Any]) -> list[Any]:
    """What one operation makes; the functions that it calls stood beside its parameters until JAX 0.10."""
    found = step.primitive.get_bind_params(step.params)
    functions, parameters = found if isinstance(found, tuple) else ((), found)
    made = step.primitive.bind(*functions, *given, **parameters)
    return list(made) if step.primitive.multiple_results else [made]


def _size(given: Sequence[Any], named: Sequence[str | None]) -> int:
    return next(int(a.size) for a, name in zip(given, named, strict=True) if name is not None)
