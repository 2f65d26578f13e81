"""The functions of ``torch.nn.init``: which there are, how to call them, and what each promises."""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from initcheck.adapters.frameworks import known_laws
from initcheck.adapters.frameworks.sampler import CallableSampler
from initcheck.adapters.signatures.arguments import framework_module
from initcheck.adapters.signatures.readings import Needs
from initcheck.adapters.signatures.signature import Slot
from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer
from initcheck.errors import UsageError, refuse_unknown
from initcheck.sandbox.containment import InitializerRaised, contained
from initcheck.sandbox.global_generators import watching_generators

_RANKS: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("kaiming_uniform_", "kaiming_normal_", "xavier_uniform_", "xavier_normal_"), (2, 3, 4, 5)),
    **dict.fromkeys(("normal_", "uniform_", "trunc_normal_"), (1, 2, 3, 4, 5)),
    **dict.fromkeys(("zeros_", "ones_", "constant_"), (1, 2, 3, 4, 5)),
    "orthogonal_": (2, 3, 4, 5),
    "sparse_": (2,),
    "eye_": (2,),
    "dirac_": (3, 4, 5),
}
_CONSTANT = ("zeros_", "ones_", "constant_", "eye_", "dirac_")


def is_torch_init(obj: Any) -> bool:
    """Whether it is a function of ``torch.nn.init``, its deprecated names without underscore included."""
    return getattr(obj, "__module__", None) == "torch.nn.init" and inspect.isfunction(obj)


def torch_initializer(function: Callable[..., Any], name: str, args: Mapping[str, Any]) -> Initializer:
    """Make an initializer of a ``torch.nn.init`` function.

    Raises:
        UsageError: it takes no tensor, or lacks an argument; then the sentence writes the call.
    """
    own = str(function.__name__)
    # The deprecated `normal` hides the parameters of `normal_` behind *args.
    told = getattr(framework_module("torch.nn.init"), own if own.endswith("_") else own + "_", None)
    parameters = list(inspect.signature(told).parameters.values()) if told is not None else []
    if not parameters or parameters[0].name != "tensor":
        raise UsageError(f"{name} initializes nothing: its first parameter is no tensor.")
    named = {p.name for p in parameters[1:]}
    refuse_unknown(args, named, f"{name} has no parameter")
    missing = [p.name for p in parameters[1:] if p.default is p.empty and p.name not in args]
    if missing:
        call = f"torch.nn.init.{own}({', '.join(f'{m}={_EXAMPLES.get(m, 1.0)}' for m in missing)})"
        raise Needs(f"{name} needs {' and '.join(repr(m) for m in missing)}; write {call}.", call)
    base = own if own.endswith("_") else own + "_"
    ranks = _RANKS.get(base, ())
    slots = [Slot("tensor", "tensor")]
    notes: tuple[str, ...] = ()
    if "generator" in named and base not in _CONSTANT and "generator" not in args:
        handed = Slot("generator", "torch_generator", required=False, keyword=True)
        if _heeds(_sampler(function, [*slots, handed], args), ranks):
            slots.append(handed)
        else:
            notes = (f"{own} takes a generator and draws from torch's global one as well; that one is seeded.",)
    random = base not in _CONSTANT
    return Initializer(
        name=name,
        sampler=_sampler(function, slots, args),
        contract=known_contract(base, args),
        framework="torch",
        signature="(tensor)" if len(slots) == 1 else "(tensor, generator=torch.Generator)",
        ranks=ranks,
        takes_randomness=random and len(slots) > 1,
        uses_global_generator=random and len(slots) == 1,
        takes_dtype=True,
        notes=notes,
        function=function,
    )


def _sampler(function: Callable[..., Any], slots: list[Slot], args: Mapping[str, Any]) -> CallableSampler:
    return CallableSampler(
        function=function,
        slots=tuple(slots),
        fixed=dict(args),
        framework="torch",
        reseeds=frozenset({"torch"}),
    )


def _heeds(sampler: CallableSampler, ranks: tuple[int, ...]) -> bool:
    """Whether it draws from the generator it is handed alone: what raises is for the claims to say."""
    with contextlib.suppress(InitializerRaised), contained():
        shape = (5, 7, 2, 3, 2)[: ranks[0] if ranks else 2]
        with watching_generators() as moved:
            sampler.calls(shape, [1], "float32")
        return not moved
    return True


_EXAMPLES = {"val": 0.5, "sparsity": 0.9}


def known_contract(name: str, given: Mapping[str, Any]) -> Contract:
    """What a function of ``torch.nn.init`` promises when called with these arguments.

    >>> known_contract("kaiming_normal_", {"nonlinearity": "relu"}).activation
    'relu'

    Sources: He et al. 2015, eq. 10 and 14 (kaiming); Glorot & Bengio 2010, eq. 16 (xavier); Saxe et al. 2014
    (orthogonal); Martens 2010 (sparse); PyTorch's documentation of ``torch.nn.init`` for the arguments.
    """
    found = _law(name, given)
    return known_laws.known({**found.said(), "layout": "out_in"}, found.notes)


def _law(name: str, given: Mapping[str, Any]) -> Contract:
    distribution = "uniform" if "uniform" in name else "normal"
    if name.startswith("kaiming"):
        activation, notes = _activation(given.get("nonlinearity", "leaky_relu"), given.get("a", 0))
        said = {"fan": given.get("mode", "fan_in"), "activation": activation, "distribution": distribution}
        return known_laws.known(said, notes)
    gain = float(given.get("gain", 1.0))
    if name.startswith("xavier"):
        return known_laws.known({"fan": "fan_avg", "distribution": distribution, **known_laws.strength(gain)})
    if name == "orthogonal_":
        return known_laws.orthogonal(gain)
    std = float(given.get("std", 0.01 if name == "sparse_" else 1.0))
    if name == "normal_":
        return known_laws.fixed_std(std, "normal")
    if name == "uniform_":
        return known_laws.fixed_std((float(given.get("b", 1.0)) - float(given.get("a", 0.0))) / 12**0.5, "uniform")
    if name == "trunc_normal_":
        # The cuts are absolute numbers, so that std=0.02 with a, b = -2, 2 is cut at 100 sigma: nowhere.
        mean = float(given.get("mean", 0.0))
        low, high = (float(given.get(key, default)) - mean for key, default in (("a", -2.0), ("b", 2.0)))
        return known_laws.truncated(std, low / std, high / std) if std > 0 else Contract()
    if name == "sparse_":
        return _sparse(std, max(1.0 - float(given.get("sparsity", 0.0)), 0.0))
    if name in _CONSTANT:
        return known_laws.constant("identity" if name in ("eye_", "dirac_") else "constant")
    return Contract()


def _sparse(std: float, density: float) -> Contract:
    """The share of zeros in a column is rounded up: below a width, too few weights are left to keep any spread."""
    said: dict[str, Any] = {"distribution": "sparse", "entries": "dependent"}
    least = math.ceil(5 / density) if density > 0 else 1
    if not 0 < density < 1 or least > 512:
        return known_laws.known({**said, **known_laws.positive("std", std * density**0.5)})
    note = f"Asked from width {least} on: below, rounding the zeros up leaves less than four fifths of the weights."
    return known_laws.known({**said, "std": std * density**0.5, "widths": (least, 1024)}, (note,))


def _activation(nonlinearity: str, slope: float) -> tuple[str, tuple[str, ...]]:
    if nonlinearity != "leaky_relu":
        return (nonlinearity if nonlinearity in ("relu", "tanh", "sigmoid", "selu") else "linear"), ()
    if -1 <= slope <= 1:
        return f"leaky_relu({slope:.12g})", ()
    return "linear", (
        f"a={slope:.4g} is no slope of a leaky ReLU that anybody uses, only a way of writing the bound"
        f" gain = {math.sqrt(2 / (1 + slope**2)):.4g}; held to linear.",
    )
