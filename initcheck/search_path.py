"""Where a user's folder stands on the search path: behind the standard library, before what is installed.

A folder with a ``statistics.py`` of its own would else take the place of the library's, for NumPy and for us as well,
and a script that somebody called ``numpy.py`` that of NumPy.
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys

_NEEDED = ("numpy", "hypothesis", "pytest", "rich")


def add_folder(folder: str) -> None:
    """Let modules of a folder be imported, unless the standard library has one of that name, or we need it."""
    if folder not in sys.path:
        for name in _NEEDED:
            # Loaded before, it is found in no other place any more.
            if name not in sys.modules and os.path.isfile(os.path.join(folder, f"{name}.py")):
                importlib.import_module(name)
        sys.path.insert(_behind(), folder)


def without_the_current_folder() -> None:
    """Take the current folder, which ``python -m initcheck`` puts first, off the path until a target is looked for."""
    started = sys.orig_argv
    is_ours = any(a == "-m" and b.startswith("initcheck") for a, b in itertools.pairwise(started))
    try:
        here = os.getcwd()
    except OSError:  # the folder was removed
        return
    if is_ours and sys.path and sys.path[0] in ("", here):
        sys.path.pop(0)


def _behind() -> int:
    library = os.path.dirname(os.__file__)
    own = (library, os.path.join(library, "lib-dynload"))
    return max((place + 1 for place, entry in enumerate(sys.path) if entry in own), default=0)
