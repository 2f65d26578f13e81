"""Calling a model whose layers are Python objects, and listening to some of them."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.models.living.model import Tap

# Arguments by which a model is told whether it is trained, whatever it takes where nothing is said: nothing is dropped;
# a batch norm by itself as in training, so that it meets fresh weights.
_SAID = {
    "train": False, "training": False, "is_training": False, "deterministic": True, "inference": True,
    "use_running_average": False,
}  # fmt: skip


# What a key of JAX, or a state of generators, is called: rng, z_rng, rngs. Attention has a key beside a query.
_KEY = re.compile(r"(?:^|_)(?:rngs?|prng|key)$")
_OF_ATTENTION = frozenset(("query", "queries", "q", "value", "values", "v"))


def called_with(
    call: Callable[..., Any],
    given: Mapping[str, Any],
    *,
    chance: Callable[[str], Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Keyword arguments of a call: those given, what else must be said of training, and what it draws from.

    >>> called_with(lambda x, train: x, {})
    {'train': False}
    >>> called_with(lambda x, z_rng: x, {}, chance=lambda name: 7)
    {'z_rng': 7}

    Args:
        call: the model.
        given: of the batch.
        chance: makes the key, or generators, that is handed over as a parameter of that name without a default.
        more: what is handed over where it has a parameter of that name without a default.
    """
    found = dict(given)
    parameters = parameters_of(call) or {}
    for name, parameter in parameters.items():
        if name in found:
            continue
        if name in _SAID:
            found[name] = _SAID[name]
        elif parameter.default is parameter.empty and name in more:
            found[name] = more[name]
        elif parameter.default is parameter.empty and chance is not None and _is_chance(name, parameters):
            found[name] = chance(name)
    return found


def inputs_taken(call: Callable[..., Any]) -> dict[str, bool]:
    """The arrays that a model must be given, and which of them by name alone.

    They are its parameters without a default that nothing else is handed to.

    >>> inputs_taken(lambda encoder_inputs, train, rng, *, decoder_inputs: 0)
    {'encoder_inputs': False, 'decoder_inputs': True}
    """
    parameters = parameters_of(call) or {}
    return {
        name: p.kind is p.KEYWORD_ONLY
        for name, p in parameters.items()
        if p.default is p.empty
        and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        and not (name in _SAID or _is_chance(name, parameters))
    }


def _is_chance(name: str, beside: Collection[str]) -> bool:
    return _KEY.search(name) is not None and not _OF_ATTENTION & set(beside)


_COLLECTIVE = re.compile(r"\b(p(mean|sum|max|min)|all_gather|axis_index)\b")


def averages_over_devices(layer: Any) -> bool:
    """Whether a layer of JAX has the name of an axis of devices, by which it takes its mean over them.

    The norms of a library call it axis_name; in a layer of the user's an attribute of that name may be anything else,
    unless its code has an operation over devices.

    >>> class Axial:
    ...     axis_name = "height"
    >>> averages_over_devices(Axial())
    False

    Args:
        layer: of a model.
    """
    if not isinstance(getattr(layer, "axis_name", None), (str, tuple)):
        return False
    kinds = [kind for kind in type(layer).__mro__ if kind is not object]
    if any(kind.__module__.startswith("flax.") and kind.__name__.endswith("Norm") for kind in kinds):
        return True
    for kind in kinds:
        try:
            code = "" if kind.__module__.startswith("flax.") else inspect.getsource(kind)
        except (OSError, TypeError):
            continue
        if _COLLECTIVE.search(code):
            return True
    return False


@contextmanager
def listening(parts: Iterable[tuple[str, Any]], heard: Collection[str], tap: Tap | None) -> Iterator[None]:
    """While it lasts, the tap is told what these objects were called with and what they made.

    A scan calls copies of a layer, one a slice of its arrays. A copy is known by its class, where no other layer that
    is heard is of that class and was not called itself.

    Args:
        parts: every layer of the model with its name.
        heard: the names of those that are listened to.
        tap: None where nobody listens.
    """
    own = {id(part): (name, part) for name, part in parts}
    names = {i: name for i, (name, _) in own.items() if name in heard}
    if tap is None or not names:
        yield
        return
    kinds = Counter(type(own[i][1]) for i in names)
    copied = {type(own[i][1]): name for i, name in names.items() if kinds[type(own[i][1])] == 1}
    before: list[tuple[type, Any]] = []
    for kind in kinds:
        original = kind.__call__
        before.append((kind, vars(kind).get("__call__")))

        def told(self: Any, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
            made = _original(self, *args, **kwargs)
            name = names.get(id(self)) if id(self) in own else copied.get(type(self))
            return made if name is None else tap(name, (args, kwargs), made)

        type.__setattr__(kind, "__call__", told)
    try:
        yield
    finally:
        for kind, own in before:
            if own is None:
                type.__delattr__(kind, "__call__")
            else:
                type.__setattr__(kind, "__call__", own)
