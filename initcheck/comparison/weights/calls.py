"""Calls of the factory of a model by seed: what it asks for is given; what JAX compiles anew is compiled once."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.errors import UsageError

# Calls that show whether JAX compiles something anew at each, as a scan over layers; the first compiles everything.
_SHOWN = 3
_COMPILED = "/jax/core/compile/backend_compile_duration"
_NEAR = 1e-4


class Calls:
    """One factory, called by seed.

    Args:
        factory: builds a model; a parameter ``seed``, ``key`` or ``rngs`` is given one made of the seed.
    """

    def __init__(self, factory: Callable[..., Any]) -> None:
        self._factory = factory
        self._taken = set(parameters_of(factory) or ())
        self._compiled: Callable[[Any], Any] | None = None
        self._shown: list[tuple[int, Any, Any]] | None = []

    def __call__(self, seed: int) -> Any:
        """One model of a seed.

        Raises:
            UsageError: a parameter asks for a key of a library that the target does not import.
        """
        given = self._given(seed)
        if self._compiled is not None:
            return self._compiled(given["key"])
        if given.keys() != {"key"} or self._shown is None:
            return self._factory(**given)
        before = len(_compilations())
        made = self._factory(**given)
        self._shown.append((len(_compilations()) - before, given["key"], made))
        self._compile()
        return made

    def _given(self, seed: int) -> dict[str, Any]:
        given: dict[str, Any] = {}
        if "seed" in self._taken:
            given["seed"] = seed
        if "key" in self._taken:
            given["key"] = _loaded("jax").random.key(seed)
        if "rngs" in self._taken:
            given["rngs"] = _loaded("flax.nnx").Rngs(seed)
        return given

    def _compile(self) -> None:
        """Compile a factory of arrays of which each call compiles some part anew, if that gives what it gave before."""
        assert self._shown is not None
        if len(self._shown) < _SHOWN:
            return
        shown, self._shown = self._shown[1:], None
        jax = _loaded("jax")
        if not all(count and _is_tree(made, jax) for count, _, made in shown):
            return
        compiled = jax.jit(self._factory)
        try:
            alike = all(_near(made, compiled(key), jax) for _, key, made in shown)
        except Exception:  # whatever the factory cannot do while it is traced: it is called as it is
            return
        if alike:
            self._compiled = compiled


@functools.cache
def _compilations() -> list[float]:
    """What JAX has compiled since this was first asked: the seconds of each, of which only the number is looked at."""
    found: list[float] = []

    def heard(event: str, seconds: float, **_: Any) -> None:
        if event == _COMPILED:
            found.append(seconds)

    _loaded("jax").monitoring.register_event_duration_secs_listener(heard)
    return found


def _is_tree(made: Any, jax: Any) -> bool:
    return isinstance(made, Mapping) and all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(made))


def _near(one: Any, other: Any, jax: Any) -> bool:
    if jax.tree.structure(one) != jax.tree.structure(other):
        return False
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(
        x.dtype == y.dtype and np.allclose(np.asarray(x, np.float64), np.asarray(y, np.float64), _NEAR, _NEAR**2)
        for x, y in pairs
    )


def _loaded(name: str) -> Any:
    if name not in sys.modules:
        raise UsageError(f"a parameter asks for a key of {name}, which the target does not import.")
    return sys.modules[name]
