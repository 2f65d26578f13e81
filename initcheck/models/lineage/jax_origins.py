"""Where an array of JAX comes from: its draws and the operations since, slice by slice where it is a stack."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from initcheck.models.provenance.law import Law
from initcheck.models.provenance.step_lists import bounded
from initcheck.models.provenance.steps import ANEW, Caller, Draw, InitCall, Region, Site, Step
from initcheck.models.provenance.traced_law import last_chain, law_of

_MOST_NAMES = 48


@dataclass(frozen=True)
class Origin:
    """The steps that made an array, as the trace of torch keeps them.

    Attributes:
        steps: in order; those that reach a part of it have a region or a mask.
        slices: of what was drawn or scanned slice by slice, the origin of every slice of the first axis.
        entries: how many the array has.
    """

    steps: tuple[Step, ...]
    entries: int
    slices: tuple[Origin, ...] = ()

    @classmethod
    def drawn(
        cls, op: str, numbers: tuple[tuple[str, Any], ...], draw: Draw, shape: tuple[int, ...], site: Site | None
    ) -> Origin:  # fmt: skip
        """One draw."""
        n = math.prod(shape)
        who = Caller(site)
        recipe: frozenset[Any] = frozenset()
        if op == "trunc_normal_":
            who = Caller(site, InitCall(op, numbers, draw.number, shape))
        elif op == "random_bits":
            recipe = frozenset({("bits", ())})
        step = Step(op, numbers, 0, n, True, site, frozenset({draw}), recipe=recipe, caller=who)
        return cls((step,), n)

    @classmethod
    def of_slices(cls, slices: Sequence[Origin], shape: tuple[int, ...]) -> Origin:
        """A stack of arrays."""
        n = math.prod(shape)
        return cls(_merged(slices, n), n, tuple(slices))

    @property
    def draws(self) -> frozenset[Draw]:
        """All draws that it comes from."""
        return frozenset().union(*(s.draws for s in self.steps))

    @property
    def law(self) -> Law:
        """The law of the whole, without what was written to a part of it."""
        return law_of(last_chain(self.steps, 0, self.entries)[0])

    @property
    def number(self) -> float | None:
        """The number that stands everywhere, where it is one."""
        if self.slices or any(not s.dense for s in self.steps) or self.draws:
            return None
        law = self.law
        return law.mean if law.family == "constant" else None

    @property
    def is_orthogonal(self) -> bool:
        """Whether it is the Q of a square or tall normal matrix, but for signs."""
        return self.law.family == "orthogonal"

    def of(self, position: int) -> Origin:
        """One slice of the first axis; of a whole that was drawn at once, a part that has the same law."""
        return self.slices[position] if self.slices else self


def constant_of(value: Any) -> Origin | None:
    """One number."""
    try:
        number = float(np.asarray(value).reshape(-1)[0]) if np.size(value) == 1 else None
    except (TypeError, ValueError):
        return None
    if number is None:
        return None
    return Origin((Step("fill_", (("value", number),), 0, 1, True, None),), 1)


def same(origin: Origin | None, shape: tuple[int, ...]) -> Origin | None:
    """What it was: a copy, another dtype."""
    return None if origin is None else replace(origin, entries=math.prod(shape))


def reshaped(
    origin: Origin | None, before: tuple[int, ...], after: tuple[int, ...], order: Sequence[int] | None
) -> Origin | None:  # fmt: skip
    """The same entries in another order."""
    if origin is None:
        return None
    kept = before[:1] == after[:1] and (order is None or order[0] == 0)
    slices: tuple[Origin, ...] = ()
    if origin.slices and kept:
        slices = tuple(s if s is None else reshaped(s, before[1:], after[1:], None) or s for s in origin.slices)
    n = math.prod(after)
    flat = order is None and before != after
    steps = origin.steps if flat or all(s.dense for s in origin.steps) else tuple(map(_somewhere, origin.steps))
    if flat:  # a region is a view of rows and columns that are no more
        steps = tuple(s if s.region is None or s.dense else _somewhere(s) for s in steps)
    return Origin(steps, n, slices)


def written(value: Any, origin: Origin | None, shape: tuple[int, ...], site: Site | None) -> Origin | None:
    """A number in every entry, or an array repeated."""
    n = math.prod(shape)
    if np.size(value) == 1:
        one = constant_of(value)
        if one is not None and (origin is None or not origin.draws):
            return Origin((replace(one.steps[0], stop=n, site=site),), n)
    number = None if origin is None else origin.number
    if number is not None:  # a constant repeated is that constant
        return Origin((Step("fill_", (("value", number),), 0, n, True, site),), n)
    if origin is not None and np.size(value) == n:
        return replace(origin, entries=n, slices=())
    if origin is not None and origin.draws and shape[1:] == np.shape(value) and len(shape) > 2:
        return Origin.of_slices([origin] * shape[0], shape)  # one draw for every slice: copies
    return collapsed("expand", [origin], shape, site)


def affine(
    origin: Origin | None, op: str, numbers: tuple[tuple[str, Any], ...], shape: tuple[int, ...], site: Site | None
) -> Origin | None:  # fmt: skip
    """An operation with a number on every entry."""
    if origin is None:
        return collapsed(op.rstrip("_"), [None], shape, site)
    n = math.prod(shape)
    step = Step(op, numbers, 0, n, True, site)
    partial = [s for s in origin.steps if not s.dense]
    steps = (*origin.steps, step) if not partial else (*origin.steps, *_after_parts(partial, step))
    slices = tuple(affine(s, op, numbers, (s.entries,), site) or s for s in origin.slices)
    return Origin(steps, n, slices)


def orthogonal(origin: Origin | None, value: Any, site: Site | None) -> Origin | None:
    """The Q of a matrix of normal numbers; another result, R, is computed from it."""
    shape = tuple(np.shape(value))
    n = math.prod(shape)
    if origin is None or origin.law.family != "normal" or len(shape) < 2 or not _is_q(value):
        return collapsed("qr", [origin], shape, site)
    call = InitCall("orthogonal_", (("gain", 1.0),), 0, shape)
    return Origin((Step("orthogonal_", (), 0, n, True, site, origin.draws, caller=Caller(site, call)),), n)


def _is_q(value: Any) -> bool:
    matrix = np.asarray(value, np.float64)
    if matrix.ndim != 2:
        return False
    gram = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    return bool(np.abs(gram - np.eye(len(gram))).max() < 1e-3)


def joined(
    pieces: Sequence[tuple[Origin | None, tuple[int, ...]]], axis: int, shape: tuple[int, ...], site: Site | None
) -> Origin | None:  # fmt: skip
    """Arrays side by side: each keeps its law as a part of the whole."""
    n = math.prod(shape)
    draws = _draws([o for o, _ in pieces])
    recipe = frozenset({("cat", ())})
    steps = [Step("cat", (), 0, n, True, site, draws, recipe=recipe)]
    strides = _strides(shape)
    offset = 0
    for origin, size in pieces:
        region = Region(offset * strides[axis], size, strides)
        last = region.offset + 1 + sum((k - 1) * s for k, s in zip(size, strides, strict=True))
        entries = int(np.prod(size))
        for step in _whole_chain(origin) if entries else ():
            dense = entries == last - region.offset
            steps.append(replace(step, start=region.offset, stop=last, dense=dense, region=region, mask=None))
        offset += size[axis]
    if axis == 0 and all(size[0] == 1 for _, size in pieces) and all(o is not None for o, _ in pieces):
        return Origin(tuple(steps), n, tuple(o for o, _ in pieces if o is not None))
    return Origin(tuple(steps), n)


def stacked(slices: Sequence[Origin | None], value: Any, site: Site | None) -> Origin | None:
    """What the rounds of a scan made, one on the other."""
    known = [s for s in slices if s is not None]
    shape = tuple(np.shape(value))
    if len(known) < len(slices):
        return collapsed("stack", list(slices), shape, site)
    return Origin.of_slices(known, shape)


def placed(
    origin: Origin | None, update: Origin | None, value: Any, mask: Any, shape: tuple[int, ...], site: Site | None
) -> Origin | None:  # fmt: skip
    """A part that was written after the whole (``x.at[...].set``)."""
    n = math.prod(shape)
    if origin is None:
        return collapsed("scatter", [origin, update], shape, site)
    flat = mask.reshape(-1)
    if flat.all():
        return Origin(tuple(replace(s, stop=n) for s in _whole_chain(update)), n) if update else None
    chain = _whole_chain(update)
    if np.size(value) == 1 or not chain:
        number = constant_of(value)
        chain = [replace(number.steps[0], site=site)] if number is not None else []
    if not chain:
        chain = [Step("scatter", (), 0, n, False, site, recipe=frozenset({("scatter", ())}))]
    parts = [replace(s, start=0, stop=n, dense=False, mask=flat, region=None, site=s.site or site) for s in chain]
    return Origin((*origin.steps, *parts), n)


def collapsed(name: str, origins: Sequence[Origin | None], shape: tuple[int, ...], site: Site | None) -> Origin | None:
    """One step for all that an array was computed from."""
    n = math.prod(shape)
    known = [o for o in origins if o is not None]
    draws = _draws(known)
    if name.rstrip("_") in ANEW and not draws:
        return Origin((Step(name, (), 0, n, True, site),), n)
    recipe: set[Any] = {(name, ())}
    for origin in known:
        for step in _whole_chain(origin):
            recipe |= step.recipe or {(step.op.rstrip("_"), step.arguments)}
    kept = frozenset(sorted(recipe, key=repr)[:_MOST_NAMES])
    return Origin((Step(name, (), 0, n, True, site, draws, recipe=kept),), n)


def _merged(slices: Sequence[Origin], entries: int) -> tuple[Step, ...]:
    """The steps of a stack as a whole: those of its first slice where all have one law."""
    draws = _draws(slices)
    laws = {s.law.signature for s in slices}
    chain = _whole_chain(slices[0]) if slices else []
    if len(laws) == 1 and chain and all(s.dense for o in slices for s in o.steps):
        found = [replace(s, start=0, stop=entries, region=None) for s in chain]
        return (replace(found[0], draws=draws), *found[1:])
    return (Step("stack", (), 0, entries, True, None, draws, recipe=frozenset({("stack", ())})),)


def _whole_chain(origin: Origin | None) -> list[Step]:
    return [] if origin is None else last_chain(origin.steps, 0, origin.entries)[0]


def _draws(origins: Sequence[Origin | None]) -> frozenset[Draw]:
    return bounded(frozenset().union(*(o.draws for o in origins if o is not None)))


def _somewhere(step: Step) -> Step:
    return step if step.dense else replace(step, region=None, mask=None)


def _after_parts(partial: Sequence[Step], step: Step) -> list[Step]:
    """An operation on the whole is one on every part too."""
    seen: dict[Any, Step] = {}
    for part in partial:
        key = part.region if part.mask is None and part.region is not None else (part.op, part.site)
        seen[key] = replace(step, start=part.start, stop=part.stop, dense=False, region=part.region, mask=part.mask)
    return [step, *(s for s in seen.values() if s.region is not None)]


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    found = []
    size = 1
    for n in reversed(shape):
        found.append(size)
        size *= n
    return tuple(reversed(found))
