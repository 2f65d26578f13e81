"""`lock()` and `initcheck lock`: the laws of a start as a file for review."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from initcheck.engine.checker import Checker
from initcheck.engine.settings import Settings
from initcheck.errors import UsageError
from initcheck.locks.lines import Lock, changes, written
from initcheck.locks.subject import lock_of
from initcheck.report.journal import replace_file
from initcheck.report.report import Report
from initcheck.runs.destination import PRINTED
from initcheck.targets.locks import load_locks, read_lock_file
from initcheck.targets.pairs import one_target


def lock(
    target: Any = None, *, check: str | None = None, like: str | None = None, seed: int = 0, profile: str = "default"
) -> str | Report:
    """Write the laws of an initializer or a model, one line a role; or hold it to a law file or a preset.

    >>> import initcheck
    >>> print(initcheck.lock("initcheck.gallery:he_normal").splitlines()[-1])
    weights  layout out_in  normal, variance 2 / fan_in

    Args:
        target: a target text, a function of a shape, or a function that builds a model; not needed with ``check``.
        check: path of a law file: every target in it is held to its lines.
        like: a preset, ``gpt2``, ``llama``, ``bert``, ``t5``, ``vit`` or ``mamba``, that the target is held to.
        seed: of the run; laws do not hang on it.
        profile: how many shapes of an initializer are compared.

    Returns:
        the text of a law file; with ``check`` or ``like`` a report.

    Raises:
        UsageError: there is no such target or file, or a law that no line can hold.
    """
    if check is None and like is None:
        if target is None:
            raise UsageError("name what is locked, as in initcheck.lock('m:build'), or check='init.lock'.")
        return written([lock_of(one_target(target), seed)], "init.lock")
    if like is not None and not isinstance(target, str):
        raise UsageError("like= needs the target as text, such as 'm:build'.")
    held = load_locks([target] if like is not None else [str(check)], like=like)
    checker = Checker(Settings(seed=seed, profile=profile, kinds=("lock",)))
    return checker.report(held)


def write_locks(texts: Sequence[str], output: str | None, *, seed: int = 0, update: bool = False) -> int:
    """Write the law file of some targets, or an existing one anew; return the exit code.

    Args:
        texts: targets; with ``update`` law files.
        output: the file to write; it is printed where None or ``-``.
        seed: of the run.
        update: whether the texts are law files that are written anew, and what changed is printed.

    Raises:
        UsageError: as ``lock``; or the file cannot be written.
    """
    if update:
        for file in texts:
            before = read_lock_file(file)
            now = [Lock(one.target, lock_of(one_target(one.target), seed).lines) for one in before]
            said = [f"{new.target}  {s}" for old, new in zip(before, now, strict=True) for s in changes(old, new)]
            print("\n".join(said) or f"{file}: no law has changed")
            _write(file, written(now, file))
        return 0
    locks = [Lock(text, lock_of(one_target(text), seed).lines) for text in texts]
    if output in (None, PRINTED):
        print(written(locks, "init.lock"), end="")
    else:
        _write(output, written(locks, output))
        lines = sum(len(one.lines) for one in locks)
        print(f"{output}: {lines} line{'s' if lines != 1 else ''}. Check: initcheck lock --check {output}")
    return 0


def _write(file: str, text: str) -> None:
    path = Path(file)
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith("# initcheck lock 1"):
        raise UsageError(f"{file!r} is no law file; it is not written over. Give another name.")
    try:
        replace_file(path, text)
    except OSError as error:
        raise UsageError(f"the law file {file!r} cannot be written: {error.strerror}.") from None
