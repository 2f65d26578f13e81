"""Why nothing is said of a scale: its constant is right for something that nobody said it is for."""

from __future__ import annotations

import math

from initcheck.diagnosis.evidence.formulas import number
from initcheck.diagnosis.evidence.marginal_law import Family
from initcheck.diagnosis.evidence.variance_law import VarianceLaw


def right_before_a_sine(law: VarianceLaw, family: Family) -> str | None:
    """What is said of the weights of a sine network (Sitzmann et al. 2020, section 3.2); None of any others.

    Behind sin(omega x) the bound is sqrt(6/fan_in)/omega, of the first layer it is 1/fan_in: both are small on purpose.
    """
    if not family.is_uniform:
        return None
    if law.denominator.name == "fan_in^2" and abs(3 * law.constant - 1) < max(0.04, 4 * law.standard_error):
        return "a uniform on +-1/fan_in: the first layer of a sine network (SIREN), whose scale is asked of no claim."
    omega = math.sqrt(2 / law.constant)
    if law.denominator.name != "fan_in" or omega < 1.9 or abs(omega - round(omega)) > 0.01 * omega:
        return None
    gain = number(math.sqrt(law.constant))
    return (
        f"variance 2/({round(omega)}^2 fan_in): that of a sine network (SIREN), right before sin({round(omega)} x)."
        f" Declare gain={gain} to have it held to that."
    )


def not_of_he(law: VarianceLaw) -> str:
    """Say that a variance is LeCun's or Glorot's where the name is He's."""
    name = law.denominator.name
    fan, times = ("(in + out)", 2) if name == "fan_avg" else (name, 1)
    return (
        f"variance {times}/{fan}: its name speaks of He, whose variance is {2 * times}/{fan}. Declare activation=linear"
        " if that is meant, or activation=relu."
    )


def only_before(law: VarianceLaw, activation: str, constant: float) -> str:
    """Say that a constant is an activation's, and what is right without one."""
    name = law.denominator.name
    average = name == "fan_avg"
    fan = "(in + out)" if average else name
    times = 2 if average else 1
    shown = f"{number(times * constant, within=max(0.02, 2 * law.standard_error))}/{fan}"
    needed = f"Xavier needs 2/{fan}" if average else f"linear needs 1/{fan} and ReLU 2/{fan}"
    return (
        f"variance {shown}: right only before {activation}, which neither a name nor a contract speaks of; {needed}."
        f" Declare activation={activation} if that is meant."
    )
