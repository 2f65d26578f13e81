"""What an initializer promises: declared by its author, known of a library's object, or inferred from draws."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from initcheck.errors import UsageError, closest, refuse_unknown

if TYPE_CHECKING:
    from initcheck.networks.activations import Activation


Origin = Literal["declared", "known", "inferred", "assumed"]

ACTIVATIONS = (
    "linear", "relu", "leaky_relu", "tanh", "sigmoid", "gelu", "silu", "selu", "elu", "softplus", "mish", "relu2",
)  # fmt: skip
DENSE_ONLY = "Asked of dense shapes only"
"""How the note begins of what takes kernels too and was not asked for them."""
OF_KERNELS = "Its kernels follow a law of their own and are held to that: "
"""How the note begins of code that tells layers by their kind; the law of kernels is what follows."""
SIDE_BY_SIDE = re.compile(r"It makes (\d+ matrices side by side);")
"""How the note begins of a weight that is wider than was asked for, and so is taken for several in one."""

FANS = ("fan_in", "fan_out", "fan_avg", "fan_max")
LAYOUTS = (
    "out_in", "in_out",
    "oiw", "oihw", "oidhw", "wio", "hwio", "dhwio",
    "iow", "iohw", "iodhw", "woi", "hwoi", "dhwoi",
)  # fmt: skip
DISTRIBUTIONS = (
    "normal", "uniform", "truncated_normal", "orthogonal", "rademacher", "sparse", "laplace", "constant", "identity",
    "isometric",
)  # fmt: skip
DTYPES = (
    "float64", "float32", "float16", "bfloat16",
    "float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz", "float8_e4m3fnuz", "float8_e5m2fnuz",
)  # fmt: skip
# Half the distance from 1 to the next number. In 8 bits usual weights are subnormal, where no relative bound holds.
UNIT_ROUNDOFF: Mapping[str, float] = {
    "float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8,
}  # fmt: skip

_A_TARGET = re.compile(r"^[^()]*[:.][^()]*(\(.*\))?$")
_PARAMETRISED = re.compile(r"^(?P<name>\w+)(?:\((?P<value>[^()]*)\))?$")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What an initializer promises; ``None`` where nothing is said.

    >>> Contract(activation="relu", layout="out_in").activation
    'relu'
    >>> Contract.from_mapping({"activation": "relo"})
    Traceback (most recent call last):
        ...
    initcheck.errors.UsageError: activation='relo' is not an activation; did you mean 'relu'? Valid: elu, ...

    Attributes:
        activation: the nonlinearity the layer's *input* went through: a name such as ``relu``, ``leaky_relu(0.2)``,
            ``snake(2)`` or the gate ``swiglu``; a function by its target text, ``pkg.mod:act`` or
            ``pkg.mod:act(beta=2)``; or the function itself, of NumPy, PyTorch, JAX or Keras.
        gain: Var w = gain^2 / fan; overrides the activation's ideal gain.
        fan: which fan the variance is divided by: ``fan_in``, ``fan_out``, ``fan_avg``, ``fan_max``.
        layout: the meaning of the axes: ``out_in`` (PyTorch), ``in_out`` (Keras, JAX), ``oihw``, ``hwio``, ...
        groups: groups of a convolution, or ``"depthwise"``.
        distribution: ``normal``, ``uniform``, ``truncated_normal(2)``, ``orthogonal``, ``rademacher``, ...;
            ``isometric`` is what keeps most lengths through many layers, whatever the law of a weight.
        entries: ``independent`` or ``dependent`` (orthogonal and its kin).
        std: a fixed standard deviation at every width, as GPT-2's 0.02.
        mean: the mean that is meant at every width, where it is not 0; the weights are judged less it.
        stack: the axis along which several matrices are drawn together (experts, a batch of kernels); the fans are
            those of one of them.
        dtypes: the dtypes in which the promise is given.
        depth: number of layers of the networks it is made for.
        widths: smallest and largest width it is made for.
        waive: claim id -> reason; a waived claim that holds is an error.
        origins: where each field comes from (``declared``, ``known``, ``inferred``, ``assumed``).
        notes: sentences a reader of a verdict must know, such as how the layout was assumed.

    Raises:
        UsageError: an unknown value, naming the closest valid one.
    """

    activation: str | Activation | Callable[..., Any] | None = None
    gain: float | None = None
    fan: str | None = None
    layout: str | None = None
    groups: int | str = 1
    distribution: str | None = None
    entries: str | None = None
    std: float | None = None
    mean: float | None = None
    stack: int | None = None
    dtypes: tuple[str, ...] = ("float32",)
    depth: int = 20
    widths: tuple[int, int] = (1, 1024)
    waive: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        _check_activation(self.activation)
        _one_of("fan", self.fan, FANS, "a fan")
        _one_of("layout", self.layout, LAYOUTS, "a weight layout")
        _one_of("distribution", self.distribution, DISTRIBUTIONS, "a distribution")
        _one_of("entries", self.entries, ("independent", "dependent"), "a kind of entries")
        for key in ("gain", "std"):
            value = getattr(self, key)
            if value is not None and not (_is_number(value) and 0 < value < float("inf")):
                raise UsageError(f"{key}={value!r} must be a positive number.")
        if self.mean is not None and not (_is_number(self.mean) and math.isfinite(self.mean)):
            raise UsageError(f"mean={self.mean!r} must be a finite number.")
        if self.stack is not None and not (_is_int(self.stack) and -3 <= self.stack <= 2):
            raise UsageError(f"stack={self.stack!r} must be the number of an axis, such as 0 for the first.")
        if self.groups != "depthwise" and not (_is_int(self.groups) and int(self.groups) >= 1):
            raise UsageError(f"groups={self.groups!r} must be a positive whole number or 'depthwise'.")
        dtypes = (self.dtypes,) if isinstance(self.dtypes, str) else tuple(self.dtypes)
        if not dtypes:
            raise UsageError("dtypes is empty: name at least one, such as ('float32',).")
        for dtype in dtypes:
            _one_of("dtypes", dtype, DTYPES, "a floating-point dtype")
        object.__setattr__(self, "dtypes", dtypes)
        if not (_is_int(self.depth) and self.depth >= 2):
            raise UsageError(f"depth={self.depth!r} must be a whole number of layers, at least 2.")
        widths = tuple(self.widths) if isinstance(self.widths, (tuple, list)) else ()
        if len(widths) != 2 or not all(_is_int(w) for w in widths) or not 1 <= widths[0] <= widths[1]:
            raise UsageError(f"widths={self.widths!r} must be (smallest, largest) with 1 <= smallest <= largest.")
        object.__setattr__(self, "widths", widths)
        if not isinstance(self.waive, Mapping) or not all(
            isinstance(k, str) and isinstance(v, str) and v.strip() for k, v in self.waive.items()
        ):
            raise UsageError(f"waive={self.waive!r} must map claim ids to a reason each.")

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], origin: Origin = "declared") -> Contract:
        """Make a contract of a plain dict, as in ``f.__initcheck__`` or ``pyproject.toml``."""
        valid = [f.name for f in dataclasses.fields(cls) if f.name not in ("origins", "notes")]
        refuse_unknown(given, valid, "a contract has no key")
        return cls(**given, origins=dict.fromkeys(given, origin))

    @classmethod
    def from_text(cls, text: str) -> Contract:
        """Read ``activation=relu,layout=out_in,widths=1:64,dtypes=float32+bfloat16``."""
        fields: dict[str, Any] = {}
        # A comma between brackets belongs to an activation's own arguments.
        for part in filter(None, (p.strip() for p in re.split(r",(?![^()]*\))", text))):
            key, equals, value = (p.strip() for p in part.partition("="))
            if not equals:
                raise UsageError(f"{part!r} in contract {text!r} is not key=value, such as activation=relu.")
            if key in fields:
                raise UsageError(f"contract {text!r} says {key} twice; it is promised once.")
            fields[key] = _value_from_text(key, value)
        return cls.from_mapping(fields)

    def filled_by(self, other: Contract, origin: Origin) -> Contract:
        """Fill what this contract leaves unsaid from another one, and note where each field came from.

        >>> Contract().filled_by(Contract.from_mapping({"dtypes": ("float32",)}), "declared").origins
        {'dtypes': 'declared'}
        """
        changes: dict[str, Any] = {}
        origins = dict(self.origins)
        for f in dataclasses.fields(self):
            if f.name in ("origins", "notes", "waive") or f.name in origins:
                continue
            theirs = getattr(other, f.name)
            # Said is said, also where it is what is assumed of whoever says nothing.
            if theirs is not None and (f.name in other.origins or theirs != f.default):
                changes[f.name] = theirs
                origins[f.name] = other.origins.get(f.name, origin)
        notes = self.notes + tuple(n for n in other.notes if n not in self.notes)
        waive = {**other.waive, **self.waive}
        return dataclasses.replace(self, **changes, origins=origins, notes=notes, waive=waive)

    def parameter(self, key: str) -> float | None:
        """The number in ``leaky_relu(0.2)`` or ``truncated_normal(2)``; None where there is none."""
        value = getattr(self, key)
        match = _PARAMETRISED.match(value) if isinstance(value, str) else None
        return float(match["value"]) if match and match["value"] else None

    def base(self, key: str) -> str | None:
        """The name before the bracket: ``leaky_relu`` of ``leaky_relu(0.2)``."""
        value = getattr(self, key)
        if key == "activation" and value is not None and not isinstance(value, str):
            return _name_of(value)
        match = _PARAMETRISED.match(value) if isinstance(value, str) else None
        return match["name"] if match else value

    def promised(self, key: str) -> str | None:
        """The name before the bracket of a field that was declared or is known; None where it was inferred.

        >>> Contract(distribution="truncated_normal(2)").promised("distribution")
        'truncated_normal'
        >>> Contract.from_mapping({"distribution": "normal"}, origin="inferred").promised("distribution") is None
        True
        """
        return self.base(key) if self.origins.get(key, "declared") in ("declared", "known") else None

    def said(self) -> dict[str, Any]:
        """The fields that somebody said, known or inferred included, as plain data."""
        shown = {}
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.name not in ("origins", "notes") and (
                f.name in self.origins or ((value or value == 0) and value != f.default)
            ):
                shown[f.name] = list(value) if isinstance(value, tuple) else value
        if self.activation is not None and not isinstance(self.activation, str):
            shown["activation"] = _name_of(self.activation)
        return shown


def _check_activation(given: object) -> None:
    if given is None or (callable(given) and not isinstance(given, str)):
        return
    # Loaded where an activation is named: pytest imports this module at every start, and NumPy costs 0.2 s.
    from initcheck.networks.activations import ACTIVATION_NAMES, Activation, activation

    if isinstance(given, Activation):
        return
    if isinstance(given, str):
        try:
            activation(given)
            return
        except ValueError as error:
            if _A_TARGET.match(given):
                return  # found when a target is held to it
            if given.partition("(")[0].strip() in ACTIVATION_NAMES:
                raise UsageError(f"activation={error}") from None
    raise UsageError(
        f"activation={given!r} is not an activation; {closest(str(given), ACTIVATIONS)};"
        " or a function, written pkg.mod:act"
    )


def _name_of(function: Any) -> str:
    """What an activation is called that is no text: as it calls itself, or as its class does."""
    if hasattr(function, "m2_prime"):
        return str(function)
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def _one_of(key: str, value: object, valid: tuple[str, ...], what: str) -> None:
    if value is None:
        return
    match = _PARAMETRISED.match(value.replace(" ", "")) if isinstance(value, str) else None
    if not match or match["name"] not in valid:
        raise UsageError(f"{key}={value!r} is not {what}; {closest(str(value), valid)}")
    if match["value"] is not None:
        if match["name"] not in ("truncated_normal", "sparse"):
            raise UsageError(f"{key}={value!r}: {match['name']} takes no number.")
        try:
            float(match["value"])
        except ValueError:
            raise UsageError(f"{key}={value!r}: {match['value']!r} is not a number.") from None


def _value_from_text(key: str, value: str) -> Any:
    if key == "widths":
        return tuple(int(w) if w.strip().isdigit() else w for w in value.split(":"))
    if key == "dtypes":
        return tuple(d.strip() for d in value.split("+"))
    if key in ("gain", "std", "mean"):
        try:
            return float(value)
        except ValueError:
            kind = "a number" if key == "mean" else "a positive number"
            raise UsageError(f"{key}={value!r} must be {kind}.") from None
    if key == "stack" and value.lstrip("-").isdigit():
        return int(value)
    return int(value) if key in ("groups", "depth") and value.isdigit() else value


def contract_text(said: Mapping[str, Any]) -> str:
    """What ``Contract.from_text`` reads, of the fields that somebody said; waivers are no part of it.

    >>> contract_text({"activation": "relu", "widths": [1, 64], "waive": {"finite": "why"}})
    'activation=relu,widths=1:64'
    """
    joints = {"widths": ":", "dtypes": "+"}
    plain = {key: value for key, value in said.items() if key != "waive" and not isinstance(value, Mapping)}
    return ",".join(f"{k}={joints[k].join(map(str, v)) if k in joints else v}" for k, v in plain.items())


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
