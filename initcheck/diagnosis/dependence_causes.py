"""Likely causes that dependent entries show: sorted, copied, masked, low rank, correlated."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from initcheck.diagnosis.causes import Cause, cause
from initcheck.diagnosis.evidence.formulas import number
from initcheck.diagnosis.evidence.probe import Array
from initcheck.diagnosis.observed import Observed

_OWN = "draw every weight on its own"
_COPIES = "draw every unit on its own, with no tiling or repeating"
_EVERYWHERE = "symmetry entries scale depth law"
_MEANT = ", or declare entries='dependent' if it is meant"
_TRIANGLES = "draw the entries above and below the diagonal each on their own"

# A dependence that no contract asks for.
_ALWAYS = {
    "sorted": cause(
        "the weights are sorted: their mean depends on their position",
        "leave the sorting out",
        "centering entries symmetry depth",
    ),
    "diagonal": cause(
        "the diagonal lies far above the rest: an identity is added",
        "leave the identity out, or declare the distribution 'identity'",
        "centering entries scale depth law",
    ),
    "dead-units": cause("{percent} of the units have only zero weights", _OWN, _EVERYWHERE),
    "dead-inputs": cause("{percent} of the inputs have only zero weights", _OWN, _EVERYWHERE),
    "duplicate-units": cause("{n} units are copies of others", _COPIES, "symmetry entries scale depth"),
    "duplicate-inputs": cause(
        "the weights of {n} inputs are copies of others'", _COPIES, "symmetry entries scale depth"
    ),
    "equal-pairs": cause("every number is used twice", _OWN, "symmetry entries scale depth"),
    "fixed-pattern": cause(
        "every call adds noise to one fixed pattern",
        "draw around zero at every position",
        "centering randomness entries depth",
    ),
    "fixed-zeros": cause(
        "{percent} of the positions are zero in every call: a mask or a triangle",
        "draw every position, or draw the mask anew",
        _EVERYWHERE,
    ),
}

# A dependence that ``entries="dependent"`` allows.
_IF_INDEPENDENT = {
    "opposite-units": cause(
        "{n} units are copies of others with the opposite sign: antithetic sampling", _OWN, "symmetry entries"
    ),
    "opposite-inputs": cause(
        "the weights of {n} inputs are those of others with the opposite sign", _OWN, "symmetry entries"
    ),
    "opposite-pairs": cause(
        "every number is used twice, with opposite signs: antithetic sampling", _OWN, "symmetry entries"
    ),
    "symmetric": cause("the matrix is symmetric: W = W^T", _TRIANGLES, "entries"),
    "antisymmetric": cause("the matrix is antisymmetric: W = -W^T", _TRIANGLES, "entries"),
    "low-rank": cause(
        "the matrix has rank {n}: a product of thin matrices",
        "draw the full matrix",
        "entries symmetry depth",
    ),
    "spectral": cause(
        "the largest singular value is {r} at every shape: spectral normalisation, 1/(sqrt(fan_in) + sqrt(fan_out))^2",
        "scale by the fan",
        "entries scale law depth",
    ),
    "spectral-radius": cause(
        "the largest eigenvalue is {r} in size at every shape: the spectral radius of an echo state reservoir",
        "scale by the fan",
        "entries scale law depth",
    ),
    "unit-means": cause(
        "every unit has an offset of its own, shared by its weights",
        "draw around zero, without an offset per unit",
        "entries scale depth",
    ),
    "input-means": cause(
        "all units share an offset for each input",
        "draw around zero, without an offset per input",
        "entries symmetry",
    ),
    "autocorrelated-row": cause(
        "neighbouring weights of a unit are correlated, {r}: smoothed, or a random walk",
        _OWN,
        "entries scale depth",
    ),
    "autocorrelated-column": cause(
        "neighbouring units are correlated, {r}: smoothed, or a random walk", _OWN, "entries symmetry"
    ),
    "unit-norms-equal": cause("every unit is normalised to one length", "scale by the fan", "entries"),
    "input-norms-equal": cause(
        "the weights of every input are normalised to one length", "scale by the fan", "entries"
    ),
    "unit-scales": cause(
        "every unit has a scale of its own", "give all units one standard deviation", "entries scale depth"
    ),
    "input-scales": cause(
        "every input has a scale of its own", "give all inputs one standard deviation", "entries scale depth"
    ),
    "correlated-units": cause(
        "units are correlated, about {r} in size: they share a random part",
        "draw every unit on its own",
        "entries symmetry",
    ),
    "correlated-inputs": cause("the weights of different inputs are correlated, about {r} in size", _OWN, "entries"),
}

# The same of a single unit or input.
_OF_ONE = {
    "duplicate-units": "one unit is a copy of another",
    "duplicate-inputs": "the weights of one input are a copy of another's",
    "opposite-units": "one unit is a copy of another with the opposite sign: antithetic sampling",
    "opposite-inputs": "the weights of one input are those of another with the opposite sign",
}


def centre_cause(seen: Observed) -> Cause | None:
    """Explain kernels of which the centre alone is drawn, as of a delta-orthogonal start.

    >>> from initcheck.contract.contract import Contract
    >>> def delta(shape, seed):
    ...     drawn = np.zeros(shape)
    ...     middle = tuple(n // 2 for n in shape[2:])
    ...     drawn[(..., *middle)] = np.random.default_rng(seed).normal(size=shape[:2])
    ...     return drawn
    >>> of_kernels = Contract(layout="oihw")
    >>> centre_cause(Observed(draw=delta, contract=of_kernels)).sentence
    'the centre of the kernel alone is drawn, all else is zero: a delta-orthogonal start, perhaps'
    """
    kernels = [a for arrays in seen.probe.draws.values() for a in arrays if a.ndim > 2]
    sides = [[n for n, axis in zip(a.shape, seen.layout, strict=False) if axis not in "io"] for a in kernels]
    spread = [(a, side) for a, side in zip(kernels, sides, strict=True) if min(side, default=0) > 1]
    if not spread or not all(_is_of_one_position(a, seen.layout) for a, _ in spread):
        return None
    return cause(
        "the centre of the kernel alone is drawn, all else is zero: a delta-orthogonal start, perhaps",
        "draw every position; or, where that is meant, give the centre alone the variance that is due to all positions,"
        " and declare entries='dependent'",
        _EVERYWHERE,
    )


def _is_of_one_position(kernel: Array, layout: str) -> bool:
    """Whether of all positions of a kernel one, at the middle, holds weights that are not zero."""
    axes = tuple(n for n, axis in enumerate(layout) if axis in "io")
    found = np.argwhere(kernel.any(axis=axes))
    sides = [n for place, n in enumerate(kernel.shape) if place not in axes]
    return len(found) == 1 and all(at in (n // 2, (n - 1) // 2) for at, n in zip(found[0], sides, strict=True))


def dependence_cause(seen: Observed) -> Cause | None:
    """Explain by what the entries know of each other; None where the contract allows it.

    >>> import numpy as np
    >>> def thin(shape, seed):
    ...     rng = np.random.default_rng(seed)
    ...     return rng.normal(size=(shape[0], 4)) @ rng.normal(size=(4, shape[1]))
    >>> dependence_cause(Observed(draw=thin)).sentence
    'the matrix has rank 4: a product of thin matrices'
    """
    shown = seen.dependence
    if shown is None:
        return None
    found = _ALWAYS.get(shown.name)
    if found is None and seen.contract.entries != "dependent":
        found = _IF_INDEPENDENT.get(shown.name)
        # What would hold if it were declared is an offer to who was asked for independent entries, and to no other.
        if found is not None and seen.topic == "entries":
            found = dataclasses.replace(found, fix=found.fix + _MEANT)
    if found is None or not math.isfinite(shown.number):
        return found
    amount = shown.number
    if amount == 1 and shown.name in _OF_ONE:
        return dataclasses.replace(found, sentence=_OF_ONE[shown.name])
    words = {"n": number(amount), "percent": f"{100 * amount:.{2 if amount < 0.99 else 3}g} %", "r": f"{amount:.2g}"}
    return dataclasses.replace(found, sentence=found.sentence.format(**words))
