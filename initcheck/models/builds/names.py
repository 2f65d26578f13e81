"""One name for several tensors: their path with numbers starred, so that it names these and no other."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from initcheck.grouping import grouped

_NUMBER = re.compile(r"\d+")
_SAID = re.compile(r"(\*|\d+|\{[^}]*\})")
_LISTED = 8


def names_of(groups: Sequence[Sequence[str]], every: Iterable[str]) -> list[str]:
    """The name of each group of tensors.

    >>> names_of([["h.0.w", "h.1.w"], ["mlp.0.w"], ["mlp.2.w"]], ["h.0.w", "h.1.w", "mlp.0.w", "mlp.2.w"])
    ['h.*.w', 'mlp.0.w', 'mlp.2.w']

    Args:
        groups: paths of tensors that belong together.
        every: the paths of all tensors of the model.
    """
    alike = grouped((_without(path), path) for path in every)
    return [name_of(group, [p for path in group for p in alike.get(_without(path), [])]) for group in groups]


def name_of(members: Sequence[str], every: Iterable[str]) -> str:
    """A path that names its members alone: starred where a number may be any, else with the numbers that it has.

    >>> name_of(["0.weight", "4.weight"], ["0.weight", "2.weight", "4.weight"])
    '{0,4}.weight'
    >>> name_of(["h.0.o.weight", "h.1.o.weight", "h.3.o.weight"], [f"h.{k}.o.weight" for k in range(4)])
    'h.{0-1,3}.o.weight'

    Args:
        members: paths that differ in numbers alone; of others the first is named, and how many more there are.
        every: the paths among which these are to be told.
    """
    unique = list(dict.fromkeys(members))
    if len(unique) == 1:
        return unique[0]
    if len({_without(path) for path in unique}) > 1:
        return f"{unique[0]} and {len(unique) - 1} more"
    words = _NUMBER.split(unique[0])
    numbers = [[int(n) for n in _NUMBER.findall(path)] for path in unique]
    columns = [sorted(set(column)) for column in zip(*numbers, strict=True)]
    others = [
        tuple(int(n) for n in _NUMBER.findall(path))
        for path in dict.fromkeys(every)
        if _without(path) == _without(unique[0]) and path not in set(unique)
    ]
    # A star is any number; as few numbers as possible are written out, the outermost first.
    varying = [k for k, column in enumerate(columns) if len(column) > 1]
    for count in range(len(varying) + 1):
        for said in itertools.combinations(varying, count):
            fits = [
                all(n in columns[k] for k, n in enumerate(other) if k in said or k not in varying) for other in others
            ]
            if not any(fits):
                return _joined(words, columns, varying, said)
    return _spelled(unique)


def covers(name: str, other: str) -> bool:
    """Whether every tensor that one name may name is named by the other too.

    >>> covers("h.*.w", "h.{0,2}.w"), covers("h.{0-2}.w", "h.1.w"), covers("h.{0-2}.w", "h.*.w")
    (True, True, False)
    """
    if name == other:
        return True
    mine, theirs = _SAID.split(name), _SAID.split(other)
    if len(mine) != len(theirs) or mine[::2] != theirs[::2]:
        return False
    pairs = zip(map(_numbers, mine[1::2]), map(_numbers, theirs[1::2]), strict=True)
    return all(m is None or (t is not None and -1 not in m and t <= m) for m, t in pairs)


def _numbers(said: str) -> set[int] | None:
    """The numbers that a part of a name stands for; None for any."""
    if said == "*":
        return None
    if not re.fullmatch(r"\{?[\d,-]+\}?", said):
        return {-1}  # parts of paths, or cut off: it covers itself at most
    ends = [[int(n) for n in run.split("-")] for run in said.strip("{}").split(",")]
    return {n for run in ends for n in range(run[0], run[-1] + 1)}


def _joined(words: Sequence[str], columns: Sequence[Sequence[int]], varying: Sequence[int], said: Sequence[int]) -> str:
    shown = [
        _several(column) if k in said else "*" if k in varying else str(column[0]) for k, column in enumerate(columns)
    ]
    return words[0] + "".join(number + word for number, word in zip(shown, words[1:], strict=True))


def _spelled(paths: Sequence[str]) -> str:
    """Paths that no product of numbers names, by the parts in which they differ.

    >>> _spelled(["b.0.c.1.w", "b.1.c.0.w"])
    'b.{0.c.1,1.c.0}.w'
    """
    parts = [re.split(r"(\d+)", path) for path in paths]
    apart = [k for k in range(len(parts[0])) if len({part[k] for part in parts}) > 1]
    first, last = apart[0], apart[-1] + 1
    return "".join([*parts[0][:first], _braced(["".join(part[first:last]) for part in parts]), *parts[0][last:]])


def _several(numbers: Sequence[int]) -> str:
    """
    >>> _several([0, 1, 2, 5, 7, 8])
    '{0-2,5,7-8}'
    """
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    texts = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return _braced(texts)


def _braced(texts: Sequence[str]) -> str:
    return "{" + ",".join([*texts[:_LISTED], "..."] if len(texts) > _LISTED else texts) + "}"


def _without(path: str) -> str:
    return _NUMBER.sub("#", path)
