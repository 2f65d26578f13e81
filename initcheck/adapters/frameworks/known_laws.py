"""The laws that framework initializers share, as contracts: variance scaling, fixed spread, truncation."""

from __future__ import annotations

import math
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.contract.standard_laws import truncated_std


def known(said: dict[str, Any], notes: tuple[str, ...] = ()) -> Contract:
    """A contract all of whose fields are known of a library's object."""
    return Contract(**said, origins=dict.fromkeys(said, "known"), notes=notes)


def variance_scaling(scale: float, mode: str, distribution: str) -> Contract:
    """Var w = scale / fan, as Keras and JAX state it.

    >>> variance_scaling(2.0, "fan_in", "truncated_normal").activation
    'relu'

    Source: He et al. 2015, eq. 10 (scale 2); Glorot & Bengio 2010, eq. 12 (fan_avg, scale 1).
    """
    law = {"truncated_normal": "truncated_normal(2)", "untruncated_normal": "normal"}.get(distribution, distribution)
    said: dict[str, Any] = {"distribution": law}
    notes: tuple[str, ...] = ()
    if mode in ("fan_in", "fan_out", "fan_avg"):
        said["fan"] = mode
    else:
        notes = (f"mode={mode!r} is no fan that a contract can name; what it keeps is measured.",)
    relu = scale == 2 and mode in ("fan_in", "fan_out")
    said |= {"activation": "relu"} if relu else strength(math.sqrt(scale) if scale > 0 else 0.0)
    return known(said, notes)


def strength(gain: float) -> dict[str, Any]:
    """What a gain says. Above 1 it makes up for an activation that it does not name, 5/3 for tanh.

    >>> strength(1.0), strength(0.5), strength(5 / 3)
    ({'activation': 'linear'}, {'activation': 'linear', 'gain': 0.5}, {'gain': 1.6666666666666667})
    """
    if 1 < gain < math.inf:
        return {"gain": gain}
    return {"activation": "linear", **(positive("gain", gain) if gain != 1 else {})}


def positive(key: str, value: float) -> dict[str, float]:
    """``{key: value}`` where a contract can hold it."""
    return {key: float(value)} if 0 < value < math.inf else {}


def fixed_std(std: float, distribution: str) -> Contract:
    """One standard deviation at every width."""
    return known({"distribution": distribution, **positive("std", std)})


def truncated(std: float, low: float, high: float) -> Contract:
    """A normal cut at ``low`` and ``high`` sigma, its spread not corrected for the cut."""
    if min(-low, high) > 6:
        return fixed_std(std, "normal")
    # Cut unevenly it is no law that a contract can name.
    law = {"distribution": f"truncated_normal({high:.6g})"} if abs(low + high) < 1e-9 else {}
    said = {**law, **positive("std", truncated_std(std, low, high))}
    note = f"std={std:g} is that of the normal before it is cut at {low:g} and {high:g} sigma"
    return known(said, (f"{note}; held to the cut one's.",))


def orthogonal(gain: float) -> Contract:
    """Rows or columns orthogonal, of length ``gain``: Var w = gain^2 / fan_max.

    Source: Saxe et al. 2014, section 3.
    """
    said: dict[str, Any] = {"fan": "fan_max", "distribution": "orthogonal", "entries": "dependent"}
    return known({**said, **strength(gain)})


def constant(kind: str) -> Contract:
    """Nothing random: ``constant`` or ``identity``."""
    return known({"distribution": kind, "entries": "dependent"})
