"""Likely causes that the marginal law of the weights shows: all equal, one sign, an offset, no variance."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from initcheck.diagnosis.causes import Rule
from initcheck.diagnosis.evidence.formulas import number
from initcheck.diagnosis.evidence.marginal_law import are_orthogonal
from initcheck.diagnosis.evidence.probe import Array, repeated
from initcheck.diagnosis.observed import Observed

# Weights whose mean and ends tell something.
_ENOUGH = 1024
_SEED_SHAPE, _SEED_CALLS = (16, 16), 24
# Five standard errors of a sum of fair signs: of the entries of the small matrices that fail, one in 10^5 errs.
_SIGN_CALLS, _SIGN_ERRORS = 256, 5.0
# Matrices of the failing shape that are orthogonal to 2e-3: of any others not one in 10^4 is so by chance.
_LIKE = 6
_LEVELS = ("levels", "quantised", "rademacher")
_KIN = {
    "normal": ("normal", "quantised", "clipped"),
    "uniform": ("uniform", "quantised"),
    "truncated_normal": ("truncated_normal", "quantised"),
    "rademacher": ("rademacher",),
    "sparse": ("sparse", "levels"),
    "laplace": ("laplace",),
    "orthogonal": ("orthogonal",),
}


def _of(*names: str) -> Callable[[Observed], bool]:
    return lambda seen: seen.family.name in names


def is_degenerate(seen: Observed) -> bool:
    """Whether all weights are equal: there is nothing else to see then."""
    return seen.family.name in ("zero", "constant", "one-number")


def _is_the_identity(seen: Observed) -> bool:
    """Whether every matrix is a multiple of the identity, its corner where it is none of as many rows as columns."""
    squares = [a for arrays in seen.probe.draws.values() for a in arrays if a.ndim == 2 and a.size > 1]
    return bool(squares) and all(a[0, 0] != 0 and (a == a[0, 0] * np.eye(*a.shape)).all() for a in squares)


DEGENERATE: tuple[Rule[Observed], ...] = (
    Rule(
        _is_the_identity,
        "every call returns the identity: nothing is drawn",
        "declare distribution='identity' if that is meant, or draw every weight: {normal}",
    ),
    Rule(_of("zero"), "every weight is zero: the units stay equal for ever", "draw them: {normal}"),
    Rule(is_degenerate, "{family}: the units stay equal for ever", "draw every weight: {normal}"),
    Rule(
        _of("one-sided-uniform"),
        "{family}: its mean is 0.866 of its rms",
        "uniform(-b, b) with b = {bound_wanted}",
        "centering scale depth law",
    ),
    Rule(
        _of("half-normal"),
        "{family}: its mean is 0.798 of its rms",
        "leave the absolute value out",
        "centering scale depth law",
    ),
    Rule(
        _of("one-sided"), "{family}: their mean cannot be zero", "draw around zero: {normal}", "centering scale depth"
    ),
)
"""Weights that are all equal, or all of one sign."""


def _promised_independent(seen: Observed) -> bool:
    contract = seen.contract
    dependent = contract.entries == "dependent" or contract.base("distribution") == "orthogonal"
    return seen.family.name == "orthogonal" and not dependent


ORTHOGONAL = (
    Rule(
        _promised_independent,
        "the matrix is orthogonal: each entry is tied to the others",
        "declare distribution='orthogonal', or draw every weight on its own",
        "entries",
    ),
)
"""An orthogonal matrix where independent entries were promised."""


def _off_centre_decomposed(seen: Observed) -> bool:
    """Whether one row or column has one sign in every call: the mean of what was decomposed is its direction."""
    if seen.family.name != "orthogonal":
        return False
    means = repeated(
        seen.draw,
        _SEED_SHAPE,
        seen.seed,
        _SEED_CALLS,
        lambda weights: np.concatenate([np.abs(np.sign(weights).mean(axis=axis)) for axis in (0, 1)]),
        step=1,
    )
    return means is not None and bool((np.min(means, axis=0) > 0.5).any())


def _unsigned(seen: Observed) -> bool:
    if seen.family.name != "orthogonal":
        return False
    signs = repeated(seen.draw, _SEED_SHAPE, seen.seed, _SEED_CALLS, lambda weights: weights[0, 0] > 0, step=1)
    return signs is not None and len(set(signs)) == 1


def _signs_of_an_algorithm(seen: Observed) -> bool:
    """Whether some entry has one sign far more often than by chance: LAPACK gives the factors of an SVD so.

    A square factor shows it at small shapes only, and the claim has found one of those. What is drawn at other shapes
    may be no factor at all.
    """
    if seen.layer is None or not (
        seen.family.name == "orthogonal" or are_orthogonal(seen.probe.draws.get(seen.layer.shape, ())[:_LIKE])
    ):
        return False
    signs = repeated(seen.draw, seen.layer.shape, seen.seed, _SIGN_CALLS, np.sign, step=1)
    return signs is not None and bool(np.abs(np.sum(signs, axis=0)).max() > _SIGN_ERRORS * math.sqrt(_SIGN_CALLS))


UNSIGNED = (
    Rule(
        _off_centre_decomposed,
        "what is decomposed is not drawn around zero: one row or column of every result has the direction of its mean",
        "decompose a standard normal, in place of numbers that have a mean",
        "centering orthogonality",
    ),
    Rule(
        _unsigned,
        "a QR decomposition without the sign fix: the first entry always has the same sign",
        "multiply the columns of Q by the signs of R's diagonal",
        "centering orthogonality",
    ),
    Rule(
        _signs_of_an_algorithm,
        "the factor of an SVD or QR as it comes: the algorithm chooses its signs, they are not drawn",
        "multiply its shorter axis by random signs, or take Q of a QR by the signs of R's diagonal",
        "centering",
    ),
)
"""An orthogonal matrix whose signs are not drawn."""


def _off_centre(seen: Observed) -> Mapping[str, object] | None:
    if seen.family.name == "outliers":
        return None  # a handful of far weights carries any mean there is
    # A mean that was shown not to be zero is believed sooner.
    mean, error = seen.mean
    off = abs(mean) > (max(0.001, 3 * error) if seen.topic == "centering" else max(0.004, 5 * error))
    return {"off": f"{mean:.2g}"} if off else None


def _by_width(seen: Observed) -> list[tuple[float, Array]]:
    """The promised fan of every shape of which enough was drawn, and all that was drawn of it."""
    if seen.fan not in ("fan_in", "fan_out"):
        return []
    layers = (sample.layer for sample in seen.samples if sample.n >= _ENOUGH)
    return [
        (
            float(layer.fan_in if seen.fan == "fan_in" else layer.fan_out),
            np.concatenate([a.ravel() for a in seen.probe.draws[layer.shape]]),
        )
        for layer in layers
    ]


def _alike(numbers: Sequence[float], within: float) -> bool:
    return len(numbers) >= 3 and 0 < max(numbers) <= min(numbers) * (1 + within)


def _loc_is_scale(seen: Observed) -> Mapping[str, object] | None:
    """A mean that goes with the width as a deviation should, beside a deviation that is 1."""
    drawn = _by_width(seen) if _off_centre(seen) else []
    stds = [float(w.std()) for _, w in drawn]
    if not _alike(stds, 0.2) or not 0.9 < float(np.median(stds)) < 1.1:
        return None
    widths = np.array([width for width, _ in drawn])
    means, errors = np.array([w.mean() for _, w in drawn]), np.array([w.size**-0.5 for _, w in drawn])

    def misfit(form: Array) -> float:
        size = float(np.sum(means * form / errors**2) / np.sum((form / errors) ** 2))
        return float(np.sum(((means - size * form) / errors) ** 2))

    of_width = misfit(widths**-0.5)
    return {} if of_width < 4 * len(means) and misfit(np.ones(len(means))) > of_width + 30 else None


def _one_end(seen: Observed) -> Mapping[str, object] | None:
    """A uniform one end of which stays where it is at every width, while the other one moves."""
    if not _off_centre(seen):
        return None
    drawn = _by_width(seen)
    tops, bottoms = [float(w.max()) for _, w in drawn], [-float(w.min()) for _, w in drawn]
    for fixed, moving, name in ((tops, bottoms, "upper"), (bottoms, tops, "lower")):
        if _alike(fixed, 0.02) and not _alike(moving, 0.2):
            end = max(fixed) if name == "upper" else -max(fixed)
            return {"end": number(end), "name": name, "other": "lower" if name == "upper" else "upper"}
    return None


MEAN: tuple[Rule[Observed], ...] = (
    Rule(
        _loc_is_scale,
        "the mean goes with 1/sqrt({wanted}), and the std is 1 at every width: the std stands in the place of the mean",
        "name the arguments: loc=0, scale={std_wanted}",
        "centering precision scale depth",
    ),
    Rule(
        _one_end,
        "the {name} end of the weights is {end} at every width, and only the {other} one goes with the fan",
        "give both ends: uniform(-b, b) with b = {bound_wanted}",
        "centering precision scale depth",
    ),
    Rule(
        lambda seen: seen.family.name in _LEVELS and _off_centre(seen),
        "{family} with mean {off} rms: rounded down, or a low-precision uniform whose 0 is kept",
        "centre the grid: round to nearest, and draw from levels symmetric about 0",
        "centering precision scale depth",
    ),
    Rule(
        _off_centre,
        "the weights are drawn around {off} of their rms, not around zero",
        "draw around zero: leave the offset out",
        "centering precision scale depth",
    ),
)
"""A mean that is not zero."""


def _other_cut(seen: Observed) -> Mapping[str, object] | None:
    cut, measured = seen.contract.parameter("distribution"), seen.family.parameter
    if (
        seen.contract.base("distribution") != "truncated_normal"
        or not cut
        or not measured
        or abs(measured - cut) <= 0.1
    ):
        return None
    return {"promised": seen.contract.distribution, "cut": cut} if not _other_law(seen) else None


def _other_law(seen: Observed) -> Mapping[str, object] | None:
    declared, name = seen.contract.base("distribution"), seen.family.name
    if declared is None or name == "unknown" or name in _KIN.get(declared, (name,)):
        return None
    return {"promised": seen.contract.distribution}


def _rounded_to_none(seen: Observed) -> Mapping[str, object] | None:
    """Of a small layer no weight at all is kept, in any call: the number of those kept is rounded down."""
    density, layer = seen.family.parameter, seen.layer
    if seen.family.name != "sparse" or not density or layer is None:
        return None
    drawn = seen.probe.draws.get(layer.shape, ())
    return {"density": density, "shape": layer.shape} if len(drawn) > 1 and not any(a.any() for a in drawn) else None


def _empty_by_chance(seen: Observed) -> Mapping[str, object] | None:
    """A unit, or an input, all of whose few weights fell among the zeros."""
    density, layer = seen.family.parameter, seen.layer
    if seen.family.name != "sparse" or not density or layer is None or "only zero weights" not in seen.measured:
        return None
    of = "input" if seen.measured.startswith("input") else "unit"
    weights = layer.units if of == "input" else layer.inputs
    share = (1 - density) ** weights
    return {"density": density, "of": of, "weights": weights, "one_in": f"{1 / share:,.0f}"} if share > 0 else None


FAMILY: tuple[Rule[Observed], ...] = (
    Rule(
        _rounded_to_none,
        "a share of {density:.2g} is kept, rounded down: of so few weights as at {shape} none is left",
        "keep at least one weight of every unit: round up, or max(1, ...)",
        "symmetry scale depth law",
    ),
    Rule(
        _empty_by_chance,
        "a share of {density:.2g} is kept, each weight by its own chance: of {weights} weights of one {of} nothing is"
        " left once in {one_in}",
        "choose for every {of} as many weights as are kept of it, at least one",
        "symmetry",
    ),
    Rule(
        _of("no-variance"),
        "the weights have {family}",
        "draw from a normal or a uniform: {normal}",
        "promises scale depth law distribution",
    ),
    Rule(
        lambda seen: seen.family.name == "outliers" and bool(seen.family.parameter),
        "{family}",
        "draw every weight from one law, without rare large values",
        "scale depth distribution law",
    ),
    Rule(
        _other_cut,
        "{family}; {promised} was promised",
        "cut at {cut:g} standard deviations",
        "distribution",
    ),
    Rule(
        lambda seen: seen.contract.base("distribution") == "truncated_normal" and seen.family.name == "normal",
        "the normal is never cut: the bound is in absolute units, far beyond its standard deviation",
        "truncate at multiples of the standard deviation: cut a standard normal, then scale it",
        "distribution",
    ),
    Rule(
        _other_law,
        "the weights follow {family}; {promised} was promised",
        "draw from {promised}, or declare what it draws from",
        "distribution",
    ),
)
"""A tail that has no variance, rare far values, or another law than was promised."""
