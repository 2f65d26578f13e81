"""JAX initializers ``init(key, shape, dtype)``: called one by one or in batches; what each promises."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from initcheck.adapters.frameworks import known_laws
from initcheck.adapters.frameworks.sampler import CallableSampler
from initcheck.adapters.signatures.arguments import framework_module
from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Shape
from initcheck.sandbox.global_generators import isolated

__all__ = ["JaxSampler", "known_contract"]

# Measured: a new batch size costs 0.7 s of compilation, a call in a loop 0.3 ms. So batches have one size.
_BATCH = 1024
_LEAST = 2048
_WEIGHTS = 1 << 22
_HOME = ("jax._src.nn.initializers", "jax.nn.initializers")


@dataclass
class JaxSampler(CallableSampler):
    """A function that is handed a key; very many small calls go through ``vmap``, where it allows that.

    Attributes:
        one_by_one: shapes at which the function was seen not to be the same function under ``vmap``.
    """

    one_by_one: set[Shape] = field(default_factory=set)
    _batched: dict[tuple[Shape, str], Callable[[Any], Any]] = field(default_factory=dict, repr=False)

    def calls(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """One independent call per seed."""
        shape = tuple(shape)
        affordable = len(seeds) >= _LEAST and _BATCH * int(np.prod(shape, initial=1)) <= _WEIGHTS
        keyed = len(self.slots) and [s.role for s in self._random] == ["key"]
        if not (affordable and keyed) or self.parameter is not None or shape in self.one_by_one:
            return super().calls(shape, seeds, dtype)
        results = self._in_batches(shape, seeds, dtype)
        if results is None:
            self.one_by_one.add(shape)
            return super().calls(shape, seeds, dtype)
        return results

    def _in_batches(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any] | None:
        jax = framework_module("jax")
        if (shape, dtype) not in self._batched:
            call = self.prepare(shape, dtype)
            self._batched[shape, dtype] = jax.jit(jax.vmap(lambda key: call([key])))
        batched, results = self._batched[shape, dtype], []
        make_keys = jax.vmap(jax.random.key)
        try:
            with isolated(None):
                for start in range(0, len(seeds), _BATCH):
                    chunk = list(seeds[start : start + _BATCH])
                    padded = np.array(chunk + [0] * (_BATCH - len(chunk)), dtype=np.uint32)
                    results += list(np.asarray(batched(make_keys(padded))))[: len(chunk)]
        except Exception:  # what cannot be traced is called one by one, where its own errors are its own
            return None
        # Code that draws from NumPy runs once under vmap and would repeat one draw in every call.
        ends = (0, len(seeds) - 1)
        for place, alone in zip(ends, super().calls(shape, [seeds[e] for e in ends], dtype), strict=True):
            if not np.allclose(np.asarray(alone), results[place], rtol=1e-3, atol=0, equal_nan=True):
                return None
        return results


def known_contract(function: Any) -> Contract | None:
    """What a function made by ``jax.nn.initializers`` promises, read off the values it closed over.

    None for everything else.
    """
    if getattr(function, "__module__", None) not in _HOME or not inspect.isfunction(function):
        return None
    kind = function.__qualname__.partition(".")[0]
    closed = dict(inspect.getclosurevars(function).nonlocals)
    contract = _law(kind, closed)
    if contract is None:
        return None
    layout, notes = _layout(closed)
    said = {**contract.said(), **({"layout": layout} if layout else {})}
    return known_laws.known(said, contract.notes + notes)


def _law(kind: str, closed: dict[str, Any]) -> Contract | None:
    if kind == "variance_scaling" and {"scale", "mode", "distribution"} <= set(closed):
        return known_laws.variance_scaling(float(closed["scale"]), closed["mode"], closed["distribution"])
    if kind == "normal" and "stddev" in closed:
        return known_laws.fixed_std(float(closed["stddev"]), "normal")
    if kind == "uniform" and "scale" in closed:
        return known_laws.fixed_std(float(closed["scale"]) / 12**0.5, "uniform")
    if kind == "truncated_normal" and {"stddev", "lower", "upper"} <= set(closed):
        return known_laws.truncated(float(closed["stddev"]), float(closed["lower"]), float(closed["upper"]))
    if kind == "orthogonal" and "scale" in closed:
        return known_laws.orthogonal(float(closed["scale"]))
    if kind == "delta_orthogonal":
        return known_laws.known({"entries": "dependent", "distribution": "sparse"})
    if kind in ("zeros", "ones", "constant"):
        return known_laws.constant("constant")
    return None


def _layout(closed: dict[str, Any]) -> tuple[str | None, tuple[str, ...]]:
    axes = closed.get("in_axis", -2), closed.get("out_axis", closed.get("column_axis", -1))
    if axes[0] in (-2, 0) and axes[1] in (-1, 1):
        return "in_out", ()
    if axes[0] in (-1, 1) and axes[1] in (-2, 0):
        return "out_in", ()
    return None, (f"in_axis={axes[0]!r}, out_axis={axes[1]!r} is no layout that a contract can name.",)


def ranks_of(function: Any) -> tuple[int, ...]:
    """Numbers of axes that a function made by ``jax.nn.initializers`` accepts, where that is known."""
    kind = getattr(function, "__qualname__", "").partition(".")[0]
    if getattr(function, "__module__", None) not in _HOME:
        return ()
    many = {"variance_scaling": (2, 3, 4, 5), "orthogonal": (2, 3, 4, 5), "delta_orthogonal": (3, 4, 5)}
    return many.get(kind, (1, 2, 3, 4, 5))
