"""Many draws of one JAX function at once: traced, and compiled once for all shapes, or once a shape."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.frameworks.cheaply_compiled import compiled
from initcheck.adapters.frameworks.pointwise import MOST_CALLS, pointwise
from initcheck.adapters.signatures.arguments import framework_module
from initcheck.contract.initializer import Shape
from initcheck.sandbox.global_generators import isolated

Array = npt.NDArray[Any]
Call = Callable[[Any], Any]
Function = Callable[[Array], Any]
Traced = Callable[[Shape, str], Call]
Own = Callable[[Shape, Sequence[int], str], list[Any]]
Sources = Callable[[Sequence[int]], Array]

# Numbers of one batch, which has one size a shape: a claim that asks for a few calls pays for a batch.
_WEIGHTS = 2**16
# What LAPACK does of a batch, as it stands in the text of a trace.
_SOLVES = re.compile(
    r"\b(cholesky|eigh?|geq\w+|hessenberg|householder_product|lu|qr|schur|svd|triangular_solve|tridiag\w*)\["
)
# Calls of the user's own that a compiled function is compared with, before any of it is believed.
_COMPARED = 64


@dataclass(frozen=True)
class Kind:
    """What a call gives.

    Attributes:
        weights: about how many numbers.
        fits: whether a traced result is what is meant.
    """

    weights: int
    fits: Callable[[Any], bool]


@dataclass
class Compiled:
    """The compiled functions of one initializer, a shape and dtype each; of a layer, of all its weights at a size.

    A function is refused that is another one when it is traced: one that fails there, that is traced to something
    else the second time (it draws from NumPy, or counts its calls), or whose 64 own calls give other weights.

    Attributes:
        called: shapes of own calls, the first one first: another one costs no compilation there.
        trusted: whether it agreed with own calls at some shape; None while it was not compared.
        keeps: whether a call may leave something behind for the next one: then it is traced ``as_if_called``.
    """

    called: dict[Shape, None] = field(default_factory=dict)
    trusted: bool | None = None
    keeps: bool = False
    _functions: dict[tuple[Shape, str], Function | None] = field(default_factory=dict, repr=False)

    def drawn(
        self,
        shape: Shape,
        dtype: str,
        seeds: Sequence[int],
        traced: Traced,
        own: Own,
        *,
        sources: Sources | None = None,
        of: Callable[[Shape], Kind] | None = None,
        compared_at: Shape | None = None,
    ) -> list[Any] | None:
        """The weights of one call a seed; None where they must be drawn one by one.

        Args:
            shape: asked for.
            dtype: asked for.
            seeds: whole numbers in [0, 2^31).
            traced: makes the call at a shape and dtype of one source, which may be traced.
            own: the user's own calls, one a seed.
            sources: what calls of so many seeds are traced with, (seeds, ...); the seeds themselves by default.
            of: what a call at a shape gives; an array of that shape by default.
            compared_at: the shape at which own calls are made for comparison, if not where one was made already.
        """

        def asked(at: Shape) -> _Asked:
            kind = (of or _array)(at)
            made = (lambda *where: as_if_called(traced(*where))) if self.keeps else traced
            return _Asked(at, dtype, made, own, sources or _numbers, _calls_a_batch(kind.weights), kind.fits)

        if self.trusted is None and seeds:
            # Where the user's own call is compiled already.
            at = asked(compared_at or next(iter(self.called), shape))
            self.trusted = (not self.keeps or _repeats(at, seeds[0])) and self._agrees(at, seeds[0])
        function = self._function(asked(shape)) if self.trusted else None
        return list(_run(asked(shape), function, seeds)) if function is not None else None

    def _function(self, asked: _Asked) -> Function | None:
        key = (asked.shape, asked.dtype)
        if key not in self._functions:
            # What a call keeps is kept of a call first: of a trace it would be a tracer, where it hangs on the source.
            called = not self.keeps or _was_called(asked)
            self._functions[key] = _function_of(asked) if called else None
        return self._functions[key]

    def _agrees(self, asked: _Asked, seed: int) -> bool:
        """Whether own calls give what the compiled function does; at one shape, as all share its code.

        What is kept between calls shows in many of them, so more are made than were asked for.
        """
        function = self._function(asked)
        if function is None:
            return False
        compared = [(seed + n) % 2**31 for n in range(_COMPARED)]
        leaves = framework_module("jax").tree_util.tree_leaves
        try:
            own = asked.own(asked.shape, compared, asked.dtype)
            for alone, batched in zip(own, _run(asked, function, compared), strict=True):
                if not all(_is_near(a, b) for a, b in zip(leaves(alone), leaves(batched), strict=True)):
                    return False
        except Exception:  # either may raise in any way: then every call is the user's own, whose errors are told
            return False
        return True


def _repeats(asked: _Asked, seed: int) -> bool:
    """Whether a call of the user's own is the same again after another one: what counts its calls is never traced."""
    leaves = framework_module("jax").tree_util.tree_leaves
    try:
        first, _, again = asked.own(asked.shape, [seed, (seed + 1) % 2**31, seed], asked.dtype)
        same = zip(leaves(first), leaves(again), strict=True)
        return all(np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True) for a, b in same)
    except Exception:  # told where the calls are made one by one
        return False


def _was_called(asked: _Asked) -> bool:
    """Make one call of the user's own; False where it raises, as every further one may tell."""
    try:
        asked.own(asked.shape, [0], asked.dtype)
    except Exception:
        return False
    return True


def as_if_called(call: Call) -> Call:
    """What does not hang on the source is made of numbers while it is traced, as in a call.

    A table that the user's code keeps from its first call, in a cache or a dict, would hold a tracer otherwise, and
    raise in every later call. Costs what these numbers cost to compile, at every shape.
    """
    numbers = framework_module("jax").ensure_compile_time_eval

    def traced(source: Any) -> Any:
        with numbers():
            return call(source)

    return traced


@dataclass(frozen=True)
class _Asked:
    """What ``Compiled.drawn`` was asked for, and how many calls make a batch."""

    shape: Shape
    dtype: str
    traced: Traced
    own: Own
    sources: Sources
    batch: int
    fits: Callable[[Any], bool]


def _function_of(asked: _Asked) -> Function | None:
    jax = framework_module("jax")
    try:
        # In one stretch: a second trace meets the generators where the first one left them.
        with isolated(None):
            call = asked.traced(asked.shape, asked.dtype)
            source = asked.sources([0])[0]
            twice = [jax.jit(lambda s: call(s)).trace(source) for _ in "ab"]
            text, again = map(_text, twice)
            # What calls back into Python does there what no trace shows.
            if text != again or "_callback[" in text[0]:
                return None
            if not asked.fits(twice[0].out_info):
                return None
            with _kept_where_the_user_keeps(jax):
                sources = np.stack([source] * asked.batch)
                return _of_all_shapes(jax, twice[0]) or _of_one_shape(jax, _batched(jax, call, text[0]), sources)
    except Exception:  # what cannot be traced is called one by one, where its own errors are its own
        return None


def _of_all_shapes(jax: Any, traced: Any) -> Function | None:
    try:
        made = pointwise(traced.jaxpr)
    except Exception:  # a JAX that knows another form of it
        return None
    structure = jax.tree_util.tree_structure(traced.out_info)
    return None if made is None else lambda sources: structure.unflatten(made(sources))


def _batched(jax: Any, call: Call, text: str) -> Call:
    """Calls of many sources, side by side; one behind another where they solve equations.

    A batch of QR decompositions waits, in a thread of XLA's, for parts of its own that want a thread too: as many of
    them as there are threads, such as the orthogonal kernels of a GRU on two cores, wait for ever.
    """
    if _SOLVES.search(text):
        return lambda sources: jax.lax.map(call, sources)
    side_by_side: Call = jax.vmap(call)
    return side_by_side


def _of_one_shape(jax: Any, call: Call, batch: Array) -> Function:
    built = _built(jax, call, batch)

    def of_sources(sources: Array) -> Any:
        padded = batch.copy()
        padded[: len(sources)] = sources
        return built(padded)

    return of_sources


def _run(asked: _Asked, function: Function, seeds: Sequence[int]) -> Iterator[Any]:
    tree = framework_module("jax").tree_util
    with isolated(None):
        for start in range(0, len(seeds), asked.batch):
            chunk = asked.sources(seeds[start : start + asked.batch])
            leaves, structure = tree.tree_flatten(function(chunk))
            if len(leaves) == 1 and tree.treedef_is_leaf(structure):
                yield from np.asarray(leaves[0])[: len(chunk)]
                continue
            whole = [np.asarray(leaf) for leaf in leaves]
            for number in range(len(chunk)):
                yield structure.unflatten([leaf[number] for leaf in whole])


def _is_near(alone: Any, batched: Array) -> bool:
    size = float(np.abs(batched).max(initial=0.0))
    return np.allclose(np.asarray(alone), batched, rtol=1e-3, atol=1e-5 * size, equal_nan=True)


def _numbers(seeds: Sequence[int]) -> Array:
    return np.asarray(seeds, np.uint32)


def _array(shape: Shape) -> Kind:
    return Kind(math.prod(shape), lambda result: getattr(result, "shape", None) == shape)


def _calls_a_batch(weights: int) -> int:
    """
    >>> _calls_a_batch(1), _calls_a_batch(64 * 64), _calls_a_batch(2**20)
    (1024, 16, 1)
    """
    return max(1, min(_WEIGHTS // max(weights, 1), MOST_CALLS))


def _text(traced: Any) -> tuple[str, list[bytes]]:
    """A traced function as text, with the arrays that it holds: the same where its code did the same."""
    jax, jaxpr = framework_module("jax"), traced.jaxpr
    dtypes, numbers = jax.dtypes, jax.random.key_data
    plain = (numbers(c) if dtypes.issubdtype(c.dtype, dtypes.prng_key) else c for c in jaxpr.consts)
    return str(jaxpr), [np.asarray(constant).tobytes() for constant in plain]


def _built(jax: Any, call: Call, batch: Array) -> Callable[[Array], Any]:
    lowered = compiled(call).trace(batch).lower()  # type: ignore[attr-defined]
    try:
        built: Callable[[Array], Any] = lowered.compile()
    except jax.errors.JaxRuntimeError:  # an XLA that knows other options
        built = jax.jit(call)
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
