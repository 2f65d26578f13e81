"""The formulas in which causes are worded: a number as people write it, a power over a fan, its root."""

from __future__ import annotations

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


def over(power: float, fan: str) -> str:
    """Word power / fan, the mean of both fans as their sum: ``2/(fan_in + fan_out)``."""
    if fan == "fan_avg":
        return f"{number(2 * power)}/(fan_in + fan_out)"
    return f"{number(power)}/{'max(fan_in, fan_out)' if fan == 'fan_max' else fan}"


def root(power: float, fan: str) -> str:
    """Word sqrt(power / fan): ``1/sqrt(fan_in)``, ``sqrt(6/fan_in)``."""
    text = over(power, fan)
    return f"1/sqrt({text[2:]})" if text.startswith("1/") and fan != "fan_avg" else f"sqrt({text})"


def fan_text(fan: str) -> str:
    """A fan of a contract as a formula: ``max(fan_in, fan_out)`` of fan_max."""
    return {"fan_avg": "((fan_in + fan_out)/2)", "fan_max": "max(fan_in, fan_out)"}.get(fan, fan)


def variance_text(constant: float, name: str) -> str:
    """A constant over a denominator by its name: ``0.5/fan_out``, ``2/(fan_in - 1)``."""
    if name in ("fan_avg", "fan_max"):
        return over(constant, name)
    return f"{number(constant)}/{name if re.fullmatch(r'[a-z_]+', name) else f'({name})'}"
