"""What a function or class takes, by name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

_REST = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    """The parameters of a callable; None where it has no signature that can be read, or is none.

    A class whose metaclass passes everything on (those of ``flax.nnx``) is asked for its ``__init__``.

    >>> class PassesOn(type):
    ...     def __call__(cls, *args, **kwargs): return super().__call__(*args, **kwargs)
    >>> class Net(metaclass=PassesOn):
    ...     def __init__(self, width, rngs): ...
    >>> list(parameters_of(Net)), list(parameters_of(functools.partial(Net, 64)))
    (['width', 'rngs'], ['rngs'])
    >>> class Plain: ...
    >>> list(parameters_of(Plain))
    []
    """
    try:
        partial = function if isinstance(function, functools.partial) else functools.partial(function)
        found = inspect.signature(function)
        kinds = [p.kind for p in found.parameters.values()]
        # A class without a constructor takes nothing: that of ``object`` would say that it takes anything.
        if isinstance(partial.func, type) and kinds and all(kind in _REST for kind in kinds):
            init: Callable[..., Any] = partial.func.__init__  # type: ignore[misc]  # its own signature is all that is asked of it
            found = inspect.signature(functools.partial(init, None, *partial.args, **partial.keywords))
    except (TypeError, ValueError):
        return None
    return found.parameters
