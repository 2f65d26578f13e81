"""The line of an initializer, and the line as a law that can be drawn and compared with the initializer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from initcheck.comparison.causes.sides import Side
from initcheck.comparison.drawn import Drawn
from initcheck.comparison.shapes import asked_of_both
from initcheck.contract.initializer import Initializer
from initcheck.contract.layer import Layer
from initcheck.contract.standard_laws import truncated_std
from initcheck.diagnosis.evidence.axes import KERNELS_OF
from initcheck.diagnosis.evidence.denominators import denominator_named
from initcheck.draws.call import BrokenCall
from initcheck.errors import UsageError
from initcheck.locks.lines import Line

Floats = npt.NDArray[np.float64]

_CALLS = 128
_FAMILIES = {"normal": "normal", "uniform": "uniform", "orthogonal": "orthogonal"}
_LAW = re.compile(
    r"(?P<family>normal|uniform|orthogonal|normal cut at (?P<cut>[\d.]+) sd), variance (?P<constant>[\d.e/+-]+)"
    r"(?: / (?P<fan>.+))?"
)


def line_of(initializer: Initializer, seed: int = 0) -> Line:
    """The law of a function of a shape in one line, read off calls at a dozen shapes.

    Raises:
        UsageError: it is a layer, or its law is none that a line can hold.
    """
    if initializer.subject is not None:
        raise UsageError(
            f"{initializer.name} is a layer; lock a function that builds it at a width, such as"
            " def build(): return Layer(64, 64)."
        )
    drawn = Drawn(initializer, seed)
    calls = {}
    for layer, _ in asked_of_both(initializer, initializer, "default").layers:
        try:
            calls[layer] = drawn.calls(layer, 0, _CALLS)
        except BrokenCall:
            continue
    if not calls:
        raise UsageError(f"{initializer.name} gives no weights at any shape that was tried, so it has no law to lock.")
    side = Side(calls)
    layout = initializer.contract.layout or "out_in"
    return Line("weights", f"layout {layout}", _words(initializer.name, side))


def _words(name: str, side: Side) -> str:
    family = side.family
    if family.name in ("zero", "constant"):
        value = 0.0 if family.name == "zero" else float(next(iter(side.calls.values())).flat[0])
        return f"every entry {value:.4g}"
    if family.name == "truncated_normal":
        kind = f"normal cut at {family.parameter:g} sd"
    elif family.name in _FAMILIES:
        kind = _FAMILIES[family.name]
    else:
        raise UsageError(f"{name} has {side.words}: a law that no line can hold; lock what uses it, a model.")
    law = side.law
    if law is None or side.dependence is not None:
        raise UsageError(
            f"{name} has {side.words}: no formula of the shape was found for it, so that no line holds it."
        )
    constant = _exactly(law.constant)
    divisor = law.denominator.fan or law.denominator.name
    return f"{kind}, variance {constant}" + ("" if divisor == "1" else f" / {divisor}")


def _exactly(constant: float) -> str:
    """A measured constant as it is likely to have been meant: a small fraction, or a number of two digits."""
    near = Fraction(constant).limit_denominator(6)
    if near and abs(float(near) / constant - 1) < 0.01:
        return str(near)
    std = math.sqrt(constant)
    short = float(f"{std:.2g}")
    return f"{short * short:.4g}" if abs(short / std - 1) < 0.005 else f"{constant:.4g}"


def function_of(line: Line) -> Callable[[tuple[int, ...], np.random.Generator], Floats]:
    """The law of a line as a function of a shape, to be compared with the initializer.

    >>> he = function_of(Line("weights", "layout out_in", "normal, variance 2 / fan_in"))
    >>> round(float(he((256, 64), np.random.default_rng(0)).var() * 64), 1)
    2.0

    Raises:
        UsageError: the line holds no law that can be drawn.
    """
    layout = line.size.removeprefix("layout ")
    constant = re.fullmatch(r"every entry (\S+)", line.law)
    if constant:
        value = float(constant[1])
        return lambda shape, rng: np.full(shape, value)
    found = _LAW.fullmatch(line.law)
    if found is None:
        raise UsageError(f"the line {line.text!r} holds no law that can be drawn; write the lock anew with --update.")
    power = float(Fraction(found["constant"]))
    divisor = denominator_named(found["fan"]) if found["fan"] else None
    cut = float(found["cut"]) if found["cut"] else None
    family = "cut" if cut is not None else found["family"]

    def law(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
        layer = Layer(shape, layout if len(shape) == 2 else _kernels(layout, len(shape)))
        std = math.sqrt(power / (divisor.of(layer) if divisor is not None else 1.0))
        if family == "orthogonal":
            return _orthogonal(layer, rng) * std * math.sqrt(max(layer.units, layer.inputs))
        return std * _standard(family, cut, shape, rng)

    return law


def _kernels(layout: str, rank: int) -> str:
    return KERNELS_OF[layout, rank] if layout in ("out_in", "in_out") else layout


def _standard(family: str, cut: float | None, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    if family == "uniform":
        return rng.uniform(-math.sqrt(3), math.sqrt(3), shape)
    w = rng.standard_normal(shape)
    if cut is None:
        return w
    while (far := np.abs(w) > cut).any():
        w[far] = rng.standard_normal(int(far.sum()))
    return w / truncated_std(1.0, -cut, cut)


def _orthogonal(layer: Layer, rng: np.random.Generator) -> Floats:
    rows, columns = layer.units, layer.inputs
    tall = rng.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diagonal(r))
    matrix = q if rows >= columns else q.T
    # Rows are units; the axes go back to where the layout has them.
    axes = layer.axes
    rest = [layer.shape[k] for k in range(len(axes)) if axes[k] != "o"]
    return np.asarray(np.moveaxis(matrix.reshape(rows, *rest), 0, axes.index("o")))
