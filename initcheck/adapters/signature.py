"""What each parameter of a callable is for: read from its annotation, its name, then parts of its name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from initcheck.errors import UsageError, closest

__all__ = [
    "RANDOM_ROLES",
    "ROLES",
    "SHAPE_ROLES",
    "Slot",
    "describe",
    "parse_signature",
    "role_of",
    "slots_of",
]

RANDOM_ROLES = ("rng", "random_state", "torch_generator", "python_random", "seed", "key", "rngs")
SHAPE_ROLES = ("shape", "dims", "in", "out", "rows", "cols", "kernel", "tensor", "module")
ROLES = (*SHAPE_ROLES, *RANDOM_ROLES, "dtype")

_ANNOTATIONS = (
    ("random_state", r"\bRandomState\b"),
    ("torch_generator", r"\btorch\b[\w.]*\.Generator\b"),
    ("rng", r"\bGenerator\b(?!\[)"),
    ("python_random", r"\brandom\.Random\b|^Random$"),
    ("key", r"PRNGKey|KeyArray|\bKey\["),
    ("rngs", r"\bRngs\b|\bRngStream\b"),
    ("dtype", r"\bd_?type\b|\bDType|\bDtype"),
    ("module", r"\bModule\b|\bnn\.(Linear|Conv)|\bmodules\.(linear|conv)\."),
    ("shape", r"\b([Tt]uple|[Ll]ist|Sequence|Iterable)\[(builtins\.)?int\b|\bShape\b|\btorch\.Size\b|\bShapeLike\b"),
    ("tensor", r"\btorch[\w.]*\.Tensor\b|^Tensor$|\bParameter\b|\bndarray\b|\bNDArray\b|\bUninitializedParameter\b"),
)  # fmt: skip

_NAMES: Mapping[str, tuple[str, ...]] = {
    "shape": ("shape", "size", "sz", "shp", "dimensions", "dims", "weight_size", "sizes"),
    "rng": ("rng", "generator", "gen", "prng", "np_rng", "numpy_rng", "random", "rand", "rnd", "rs"),
    "random_state": ("random_state", "randomstate", "rstate"),
    "seed": ("seed", "random_seed", "rng_seed", "rngseed"),
    "key": ("key", "prng_key", "prngkey", "rng_key", "subkey", "jax_key", "jkey"),
    "rngs": ("rngs",),
    "tensor": ("tensor", "t", "w", "weight", "weights", "param", "parameter", "arr", "array", "matrix", "mat", "buf"),
    "module": ("m", "module", "layer", "model", "net", "mod", "network", "linear", "conv", "submodule", "lin", "fc"),
    "dtype": ("dtype", "data_type", "dt", "param_dtype", "torch_dtype", "weight_dtype"),
    "in": (
        "in_features", "in_channels", "input_size", "in1_features", "in_dim", "input_dim", "in_size", "num_inputs",
        "fan_in", "d_in", "n_in", "dim_in", "nin", "n_inputs", "n_input", "inputs", "in_units", "num_in", "fanin",
        "input_units", "in_ch", "cin", "c_in", "ni", "n_prev", "prev", "input_features", "in_", "inp", "size_in",
        "input_shape", "from_dim", "source", "rows_in", "in_planes", "inplanes", "in_feats", "din", "indim", "layer_in",
    ),
    "out": (
        "out_features", "out_channels", "units", "features", "filters", "output_dim", "out_dim", "out_size",
        "num_outputs", "fan_out", "d_out", "n_out", "dim_out", "output_size", "nout", "n_outputs", "n_output",
        "outputs", "out_units", "num_out", "fanout", "output_units", "out_ch", "cout", "c_out", "no", "n_curr", "curr",
        "output_features", "out", "outp", "size_out", "to_dim", "target", "out_planes", "planes", "out_feats", "dout",
        "outdim", "layer_out", "n_units", "num_units", "n_neurons", "neurons",
    ),
    "rows": ("rows", "n_rows", "nrows", "num_rows", "d0", "dim0", "height", "row", "n1", "dim1", "m_rows"),
    "cols": ("cols", "n_cols", "ncols", "num_cols", "d1", "width", "columns", "n_columns", "col", "n2", "dim2"),
    "kernel": ("kernel_size", "ksize", "kernel", "filter_size", "k_size", "receptive_field"),
}  # fmt: skip
_ROLE_OF_NAME = {name: role for role, names in _NAMES.items() for name in names}
_PARTS = (("shape", "shape"), ("key", "key"), ("rng", "rng"), ("seed", "seed"), ("generator", "rng"), ("rand", "rng"),
          ("dtype", "dtype"), ("tensor", "tensor"), ("module", "module"))  # fmt: skip

_HYPERPARAMETERS = frozenset(
    ["gain", "scale", "std", "stddev", "sigma", "sd", "mode", "nonlinearity", "nonlin", "value", "val", "alpha", "beta", "mean", "mu", "bound", "limit", "low", "high", "lo", "hi", "sparsity", "density", "distribution", "dist", "activation", "act", "act_fn", "variance", "var", "factor", "loc", "init_range", "initializer_range", "bias", "cfg", "config", "name", "depth", "n_layers", "num_layers", "layers", "method", "kind", "scheme", "init", "init_type", "type", "minval", "maxval", "a_min", "a_max", "radius", "spectral_radius", "gamma", "eps", "leak", "slope", "negative_slope", "fan", "min", "max", "temperature", "p", "prob", "num_heads", "groups"]
)


@dataclass(frozen=True)
class Slot:
    """One parameter.

    Attributes:
        name: as the user's code names it.
        role: one of ``ROLES``; ``hyperparameter`` (a number only the user knows), ``unknown`` (a name that says
            something else), ``nameless`` (a name that says nothing).
        required: it has no default.
        keyword: it must be passed by name.
        variadic: it is ``*name``.
    """

    name: str
    role: str
    required: bool = True
    keyword: bool = False
    variadic: bool = False


def slots_of(function: Callable[..., Any]) -> list[Slot]:
    """A slot per parameter of a callable, ``self`` left out; ``**kwargs`` is passed nothing.

    Raises:
        UsageError: the callable does not tell its parameters (some are written in C).
    """
    parameters = [p for p in _signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
    names = {p.name.strip("_").lower() for p in parameters}
    slots = []
    for p in parameters:
        slots.append(
            Slot(
                name=p.name,
                role=role_of(p.name, p.annotation, beside=names, variadic=p.kind is p.VAR_POSITIONAL),
                required=p.default is p.empty and p.kind is not p.VAR_POSITIONAL,
                keyword=p.kind is p.KEYWORD_ONLY,
                variadic=p.kind is p.VAR_POSITIONAL,
            )
        )
    return slots


def role_of(name: str, annotation: Any = inspect.Parameter.empty, *, beside: set[str] | None = None,
            variadic: bool = False) -> str:  # fmt: skip
    """The role that an annotation, else a name, speaks for.

    >>> role_of("rng_key"), role_of("fan_in"), role_of("gain"), role_of("u"), role_of("x", "np.random.Generator")
    ('key', 'in', 'hyperparameter', 'nameless', 'rng')
    """
    plain = name.strip("_").lower() or name
    beside = beside or set()
    if variadic:
        return "dims" if plain not in ("args", "xs", "params") or annotation is int else "nameless"
    said = _annotation_role(annotation)
    by_name = _ROLE_OF_NAME.get(plain)
    if said == "tensor" and (by_name in ("key", "rng", "seed") or plain in ("k",)):
        return by_name or "key"  # `key: jax.Array` and its kin
    if said is not None and not (said == "shape" and by_name in ("kernel", "in", "out")):
        return said
    if {"m", "n"} <= beside and plain in ("m", "n"):
        return "rows" if plain == "m" else "cols"
    if by_name == "out" and plain in ("features", "units", "out") and not beside & set(_NAMES["in"]):
        return "unknown"
    if by_name is not None:
        return by_name
    if plain in _HYPERPARAMETERS:
        return "hyperparameter"
    for part, role in _PARTS:
        if part in plain:
            return role
    return (
        "nameless"
        if len(plain) == 1 or plain in ("arg", "args", "xs", "obj", "thing", "params")
        else "unknown"
    )


def parse_signature(text: str, function: Callable[..., Any]) -> list[Slot]:
    """Read ``(shape, rng)``: one role a parameter, in order; ``name=role`` by keyword, ``*shape`` spread, ``_`` skipped.

    >>> [s.role for s in parse_signature("(rng, *shape)", lambda rng, *dims: None)]
    ['rng', 'dims']

    Raises:
        UsageError: an unknown role, naming the closest.
    """
    inside = text.strip().removeprefix("(").removesuffix(")")
    try:
        names = [p.name for p in _signature(function).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    except UsageError:
        names = []
    slots = []
    for number, part in enumerate(p.strip() for p in inside.split(",") if p.strip()):
        name, equals, role = (s.strip() for s in part.rpartition("="))
        role = {"generator": "rng", "*shape": "dims", "*dims": "dims", "size": "shape"}.get(role, role)
        if role == "_":
            continue
        if role not in ROLES:
            raise UsageError(
                f"signature={text!r}: {role!r} is no role of a parameter; {closest(role, ROLES)}"
            )
        position = names[number] if number < len(names) else f"argument {number}"
        slots.append(
            Slot(name or position, role, keyword=bool(equals), variadic=role == "dims" and not equals)
        )
    if not any(s.role in SHAPE_ROLES for s in slots):
        raise UsageError(f"signature={text!r} says nowhere how the shape is passed, such as '(shape, rng)'.")
    return slots


def describe(slots: list[Slot] | tuple[Slot, ...]) -> str:
    """The way of calling in words: ``(shape, rng)``, ``(*shape)``, ``(shape, rng=rng)``."""
    shown = []
    for slot in slots:
        role = "*shape" if slot.role == "dims" else _WORDS.get(slot.role, slot.role)
        shown.append(f"{slot.name}={role}" if slot.keyword and slot.name != role else role)
    return f"({', '.join(shown)})"


_WORDS = {
    "python_random": "random.Random",
    "torch_generator": "torch.Generator",
    "random_state": "RandomState",
}


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function, eval_str=True)
    except Exception:  # a string annotation may name what is imported for type checkers only
        try:
            return inspect.signature(function)
        except (TypeError, ValueError):
            name = getattr(function, "__name__", type(function).__name__)
            raise UsageError(
                f"{name} does not tell its parameters (it may be written in C); say how to call it:"
                " signature='(shape, rng)'."
            ) from None


def _annotation_role(annotation: Any) -> str | None:
    if annotation is inspect.Parameter.empty or annotation is None:
        return None
    if isinstance(annotation, str):
        text = annotation
    elif isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        text = f"{annotation.__module__}.{annotation.__qualname__}"
    else:
        text = f"{getattr(annotation, '__module__', '')}.{getattr(annotation, '__name__', '')} {annotation!r}"
    for role, pattern in _ANNOTATIONS:
        if re.search(pattern, text):
            return role
    return None
