"""Forty activations and five gates beside mpmath at 50 digits: ``python tests/benchmarks/gains_beside_mpmath.py``.

One line each: gain, chi, the verdict of `initcheck gain`, how far gain and chi are from what mpmath gives, and where
AnyInit is installed its gain. AnyInit's is the s with E f(s z)^2 = 1, ours the s with s^2 E f(z)^2 = 1: the variance
that a layer needs for a next pre-activation of variance one. They are one number where f is homogeneous of degree one
or keeps E f^2 = 1, and of an f that never reaches one AnyInit's is the middle of what it reaches.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from initcheck.networks.mean_field import MeanField
from initcheck.targets.activations import activation_meant

sys.path.insert(0, str(Path(__file__).parents[1] / "long" / "networks"))

from test_forty_activations import FORTY, exact  # the table stands with the test that holds the errors

GATES = {
    "glu": "sigmoid",
    "reglu": "relu",
    "geglu": "gelu",
    "swiglu": "silu",
    "bilinear": "linear",
}


def compared() -> Iterator[tuple[str, MeanField, float, float]]:
    """Name, ours, the gain and chi of mpmath."""
    for name, (given, f, kinks) in FORTY.items():
        _, m2, m2_prime = exact(f, kinks)
        yield name, MeanField(activation_meant(given)), m2**-0.5, m2_prime / m2
    for name, inside in GATES.items():
        # Of phi(u) v the second moment is E phi^2, and a gradient goes back by both inputs.
        _, f, kinks = FORTY[inside]
        _, m2, m2_prime = exact(f, kinks)
        yield name, MeanField(activation_meant(name)), m2**-0.5, (m2_prime + m2) / m2


def of_anyinit(name: str) -> float | None:
    """AnyInit's gain; None where it is not installed or knows no such activation."""
    try:
        import anyinit
    except ImportError:
        return None
    if name not in anyinit.BUILTIN_ACTIVATIONS:
        return None
    return float(anyinit.gain(name))


def main() -> None:
    """Print the table and the worst errors."""
    same = other = 0
    worst = {"gain": 0.0, "chi": 0.0}
    attainable = 0
    for name, ours, gain, chi in compared():
        off = {"gain": abs(ours.forward_gain / gain - 1), "chi": abs(ours.chi / chi - 1)}
        worst = {key: max(worst[key], off[key]) for key in worst}
        attainable += ours.keeps_both
        verdict = "both kept" if ours.keeps_both else "UNATTAINABLE"
        said = f"gain {ours.forward_gain:9.6f}  chi {ours.chi:9.6f}  {verdict:12}"
        theirs = of_anyinit(name)
        if theirs is not None:
            agree = abs(theirs / ours.forward_gain - 1) < 1e-6
            same, other = same + agree, other + (not agree)
        beside = "" if theirs is None else f"  AnyInit {theirs:9.6f}"
        print(f"{name:24} {said}  {off['gain']:.1e} {off['chi']:.1e}{beside}")
    print(f"{len(FORTY)} activations and {len(GATES)} gates, one gain keeps both directions of {attainable}.")
    print(f"Worst relative error of a gain {worst['gain']:.1e}, of chi {worst['chi']:.1e}.")
    print(f"AnyInit gives the same gain for {same}, another for {other}.")
    sys.exit(max(worst.values()) > 1e-6)


if __name__ == "__main__":
    main()
