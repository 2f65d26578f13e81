"""The law of one parameter: its family, the fan that its variance is divided by, and the constant above it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.standard_laws import truncated_std
from initcheck.diagnosis.evidence.marginal_law import Family, family_of

Array = npt.NDArray[np.float64]

_TOLERANCE = 0.02
# The constants below lie a seventh apart, so that one that is known to a few per cent is not taken for its neighbour.
_NEAR = 0.05
# Constants that somebody writes: variance times fan.
_CONSTANTS = (1.0, 1 / 3, 2.0, 0.5, 2 / 3, 4.0, 1.5, 3.0, 1 / 6, 1 / 12, 0.25, 2.56)
# Standard deviations that somebody fixes at every width; the uniform one of Keras' embeddings is 0.05/sqrt(3).
_STDS = (1.0, 0.02, 0.01, 0.05, 0.1, 0.05 / math.sqrt(3.0), 1 / math.sqrt(3.0), 0.001)
CUT = truncated_std(1.0, -2.0, 2.0) ** 2
"""What is left of a variance where a normal is cut at two standard deviations and nobody corrects for it."""
_BETTER = 9.0  # of squared standard errors
_TEXTS = {"uniform": "a uniform", "normal": "a normal", "truncated_normal": "a normal truncated at 2 sigma"}


@dataclass(frozen=True)
class Sample:
    """One parameter at one size of its layer.

    Attributes:
        size: how the layer was built.
        values: of several fresh builds, one array each, all of one shape.
        fans: what the variance may be divided by: a name -> the number at this size; the most telling first.
        std: the exact standard deviation, where the code names one; family: and the family.
    """

    size: str
    values: Sequence[Array]
    fans: Mapping[str, float]
    std: float | None = None
    family: str = ""


@dataclass(frozen=True)
class ParameterLaw:
    """What a parameter starts from.

    Attributes:
        name: its path in the layer.
        shape: at the example's size, as text with the size.
        family: ``uniform``, ``normal``, ``truncated_normal``, ``orthogonal``, ``zeros``, ``ones``, ``fixed``, ...
        text: the law in one line, by formula.
        called: the name of the scheme; empty where it has none.
        constant: c of Var w = c/fan; None where there is no such law.
        fan: what it is divided by: ``fan_in``, ``fan_out``, ``fan_avg``, ``1`` of a fixed standard deviation.
        std: the number at the example's size.
        fan_in, fan_out: what the parameter truly sums over, and reaches, at that size; None where it was not found.
        gain: sqrt(Var w * fan_in) at that size: 1 keeps the variance without an activation, sqrt(2) behind ReLU.
        example: the size.
        source: file and line that draw it, and what stands there.
        beside: PyTorch's default of the kin, and how this differs.
    """

    name: str
    shape: tuple[int, ...]
    family: str
    text: str
    called: str = ""
    constant: float | None = None
    fan: str | None = None
    std: float | None = None
    fan_in: float | None = None
    fan_out: float | None = None
    gain: float | None = None
    example: str = ""
    source: str = ""
    beside: str = ""

    def lines(self) -> list[str]:
        """The law as the terminal shows it."""
        shape = " x ".join(map(str, self.shape)) or "one number"
        number = "" if self.std in (None, 0.0) or self.family in ("zeros", "ones", "fixed") else f", std {self.std:.4g}"
        fans = ""
        if self.fan_in is not None and self.fan_out is not None:
            fans = f", fan_in {self.fan_in:g}, fan_out {self.fan_out:g}"
        gain = f", gain {self.gain:.4g}" if self.gain is not None else ""
        rows = [
            ("law", self.text), ("called", self.called), ("here", f"{shape}, {self.example}{number}{fans}{gain}"),
            ("drawn at", self.source), ("beside", self.beside),
        ]  # fmt: skip
        return [self.name, *(f"  {label:<9} {said}" for label, said in rows if said)]


def fitted(name: str, samples: Sequence[Sample]) -> ParameterLaw:
    """Find the law of a parameter from what it was at several sizes.

    >>> rng = np.random.default_rng(0)
    >>> def at(n_in, n_out):
    ...     draws = [rng.uniform(-1, 1, (n_out, n_in)) * np.sqrt(3 / n_in) for _ in range(8)]
    ...     return Sample(f"{n_in} -> {n_out}", draws, {"fan_in": n_in, "fan_out": n_out})
    >>> fitted("weight", [at(32, 8), at(8, 32), at(64, 64)]).text
    'uniform +-sqrt(3/fan_in): variance 1/fan_in'

    The denominator is the first under which variance times fan is one number at every size, to sampling error.

    Args:
        name: of the parameter.
        samples: one a size; the last is the example whose numbers are shown.
    """
    last = samples[-1]
    shown: dict[str, Any] = {"name": name, "shape": tuple(last.values[0].shape), "example": last.size}
    fixed = _fixed(samples)
    if fixed is not None:
        return ParameterLaw(**shown, family=fixed[0], text=fixed[1], std=0.0)
    family = _family(samples)
    squares = [s.std**2 if s.std is not None else _second_moment(s.values) for s in samples]
    spread = 1.0 if family.name == "uniform" else 2.5  # above E w^4 / (E w^2)^2 - 1 of the law
    errors = [1e-6 if s.std is not None else math.sqrt(spread / max(1, sum(v.size for v in s.values))) for s in samples]
    law = _law(samples, squares, errors)
    if law is not None and law[0] == "1" and family.name == "uniform":
        law = "1", _ended(samples, law[1])
    variance = squares[-1] if law is None else law[1] / last.fans.get(law[0], 1.0)
    std = math.sqrt(variance)
    fan_in, fan_out = last.fans.get("fan_in"), last.fans.get("fan_out")
    shown |= {"family": family.name, "std": std, "fan_in": fan_in, "fan_out": fan_out}
    if fan_in is not None:
        shown["gain"] = math.sqrt(variance * fan_in)
    if law is None:
        return ParameterLaw(**shown, text=f"{family.text}, std {std:.4g} at this size; no formula of the fans fits")
    fan, constant = law
    return ParameterLaw(**shown, text=_text(family, fan, constant), constant=constant, fan=fan)


def _fixed(samples: Sequence[Sample]) -> tuple[str, str] | None:
    """Family and words of values that no draw changes; None of random ones."""
    levels = [float(x) for s in samples for v in s.values for x in (v.min(), v.max())]
    if min(levels) == max(levels):
        value = levels[0]
        words = {0.0: ("zeros", "zero"), 1.0: ("ones", "one")}
        return words.get(value, ("constant", f"every entry is {value:g}"))
    several = [s for s in samples if len(s.values) > 1]
    if several and all(np.array_equal(s.values[0], v) for s in several for v in s.values[1:]):
        found = np.unique(np.concatenate([s.values[0].ravel() for s in several]))
        values = ", ".join(f"{x:g}" for x in found[:4])
        return "fixed", f"the same in every build: {values}{', ...' if len(found) > 4 else ''}"
    return None


def _family(samples: Sequence[Sample]) -> Family:
    draws = [v for s in samples for v in s.values]
    named = {s.family for s in samples}
    if len(named) == 1 and named <= set(_TEXTS):
        [name] = named
        return Family(name, _TEXTS[name], 2.0 if name == "truncated_normal" else None)
    found = family_of(draws)
    if found.name == "truncated_normal" and found.parameter is not None and abs(found.parameter - 2) < 0.1:
        return Family(found.name, _TEXTS[found.name], 2.0, found.kurtosis, found.share)
    if found.name != "unknown":
        return found
    # Small ones, a bias, are read together; their kurtosis is known less well.
    pooled = [np.concatenate([v.ravel() for v in s.values]) for s in samples]
    scaled = np.concatenate([p / math.sqrt(float(np.mean(p * p))) for p in pooled if p.any()] or [np.zeros(1)])
    if not scaled.any():
        return found
    kurtosis, error = float(np.mean(scaled**4)), 3 * math.sqrt(24 / scaled.size)
    if abs(kurtosis - 1.8) < 0.05 + error / 3 and np.abs(scaled).max() < math.sqrt(3) * 1.15:
        return Family("uniform", _TEXTS["uniform"], None, kurtosis)
    if abs(kurtosis - 3) < 0.15 + error:
        return Family("normal", _TEXTS["normal"], None, kurtosis)
    return family_of([scaled])


def _second_moment(values: Sequence[Array]) -> float:
    return float(np.mean([float(np.mean(v * v)) for v in values]))


def _law(samples: Sequence[Sample], squares: Sequence[float], errors: Sequence[float]) -> tuple[str, float] | None:
    names = [n for n in samples[0].fans if all(n in s.fans for s in samples)]
    fits: list[tuple[str, float]] = []
    misfit: dict[str, float] = {}
    for name in [*names, "1"]:
        constants = [q * s.fans.get(name, 1.0) for q, s in zip(squares, samples, strict=True)]
        weights = [1 / e**2 for e in errors]
        constant = sum(c * w for c, w in zip(constants, weights, strict=True)) / sum(weights)
        off = [abs(c / constant - 1) / max(_TOLERANCE, 5 * e) for c, e in zip(constants, errors, strict=True)]
        if constant > 0 and max(off) <= 1:
            fits.append((name, _usual(constant, name, sum(weights) ** -0.5)))
            misfit[name] = sum(((c / fits[-1][1] - 1) / e) ** 2 for c, e in zip(constants, errors, strict=True))
    if not fits:
        return None
    # Of denominators that all fit the first is meant, unless another fits better by what chance seldom gives.
    least = min(misfit.values())
    exact = any(s.std is not None for s in samples)
    fits = [f for f in fits if exact or misfit[f[0]] <= least + _BETTER]
    # At one size alone every denominator fits: one with a constant that somebody writes is meant.
    usual = [f for f in fits if any(math.isclose(f[1], c, rel_tol=1e-9) for c in _CONSTANTS)]
    if len({s.size for s in samples}) == 1 and any(name == "1" for name, _ in fits):
        fixed = next(f for f in fits if f[0] == "1")
        if any(math.isclose(fixed[1], s * s, rel_tol=1e-9) for s in _STDS):
            return fixed
    return (usual or fits)[0]


def _usual(constant: float, name: str, error: float) -> float:
    """The constant that somebody would write, where it is that near."""
    known = [s * s for s in _STDS] if name == "1" else list(_CONSTANTS)
    known += [CUT * k for k in known[:3]]
    allowed = max(1e-4, min(_NEAR, 4 * error))
    return next((k for k in known if abs(constant / k - 1) <= allowed), constant)


def _ended(samples: Sequence[Sample], constant: float) -> float:
    """The variance of a uniform whose ends are a number that somebody writes, where its largest entry says so.

    Of n numbers on +-b the largest lies below b by b/n on average, and by 30 b/n with probability e^-30.
    """
    entries = np.concatenate([v.ravel() for s in samples for v in s.values])
    largest = float(np.abs(entries).max())
    written = float(f"{largest:.2g}")
    return written**2 / 3 if -1e-6 <= written / largest - 1 <= 30 / entries.size else constant


def _text(family: Family, fan: str, constant: float) -> str:
    variance = f"variance {_number(constant)}" if fan == "1" else f"variance {_over(constant, fan)}"
    shape = family.text.removeprefix("an ").removeprefix("a ")
    if family.name == "uniform":
        edge = f"+-{math.sqrt(3 * constant):.4g}" if fan == "1" else f"+-{_root(3 * constant, fan)}"
        return f"uniform {edge}: {variance}"
    if fan == "1":
        return f"{shape}, std {math.sqrt(constant):.4g} at every width"
    return f"{shape}, std {_root(constant, fan)}: {variance}"


def _over(constant: float, fan: str) -> str:
    for bottom in (2, 3, 4, 6, 12):
        if math.isclose(constant * bottom, 1.0, rel_tol=1e-6):
            return f"1/({bottom} {fan})"
    return f"{_number(constant)}/{fan}"


def _root(constant: float, fan: str) -> str:
    if math.isclose(constant, 1.0, rel_tol=1e-6):
        return f"1/sqrt({fan})"
    return f"sqrt({_over(constant, fan)})"


def _number(value: float) -> str:
    return f"{value:.4g}"
