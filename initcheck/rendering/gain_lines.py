"""What `initcheck gain ACT` prints: the moments, a line for every gain somebody uses, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from initcheck.networks.mean_field import CORRELATIONS, DEEPEST, MeanField, Survival
from initcheck.safe_text import clean


@dataclass(frozen=True)
class GainReport:
    """The gain of one activation, and what becomes of a network at that gain and at those that are customary.

    Attributes:
        name: of the activation.
        field: its mean-field theory.
        rows: what a gain is of -> what a network of that gain carries.
        verdict: ``ATTAINABLE`` where one gain keeps signal and gradient at variance 1, to a tenth; else
            ``UNATTAINABLE``.
        reason: why it is unattainable; empty where it is not.
    """

    name: str
    field: MeanField
    rows: Mapping[str, Survival]
    verdict: str
    reason: str

    @property
    def gain(self) -> float:
        """The gain that keeps the signal: std = gain/sqrt(fan_in)."""
        return self.field.forward_gain

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The page as the terminal shows it."""
        field, phi, name = self.field, self.field.phi, clean(self.name)
        if not field.finite:
            return [f"{name}  {self.verdict}: {self.reason}"]
        lines = [
            f"{name}  gain {field.forward_gain:.6g}: draw weights of std {field.forward_gain:.4g}/sqrt(fan_in)",
            f"  moments   E phi {phi.m1:.6f}, E phi^2 {phi.m2:.6f}, E phi'^2 {phi.m2_prime:.6f} of a standard normal"
            f" (relative error below {field.error:.0e})",
        ]
        if phi.grid.kinks:
            places = ", ".join(f"{k:.3g}" for k in phi.grid.kinks[:6])
            lines.append(f"  kinks     at z = {places}: the slope or the value jumps there")
        both = field.variance_that_keeps_both
        if field.keeps_both:
            off = f"a gradient changes by {field.chi:.4g} in a layer"
            lines.append(f"  verdict   {self.verdict}: one gain keeps signal and gradient ({off})")
        else:
            lines.append(f"  verdict   {self.verdict} at variance 1: {self.reason}")
            lines.append(
                f"            at variance {both[0]:.3g} the gain {both[1]:.4g} keeps both to a tenth"
                if both
                else "            no other variance from 0.001 to 1000 has a gain that keeps both to a tenth"
            )
        attracts = "errors of the variance die out" if field.stretch < 1 - 1e-6 else (
            "errors of the variance stay" if field.stretch <= 1 + 1e-6 else "errors of the variance grow"
        )  # fmt: skip
        lines += [
            f"  fixed     variance 1 is a fixed point of the gain {field.forward_gain:.4g}; an error of it is"
            f" multiplied by {field.stretch:.3g} in a layer: {attracts}",
            f"  inputs    {_correlations(field)}",
            "",
            f"  {'gain':>8}  {'variance':>9}  {'gradient':>9}  {'signal for':>12}  {'gradient for':>12}",
        ]
        for what, row in self.rows.items():
            lines.append(
                f"  {row.gain:>8.4g}  {row.variance:>9.3g}  {row.slope:>9.3g}  {_layers(row.signal):>12}"
                f"  {_layers(row.gradient):>12}  {what}"
            )
        return [
            *lines,
            "  variance: of the next pre-activation; gradient: what its second moment is multiplied by in a layer;",
            "  for how many layers each stays within a factor of 10, begun at variance 1.01 (wide layers of one width,"
            " no biases)",
        ]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data, without infinities: what has none is null."""
        field, phi = self.field, self.field.phi
        plain: dict[str, Any] = {
            "format": "initcheck-gain/1", "activation": self.name, "verdict": self.verdict, "reason": self.reason,
        }  # fmt: skip
        if not field.finite:
            return plain
        both = field.variance_that_keeps_both
        plain |= {
            "moments": {"m1": phi.m1, "m2": phi.m2, "m2_prime": phi.m2_prime, "relative_error": field.error},
            "kinks": list(phi.grid.kinks),
            "gate": phi.gate is not None,
            "forward_gain": field.forward_gain,
            "backward_gain": _plain(field.backward_gain),
            "chi": field.chi,
            "fixed_point": {"variance": 1.0, "stretch": field.stretch},
            "keeps_both": None if both is None else {"variance": both[0], "gain": both[1]},
            "correlation_map": [[c, field.correlation(c)] for c in CORRELATIONS],
            "correlation_settles_at": field.settles_at,
            "correlation_depth": _plain(field.correlation_depth),
            "gradient_depth": _plain(field.gradient_depth),
            "gains": [
                {"of": what, "gain": row.gain, "variance": row.variance, "slope": row.slope,
                 "signal_layers": row.signal, "gradient_layers": row.gradient}
                for what, row in self.rows.items()
            ],
        }  # fmt: skip
        return plain


def customary_gains(name: str, parameter: float | None) -> dict[str, float]:
    """The gains that the frameworks would use before an activation: what each is called -> the gain.

    >>> customary_gains("leaky_relu", 0.2)["PyTorch: calculate_gain"].__round__(6)
    1.38675

    Neither JAX nor Keras gives a gain by activation: their schemes are He's, whatever follows, and LeCun's or Glorot's,
    which are 1 between layers of equal width. PyTorch's table is that of ``torch.nn.init.calculate_gain``.
    """
    pytorch = {
        "linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2.0), "selu": 0.75,
        "leaky_relu": math.sqrt(2.0 / (1.0 + (0.01 if parameter is None else parameter) ** 2)),
    }  # fmt: skip
    found = {"PyTorch: calculate_gain": pytorch[name]} if name in pytorch else {}
    found["He: PyTorch kaiming_*, JAX and Keras he_*"] = math.sqrt(2.0)
    found["LeCun, Glorot: JAX and Keras lecun_*, glorot_*"] = 1.0
    found["PyTorch: what nn.Linear and nn.Conv2d start from"] = 1 / math.sqrt(3.0)
    return found


def _layers(layers: int | None) -> str:
    return f"{DEEPEST}+ layers" if layers is None else f"{layers} layer" + "s" * (layers != 1)


def _correlations(field: MeanField) -> str:
    half = field.correlation(0.5)
    start = f"two inputs of correlation 0.5 leave with {half:.3f}"
    if field.settles_at >= 1.0:
        end = "and end alike"
        if math.isfinite(field.correlation_depth):
            end += f": the difference falls to 1/e in {field.correlation_depth:.3g} layers"
        else:
            end += ", at no exponential rate: the edge of chaos"
    else:
        end = f"and end at {field.settles_at:.3f}: small differences grow by {field.chi:.3g} in a layer"
    return f"{start} {end}"


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
