"""What a contract names as its activation, a name, a target text or a function, becomes one that can be computed."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from initcheck.adapters.classes import Method
from initcheck.adapters.frameworks.elementwise import read_activation
from initcheck.contract.contract import Contract
from initcheck.errors import UsageError, closest
from initcheck.networks.activation_table import GATES
from initcheck.networks.activations import ACTIVATION_NAMES, Activation, activation
from initcheck.targets.modules import find_object
from initcheck.targets.recipes import importable, pickled
from initcheck.targets.text import parse


def activation_meant(given: Any) -> Activation:
    """The activation of a name, a target text, or a function.

    >>> activation_meant("leaky_relu(0.2)").m2, round(activation_meant("math:tanh").gain, 4)
    (0.52, 1.5925)

    Args:
        given: ``gelu``, ``snake(2)``, ``pkg.mod:act``, ``torch.nn.GELU(approximate="tanh")``; a function of NumPy,
            PyTorch, JAX or Keras, a layer without weights, or its class.

    Raises:
        UsageError: there is no such function, or it is no activation.
    """
    if isinstance(given, Activation):
        return given
    if not isinstance(given, str):
        return read_activation(given, _named(given))
    try:
        return activation(given)
    except ValueError as error:
        base = given.partition("(")[0].strip()
        if base in ACTIVATION_NAMES or base in GATES:
            raise UsageError(f"activation {error}") from None
        if not any(mark in base for mark in ":./"):
            raise UsageError(
                f"{given!r} is not an activation; {closest(base, (*ACTIVATION_NAMES, *GATES))}; or a function, written"
                " pkg.mod:act"
            ) from None
    text = parse(given)
    found, _ = find_object(text)
    function = found.function if isinstance(found, Method) else found
    return read_activation(function, given, text.args)


def resolved(contract: Contract) -> Contract:
    """The same contract, its activation read where it is a function.

    Raises:
        UsageError: as ``activation_meant``.
    """
    given = contract.activation
    if given is None or isinstance(given, Activation):
        return contract
    meant = activation_meant(given)
    # A name stays one: it is what messages, and the inference of contracts, compare.
    if isinstance(given, str) and not meant.function:
        return contract
    return dataclasses.replace(contract, activation=meant)


def carried(contract: Contract) -> dict[str, Any] | None:
    """What a contract says, as plain data from which another process makes it again; None where there is none."""
    said = contract.said()
    given = contract.activation
    if given is None or isinstance(given, str):
        return said
    found = importable(given)
    packed = None if found is not None else pickled(given)
    if found is None and packed is None:
        return None
    return {**said, "activation": found if found is not None else {"pickle": packed}}


def _named(function: Any) -> str:
    """What a function is called: where it is found, or its own name; of a partial, with what it is given."""
    if isinstance(function, functools.partial):
        args = [repr(a) for a in function.args] + [f"{k}={v!r}" for k, v in function.keywords.items()]
        return f"{_named(function.func)}({', '.join(args)})"
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or type(function).__qualname__
    return importable(function) or str(name)
