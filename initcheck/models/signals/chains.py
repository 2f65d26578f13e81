"""Chains of blocks: what a signal goes through one after another, found by what each was given and made."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from initcheck.adapters.signatures.nested_code import nested_code
from initcheck.grouping import grouped

FEWEST_SIBLINGS = 2
_LONG = 4


@dataclass
class Visit:
    """One pass of the signal through one candidate block.

    Attributes:
        container, name: path of the container and of the block.
        given, made: the tensor that went in and the one that came out; dropped once they were compared.
        serial: the tensor that went in is the one that the block before it made.
        shape: of what came out.
        energy: its second moment.
        norms: batch norms that ran before it ended.
    """

    container: str
    name: str
    given: Any
    made: Any
    shape: tuple[int, ...]
    energy: float
    serial: bool = False
    norms: int = 0


_NUMBERED = re.compile(r"^(.*?)_?(\d+)$")
_NORM = re.compile(r"^(Batch|Layer|Group|Instance|RMS)Norm(alization)?([1-3]d)?$")
"""Layers that are no blocks: what a norm makes is as large as its scale, whatever it is given."""
_RECURRENT = re.compile(r"^(Optimized|Simple|Conv|Conv[1-3]D)?(LSTM|GRU|RNN)(Cell)?$|^Bidirectional$")
"""Nor are these: what a recurrent layer makes is as small as its gates are open, half of a tanh of half, and no scheme
keeps it at the size of its input."""
_GATES = re.compile(r"sigmoid|tanh|cell|lstm|gru|rnn|scan", re.IGNORECASE)
_CALLS = ("forward", "__call__", "call")


def containers(layers: Iterable[tuple[Sequence[str], object]]) -> dict[str, str]:
    """Layers that may be blocks, by name, and what each is counted in: several of one class and parent, numbered.

    A few single layers before or behind all blocks that hold layers of their own are a stem or a head, and no blocks.

    >>> containers([(("fc1",), "Linear"), (("fc2",), "Linear"), (("head",), "Linear"), (("h", "0"), "Block")])
    {'fc1': 'fc', 'fc2': 'fc'}
    >>> convolutions = [((str(k),), "Conv2d") for k in range(4)]
    >>> blocks = [((str(k), *inside), "Block") for k in (4, 5) for inside in ((), ("fc",))]
    >>> [len(containers([*convolutions[left:], *blocks])) for left in (0, 2)]
    [6, 2]

    Args:
        layers: path and class of each.
    """
    places: dict[tuple[tuple[str, ...], str], dict[object, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    holding = set()
    for path, kind in layers:
        holding.add(".".join(path[:-1]))
        match = _NUMBERED.match(path[-1]) if path else None
        if match is not None and not _is_no_block(kind):
            places[tuple(path[:-1]), match[1]][kind][".".join(path)] = int(match[2])
    found: dict[str, str] = {}
    for (parent, prefix), kinds in places.items():
        several = [numbers for numbers in kinds.values() if len(numbers) >= FEWEST_SIBLINGS]
        body = [n for numbers in several if holding & numbers.keys() for n in numbers.values()]
        for numbers in several:
            within = not body or any(min(body) <= n <= max(body) for n in numbers.values())
            if within or len(numbers) >= _LONG:
                found |= dict.fromkeys(numbers, ".".join((*parent, prefix) if prefix else parent))
    return found


def _is_no_block(kind: object) -> bool:
    """A norm, or a recurrent layer: of a class of that name whose own code shows no gate the name alone is one."""
    name = getattr(kind, "__name__", str(kind))
    if not _RECURRENT.match(name):
        return _NORM.match(name) is not None
    own = [vars(kind)[call] for call in _CALLS if call in vars(kind)] if isinstance(kind, type) else []
    if not isinstance(kind, type) or not any(True for call in own for _ in _words(call)):
        return True
    # A gate may stand in a step of its own, of a base too, or be a layer that __init__ makes.
    home = kind.__module__.partition(".")[0]
    classes = [c for c in kind.__mro__ if c.__module__.partition(".")[0] == home]
    words = {word for c in classes for function in vars(c).values() for word in _words(function)}
    return any(map(_GATES.search, words - {c.__name__ for c in classes}))


def _words(function: Any) -> Iterator[str]:
    """The names in the code of a function and of those inside it; none of what is no function of Python."""
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    if code is not None:
        for inner in nested_code(code):
            yield from inner.co_names


class Trail:
    """The passes of the signal through candidate blocks, in order.

    Args:
        counted_in: name of a candidate -> its container, as ``containers`` gives it.
        norms: names of the batch norms.
        handed_on: whether a block was given what an earlier one made.

    Attributes:
        visits: so far.
    """

    def __init__(
        self, counted_in: Mapping[str, str], norms: Collection[str], handed_on: Callable[[Any, Visit], bool]
    ) -> None:
        self._counted_in, self._norms, self._handed_on = counted_in, norms, handed_on
        self._ran = 0
        self.visits: list[Visit] = []

    @property
    def heard(self) -> set[str]:
        """The layers that it must be told of."""
        return {*self._counted_in, *self._norms}

    def passed(self, name: str, given: Any, made: Any, energy: Callable[[Any], float]) -> None:
        """Be told of one call of a layer: the arrays that it was given and made; no array where there was none."""
        self._ran += name in self._norms
        container = self._counted_in.get(name)
        if container is None or made is None:
            return
        visit = Visit(container, name, given, made, tuple(made.shape), energy(made), norms=self._ran)
        before = next((v for v in reversed(self.visits) if v.container == container), None)
        visit.serial = before is None or self._handed_on(given, before)
        self.visits.append(visit)


def norms_between(run: Sequence[Visit]) -> int:
    """Batch norms that ran behind the block in the middle, up to the last one."""
    return run[-1].norms - run[len(run) // 2 - 1].norms


def chains(visits: Sequence[Visit]) -> list[list[Visit]]:
    """Runs of blocks that the signal goes through one after another, innermost, cut where the shape changes.

    A container whose children do not hand on to one another (the experts of a mixture, parallel branches) is no
    chain. Where chains lie within one another the innermost counts.
    """
    by_container = grouped((visit.container, visit) for visit in visits)
    serial = {
        path: found
        for path, found in by_container.items()
        if len(found) == len({v.name for v in found}) >= FEWEST_SIBLINGS
        and sum(v.serial for v in found) >= 0.8 * len(found)
    }
    # The outer container is dropped only where most of its blocks hold a chain of their own (stages of a
    # convolutional network), not where a block holds some small Sequential.
    inner = {path for path in serial if not _holds_longer_chains(path, serial)}
    inner = {p for p in inner if not any(q != p and _inside(p, q, serial) and q in inner for q in serial)}
    runs: list[list[Visit]] = []
    for path in by_container:
        if path not in inner:
            continue
        run: list[Visit] = []
        for visit in serial[path]:
            if run and visit.shape != run[-1].shape:
                runs.append(run)
                run = []
            run.append(visit)
        runs.append(run)
    return [run for run in runs if run]


def _holds_longer_chains(path: str, serial: dict[str, list[Visit]]) -> bool:
    """Whether every block of this chain is itself a chain of blocks, so that it is a list of stages.

    So is a short one of which any block is a chain (a stem and a body), since nothing can grow over it.
    """
    names = [v.name for v in serial[path]]
    longest = {n: max((len(serial[q]) for q in serial if q == n or q.startswith(n + ".")), default=0) for n in names}
    if len(names) < _LONG <= max(longest.values()):
        return True
    shapes = {v.shape for v in serial[path]}
    stages = sum(n >= FEWEST_SIBLINGS for n in longest.values()) >= len(names) / 2 or max(longest.values()) >= _LONG
    return len(shapes) > 1 and stages


def _inside(path: str, outer: str, serial: dict[str, list[Visit]]) -> bool:
    return any(path == v.name or path.startswith(v.name + ".") for v in serial[outer])
