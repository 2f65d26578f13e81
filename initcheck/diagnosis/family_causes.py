"""Likely causes that the marginal law of the weights shows: all equal, one sign, an offset, no variance."""

from __future__ import annotations

from initcheck.contract.contract import Contract
from initcheck.contract.gains import required_power
from initcheck.diagnosis.causes import Cause, cause
from initcheck.diagnosis.evidence.formulas import root
from initcheck.diagnosis.evidence.marginal_law import Family

__all__ = ["degenerate_cause", "family_cause", "mean_cause", "orthogonal_cause"]


def degenerate_cause(family: Family, contract: Contract) -> Cause | None:
    """Explain by weights that are all equal, or all of one sign."""
    fan, power = contract.fan or "fan_in", required_power(contract)
    normal = f"a normal of std {root(power, fan)}"
    if family.name == "zero":
        return cause("every weight is zero: the units stay equal for ever", f"draw them: {normal}")
    if family.name in ("constant", "one-number"):
        return cause(f"{family}: the units stay equal for ever", f"draw every weight: {normal}")
    if family.name == "one-sided-uniform":
        return cause(
            f"{family}: its mean is 0.866 of its rms",
            f"uniform(-b, b) with b = {root(3 * power, fan)}",
            "centering scale depth law",
        )
    if family.name == "half-normal":
        return cause(
            f"{family}: its mean is 0.798 of its rms",
            "leave the absolute value out",
            "centering scale depth law",
        )
    if family.name == "one-sided":
        return cause(f"{family}: their mean cannot be zero", f"draw around zero: {normal}", "centering scale depth")
    return None


def orthogonal_cause(contract: Contract) -> Cause | None:
    """Explain by an orthogonal matrix where independent entries were promised."""
    if contract.entries == "dependent" or contract.base("distribution") == "orthogonal":
        return None
    return cause(
        "the matrix is orthogonal: each entry is tied to the others",
        "declare distribution='orthogonal', or draw every weight on its own",
        "entries",
    )


def mean_cause(family: Family, mean: float, mean_error: float, *, proven: bool = False) -> Cause | None:
    """Explain by a mean that is not zero.

    Args:
        family: the marginal law.
        mean: mean over rms of the weights.
        mean_error: its standard error between draws.
        proven: a mean was shown not to be zero; a smaller one is then believed.
    """
    if family.name == "outliers":
        return None  # a handful of far weights carries any mean there is
    off = abs(mean) > (max(0.001, 3 * mean_error) if proven else max(0.004, 5 * mean_error))
    if off and family.name in ("levels", "quantised", "rademacher"):
        return cause(
            f"{family} with mean {mean:.2g} rms: rounded down, or a low-precision uniform whose 0 is kept",
            "centre the grid: round to nearest, and draw from levels symmetric about 0",
            "centering precision scale depth",
        )
    if off:
        return cause(
            f"the weights are drawn around {mean:.2g} of their rms, not around zero",
            "draw around zero: leave the offset out",
            "centering precision scale depth",
        )
    return None


def family_cause(family: Family, contract: Contract) -> Cause | None:
    """Explain by a tail that has no variance, by rare far values, or by another law than was promised."""
    if family.name == "no-variance":
        normal = f"a normal of std {root(required_power(contract), contract.fan or 'fan_in')}"
        return cause(
            f"the weights have {family}",
            f"draw from a normal or a uniform: {normal}",
            "promises scale depth law distribution",
        )
    if family.name == "outliers" and family.parameter:
        return cause(
            f"{family}",
            "draw every weight from one law, without rare large values",
            "scale depth distribution law",
        )
    return _declared_family(family, contract)


_KIN = {
    "normal": ("normal", "quantised", "clipped"),
    "uniform": ("uniform", "quantised"),
    "truncated_normal": ("truncated_normal", "quantised"),
    "rademacher": ("rademacher",),
    "sparse": ("sparse", "levels"),
    "laplace": ("laplace",),
    "orthogonal": ("orthogonal",),
}


def _declared_family(family: Family, contract: Contract) -> Cause | None:
    declared = contract.base("distribution")
    if declared is None or family.name == "unknown" or family.name in _KIN.get(declared, (family.name,)):
        cut = contract.parameter("distribution")
        if declared == "truncated_normal" and cut and family.parameter and abs(family.parameter - cut) > 0.1:
            return cause(
                f"{family}; {contract.distribution} was promised",
                f"cut at {cut:g} standard deviations",
                "distribution",
            )
        return None
    if declared == "truncated_normal" and family.name == "normal":
        return cause(
            "the normal is never cut: the bound is in absolute units, far beyond its standard deviation",
            "truncate at multiples of the standard deviation: cut a standard normal, then scale it",
            "distribution",
        )
    return cause(
        f"the weights follow {family}; {contract.distribution} was promised",
        f"draw from {contract.distribution}, or declare what it draws from",
        "distribution",
    )
