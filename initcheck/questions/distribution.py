"""Whether weights follow the law that a contract names, up to its scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.claims.trial import Trial
from initcheck.contract.case import Case
from initcheck.contract.contract import UNIT_ROUNDOFF, Contract
from initcheck.contract.standard_laws import COSINES, StandardLaw, standard_law
from initcheck.draws.streams import SCREEN
from initcheck.questions.bounded_scores import Scores, scores_average_to_zero

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

# Weights of the first sample: its scale is then right to 0.012 at 10^-8, a bias of at most 0.01 in any score.
_LEARNING = 262_144
_LEARNING_CALLS = 1_024
_TOLERATED, _EXCLUDED = 0.01, 0.03
_IMPOSSIBLE_DEVIATIONS = {"normal": 12.0, "laplace": 40.0}
# A share of the weights that cannot be, such as outside the bounds of a uniform.
_IMPOSSIBLE = 1e-4
# A magnitude of Rademacher further than this from the common one is another magnitude.
_SAME = 1e-3


def law_named_by(contract: Contract) -> str | None:
    """The name of the law that a contract promises, where that fixes a law; else None.

    >>> law_named_by(Contract(distribution="truncated_normal(2)")), law_named_by(Contract(distribution="orthogonal"))
    ('truncated_normal', None)
    """
    name = contract.promised("distribution")
    if name is None or (name != "rademacher" and standard_law(name, contract.parameter("distribution")) is None):
        return None
    return name


def is_fine_enough(dtype: str) -> bool:
    """Whether the grid of a dtype leaves one law to be told from another.

    >>> is_fine_enough("bfloat16"), is_fine_enough("float8_e5m2")
    (True, False)
    """
    return dtype in UNIT_ROUNDOFF


def follows_the_law(trial: Trial, layer: Case) -> None:
    """Ask whether the weights of this layer have the shape of the law that the contract names.

    Raises:
        CaseFailed: a score of the probability integral transform has another mean than under the law.
    """
    contract = trial.subject.contract_of(layer)
    calls = min(math.ceil(_LEARNING / layer.weights), _LEARNING_CALLS)
    sample = trial.draws.sample(layer, trial.dtype, SCREEN, calls).astype(np.float64)
    if not np.any(sample):
        trial.fail(layer, measured="every weight is zero", allowed=str(contract.distribution), calls=calls)
    law = standard_law(contract.base("distribution") or "", contract.parameter("distribution"))
    rounding = UNIT_ROUNDOFF[trial.dtype]
    scores = _signs(sample, rounding) if law is None else _continuous(law, sample, rounding)
    excluded = scores_average_to_zero(trial, layer, scores, learnt=calls)
    kind = "sign and magnitude" if law is None else f"{COSINES} cosines of F(w/s)"
    trial.note(
        f"another law than {contract.distribution} is excluded where one of {kind} has a mean beyond {excluded:.2g};"
        " the scale s is estimated, and judged by the scale claims",
        topic="excluded",
    )


def no_weight_is_impossible(trial: Trial, layer: Case) -> None:
    """Ask whether the largest weight of the planned calls of this layer can be one of the law that the contract names.

    Null: the weights have that law, at any scale. Beyond the bound of a bounded law, or 12 standard deviations of a
    normal, 40 of a Laplace, there is none among 10^8 weights but with probability 10^-9 at most, the error of the
    measured deviation allowed for. Never says HOLDS.

    Raises:
        CaseFailed: a weight lies beyond.
    """
    contract = trial.subject.contract_of(layer)
    law = standard_law(contract.base("distribution") or "", contract.parameter("distribution"))
    if law is None:
        return
    calls = trial.planned_calls(layer)
    record = trial.records(layer, SCREEN, calls)
    weights = calls * layer.weights
    deviation = math.sqrt(float(record.energy.sum()) / weights)
    if not 0 < deviation < math.inf:
        return
    bounded = math.isfinite(law.bound)
    error = law.scale_error(weights, 1e-12) if bounded else 0.0
    edge = law.bound * (1 + 2 * error + 4 * UNIT_ROUNDOFF[trial.dtype]) if bounded else _IMPOSSIBLE_DEVIATIONS[law.name]
    largest = float(record.largest.max()) / deviation
    if largest > edge:
        trial.fail(
            layer,
            measured=f"the largest of {weights:,} weights lies {largest:.3g} standard deviations out",
            allowed=f"at most {edge:.3g} under {contract.distribution}",
            value=largest,
            band=(0.0, edge),
            calls=calls,
        )
    seen = trial.once("weights whose largest was looked at", lambda: [0])
    seen[0] += weights
    trial.note(f"of {seen[0]:,} weights at every shape none lies where the law has none", topic="rate")


def _continuous(law: StandardLaw, sample: Floats, rounding: float) -> Scores:
    scale = law.scale(sample)
    bounded = math.isfinite(law.bound)
    # No weight of the law lies beyond the bound, wherever in its interval the true scale is.
    edge = law.bound * (1 + 2 * law.scale_error(sample.size, 1e-12) + 4 * rounding)

    def scores(stack: Array) -> Floats:
        z = stack.reshape(len(stack), -1).astype(np.float64) / scale
        means = law.cosines(z).mean(axis=2).T
        return np.column_stack([means, (np.abs(z) > edge).mean(axis=1)]) if bounded else means

    def tolerated(error: float) -> Floats:
        bias = law.bias(law.scale_error(sample.size, error) + rounding)
        cosines = np.maximum(bias, _TOLERATED)
        return np.append(cosines, _IMPOSSIBLE) if bounded else cosines

    names = tuple(f"mean of cos({'' if j == 1 else j} pi F(w/s))".replace("( ", "(") for j in range(1, COSINES + 1))
    beyond = ("share of weights beyond the bounds of the law",) if bounded else ()
    return Scores(
        names=names + beyond,
        of=scores,
        tolerated=tolerated,
        excluded=_EXCLUDED,
        lowest=(-1.0,) * COSINES + (0.0,) * len(beyond),
    )


def _signs(sample: Floats, rounding: float) -> Scores:
    """Rademacher: fair signs of one magnitude."""
    magnitude = float(np.median(np.abs(sample)))
    width = magnitude * (_SAME + 2 * rounding)

    def scores(stack: Array) -> Floats:
        w = stack.reshape(len(stack), -1).astype(np.float64)
        return np.stack([np.sign(w).mean(axis=1), (np.abs(np.abs(w) - magnitude) > width).mean(axis=1)], axis=1)

    tolerated: Callable[[float], Floats] = lambda error: np.array([_TOLERATED, _IMPOSSIBLE])  # noqa: E731
    return Scores(
        names=("mean sign", f"share of weights whose magnitude is not {magnitude:.4g}:"),
        of=scores,
        tolerated=tolerated,
        excluded=_EXCLUDED,
        lowest=(-1.0, 0.0),
    )
