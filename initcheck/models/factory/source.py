"""The code that an init statement stands in."""

from __future__ import annotations

import ast
import linecache


def code_of(file: str) -> ast.Module:
    """What a file of Python holds; nothing where it is none."""
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])
