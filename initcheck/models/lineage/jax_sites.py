"""Which line of the user's code asked for an equation of JAX."""

from __future__ import annotations

import os
import sysconfig
from typing import Any

from initcheck.models.provenance.steps import Site, in_library

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STDLIB = sysconfig.get_paths()["stdlib"] + os.sep
_MACHINERY = tuple(os.sep + name + os.sep for name in ("jax", "jaxlib"))


def site_of(equation: Any) -> Site | None:
    """The innermost line outside of libraries; of a library where no other stands above, but never JAX's own."""
    traceback = getattr(getattr(equation, "source_info", None), "traceback", None)
    library: Site | None = None
    for frame in traceback.frames if traceback is not None else ():
        file = frame.file_name
        if file.startswith((_HERE, "<")) or (file.startswith(_STDLIB) and not in_library(file)):
            continue
        if not in_library(file):
            return file, int(frame.line_num)
        if library is None and not any(part in file for part in _MACHINERY):
            library = file, int(frame.line_num)
    return library
