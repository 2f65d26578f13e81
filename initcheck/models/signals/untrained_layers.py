"""What the parameters without a gradient are waiting for, of any framework."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from initcheck.models.signals.signal import Untrained


def sorted_out(
    left: Mapping[str, tuple[tuple[int, ...], bool | None]],
    trained: Iterable[str],
    heard: Mapping[str, tuple[bool, int]],
) -> Untrained:
    """Say of each parameter without a gradient what it is waiting for.

    A vector beside a matrix of its layer is left to that: the bias of keys has none by the symmetry of a softmax.

    >>> left = {"gate.weight": ((8, 4), True), "gate.bias": ((8,), True)}
    >>> sorted_out(left, ["gate.weight", "gate.bias"], {"gate": (False, 8)}).shut
    {'gate': 8}

    Args:
        left: name -> its shape, and whether it has a part in what is returned; None where that is not known.
        trained: names of all that is trained.
        heard: layers that ran -> whether any entry they made is above zero, and how many units they have.
    """
    moved = {n.rpartition(".")[0] for n in trained if n not in left}
    matrices = {n.rpartition(".")[0] for n, (shape, _) in left.items() if len(shape) > 1}
    shut: dict[str, int] = {}
    flat: list[str] = []
    cut: list[str] = []
    unused: list[str] = []
    for name, (shape, has_part) in left.items():
        owner = name.rpartition(".")[0]
        if len(shape) < 2 and owner in matrices | moved:
            continue
        if owner not in heard:
            unused.append(name)
        elif has_part is not False and owner in matrices - moved and not heard[owner][0]:
            shut[owner] = heard[owner][1]
        else:
            (flat if has_part else cut).append(name)
    return Untrained(shut, tuple(flat), tuple(cut), tuple(unused))
