"""Tensors of one role: the same path but for the number of their block, the same class and shape."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from initcheck.comparison.weights.tensors import Tensor
from initcheck.grouping import grouped
from initcheck.models.builds.names import name_of

_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"(?<![^.\[])\d+(?![^.\]])")


@dataclass(frozen=True)
class Role:
    """The tensors that play one part.

    Attributes:
        path: their path with the number of the block starred.
        paths: each one's own path, in order.
        shape: of each, the units first.
        place: where the first stands among the parameters of the model, from 0 to 1; buffers stand behind them.
        turned: they are stored (in, out).
        owner: the class of their module.
        buffer: they are no parameters.
        stored: the shape of each as it is stored.
        places: of each, where they are known.
    """

    path: str
    paths: tuple[str, ...]
    shape: tuple[int, ...]
    place: float
    turned: bool = False
    owner: str = ""
    buffer: bool = False
    stored: tuple[int, ...] = ()
    places: tuple[float, ...] = ()

    @property
    def rows(self) -> int:
        """Units of each."""
        return self.shape[0] if self.shape else 1

    @property
    def rest(self) -> tuple[int, ...]:
        """What one unit has."""
        return self.shape[1:]


@dataclass(frozen=True)
class View:
    """What is compared of a role: all of each tensor, or some of its rows; as it lies, or turned round.

    Attributes:
        role: whose.
        rows: the first row and the one behind the last; None for all.
        turned: the first two axes change places; rows are those that it has then.
    """

    role: Role
    rows: tuple[int, int] | None = None
    turned: bool = False

    @property
    def name(self) -> str:
        """Its path, and which rows of it."""
        return self.role.path if self.rows is None else f"{self.role.path}[{self.rows[0]}:{self.rows[1]}]"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one tensor of it."""
        shape = turned_round(self.role.shape) if self.turned else self.role.shape
        return shape if self.rows is None else (self.rows[1] - self.rows[0], *shape[1:])


def turned_round(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with its first two axes the other way round: units and inputs, as the other side stores them.

    >>> turned_round((16, 1, 3, 3)), turned_round((4,))
    ((1, 16, 3, 3), (4,))
    """
    return (*shape[1::-1], *shape[2:])


def family_of(path: str) -> str:
    """A path without the numbers that are words of it, which it shares with its like.

    >>> family_of("blocks.*.experts.3.w1.weight"), family_of("blocks.*.experts.w1[3]")
    ('blocks.*.experts.*.w1.weight', 'blocks.*.experts.w1[*]')
    """
    return _WORD.sub("*", path)


def roles_of(tensors: Sequence[Tensor]) -> list[Role]:
    """Group the tensors of a model by role, in the order of their first members.

    >>> import numpy as np
    >>> names = ["h.0.fc.weight", "h.1.fc.weight", "mlp.0.weight", "mlp.2.weight"]
    >>> found = roles_of([Tensor(n, "Linear", np.ones((3, 3) if n[0] == "h" else (3, 4))) for n in names[:3]])
    >>> [(role.path, len(role.paths)) for role in found]
    [('h.*.fc.weight', 2), ('mlp.0.weight', 1)]

    Args:
        tensors: in the order in which the model holds them.
    """
    # The outermost number counts blocks; what stands further in tells parts of a block from one another.
    alike = grouped(((_key(t.path), t.shape, t.owner, t.buffer), number) for number, t in enumerate(tensors))
    every = [tensor.path for tensor in tensors]
    parameters = sum(not tensor.buffer for tensor in tensors) or 1
    found: list[tuple[int, Role]] = []
    for numbers in alike.values():
        for members in _blocks([tensors[n] for n in numbers]):
            first = next(n for n in numbers if tensors[n] is members[0])
            paths = tuple(m.path for m in members)
            path = name_of(paths, every)
            one = members[0]
            places = [n / parameters for n in numbers if any(tensors[n] is m for m in members)]
            role = Role(
                path, paths, one.shape, places[0], one.turned, one.owner, one.buffer, one.stored.shape, tuple(places)
            )
            found.append((first, role))
    return [role for _, role in sorted(found, key=lambda item: item[0])]


def _key(path: str) -> str:
    return _NUMBER.sub("#", path)


def _blocks(tensors: Sequence[Tensor]) -> list[list[Tensor]]:
    """Tensors that differ in the outermost number that varies; those that differ further in are roles of their own."""
    numbers = [_NUMBER.findall(t.path) for t in tensors]
    varying = [k for k in range(len(numbers[0])) if len({n[k] for n in numbers}) > 1]
    if not varying:
        return [[t] for t in tensors]
    others = [tuple(v for k, v in enumerate(n) if k != varying[0]) for n in numbers]
    return list(grouped(zip(others, tensors, strict=True)).values())
