"""Which axes of its shape an initializer divides by, and so the layout its author had in mind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.denominators import Denominator
from initcheck.diagnosis.evidence.probe import Probe
from initcheck.diagnosis.evidence.variance_law import VarianceLaw, fit_laws

DENSE_OF = {
    "oihw": "out_in",
    "hwio": "in_out",
    "oiw": "out_in",
    "wio": "in_out",
    "oidhw": "out_in",
    "dhwio": "in_out",
}
KERNELS_OF = {
    ("out_in", 3): "oiw", ("out_in", 4): "oihw", ("out_in", 5): "oidhw",
    ("in_out", 3): "wio", ("in_out", 4): "hwio", ("in_out", 5): "dhwio",
}  # fmt: skip

_FANS: dict[str, Callable[[Layer], float]] = {
    "fan_in": lambda a: a.fan_in,
    "fan_out": lambda a: a.fan_out,
    "fan_avg": lambda a: (a.fan_in + a.fan_out) / 2,
    "fan_max": lambda a: max(a.fan_in, a.fan_out),
    "max(units, fan_in)": lambda a: max(a.units, a.fan_in),
    "fan_in^2": lambda a: float(a.fan_in) ** 2,
    "sqrt(fan_in)": lambda a: float(a.fan_in) ** 0.5,
}


def rank_of(layout: str | None) -> int:
    """How many axes a layout has: two where none is known.

    >>> rank_of(None), rank_of("in_out"), rank_of("oihw")
    (2, 2, 4)
    """
    return 2 if layout in (None, "out_in", "in_out") else len(str(layout))


def ranks_drawn(layout: str | None, ranks: Sequence[int]) -> tuple[int, ...]:
    """The ranks that tell most of a law: matrices and the kernels of images, where nothing says otherwise.

    >>> ranks_drawn(None, ()), ranks_drawn("oiw", ()), ranks_drawn(None, (3,))
    ((2, 4), (3,), (3,))

    Args:
        layout: as declared.
        ranks: those that the initializer takes; none where all.
    """
    if rank_of(layout) != 2:
        return (rank_of(layout),)
    if not ranks:
        return (2, 4)
    kept = tuple(r for r in (2, 4) if r in ranks)
    return kept or tuple(r for r in (3, 5) if r in ranks) or (2, 4)


@dataclass(frozen=True)
class AxesRead:
    """What the variance of weights of three axes or more tells of the layout.

    Attributes:
        layout: ``oihw``, ``hwio`` or their kin.
        fan: the denominator as read in that layout.
        axes: the axes that divide, as ``{1, 2, 3}``; empty for a symmetric fan.
        law: the law in that layout.
    """

    layout: str
    fan: str
    axes: str
    law: VarianceLaw


def read_axes(probe: Probe, rank: int = 4) -> AxesRead | None:
    """Read the layout of convolutions from draws whose axes are all different.

    None where nothing was drawn, where no law fits every shape, or where the law is one that a function of
    matrices gives by accident: a single axis, or the same variance at every shape.

    >>> from initcheck.diagnosis.evidence.probe import probe
    >>> import numpy as np
    >>> def keras_like(shape, seed):
    ...     return np.random.default_rng(seed).normal(0, np.prod(shape[:-1]) ** -0.5, shape)
    >>> read_axes(probe(keras_like, ranks=(4,))).layout
    'hwio'
    """
    first, last = KERNELS_OF.get(("out_in", rank)), KERNELS_OF.get(("in_out", rank))
    if first is None or last is None:
        return None
    samples = probe.samples(first)
    if len(samples) < 3:
        return None
    meanings: dict[str, tuple[str, str]] = {}
    library = []
    for fan, of in _FANS.items():
        for layout in (first, last):
            name = f"{layout}:{fan}"
            meanings[name] = (layout, fan)
            library.append(Denominator(name, _read_as(of, layout), is_plain=True))
    # The accidental ones compete, so that a matrix function called with four axes is not taken for more.
    library.append(Denominator("1", lambda a: 1.0, is_plain=True))
    for axis in range(rank):
        library.append(Denominator(f"axis {axis}", _one_axis(axis), is_plain=True))
    library.append(Denominator("first two", lambda a: (a.shape[0] + a.shape[1]) / 2, is_plain=True))
    library.append(Denominator("last two", lambda a: (a.shape[-2] + a.shape[-1]) / 2, is_plain=True))
    library.append(Denominator("first and last", lambda a: (a.shape[0] + a.shape[-1]) / 2, is_plain=True))
    laws = fit_laws(samples, library)
    if not laws or laws[0].exceptions or laws[0].denominator.name not in meanings:
        return None
    layout, fan = meanings[laws[0].denominator.name]
    law = fit_laws(probe.samples(layout))[0]
    letters = Layer((1,) * rank, layout).axes
    keep = {"fan_in": "o", "fan_in^2": "o", "sqrt(fan_in)": "o", "fan_out": "i"}.get(fan)
    axes = "{" + ", ".join(str(k) for k, x in enumerate(letters) if x != keep) + "}" if keep else ""
    return AxesRead(layout, fan, axes, law)


def _read_as(of: Callable[[Layer], float], layout: str) -> Callable[[Layer], float]:
    return lambda layer: of(Layer(layer.shape, layout))


def _one_axis(axis: int) -> Callable[[Layer], float]:
    return lambda layer: layer.shape[axis]
