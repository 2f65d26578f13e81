"""Functions of JAX compiled once a shape: whole numbers in, the weights of as many calls out."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.signatures.arguments import framework_module
from initcheck.contract.initializer import Shape
from initcheck.sandbox.global_generators import isolated

__all__ = ["Compiled"]

Array = npt.NDArray[Any]
Call = Callable[[Any], Any]
Function = Callable[[Array], Any]
Traced = Callable[[Shape, str], Call]
Own = Callable[[Shape, Sequence[int], str], list[Any]]

# Measured on jaxlib 0.10: at XLA's own level the batch of a shape takes 1.7 CPU seconds to compile, at this one 0.25
# with the same bits, and runs as fast. On level 0 it takes 0.1 and runs five times as long.
_CHEAP = {
    "xla_backend_optimization_level": 2,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
}
# Numbers of one batch, which has one size a shape: a claim that asks for a few calls pays for a batch.
_WEIGHTS, _MOST_CALLS = 2**14, 1024
# Calls of the user's own that a compiled function is compared with, before any of it is believed.
_COMPARED = 64


@dataclass
class Compiled:
    """The compiled functions of one initializer, a shape and dtype each.

    A function is refused that is another one when it is traced: one that fails there, that is traced to something
    else the second time (it draws from NumPy, or counts its calls), or whose 64 own calls give other weights.

    Attributes:
        called: shapes of own calls, the first one first: another one costs no compilation there.
        trusted: whether it agreed with own calls at some shape; None while it was not compared.
    """

    called: dict[Shape, None] = field(default_factory=dict)
    trusted: bool | None = None
    _functions: dict[tuple[Shape, str], Function | None] = field(default_factory=dict, repr=False)

    def drawn(self, shape: Shape, dtype: str, seeds: Sequence[int], traced: Traced, own: Own) -> list[Any] | None:
        """The weights of one call a seed; None where they must be drawn one by one.

        Args:
            shape: asked for.
            dtype: asked for.
            seeds: whole numbers in [0, 2^31).
            traced: makes the call at a shape and dtype of one seed, which may be a traced number.
            own: the user's own calls, one a seed.
        """
        if self.trusted is None and seeds:
            self.trusted = self._agrees(next(iter(self.called), shape), dtype, seeds[0], traced, own)
        function = self._function(shape, dtype, traced) if self.trusted else None
        return list(self._run(shape, function, seeds)) if function is not None else None

    def _function(self, shape: Shape, dtype: str, traced: Traced) -> Function | None:
        key = (shape, dtype)
        if key not in self._functions:
            self._functions[key] = self._compiled(shape, dtype, traced)
        return self._functions[key]

    def _compiled(self, shape: Shape, dtype: str, traced: Traced) -> Function | None:
        jax = framework_module("jax")
        example = np.zeros(_calls_a_batch(shape), np.uint32)
        options = _CHEAP if jax.default_backend() == "cpu" else None
        try:
            # In one stretch: a second trace meets the generators where the first one left them.
            with isolated(None):
                call = traced(shape, dtype)
                twice = [jax.jit(jax.vmap(lambda s: call(s)), compiler_options=options).trace(example) for _ in "ab"]
                same, one = _text(twice[0]) == _text(twice[1]), _is_one_array(twice[0].out_info, len(example), shape)
                # What calls back into Python does there what no trace shows.
                if not (same and one) or "_callback[" in _text(twice[0])[0]:
                    return None
                with _kept_where_the_user_keeps(jax):
                    return _built(jax, twice[0], call)
        except Exception:  # what cannot be traced is called one by one, where its own errors are its own
            return None

    def _agrees(self, shape: Shape, dtype: str, seed: int, traced: Traced, own: Own) -> bool:
        """Whether own calls give what the compiled function does; at one shape, as all share its code.

        What is kept between calls shows in many of them, so more are made than were asked for.
        """
        function = self._function(shape, dtype, traced)
        if function is None:
            return False
        compared = [(seed + n) % 2**31 for n in range(_COMPARED)]
        try:
            for alone, batched in zip(own(shape, compared, dtype), self._run(shape, function, compared), strict=True):
                size = float(np.abs(batched).max(initial=0.0))
                if not np.allclose(np.asarray(alone), batched, rtol=1e-3, atol=1e-5 * size, equal_nan=True):
                    return False
        except Exception:
            return False
        return True

    def _run(self, shape: Shape, function: Function, seeds: Sequence[int]) -> Iterator[Array]:
        size = _calls_a_batch(shape)
        with isolated(None):
            for start in range(0, len(seeds), size):
                chunk = seeds[start : start + size]
                padded = np.zeros(size, np.uint32)
                padded[: len(chunk)] = chunk
                yield from np.asarray(function(padded))[: len(chunk)]


def _calls_a_batch(shape: Shape) -> int:
    """
    >>> _calls_a_batch((1, 1)), _calls_a_batch((64, 64)), _calls_a_batch((1024, 1024))
    (1024, 4, 1)
    """
    return max(1, min(_WEIGHTS // max(math.prod(shape), 1), _MOST_CALLS))


def _text(traced: Any) -> tuple[str, list[bytes]]:
    """A traced function as text, with the arrays that it holds: the same where its code did the same."""
    jaxpr = traced.jaxpr
    return str(jaxpr), [np.asarray(constant).tobytes() for constant in jaxpr.consts]


def _is_one_array(result: Any, calls: int, shape: Shape) -> bool:
    return getattr(result, "shape", None) == (calls, *shape)


def _built(jax: Any, traced: Any, call: Call) -> Function:
    lowered = traced.lower()
    try:
        built: Function = lowered.compile()
    except jax.errors.JaxRuntimeError:  # an XLA that knows other options
        built = jax.jit(jax.vmap(call))
    return built


@contextlib.contextmanager
def _kept_where_the_user_keeps(jax: Any) -> Iterator[None]:
    """Let JAX's persistent cache, where the user has one, keep what compiles in less than the second it asks for."""
    least = "jax_persistent_cache_min_compile_time_secs"
    before = getattr(jax.config, least, None)
    if not jax.config.jax_compilation_cache_dir or before is None:
        yield
        return
    jax.config.update(least, 0.0)
    try:
        yield
    finally:
        jax.config.update(least, before)
