"""Where a framework's class says what a parameter starts from: file, line, and what stands there."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import textwrap
from pathlib import Path

# A draw, or the default of an argument that chooses one.
_SAYS = r"init\w*\.|_init\b|initializer|uniform|normal|constant_|zeros|ones|fill_|glorot|default_init|orthogonal"


def source_line(cls: type | None, parameter: str, owner: type | None = None) -> str:
    """The line of a class, or of the nearest class above it, that names a parameter's initialization.

    >>> import torch
    >>> source_line(torch.nn.Linear, "weight").partition(" ")[0].rpartition(":")[0]
    'torch/nn/modules/linear.py'

    Args:
        cls: the layer's class; None where a function builds it.
        parameter: the path of the parameter; where the class does not name it, its last part is looked for.
        owner: the class of the module inside the layer that the parameter belongs to, where that is known.

    Returns:
        ``package/file.py:LINE  code``; empty where no source is found.
    """
    if cls is not None and "." in parameter:
        found = _in(cls, parameter)
        if found:
            return found
    cls = owner or cls
    if cls is None:
        return ""
    words = [parameter.rpartition(".")[2]]
    stem = re.sub(r"_?(?:l\d+|ih|hh|in|out|q|k|v)(?=_|$)|_weight|^weight_", "", words[0])
    if "kernel" in words[0] and words[0] != "kernel":
        words.insert(0, words[0].replace("kernel", "initializer"))  # recurrent_kernel of Keras
    words += [w for w in (stem, "bias" if "bias" in words[0] else "kernel", "weight") if w]
    for word in dict.fromkeys(words):
        for base in cls.__mro__:
            found = _in(base, word)
            if found:
                return found
    return ""


def _in(owner: type, word: str) -> str:
    try:
        lines, first = inspect.getsourcelines(owner)
        file = inspect.getsourcefile(owner)
    except (OSError, TypeError):
        return ""
    if file is None:
        return ""
    pattern = re.compile(rf"(?<![a-z]){re.escape(word)}")
    prose = _prose("".join(lines))
    for number, line in enumerate(lines):
        if number in prose:
            continue
        code = line.partition("#")[0].strip()
        is_code = (
            code
            and not code.startswith((">>>", '"""', "*", "-", "."))
            and "`" not in code
            and ("=" in code or "(" in code)
        )
        if is_code and pattern.search(code) and re.search(_SAYS, code) and " is " not in code:
            return f"{short_path(file)}:{first + number}  {code[:90]}"
    return ""


def _prose(source: str) -> set[int]:
    """The lines of a class that are documentation, counted from 0."""
    try:
        tree = ast.parse(textwrap.dedent(source))
    except SyntaxError:
        return set()
    texts = (n for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))
    return {line - 1 for n in texts for line in range(n.lineno, (n.end_lineno or n.lineno) + 1)}


def written_at(file: str, number: int) -> str:
    """``package/file.py:LINE  code`` of a line that was seen to write a parameter."""
    return f"{short_path(file)}:{number}  {linecache.getline(file, number).strip()[:90]}".rstrip()


def short_path(file: str) -> str:
    """A file from its package on, without the folder that the package lies in."""
    parts = Path(file).parts
    if "site-packages" in parts:
        return "/".join(parts[parts.index("site-packages") + 1 :])
    return Path(file).name
