"""Densities and quantiles of the laws that a picture holds weights and singular values against."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from initcheck.contract.standard_laws import truncated_std
from initcheck.report.series import as_number


def weights(law: Any, left: float, right: float) -> tuple[str, list[tuple[float, float]]]:
    """The name of a law and its density at 81 points; no points where the law is not known.

    >>> name, points = weights(["uniform", 1.0], -2.0, 2.0)
    >>> name, round(max(y for _, y in points), 4)
    ('uniform', 0.2887)

    Args:
        law: the series ``law``: ``[name, std]``.
        left, right: the range of weights that is drawn.
    """
    if not isinstance(law, (list, tuple)) or len(law) < 2 or not isinstance(law[0], str):
        return "", []
    base, _, cut = law[0].partition("(")
    std, at = as_number(law[1]), as_number(cut.rstrip(")"))
    density = _DENSITIES.get(base)
    if density is None or not 0 < std < math.inf or (base == "truncated_normal" and not 0.01 < at < 100):
        return law[0], []
    step = (right - left) / 80
    return law[0].replace("_", " "), [(left + k * step, density((left + k * step) / std, at) / std) for k in range(81)]


def _normal(z: float, _: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _truncated(z: float, cut: float) -> float:
    # z is in units of the standard deviation after the cut, which is smaller than that of the parent normal.
    mass = math.erf(cut / math.sqrt(2))
    kept = truncated_std(1.0, -cut, cut)
    return _normal(z * kept, 0) * kept / mass if abs(z * kept) <= cut else 0.0


_DENSITIES: dict[str, Callable[[float, float], float]] = {
    "normal": _normal,
    "truncated_normal": _truncated,
    "uniform": lambda z, _: 0.5 / math.sqrt(3) if abs(z) <= math.sqrt(3) else 0.0,
    "laplace": lambda z, _: math.exp(-math.sqrt(2) * abs(z)) / math.sqrt(2),
}


def singular_values(law: Any, count: int) -> tuple[str, list[float]]:
    """The name of a law and the ``count`` singular values that are expected of it, largest first.

    >>> singular_values(["constant", 2.0], 2)
    ('2', [2.0, 2.0])
    >>> singular_values(None, 1)
    ('1', [1.0])

    Args:
        law: the series ``singular_law``.
        count: how many singular values were measured.
    """
    if isinstance(law, (list, tuple)) and len(law) == 4 and law[0] == "marchenko-pastur":
        size = [as_number(v) for v in law[1:]]
        if all(0 < v < math.inf for v in size) and min(size[:2]) >= 1:
            return "Marchenko-Pastur", marchenko_pastur_quantiles(size[0], size[1], size[2], count)
    gain = as_number(law[1]) if isinstance(law, (list, tuple)) and len(law) == 2 else 1.0
    gain = gain if math.isfinite(gain) else 1.0
    return f"{gain:g}", [gain] * count


def marchenko_pastur_quantiles(rows: float, columns: float, std: float, count: int) -> list[float]:
    """Singular values of a matrix of independent entries, in the limit of large sizes, largest first.

    Their density on [a, b] is sqrt((b^2 - s^2)(s^2 - a^2)) / (pi std^2 min(rows, columns) s), with
    a, b = std |sqrt(rows) -+ sqrt(columns)| (Marchenko & Pastur 1967, for s^2).

    >>> [round(s, 2) for s in marchenko_pastur_quantiles(100, 100, 0.1, 3)]
    [1.45, 0.81, 0.26]

    Args:
        rows, columns: the size of the matrix.
        std: standard deviation of an entry.
        count: how many values, at the quantiles (k + 1/2)/count.
    """
    low, high = std * abs(math.sqrt(rows) - math.sqrt(columns)), std * (math.sqrt(rows) + math.sqrt(columns))
    # s^2 = middle - reach cos(t) turns the integrand smooth at both edges.
    middle, reach, steps = (low**2 + high**2) / 2, (high**2 - low**2) / 2, 2000
    scale = 2 * std**2 * min(rows, columns) * steps
    found: list[float] = []
    spent, wanted = 0.0, [(k + 0.5) / count for k in range(count)]
    for k in range(steps):
        t = math.pi * (k + 0.5) / steps
        square = middle - reach * math.cos(t)
        spent += (reach * math.sin(t)) ** 2 / (scale * square)
        while len(found) < count and spent >= wanted[len(found)]:
            found.append(math.sqrt(max(square, 0.0)))
    return [*found, *[high] * (count - len(found))][::-1]
