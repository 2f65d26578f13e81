"""Names of a package whose modules are imported when they are first asked for, and not at the start of every pytest."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def on_first_use(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """What a package calls its ``__getattr__`` (PEP 562): each name comes from the module that it lives in.

    Args:
        package: name of the package.
        homes: module, without ``initcheck.`` -> the names that it defines, apart by a space.

    >>> on_first_use("initcheck", {"report.verdict": "Result Verdict"})("Verdict").__name__
    'Verdict'
    >>> on_first_use("initcheck", {})("chekc")
    Traceback (most recent call last):
    AttributeError: module 'initcheck' has no attribute 'chekc'
    """
    home = {name: f"initcheck.{module}" for module, names in homes.items() for name in names.split()}

    def found(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(home[name]), name)
        setattr(sys.modules[package], name, value)  # the next time it is simply there
        return value

    return found
