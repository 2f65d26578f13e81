"""What the parameters of a layer's constructor are for, read off their names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from initcheck.adapters.signatures.names import ROLE_IN_LAYERS, width_by_words


def constructor(cls: type) -> dict[str, inspect.Parameter]:
    """The named parameters of the first class of the MRO whose ``__init__`` names any.

    Torch's recurrent layers pass ``*args`` on, so that their own signature is empty.
    """
    for base in cls.__mro__:
        own = vars(base).get("__init__")
        if own is None or base is object:
            continue
        parameters = list(inspect.signature(own).parameters.values())[1:]
        named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if named:
            return named
    return {
        p.name: p
        for p in inspect.signature(cls).parameters.values()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    }


def roles_of(cls: type, kind: str, fixed: Mapping[str, Any] | None = None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Role -> parameter name, and the required parameters whose names say nothing.

    >>> class Linear:
    ...     def __init__(self, in_features, out_features, bias=True): ...
    >>> roles_of(Linear, "torch")
    ({'in': 'in_features', 'out': 'out_features'}, ())

    Args:
        cls: the layer class.
        kind: ``torch``, ``keras``, ``linen``, ``nnx`` or ``equinox``.
        fixed: arguments that the user has given.
    """
    fixed = fixed or {}
    roles: dict[str, str] = {}
    unknown = []
    for name, parameter in constructor(cls).items():
        if name in fixed or name in ("parent", "name"):
            continue
        role = ROLE_IN_LAYERS.get(name) or ROLE_IN_LAYERS.get(name.lower())
        if kind == "keras" and name in ("input_dim", "output_dim"):
            # Keras' Embedding(input_dim, output_dim) is a table of input_dim rows.
            role = "vocabulary" if name == "input_dim" else "width"
        if name == "features" and "num_embeddings" in constructor(cls):
            role = "width"
        if role is None:
            # What a base class requires, a subclass that names nothing passes on itself (torch's LSTM its mode).
            if parameter.default is parameter.empty and _names_its_own(cls):
                unknown.append(name)
        elif role not in roles:
            roles[role] = name
    for side in {"in", "out"} - set(roles):
        worded = [name for name in constructor(cls) if name not in fixed and width_by_words(name) == side]
        if len(worded) == 1 and worded[0] not in roles.values():
            roles[side] = worded[0]
    return roles, tuple(name for name in unknown if name not in roles.values())


def _names_its_own(cls: type) -> bool:
    own = vars(cls).get("__init__")
    if own is None:
        return True
    kinds = {p.kind for p in list(inspect.signature(own).parameters.values())[1:]}
    return bool(kinds & {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY})
