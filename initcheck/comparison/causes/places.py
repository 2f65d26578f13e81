"""Where in a role two sides differ, and in what words a side is told: which tensors, which rows, what of entries."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from initcheck.comparison.causes.sides import Side
from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.formulas import number
from initcheck.wording import listed

Array = npt.NDArray[np.float64]
Words = Mapping[str, object]

_CONSTANTS = ("zero", "constant", "one-number")
_NEAR, _SIGMAS = 0.02, 6.0
# Beside it no weight counts.
_NONE = 1e-30
# Squares of what is near 1 are near it too.
_TOLD = 0.3
# Of the tensors of a role no more than a third may be odd, or the others are.
_ODD = 1 / 3
# Fourth moments of a uniform and of a normal law are 1.8 and 3: laws that differ less are not told by them.
_TAIL = 0.1
_DEPENDENCE = {
    "dead-units": "rows that are zero",
    "dead-inputs": "columns that are zero",
    "duplicate-units": "rows that repeat one another",
    "duplicate-inputs": "columns that repeat one another",
    "opposite-units": "rows that are another with the sign changed",
    "opposite-inputs": "columns that are another with the sign changed",
    "unit-means": "a mean of its own in each row",
    "input-means": "a part that all rows share",
    "correlated-units": "rows that go together",
    "correlated-inputs": "columns that go together",
    "unit-scales": "rows of different sizes",
    "input-scales": "columns of different sizes",
    "unit-norms-equal": "rows of equal length",
    "input-norms-equal": "columns of equal length",
    "low-rank": "a low rank",
    "fixed-zeros": "zeros at the same places in every call",
    "fixed-pattern": "a pattern that every call repeats",
}


@dataclass(frozen=True)
class Places:
    """One role on both sides, as its first calls show it.

    Attributes:
        a, b: calls, shape (calls, tensors, rows, columns); of many rows some, evenly spread.
        paths: of the tensors in A and in B.
        rows: of one tensor, kept or not.
    """

    a: Array
    b: Array
    paths: tuple[Sequence[str], Sequence[str]]
    rows: int

    def odd_tensors(self) -> Words | None:
        """A few tensors have another size than on the other side, and the others have not."""
        ratio, known = self._ratios()
        off = self._few(np.abs(ratio) > np.maximum(_NEAR, _SIGMAS * known))
        if off is None:
            return None
        one, other = self._odd_side(off, np.log([_sizes(side) for side in (self.a, self.b)]), _NEAR, known)
        sizes = [_sizes(side)[off] > _NONE for side in (self.a, self.b)]
        if not (sizes[0].all() and sizes[1].all()):
            said = "not zero, and is so in" if sizes[one == "B"].any() else "zero, and not so in"
            return self._words_of(off, one, f"{said} {other}")
        # What one or two had through chance would be told of all.
        factors = [number(math.exp((r if one == "B" else -r) / 2)) for r in ratio[off]]
        return self._words_of(off, one, f"{' and '.join(dict.fromkeys(factors))} times what {other} has there")

    def odd_laws(self) -> Words | None:
        """A few tensors have another law than on the other side, of one size, and the others have not."""
        (one, its), (two, other) = (_fourth_moments(side) for side in (self.a, self.b))
        off = self._few(np.abs(np.log(two / one)) > np.maximum(_TAIL, _SIGMAS * np.hypot(its, other)))
        if off is None:
            return None
        families = [_family(side[:, off]) for side in (self.a, self.b)]
        if families[0] == families[1]:
            return None
        side, against = self._odd_side(off, np.log([one, two]), _TAIL, np.hypot(its, other))
        mine, theirs = families[::-1] if side == "B" else families
        return self._words_of(off, side, f"{mine} where {against} has {theirs}")

    def _few(self, off: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_] | None:
        """The tensors that are odd, where there are some and not too many."""
        return off if 0 < off.sum() <= max(1, _ODD * len(off)) and len(off) > 1 else None

    def _odd_side(self, off: npt.NDArray[np.bool_], logs: Array, near: float, known: Array) -> tuple[str, str]:
        """The side whose tensors are odd, and the other: A where those of B are as the rest of B."""
        apart = [np.abs(side[off] - np.median(side[~off])) > np.maximum(near, _SIGMAS * known[off]) for side in logs]
        if apart[0].all() and not apart[1].any():
            return "A", "B"
        return "B", "A"

    def _words_of(self, off: npt.NDArray[np.bool_], side: str, said: str) -> Words:
        mine, theirs = ([path for path, odd in zip(paths, off, strict=True) if odd] for paths in self.paths)
        names = theirs if side == "B" else mine
        fix = f"draw {listed(names, 4)} as the others are"
        if side == "A":  # the measure has them so
            fix = f"let {listed(theirs, 4)} of B start as A has {'it' if len(mine) == 1 else 'them'}, unlike the others"
        verb = "is" if len(names) == 1 else "are"
        count = int((~off).sum())
        rest = f"the other {count} of the role are alike" if count > 1 else "the other of the role is alike"
        return {"names": listed(names, 4), "side": side, "said": f"{verb} {said}", "rest": rest, "fix": fix}

    def _ratios(self) -> tuple[Array, Array]:
        """The logarithm of E w^2 of B over A's for each tensor, and its standard error."""
        logs, errors = [], []
        for side in (self.a, self.b):
            each = np.square(side).mean(axis=(2, 3)) + _NONE
            logs.append(np.log(each.mean(axis=0)))
            errors.append(each.std(axis=0) / each.mean(axis=0) / math.sqrt(len(each)))
        return logs[1] - logs[0], np.hypot(errors[0], errors[1])

    def odd_rows(self) -> Words | None:
        """Some rows are one number on one side and something else on the other, and the other rows are alike."""
        mine, theirs = (_values(side) for side in (self.a, self.b))
        off = ~((mine == theirs) | (np.isnan(mine) & np.isnan(theirs)))
        if off.all() or not off.any() or len(off) < 2:
            return None
        kept = np.linspace(0, self.rows - 1, len(off)).round().astype(int)
        words = [_sort_of(values[off]) for values in (mine, theirs)]
        return {"rows": _ranges(kept[off]), "a": words[0], "b": words[1]}


def _sizes(side: Array) -> Array:
    """E w^2 of each tensor; of zeros nearly none."""
    sizes: Array = np.square(side).mean(axis=(0, 2, 3)) + _NONE
    return sizes


def _fourth_moments(side: Array) -> tuple[Array, Array]:
    """E w^4 over the square of E w^2 of each tensor, and the standard error of its logarithm."""
    squares = np.square(side)
    each = np.square(squares).mean(axis=(2, 3))
    mean = each.mean(axis=0) + _NONE
    error = each.std(axis=0) / mean / math.sqrt(len(each))
    return mean / (np.square(squares.mean(axis=(0, 2, 3))) + _NONE), error


def _family(side: Array) -> str:
    """The marginal law of some tensors, in words."""
    calls = side.reshape(len(side), -1, side.shape[3])
    return Side({Layer(calls.shape[1:]): calls}).family.text


def _values(side: Array) -> Array:
    """What each row is in every call and tensor; NaN of a row whose entries are not one number."""
    rows = side.transpose(2, 0, 1, 3).reshape(side.shape[2], -1)
    return np.where(np.ptp(rows, axis=1) == 0, rows[:, 0], np.nan)


def _sort_of(values: Array) -> str:
    first, last = float(values[0]), float(values[-1])
    if math.isnan(first):
        return "random"
    if first != last and not np.isnan(values).any():
        return f"{first:.4g} to {last:.4g}"
    return "zero" if first == 0 else f"{first:.4g}"


def _ranges(rows: npt.NDArray[np.int_]) -> str:
    """
    >>> _ranges(np.array([0])), _ranges(np.array([4, 5, 6, 9]))
    ('row 0', 'rows 4 to 6 and 9')
    """
    ends = [0, *(k + 1 for k, (x, y) in enumerate(pairwise(rows)) if y > x + 1), len(rows)]
    runs = [(int(rows[i]), int(rows[j - 1])) for i, j in pairwise(ends)]
    said = [str(first) if first == last else f"{first} to {last}" for first, last in runs[:4]]
    return f"row{'s' if len(rows) > 1 else ''} {' and '.join(said)}{' and more' if len(runs) > 4 else ''}"


def verb_and_sort(side: Side, other: Side) -> str:
    """What a side is or has, beside the other."""
    if side.family.name in ("orthogonal", *_CONSTANTS):
        words = {"orthogonal": "is orthogonal", "zero": "is zero everywhere"}
        text = side.family.text.removeprefix("every weight is ")
        return words.get(side.family.name, f"is {text} everywhere")
    if other.family.name in _CONSTANTS:
        return f"is {side.words}"
    if side.dependence is not None:
        name = side.dependence.name
        return f"has {_DEPENDENCE.get(name, name.replace('-', ' '))} ({side.family.text})"
    return f"has independent entries ({side.family.text})"


def is_constant(side: Side) -> bool:
    """Whether a side is one number everywhere."""
    return side.family.name in _CONSTANTS


def rounded_to(side: Side) -> str | None:
    """The narrow type of which all weights of a side are numbers: bfloat16 or float16; None where neither.

    >>> from initcheck.contract.layer import Layer
    >>> w = np.random.default_rng(0).normal(size=(4, 16, 16))
    >>> rounded_to(Side({Layer((16, 16)): w})), rounded_to(Side({Layer((16, 16)): w.astype(np.float16)}))
    (None, 'float16')
    """
    values = np.concatenate([np.asarray(w, dtype=np.float32).ravel() for w in side.calls.values()])
    values = values[np.isfinite(values) & (values != 0)]
    if np.unique(np.abs(values)).size < 16:
        return None
    if not (values.view(np.uint32) & 0xFFFF).any():
        return "bfloat16"
    return "float16" if np.array_equal(values.astype(np.float16).astype(np.float32), values) else None


def each_squared(a: Side, b: Side) -> Iterator[tuple[bool, bool]]:
    """At each shape where they differ, whether E w^2 of B is the square of A's, and whether A's is that of B's."""
    for x, y in zip(a.samples, b.samples, strict=False):
        if x.mean_square > 0 and y.mean_square > 0:
            mine, theirs = math.log(x.mean_square), math.log(y.mean_square)
            if abs(mine - theirs) < _TOLD:
                continue
            near = _NEAR + 5 * math.hypot(x.relative_se, y.relative_se)
            yield abs(theirs - 2 * mine) < 2 * near, abs(mine - 2 * theirs) < 2 * near
