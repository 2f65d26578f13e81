"""A law file, or a target with a preset, becomes what is held to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from initcheck.contract.initializer import Initializer
from initcheck.contract.profile import Profile
from initcheck.contract.tested import Tested
from initcheck.errors import UsageError, closest
from initcheck.locks.lines import Lock, read_locks
from initcheck.locks.locked import Locked
from initcheck.locks.presets import PRESETS
from initcheck.targets.loading import load
from initcheck.targets.pairs import one_target
from initcheck.targets.recipes import here, there
from initcheck.targets.tables import lock_tables


def load_locks(texts: Iterable[str], *, like: str | None = None) -> tuple[Locked, ...]:
    """Find what some law files hold, or the targets that are held to a preset.

    Args:
        texts: paths of law files; with a preset, target texts.
        like: the name of a preset.

    Raises:
        UsageError: there is no such file, or it is none; a target of it is not there any more; no such preset.
    """
    if like is not None and like not in PRESETS:
        raise UsageError(f"there is no preset {like!r}; {closest(like, PRESETS)}")
    found: list[Locked] = []
    files = [file for text in texts for file in (lock_tables(text[1:]) if text.startswith("@") else [text])]
    for text in dict.fromkeys(files):
        if like is not None:
            found.append(_locked(text, one_target(text), None, "", like))
        else:
            found += [_locked(lock.target, one_target(lock.target), lock, text, None) for lock in read_lock_file(text)]
    return tuple(found)


def read_lock_file(path: str) -> tuple[Lock, ...]:
    """The locks of a file.

    Raises:
        UsageError: it cannot be read, or is no law file.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(
            f"there is no law file {path!r}: what is checked is a file. Write one, initcheck lock TARGET -o init.lock,"
            " and hold the code to it, initcheck lock --check init.lock."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the law file {path!r} cannot be read: {error}. Write one: initcheck lock TARGET -o {path}"
        ) from None
    found = read_locks(text, path)
    if not found:
        raise UsageError(f"the law file {path!r} locks nothing: a check that looks at nothing cannot pass.")
    return found


def locked_again(recipe: Mapping[str, Any]) -> Locked:
    """Make it again in a fresh process from the plain data of its ``recipe``.

    Raises:
        UsageError: as ``load_locks``.
    """
    with there(recipe):
        if recipe["like"] is not None:
            return load_locks([recipe["lock"]], like=recipe["like"])[0]
        return next(one for one in load_locks([recipe["file"]]) if one.name == recipe["lock"])


def _locked(name: str, target: Tested, lock: Lock | None, file: str, like: str | None) -> Locked:
    recipe = {"lock": name, "file": file, "like": like, **here()}
    words = (name, f"--like={like}") if like is not None else ("--check", file)
    return Locked(
        name=name,
        target=dataclasses.replace(target, name=name),
        lock=lock,
        file=file,
        like=like,
        location=target.location,
        recipe=recipe,
        words=words,
        as_initializer=_as_initializer,
        subject=_subject,
    )


def _as_initializer(function: Any, name: str, layout: str) -> Initializer:
    return load(function, name=name, contract={"layout": layout}).initializers[0]


def _subject(locked: Locked, profile: Profile, seed: int) -> Any:
    from initcheck.locks.subject import LockSubject  # nothing of a lock is loaded for one initializer

    return LockSubject(locked, profile, seed)
