"""The plain data from which another process makes an initializer again, or why there is none."""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import os
import pickle
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from initcheck.contract.initializer import Initializer
from initcheck.contract.tested import Tested
from initcheck.errors import UsageError
from initcheck.search_path import add_folder


def recipe_of(tested: Tested) -> Mapping[str, Any]:
    """The plain data from which another process makes this again.

    Raises:
        UsageError: there is none: a lambda, a closure.
    """
    if tested.recipe is None:
        why = f" {_why_not_carried(tested)} Or name" if isinstance(tested, Initializer) else " name"
        raise UsageError(
            f"{tested.name} exists in this process only (a lambda or a closure), so it cannot be judged"
            f" in another:{why} it by a target text such as pkg.mod:attr."
        )
    return tested.recipe


def here() -> dict[str, Any]:
    """The path and the folder on which a target is found in this process: a part of its recipe."""
    return {"path": list(sys.path), "cwd": os.getcwd()}


@contextlib.contextmanager
def there(recipe: Mapping[str, Any]) -> Iterator[None]:
    """Look for a target from the folder, and along the path, on which it was found first."""
    for entry in reversed(recipe.get("path") or []):
        add_folder(entry)
    folder = recipe.get("cwd")
    with contextlib.chdir(folder) if folder and os.path.isdir(folder) else contextlib.nullcontext():
        yield


def _why_not_carried(initializer: Initializer) -> str:
    try:
        cloudpickle = importlib.import_module("cloudpickle")
    except ImportError:
        return "install cloudpickle, which carries such functions."
    try:
        cloudpickle.dumps(initializer.function)
    except Exception as error:  # whatever the function holds decides what is raised
        return f"cloudpickle cannot carry it ({type(error).__name__}: {error})."
    return "cloudpickle cannot carry it."


def importable(obj: Any) -> str | None:
    """``module:qualname`` where a fresh process finds the same object under it."""
    module, qualname = getattr(obj, "__module__", None), getattr(obj, "__qualname__", None)
    if not module or not qualname or module == "__main__" or "<" in qualname:
        return None
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return f"{module}:{qualname}" if found is obj else None


def is_plain(args: Mapping[str, Any]) -> bool:
    """Whether the arguments survive JSON, in which recipes travel to fresh processes."""
    try:
        return bool(json.loads(json.dumps(args)) == args)
    except (TypeError, ValueError):
        return False


def pickled(data: Any) -> str | None:
    """A pickle as text; None where cloudpickle is not installed, or what is meant cannot leave this process."""
    try:
        cloudpickle = importlib.import_module("cloudpickle")
    except ImportError:
        return None
    try:
        return base64.b64encode(cloudpickle.dumps(data)).decode("ascii")
    except Exception:  # a lock or an open file in a closure
        return None


def unpickled(text: str) -> Any:
    """What ``pickled`` made a text of."""
    return pickle.loads(base64.b64decode(text))
