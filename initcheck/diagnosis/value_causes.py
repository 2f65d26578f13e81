"""Likely causes that plain numbers show: not finite, on one grid at every width, or cancelling in a unit's sum."""

from __future__ import annotations

import math

import numpy as np

from initcheck.contract.second_moments import nonlinearity
from initcheck.diagnosis.causes import Cause, cause
from initcheck.diagnosis.evidence.denominators import denominator_named
from initcheck.diagnosis.evidence.formulas import number
from initcheck.diagnosis.evidence.probe import Array, repeated
from initcheck.diagnosis.evidence.variance_law import VarianceLaw
from initcheck.diagnosis.law_exceptions import exceptions_cause
from initcheck.diagnosis.observed import Observed

_SHAPE = (64, 64)
_COUNTED, _LATER = (16, 16), 32
_CALLS = 16
_WEIGHTS = 65_536
_MOST_CALLS = 1024
# Weights of a draw whose largest one tells something, and how near to each other two of these are the same.
_MANY, _SAME = 64, 1e-6


def not_finite_cause(seen: Observed) -> Cause | None:
    """Explain weights that are not finite: at which shapes, or else how many of all.

    >>> def noisy(shape, seed):
    ...     r = np.random.default_rng(seed)
    ...     return np.where(r.random(shape) < 0.01, np.nan, r.normal(size=shape))
    >>> not_finite_cause(Observed(draw=noisy, topic="promises")).sentence
    'about 1 weight in 102 is not finite, at every shape: a division by zero or a logarithm of 0 among those drawn'
    """
    if seen.topic != "promises":
        return None
    samples = seen.samples
    broken = tuple(s.layer for s in samples if not math.isfinite(s.mean_square))
    if broken and len(broken) < len(samples):
        found = exceptions_cause(
            VarianceLaw(denominator_named("fan_in"), 1.0, broken, 0.0, 0.0, len(samples)), samples, seen.fan
        )
        if found is not None and any(s.layer in broken and s.mean_square == math.inf for s in samples):
            return found
    drawn = repeated(seen.draw, _SHAPE, seen.seed, _CALLS, np.asarray)
    if drawn is None:
        return None
    bad = 0
    fixed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = np.ones(_SHAPE, dtype=bool)
    for weights in drawn:
        off = int((~np.isfinite(weights)).sum())
        fixed &= np.isnan(weights)
        if off == weights.size and not fixed.all():
            return None
        bad += off
    if not bad or (fixed.all() and any(math.isfinite(s.mean_square) for s in samples)):
        return None
    if fixed.all():
        return cause(
            "every weight of every call is NaN: the tensor is never written, or its scale is NaN",
            "write into the tensor that was passed, or return the one that was filled",
            "promises",
        )
    if int(fixed.sum()) * _CALLS == bad:
        return cause(
            f"the same {100 * float(fixed.mean()):.2g} % of the positions are NaN in every call: they are never"
            " written",
            "fill the whole tensor",
            "promises",
        )
    return cause(
        f"about 1 weight in {round(_CALLS * math.prod(_SHAPE) / bad):,} is not finite, at every shape: a division by"
        " zero or a logarithm of 0 among those drawn",
        "leave 0 out of what is divided by, or of what a logarithm is taken",
        "promises",
    )


def narrow_cause(seen: Observed) -> Cause | None:
    """Explain what a narrow dtype alone breaks: it is computed in, where float32 keeps every promise.

    >>> def of_its_norm(shape, seed):
    ...     return np.random.default_rng(seed).normal(size=shape)
    >>> narrow_cause(Observed(draw=of_its_norm, topic="precision")).fix
    'draw and scale in float32, then cast to the dtype that was asked for'
    """
    if seen.topic != "precision" or seen.probe.infinite or not seen.probe.draws:
        return None
    return cause(
        f"in {seen.contract.dtypes[0]} it holds: a number on the way, such as a square, a sum or a small constant,"
        " leaves the range or the steps of the narrow dtype",
        f"draw and scale in {seen.contract.dtypes[0]}, then cast to the dtype that was asked for",
        "precision",
    )


def grid_cause(seen: Observed) -> Cause | None:
    """Explain weights that are multiples of one number at every width: rounded without regard to their scale.

    >>> def rounded(shape, seed):
    ...     return np.round(np.random.default_rng(seed).normal(0, shape[1] ** -0.5, shape), 1)
    >>> grid_cause(Observed(draw=rounded)).sentence
    'every weight is a multiple of 0.1, whatever the width: they are rounded'
    """
    drawn = [a for arrays in seen.probe.draws.values() for a in arrays[:2] if a.any()]
    if len(drawn) < 4:
        return None
    step = min(float(np.abs(a[a != 0]).min()) for a in drawn)
    counts = [np.abs(a) / step for a in drawn]
    # Two levels, such as signs of a fixed size, are a law of their own and no rounding.
    if max(float(c.max()) for c in counts) < 3 or any(float(np.abs(c - np.rint(c)).max()) > 1e-3 for c in counts):
        return None
    what = "a whole number" if abs(step - 1) < 1e-6 else f"a multiple of {number(step)}"
    return cause(
        f"every weight is {what}, whatever the width: they are rounded",
        "leave the rounding out, or round to a fraction of the std",
        "scale depth law symmetry entries distribution precision promises",
    )


def counted_cause(seen: Observed) -> Cause | None:
    """Explain a scale by the number of calls: one seed gives the same weights again, all of them by a factor.

    >>> made = []
    >>> def by_depth(shape, seed):
    ...     made.append(shape)
    ...     return np.random.default_rng(seed).normal(size=shape) / len(made)
    >>> counted_cause(Observed(draw=by_depth, topic="scale")).sentence
    'the scale goes with the number of calls: 32 calls later the same seed gives the same weights times 0.0303'
    """
    if seen.topic not in ("scale", "depth", "law"):
        return None
    drawn = repeated(seen.draw, _COUNTED, seen.seed, _LATER + 1, np.array, step=0)
    if drawn is None or not drawn[0].any():
        return None
    first, last = drawn[0], drawn[-1]
    ratio = float(np.vdot(first, last) / np.vdot(first, first))
    # Thousands of calls may have been made before, so that each is one in many.
    if abs(ratio - 1) < 1e-5 or not np.allclose(last, ratio * first, rtol=1e-4, atol=1e-6 * float(np.abs(last).max())):
        return None
    return cause(
        f"the scale goes with the number of calls: {_LATER} calls later the same seed gives the same weights times"
        f" {ratio:.3g}",
        "count the layers where the network is built and hand the number in; let the scale depend on the shape alone",
        "scale depth law",
    )


def unpaired_cause(seen: Observed) -> Cause | None:
    """Explain last weights that are zero in every call where their number, or that of a row, is odd.

    >>> def in_pairs(shape, seed):
    ...     drawn = np.zeros(shape)
    ...     half = drawn.size // 2
    ...     drawn.ravel()[: 2 * half] = np.random.default_rng(seed).normal(size=2 * half)
    ...     return drawn
    >>> unpaired_cause(Observed(draw=in_pairs)).fix
    'draw one pair more and cut the result'
    """
    # What draws row by row leaves a whole last column.
    for name, counted in (("number of weights", math.prod), ("last axis", lambda shape: shape[-1])):
        ends = {
            shape: [bool(a[..., -1].any() if name == "last axis" else a.flat[-1]) for a in arrays]
            for shape, arrays in seen.probe.draws.items()
        }
        odd = [drawn for shape, drawn in ends.items() if counted(shape) % 2]
        even = [drawn for shape, drawn in ends.items() if counted(shape) % 2 == 0]
        if odd and even and not any(map(any, odd)) and all(map(all, even)):
            return cause(
                f"the last weight is zero where the {name} is odd: they are made in pairs",
                "draw one pair more and cut the result",
                "scale depth law symmetry entries centering",
            )
    return None


# Mean square, in standard errors, of counts that differ by chance alone is 1.
_ALIKE = 4.0


def largest_cause(seen: Observed) -> Cause | None:
    """Explain a largest weight that is one number at every shape: divided by it, or cut there.

    >>> def cut(shape, seed):
    ...     return np.clip(np.random.default_rng(seed).normal(0, shape[1] ** -0.5, shape), -0.02, 0.02)
    >>> largest_cause(Observed(draw=cut)).sentence
    'the weights are cut at +-0.02 at every width'
    """
    drawn = [np.abs(a) for arrays in seen.probe.draws.values() for a in arrays[:2] if a.size >= _MANY]
    tops = [float(a.max()) for a in drawn]
    if len(drawn) < 4 or not 0 < max(tops) <= min(tops) * (1 + _SAME) or not math.isfinite(max(tops)):
        return None
    # A few levels, such as signs of a fixed size, have a largest one by their nature.
    if max(len(np.unique(a)) for a in drawn) <= 16:
        return None
    held = [int((a >= max(tops) * (1 - _SAME)).sum()) for a in drawn]
    topics = "scale depth law entries"
    if max(held) == 1:
        return cause(
            f"the largest weight of every call is {number(max(tops))}: each call is divided by its own largest weight",
            "scale by the fan, not by the weights drawn",
            topics,
        )
    # As many at every width, but for chance: it is cut at a multiple of its std, and that is one number too.
    share = sum(held) / sum(a.size for a in drawn)
    off = [(h - share * a.size) ** 2 / (share * (1 - share) * a.size) for h, a in zip(held, drawn, strict=True)]
    if all(h > 1 for h in held) and float(np.mean(off)) > _ALIKE:
        return cause(
            f"the weights are cut at +-{number(max(tops))} at every width", "cut at a multiple of the std", topics
        )
    return None


def own_size_cause(seen: Observed) -> Cause | None:
    """Explain calls whose largest weight, or whose length, is one number at a shape: they are divided by their own.

    >>> def of_length_one(shape, seed):
    ...     drawn = np.random.default_rng(seed).normal(size=shape)
    ...     return drawn / np.linalg.norm(drawn)
    >>> own_size_cause(Observed(draw=of_length_one)).sentence
    'the length of all weights of a call together is 1 in every call: each is divided by its own'
    """
    if seen.family.name in ("rademacher", "levels", "orthogonal", "constant", "zero"):
        return None
    shapes = [arrays for arrays in seen.probe.draws.values() if len(arrays) > 1 and arrays[0].size >= _MANY]
    for what, of in _SIZES.items():
        sizes = [[of(a) for a in arrays] for arrays in shapes]
        if len(sizes) < 3 or any(not 0 < max(s) <= min(s) * (1 + _SAME) for s in sizes):
            continue
        if of is _largest and any((np.abs(a) >= of(a) * (1 - _SAME)).sum() > 1 for k in shapes for a in k):
            continue  # cut there
        everywhere = max(map(max, sizes)) <= min(map(min, sizes)) * (1 + _SAME)
        # Where the length is right for its shape, only what the entries know of one another is wrong.
        of_entries = of is _length and not everywhere
        if of_entries and seen.contract.entries == "dependent":
            return None
        one, when = (number(sizes[0][0]), "every call") if everywhere else ("one number", "every call of a shape")
        return cause(
            f"the {what} is {one} in {when}: each is divided by its own",
            f"divide by what is expected, not by what was drawn: {seen.normal}",
            "entries" if of_entries else "scale depth law entries",
        )
    return None


def _largest(weights: Array) -> float:
    return float(np.abs(weights).max())


def _length(weights: Array) -> float:
    return float(np.linalg.norm(weights))


_SIZES = {"largest weight": _largest, "length of all weights of a call together": _length}


def cancelling_cause(seen: Observed) -> Cause | None:
    """Explain an output variance by weights of a unit that cancel, or add up, behind inputs of positive mean.

    >>> from initcheck.contract.contract import Contract
    >>> from initcheck.contract.layer import Layer
    >>> def opposite(shape, seed):
    ...     half = np.random.default_rng(seed).normal(size=(shape[0], shape[1] // 2))
    ...     return np.concatenate([half, -half], axis=1)
    >>> promised = Contract(activation="relu")
    >>> cancelling_cause(Observed(draw=opposite, contract=promised, layer=Layer((1, 2)), topic="scale")).sentence
    'the weights of a unit cancel: its squared sum is 0 of what it would be were they independent'
    """
    layer = seen.layer
    if seen.topic not in ("scale", "depth") or layer is None or layer.inputs < 2:
        return None
    if nonlinearity(seen.contract).m1 == 0:
        return None
    calls = max(_CALLS, min(_MOST_CALLS, _WEIGHTS // layer.weights))

    def of(weights: Array) -> tuple[float, float]:
        sums = layer.as_units(weights).sum(axis=1)
        return float(np.mean(sums**2)), float(np.sum(weights**2)) / layer.units

    read = repeated(seen.draw, layer.shape, seen.seed, calls, of)
    if read is None:
        return None
    sums, squares = zip(*read, strict=True)
    square = float(np.mean(squares))
    if not 0 < square < math.inf:
        return None
    ratio = float(np.mean(sums)) / square
    error = float(np.std(sums)) / square / math.sqrt(calls)
    if abs(ratio - 1) < max(0.1, 5 * error):
        return None
    how = "cancel" if ratio < 1 else "add up"
    return cause(
        f"the weights of a unit {how}: its squared sum is {_share(ratio)} of what it would be were they independent",
        f"draw every weight of a unit on its own: inputs behind {seen.activation} have a mean, and meet that sum",
        "scale depth",
    )


def _share(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio > 0.005 else "0"
