"""Text of users made safe to show: it is data, never markup, whole in its words, and names no machine's folders."""

from __future__ import annotations

import os
import re
from pathlib import PurePath

_INSTALLED = ("site-packages", "dist-packages")
_ROOT_MARKS = ("pyproject.toml", ".git", "setup.py", "setup.cfg")
# An absolute path up to the folder that everybody has: that of installed packages, or of Python's own modules.
_LIBRARIES = tuple(
    re.compile(rf"(?<![\w.])(?:[A-Za-z]:)?[/\\][^\s\"'<>|]*?[/\\]{folder}[/\\]")
    for folder in ("(?:site|dist)-packages", r"python3\.\d+")
)


def clean(text: str, *, lines: int = 60) -> str:
    """The same for text of several lines, whose line ends are kept.

    >>> clean("a\\x00\\nb")
    'a\\\\x00\\nb'

    Args:
        text: what a user or a library wrote.
        lines: lines beyond which the middle is left out.
    """
    found = [escaped(line.expandtabs(4), 2_000) for line in text.split("\n")]
    if len(found) > lines:
        kept = lines // 2
        found = [*found[:kept], f"... ({len(found) - 2 * kept:,} lines) ...", *found[-kept:]]
    return "\n".join(found)


def escaped(text: str, limit: int = 300) -> str:
    """Make text from a user safe to print: one line, no terminal escapes, not too long.

    Where it is too long its middle is left out, between words: what is wrong stands at the beginning of a message,
    what to do at its end.

    >>> escaped("he\\x1b[31m\\n")
    'he\\\\x1b[31m\\\\n'
    >>> escaped("as (shape) it returns (5, 7) where (7, 5) is meant; name the layout, or pass it", limit=60)
    'as (shape) it returns (5, ... the layout, or pass it'
    """
    if len(text) > limit:
        text = _shortened(text, limit)
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def _shortened(text: str, limit: int) -> str:
    kept = (limit - 5) // 2
    head, tail = text[:kept], text[-kept:]
    # Text without spaces has no words to keep whole: an identifier, a row of digits.
    if " " in head.strip() and " " in tail.strip():
        return f"{head.rpartition(' ')[0]} ... {tail.partition(' ')[2]}"
    kept = limit // 4
    return f"{text[:kept]}... ({len(text):,} characters) ...{text[-kept:]}"


def relative(file: str) -> str:
    """A file as everybody can find it: from the current folder, else from the root of its project.

    >>> relative(os.path.join(os.getcwd(), "models", "inits.py"))
    'models/inits.py'
    >>> relative("/usr/lib/python3/site-packages/torch/nn/init.py")
    'torch/nn/init.py'

    A name that is no file's, such as ``<stdin>``, stays as it is; of a file of no project its name is left.
    """
    path = PurePath(file)
    if not path.is_absolute():
        return file
    here = _here()
    if here and path.is_relative_to(here):
        return path.relative_to(here).as_posix()
    for folder in _INSTALLED:
        if folder in path.parts:
            return PurePath(*path.parts[path.parts.index(folder) + 1 :]).as_posix()
    for parent in path.parents:
        if any(os.path.exists(parent / mark) for mark in _ROOT_MARKS):
            return path.relative_to(parent).as_posix()
    return path.name


def without_folders(text: str) -> str:
    """A message or a traceback without the folders of the machine it was written on.

    >>> without_folders('File "' + os.path.join(os.getcwd(), "m.py") + '", line 3')
    'File "m.py", line 3'
    >>> without_folders('File "/home/me/env/lib/python3.11/site-packages/torch/nn/init.py", line 9')
    'File "torch/nn/init.py", line 9'
    """
    here, home = _here(), os.path.expanduser("~")
    if len(here) > 1:
        text = text.replace(here + os.sep, "")
    for pattern in _LIBRARIES:
        text = pattern.sub("", text)
    return text.replace(home + os.sep, "~" + os.sep) if len(home) > 1 else text


def _here() -> str:
    """The current folder; empty where it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""
