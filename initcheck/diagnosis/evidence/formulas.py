"""The formulas in which causes are worded: a number as people write it, a power over a fan, its root."""

from __future__ import annotations

import math
import re


def number(value: float, within: float = 0.006) -> str:
    """Word a measured number: whole within 3 %, one or two digits within 0.6 % or ``within``, else three digits.

    >>> number(1.98), number(0.00999), number(0.3338)
    ('2', '0.01', '0.334')
    """
    whole = round(value)
    if whole and abs(value / whole - 1) < 0.03:
        return str(whole)
    short = next((t for t in (f"{value:.1g}", f"{value:.2g}") if abs(float(t) / value - 1) < within), None)
    return short or f"{value:.3g}"


def times(ratio: float) -> str:
    """Word a ratio as a factor, one over a whole number as a part.

    >>> times(1.32), times(0.0834), times(24.1)
    ('1.32 times', '1/12 of', '24 times')
    """
    parts = round(1 / ratio)
    if 2 <= parts <= 24 and abs(parts * ratio - 1) < 0.015:
        return f"1/{parts} of"
    return f"{number(ratio)} times"


def over(power: float, fan: str) -> str:
    """Word power / fan, the mean of both fans as their sum, and one over a count by that count.

    >>> over(2, "fan_avg"), over(1 / 24, "fan_in"), over(0.0417, "fan_in")
    ('4/(fan_in + fan_out)', '1/(24*fan_in)', '0.0417/fan_in')
    """
    count = round(1 / power) if 0 < power < 0.3 else 0
    if count and abs(count * power - 1) < 1e-6 and fan != "fan_avg":
        return f"1/({count}*{fan_text(fan)})"
    if fan == "fan_avg":
        return f"{number(2 * power)}/(fan_in + fan_out)"
    return f"{number(power)}/{'max(fan_in, fan_out)' if fan == 'fan_max' else fan}"


def root(power: float, fan: str) -> str:
    """Word sqrt(power / fan): ``1/sqrt(fan_in)``, ``sqrt(6/fan_in)``, ``1/sqrt(24*fan_in)``, ``0.01/sqrt(fan_in)``."""
    plain = math.sqrt(power)
    if power < 0.3 and fan != "fan_avg" and abs(round(plain, 3) - plain) < 1e-9:
        return f"{plain:g}/sqrt({fan_text(fan)})"
    text = over(power, fan)
    if not text.startswith("1/") or fan == "fan_avg":
        return f"sqrt({text})"
    below = text[2:]
    return f"1/sqrt{below}" if below.startswith("(") else f"1/sqrt({below})"


def fan_text(fan: str) -> str:
    """A fan of a contract as a formula: ``max(fan_in, fan_out)`` of fan_max."""
    return {"fan_avg": "((fan_in + fan_out)/2)", "fan_max": "max(fan_in, fan_out)"}.get(fan, fan)


def variance_text(constant: float, name: str) -> str:
    """A constant over a denominator by its name: ``0.5/fan_out``, ``2/(fan_in - 1)``."""
    if name in ("fan_avg", "fan_max"):
        return over(constant, name)
    return f"{number(constant)}/{name if re.fullmatch(r'[a-z_]+', name) else f'({name})'}"
