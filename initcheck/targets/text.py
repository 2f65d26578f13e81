"""TARGET as text: parsed into where the object is and with which arguments it is called, never evaluated."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from initcheck.errors import UsageError

WEIGHTS = (".safetensors", ".safetensors.index.json", ".pt", ".pth", ".bin", ".ckpt")
"""Ends of the names of files that hold weights."""


@dataclass(frozen=True)
class TargetText:
    """A target taken apart.

    Attributes:
        text: as it was written.
        file: the path of a Python file, or None.
        module: a dotted name that may end in attributes, or None where ``file`` is given.
        attribute: what stands after the colon; empty where nothing does.
        args: keyword arguments, as literals.
        called: it is written with brackets, even empty ones.
    """

    text: str
    file: str | None = None
    module: str | None = None
    attribute: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    called: bool = False


def parse(text: str) -> TargetText:
    """Take a target apart.

    >>> parse('torch.nn.init.kaiming_normal_(nonlinearity="relu")').args
    {'nonlinearity': 'relu'}
    >>> parse("inits/he.py:he_normal").attribute
    'he_normal'

    Raises:
        UsageError: it is no dotted name, ``module:name`` or ``file.py:name``, or an argument is no literal.
    """
    place, bracket, _ = text.strip().partition("(")
    place = place.strip()
    args = _arguments(text.strip(), place) if bracket else {}
    if place.endswith(".py") or ".py:" in place:
        file, _, attribute = place.rpartition(".py")
        attribute = attribute.removeprefix(":")
        _dotted(attribute or "x", text)
        return TargetText(text, file=f"{file}.py", attribute=attribute, args=args, called=bool(bracket))
    module, colon, attribute = place.partition(":")
    _dotted(module, text)
    if colon:
        _dotted(attribute, text)
    return TargetText(text, module=module, attribute=attribute, args=args, called=bool(bracket))


def _dotted(name: str, text: str) -> None:
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", name):
        raise UsageError(f"target {text!r} cannot be read: {_wrong(name, text)}")


def _wrong(name: str, text: str) -> str:
    """What is wrong with a name, and what to write in its place."""
    if "://" in text:
        return "it is an address, and nothing is fetched. Install what lies there, and name it: pkg.mod:name."
    if "::" in text:
        return f"between a file or module and a name stands one colon: {text.replace('::', ':')!r}?"
    if not text.strip():
        return "nothing is named; write a module (myinit) or module:name."
    if not name:
        return "a name is missing before or after its colon; write module:name, with no space."
    if os.path.isdir(text):
        # Two folders down at most: what lies deeper, a virtual environment say, is nobody's answer.
        found = (f for below in ("*.py", "*/*.py", "*/*/*.py") for f in sorted(Path(text).glob(below)))
        file = next((str(f) for f in found if not f.name.startswith("_")), os.path.join(text, "inits.py"))
        return f"{text!r} is a folder. Name a package that is installed, pkg.inits, or a file in it, such as {file}."
    if "[" in name:
        item = name.partition("[")[0]
        return (
            f"{name!r} takes an item out of a container, and target text is never evaluated. From Python:"
            f" initcheck.check({item}[...]); or give the item a name of its own in its module."
        )
    if name.count("(") < text.count(")") and "(" not in text:
        return f"it ends in a bracket that nothing opens: {text.replace(')', '')!r}?"
    if " " in name.strip():
        return f"there is a space in {name!r}; between module and name stands a colon: {':'.join(name.split())!r}?"
    if "-" in name and Path(f"{name.replace('.', '/')}.py").is_file():
        return f"a module's name has no hyphen; name the file: {name.replace('.', '/')}.py."
    if "/" in name or os.sep in name:
        return f"{name!r} is no Python file; a file's name ends in .py: path/to/inits.py:name."
    return (
        f"{name!r} is no name. Write a module (myinit), module:name, module.name or path/to/file.py:name,"
        " with arguments as literals: name(gain=2.0)."
    )


def _arguments(text: str, place: str) -> dict[str, Any]:
    written = "f" + text[text.index("(") :]
    try:
        call = ast.parse(written, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        if text.count("(") > text.count(")"):
            raise UsageError(
                f"target {text!r}: a bracket is not closed; write {place}(width=64), in quotes where a shell reads it."
            ) from None
        raise UsageError(f"target {text!r}: what follows {place!r} is no call with keyword arguments.") from None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise UsageError(f"target {text!r}: what follows {place!r} is no single call with keyword arguments.")
    if call.args:
        raise UsageError(f"target {text!r}: arguments are given by name, such as {place}(gain=2.0).")
    args = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            raise UsageError(f"target {text!r}: ** cannot be read; write each argument by name.")
        try:
            args[keyword.arg] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, MemoryError, RecursionError):
            shown = ast.unparse(keyword.value)
            raise UsageError(
                f"target {text!r}: {keyword.arg}={shown} is no literal; target text is never evaluated."
                " Write a number, a string, a tuple, None, or pass a function from Python."
            ) from None
    return args


def pattern_and_law(text: str) -> tuple[str, str]:
    """A declared law of a command line as its pattern and its formula.

    >>> pattern_and_law("*.c_proj.weight = 0.02/sqrt(2*L)")
    ('*.c_proj.weight', '0.02/sqrt(2*L)')

    Raises:
        UsageError: it is not ``PATTERN=LAW``.
    """
    pattern, equals, law = (part.strip() for part in text.partition("="))
    if not (equals and pattern and law):
        raise UsageError(f"the law {text!r} is not PATTERN=LAW, such as '*.c_proj.weight=0.02/sqrt(2*L)'.")
    return pattern, law
