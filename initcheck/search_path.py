"""Where a user's folder stands on the search path: behind the standard library, before what is installed.

A folder with a ``statistics.py`` of its own would else take the place of the library's, for NumPy and for us as well.
"""

from __future__ import annotations

import itertools
import os
import sys


def add_folder(folder: str) -> None:
    """Let modules of a folder be imported, unless the standard library has one of that name."""
    if folder not in sys.path:
        sys.path.insert(_behind(), folder)


def behind_the_standard_library() -> None:
    """Move the current folder, which ``python -m initcheck`` puts first, behind the standard library."""
    started = sys.orig_argv
    is_ours = any(a == "-m" and b.startswith("initcheck") for a, b in itertools.pairwise(started))
    try:
        here = os.getcwd()
    except OSError:  # the folder was removed
        return
    if is_ours and sys.path and sys.path[0] in ("", here):
        sys.path.insert(_behind() - 1, sys.path.pop(0))


def _behind() -> int:
    library = os.path.dirname(os.__file__)
    own = (library, os.path.join(library, "lib-dynload"))
    return max((place + 1 for place, entry in enumerate(sys.path) if entry in own), default=0)
