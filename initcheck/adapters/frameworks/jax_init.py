"""JAX initializers ``init(key, shape, dtype)``: called one by one or in batches; what each promises."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from initcheck.adapters.frameworks import known_laws
from initcheck.adapters.frameworks.cheaply_compiled import own_calls_compiled_cheaply
from initcheck.adapters.frameworks.compiled import Compiled
from initcheck.adapters.frameworks.sampler import CallableSampler
from initcheck.adapters.signatures.arguments import framework_module
from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Shape
from initcheck.sandbox.global_generators import isolated

_HOME = ("jax._src.nn.initializers", "jax.nn.initializers")


@dataclass
class JaxSampler(CallableSampler):
    """A function that is handed a key; where it can be traced, it is compiled once a shape for many calls.

    Attributes:
        keeps: whether a call may leave something behind for the next one.
        compiled: the compiled functions.
    """

    keeps: bool = False
    compiled: Compiled = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.compiled = Compiled(keeps=self.keeps)

    def _drawn(self, asked: Sequence[tuple[Shape, Sequence[int]]], dtype: str, *, anew: bool) -> list[list[Any]]:
        """Calls of the user's own."""
        with own_calls_compiled_cheaply():
            results = super()._drawn(asked, dtype, anew=anew)
        for shape, _ in asked:
            self.compiled.called.setdefault(tuple(shape))
        return results

    def outline(self, shape: Shape, dtype: str) -> Shape | None:
        """The shape of a traced result: nothing is compiled for it. What a call keeps it keeps of a call of its own."""
        try:
            if self.keeps:
                return getattr(self.calls(shape, [0], dtype)[0], "shape", None)
            with isolated(None):
                traced = framework_module("jax").eval_shape(self._of_seed(tuple(shape), dtype), np.uint32(0))
        except Exception:  # what cannot be traced is called
            return None
        return getattr(traced, "shape", None)

    def weights(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """The weights of one call per seed, through one compiled function a shape."""
        shape = tuple(shape)
        if [slot.role for slot in self._random] != ["key"]:
            return super().weights(shape, seeds, dtype)
        drawn = self.compiled.drawn(shape, dtype, seeds, self._of_seed, self.calls)
        return super().weights(shape, seeds, dtype) if drawn is None else drawn

    def _of_seed(self, shape: Shape, dtype: str) -> Callable[[Any], Any]:
        call, key = self.prepare(shape, dtype), framework_module("jax").random.key
        if self.parameter or self.layer:
            return lambda seed: self.read(call([key(seed)]))
        return lambda seed: call([key(seed)])


def made_by_jax(function: Any) -> Callable[..., Any] | None:
    """The function made by ``jax.nn.initializers`` that is called, a dtype filled in or not; None of everything else.

    >>> import functools, jax
    >>> he = jax.nn.initializers.he_normal()
    >>> made_by_jax(functools.partial(he, dtype="bfloat16")) is he, made_by_jax(jax.nn.initializers.he_normal)
    (True, None)
    """
    while isinstance(function, functools.partial) and not function.args and set(function.keywords) <= {"dtype"}:
        function = function.func
    if getattr(function, "__module__", None) not in _HOME or not inspect.isfunction(function):
        return None
    return function if "." in function.__qualname__ or function.__name__ in ("zeros", "ones") else None


def known_contract(function: Any) -> Contract | None:
    """What a function made by ``jax.nn.initializers`` promises, read off the values it closed over.

    None for everything else.
    """
    made = made_by_jax(function)
    if made is None:
        return None
    kind = made.__qualname__.partition(".")[0]
    closed = dict(inspect.getclosurevars(made).nonlocals)
    contract = _law(kind, closed)
    if contract is None:
        return None
    layout = layout_of(closed)
    return known_laws.known({**contract.said(), **({"layout": layout} if layout else {})}, contract.notes)


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


def layout_of(closed: Mapping[str, Any]) -> str | None:
    """The layout of matrices and of convolutions that the axes say; None where no layout says it.

    >>> [layout_of({"in_axis": i, "out_axis": o}) for i, o in ((-2, -1), (1, 0), (0, 1))]
    ['in_out', 'out_in', None]
    """
    if "column_axis" in closed:  # an orthogonal one: every axis beside the columns is of the inputs
        return {-1: "in_out", 0: "out_in"}.get(closed["column_axis"])
    axes = axes_in(closed.get("in_axis", -2)), axes_in(closed.get("out_axis", -1))
    if axes_in(closed.get("batch_axis", ())):
        return None
    usual: dict[tuple[tuple[int, ...], tuple[int, ...]], str] = {((-2,), (-1,)): "in_out", ((1,), (0,)): "out_in"}
    return usual.get(axes)


def axes_in(axes: Any) -> tuple[int, ...]:
    """One axis or several, as a tuple."""
    return (axes,) if isinstance(axes, int) else tuple(axes)


def ranks_of(function: Any) -> tuple[int, ...]:
    """Numbers of axes that a function made by ``jax.nn.initializers`` accepts, where that is known."""
    made = made_by_jax(function)
    if made is None:
        return ()
    kind = made.__qualname__.partition(".")[0]
    many = {"variance_scaling": (2, 3, 4, 5), "orthogonal": (2, 3, 4, 5), "delta_orthogonal": (3, 4, 5)}
    return many.get(kind, (1, 2, 3, 4, 5))
