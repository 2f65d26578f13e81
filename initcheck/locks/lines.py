"""The lines of a law file: a role with its shape and its law in words, written to be read in a diff."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from initcheck.errors import UsageError
from initcheck.grouping import grouped
from initcheck.models.builds.names import covers

MOST_LINES = 24
_HEAD = "# initcheck lock 1: laws of a start, to be reviewed. Check: initcheck lock --check {file}"
_NUMBER = re.compile(r"(?<![\w.])[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_CONSTANT = re.compile(r"every entry [01]")
_DIGITS = re.compile(r"\{[^}]*\}|\d+")
# Numbers that are written with four digits are equal where they agree to three; measured ones beyond chance.
_EXACT, _MEASURED = 2e-3, 0.05
_SIGMAS = 6.0


@dataclass(frozen=True, order=True)
class Line:
    """One role.

    Attributes:
        path: of its tensors, with the number of their block starred; ``weights`` of an initializer.
        size: how many tensors of which shape, in words.
        law: their law, in words.
        site: file and line that drew them; it is shown and not compared.
        entries: numbers that a measured law rests on; 0 of one that is known.
    """

    path: str
    size: str
    law: str
    site: str = ""
    entries: int = 0

    @property
    def text(self) -> str:
        """The line without its site."""
        return f"{self.path}  {self.size}  {self.law}"


@dataclass(frozen=True)
class Lock:
    """The laws of one target.

    Attributes:
        target: its text.
        lines: one a role, sorted by path.
    """

    target: str
    lines: tuple[Line, ...]


def same_law(old: str, new: str, entries: int = 0) -> bool:
    """Whether two laws in words are one: the same words, and numbers that differ by no more than they are known.

    >>> same_law("normal, std 0.02", "normal, std 0.02001"), same_law("normal, std 0.02", "normal, std 0.021")
    (True, False)

    Args:
        old, new: laws, as lines hold them.
        entries: how many numbers a measured law rests on; six standard errors of a standard deviation then count as
            the same, and 5 % do.
    """
    if _NUMBER.sub("#", old) != _NUMBER.sub("#", new):
        return False
    allowed = _MEASURED + _SIGMAS / math.sqrt(2 * entries) if entries else _EXACT
    pairs = zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
    return all(math.isclose(float(x), float(y), rel_tol=allowed, abs_tol=1e-12) for x, y in pairs)


def folded(lines: Iterable[Line], most: int = MOST_LINES) -> tuple[Line, ...]:
    """The lines in order; where they are too many, those of one law and of like names become one.

    >>> many = [Line(f"stage{k}.conv.weight", f"(8, {k})", "normal, std 0.1 = sqrt(2/fan_out)") for k in range(30)]
    >>> [line.text for line in folded(many)]
    ['stage*.conv.weight  30 tensors of 30 shapes  normal, std sqrt(2/fan_out)']
    """
    kept = sorted(lines, key=_place)
    for key in (_without_numbers, _tail, _leaf):
        # Ones and zeros first: that a norm starts at one is what a reader can spare.
        for spared in (True, False):
            if len(kept) <= most:
                return tuple(kept)
            paths = [key(line.path) if not spared or _CONSTANT.fullmatch(line.law) else line.path for line in kept]
            groups = grouped(((path, _formula(line.law)), line) for path, line in zip(paths, kept, strict=True))
            kept = sorted((_joined(path, law, group) for (path, law), group in groups.items()), key=_place)
    return tuple(kept)


def _place(line: Line) -> tuple[object, ...]:
    """Where a line stands: by path, the numbers in it in the order of numbers."""
    parts = re.split(r"(\d+)", line.path)
    return tuple((int(p), "") if p.isdigit() else (-1, p) for p in parts), line


def _joined(path: str, law: str, group: Sequence[Line]) -> Line:
    if len(group) == 1:
        return group[0]
    tensors = sum(_count(line.size) for line in group)
    shapes = sum(_shapes(line.size) for line in group)
    size = f"{tensors} tensors of {shapes} shapes"
    return Line(path, size, law, entries=min(line.entries for line in group))


def _count(size: str) -> int:
    found = re.match(r"(\d+) (?:x|tensors)", size)
    return int(found[1]) if found else 1


def _shapes(size: str) -> int:
    found = re.search(r"of (\d+) shapes", size)
    return int(found[1]) if found else 1


def _without_numbers(path: str) -> str:
    return _DIGITS.sub("*", path)


def _tail(path: str) -> str:
    return "**." + ".".join(_without_numbers(path).split(".")[-2:])


def _leaf(path: str) -> str:
    return f"**.{path.rpartition('.')[2]}"


def _formula(law: str) -> str:
    """A law by its formula where it has one, so that shapes of one formula have one law."""
    return re.sub(r"std [\d.e+-]+ = ", "std ", law)


def written(locks: Sequence[Lock], file: str) -> str:
    """The text of a law file."""
    parts = [_HEAD.format(file=file)]
    for lock in locks:
        widths = [max((len(getattr(line, key)) for line in lock.lines), default=0) for key in ("path", "size")]
        rows = [f"\n[{lock.target}]"]
        for line in lock.lines:
            measured = f" [measured on {line.entries}]" if line.entries else ""
            site = f"  # {line.site}" if line.site else ""
            rows.append(f"{line.path:<{widths[0]}}  {line.size:<{widths[1]}}  {line.law}{measured}{site}")
        parts.append("\n".join(rows))
    return "\n".join(parts) + "\n"


def read_locks(text: str, file: str) -> tuple[Lock, ...]:
    """Read what ``written`` wrote.

    >>> text = written([Lock("m:he", (Line("weights", "any shape", "normal, variance 2/fan_in"),))], "init.lock")
    >>> read_locks(text, "init.lock")[0].lines[0].law
    'normal, variance 2/fan_in'

    Raises:
        UsageError: it is no such file; the sentence names the line.
    """
    text = text.removeprefix("\ufeff")  # as some editors write it
    version = re.match(r"# initcheck lock (\d+)\b", text)
    if version is None:
        raise UsageError(f"{file!r} is no law file: it does not begin with '# initcheck lock 1'.")
    if version[1] != "1":
        raise UsageError(
            f"{file!r} is a law file of version {version[1]}, and this initcheck reads version 1: write it anew with"
            " initcheck lock TARGET -o FILE."
        )
    found: dict[str, list[Line]] = {}
    target = None
    for number, row in enumerate(text.splitlines(), start=1):
        row, _, site = row.partition("  # ")
        if not row.strip() or row.startswith("#"):
            continue
        if row.startswith("[") and row.rstrip().endswith("]"):
            target = row.strip()[1:-1]
            if target in found:
                raise UsageError(f"{file!r}, line {number}: [{target}] stands there a second time; keep the one that is"
                                 " meant.")  # fmt: skip
            found[target] = []
            continue
        if row.startswith(_CONFLICT):
            raise UsageError(f"{file!r}, line {number}: a conflict of a merge was left there, {row[:20]!r}; settle it,"
                             " or write the file anew: initcheck lock TARGET -o FILE.")  # fmt: skip
        fields = re.split(r"\s{2,}", row.strip(), maxsplit=2)
        if target is None or len(fields) != 3:
            raise UsageError(f"{file!r}, line {number}, is no line of a law file: expected path, size and law, apart by"
                             f" two spaces, below a line [TARGET]; given {row!r}.")  # fmt: skip
        line = Line(fields[0], fields[1], fields[2], site.strip())
        measured = re.search(r" \[measured on (\d+)\]$", line.law)
        if measured:
            line = replace(line, law=line.law[: measured.start()], entries=int(measured[1]))
        found[target].append(line)
    return tuple(Lock(name, tuple(sorted(lines, key=_place))) for name, lines in found.items())


def changes(old: Lock, new: Lock) -> Iterator[str]:
    """What differs between two locks of one target, one sentence a role: changed, gone, come.

    >>> old, new = (Lock("m", (Line("w", "(2, 3)", law),)) for law in ("normal, std 0.02", "normal, std 0.03"))
    >>> list(changes(old, new))
    ['w (2, 3): normal, std 0.03; the lock says normal, std 0.02']
    """
    yield from _said_twice(old, new)
    before, now = _by_path(old), _by_path(new)
    for path, line in now.items():
        known = before.get(path)
        if known is not None and known.size != line.size:
            yield f"{line.path}: {line.size}; the lock says {known.size}"
        if known is not None and not _is_same(known, line):
            yield f"{line.path} {line.size}: {line.law}; the lock says {known.law}"
    gone = [line for path, line in before.items() if path not in now]
    come = [line for path, line in now.items() if path not in before]
    for line, known in list(_renamed(gone, come)):
        yield f"{line.path} {line.size} is {known.path} in the lock; its law is kept: {line.law}"
        gone.remove(known)
        come.remove(line)
    # A role whose tensors came to have two laws is two lines now, and one that has one law again is one.
    for line in come:
        wholes = [g for g in gone if covers(g.path, line.path) and _shape(g.size) == _shape(line.size)]
        parts = [g for g in gone if covers(line.path, g.path) and _shape(g.size) == _shape(line.size)]
        if not wholes and not parts:
            yield f"{line.path} {line.size} has come, and is not in the lock: {line.law}"
        for whole in wholes[:1]:
            if not _is_same(whole, line):
                yield f"{line.path} {line.size}: {line.law}; the lock says {whole.law} of {whole.path}"
        for part in parts if not wholes else ():
            if not _is_same(part, line):
                yield f"{part.path} {part.size}: {line.law}; the lock says {part.law}"
    for line in gone:
        alike = [c for c in come if _shape(c.size) == _shape(line.size)]
        pieces = [c for c in alike if covers(line.path, c.path)]
        left = _count(line.size) - sum(_count(c.size) for c in pieces)
        if not pieces and any(covers(c.path, line.path) for c in alike):
            continue
        if left == _count(line.size):
            yield f"{line.path} {line.size} has gone; the lock says {line.law}"
        elif left > 0:
            yield f"{left} of {line.path} {line.size} have gone; the lock says {line.law}"


def _said_twice(old: Lock, new: Lock) -> Iterator[str]:
    """Roles of which the lock has several lines, for more tensors than there are: a merge may leave both sides."""
    for (path, shape), lines in grouped(((line.path, _shape(line.size)), line) for line in old.lines).items():
        said = sum(_count(line.size) for line in lines)
        there = sum(_count(c.size) for c in new.lines if _shape(c.size) == shape and covers(path, c.path))
        if said > there and there in map(_count, [line.size for line in lines]) and len(lines) > 1:
            laws = " and ".join(line.law for line in lines)
            many = f"for {said} tensors where there are {there}"
            yield f"{path} has {len(lines)} lines in the lock ({laws}), {many}: keep one"


def _renamed(gone: Sequence[Line], come: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    """What came in the place of what went: of one size, law and last word, by names that are likest."""
    free = list(come)
    for known in gone:
        fitting = [
            line
            for line in free
            if line.size == known.size
            and _is_same(known, line)
            and _leaf(line.path) == _leaf(known.path)
            and not any(covers(one.path, line.path) or covers(line.path, one.path) for one in gone)
        ]
        if fitting:
            likest = max(fitting, key=lambda line: difflib.SequenceMatcher(None, line.path, known.path).ratio())
            free.remove(likest)
            yield likest, known


def _is_same(old: Line, new: Line) -> bool:
    return same_law(old.law, new.law, min(old.entries, new.entries))


def _shape(size: str) -> str:
    return size[size.find("(") :]


def _by_path(lock: Lock) -> dict[str, Line]:
    """Each line by its path; lines of one path, which many were folded into, by size and law too."""
    paths = [line.path for line in lock.lines]
    return {
        line.path if paths.count(line.path) == 1 else f"{line.path} {line.size} {line.law}": line for line in lock.lines
    }
