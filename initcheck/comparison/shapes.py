"""Which shapes two initializers are asked for: the same layers, each in the layout that it is made for."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.contract.contract import Contract
from initcheck.contract.domain import make_layer
from initcheck.contract.initializer import Initializer
from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.axes import DENSE_OF, KERNELS_OF

# (inputs, units), most telling first: rectangles both ways, for a swap of the fans; odd and small ones; a width beyond
# 256, which a fan in 8 bits would wrap; one large square.
_DENSE = (
    (32, 16), (16, 48), (64, 64), (5, 3), (257, 8), (1, 24), (24, 1), (8, 257), (17, 17), (3, 100), (100, 3),
    (128, 128), (2, 2), (1, 1), (512, 16), (16, 512),
)  # fmt: skip
# (channels, units, kernel).
_KERNELS = ((5, 7, (3, 2, 2)), (16, 8, (3, 3, 3)), (3, 4, (1, 5, 1)), (2, 9, (4, 3, 2)))
_SHAPES = {"quick": (3, 1), "default": (6, 2), "thorough": (16, 4)}
_SQUARES = (32, 17, 64, 5, 128, 2)


@dataclass(frozen=True)
class Asked:
    """What both are asked for.

    Attributes:
        layers: the layers, as A and as B is asked for them.
        notes: how layouts were aligned, and what is not compared.
    """

    layers: tuple[tuple[Layer, Layer], ...]
    notes: tuple[str, ...] = ()


def asked_of_both(a: Initializer, b: Initializer, profile: str) -> Asked:
    """The layers of a profile in the layout of each.

    A layout that is declared or known is kept; one of which nobody knows is taken to be the other's, so that the same
    shapes are asked for. Kernels are asked of two that are known to take them, or of two of which nothing is known.

    Args:
        a, b: functions of a shape.
        profile: ``quick``, ``default`` or ``thorough``.
    """
    first, second = _dense(a.contract), _dense(b.contract)
    notes = []
    if first is not None and second is not None and first != second:
        notes.append(f"layouts aligned: A is {_said(first)}, B is {_said(second)}")
    elif (first is None) != (second is None):
        unknown, known = ("A", second) if first is None else ("B", first)
        notes.append(
            f"the layout of {unknown} is not known; it is asked for the same shapes, {_said(known)}"
            f" (--layouts says otherwise)"
        )
    first, second = first or second or "out_in", second or first or "out_in"
    dense, kernels = _SHAPES[profile]
    pairs: list[tuple[Layer, Layer]] = []
    if takes(a, 2) and takes(b, 2):
        widths = [(w, w) for w in _SQUARES] if a.squares or b.squares else _DENSE
        for inputs, units in widths[:dense]:
            pairs.append((_layer(first, inputs, units), _layer(second, inputs, units)))
    for_kernels = bool(a.ranks), bool(b.ranks)
    if not any(for_kernels) and first != second and pairs:
        notes.append("kernels are not compared: of neither it is known how it lays them out")
        return Asked(tuple(pairs), tuple(notes))
    ranks = [r for r in (4, 3, 5) if takes(a, r) and takes(b, r)]
    if (a.squares or b.squares) or not ranks:
        return Asked(tuple(pairs), tuple(notes))
    if for_kernels[0] != for_kernels[1] and pairs:
        unsure = "B" if for_kernels[0] else "A"
        notes.append(f"kernels are not compared: it is not known whether {unsure} is made for them")
        return Asked(tuple(pairs), tuple(notes))
    one_size = a.equal_kernels or b.equal_kernels
    for channels, units, sides in _KERNELS[: kernels if pairs else max(kernels, dense)]:
        kernel = (max(sides),) * 3 if one_size else sides
        layouts = KERNELS_OF[first, ranks[0]], KERNELS_OF[second, ranks[0]]
        pairs.append(
            (make_layer(layouts[0], channels, units, kernel, 1), make_layer(layouts[1], channels, units, kernel, 1))
        )
    return Asked(tuple(pairs), tuple(notes))


def _dense(contract: Contract) -> str | None:
    layout = contract.layout
    return None if layout is None else DENSE_OF.get(layout, layout)


def takes(one: Initializer, rank: int) -> bool:
    """Whether a function is made for shapes of so many axes, as far as is known."""
    layout = one.contract.layout
    if layout in DENSE_OF and one.contract.origins.get("layout") == "declared":
        return rank == len(layout)
    return not one.ranks or rank in one.ranks


def _layer(layout: str, inputs: int, units: int) -> Layer:
    return make_layer(layout, inputs, units, (1, 1, 1), 1)


def _said(layout: str | None) -> str:
    return "(out, in)" if layout == "out_in" else "(in, out)"
