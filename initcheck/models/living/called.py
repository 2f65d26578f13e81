"""Calling a model whose layers are Python objects, and listening to some of them."""

from __future__ import annotations

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


def called_with(call: Callable[..., Any], given: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Keyword arguments of a call: those given, and what else must be said of training.

    >>> called_with(lambda x, train: x, {})
    {'train': False}

    Args:
        call: the model.
        given: of the batch.
        more: what is handed over where it has a parameter of that name without a default.
    """
    found = dict(given)
    for name, parameter in (parameters_of(call) or {}).items():
        if name in found:
            continue
        if name in _SAID:
            found[name] = _SAID[name]
        elif name in more and parameter.default is parameter.empty:
            found[name] = more[name]
    return found


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
