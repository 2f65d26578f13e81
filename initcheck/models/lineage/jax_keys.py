"""Key lineage: an initialisation of JAX, run equation by equation, tells which key each value was drawn from."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from initcheck.models.lineage.jax_origins import (
    Origin,
    affine,
    collapsed,
    constant_of,
    joined,
    orthogonal,
    placed,
    reshaped,
    same,
    stacked,
    written,
)
from initcheck.models.provenance.steps import Draw, Site, in_library, is_silent

# Functions of jax.random are compiled under these names: the call is the law, whatever operations it consists of.
_SAMPLERS = {
    "_uniform": ("uniform_", ("from", "to")),
    "_normal": ("normal_", ()),
    "_normal_real": ("normal_", ()),
    "_truncated_normal": ("trunc_normal_", ("a", "b")),
}
_INLINED = (
    "jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr",
    "checkpoint", "remat", "remat2", "custom_lin", "name",
)  # fmt: skip
_SAME = ("convert_element_type", "copy", "copy_p", "stop_gradient", "reduce_precision", "optimization_barrier")
_MOVED = ("reshape", "transpose", "squeeze", "expand_dims", "rev")
_ARITHMETIC = {"mul": "mul_", "add": "add_", "sub": "sub_", "div": "div_", "max": "clamp_", "min": "clamp_"}
# JAX's own files, which ask for every operation.
_MACHINERY = tuple(os.sep + name + os.sep for name in ("jax", "jaxlib"))
_WRITES = ("scatter", "dynamic_update_slice")


@dataclass(frozen=True)
class Known:
    """A value of the initialisation and where it comes from; no origin where it came from outside.

    Attributes:
        value: the array.
        origin: its provenance.
        where: the equation's outermost place, which tells two equal arrays that were made once from two.
    """

    value: Any
    origin: Origin | None = None


@dataclass
class _Run:
    salt: int
    draws: int = 0


def run(closed: Any, given: Sequence[Any], *, salt: int = 0) -> list[Known]:
    """Run a closed jaxpr and tell where its results come from; what no result needs is left out.

    Args:
        closed: of ``jax.make_jaxpr``.
        given: its arguments.
        salt: is added to every seed that a key is made of inside; 0 leaves them as they are.
    """
    arguments = [Known(value) for value in given]
    found = _evaluate(_Run(salt), closed.jaxpr, [Known(c) for c in closed.consts], arguments, None, None)
    # A scalar that is written there, such as a temperature, is a number in the jaxpr and an array of the model.
    shaped = zip(found, closed.out_avals, strict=True)
    return [k if hasattr(k.value, "shape") else replace(k, value=jnp.asarray(k.value, a.dtype)) for k, a in shaped]


def _evaluate(
    run: _Run, jaxpr: Any, consts: Sequence[Known], given: Sequence[Known], site: Site | None,
    wanted: Sequence[bool] | None,
) -> list[Known]:  # fmt: skip
    known: dict[Any, Known] = {}
    known.update(zip(jaxpr.constvars, consts, strict=True))
    known.update(zip(jaxpr.invars, given, strict=True))
    for equation, needed in _needed(jaxpr, wanted):
        arguments = [_read(known, var) for var in equation.invars]
        # Inside a compiled function the lines are those of its first caller; the outermost one is this call's.
        at = site or _site_of(equation)
        made = _apply(run, equation, arguments, at, needed)
        for var, value in zip(equation.outvars, made, strict=True):
            if value is not None:
                known[var] = value
    asked = wanted if wanted is not None else [True] * len(jaxpr.outvars)
    return [_read(known, var) if keep else Known(None) for var, keep in zip(jaxpr.outvars, asked, strict=True)]


def _needed(jaxpr: Any, wanted: Sequence[bool] | None) -> Iterator[tuple[Any, list[bool]]]:
    """The equations that the wanted results need, in order, and which of their results."""
    asked = wanted if wanted is not None else [True] * len(jaxpr.outvars)
    live = {var for var, keep in zip(jaxpr.outvars, asked, strict=True) if keep and not _is_literal(var)}
    found = []
    for equation in reversed(jaxpr.eqns):
        needed = [var in live for var in equation.outvars]
        if any(needed):
            found.append((equation, needed))
            live.update(var for var in equation.invars if not _is_literal(var))
    yield from reversed(found)


def _is_literal(var: Any) -> bool:
    return hasattr(var, "val")


def _read(known: dict[Any, Known], var: Any) -> Known:
    if _is_literal(var):
        return Known(var.val, constant_of(var.val))
    return known[var]


def _apply(
    run: _Run, equation: Any, given: list[Known], site: Site | None, needed: list[bool]
) -> list[Known | None]:  # fmt: skip
    name, params = equation.primitive.name, equation.params
    called = str(params.get("name", ""))
    if name in ("jit", "pjit") and called in _SAMPLERS:
        return [_sample(run, called, _bound(equation, given)[0], given, site)]
    inner = params.get("jaxpr", params.get("call_jaxpr", params.get("fun_jaxpr")))
    if name in _INLINED and inner is not None:
        if name in ("jit", "pjit") and called == "qr":
            made = _bound(equation, given)
            return [Known(v, orthogonal(given[0].origin, v, site)) for v in made]
        return list(_inline(run, inner, given, site, needed))
    if name == "scan":
        return _scan(run, params, given, site, needed)
    if name == "cond":
        branch = params["branches"][int(given[0].value)]
        return list(_inline(run, branch, given[1:], site, needed))
    if name == "random_seed" and run.salt:
        seeds = np.asarray(given[0].value)
        salted = (seeds.astype(np.uint64) * np.uint64(0x9E3779B1) + np.uint64(run.salt)) & np.uint64(0x7FFFFFFF)
        given = [Known(salted.astype(seeds.dtype))]
    made = _bound(equation, given)
    if name == "random_bits":
        return [_sample(run, "random_bits", made[0], given, site)]
    return [Known(value, _origin(name, params, given, value, site)) for value in made]


def _bound(equation: Any, given: Sequence[Known]) -> list[Any]:
    params = equation.primitive.get_bind_params(equation.params)
    functions: Sequence[Any] = ()
    if isinstance(params, tuple):  # JAX up to 0.6 hands the functions out by themselves
        functions, params = params
    made = equation.primitive.bind(*functions, *(k.value for k in given), **params)
    return list(made) if equation.primitive.multiple_results else [made]


def _inline(run: _Run, inner: Any, given: Sequence[Known], site: Site | None, needed: list[bool]) -> list[Known]:
    jaxpr = getattr(inner, "jaxpr", inner)
    consts = [Known(c) for c in getattr(inner, "consts", ())]
    return _evaluate(run, jaxpr, consts, given, site, needed)


def _scan(
    run: _Run, params: Any, given: list[Known], site: Site | None, needed: list[bool]
) -> list[Known | None]:  # fmt: skip
    """Every round by itself: what is stacked is unstacked."""
    n_consts, n_carry = params["num_consts"], params["num_carry"]
    body, length = params["jaxpr"], params["length"]
    consts, carry, stacks = given[:n_consts], given[n_consts : n_consts + n_carry], given[n_consts + n_carry :]
    rounds = range(length - 1, -1, -1) if params["reverse"] else range(length)
    # The carry is needed by the next round, whatever becomes of the last one.
    wanted = [True] * n_carry + needed[n_carry:]
    per_round: dict[int, list[Known]] = {}
    for i in rounds:
        each = [Known(k.value[i], None if k.origin is None else k.origin.of(i)) for k in stacks]
        made = _inline(run, body, [*consts, *carry, *each], site, wanted)
        carry, per_round[i] = made[:n_carry], made[n_carry:]
    ys: list[Known | None] = []
    for position, keep in enumerate(needed[n_carry:]):
        if not keep or not length:
            ys.append(None)
            continue
        slices = [per_round[i][position] for i in range(length)]
        value = jnp.stack([k.value for k in slices])
        ys.append(Known(value, stacked([k.origin for k in slices], value, site)))
    return [*carry, *ys]


def _sample(run: _Run, called: str, value: Any, given: Sequence[Known], site: Site | None) -> Known:
    op, names = _SAMPLERS.get(called, ("random_bits", ()))
    numbers = []
    for name, known in zip(names, given[1:], strict=False):
        size = np.size(known.value)
        numbers.append((name, float(np.asarray(known.value).reshape(-1)[0]) if size == 1 else "tensor"))
    data = np.asarray(_data(given[0].value))
    lead = data.shape[:-1]
    return Known(value, _drawn(run, op, tuple(numbers), data, lead, tuple(value.shape), site))


def _drawn(
    run: _Run, op: str, numbers: tuple[tuple[str, Any], ...], data: Any, lead: tuple[int, ...],
    shape: tuple[int, ...], site: Site | None,
) -> Origin:  # fmt: skip
    """One draw a key; an array of keys draws slice by slice."""
    if lead and shape[: len(lead)] == lead:
        slices = [_drawn(run, op, numbers, data[i], lead[1:], shape[1:], site) for i in range(lead[0])]
        return Origin.of_slices(slices, shape)
    state = hashlib.blake2b(data.tobytes(), digest_size=16).digest()
    draw = Draw(run.draws, state, math.prod(shape), site)
    run.draws += 1
    if op == "trunc_normal_":
        numbers = (("mean", 0.0), ("std", 1.0), *numbers)
    return Origin.drawn(op, numbers, draw, shape, site)


def _data(key: Any) -> Any:
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        return jax.random.key_data(key)
    return key


def _origin(name: str, params: Any, given: list[Known], value: Any, site: Site | None) -> Origin | None:
    """Where the result of a plain operation comes from."""
    shape = tuple(np.shape(value))
    if not shape or (math.prod(shape) == 1 and all(k.origin is None or not k.origin.draws for k in given)):
        return constant_of(value) if np.size(value) == 1 and not _is_key(value) else None
    if _is_key(value):
        return None
    origins = [k.origin for k in given]
    first = origins[0] if origins else None
    if name in _SAME:
        return same(first, shape)
    if name in _MOVED:
        return reshaped(first, tuple(np.shape(given[0].value)), shape, params.get("permutation"))
    if name == "broadcast_in_dim":
        return written(given[0].value, first, shape, site)
    if name == "neg":
        return affine(first, "neg_", (), shape, site)
    if name == "erf_inv":
        return affine(first, "erfinv_", (), shape, site)
    if name in ("qr", "householder_product"):
        return orthogonal(first, value, site)
    if name in _ARITHMETIC and len(given) == 2:
        return _arithmetic(name, given, origins, shape, site)
    if name == "concatenate":
        pieces = [(o, tuple(np.shape(k.value))) for o, k in zip(origins, given, strict=True)]
        return joined(pieces, params["dimension"], shape, site)
    if name in _WRITES:
        mask = _written_entries(name, params, given)
        if mask is not None:
            update = given[2] if name == "scatter" else given[1]
            return placed(first, update.origin, update.value, mask, shape, site)
    return collapsed(name, origins, shape, site)


def _arithmetic(
    name: str, given: list[Known], origins: Sequence[Origin | None], shape: tuple[int, ...], site: Site | None
) -> Origin | None:  # fmt: skip
    one, two = _number(given[0]), _number(given[1])
    if one is not None and two is not None:
        return collapsed(name, origins, shape, site)
    if two is not None and tuple(np.shape(given[0].value)) == shape:
        keyword = {"max": "min", "min": "max"}.get(name, "other")
        return affine(origins[0], _ARITHMETIC[name], ((keyword, two),), shape, site)
    if one is not None and tuple(np.shape(given[1].value)) == shape:
        if name in ("mul", "add"):
            return affine(origins[1], _ARITHMETIC[name], (("other", one),), shape, site)
        if name in ("max", "min"):
            return affine(origins[1], "clamp_", ((("min", "max")[name == "min"], one),), shape, site)
        if name == "sub":
            turned = affine(origins[1], "neg_", (), shape, site)
            return affine(turned, "add_", (("other", one),), shape, site)
    if name == "mul":
        for origin, other in ((origins[0], given[1]), (origins[1], given[0])):
            if origin is not None and origin.is_orthogonal and _all_signs(other.value):
                return same(origin, shape)
    return collapsed(name, origins, shape, site)


def _all_signs(value: Any) -> bool:
    return bool((np.abs(np.asarray(value)) == 1).all())


def _number(known: Known) -> float | None:
    """The number that a value is everywhere, where it is one."""
    if np.size(known.value) == 1 and not _is_key(known.value):
        return float(np.asarray(known.value).reshape(-1)[0])
    if known.origin is not None and known.origin.number is not None:
        return known.origin.number
    return None


def _is_key(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key)


def _written_entries(name: str, params: Any, given: list[Known]) -> Any:
    """Which entries a scatter or an update of a slice reached: the same one, of ones into zeros."""
    operand = np.zeros(np.shape(given[0].value), np.float32)
    primitive: Callable[..., Any]
    try:
        if name == "dynamic_update_slice":
            starts = [int(k.value) for k in given[2:]]
            sizes = np.shape(given[1].value)
            where = tuple(slice(a, a + n) for a, n in zip(starts, sizes, strict=True))
            operand[where] = 1
            return operand > 0
        primitive = jax.lax.scatter
        ones = np.ones(np.shape(given[2].value), np.float32)
        indices = given[1].value
        return np.asarray(primitive(operand, indices, ones, params["dimension_numbers"], mode=params["mode"])) > 0
    except (TypeError, ValueError):
        return None


def _site_of(equation: Any) -> Site | None:
    """The innermost line outside of libraries; of a library where no other stands above, but never JAX's own."""
    traceback = getattr(getattr(equation, "source_info", None), "traceback", None)
    library: Site | None = None
    for frame in traceback.frames if traceback is not None else ():
        file = frame.file_name
        if is_silent(file):
            continue
        if not in_library(file):
            return file, int(frame.line_num)
        if library is None and not any(part in file for part in _MACHINERY):
            library = file, int(frame.line_num)
    return library
