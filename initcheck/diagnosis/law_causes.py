"""From a measured law to the likely mistake in the formula: which fan, which root, which factor."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from initcheck.diagnosis.causes import Cause, Rule
from initcheck.diagnosis.constant_causes import CONSTANTS
from initcheck.diagnosis.law_exceptions import exceptions_cause
from initcheck.diagnosis.observed import Observed
from initcheck.diagnosis.std_causes import STD

_TOPICS = "scale depth law"


def _other_axis(seen: Observed) -> dict[str, object] | None:
    """Whether every weight vector of the other axis has one length, so that the other fan divides."""
    law, shown = seen.sure_law, seen.dependence
    if law is None or shown is None or {law.denominator.fan, seen.fan} != {"fan_in", "fan_out"}:
        return None
    sides = {"input-norms-equal": ("input", "unit"), "unit-norms-equal": ("unit", "input")}
    if shown.name not in sides or (shown.name == "input-norms-equal") != (seen.fan == "fan_in"):
        return None
    return dict(zip(("normed", "meant"), sides[shown.name], strict=True))


_OTHER_AXIS = Rule[Observed](
    _other_axis,
    "{law}: the weights of every {normed} are normalised to one length, where those of every {meant} were meant",
    "normalise along the other axis, or draw {normal}",
    _TOPICS,
)


def _zero_diagonal(seen: Observed) -> bool:
    """Whether in every square, and in no other place of it, the diagonal is zero: a unit is not fed by itself."""
    squares = [
        a for arrays in seen.probe.draws.values() for a in arrays if a.ndim == 2 and a.shape[0] == a.shape[1] > 1
    ]
    apart = [a[~np.eye(len(a), dtype=bool)] for a in squares]
    return bool(squares) and not any(np.diagonal(a).any() for a in squares) and all(a.all() for a in apart)


_NO_DIAGONAL = Rule[Observed](
    _zero_diagonal,
    "the diagonal is zero, as where no unit feeds itself (a Boltzmann machine): one input of each is missing, all of"
    " the only one",
    "divide by fan_in - 1 where that is meant, and declare widths from 2 on; else draw the diagonal too",
    f"{_TOPICS} symmetry",
)


def _wrong_fan(seen: Observed) -> Cause | None:
    """What the denominator says of itself, where it is not the promised fan."""
    law = seen.sure_law
    if law is None or seen.contract.std is not None or law.denominator.fan == seen.fan:
        return None
    mistake = law.denominator.mistake(seen.fan, seen.family.name)
    if mistake is None:
        return None
    return Rule[Observed](lambda _: True, mistake.sentence, mistake.fix, f"{_TOPICS} {mistake.topics}")(seen)


def _exceptions(seen: Observed) -> Cause | None:
    """What the layers have in common that the law does not fit."""
    law = seen.best_law
    return None if law is None else exceptions_cause(law, seen.samples, seen.fan)


LAW: tuple[Callable[[Observed], Cause | None], ...] = (
    *STD,
    _OTHER_AXIS,
    _NO_DIAGONAL,
    _wrong_fan,
    *CONSTANTS,
    _exceptions,
)
"""Why the variance is another than was promised; where it is not, why some layers have another."""


def _scale_per_call(seen: Observed) -> bool:
    """Whether the energies of calls differ by far more than their weights explain."""
    if seen.family.name in ("no-variance", "outliers", "heavy-tail"):
        return False
    excess = []
    for arrays in seen.probe.draws.values():
        if len(arrays) >= 4 and arrays[0].size >= 100:
            squares = [a * a for a in arrays]
            means = np.array([float(s.mean()) for s in squares])
            within = float(np.mean([np.std(s) for s in squares])) / math.sqrt(arrays[0].size)
            if means.mean() > 0:
                excess.append(float(np.std(means)) / max(within, 0.01 * float(means.mean())))
    return len(excess) >= 3 and float(np.median(excess)) >= 4


SCALE_PER_CALL = (
    Rule(
        _scale_per_call,
        "every call has a scale of its own: it is drawn, or taken from state, and shared by all weights",
        "let the scale depend on the shape alone",
        _TOPICS,
    ),
)
